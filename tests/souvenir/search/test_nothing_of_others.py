"""What others keep is neither found nor felt, however one asks.

Alice and a team are asked in every way. Then others come, in the same organization and in another,
who keep the same words: nothing of the answers may change, be it a score, a count or a title.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from souvenir.api.caller import Caller
from souvenir.core.jobs import Job as Kind
from souvenir.memories.models import Store
from souvenir.memories.selectors import get_person, personal_slug, personal_store
from souvenir.search import candidates, nearest
from souvenir.search.context import context
from souvenir.search.neighbours import Expand, around
from souvenir.search.questions import Filters, Question
from souvenir.search.services import ranking, search
from tenants.isolation.scope import tenant_scope
from tenants.services import issue_key
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs
from tests.souvenir.search.asked_ways import DOORS, WAYS, Body, body_of
from tests.souvenir.search.rerankers import FakeReranker

_TALK = ("Où est la clé du chalet?", "La clé du chalet est sous le pot de géranium.", "Merci bien!")
_THEIR_TALK = (
    "Où est la clé du chalet de Nadine?",
    "La clé du chalet est dans le coffre, le code est 4411.",
    "La clé du chalet! La clé! Le chalet!",
)


@dataclass(frozen=True)
class Asked:
    """An organization, and the answers it got before anybody else was there."""

    tenant: Tenant
    keys: dict[str, tuple[str, dict[str, Any]]]  # of a caller, and whom it asks about
    alone: dict[tuple[str, str, str], bytes] = field(default_factory=dict)

    def ask(self, caller: str, door: str, way: str) -> bytes:
        """The body of an answer."""
        key, whose = self.keys[caller]
        path, body = body_of(door, way, **whose)
        answer = Client(headers={"authorization": f"Bearer {key}"}).post(
            path, body, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
        return bytes(answer.content)


CALLERS = ("a key of Alice’s", "for Alice and the team", "of the team alone")
EVERY = [(caller, door, way) for caller in CALLERS for door in DOORS for way in WAYS]


def _keep(tenant: Tenant, talk: tuple[str, ...], *, person: str, store: str) -> None:
    """A talk, and a memory that was corrected, of the person's own and of a shared store."""
    import_bytes(tenant, chatgpt_export(*talk, title=talk[0]), person=person)
    for whose in ({"person": person}, {"store": store}):
        said = {"text": f"{talk[1]} C’était en mars.", "metadata": {"place": "chalet"}}
        times = {"occurred_at": "2025-10-09T12:00:00Z", "valid_from": "2020-01-01T00:00:00Z"}
        memory = tenant.http.post(
            "/api/v1/memories", {**said, **times, **whose}, content_type="application/json"
        ).json()
        corrected = tenant.http.put(
            f"/api/v1/memories/{memory['id']}",
            {**said, "text": f"{talk[1]} Encore en mai.", "valid_from": "2026-05-01T00:00:00Z"},
            content_type="application/json",
        )
        assert corrected.status_code == 200
    run_jobs(tenant, Kind.EMBED_PASSAGES)


def _keep_unembedded(tenant: Tenant, *, person: str, store: str) -> None:
    for whose in ({"person": person}, {"store": store}):
        said = {"text": f"{_THEIR_TALK[2]} Encore.", **whose}
        answer = tenant.http.post("/api/v1/memories", said, content_type="application/json")
        assert answer.status_code == 201


@pytest.fixture(scope="module")
def asked() -> Asked:
    """Alice and the team, who were asked alone; and by now there are others."""
    acme, globex = make_tenant(), make_tenant()
    _keep(acme, _TALK, person="alice", store="team")
    with tenant_scope(acme.id):
        alice = get_person(external_id="alice")
        bound = issue_key(label="agent", scopes=["memories:read"], person_id=alice.id).text
    found = Asked(
        acme,
        {
            CALLERS[0]: (bound, {}),
            CALLERS[1]: (acme.key, {"person": "alice", "stores": ["team"]}),
            CALLERS[2]: (acme.key, {"store": "team"}),
        },
    )
    for one in EVERY:
        found.alone[one] = found.ask(*one)
    _keep(acme, _THEIR_TALK, person="bob", store="board")
    _keep_unembedded(acme, person="bob", store="board")
    _keep(globex, _THEIR_TALK, person="alice", store="team")
    _keep_unembedded(globex, person="alice", store="team")
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("caller", CALLERS)
def test_an_answer_is_the_same_whoever_else_is_there(
    asked: Asked, caller: str, door: str, way: str
) -> None:
    answer = asked.ask(caller, door, way)

    assert answer == asked.alone[caller, door, way]
    assert b"coffre" not in answer


