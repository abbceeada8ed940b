"""A trial for owners: what does the hub do when it loses its link? Nobody's specification says it.

It alone leaves a motor turning on purpose, with the wheels in the air; `stop` must follow.
"""

import asyncio
from contextlib import closing

from brakepoint.locomotive import ORDER_POWER
from brakepoint.messages import OrderKind
from hardware.claims import claim
from hardware.hub_guard import brake
from hardware.hub_search import RadioLimits, checked_address, find_hub
from hardware.powered_up import PoweredUpHub

TURN_S = 2.0
"""How long the wheels turn before anything happens to the link."""
LIMITS = RadioLimits(look_again_s=0.2)


def leave_turning(rest: str, hangs_up: bool) -> str:
    """Has the wheels turn slowly, and leaves them so.

    Args:
        rest: The hub's Bluetooth address; empty for the only one in reach.
        hangs_up: Whether to end the link, too; else the system keeps it, until the radio fails.

    Returns:
        The hub's address, for `stop`.

    Raises:
        UserError: The hub cannot be reached, or another program drives it.
    """
    return asyncio.run(_leave_turning(checked_address(rest), hangs_up))


def stop(address: str) -> None:
    """Gets the hub back, and has its brake confirmed.

    Raises:
        UserError: It cannot be reached.
        HubLostError: It does not brake.
    """
    asyncio.run(brake(address, LIMITS))


async def _leave_turning(address: str, hangs_up: bool) -> str:
    device = await find_hub(address, LIMITS)
    with closing(claim(device.address, "driven")):
        hub = PoweredUpHub(device, LIMITS)
        try:
            await hub.open()
            await hub.require_motor()
            hub.motor.want(ORDER_POWER[OrderKind.LOW_SPEED])
            await hub.motor.settle()
            await asyncio.sleep(TURN_S)
            if hangs_up:
                await hub.hang_up()
        except BaseException:
            await hub.close()
            raise
    return device.address
