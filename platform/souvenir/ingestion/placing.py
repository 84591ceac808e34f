"""In which bucket a store's vectors are written, and from which they go. Need a tenant scope."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore, Passage, PassageVector
from tenants.isolation.scope import current_tenant


def placed(store_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The bucket in effect of each of these stores, held until this transaction ends.

    A store that moves meanwhile waits for us, and takes along what we wrote.
    """
    ids = list(store_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT store_id, bucket FROM ingestion_largestore WHERE tenant_id = %s"
            " AND store_id = ANY (%s) AND state = ANY (%s) FOR SHARE",
            [current_tenant(), ids, list(LargeStore.IN_EFFECT)],
        )
        own = dict(cursor.fetchall())
    return {store_id: own.get(store_id, buckets.COMMON) for store_id in ids}


def remove_strays() -> int:
    """Remove what large stores have outside of their bucket in effect, and no passage any more.

    While a store moves, its vectors are in two places, and passages are removed in one: an erasure
    calls this at its end. It waits for a graph index that is being built. Gives how many went.
    """
    removed = 0
    for large in LargeStore.objects.all():
        moved = large.state in LargeStore.IN_EFFECT
        vectors = PassageVector.objects.filter(
            store_id=large.store_id, bucket=buckets.COMMON if moved else large.bucket
        )
        passage = Passage.objects.filter(id=OuterRef("passage_id"))
        removed += vectors.filter(~Exists(passage)).delete()[0]
    return removed
