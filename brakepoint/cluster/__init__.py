"""What a cluster would say to the kit's manifests, without one: `brakepoint cluster rehearse`.

`kit` collects what is applied, `operators` and `tekton` make pods of it as the platform does, and the other
modules each hold one set of rules against them; `rehearsal` asks them all.
"""
