"""SQL for a filter by metadata: passages of memories that have the entries asked for.

Each passage is held against the tokens of its memory, and of one version of it, by the whole key,
like any other look-up of hybrid.sql.
"""

from typing import Any

from souvenir.memories.metadata import Wanted
from souvenir.memories.metadata_tokens import tokens_of

_HAS = """ AND p.memory_id IS NOT NULL AND EXISTS (
    SELECT FROM memories_metadatatoken k
    WHERE k.tenant_id = %(tenant)s AND k.store_id = p.store_id
      AND k.token = ANY (%(metadata_{place})s::bytea[])
      AND k.memory_id = p.memory_id AND k.past_version = {version} OFFSET 0
)"""

# Those of any version: the condition above says which. A look at the rarest would be a guess.
_DESCRIBED = """
    SELECT DISTINCT k.memory_id FROM memories_metadatatoken k
    WHERE k.tenant_id = %(tenant)s AND k.store_id = ANY (%(stores)s)
      AND k.token = ANY (%(metadata_0)s::bytea[]) OFFSET 0
"""


# Of all passages of a store at once: those of memories that have an entry now, or ever had.
_AMONG = """ AND (p.memory_id IN (
    SELECT k.memory_id FROM memories_metadatatoken k
    WHERE k.tenant_id = %(tenant)s AND k.store_id = ANY (%(stores)s)
      AND k.token = ANY (%(metadata_{place})s::bytea[]){version}
)) IS TRUE"""
_NOW = " AND k.past_version = 0"


def has_metadata(
    wanted: list[Wanted], *, version: str = "p.past_version"
) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters. Needs a tenant scope.

    `version` is SQL for the version of the memory that is meant, 0 for the one that holds now.
    """
    has = (_HAS.format(place=place, version=version) for place in range(len(wanted)))
    condition = "".join(has)
    tokens = {f"metadata_{place}": tokens_of(one) for place, one in enumerate(wanted)}
    return condition, tokens


def among_described(wanted: list[Wanted], *, of_any_version: bool) -> str:
    """The same for a condition on all passages `p` of a store. Of any version: more than asked."""
    version = "" if of_any_version else _NOW
    return "".join(_AMONG.format(place=place, version=version) for place in range(len(wanted)))


def described_memories(wanted: list[Wanted]) -> str:
    """SQL for the memories (`memory_id`) with the first entry that is asked for; "": none is."""
    return _DESCRIBED if wanted else ""
