"""A passage is found by its own words first, then by those around it; only its own are shown."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.utils import timezone

from souvenir.ingestion.models import Passage, Trust
from souvenir.ingestion.passages import index_messages
from souvenir.ingestion.searchable import QUARTERS, Searchable, end_of
from souvenir.ingestion.surroundings import searchables_of, surroundings_of_memory
from souvenir.memories.models import Conversation, MemoryVersion, Message
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes


def test_what_was_said_before_counts_a_quarter() -> None:
    found = Searchable("Oui, mardi matin.", before="Tu viens réparer la chaudière?").for_words()

    assert found["mard"] == QUARTERS
    assert found["chaudi"] == 1


def test_title_author_and_day_are_found_too() -> None:
    said = Searchable("Hello there", title="Moving day", author="Nadine", said_on=date(2026, 7, 9))

    assert {"move", "nadin", "2026", "month:7", "9"} <= set(said.for_words())
    assert said.for_meaning() == "Moving day\nNadine: Hello there"


@pytest.mark.parametrize("zone", ["UTC", "America/Vancouver", "Asia/Tokyo"])
def test_the_day_of_a_passage_is_the_same_whoever_writes_it(zone: str) -> None:
    at = datetime(2026, 7, 10, 2, 30, tzinfo=UTC)  # the evening of the 9th in Toronto
    with timezone.override(zone):
        around = surroundings_of_memory(MemoryVersion(tenant_id=uuid4(), occurred_at=at))

    assert around.said_on == date(2026, 7, 9)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Court.", "Court."),
        ("Une longue phrase. " * 20 + "La fin?", "La fin?"),
        ("mot " * 100, "mot"),
        ("x" * 500, "x" * 120),
    ],
)
def test_the_end_of_a_text_begins_where_a_sentence_or_a_word_does(text: str, end: str) -> None:
    found = end_of(text, len(text))

    assert found.endswith(end)
    assert len(found) <= 120
    assert text.rstrip().endswith(found)
    assert found == found.strip()


def test_a_search_result_between_two_speakers_is_not_what_was_said_before(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Where is the ferry?", "At the wharf.", "And the boat?"))
    with tenant_scope(acme.id):
        talk = Conversation.objects.get()
        first, second, _ = Message.objects.order_by("ordinal")
        second.role = "tool"
        second.save()
        Passage.objects.all().delete()

        index_messages(talk, list(Message.objects.filter(ordinal=2)))
        (found,) = searchables_of(list(Passage.objects.all())).values()

    assert first.blocks[0]["text"] == found.before == "Where is the ferry?"


def test_whose_words_a_passage_holds_is_told(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("La clé est perdue", "Cherchez sous le pot"))

    with tenant_scope(acme.id):
        trust = dict(Passage.objects.values_list("role", "trust"))

    assert trust == {"user": Trust.STATED, "assistant": Trust.ANSWERED}
