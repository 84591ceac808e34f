"""Give a large store a bucket of its own with a graph index, and take it back. Nobody waits.

Search reads the bucket in effect. Vectors are copied to the other one, which is put in effect once
it holds the same; what was written in those seconds is brought along, and the first one is cleared.
Every part can be run again, and a job that ends in the middle leaves a state from which either job
goes on.
"""

import secrets
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from souvenir.embedding.errors import StoreMoving
from souvenir.embedding.large_stores import count_large_store
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.moving import Move, catch_up, clear_some, copy_some, remove_gone
from souvenir.embedding.selectors import models_in_use
from souvenir.embedding.trust import measure_trust
from souvenir.embedding.upkeep import vacuum_partitions
from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore
from souvenir.memories.errors import StoreNotFound
from souvenir.memories.models import Store
from tenants.ledger import Lease
from tenants.maintainer import maintain

State = LargeStore.State
_STEP_VECTORS = 5_000
_MOST_BUCKETS = 2**31 - 1
_TRIES = 3  # of a number for a bucket: two stores of one sixteenth may draw the same


def promote_store(lease: Lease) -> None:
    """Give a store a bucket of its own. Safe to run again from any point.

    Of one that has it, how far its graph is to be believed is measured again.

    Raises:
        StoreMoving: it is on its way back, or was sent back meanwhile.
        StoreNotFound: there is no such shared store any more.
        MaintainerMissing, TablesBusy, LeaseLost
    """
    lease.cannot_be_cut(because="an index is built, or dropped, by one statement")
    with lease.step():
        large = _large_store(lease.subject_id)
    if large.state in (State.LEAVING, State.CLOSING):
        raise StoreMoving(store_id=lease.subject_id)
    if large.state == State.FILLING:
        _open(lease, large)
    move = Move(large.store_id, old=buckets.COMMON, new=large.bucket)
    if large.state == State.FILLING:
        _copy(lease, move)
        index_store(lease.organization_id, large.bucket)
        _put_in_effect(lease, move, after=State.FILLING, state=State.SERVING)
        # Of a model that began to be filled meanwhile: the others have their graph.
        index_store(lease.organization_id, large.bucket)
    _settle(lease, move)
    if _clear(lease, move):
        # Until vacuum has seen them, pages of either are read for nothing.
        vacuum_partitions(lease.organization_id, large.bucket)
    measure_trust(lease, large)  # until then, search compares every vector
    with lease.step():
        lease.finish()


def demote_store(lease: Lease) -> None:
    """Take a store back to the common bucket, and close its own. Safe to run again.

    Raises:
        MaintainerMissing, TablesBusy, LeaseLost
    """
    lease.cannot_be_cut(because="an index is built, or dropped, by one statement")
    with lease.step():
        found = LargeStore.objects.select_for_update().filter(store_id=lease.subject_id)
        large = found.first()
        if large is None:
            lease.finish()
            return
        # What was filling was never in effect: there is nothing to copy.
        _change(large, {State.FILLING: State.CLOSING, State.SERVING: State.LEAVING})
    move = Move(large.store_id, old=large.bucket, new=buckets.COMMON)
    if large.state == State.LEAVING:
        _copy(lease, move)
        _put_in_effect(lease, move, after=State.LEAVING, state=State.CLOSING)
    _settle(lease, move)
    _clear(lease, move)
    maintain("SELECT close_bucket(%s, %s)", lease.organization_id, large.bucket)
    with lease.step():
        LargeStore.objects.filter(store_id=large.store_id).delete()
        lease.finish()


def index_store(tenant_id: UUID, bucket: int) -> None:
    """Build the graph of each model that is in use, where it is not there yet."""
    for model in models_in_use():
        index_bucket(tenant_id, bucket, model)


def index_bucket(tenant_id: UUID, bucket: int, model: EmbeddingModel) -> None:
    """Build the graph of one model over a bucket of its own. Reading goes on; writing waits."""
    memory = settings.SOUVENIR_GRAPH_MEMORY_MB
    maintain(
        "SELECT index_bucket(%s, %s, %s::smallint, %s, %s)",
        *(tenant_id, bucket, model.number, model.dimensions, memory),
    )


def _large_store(store_id: UUID) -> LargeStore:
    if not Store.objects.filter(id=store_id, person=None).exists():
        raise StoreNotFound(store=store_id)
    large, _ = LargeStore.objects.get_or_create(
        store_id=store_id, defaults={"bucket": _draw(), "state": State.FILLING}
    )
    return large


def _open(lease: Lease, large: LargeStore) -> None:
    for _ in range(_TRIES):
        with suppress(IntegrityError):
            maintain("SELECT open_bucket(%s, %s)", lease.organization_id, large.bucket)
            return
        with lease.step():
            large.bucket = _draw()
            LargeStore.objects.filter(store_id=large.store_id).update(bucket=large.bucket)
    raise StoreMoving(store_id=large.store_id)


def _draw() -> int:
    return 1 + secrets.randbelow(_MOST_BUCKETS)


def _copy(lease: Lease, move: Move) -> None:
    done, last = 0, None
    while True:
        with lease.step(done=done):
            last = copy_some(move, after=last, most=_STEP_VECTORS)
        if last is None:
            return
        done += last.copied


def _put_in_effect(lease: Lease, move: Move, *, after: State, state: State) -> None:
    """Change the state, and nothing else while it is held: whoever writes a vector waits for that.

    Vectors that come between the last look and the change are found by meaning a moment later.

    Raises:
        StoreMoving: it is in another state than `after`: the other job has begun.
    """
    with lease.step():
        catch_up(move)
    with lease.step():
        count_large_store(move.store_id)
    with lease.step():
        large = LargeStore.objects.select_for_update().get(store_id=move.store_id)
        if large.state != after:
            raise StoreMoving(store_id=move.store_id)
        _change(large, {after: state})


def _settle(lease: Lease, move: Move) -> None:
    """Bring along what came until the bucket was in effect: then nobody writes to the old one."""
    with lease.step():
        catch_up(move)
    with lease.step():
        # Whoever removed a passage while its vector was copied had not seen the copy. Such a one
        # holds this row, and has ended once we have it.
        LargeStore.objects.select_for_update().get(store_id=move.store_id)
    with lease.step():
        remove_gone(move)


def _clear(lease: Lease, move: Move) -> int:
    """Remove the store's vectors from the old bucket, and say how many there were."""
    cleared = 0
    while True:
        with lease.step():
            some = clear_some(move, most=_STEP_VECTORS)
        if not some:
            return cleared
        cleared += some


def _change(large: LargeStore, to: dict[State, State]) -> None:
    new = to.get(State(large.state))
    if new is not None:
        large.state = new
        found = LargeStore.objects.filter(store_id=large.store_id)
        found.update(state=new, since=timezone.now())
