"""The tables that one would otherwise make of the same passages, asked the same questions.

One is the table that guides to pgvector show: vector beside text, one HNSW, `WHERE user_id =`. The
other is what mem0 OSS makes: vector and a JSON document, one HNSW, the owner inside the document.
Both are built by us, from what their documents say.

In what order rows came decides what a heap costs to read, and our index nothing. So the first table
is there twice: as our passages came, five of one store one after the other; and each row by itself
among strangers, as it comes from many people who say one thing at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from pgvector import HalfVector, Vector

from bench.search_asking import Bench, Timed, exact_sql, questions, recall, timed, truth
from bench.search_data import MODEL, PEOPLE
from bench.search_peer_tables import make_peers

_NAMES = ("1k", "5k", "10k", "50k")
_COOKBOOK = (
    "SELECT id, (embedding <=> %(full)s){plus} AS distance, content FROM {table}"
    " WHERE user_id = %(user)s ORDER BY distance LIMIT 10"
)
_DOCUMENT = (
    "SELECT id, vector <=> %(full)s AS distance, payload FROM peer_document"
    " WHERE payload->>'user_id' = %(user)s ORDER BY distance LIMIT 10"
)
_READ = (
    "SELECT count(*) FROM ingestion_passagevector v WHERE v.tenant_id = %(t)s"
    f" AND v.store_id = ANY (%(s)s) AND v.model = {MODEL} AND v.bucket = 0"
)
# How an iterative scan is widened until it finds what an exact one does.
_SETTINGS = (
    "enable_sort", "hnsw.iterative_scan", "hnsw.ef_search", "hnsw.max_scan_tuples",
    "hnsw.scan_mem_multiplier",
)  # fmt: skip
_WIDTHS = ((40, 20_000), (100, 50_000), (200, 200_000), (400, 1_000_000))


@dataclass(frozen=True)
class Way:
    """One way to ask a table, with the parameters of a `Scope`."""

    title: str
    sql: str
    settings: tuple[tuple[str, str], ...] = ()
    judged: bool = True  # whether it answers with rows, of which recall can be told


OURS = Way("ours", exact_sql())
READ = Way("control: ours, read and not compared", _READ, judged=False)
AS_PLANNED = Way(
    "vector beside text, one HNSW, as planned", _COOKBOOK.format(plus="", table="peer_cookbook")
)
DOCUMENT = Way("JSON filter, one HNSW, as planned", _DOCUMENT)
NARROW = Way(
    "without the column for words: vectors stay in the row, exact",
    _COOKBOOK.format(plus=" + 0", table="peer_narrow"),
)
FIVE = Way(
    "vector beside text, exact, rows five by five",
    _COOKBOOK.format(plus=" + 0", table="peer_cookbook"),
)
ONE = Way(
    "vector beside text, exact, rows one by one",
    _COOKBOOK.format(plus=" + 0", table="peer_scattered"),
)
_ROWS = {"five by five": FIVE, "one by one": ONE}


def iterative(order: str, ef_search: int, tuples: int) -> Way:
    """The cookbook's graph, walked on until enough rows pass the filter."""
    settings = (
        ("enable_sort", "off"),  # the graph must be taken, whatever the planner thinks
        ("hnsw.iterative_scan", order),
        ("hnsw.ef_search", str(ef_search)),
        ("hnsw.max_scan_tuples", str(tuples)),
        ("hnsw.scan_mem_multiplier", "64"),
    )
    title = f"vector beside text, {order}, ef_search {ef_search}, at most {tuples:,} walked"
    return Way(title, AS_PLANNED.sql, settings)


