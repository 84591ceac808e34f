"""What a question says of when, and what it quotes."""

from datetime import UTC, datetime, timedelta

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import remember
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from souvenir.search import candidates, timely
from souvenir.search.phrases import PHRASE_SHARE, worth_of_phrases
from souvenir.search.priors import RECENCY_SHARE, recency
from souvenir.search.questions import Question
from souvenir.search.services import Answer, search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, run_jobs

_ASKED = datetime(2026, 11, 26, 15, tzinfo=UTC)


def _remember(tenant: Tenant, *texts: str, said: datetime | None = None) -> None:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        for text in texts:
            remember(store=store, statement=Statement(text=text, occurred_at=said))


def _ask(tenant: Tenant, text: str, limit: int = 10) -> Answer:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        return search(Question(text, [store.id], limit=limit, asked_at=_ASKED))


def _texts(answer: Answer) -> list[str]:
    return [found.text for found in answer.results]


def test_what_is_of_the_time_asked_about_comes_first_and_the_rest_is_not_lost(
    acme: Tenant,
) -> None:
    _remember(acme, "Souper chez Nadine, des crêpes", said=datetime(2026, 3, 9, tzinfo=UTC))
    _remember(acme, "Souper chez Nadine, un ragoût", said=datetime(2026, 10, 9, tzinfo=UTC))

    march = _ask(acme, "Le souper chez Nadine en mars dernier")
    october = _ask(acme, "Supper at Nadine’s in October")

    assert march.time is not None
    assert march.time.words == "mars dernier"
    assert _texts(march) == ["Souper chez Nadine, des crêpes", "Souper chez Nadine, un ragoût"]
    assert _texts(october)[0] == "Souper chez Nadine, un ragoût"


def test_a_time_counts_where_no_word_of_a_passage_tells_it(acme: Tenant) -> None:
    for age in (1, 90, 300):
        _remember(acme, f"Souper chez Nadine {age}", said=_ASKED - timedelta(days=age))

    assert _texts(_ask(acme, "Le souper chez Nadine, il y a trois mois"))[0].endswith(" 90")


