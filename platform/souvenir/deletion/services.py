"""Ask for an erasure. What is asked to go is out of every answer in the same transaction."""

from uuid import UUID

from souvenir.audit.actions import Action
from souvenir.core.jobs import Job
from souvenir.deletion.errors import ErasureTargetNeeded, ErasureTargetNotFound
from souvenir.deletion.models import Erasure
from souvenir.ingestion.models import Import, Passage
from souvenir.ingestion.passages import remove_passages
from souvenir.memories.models import Conversation, Memory, Person
from souvenir.memories.selectors import person_asked_for
from souvenir.memories.services import hide_memory, hide_person
from souvenir.search.question_vectors import question_vectors
from tenants.auditing import audit
from tenants.isolation.scope import current_tenant
from tenants.ledger import accept_job

Target = Erasure.Target


def request_erasure(*, target: str, target_id: UUID) -> Erasure:
    """Accept an erasure. A memory, or a person, is out of every answer from this moment.

    Needs a tenant scope.

    Raises:
        ErasureTargetNotFound, MemoryNotFound
    """
    person_id = _check_target(target, target_id)
    question_vectors.forget(current_tenant())
    counts: dict[str, int] = {}
    if target == Target.MEMORY:
        hide_memory(memory_id=target_id)
        counts = remove_passages(Passage.objects.filter(memory_id=target_id))
    if target == Target.PERSON:
        hidden = hide_person(person_id=target_id)
        counts = remove_passages(Passage.objects.filter(memory_id__in=hidden))
    erasure = Erasure.objects.create(
        target=target, target_id=target_id, person_id=person_id, counts=counts
    )
    job = accept_job(Job.ERASE, subject_id=erasure.id, person_id=person_id, unit="tables")
    erasure.job_id = job.id
    erasure.save(update_fields=["job_id"])
    audit(
        Action.ERASURE_ASKED,
        f"erasure:{erasure.id}",
        person_id=person_id,
        details={"target": target, "target_id": str(target_id)},
    )
    return erasure


def target_meant(
    *, target: str, target_id: UUID | None, external_id: str | None, bound_to: UUID | None
) -> UUID:
    """The id of what a caller asks to erase. A bound caller reaches what is its person's.

    Raises:
        PersonNotFound, ErasureTargetNotFound, ErasureTargetNeeded
    """
    if target == Target.ORGANIZATION:
        if bound_to is not None:
            raise ErasureTargetNotFound(target=target, target_id=current_tenant())
        return current_tenant()
    if target == Target.PERSON and target_id is None:
        person = person_asked_for(bound_to=bound_to, external_id=external_id)
        target_id = person.id if person else None
    if target_id is None:
        raise ErasureTargetNeeded(target=target)
    if bound_to not in (None, _check_target(target, target_id)):
        raise ErasureTargetNotFound(target=target, target_id=target_id)
    return target_id


def _check_target(target: str, target_id: UUID) -> UUID | None:
    """The person whom a target is about, if it is about one."""
    models: dict[str, type[Memory | Conversation | Import]] = {
        Target.MEMORY: Memory,
        Target.CONVERSATION: Conversation,
        Target.IMPORT: Import,
    }
    if target == Target.ORGANIZATION:
        return None
    if target == Target.PERSON:
        if Person.objects.filter(id=target_id).exists():
            return target_id
        raise ErasureTargetNotFound(target=target, target_id=target_id)
    row = models[target].objects.filter(id=target_id).first()
    if row is None:
        raise ErasureTargetNotFound(target=target, target_id=target_id)
    return row.person_id
