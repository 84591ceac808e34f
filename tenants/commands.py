"""Commands that touch people's data: what is asked before, and for whom they work."""

from argparse import ArgumentParser
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext

from souvenir.audit.actors import acting_as
from tenants.errors import OrganizationNotFound
from tenants.isolation.catalogue import (
    IsolationBroken,
    refuse_broken_isolation,
    refuse_wrong_role,
)
from tenants.isolation.roles import APP, Role
from tenants.isolation.scope import tenant_scope
from tenants.models import Organization


class ServingCommand(BaseCommand):
    """A command that does nothing on a database that would let tenants meet.

    `role` is whom it works as, and `connection` the alias of that role's connection.
    """

    role: ClassVar[Role] = APP
    connection: ClassVar[str] = "default"

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            if self.role is APP:
                refuse_broken_isolation()
            else:
                refuse_wrong_role(self.role, using=self.connection)
        except IsolationBroken as error:
            raise CommandError(str(error)) from error
        name = type(self).__module__.rpartition(".")[2]
        with acting_as(f"command:{name}"):
            return super().execute(*args, **options)


class TenantCommand(ServingCommand):
    """A command for one organization. `handle_tenant` runs in its scope, as one transaction."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, help="its id, or its slug")

    def handle(self, *, organization: str, **options: Any) -> str | None:
        found = _find(organization)
        with tenant_scope(found.id):
            return self.handle_tenant(organization=found, **options)

    def handle_tenant(self, *, organization: Organization, **options: Any) -> str | None:
        """The work itself."""
        raise NotImplementedError


def _find(named: str) -> Organization:
    try:
        found = Organization.objects.filter(id=UUID(named)).first()
    except ValueError:
        found = Organization.objects.filter(slug=named).first()
    if found is None:
        raise CommandError(gettext(OrganizationNotFound.message).format(organization=named))
    return found
