"""When something that jobs need does not answer: their kind waits, one tries, all go on.

Only failures in a row count, of whatever organization: where one organization's own keystore is
down, the others' successes keep the breaker closed, and its jobs wait by themselves.
"""

import secrets
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from tenants.ledger.rings import ring_the_doorbell
from tenants.models import Breaker

OPENS_AT = 3  # failures in a row
_FIRST_SECONDS = 2.0
_LONGEST_SECONDS = 60.0


def note_unavailable(kind: Kind, *, code: str) -> None:
    """Count a failure; from the third in a row on, the kind waits, longer each time."""
    Breaker.objects.bulk_create([Breaker(kind=kind.value, code=code)], ignore_conflicts=True)
    found = Breaker.objects.filter(kind=kind.value)
    found.update(failures=F("failures") + 1, code=code)
    failures = found.values_list("failures", flat=True).first() or 0
    if failures >= OPENS_AT:
        pause = timedelta(seconds=wait_seconds(failures - OPENS_AT))
        found.update(open_until=timezone.now() + pause)


def note_available(kind: Kind) -> None:
    """Something of this kind went well: whatever waited for it goes on."""
    if Breaker.objects.filter(kind=kind.value).delete()[0]:
        ring_the_doorbell()


def wait_seconds(failures: int) -> float:
    """How long to wait after so many failures: twice as long each time, up to a minute; the last
    quarter at random, so that not everyone comes back at once.
    """
    longest = min(_FIRST_SECONDS * 2.0 ** min(failures, 10), _LONGEST_SECONDS)
    return longest * (0.75 + secrets.randbelow(250) / 1000)
