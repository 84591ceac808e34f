"""An operator gives an organization new keys by one command; what was said stays readable."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from souvenir.core.jobs import Job as Kind
from souvenir.memories.models import Message
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.models import IndexKey, SubjectKey
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs


def _rotate(tenant: Tenant, keys: str) -> str:
    said = StringIO()
    call_command("rotate_keys", organization=tenant.organization.slug, keys=keys, stdout=said)
    return said.getvalue()


def _texts(tenant: Tenant) -> set[str]:
    with tenant_scope(tenant.id):
        return {message.blocks[0]["text"] for message in Message.objects.all()}


@pytest.mark.parametrize("keys", ["organization", "people", "search"])
def test_it_is_all_readable_afterwards(acme: Tenant, keys: str) -> None:
    import_bytes(acme, chatgpt_export("Bonjour", "Salut"))

    said = _rotate(acme, keys)
    run_jobs(acme, Kind.SEAL_AGAIN, Kind.REBUILD_TOKENS)

    assert "new key" in said
    assert _texts(acme) == {"Bonjour", "Salut"}


def test_each_kind_of_key_is_the_one_that_changes(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))

    _rotate(acme, "people")
    _rotate(acme, "search")

    with tenant_scope(acme.id), keyring_transaction(acme.id):
        assert set(SubjectKey.objects.values_list("version", flat=True)) == {1, 2}
        assert set(IndexKey.objects.values_list("epoch", flat=True)) == {1, 2}
    with tenant_scope(acme.id):
        kinds = set(Job.objects.values_list("kind", flat=True))
        assert {Kind.SEAL_AGAIN.value, Kind.REBUILD_TOKENS.value} <= kinds


def test_globex_gets_no_new_keys(acme: Tenant, globex: Tenant) -> None:
    import_bytes(globex, chatgpt_export("Bonjour"))

    _rotate(acme, "people")

    with tenant_scope(globex.id), keyring_transaction(globex.id):
        assert set(SubjectKey.objects.values_list("version", flat=True)) == {1}


def test_an_unknown_organization_is_said_to_be_unknown() -> None:
    with pytest.raises(CommandError, match="nobody-here"):
        call_command("rotate_keys", organization="nobody-here", keys="people")
