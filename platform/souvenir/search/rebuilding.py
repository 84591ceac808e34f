"""Give the search tokens of an organization a new key, while searches go on."""

from uuid import UUID

from souvenir.core.jobs import Job
from souvenir.ingestion.models import Passage
from souvenir.ingestion.passages import retoken
from souvenir.memories.metadata_tokens import make_metadata_tokens_again, stale_metadata_tokens
from tenants.isolation.scope import current_tenant
from tenants.keyring.index_keys import begin_index_epoch, index_key_settled, retire_index_epochs
from tenants.ledger import Lease, accept_job
from tenants.models import Job as JobRow

_STEP_PASSAGES, _STEP_MEMORIES = 100, 100
_PAUSE_SECONDS = 120.0
_BEFORE_ALL = UUID(int=0)


def request_new_index_key() -> JobRow:
    """Begin a new epoch: what is written uses it at once, and a job makes the rest again.

    Until that is done, a question is asked under both. Needs a tenant scope.
    """
    begin_index_epoch()
    return accept_job(
        Job.REBUILD_TOKENS, subject_id=current_tenant(), person_id=None, unit="passages"
    )


def rebuild_tokens(lease: Lease) -> None:
    """Make the tokens of every passage, and of all metadata, under the newest index key; then end
    the older keys.

    Safe to run again from any point: what has the newest key's tokens is left alone.

    Raises:
        LeaseLost
    """
    with lease.step():
        epoch = begin_index_epoch()
        stale = Passage.objects.filter(token_epoch__lt=epoch)
        total = stale.count()
    done, last = 0, _BEFORE_ALL
    while True:
        with lease.step(done=done, total=total):
            found = stale.select_for_update().filter(id__gt=last).order_by("id")
            waiting = list(found[:_STEP_PASSAGES])
            retoken(waiting)
        if not waiting:
            break
        done, last = done + len(waiting), waiting[-1].id
    _rebuild_metadata_tokens(lease, epoch)
    with lease.step():
        # A transaction that began before the new epoch may still write under the old one.
        left = stale.exists() or stale_metadata_tokens(epoch=epoch).exists()
        if left or not index_key_settled(seconds=_PAUSE_SECONDS):
            lease.postpone(seconds=_PAUSE_SECONDS)
            return
        retire_index_epochs(below=epoch)
        lease.finish()


def _rebuild_metadata_tokens(lease: Lease, epoch: int) -> None:
    last: UUID | None = _BEFORE_ALL
    while last is not None:
        with lease.step():
            last = make_metadata_tokens_again(epoch=epoch, after=last, most=_STEP_MEMORIES)
