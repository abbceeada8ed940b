"""The embedded broker's fix for amqtt 0.12: a client that takes over a session receives its messages."""

import asyncio
from typing import Any

import amqtt.broker
from amqtt.session import Session

LOOK_S = 0.01


class Broker(amqtt.broker.Broker):
    """A broker that ends a session's former connection before the new one begins.

    Both connections share one session. In amqtt the end of the former marks the session as disconnected, even
    when the new connection has already begun. The broker then stores all messages for the session, and the
    client with the new connection receives none. If two clients begin a session at the same time, amqtt makes
    two sessions with one name, and one of the clients likewise receives no messages.
    """

    async def _authenticate(self, session: Session, listener: Any) -> bool:
        """Between this check and the beginning of the connection, no other client gets a turn."""
        is_admitted: bool = await super()._authenticate(session, listener)
        name = session.client_id or ""
        while is_admitted and (known := self._sessions.get(name)):
            former_session, former = known
            if former_session.transitions.is_connected():
                await former.handle_connection_closed()
                await asyncio.sleep(LOOK_S)
            elif former_session is not session:
                await self._delete_session(name)
            else:
                break
        return is_admitted
