"""SQL for a filter by metadata: passages of memories that have the entries asked for.

Each passage is held against the tokens of its memory, and of its own version of it, by the whole
key, like any other look-up of hybrid.sql.
"""

from typing import Any

from souvenir.memories.metadata import Wanted
from souvenir.memories.metadata_tokens import tokens_of

_HAS = """ AND p.memory_id IS NOT NULL AND EXISTS (
    SELECT FROM memories_metadatatoken k
    WHERE k.tenant_id = %(tenant)s AND k.store_id = p.store_id
      AND k.token = ANY (%(metadata_{place})s::bytea[])
      AND k.memory_id = p.memory_id AND k.past_version = p.past_version OFFSET 0
)"""

# Those of any version: the condition above says which. A look at the rarest would be a guess.
_DESCRIBED = """
    SELECT DISTINCT k.memory_id FROM memories_metadatatoken k
    WHERE k.tenant_id = %(tenant)s AND k.store_id = ANY (%(stores)s)
      AND k.token = ANY (%(metadata_0)s::bytea[]) OFFSET 0
"""


def has_metadata(wanted: list[Wanted]) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters. Needs a tenant scope."""
    condition = "".join(_HAS.format(place=place) for place in range(len(wanted)))
    tokens = {f"metadata_{place}": tokens_of(one) for place, one in enumerate(wanted)}
    return condition, tokens


def described_memories(wanted: list[Wanted]) -> str:
    """SQL for the memories (`memory_id`) with the first entry that is asked for; "": none is."""
    return _DESCRIBED if wanted else ""
