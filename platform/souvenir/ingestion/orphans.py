"""Files whose row never came: whoever wrote them was killed before the transaction was over."""

from itertools import islice
from uuid import UUID

from souvenir.ingestion.models import Asset, Import
from souvenir.ingestion.services import ASSETS, REPORTS, UNITS, UPLOADS
from tenants import objects

_ROWS: dict[str, type[Asset] | type[Import]] = {
    UPLOADS: Import,
    UNITS: Import,
    REPORTS: Import,
    ASSETS: Asset,
}
_ID_CHARACTERS = 36
_AT_ONCE = 500  # of a kind, in a round: for each, the database keeps a lock until its end


def remove_orphans(*, older_than_seconds: float) -> int:
    """Remove uploads and assets that no row names and that nobody is about to name.

    Needs a tenant scope. Gives how many files.
    """
    return sum(_remove(kind, older_than_seconds) for kind in _ROWS)


def _remove(kind: str, seconds: float) -> int:
    old = objects.names_written_before(kind, seconds)
    unknown = _without_row(kind, old)
    removed = 0
    for name in islice(unknown, _AT_ONCE):
        # In this order: who held it has committed or failed by then, and its row can be seen.
        if objects.nobody_holds(name) and _without_row(kind, [name]):
            removed += objects.remove(kind, name)
    return removed


def _without_row(kind: str, names: list[str]) -> list[str]:
    ids = {UUID(name[:_ID_CHARACTERS]) for name in names}
    found = _ROWS[kind]._default_manager.filter(id__in=ids).values_list("id", flat=True)
    known = {str(id_) for id_ in found}
    return [name for name in names if name[:_ID_CHARACTERS] not in known]
