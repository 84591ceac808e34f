"""What is found in stores that are long, large, or in two languages."""

import json

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from souvenir.search import frequent
from souvenir.search.questions import Question
from souvenir.search.services import Answer, search
from souvenir.search.speakers import named_in
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

_MOST_OF_A_SOURCE = 6  # of ten


def _shared(tenant: Tenant, *texts: str) -> Store:
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        for text in texts:
            remember(store=store, statement=Statement(text=text))
    run_jobs(tenant, Kind.EMBED_PASSAGES)
    return store


def _promote(tenant: Tenant, store: Store) -> None:
    with tenant_scope(tenant.id):
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(tenant, Kind.PROMOTE_STORE)


def _ask(tenant: Tenant, store: Store, text: str, **options: object) -> Answer:
    with tenant_scope(tenant.id):
        return search(Question(text, [store.id], **options))  # type: ignore[arg-type]  # the test's own options


def _texts(answer: Answer) -> list[str]:
    return [found.text for found in answer.results]


def test_a_talk_that_fills_all_places_leaves_others_their_share(acme: Tenant) -> None:
    talk = [f"Le jardin {number}" for number in range(120)]
    import_bytes(acme, chatgpt_export(*talk))
    for number in range(5):
        # Longer: each turn of the talk has more of the question's words for its length.
        text = f"Il a fallu passer par le jardin avant de trouver la porte numéro {number}"
        import_bytes(acme, chatgpt_export(text, conversation=f"other-{number}"))
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))

    found = _texts(_ask(acme, store, "Le jardin?"))

    assert len(found) == 10
    assert len(set(found) & set(talk)) == _MOST_OF_A_SOURCE


def test_a_long_talk_that_is_alone_fills_the_answer(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(*[f"Le jardin {number}" for number in range(90)]))
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))

    assert len(_texts(_ask(acme, store, "Le jardin?"))) == 10


def test_what_globex_says_does_not_come_in_beside_a_long_talk(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export(*[f"Le jardin {number}" for number in range(90)]))
    import_bytes(globex, chatgpt_export("Le jardin de globex"))
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))

    assert "Le jardin de globex" not in _texts(_ask(acme, store, "Le jardin?"))


_STRANGERS = {
    "fr": [
        "La réunion du conseil est le mardi",
        "Le chalet est à vendre",
        "Le dentiste est rue Saint-Jean",
        "La chorale répète au sous-sol de l’église",
        "Le budget de la cuisine est de 4 000 $",
    ],
    "en": [
        "The council meets on Tuesdays",
        "The cottage is for sale",
        "The dentist is on Saint-Jean Street",
        "The choir rehearses in the church basement",
        "The budget for the kitchen is $4,000",
    ],
}


@pytest.mark.parametrize(
    ("question", "right", "strangers"),
    [
        ("When does the boat leave?", "The ferry sails at noon", "fr"),
        ("Où garde-t-on le vélo?", "La bicyclette est dans la remise", "en"),
        ("Qui soigne les animaux?", "La vétérinaire passe voir le chat", "en"),
        # And where the answer is in the other language, it is not behind strangers of one's own.
        ("When does the boat leave?", "Le traversier part à midi", "en"),
        ("Où garde-t-on le vélo?", "The bicycle is in the shed", "fr"),
    ],
)
def test_other_words_or_another_language_are_found_before_strangers_of_either(
    acme: Tenant, question: str, right: str, strangers: str
) -> None:
    store = _shared(acme, *_STRANGERS[strangers], right)

    assert _texts(_ask(acme, store, question))[0] == right


def test_what_somebody_says_answers_before_what_is_said_to_them(acme: Tenant) -> None:
    said = "Je me suis inscrite à un cours de poterie, c’est le mardi soir au centre communautaire."
    asked = "Un cours de poterie le mardi soir au centre, Mélanie, voilà une bonne idée je trouve!"
    import_bytes(acme, _between("Mélanie Roy", "Caroline", said, asked))
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))

    by_name = {
        name: _texts(_ask(acme, store, f"Quel cours de poterie {name} suit-elle le mardi soir?"))
        for name in ("melanie", "Caroline")
    }

    assert by_name["melanie"][0] == said
    assert by_name["Caroline"][0] == asked


