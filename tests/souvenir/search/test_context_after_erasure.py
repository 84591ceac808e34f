"""Whoever was erased stands in no answer, however it is asked for: not then, and not before."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Store
from souvenir.memories.selectors import get_person, personal_store, reachable_stores
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from souvenir.search.context import Context, context
from souvenir.search.neighbours import Expand
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.keyring.services import destroy_subject_keys
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

_THEN, _LATER = datetime(2023, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_WAYS = {
    "plain": Filters(),
    "as of": Filters(as_of=_THEN),
    "known at": Filters(known_at=_LATER),
    "both clocks": Filters(as_of=_THEN, known_at=_LATER),
    "a kind": Filters(kinds=["fact"]),
}
_FIRST, _NOW = "Le chalet de Bob est à Matane", "Le chalet de Bob est à Gaspé"
_OURS, _OURS_NOW = "Le chalet de l’équipe est à Percé", "Le chalet de l’équipe est à Sutton"


@pytest.fixture
def kept(acme: Tenant) -> Tenant:
    """What Bob said himself, what the team and Alice say of him, and what they say of others.

    Each was corrected once, so that each has a past.
    """
    import_bytes(acme, chatgpt_export(f"{_FIRST}!", f"{_NOW}!", title=_FIRST), person="bob")
    with tenant_scope(acme.id):
        bob, alice = ensure_person(external_id="bob"), ensure_person(external_id="alice")
        team = ensure_shared_store(slug="team")
        _say_twice(personal_store(person=bob), _FIRST, _NOW)
        _say_twice(personal_store(person=alice), f"{_FIRST}.", f"{_NOW}.", "bob")
        _say_twice(team, f"{_FIRST}…", f"{_NOW}…", "bob")
        _say_twice(team, _OURS, _OURS_NOW)
    run_jobs(acme, Kind.EMBED_PASSAGES)
    return acme


def _say_twice(store: Store, first: str, then: str, *about: str) -> None:
    said = Statement(text=first, valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    memory = remember(store=store, statement=said, about=about)
    better = Statement(text=then, valid_from=datetime(2024, 1, 1, tzinfo=UTC))
    correct(memory_id=memory.id, statement=better)


def _ask(tenant: Tenant, way: str) -> Context:
    """All stores of the organization together."""
    with tenant_scope(tenant.id):
        stores = reachable_stores(bound_to=None)  # as a key that names nobody asks
        question = Question("Où est le chalet de Bob?", stores, only=_WAYS[way], limit=50)
        found = context(question, budget=2_000, expand=Expand.CONVERSATION)
        texts = {one.text for one in search(question).results}
    assert {item.text for item in found.items} >= texts
    return found


def _erase(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        request_erasure(target="person", target_id=get_person(external_id="bob").id)


def _erase_wholly(tenant: Tenant) -> None:
    _erase(tenant)
    run_jobs(tenant, Kind.ERASE)


def _destroy_the_key_alone(tenant: Tenant) -> None:
    """As when a copy of the database comes back whose keys are gone."""
    with tenant_scope(tenant.id):
        destroy_subject_keys(get_person(external_id="bob").id)


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("end", [_erase, _erase_wholly, _destroy_the_key_alone])
def test_a_person_who_was_erased_stands_in_no_block(
    kept: Tenant, way: str, end: Callable[[Tenant], None]
) -> None:
    before = _ask(kept, way)
    end(kept)
    after = _ask(kept, way)

    assert "Bob" in before.text, "what is to be erased is found"
    assert "Bob" not in after.text
    assert not [item for item in after.items if "Bob" in item.text + item.conversation_title]
    ours = _OURS if _WAYS[way].as_of else _OURS_NOW
    assert [item.text for item in after.items] == [ours], "and what is not his still is"
    assert (after.left_out, after.best_left_out) == ({}, [])