def test_each_way_finds_something_of_one_s_own(asked: Asked) -> None:
    """Else its answers are the same for want of any."""
    empty = [
        one
        for one, answer in asked.alone.items()
        if one[0] == CALLERS[1] and b'"passage_id' not in answer
    ]
    assert empty == []


# What each filter by store in the statement of search is for: without it, somebody else is felt.
_WAITING = "store_id = ANY (%(stores)s)\n                      AND embedded_with"
_FAULTS = {
    "how long passages are": (candidates, "_HYBRID", "store_id = ANY (%(common)s) AND past_"),
    "which have the words": (candidates, "_HYBRID", "t.store_id = ANY (%(stores)s)"),
    "which are near": (nearest, "_IN_COMMON", "v.store_id = ANY (%(common)s)"),
    "how many wait": (candidates, "_HYBRID", _WAITING),
}  # fmt: skip


@pytest.mark.parametrize("what", _FAULTS)
def test_a_filter_that_is_forgotten_is_felt(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    module, name, where = _FAULTS[what]
    statement: str = getattr(module, name)
    assert statement.count(where) == 1
    _, _, rest = where.partition(")s)")
    monkeypatch.setattr(module, name, statement.replace(where, f"true{rest}"))

    changed = [one for one in EVERY if asked.ask(*one) != asked.alone[one]]

    assert {door for _, door, _ in changed} == set(DOORS)


def test_a_caller_who_reaches_every_store_is_felt(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def every_store(_: Caller, **__: object) -> list[UUID]:
        return list(Store.objects.values_list("id", flat=True))

    monkeypatch.setattr(Caller, "stores", every_store)

    unchanged = [one for one in EVERY if asked.ask(*one) == asked.alone[one]]

    assert unchanged == []


_OTHERS: dict[str, Body] = {
    "a person": {"person": "bob"},
    "a store": {"store": "board"},
    "a store among others": {"stores": ["board"]},
    "a person’s store among others": {"stores": [personal_slug("bob")]},
    "nobody": {"person": "nobody-at-all"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("door", DOORS)
def test_a_key_of_one_person_opens_no_one_else_s(asked: Asked, door: str, way: str) -> None:
    http = Client(headers={"authorization": f"Bearer {asked.keys[CALLERS[0]][0]}"})
    answers = {
        name: http.post(*body_of(door, way, **whose), content_type="application/json")
        for name, whose in _OTHERS.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        _OTHERS, 404
    )


@pytest.mark.parametrize(
    "only",
    [
        Filters(),
        Filters(roles=["assistant"]),
        Filters(kinds=["fact"]),
    ],
)
@pytest.mark.parametrize("text", ["Où est la clé du chalet?", "hier", "« la clé du chalet »"])
def test_a_stranger_s_store_holds_nothing(
    acme: Tenant, globex: Tenant, text: str, only: Filters
) -> None:
    """Even where an id of theirs has got into a question."""
    _keep(globex, _TALK, person="alice", store="team")
    with tenant_scope(globex.id):
        stores = list(Store.objects.values_list("id", flat=True))
    question = Question(text, stores, only=only)

    with tenant_scope(acme.id):
        found, block = search(question), context(question, budget=500, expand=Expand.CONVERSATION)

    assert (found.results, found.pending) == ([], 0)
    assert (block.text, block.items, block.left_out, block.pending) == ("", [], {}, 0)


def test_what_stands_beside_another_s_words_does_not_come_along(asked: Asked) -> None:
    with tenant_scope(asked.tenant.id):
        alice, bob = (
            personal_store(person=get_person(external_id=name)) for name in ("alice", "bob")
        )
        theirs = Question(_TALK[0], [bob.id])
        hits = ranking(theirs).items
        assert around(theirs, hits, expand=Expand.CONVERSATION)
        mine = Question(_TALK[0], [alice.id])
        assert around(mine, hits, expand=Expand.CONVERSATION) == []


@pytest.mark.parametrize("way", ["plain", "both clocks", "a phrase of then"])
def test_a_reranker_is_shown_nothing_of_others(
    asked: Asked, reranker: FakeReranker, way: str
) -> None:
    for caller in CALLERS:
        asked.ask(caller, "search", way)
        asked.ask(caller, "context", way)

    shown = [body for _, _, body in reranker.asked]
    assert len(shown) == 2 * len(CALLERS)
    assert all(body["texts"] for body in shown)
    assert not [text for body in shown for text in body["texts"] if "coffre" in text]
