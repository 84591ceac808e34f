"""Where what a memory said before is searched: beside its store, where no plain question looks.

Tokens and vectors of a past version stand under an id of their own, made from the store's. A
question that looks back names both; any other reads the store's rows and nothing of the past.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from souvenir.ingestion import buckets
from souvenir.ingestion.models import Passage
from souvenir.ingestion.placing import taken_from
from tenants.isolation.scope import current_tenant

# The version of an id: ours are all of version 7, so no store has the id that comes out.
_VERSION_BITS = 0xF << 76
_MOVE_TOKENS = """
    WITH said AS (
        DELETE FROM ingestion_passagetoken
        WHERE tenant_id = %(tenant)s AND passage_id = ANY (%(passages)s)
        RETURNING token, passage_id, frequency, terms
    )
    INSERT INTO ingestion_passagetoken (tenant_id, store_id, token, passage_id, frequency, terms)
    SELECT %(tenant)s, %(home)s, token, passage_id, frequency, terms FROM said
"""
# A store that moves may have one in two buckets.
_MOVE_VECTORS = """
    WITH said AS (
        DELETE FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = %(store)s
          AND bucket = ANY (%(buckets)s) AND passage_id = ANY (%(passages)s)
        RETURNING model, passage_id, embedding
    )
    INSERT INTO ingestion_passagevector
        (tenant_id, store_id, model, passage_id, bucket, embedding)
    SELECT %(tenant)s, %(home)s, model, passage_id, %(common)s, embedding FROM said
    ON CONFLICT DO NOTHING
"""


def past_home(store_id: UUID) -> UUID:
    """The id that stands for the past of a store in tokens and vectors."""
    return UUID(int=store_id.int ^ _VERSION_BITS)


def homes(store_ids: Iterable[UUID]) -> list[UUID]:
    """These stores and their past."""
    ids = list(store_ids)
    return ids + [past_home(store_id) for store_id in ids]


def home_of(passage: Passage) -> UUID:
    """The id that a passage's tokens and vectors stand under."""
    return past_home(passage.store_id) if passage.past_version else passage.store_id


def keep_passages(*, memory_id: UUID, version: int) -> None:
    """Let the passages of what a memory says in a version be those of the next one as well.

    It says the same there: nothing is embedded again, and nothing moves. Needs a tenant scope.
    """
    of_one = Passage.objects.filter(memory_id=memory_id, past_version=0, since_version=None)
    of_one.update(since_version=version)


def retire_passages(*, memory_id: UUID, version: int) -> None:
    """Take what a memory said in a version out of ordinary questions. Needs a tenant scope."""
    found = Passage.objects.select_for_update().filter(memory_id=memory_id, past_version=0)
    passages = list(found)
    if not passages:
        return
    store_id = passages[0].store_id
    values: dict[str, Any] = {
        "tenant": current_tenant(),
        "passages": [passage.id for passage in passages],
        "store": store_id,
        "home": past_home(store_id),
        "buckets": list(taken_from([store_id])),
        "common": buckets.COMMON,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_TOKENS, values)
        cursor.execute(_MOVE_VECTORS, values)
    found.update(past_version=version)
