"""The embedded broker's repair of amqtt 0.12: who takes over a session keeps receiving its messages."""

import asyncio
from typing import Any

import amqtt.broker
from amqtt.session import Session

LOOK_S = 0.01


class Broker(amqtt.broker.Broker):
    """A broker that ends a session's former connection before the new one begins.

    Both connections share one session. In amqtt the end of the former marks the session as disconnected, even
    when the new connection has already begun. The broker then stores all messages for the session, and the
    client with the new connection receives none.
    """

    async def _handle_client_session(
        self, reader: Any, writer: Any, client_session: Session, *others: Any
    ) -> None:
        while (former := self._get_handler(client_session)) and client_session.transitions.is_connected():
            await former.handle_connection_closed()
            await asyncio.sleep(LOOK_S)
        await super()._handle_client_session(reader, writer, client_session, *others)
