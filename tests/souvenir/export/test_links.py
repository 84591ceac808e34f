"""Whoever has a link has that copy until it expires, and nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core import signing
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.export.errors import ExportNotFound, ExportNotReady, LinkInvalid
from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export
from souvenir.export.selectors import exports, get_export
from souvenir.export.services import EXPORTS, expire_exports, request_export
from souvenir.memories.selectors import get_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.services import suspend_organization
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs


def _copy(tenant: Tenant, person: str = "alice") -> Export:
    import_bytes(tenant, chatgpt_export("Bonjour", conversation=person), person=person)
    with tenant_scope(tenant.id):
        export = request_export(person=get_person(external_id=person))
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id):
        export.refresh_from_db()
    return export


def test_a_link_gives_the_very_file_of_its_copy(acme: Tenant) -> None:
    export = _copy(acme)

    download = open_download(sign_download(export))

    with download.stream as stream:
        assert stream.read(2) == b"PK"
    assert download.size_bytes == export.size_bytes
    assert download.file_name.endswith(".zip")


def test_there_is_no_link_before_the_copy_is_written(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        export = request_export(person=None)

    with pytest.raises(ExportNotReady):
        sign_download(export)


@pytest.mark.parametrize("at", [0, 10, -1])
def test_a_link_with_one_changed_character_is_refused(acme: Tenant, at: int) -> None:
    token = sign_download(_copy(acme))
    other = "A" if token[at] != "A" else "B"

    with pytest.raises(LinkInvalid):
        open_download(token[:at] + other + token[at:][1:])


def test_a_link_signed_for_another_purpose_is_refused(acme: Tenant) -> None:
    export = _copy(acme)
    later = (timezone.now() + timedelta(days=1)).isoformat()
    token = signing.dumps([str(acme.id), str(export.id), later], salt="another.purpose")

    with pytest.raises(LinkInvalid):
        open_download(token)


def test_a_link_ends_with_its_copy(acme: Tenant) -> None:
    export = _copy(acme)
    export.expires_at = timezone.now() - timedelta(seconds=1)

    with pytest.raises(LinkInvalid):
        open_download(sign_download(export))


def test_expiry_removes_the_file_and_keeps_the_row(acme: Tenant) -> None:
    export, lasting = _copy(acme), _copy(acme, "bob")
    token = sign_download(export)
    with tenant_scope(acme.id):
        Export.objects.filter(id=export.id).update(expires_at=timezone.now())
        removed, again = expire_exports(), expire_exports()
        left = objects.names(EXPORTS)
        kept = get_export(export_id=export.id)

    assert (removed, again) == (1, 0)
    assert left == [str(lasting.id)]
    assert kept.size_bytes is None
    with pytest.raises(LinkInvalid):
        open_download(token)


def test_a_link_of_a_suspended_organization_is_refused(acme: Tenant) -> None:
    token = sign_download(_copy(acme))

    suspend_organization(organization_id=acme.id)

    with pytest.raises(LinkInvalid):
        open_download(token)


def test_a_link_that_names_globex_does_not_reach_acme_s_copy(acme: Tenant, globex: Tenant) -> None:
    """Signed as ours are, as if a defect had mixed the two up: the file is looked for in globex."""
    export = _copy(acme)
    mixed = Export(id=export.id, tenant_id=globex.id, expires_at=export.expires_at)

    with pytest.raises(LinkInvalid):
        open_download(sign_download(mixed))


def test_globex_sees_nothing_of_acme_s_copy(acme: Tenant, globex: Tenant) -> None:
    export = _copy(acme)

    with tenant_scope(globex.id):
        assert not exports().exists()
        assert objects.names(EXPORTS) == []
        with pytest.raises(ExportNotFound):
            get_export(export_id=export.id)


def test_bob_s_list_does_not_hold_alice_s_copy(acme: Tenant) -> None:
    hers, his = _copy(acme), _copy(acme, "bob")
    assert his.person_id is not None

    with tenant_scope(acme.id):
        found = list(exports(person_id=his.person_id))
        with pytest.raises(ExportNotFound):
            get_export(export_id=hers.id, person_id=UUID(str(his.person_id)))

    assert [export.id for export in found] == [his.id]
