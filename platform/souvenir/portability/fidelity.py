"""Adds up what was read, and holds it against what the source's own shape promised."""

from collections import Counter, defaultdict
from typing import Any

from souvenir.portability.documents import (
    AssetRead,
    ConversationDocument,
    Inspection,
    ItemRead,
    JsonObject,
    MessageDocument,
    Notice,
)
from souvenir.portability.json_values import as_text

_EXAMPLES = 5  # how many places a notice names
# A source may invent any number of types, of any length: the report stays small.
_LONGEST_NAME = 100
_MOST_TYPES = 100
_OTHER_TYPES = "…"


class Fidelity:
    """The report of one import: what came, as what, and whether all of it did."""

    def __init__(self, expected: Inspection) -> None:
        self._expected = expected
        self._counts: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._blocks: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._notices: Counter[str] = Counter()
        self._where: defaultdict[str, list[str]] = defaultdict(list)
        for notice in expected.notices:
            self._note(notice)

    def counted(self) -> JsonObject:
        """What was added up so far, to go on from by `go_on`."""
        return {
            "counts": dict(self._counts),
            "kinds": dict(self._kinds),
            "blocks": dict(self._blocks),
            "unknown": dict(self._unknown),
            "notices": dict(self._notices),
            "where": {code: [*places] for code, places in self._where.items()},
        }

    def go_on(self, counted: dict[str, Any]) -> None:
        """Go on from what another process has added up."""
        self._counts = Counter(counted["counts"])
        self._kinds = Counter(counted["kinds"])
        self._blocks = Counter(counted["blocks"])
        self._unknown = Counter(counted["unknown"])
        self._notices = Counter(counted["notices"])
        self._where = defaultdict(list, counted["where"])

    def add(self, item: ItemRead) -> None:
        """Count one item of `reading.read`, once it is kept."""
        if isinstance(item, AssetRead):
            self._counts["assets"] += 1
            return
        self._counts["objects"] += 1
        self._kinds[item.raw.kind] += 1
        for notice in item.notices:
            self._note(notice)
        if item.conversation:
            self._add_conversation(item.conversation)

    @property
    def is_complete(self) -> bool:
        """Whether every object, message and file that the source shows was read or kept.

        A conversation that could not be read is kept, and has its notice.
        """
        expected = self._expected
        kept_unread = self._notices["conversation-malformed"]
        return (
            self._counts["objects"] == expected.objects
            and self._counts["assets"] == expected.assets
            and self._counts["messages"] == expected.messages
            and self._counts["conversations"] + kept_unread == expected.conversations
        )

    def as_json(self) -> JsonObject:
        """The report, of counts and places only: no content. docs/formats.md tells its fields."""
        expected = self._expected
        return {
            "provider": expected.provider,
            "layout": expected.layout,
            "complete": self.is_complete,
            "expected": {
                "objects": expected.objects,
                "conversations": expected.conversations,
                "messages": expected.messages,
                "assets": expected.assets,
            },
            "objects": self._counts["objects"],
            "objects_by_kind": dict(sorted(self._kinds.items())),
            "conversations": self._counts["conversations"],
            "messages": self._counts["messages"],
            "branches": self._counts["branches"],
            "hidden": self._counts["hidden"],
            "assets": self._counts["assets"],
            "blocks": dict(sorted(self._blocks.items())),
            "unknown_types": dict(sorted(self._unknown.items())),
            "notices": {
                code: {"count": count, "where": [*self._where[code]]}
                for code, count in sorted(self._notices.items())
            },
        }

    def _add_conversation(self, conversation: ConversationDocument) -> None:
        self._counts["conversations"] += 1
        self._counts["branches"] += conversation.branches
        for message in conversation.messages:
            self._add_message(message)

    def _add_message(self, message: MessageDocument) -> None:
        self._counts["messages"] += 1
        self._counts["hidden"] += message.hidden
        for block in message.blocks:
            self._blocks[block.type] += 1
            if block.type == "unknown":
                self._note_type(as_text(block.fields.get("provider_type")))

    def _note_type(self, provider_type: str) -> None:
        name = provider_type[:_LONGEST_NAME]
        is_listed = name in self._unknown or len(self._unknown) < _MOST_TYPES
        self._unknown[name if is_listed else _OTHER_TYPES] += 1

    def _note(self, notice: Notice) -> None:
        self._notices[notice.code] += 1
        if len(self._where[notice.code]) < _EXAMPLES:
            self._where[notice.code].append(notice.where)
