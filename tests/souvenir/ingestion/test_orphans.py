"""A file whose row never came goes; one whose row is only late stays."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connections

from souvenir.core.ids import new_id
from souvenir.ingestion.models import Asset, Import
from souvenir.ingestion.orphans import remove_orphans
from souvenir.ingestion.services import ASSETS, UNITS, UPLOADS, Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.processes import start

_KILLED = """
import os, signal, sys, django
django.setup()
from uuid import UUID
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
with tenant_scope(UUID(sys.argv[1])):
    accept_import(person=ensure_person(external_id="alice"), upload=Upload("c.json", [b"[]"]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


class _Interrupted(Exception):
    """A request that fails at its very end."""


def _sweep(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return remove_orphans(older_than_seconds=0)


def _names(tenant: Tenant, kind: str = UPLOADS) -> list[str]:
    with tenant_scope(tenant.id):
        return objects.names(kind)


@contextmanager
def _request(tenant: Tenant, *, commits: bool) -> Iterator[None]:
    """Another connection's request that has stored its upload; at the end its transaction ends."""
    stored, may_end = threading.Event(), threading.Event()

    def answer() -> None:
        try:
            with tenant_scope(tenant.id):
                alice = ensure_person(external_id="alice")
                accept_import(person=alice, upload=Upload("c.json", [chatgpt_export("Bonjour")]))
                stored.set()
                may_end.wait(60)
                if not commits:
                    raise _Interrupted
        except _Interrupted:
            pass
        finally:
            connections.close_all()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        assert stored.wait(60)
        yield
    finally:
        may_end.set()
        thread.join()


def test_an_upload_whose_transaction_is_open_is_left_alone(acme: Tenant) -> None:
    with _request(acme, commits=True):
        assert len(_names(acme)) == 1

        assert _sweep(acme) == 0

    assert _sweep(acme) == 0, "nor once its row is there"
    with tenant_scope(acme.id):
        assert _names(acme) == [str(Import.objects.get().id)]


def test_an_upload_whose_transaction_failed_goes(acme: Tenant) -> None:
    with _request(acme, commits=False):
        assert len(_names(acme)) == 1

    assert _sweep(acme) == 1

    assert _names(acme) == []


def test_the_upload_of_a_process_that_was_killed_before_it_committed_goes(acme: Tenant) -> None:
    killed = start("killed", ["-c", _KILLED, str(acme.id)])
    assert killed.process.wait(60) == -9
    assert len(_names(acme)) == 1, "sealed, whole, and nobody's"

    removed = _sweep(acme)

    assert removed == 1
    assert _names(acme) == []


def test_what_is_young_is_not_even_asked_about(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        objects.store(UPLOADS, str(new_id()), [b"x"], sealed_for=[acme.id])

        assert remove_orphans(older_than_seconds=3600) == 0


def test_assets_and_units_without_a_row_go_and_others_stay(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("Bonjour"))
    kept, lost = new_id(), new_id()
    with tenant_scope(acme.id):
        store_id = record.store_id
        assert store_id is not None
        Asset.objects.create(
            id=kept, batch_id=record.id, store_id=store_id, path="a", sha256="0" * 64, size_bytes=1
        )
    for id_ in (kept, lost):
        _keep(acme, ASSETS, id_)
    _keep(acme, UNITS, lost)

    assert _sweep(acme) == 2

    assert _names(acme, ASSETS) == [str(kept)]
    assert _names(acme, UNITS) == []


def test_globex_s_sweep_does_not_see_acme_s_files(acme: Tenant, globex: Tenant) -> None:
    _keep(acme, UPLOADS, new_id())

    assert _sweep(globex) == 0

    assert len(_names(acme)) == 1


def _keep(tenant: Tenant, kind: str, id_: UUID) -> None:
    with tenant_scope(tenant.id):
        objects.store(kind, str(id_), [b"x"], sealed_for=[tenant.id])
