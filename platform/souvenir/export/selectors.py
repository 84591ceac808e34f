"""Questions about copies. All need a tenant scope."""

from uuid import UUID

from django.db.models import QuerySet

from souvenir.export.errors import ExportNotFound
from souvenir.export.models import Export


def exports(*, person_id: UUID | None = None) -> QuerySet[Export]:
    """Copies of one person, or all; newest first. Lazy."""
    found = Export.objects.select_related("person").order_by("-recorded_at", "-id")
    return found if person_id is None else found.filter(person_id=person_id)


def get_export(*, export_id: UUID, person_id: UUID | None = None) -> Export:
    """A copy of one person, or of anyone. One query.

    Raises:
        ExportNotFound
    """
    export = exports(person_id=person_id).filter(id=export_id).first()
    if export is None:
        raise ExportNotFound(export_id=export_id)
    return export
