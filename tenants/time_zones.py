"""Where an organization's days begin."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from tenants.errors import TimeZoneUnknown
from tenants.models import Organization

_NAMES = available_timezones()


def zone_named(name: str) -> ZoneInfo | None:
    """A zone of the IANA list, as America/Toronto; None: there is none of this name."""
    return ZoneInfo(name) if name in _NAMES else None


def check_time_zone(name: str) -> None:
    """Refuse a name that is none; "" says nothing, and may be.

    Raises:
        TimeZoneUnknown
    """
    if name and zone_named(name) is None:
        raise TimeZoneUnknown


def zone_of_organization(organization: Organization) -> tzinfo:
    """The organization's, or else the installation's own: TIME_ZONE, America/Toronto."""
    return zone_named(organization.time_zone) or timezone.get_default_timezone()
