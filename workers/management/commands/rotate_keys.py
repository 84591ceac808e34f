"""`manage.py rotate_keys --organization …`: new keys for one organization, while it works."""

from argparse import ArgumentParser
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from souvenir.audit.actions import Action
from souvenir.search.rebuilding import request_new_index_key
from tenants.auditing import audit
from tenants.commands import TenantCommand
from tenants.keyring.services import rotate_tenant_key
from tenants.models import Organization
from tenants.resealing import request_new_keys


class Command(TenantCommand):
    help = "Give one organization new keys. What takes long is done by a job; nothing stops."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--keys",
            required=True,
            choices=["organization", "people", "search"],
            help="the organization’s own key, which wraps the others; everyone’s; or that of "
            "search tokens",
        )

    def handle_tenant(self, *, organization: Organization, **options: Any) -> None:
        renew = {"organization": _wrap, "people": _people, "search": _search}[options["keys"]]
        done = renew()
        audit(
            Action.KEYS_ROTATED,
            f"organization:{organization.id}",
            details={"keys": options["keys"]},
        )
        self.stdout.write(done)


def _wrap() -> str:
    count = rotate_tenant_key()
    words = ngettext(
        "The organization has a new key; %(count)d key was wrapped again.",
        "The organization has a new key; %(count)d keys were wrapped again.",
        count,
    )
    return words % {"count": count}


def _people() -> str:
    count = request_new_keys()
    words = ngettext(
        "%(count)d new key is in use. A job seals the rest again, then the old one ends.",
        "%(count)d new keys are in use. Jobs seal the rest again, then the old ones end.",
        count,
    )
    return words % {"count": count}


def _search() -> str:
    request_new_index_key()
    return _("Search has a new key. A job makes the index again under it; searches go on.")
