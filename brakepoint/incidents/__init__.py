"""Incidents: a train that was broken on purpose, so that a person can find the cause and fix it.

`causes` lists them, `site` is the train as it is set up, `wiring` drives it with the live services, `probes`
check whether it is healthy, and `casebook` records the hidden cause and how long it took to find. `rights`
and `memory` limit what a service may publish and use; `doctor` is what `brakepoint doctor` shows of it.
"""
