"""Asking a memory: by words at once, by meaning once embedded, in both languages, of one tenant."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import correct, remember
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from souvenir.search.errors import QuestionEmpty
from souvenir.search.questions import Filters, Question
from souvenir.search.services import Answer, search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs


def _remember(tenant: Tenant, *texts: str, person: str = "alice") -> None:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id=person))
        for text in texts:
            remember(store=store, statement=Statement(text=text))


def _ask(tenant: Tenant, text: str, **options: object) -> Answer:
    with tenant_scope(tenant.id):
        person = ensure_person(external_id=str(options.pop("person", "alice")))
        store = personal_store(person=person)
        return search(Question(text, [store.id], **options))  # type: ignore[arg-type]  # the test's own options


def test_what_was_just_stored_is_found_by_its_words(acme: Tenant) -> None:
    _remember(acme, "Le code du cadenas est K-20938", "Réunion le mardi")

    answer = _ask(acme, "cadenas")

    assert answer.results[0].text == "Le code du cadenas est K-20938"
    assert answer.results[0].similarity is None
    assert answer.pending == 2


def test_once_embedded_it_is_found_by_its_meaning_in_the_other_language(acme: Tenant) -> None:
    _remember(
        acme, "Je suis allergique aux noisettes", "La voiture est au garage", "Il neige à Rimouski"
    )
    run_jobs(acme, Kind.EMBED_PASSAGES)

    answer = _ask(acme, "Which nuts make me ill?")

    assert answer.pending == 0
    assert answer.results[0].text == "Je suis allergique aux noisettes"


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("Nous avons mangé des crêpes", "crepe"),
        ("L’école d’Adèle commence à 8 h 30", "ecole adele"),
        ("She was walking the dogs", "dog walk"),
        ("Numéro de permis PU-2026-0147", "0147"),
        ("Les chevaux du père Réjean", "cheval Réjean"),
    ],
)
def test_words_are_found_in_other_forms(acme: Tenant, stored: str, asked: str) -> None:
    _remember(acme, stored, "Rien à voir avec ça")

    assert _ask(acme, asked).results[0].text == stored


def test_a_corrected_memory_is_found_by_what_it_says_now(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        memory = remember(store=store, statement=Statement(text="Allergique aux noix"))
        correct(memory_id=memory.id, statement=Statement(text="Allergique aux noisettes"))

    assert [found.text for found in _ask(acme, "allergique").results] == [
        "Allergique aux noisettes"
    ]
    assert _ask(acme, "noix").results == []


def test_a_message_is_found_with_where_it_stands(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Où est la clé?", "Sous le pot de géranium.", title="Clés"))

    found = _ask(acme, "géranium").results[0]

    assert found.text == "Sous le pot de géranium."
    assert (found.conversation_title, found.role, found.provider) == (
        "Clés",
        "assistant",
        "chatgpt",
    )
    assert (found.block, found.start, found.end) == (0, 0, 24)
    assert found.message_id is not None


def test_filters_narrow_both_words_and_meaning(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("La cabane à sucre", "La cabane est fermée"))
    _remember(acme, "La cabane appartient à Nadine")
    run_jobs(acme, Kind.EMBED_PASSAGES)

    by_role = _ask(acme, "cabane", only=Filters(roles=["assistant"]))
    by_source = _ask(acme, "cabane", only=Filters(providers=["souvenir"]))
    before = _ask(acme, "cabane", only=Filters(until=datetime(2025, 1, 1, tzinfo=UTC)))
    after = _ask(acme, "cabane", only=Filters(since=datetime(2025, 1, 1, tzinfo=UTC)))

    assert [found.text for found in by_role.results] == ["La cabane est fermée"]
    assert [found.text for found in by_source.results] == ["La cabane appartient à Nadine"]
    assert before.results == []
    assert len(after.results) == 3


def test_an_answer_has_no_more_than_was_asked_for(acme: Tenant) -> None:
    _remember(acme, *[f"Note {number} sur le jardin" for number in range(8)])

    assert len(_ask(acme, "jardin", limit=3).results) == 3


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_question_is_refused(acme: Tenant, text: str) -> None:
    with pytest.raises(QuestionEmpty):
        _ask(acme, text)


@pytest.mark.parametrize(
    "text", ["?!", "le la les", "🦔", "x" * 20_000, "' OR 1=1 --", "%(tenant)s"]
)
def test_an_odd_question_is_answered_all_the_same(acme: Tenant, text: str) -> None:
    _remember(acme, "Quelque chose")

    assert _ask(acme, text).results == []


def test_one_question_is_one_round_trip(acme: Tenant) -> None:
    _remember(acme, "Le jardin", "La neige")
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))

        with CaptureQueriesContext(connection) as queries:
            search(Question("jardin", [store.id]))

    assert len(queries) == 1


def test_another_person_s_memory_is_not_in_the_answer(acme: Tenant) -> None:
    _remember(acme, "Le secret de Bob", person="bob")

    assert _ask(acme, "secret").results == []


def test_globex_s_memory_is_not_in_the_answer(acme: Tenant, globex: Tenant) -> None:
    _remember(globex, "Le secret de globex")
    run_jobs(globex, Kind.EMBED_PASSAGES)
    with tenant_scope(globex.id):
        theirs = personal_store(person=ensure_person(external_id="alice"))

    with tenant_scope(acme.id):
        answer = search(Question("secret", [theirs.id]))

    assert answer.results == []
    assert answer.pending == 0


def test_what_was_just_stored_is_found_by_its_words_every_time(acme: Tenant) -> None:
    _remember(acme, "Le jardin est prêt")
    run_jobs(acme, Kind.EMBED_PASSAGES)

    for number in range(20):
        _remember(acme, f"Le colis {7000 + number} est arrivé")
        assert f"{7000 + number}" in _ask(acme, f"colis {7000 + number}").results[0].text


def test_what_was_just_stored_comes_before_what_is_near_and_has_not_its_words(acme: Tenant) -> None:
    names = ["Rofamovu", "Gubutobe", "Tifutapu", "Fugorefo", "Bofubefe", "Gifenopa", "Getapipu"]
    _remember(acme, *[f"La clé de {name} est dans la cuisine." for name in names])
    run_jobs(acme, Kind.EMBED_PASSAGES)

    for name in ("Gufivope", "Gopudoba", "Fupufofe"):
        _remember(acme, f"La clé de {name} est dans la cuisine.")
        found = _ask(acme, f"Où est la clé de {name}?").results[0]
        assert (name in found.text, found.similarity) == (True, None)


def test_a_text_that_is_there_twice_is_in_the_answer_once(acme: Tenant) -> None:
    _remember(acme, "Le code est 4411", "le code est 4411!", "Le code postal")

    assert len(_ask(acme, "code").results) == 2


def test_answers_are_narrowed_by_kind_language_and_trust(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("La cabane à sucre", "The cabane is closed for the winter"))
    _remember(acme, "La cabane appartient à Nadine")

    def found(only: Filters) -> set[str]:
        return {one.text for one in _ask(acme, "cabane", only=only).results}

    assert found(Filters(kinds=["fact"])) == {"La cabane appartient à Nadine"}
    assert found(Filters(languages=["en"])) == {"The cabane is closed for the winter"}
    assert "The cabane is closed for the winter" not in found(Filters(least_trust=3))
