"""Let go of a message that could not be acknowledged because the broker had gone just then.

Celery tries once and says so in its log. But kombu still counts the message as in hand, and with a
prefetch of one the worker asks for no other: so it never notices that its connection is gone, and
waits for ever. Let go of, it asks, notices, and connects again. The message itself, if the broker
still has it, comes a second time, which does nothing.
"""

from celery.worker.request import Request
from kombu.transport.virtual.base import QoS


class LettingGo(Request):  # type: ignore[misc]  # Celery has no types
    """What a worker knows of one message."""

    def acknowledge(self) -> None:
        super().acknowledge()
        qos = getattr(self.message.channel, "qos", None)  # AMQP counts for itself
        if isinstance(qos, QoS) and not self.message.acknowledged:
            QoS.ack(qos, self.message.delivery_tag)  # of this process alone: asks no broker
