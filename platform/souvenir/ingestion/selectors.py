"""Questions about imports. All need a tenant scope."""

from uuid import UUID

from django.db.models import Count, QuerySet

from souvenir.ingestion.errors import ImportNotFound
from souvenir.ingestion.models import Import, Passage, RawObject


def imports(*, person_id: UUID | None = None) -> QuerySet[Import]:
    """Imports of one person, or of all; newest first. Lazy."""
    found = Import.objects.select_related("source", "person").order_by("-recorded_at", "-id")
    return found if person_id is None else found.filter(person_id=person_id)


def get_import(*, import_id: UUID, person_id: UUID | None = None) -> Import:
    """An import of one person, or of anyone. One query.

    Raises:
        ImportNotFound
    """
    record = imports(person_id=person_id).filter(id=import_id).first()
    if record is None:
        raise ImportNotFound(import_id=import_id)
    return record


def passages_to_embed(*, store_ids: list[UUID]) -> int:
    """How many passages of some stores have no vector yet. One query, index only."""
    return Passage.objects.filter(store_id__in=store_ids, embedded_with="").count()


def raw_objects_by_kind(*, import_id: UUID) -> dict[str, int]:
    """What an import keeps that no earlier import had, by kind. One query."""
    rows = RawObject.objects.filter(batch_id=import_id).values("kind").annotate(n=Count("id"))
    return {row["kind"]: row["n"] for row in rows.order_by("kind")}