def parameters(tenant: str, store: UUID, question: np.ndarray) -> dict[str, Any]:
    """What any way is asked with: ours by `q`, `t` and `s`, the peers by `full` and `user`."""
    return {
        "q": HalfVector(question), "t": tenant, "s": [store],
        "full": Vector(question), "user": str(store),
    }  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Whose passages are asked for, with what, and which are the nearest in truth."""

    name: str
    asked: list[dict[str, Any]]
    wanted: list[set[UUID]]


@dataclass(frozen=True)
class Answer:
    """What a way took of one scope, and what it found: recall of own and of cross questions."""

    spent: Timed
    own: float
    cross: float

    @property
    def complete(self) -> float:
        return min(self.own, self.cross)


class Asking:
    """Asks any way, ours as the run-time role and the peers past row-level security, which they
    have not; and prints what it took."""

    def __init__(self, bench: Bench) -> None:
        self._app, self._past = bench.app(), bench.server.superuser()

    def ask(self, way: Way, scopes: Sequence[Scope]) -> list[Answer]:
        """All questions of the scopes, one of each scope after the other: an answer for each."""
        connection = self._app if way in (OURS, READ) else self._past
        for setting in _SETTINGS:
            connection.execute(f"RESET {setting}")
        for setting, value in way.settings:
            connection.execute(f"SET {setting} = {value}")
        in_turn = [
            asked for together in zip(*(s.asked for s in scopes), strict=True) for asked in together
        ]
        calls = [lambda a=asked: connection.execute(way.sql, a).fetchall() for asked in in_turn]
        spent, found = timed(connection, calls)
        every, answers = len(scopes), []
        for place, scope in enumerate(scopes):
            own, cross = recall(found[place::every], scope.wanted) if way.judged else (0.0, 0.0)
            answers.append(
                Answer(Timed(spent.wall[place::every], spent.cpu[place::every]), own, cross)
            )
        return answers


def peers(bench: Bench, *, rows: int) -> None:
    """The same questions of every table: of one store again and again, and of all in turn.

    The first leaves the store's rows in the processor's own caches. The second is what a server
    hears that many people share.
    """
    make_peers(bench, rows=rows)
    asking = Asking(bench)
    scopes = [_scope(bench, name) for name in _NAMES]
    _head("asked again and again")
    for scope in scopes:
        _again(bench, asking, scope)
    _head("asked in turn")
    found = {way: asking.ask(way, scopes) for way in (OURS, READ, NARROW, FIVE, ONE)}
    for place, scope in enumerate(scopes):
        ours = found[OURS][place]
        for way, answers in found.items():
            _tell(scope, way, answers[place], ours)
        for order, way in _ROWS.items():
            _hold(bench, f"in turn, rows {order}", scope, found[way][place].spent.mid, ours)


def _again(bench: Bench, asking: Asking, scope: Scope) -> None:
    """One store, in every way; the graph wider and wider, until it finds as much or takes more."""
    (ours,) = asking.ask(OURS, [scope])
    _tell(scope, OURS, ours, ours)
    for way in (READ, AS_PLANNED, DOCUMENT, NARROW):
        _tell(scope, way, asking.ask(way, [scope])[0], ours)
    exact = {}
    for way in (FIVE, ONE):
        exact[way] = asking.ask(way, [scope])[0]
        _tell(scope, way, exact[way], ours)
    enough = []  # what the graph takes where it finds as much
    for order in ("strict_order", "relaxed_order"):
        for ef_search, tuples in _WIDTHS:
            way = iterative(order, ef_search, tuples)
            (walked,) = asking.ask(way, [scope])
            _tell(scope, way, walked, ours)
            if walked.complete >= exact[FIVE].complete:
                enough.append(walked.spent.mid)
            if enough or walked.spent.mid > exact[FIVE].spent.mid:
                break
    for rows, way in _ROWS.items():  # a graph does not mind in what order they came
        least = min([exact[way].spent.mid, *enough])
        _hold(bench, f"again and again, rows {rows}", scope, least, ours)


def _scope(bench: Bench, name: str) -> Scope:
    asked = questions(bench, name)
    every = [parameters(bench.tenant, bench.store(name), q) for q in asked]
    return Scope(name, every, truth(bench, name, asked))


def _head(how: str) -> None:
    print(f"\n| {how} | table | p50 ms | p95 | p99 | CPU p50 | recall own | cross | × ours |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")


def _tell(scope: Scope, way: Way, answer: Answer, ours: Answer) -> None:
    """One line of the table."""
    found = f"{answer.own:.2f} | {answer.cross:.2f}" if way.judged else " | "
    ratio = answer.spent.mid / ours.spent.mid
    print(
        f"| {PEOPLE[scope.name]:,} | {way.title} | {answer.spent.line()} | {found} | {ratio:.1f} |"
    )


def _hold(bench: Bench, how: str, scope: Scope, least: float, ours: Answer) -> None:
    title = f"the cookbook at equal recall, {PEOPLE[scope.name]:,}, {how}"
    bench.hold(title, "≥", 8, least / ours.spent.mid)