def _between(one: str, other: str, *texts: str) -> bytes:
    """A talk of two who are named, in turn."""
    (talk,) = json.loads(chatgpt_export(*texts))
    for place, name in enumerate((one, other)):
        talk["mapping"][f"c-1-m{place}"]["message"]["author"]["name"] = name
    return json.dumps([talk]).encode()


@pytest.mark.parametrize(
    ("question", "author", "is_named"),
    [
        ("When did Melanie go?", "Melanie", True),
        ("what did melanie say", "Mélanie Roy", True),
        ("Qu’a dit Adèle?", "adele.b", True),
        ("When will they come?", "Will They", False),
        ("When did Melanie go?", "", False),
        ("When did Melanie go?", "+1 418 555-0147", False),
        ("Où est Anne-Marie?", "Marie", True),
    ],
)
def test_whom_a_question_names(question: str, author: str, is_named: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert named_in(question)(author) is is_named


@pytest.fixture
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is frequent among millions, for a store of ten."""
    monkeypatch.setattr(frequent, "LEAST", 5)
    monkeypatch.setattr(frequent, "SHARE", 0.0)


@pytest.mark.usefixtures("_few_are_many")
def test_a_word_that_most_of_a_large_store_has_is_not_looked_for(acme: Tenant) -> None:
    rooms = [f"Le chalet a une chambre {number}" for number in range(7)]
    store = _shared(acme, *rooms, "La bouilloire du chalet")
    _promote(acme, store)

    answer = _ask(acme, store, "la bouilloire du chalet")

    assert answer.results[0].text == "La bouilloire du chalet"
    assert [found.text for found in answer.results if found.bm25] == ["La bouilloire du chalet"]


@pytest.mark.usefixtures("_few_are_many")
def test_a_question_of_frequent_words_alone_is_answered_where_only_words_count(
    acme: Tenant,
) -> None:
    store = _shared(acme, *[f"Le chalet a une chambre {number}" for number in range(7)])
    _promote(acme, store)

    assert len(_texts(_ask(acme, store, "Le chalet?", dense_weight=0.0))) == 7


@pytest.mark.usefixtures("_few_are_many")
def test_a_quoted_phrase_is_found_by_its_rare_words_in_a_large_store(acme: Tenant) -> None:
    rooms = [f"Le chalet a une chambre {number}" for number in range(7)]
    store = _shared(acme, *rooms, "Un chalet sans bouilloire", "La bouilloire du chalet")
    _promote(acme, store)

    assert _texts(_ask(acme, store, "« bouilloire du chalet »"))[0] == "La bouilloire du chalet"


@pytest.mark.usefixtures("_few_are_many")
def test_in_an_ordinary_store_every_word_counts(acme: Tenant) -> None:
    store = _shared(acme, *[f"Le chalet a une chambre {number}" for number in range(7)])

    answer = _ask(acme, store, "Le chalet?")

    assert all(found.bm25 for found in answer.results)
    assert len(answer.results) == 7


def test_what_scores_less_than_is_asked_for_is_left_out(acme: Tenant) -> None:
    store = _shared(acme, "Je suis allergique aux noisettes", "La voiture est au garage")

    every = _ask(acme, store, "À quoi suis-je allergique?")
    # A little less: what is recent is a little less so with each question.
    least = every.results[0].score - 0.001
    few = _ask(acme, store, "À quoi suis-je allergique?", min_score=least)
    none = _ask(acme, store, "What is the capital of Mongolia?", min_score=0.15)

    assert _texts(every) == ["Je suis allergique aux noisettes", "La voiture est au garage"]
    assert _texts(few) == ["Je suis allergique aux noisettes"]
    assert _texts(none) == []
