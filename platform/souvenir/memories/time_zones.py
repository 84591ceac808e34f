"""Where a person's days begin."""

from datetime import tzinfo

from souvenir.memories.models import Person
from tenants.models import Organization
from tenants.time_zones import zone_named, zone_of_organization


def zone_of(person: Person | None, *, organization: Organization) -> tzinfo:
    """The person's, or else the organization's, or else the installation's."""
    told = zone_named(person.time_zone) if person else None
    return told or zone_of_organization(organization)
