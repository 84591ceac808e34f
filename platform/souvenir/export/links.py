"""Signed links: whoever has one may download that copy until it expires, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.core import signing
from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.export.errors import ExportNotReady, LinkInvalid
from souvenir.export.models import Export
from souvenir.export.services import EXPORTS
from tenants import objects
from tenants.auditing import audit
from tenants.isolation.scope import tenant_scope
from tenants.models import Organization

_SALT = "souvenir.export.link"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being sent. It stays readable to its end, also while it is erased."""

    organization_id: UUID
    stream: BinaryIO  # closed by whoever sends it
    file_name: str
    size_bytes: int


def sign_download(export: Export) -> str:
    """The token of a link to a copy.

    Raises:
        ExportNotReady
    """
    if export.expires_at is None:
        raise ExportNotReady
    facts = [str(export.tenant_id), str(export.id), export.expires_at.isoformat()]
    return signing.dumps(facts, salt=_SALT, compress=True)


def open_download(token: str) -> Download:
    """The file that a link leads to. Opens a scope of its own: the token names the organization.

    Raises:
        LinkInvalid: forged, expired, or the copy or its organization is gone or suspended.
    """
    try:
        tenant, export_id, expires_at = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise LinkInvalid from error
    if datetime.fromisoformat(expires_at) <= timezone.now():
        raise LinkInvalid
    if not Organization.objects.filter(id=tenant, state=Organization.State.ACTIVE).exists():
        raise LinkInvalid
    with tenant_scope(UUID(tenant)):
        export = Export.objects.filter(id=export_id).first()
        copy = objects.stored(EXPORTS, export_id)
        if export is None or export.size_bytes is None or not copy.exists():
            raise LinkInvalid
        stream = copy.open()
        audit(Action.EXPORT_DOWNLOADED, f"export:{export.id}", person_id=export.person_id)
    name = f"souvenir-{export.recorded_at:%Y-%m-%d}.zip"
    return Download(export.tenant_id, stream, name, export.size_bytes)
