"""A test for owners: what does the hub do when it loses its link? No specification answers this question.

This is the only code that leaves a motor running on purpose, with the wheels in the air.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bleak.backends.device import BLEDevice

from brakepoint.locomotive import ORDER_POWER
from brakepoint.messages import OrderKind
from hardware.claims import claim
from hardware.hub_guard import brake
from hardware.hub_search import RadioLimits, checked_address, find_hub
from hardware.powered_up import PoweredUpHub

TURN_S = 2.0
"""How long the wheels turn before the link is affected."""
LIMITS = RadioLimits(look_again_s=0.2)


@contextmanager
def left_turning(rest: str, hangs_up: bool) -> Iterator[str]:
    """Makes the wheels turn slowly, and leaves them turning; after the block, brakes with confirmation.

    Nothing is sent within the block. The link persists because its event loop persists: bleak disconnects
    when the loop is closed.

    Args:
        rest: The hub's Bluetooth address; empty for the only hub in range.
        hangs_up: Whether to disconnect; otherwise the system keeps the link until the radio falls silent.

    Yields:
        The hub's address.

    Raises:
        UserError: The hub cannot be reached, or another program drives it.
        HubLostError: The hub does not brake.
    """
    with asyncio.Runner() as runner:
        device = runner.run(find_hub(checked_address(rest), LIMITS))
        with closing(claim(device.address, "driven")):
            runner.run(_turn(device, hangs_up))
            try:
                yield device.address
            finally:
                runner.run(brake(device.address, LIMITS))


async def _turn(device: BLEDevice, hangs_up: bool) -> None:
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
