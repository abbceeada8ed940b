"""The guard: a separate process that brakes the train when its driver dies or hangs.

A Bluetooth link belongs to the system and survives the program that opened it, so the motor keeps turning.
Therefore the driver writes a heartbeat (`hardware.heartbeat`), and the guard, which does nothing else,
watches the heartbeat.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brakepoint.errors import UserError
from hardware.heartbeat import SILENCE_S, Watch, heartbeat_path
from hardware.hub_search import RadioLimits, find_hub
from hardware.port_setter import TRIES, HubLostError
from hardware.powered_up import connected

LOOK_S = 0.05
"""Interval at which the guard checks."""
TRY_AGAIN_S = 1.0
"""Delay before the guard tries again to brake a train that it could not reach."""
BRAKED_WITHIN_S = 3.0
"""The guard's own limit: from the driver's last heartbeat to a braked motor, with the hub in range."""
LIMITS = RadioLimits(find_s=5.0, settle_s=0.2)


async def brake(address: str, limits: RadioLimits = LIMITS) -> None:
    """Takes over a hub, brakes it with confirmation, checks that the brake holds, and disconnects.

    Raises:
        UserError: The hub cannot be reached.
        HubLostError: The hub does not brake, or another program drives it again.
    """
    async with connected(await find_hub(address, limits), limits) as hub:
        for _ in range(TRIES):
            await hub.motor.settle()
            if await hub.motor.left_alone(limits.look_again_s):
                hub.check()
                return
        raise HubLostError("contested")


async def guard(
    heartbeat: Path | None,
    stopping: asyncio.Event,
    say: Callable[..., None],
    limits: RadioLimits = LIMITS,
    silence_s: float = SILENCE_S,
) -> None:
    """Watches a heartbeat until stopped, and brakes once each time that the heartbeat falls silent.

    Args:
        heartbeat: The file that the driver touches; None for the default one.
        stopping: Ends the guard.
        say: Reports events to a person: key of `hub.guard.{key}`, and the text's values.
        limits: How long each step on the radio may take.
        silence_s: How long the file may stay untouched.
    """
    path = heartbeat or heartbeat_path()
    watch, is_on_duty, is_braked = Watch(path), False, False
    say("watching", path=path)
    while not stopping.is_set():
        silent_for_s = watch.silent_for_s(time.monotonic())
        if silent_for_s is None:
            if is_on_duty:
                say("relieved", address=watch.address)
            is_on_duty = is_braked = False
        elif silent_for_s < silence_s:
            if not is_on_duty or is_braked:
                say("guarding", address=watch.address)
            is_on_duty, is_braked = True, False
        elif not is_braked:
            is_on_duty, is_braked = True, await _brake_and_say(watch.address, say, limits)
            if not is_braked:
                await _pause(stopping, TRY_AGAIN_S)
        await _pause(stopping, LOOK_S)


async def _brake_and_say(address: str, say: Callable[..., None], limits: RadioLimits) -> bool:
    say("silent", address=address)
    try:
        await brake(address, limits)
    except Exception as error:  # Whatever bleak and its message bus raise, the train must be braked.
        say("failed", why=error if isinstance(error, UserError | HubLostError) else repr(error))
        return False
    say("braked", address=address)
    return True


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
