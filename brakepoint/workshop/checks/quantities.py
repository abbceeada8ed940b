"""Kubernetes quantities, as attendees write them."""

import re

from brakepoint.workshop.verdicts import Wrong

UNITS = {"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def amount(what: str, quantity: object) -> float:
    """The value of a Kubernetes quantity, such as 500m for CPU or 256Mi for memory.

    Raises:
        Wrong: The answer isn't a quantity, or has a unit that does not exist for `what`.
    """
    found = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([A-Za-z]*)", str(quantity))
    if found is None or found[2] not in UNITS or (what == "cpu" and found[2] not in ("", "m")):
        raise Wrong("step7.resources.quantity", found=quantity)
    return float(found[1]) * UNITS[found[2]]
