"""What can be asked."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from uuid import UUID

from django.utils import timezone

from souvenir.memories.metadata import Wanted

# Of meaning against words: what did best on every set of questions (docs/benchmarks.md).
DENSE_WEIGHT = 0.8


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found. Empty filters filter nothing."""

    since: datetime | None = None  # inclusive, against when the source says it was said
    until: datetime | None = None  # exclusive
    providers: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # "message", or the kinds of memories
    languages: list[str] = field(default_factory=list)
    least_trust: int = 0  # souvenir.ingestion.models.Trust
    as_of: datetime | None = None  # as it was then, as far as is known
    known_at: datetime | None = None  # as far as was known here then
    metadata: list[Wanted] = field(default_factory=list)  # of a memory, all of them: no message


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and of what."""

    text: str
    store_ids: list[UUID]
    limit: int = 10
    only: Filters = field(default_factory=Filters)
    asked_at: datetime = field(default_factory=timezone.now)  # what "last week" is relative to
    zone: tzinfo = field(default_factory=timezone.get_default_timezone)  # of who asks
    dense_weight: float = DENSE_WEIGHT  # 0: words alone, 1: meaning alone
    min_score: float = 0.0  # what fits less well is left out
