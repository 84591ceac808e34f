"""What the first page of each area says at a glance. All need a tenant scope."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, QuerySet

from souvenir.deletion.selectors import erasures
from souvenir.export.errors import ExportNotFound
from souvenir.export.models import Export
from souvenir.export.selectors import exports
from souvenir.ingestion.selectors import imports, passages_to_embed
from souvenir.memories.models import Conversation, Memory, MemoryVersion
from souvenir.memories.selectors import conversations, current_versions, memories, people
from tenants import placements
from tenants.ledger import jobs
from tenants.models import Job, Organization
from tenants.residency import Placement


@dataclass(frozen=True, slots=True)
class MemoryOverview:
    """What is kept of one person, and where."""

    conversations: int
    memories: int
    assistants: int  # providers that conversations came from
    pending: int  # passages that have no vector yet
    place: Placement | None  # None: it is not in the registry any more


@dataclass(frozen=True, slots=True)
class OrganizationOverview:
    """What an organization keeps: counts only."""

    people: int
    conversations: int
    memories: int
    imports: int
    jobs_open: int
    jobs_failed: int
    erasures: int
    place: Placement | None


def memory_overview(organization: Organization, store_ids: list[UUID]) -> MemoryOverview:
    """Four queries."""
    kept = conversations(store_ids=store_ids)
    return MemoryOverview(
        conversations=kept.count(),
        memories=memories(store_ids=store_ids).count(),
        assistants=kept.order_by().values("provider").distinct().count(),
        pending=passages_to_embed(store_ids=store_ids),
        place=placements.placements().get(organization.placement),
    )


def organization_overview(organization: Organization) -> OrganizationOverview:
    """Seven queries."""
    unfinished = (Job.State.QUEUED, Job.State.RUNNING)
    return OrganizationOverview(
        people=people().count(),
        conversations=conversations().count(),
        memories=memories().count(),
        imports=imports().count(),
        jobs_open=jobs().filter(state__in=unfinished).count(),
        jobs_failed=jobs().filter(state=Job.State.FAILED).count(),
        erasures=erasures().count(),
        place=placements.placements().get(organization.placement),
    )


def providers_in(store_ids: list[UUID]) -> list[str]:
    """Where what is in some stores came from, Souvenir itself last. One query."""
    found = conversations(store_ids=store_ids).order_by().values_list("provider", flat=True)
    return [*sorted({*found.distinct()} - {"souvenir"}), "souvenir"]


def conversations_by_date(store_ids: list[UUID]) -> QuerySet[Conversation]:
    """Last changed at the provider first, undated last. Lazy."""
    newest = F("updated_at").desc(nulls_last=True)
    return conversations(store_ids=store_ids).order_by(newest, "-id")


def with_current_text(found: list[Memory]) -> list[tuple[Memory, MemoryVersion]]:
    """Memories with what each says now, in the same order. One query."""
    current = current_versions(found)
    return [(memory, current[memory.id]) for memory in found]


def organization_exports() -> QuerySet[Export]:
    """Copies of the whole organization, newest first; not those of single people. Lazy."""
    return exports().filter(person=None)


def get_organization_export(*, export_id: UUID) -> Export:
    """One query.

    Raises:
        ExportNotFound: there is none, or it is one person's.
    """
    export = organization_exports().filter(id=export_id).first()
    if export is None:
        raise ExportNotFound(export_id=export_id)
    return export
