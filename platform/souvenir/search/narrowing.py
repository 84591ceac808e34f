"""What the filters of a question leave, as SQL in two forms.

`one` is about a passage that was found otherwise: it is looked up by its key, and so is what it is
of. `kept` is about all passages of a store at once: what a passage says by itself is read from an
index, and what is said of it elsewhere is a set, made once, that it is looked for in.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from souvenir.search.looking_back import held_then, looks_back, may_be_held
from souvenir.search.metadata_filter import among_described, described_memories, has_metadata
from souvenir.search.questions import Filters

_BY_KEY = """CROSS JOIN LATERAL (
    SELECT 1 FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.id = v.passage_id{condition} OFFSET 0
) narrowed"""
_WITHOUT = " AND p.conversation_id IS DISTINCT FROM %(without)s"
_ALL_WITHOUT = """ AND (p.id IN (
    SELECT q.id FROM ingestion_passage q
    WHERE q.tenant_id = %(tenant)s AND q.conversation_id = %(without)s
)) IS NOT TRUE"""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is left; all "" where nothing is asked. To append to a condition on passages `p`."""

    one: str = ""
    kept: str = ""  # the same, but for what a question that looks back asks
    may_be_held: str = ""  # and of that as much as can be told of all passages
    described: str = ""  # the memories among which all of it is, where metadata is asked for
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def by_key(self) -> str:
        """A join of what is left to passages found, `v`."""
        return _BY_KEY.format(condition=self.one) if self.one else ""


def condition_on(only: Filters) -> tuple[str, dict[str, Any]]:
    """The condition on one passage, and its parameters."""
    facts, values = _facts(only)
    more, its_values = held_then(only) if looks_back(only) else has_metadata(only.metadata)
    return facts + more, values | its_values


def narrowed_by(only: Filters, *, without: UUID | None = None) -> Narrowed:
    """What some filters leave. `without`: a conversation of which nothing is wanted."""
    one, values = condition_on(only)
    kept = _facts(only)[0]
    kept += among_described(only.metadata, of_any_version=looks_back(only))
    if without:
        one, kept, values = one + _WITHOUT, kept + _ALL_WITHOUT, values | {"without": without}
    return Narrowed(
        one=one,
        kept=kept,
        may_be_held=may_be_held(only),
        described=described_memories(only.metadata),
        parameters=values,
    )


def _facts(only: Filters) -> tuple[str, dict[str, Any]]:
    """What a passage says by itself."""
    parts = {
        "since": ("p.occurred_at >= %(since)s", only.since),
        "until": ("p.occurred_at < %(until)s", only.until),
        "providers": ("p.provider = ANY (%(providers)s)", only.providers),
        "roles": ("p.role = ANY (%(roles)s)", only.roles),
        "kinds": ("p.kind = ANY (%(kinds)s)", only.kinds),
        "languages": ("p.language = ANY (%(languages)s)", only.languages),
        "least_trust": ("p.trust >= %(least_trust)s", only.least_trust),
    }
    used = {name: part for name, part in parts.items() if part[1]}
    condition = "".join(f" AND {sql}" for sql, _ in used.values())
    return condition, {name: value for name, (_, value) in used.items()}
