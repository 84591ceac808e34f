"""Questions about erasures. All need a tenant scope."""

from uuid import UUID

from django.db.models import QuerySet

from souvenir.deletion.errors import ErasureNotFound
from souvenir.deletion.models import Erasure


def erasures(*, person_id: UUID | None = None) -> QuerySet[Erasure]:
    """Erasures about one person, or all; newest first. Lazy."""
    found = Erasure.objects.order_by("-requested_at", "-id")
    return found if person_id is None else found.filter(person_id=person_id)


def get_erasure(*, erasure_id: UUID, person_id: UUID | None = None) -> Erasure:
    """An erasure about one person, or about anyone. One query.

    Raises:
        ErasureNotFound
    """
    erasure = erasures(person_id=person_id).filter(id=erasure_id).first()
    if erasure is None:
        raise ErasureNotFound(erasure_id=erasure_id)
    return erasure
