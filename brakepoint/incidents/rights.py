"""What the embedded broker lets each service publish, where a site says so: a plug-in of amqtt."""

from dataclasses import dataclass, field

from amqtt.contexts import Action
from amqtt.plugins.base import BaseTopicPlugin
from amqtt.session import Session

ALWAYS = "status"
"""Without it nobody would know that a service is there."""


class ServiceRights(BaseTopicPlugin):
    """Refuses what a service may not publish, without a word to it, as MQTT 3.1.1 has it.

    Whoever is none of the services may publish and hear everything.
    """

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Whether a message passes."""
        client = f"{session.client_id if session else ''}-"  # As `brakepoint.services.bus` names itself.
        rights = next((own for name, own in self.config.allowed.items() if f"-{name}-" in client), None)
        if action is not Action.PUBLISH or rights is None:
            return True
        return str(topic).split("/")[2:3] in [[name] for name in (ALWAYS, *rights)]

    @dataclass
    class Config:
        """What each service may publish besides its status, by the names of topics."""

        allowed: dict[str, list[str]] = field(default_factory=dict)
