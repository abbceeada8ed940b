"""What the embedded broker lets each service publish, if a site limits it: a plug-in of amqtt."""

from dataclasses import dataclass, field

from amqtt.contexts import Action
from amqtt.plugins.base import BaseTopicPlugin
from amqtt.session import Session

ALWAYS = "status"
"""The topic that each service may always publish to: without it, no one could see that a service runs."""


class ServiceRights(BaseTopicPlugin):
    """Silently drops messages that a service may not publish, as MQTT 3.1.1 requires.

    Any client that is not a service may publish and receive everything.
    """

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Whether a message is allowed."""
        client = f"{session.client_id if session else ''}-"  # As `brakepoint.services.bus` names itself.
        rights = next((own for name, own in self.config.allowed.items() if f"-{name}-" in client), None)
        if action is not Action.PUBLISH or rights is None:
            return True
        return str(topic).split("/")[2:3] in [[name] for name in (ALWAYS, *rights)]

    @dataclass
    class Config:
        """Topics that each service may publish to, besides its status."""

        allowed: dict[str, list[str]] = field(default_factory=dict)
