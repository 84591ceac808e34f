"""What search matches: stems of the text's language, and what must be found as it is written."""

from datetime import date

import pytest

from souvenir.ingestion.languages import language_of
from souvenir.ingestion.terms import asked_terms, date_terms, exact_terms, terms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where did I leave the key?", "en"),
        ("Où ai-je laissé la clé?", "fr"),
        ("I'll drive, you pick the music", "en"),
        ("L’école d’Adèle", "fr"),
        ("K-20938", ""),
        ("", ""),
        ("Il a dit : « I’ll drive », et on est partis", "fr"),
    ],
)
def test_a_text_s_language_is_read_from_its_small_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("She was walking the dogs", "dog walk", "en"),
        ("Les chevaux mangeaient", "cheval manger", "fr"),
        ("l’école", "ECOLE", "fr"),
        ("318,000 dollars", "318000 dollar", "en"),
        ("318 000 dollars", "318000 dollar", "fr"),
        ("1 234,56 $", "1234.56", "fr"),
        ("une œuvre, du cœur, et cætera", "oeuvre coeur caetera", "fr"),
        ("j’l’ai mis à lʼécole", "ecole", "fr"),
        ("Le 1er mars, au 2e étage", "1 mars 2 étage", "fr"),
        ("on the 3rd floor", "3 floor", "en"),
        ("à 8h30, 5km plus loin", "8 h 30 5 km", "fr"),
        ("le congé\u00adlateur", "congélateur", "fr"),
        ("514 555 0199", "514-555-0199", "fr"),
        ("dit le 2025-03-01", "1 mars 2025", "fr"),
        ("on 2025-03-01", "March 1, 2025", "en"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str, language: str) -> None:
    assert set(terms(other, language=language)) <= set(terms(one, language=language))


def test_small_words_of_the_language_are_left_out_and_of_the_other_kept() -> None:
    assert terms("my son and the tons of it", language="en") == ["son", "ton"]
    assert "son" not in terms("son fils", language="fr")


@pytest.mark.parametrize(
    "word",
    ["chaudière", "données", "sécurité", "oubliés", "journée", "humidité", "litière", "marée"],
)
@pytest.mark.parametrize("language", ["fr", ""])
def test_a_question_without_accents_finds_what_was_written_with_them(
    word: str, language: str
) -> None:
    bare = word.translate(str.maketrans("èéà", "eea"))

    (found_as,) = asked_terms(bare, language=language)

    assert set(terms(word, language="fr")) & set(found_as)


def test_whoever_types_accents_means_them() -> None:
    assert asked_terms("La poussière et le bebe oublie", language="fr") == [
        ("beb",), ("oubl",), ("poussi",),
    ]  # fmt: skip


def test_where_the_language_is_not_known_both_stems_count_as_one_word() -> None:
    assert set(terms("chevaux")) == {"cheval", "chevaux"}
    assert asked_terms("chevaux K9 chevaux") == [("chevaux", "cheval"), ("k9",)]


def test_a_month_is_the_same_term_in_both_languages() -> None:
    french = terms("le 8 mai 2023", language="fr")

    assert french == terms("8 May 2023", language="en") == date_terms(date(2023, 5, 8))
    assert "month:5" not in terms("it may rain in march", language="en")


@pytest.mark.parametrize(
    ("passage", "question"),
    [
        ("Le permis PU-2026-0147 est arrivé", "pu-2026-0147"),
        ("We met Charles at the wharf", "Who is Charles?"),
        ("On a vu Charles au quai", "Charles, c’est qui?"),
        ("Appelle get_user_names ici", "Où est get_user_names?"),
        ("userNames is a list", "What is userNames?"),
        ("Le fichier src/api/routes.py", "src/api/routes.py"),
        ("Écrire à nadine@exemples.ca", "nadine@exemples.ca"),
        ("Appeler le 514‑555‑0199", "(514) 555-0199"),
        ("Appeler le 514 555 0199", "514.555.0199"),
        ("Ça coûte 1 234,56 $", "1,234.56"),
        ("La course fait 3,5 km", "3.5km"),
    ],
)
def test_names_and_marks_are_kept_as_they_are_written(passage: str, question: str) -> None:
    asked = exact_terms(question, is_question=True)

    assert asked
    assert asked <= exact_terms(passage)


def test_an_identifier_is_told_from_one_that_has_the_same_stem() -> None:
    assert exact_terms("user_names") != exact_terms("user_name")
    assert exact_terms("getUserNames") != exact_terms("getUserName")
    assert exact_terms("un week-end, peut-être, il/elle, at 3 p.m. and/or i.e. so") == set()


def test_the_first_word_of_a_sentence_is_no_name() -> None:
    assert exact_terms("Evidence arrives. Running helps. - Walking too") == set()


@pytest.mark.parametrize(
    "text",
    [
        "Q" * 100_000,
        "a-" * 50_000,
        "l'" * 50_000,
        "1 000" * 20_000,
        "100 " * 25_000 + "1",
        "9" * 100_000,
    ],
)
def test_a_text_of_one_kind_takes_no_longer_than_another(text: str) -> None:
    found = terms(text, language="fr")

    assert all(len(term) <= 64 or term.isdigit() for term in found)
    assert all(len(term) <= 65 for term in exact_terms(text))
