"""What webhooks are told of, and in which words. Ids and times only."""

from uuid import UUID

from souvenir.core.canonical_json import canonical_json
from souvenir.core.jobs import Job as Kind
from tenants.models import Job
from tenants.webhooks.errors import UnknownEvent
from tenants.webhooks.models import Event

TEST = "endpoint.test"
# The kind of job whose end is told, and what it worked on.
NOUNS = {
    Kind.RUN_IMPORT.value: "import",
    Kind.WRITE_EXPORT.value: "export",
    Kind.ERASE.value: "erasure",
}
_ENDS = {
    Job.State.SUCCEEDED.value: "completed",
    Job.State.FAILED.value: "failed",
    Job.State.CANCELLED.value: "cancelled",
}
TYPES = tuple(f"{noun}.{end}" for noun in NOUNS.values() for end in _ENDS.values())


def type_of(job: Job) -> str:
    """The event that the end of a job is."""
    return f"{NOUNS[job.kind]}.{_ENDS[job.state]}"


def check_types(types: list[str]) -> str:
    """Types as they are stored: known, without repeats, in the order of TYPES; "" means all.

    Raises:
        UnknownEvent
    """
    for kind in types:
        if kind not in TYPES:
            raise UnknownEvent(event=kind, known=", ".join(TYPES))
    return " ".join(kind for kind in TYPES if kind in types)


def body_of(event: Event) -> bytes:
    """What is sent, the same at each attempt."""
    noun = event.type.partition(".")[0]
    data: dict[str, UUID | None] = {
        "organization_id": event.tenant_id,
        f"{noun}_id": event.subject_id,
        "job_id": event.job_id,
    }
    told = {name: str(value) for name, value in data.items() if value is not None}
    return canonical_json(
        {"type": event.type, "timestamp": event.occurred_at.isoformat(), "data": told}
    )
