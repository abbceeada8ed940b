"""Incidents: a train that was broken on purpose, for a person to find out why and to put it right.

`causes` lists them, `site` is the train as it is set up, `wiring` drives it with the live services, `probes`
say whether it is healthy, and `casebook` keeps what is being looked for and how long it took.
"""
