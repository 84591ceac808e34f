"""Every way of asking a memory: what a body of search or of context says besides the question."""

from typing import Any

Body = dict[str, Any]
MARCH, LATER = "2026-03-01T00:00:00Z", "2100-01-01T00:00:00Z"
_SAID = "2025-10-09T12:00:00Z"  # what `chatgpt_export` says was said, is of that day
_CLOCKS = {"as_of": MARCH, "known_at": LATER}

# What is kept has something for each of them: tests/souvenir/search/test_nothing_of_others.py.
WAYS: dict[str, Body] = {
    "plain": {},
    "as of": {"as_of": MARCH},
    "known at": {"known_at": LATER},
    "both clocks": _CLOCKS,
    "a short time": {"query": "Où est la clé du chalet, hier?", "asked_at": "2025-10-10T12:00:00Z"},
    "a long time": {"query": "Où est la clé du chalet, en 2025?"},
    "a phrase": {"query": "Où est « la clé du chalet »?"},
    "a phrase of then": {"query": "Où est « la clé du chalet », en 2025?", **_CLOCKS},
    "since": {"since": "2025-10-01T00:00:00Z"},
    "until": {"until": LATER},
    "a source": {"sources": ["chatgpt"]},
    "a role": {"roles": ["assistant"]},
    "a kind": {"kinds": ["fact"]},
    "a kind of then": {"kinds": ["fact"], **_CLOCKS},
    "a language": {"languages": ["fr"]},
    "trust": {"trust": "person"},
    "metadata": {"metadata": {"place": "chalet"}},
    "metadata of then": {"metadata": {"place": "chalet"}, **_CLOCKS},
}
# A door, and what its body says.
DOORS: dict[str, tuple[str, Body]] = {
    "search": ("memories/search", {"limit": 20}),
    "context": ("context", {"budget": 1_500}),
    "context with neighbours": ("context", {"budget": 1_500, "expand": "neighbours"}),
    "context with all of a talk": ("context", {"budget": 1_500, "expand": "conversation"}),
}


def body_of(door: str, way: str, **whose: object) -> tuple[str, Body]:
    """The path to ask, and what. The same moment for all, unless a way has its own."""
    path, said = DOORS[door]
    asked = {"query": "Où est la clé du chalet?", "asked_at": "2026-11-26T15:00:00Z"}
    return f"/api/v1/{path}", {**asked, **said, **WAYS[way], **whose}
