"""What each broker is told, so that it delivers at least once. That is all we need of it."""

from typing import Any

from kombu.entity import Exchange
from kombu.entity import Queue as BrokerQueue

from souvenir.core.jobs import Queue

# Longer than any task may take: what is still in hand is not delivered a second time. What a worker
# lost in between is rung again by the relay, long before.
VISIBILITY_SECONDS = 1_800
_DELIVERIES = 20  # of one message, by RabbitMQ; the relay will have sent another one


def transport_options(url: str, *, dsn: str) -> dict[str, Any]:
    """Options of kombu's transport for the broker at `url`."""
    if url.startswith("pgmq"):
        return {
            "conn_string": dsn,
            "init_extension": False,
            "visibility_timeout": VISIBILITY_SECONDS,
            # No long poll: a worker of two queues would wait for one while the other has work.
            # NOTIFY wakes it; it looks all the same, in case one was lost.
            "wait_time_seconds": 0,
            "use_notify": True,
            "notify_throttle_interval_ms": 0,
            "polling_interval": 0.2,
        }
    if url.startswith("redis"):
        return {
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 25,
        }
    if url.startswith("amqp"):
        return {"confirm_publish": True}  # a message is sent when the broker says so
    return {}


def queues(url: str) -> list[BrokerQueue]:
    """The queues, each with an exchange of its own: on a shared one, each would get everything."""
    arguments = (
        {"x-queue-type": "quorum", "x-delivery-limit": _DELIVERIES}
        if url.startswith("amqp")
        else None
    )
    return [
        BrokerQueue(
            queue.value,
            Exchange(queue.value),
            routing_key=queue.value,
            queue_arguments=arguments,
        )
        for queue in Queue
    ]
