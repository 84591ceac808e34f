"""In which bucket a store's vectors are written, and from which they go. Need a tenant scope."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore, Passage, PassageVector
from tenants.isolation.scope import current_tenant
from tenants.maintainer import waiting_at_most

_LONGEST_WAIT = "2s"


def placed(store_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The bucket in effect of each of these stores, held until this transaction ends.

    A store that moves meanwhile waits for us, and takes along what we wrote. So the row is held in
    any state: of one that is about to be put in effect too.
    """
    ids = list(store_ids)
    own = {id_: bucket for id_, bucket, state in _held(ids) if state in LargeStore.IN_EFFECT}
    return {store_id: own.get(store_id, buckets.COMMON) for store_id in ids}


def taken_from(store_ids: Iterable[UUID]) -> set[int]:
    """The buckets from which the vectors of these stores are taken away, held likewise.

    While a store moves that is the one in effect, and the other if search read it a moment ago. In
    one that is being filled a graph may be built: what it has too much goes at the end of the move.
    """
    filling = LargeStore.State.FILLING
    own = {bucket for _, bucket, state in _held(list(store_ids)) if state != filling}
    return {buckets.COMMON, *own}


def _held(store_ids: list[UUID]) -> list[tuple[UUID, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT store_id, bucket, state FROM ingestion_largestore WHERE tenant_id = %s"
            " AND store_id = ANY (%s) FOR SHARE",
            [current_tenant(), store_ids],
        )
        return list(cursor.fetchall())


def remove_strays() -> int:
    """Remove what large stores have outside of their bucket in effect, and no passage any more.

    While a store moves, its vectors are in two places, and passages are removed in one: an erasure
    calls this at its end. Gives how many went.

    Raises:
        TablesBusy: a graph index is being built over some of them, which may take minutes.
    """
    stores = list(LargeStore.objects.all())
    if not stores:
        return 0
    with waiting_at_most(_LONGEST_WAIT):
        return sum(_remove_strays_of(large) for large in stores)


def _remove_strays_of(large: LargeStore) -> int:
    moved = large.state in LargeStore.IN_EFFECT
    vectors = PassageVector.objects.filter(
        store_id=large.store_id, bucket=buckets.COMMON if moved else large.bucket
    )
    passage = Passage.objects.filter(id=OuterRef("passage_id"))
    return vectors.filter(~Exists(passage)).delete()[0]
