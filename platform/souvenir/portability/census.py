"""Counts what an upload holds, from its own shape, and refuses one that holds no history."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from souvenir.core.errors import Invalid
from souvenir.portability.documents import Inspection, JsonObject, Notice
from souvenir.portability.errors import (
    EmptyImport,
    HtmlUploaded,
    NestedArchive,
    NotJson,
    ObjectTooLarge,
    TruncatedJson,
    UnknownFormat,
    UnsupportedFormat,
)
from souvenir.portability.formats.registry import CODECS
from souvenir.portability.json_values import as_id, as_object
from souvenir.portability.limits import Limits
from souvenir.portability.objects import ParsedObject
from souvenir.portability.sorting import SortedFile

_DRAIN_BYTES = 1024**2
_WORTH_IMPORTING = ("conversation", "memory", "project")
_TELLING = (UnsupportedFormat, TruncatedJson, NotJson, ObjectTooLarge, NestedArchive, HtmlUploaded)


class Census:
    """Counts one upload: every file, then the objects of that file."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._objects = self._messages = self._assets = 0
        self._kinds: Counter[str] = Counter()
        self._providers: Counter[str] = Counter()
        self._layouts: Counter[tuple[str, str]] = Counter()  # (provider, layout)
        self._paths: set[str] = set()  # of the files that hold conversations
        self._owners: set[str] = set()  # the accounts that conversations name
        self._accounts: set[str] = set()  # those that account objects tell
        self._conversations: set[str] = set()  # ids
        self._listed: dict[str, None] = {}  # ids of conversations that are named without a body
        self._notices: list[Notice] = []
        self._refusals: list[Invalid] = []  # why there is nothing to read, if there is nothing

    def count_file(self, file: SortedFile) -> None:
        """Count a file; unpack one that is not read, so that its damage and its size show."""
        if file.notice:
            self._notices.append(Notice(code=file.notice, where=file.member.path))
        self._refusals.extend(self._refusals_for(file))
        if file.use in ("asset", "left-out"):
            self._assets += file.use == "asset"
            with file.member.open() as stream:
                while stream.read(_DRAIN_BYTES):
                    pass

    def count_object(self, item: ParsedObject) -> None:
        """Count an object of the file counted last."""
        self._objects += 1
        self._kinds[item.raw.kind] += 1
        if item.kind.provider:
            self._providers[item.kind.provider] += 1
        if item.kind.foreign:
            self._refusals.append(UnsupportedFormat(format=item.kind.foreign))
        fields = as_object(item.value)
        if item.raw.kind == "account":
            self._accounts.add(as_id(fields.get("id")) or as_id(fields.get("uuid")))
        elif item.kind.kind == "listing":
            self._listed[as_id(fields.get("uuid"))] = None
        elif item.raw.kind == "conversation":
            self._count_conversation(item)
            self._owners.add(as_id(as_object(fields.get("account")).get("uuid")))

    def result(self) -> Inspection:
        """The counts, if they are of anything.

        Raises:
            Invalid: there is no conversation, memory or project in the upload; and why.
        """
        if not any(self._kinds[kind] for kind in _WORTH_IMPORTING):
            raise self._refusal()
        provider, layout = self._provider_and_layout()
        return Inspection(
            provider=provider,
            layout=layout,
            objects=self._objects,
            conversations=self._kinds["conversation"],
            messages=self._messages,
            assets=self._assets,
            account=self._account(),
            notices=(*self._notices, *self._missing_bodies()),
        )

    def as_json(self) -> dict[str, Any]:
        """What was counted so far, to go on counting from by `from_json`."""
        told: dict[str, Invalid] = {}
        for refusal in self._refusals:
            told.setdefault(type(refusal).__name__, refusal)
        return {
            "numbers": [self._objects, self._messages, self._assets],
            "kinds": dict(self._kinds),
            "providers": dict(self._providers),
            "layouts": [[*key, count] for key, count in self._layouts.items()],
            "paths": sorted(self._paths),
            "owners": sorted(self._owners),
            "accounts": sorted(self._accounts),
            "conversations": sorted(self._conversations),
            "listed": list(self._listed),
            "notices": [[notice.code, notice.where] for notice in self._notices],
            "refusals": {name: _params_of(refusal) for name, refusal in told.items()},
        }

    @classmethod
    def from_json(cls, told: dict[str, Any], limits: Limits) -> "Census":
        census = cls(limits)
        census._objects, census._messages, census._assets = told["numbers"]
        census._kinds = Counter(told["kinds"])
        census._providers = Counter(told["providers"])
        census._layouts = Counter({(one, two): count for one, two, count in told["layouts"]})
        census._paths = set(told["paths"])
        census._owners = set(told["owners"])
        census._accounts = set(told["accounts"])
        census._conversations = set(told["conversations"])
        census._listed = dict.fromkeys(told["listed"])
        census._notices = [Notice(code=code, where=where) for code, where in told["notices"]]
        census._refusals = [
            kind(**told["refusals"][kind.__name__])
            for kind in _TELLING
            if kind.__name__ in told["refusals"]
        ]
        return census

    def _provider_and_layout(self) -> tuple[str, str]:
        """Those of most conversations; of most objects, in an upload without conversations."""
        if not self._layouts:
            return self._providers.most_common(1)[0][0], ""
        provider, layout = max(
            self._layouts, key=lambda layout: (bool(layout[1]), self._layouts[layout])
        )
        sharded = layout and len(self._paths) > 1 and provider != "lechat"
        return provider, f"{layout}-sharded" if sharded else layout

    def _count_conversation(self, item: ParsedObject) -> None:
        codec = CODECS[item.kind.codec]
        self._messages += codec.count_messages(item.value)
        layout = codec.layout(item.value)
        self._layouts[item.kind.provider, layout] += 1
        if layout:
            self._paths.add(item.raw.path)
        self._conversations.add(codec.conversation_id(item.value))

    def _refusals_for(self, file: SortedFile) -> Iterator[Invalid]:
        if file.kind.foreign:
            yield UnsupportedFormat(format=file.kind.foreign)
        elif file.problem:
            yield file.problem
        elif file.content == "html":
            yield HtmlUploaded()
        elif file.content == "zip" and file.member.level >= self._limits.nesting:
            yield NestedArchive(limit=self._limits.nesting)

    def _refusal(self) -> Invalid:
        """The reason that says most; that the files are of no kind we know says least."""
        told = [refusal for kind in _TELLING for refusal in self._refusals if type(refusal) is kind]
        if told:
            return told[0]
        known = self._kinds.total() - self._kinds["other"]
        return EmptyImport() if known or self._listed or not self._objects else UnknownFormat()

    def _account(self) -> str:
        """The one account that the upload is of, if it tells, and only one."""
        for ids in (self._owners, self._accounts):
            told = ids - {""}
            if len(told) == 1:
                return told.pop()
        return ""

    def _missing_bodies(self) -> Iterator[Notice]:
        for listed in self._listed:
            if listed not in self._conversations:
                yield Notice(code="conversation-without-body", where=listed)


def _params_of(refusal: Invalid) -> JsonObject:
    return {name: value for name, value in refusal.params.items() if isinstance(value, str | int)}
