"""What somebody who can write to the database can do with sealed columns: nothing that is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection

from souvenir.core.sealing import SealBroken
from tenants.isolation.scope import tenant_scope
from tenants.sealed import SealedField, SealedRecord, sealed_columns
from tests.builders import Tenant
from tests.souvenir.console.visitors import Inhabited, make_inhabited


@dataclass(frozen=True)
class Cell:
    """One sealed value: where it stands, and its bytes."""

    tenant: Tenant
    field: SealedField
    record_id: UUID
    stored: bytes

    def put(self, stored: bytes) -> None:
        table, column = self.field.model._meta.db_table, self.field.column
        with tenant_scope(self.tenant.id), connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{table}" SET "{column}" = %s WHERE id = %s', [stored, self.record_id]
            )
            assert cursor.rowcount == 1

    def read(self) -> object:
        with tenant_scope(self.tenant.id):
            row = self.field.model._default_manager.get(id=self.record_id)
            return getattr(row, self.field.attname)


def _cells(tenant: Tenant, *, each: int) -> Iterator[Cell]:
    """Some filled cells of every sealed column that the organization has."""
    for model in apps.get_models():
        if not issubclass(model, SealedRecord):
            continue
        for field in sealed_columns(model):
            found = 0
            with tenant_scope(tenant.id), connection.cursor() as cursor:
                cursor.execute(f'SELECT id, "{field.column}" FROM "{model._meta.db_table}"')
                rows = cursor.fetchall()
            for id_, stored in rows:
                if stored is not None and len(stored) and found < each:
                    found += 1
                    yield Cell(tenant, field, id_, bytes(stored))


@pytest.fixture(scope="module")
def places() -> tuple[Inhabited, Inhabited]:
    return make_inhabited(), make_inhabited()


def test_no_value_is_read_in_another_row_column_table_or_organization(
    places: tuple[Inhabited, Inhabited],
) -> None:
    ours, theirs = places
    cells = [*_cells(ours.tenant, each=2), *_cells(theirs.tenant, each=1)]
    read = refused = 0

    for target, source in permutations(cells, 2):
        target.put(source.stored)
        try:
            target.read()
            read += 1
        except SealBroken:
            refused += 1
    for cell in cells:
        cell.put(cell.stored)

    assert read == 0
    assert refused == len(cells) * (len(cells) - 1)
    assert refused > 200
    assert all(cell.read() for cell in cells)  # each at its own place again


def test_a_value_that_was_moved_is_an_error_that_says_so_and_shows_nothing(
    places: tuple[Inhabited, Inhabited],
) -> None:
    ours, _ = places
    texts = [
        cell
        for cell in _cells(ours.tenant, each=2)
        if cell.field.model._meta.db_table == "memories_message" and cell.field.name == "blocks"
    ]
    first, second = texts[:2]

    first.put(second.stored)
    answer = ours.tenant.http.get(f"/api/v1/conversations/{ours.ids['conversation_id']}")
    first.put(first.stored)

    assert (answer.status_code, answer.json()["code"]) == (500, "seal-broken")
    assert "Salut" not in answer.content.decode()
