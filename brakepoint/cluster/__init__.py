"""Checks the kit's manifests against a cluster's rules, without a cluster: `brakepoint cluster rehearse`.

`kit` collects the manifests that would be applied, `operators` and `tekton` derive pods from these as the
platform does, each of the other modules checks one set of rules, and `rehearsal` runs all of them.
"""