def test_what_was_said_then_is_found_though_all_candidates_are_nearer(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_CANDIDATES", 3)
    monkeypatch.setattr(candidates, "LEAST_POOL", 3)
    monkeypatch.setattr(timely, "TIME_SHARE", 0.5)  # what it is worth is another question
    _remember(acme, *[f"La chaudière fuit, note {n}" for n in range(6)], said=_ASKED)
    _remember(acme, "La chaudière fuit encore, dit Réjean", said=_ASKED - timedelta(days=1))
    run_jobs(acme, Kind.EMBED_PASSAGES)

    then = _ask(acme, "La chaudière fuit, quelle note, hier?", limit=1)
    whenever = _ask(acme, "La chaudière fuit, quelle note?", limit=1)

    assert _texts(then) == ["La chaudière fuit encore, dit Réjean"]
    assert _texts(whenever) != _texts(then)


def test_of_two_that_fit_as_well_the_newer_comes_first(acme: Tenant) -> None:
    _remember(acme, "La réunion est le mardi", said=datetime(2026, 10, 1, tzinfo=UTC))
    _remember(acme, "La réunion est le jeudi", said=datetime(2022, 10, 1, tzinfo=UTC))

    assert _texts(_ask(acme, "réunion"))[0] == "La réunion est le mardi"


def test_recency_is_a_little_at_most_and_never_less_than_nothing() -> None:
    ages = [timedelta(days=days) for days in (-10, 0, 1, 180, 360, 100_000)]

    assert [round(recency(age) / RECENCY_SHARE, 2) for age in ages] == [1, 1, 1, 0.5, 0.25, 0]


@pytest.mark.parametrize(
    "question",
    ["«le pot bleu»", "“Le  pot bleu”", '"LE POT BLEU"', "Où est « le pot bleu »?"],
)
def test_a_phrase_is_looked_for_as_it_is_written(acme: Tenant, question: str) -> None:
    _remember(
        acme,
        "Bleu, le pot. Le pot, bleu. Des pots bleus, bleu, bleus",
        "La clé est sous le pot\nbleu du perron, à côté de la vieille chaise que Réjean a laissée",
        "Le pot bleuté",
    )

    assert _texts(_ask(acme, question))[0].startswith("La clé est sous")


def test_a_phrase_counts_by_how_few_have_it() -> None:
    found = [frozenset({0, 1}), frozenset({0}), frozenset({0}), frozenset({0})]

    worth = worth_of_phrases(found)

    assert worth == [pytest.approx(PHRASE_SHARE), 0, 0, 0]
    assert worth_of_phrases([frozenset(), frozenset()]) == [0, 0]
    assert worth_of_phrases([frozenset({0})]) == [0]


def test_accents_of_a_phrase_are_as_they_are_written(acme: Tenant) -> None:
    _remember(acme, "Un homme marche, un marché, marché", "Il dit: un marche rapide")

    assert _texts(_ask(acme, '"un marché"'))[0] == "Un homme marche, un marché, marché"
    assert _texts(_ask(acme, '"un marche rapide"'))[0] == "Il dit: un marche rapide"


@pytest.mark.parametrize(
    "question",
    [
        "Where did I write « les chevaux »?",
        'Où ai-je écrit "Les Chevaux de l’école"?',
        "Where is “l’oeuvre des chevaux”?",
    ],
)
def test_a_phrase_is_looked_for_in_its_own_language(acme: Tenant, question: str) -> None:
    _remember(
        acme,
        "Les chevaux de l’école et l’œuvre des chevaux, c’est à côté du quai",
        "We wrote about the school and its horses where the work is, in a long letter",
        "They write chevaux on a sign",
    )

    assert _texts(_ask(acme, question, limit=1)) == [
        "Les chevaux de l’école et l’œuvre des chevaux, c’est à côté du quai"
    ]


@pytest.mark.parametrize(
    ("asked", "right", "nearly"),
    [
        (
            "3.5 km",
            "Le marathon fait 42,2 km, mais la course d’Adèle fait 3,5 km.",
            "Ça fait 35 km.",
        ),
        (
            "nadine@exemple.ca",
            "Écrire à nadine@exemple.ca pour ça.",
            "Écrire à nadine@exemples.ca.",
        ),
        ("418 555 0123", "Le notaire, au bureau ou ailleurs: 418-555-0123.", "Le 418-555-0132."),
        ("user_name", "The call user_name gives one string.", "The call user_names gives one."),
        ("Is it 7f1c-22a1-0001?", "The other one is 7f1c-22a1-0001.", "It is 7f1c-22a1-0000."),
    ],
)
def test_what_has_an_id_comes_before_what_is_nearly_the_same(
    acme: Tenant, asked: str, right: str, nearly: str
) -> None:
    _remember(acme, nearly, right, "La neige", "Le jardin")
    run_jobs(acme, Kind.EMBED_PASSAGES)

    assert _texts(_ask(acme, asked))[0] == right


def test_a_phrase_is_found_among_hundreds_that_have_its_words(acme: Tenant) -> None:
    _remember(acme, *[f"bleu pot bleu pot {n}" for n in range(150)], "Un très vieux pot bleu " * 9)

    assert _texts(_ask(acme, '"vieux pot bleu"', limit=3))[0].startswith("Un très vieux")


@pytest.mark.parametrize(
    "mark",
    ["ABC-123", "nadine@exemple.ca", "https://exemple.ca/a?b=7", "514-555-0199", "3,5 %", "K7"],
)
def test_marks_are_found_as_they_are_written(acme: Tenant, mark: str) -> None:
    others = ["ABC 124", "nadine@autre.ca", "https://exemple.ca/b", "514-555-0198", "3,7 %", "K 8"]
    _remember(acme, *others, f"Voici: {mark}.")

    assert _texts(_ask(acme, mark))[0] == f"Voici: {mark}."
    assert _texts(_ask(acme, f"Qu’est-ce que « {mark} »?"))[0] == f"Voici: {mark}."
