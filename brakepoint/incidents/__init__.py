"""Incidents: a train is broken on purpose, so that a person can find the cause and fix it.

`causes` lists the incidents, `site` is the train as it is set up, `wiring` drives it with the live services,
`probes` check whether it is healthy, and `casebook` records the hidden cause and how long finding it took.
`rights` limits what a service may publish, and `memory` how much it may use; `doctor` examines the train for
`brakepoint doctor`.
"""
