"""A relay whose every message arrives three times: `python -m tests.chaos.relay_thrice`."""

import django

django.setup()

from tenants.ledger.relaying import Owed  # noqa: E402 — models need Django to be up
from workers.relaying import (  # noqa: E402
    listen,
    relay_database,
    relay_once,
    send,
    wait_for_the_doorbell,
)


def _three_times(owed: Owed) -> None:
    for _ in range(3):
        send(owed)


if __name__ == "__main__":
    using = relay_database()
    listen(using=using)
    while True:  # it ends with the database, and is started again
        if not relay_once(using=using, send=_three_times):
            wait_for_the_doorbell(using=using, seconds=1.0)
