"""Where a person's days begin."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from souvenir.memories.models import Person

_NAMES = available_timezones()


def zone_named(name: str) -> ZoneInfo | None:
    """A zone of the IANA list, as America/Toronto; None: there is none of this name."""
    return ZoneInfo(name) if name in _NAMES else None


def zone_of(person: Person | None) -> tzinfo:
    """The person's, or else the installation's own: TIME_ZONE, America/Toronto."""
    told = zone_named(person.time_zone) if person and person.time_zone else None
    return told or timezone.get_default_timezone()
