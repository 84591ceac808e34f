"""The local embedder gives vectors that mean something, for any text at all."""

import numpy as np
import pytest

from souvenir.embedding.embedders import Embedder, Vectors
from souvenir.embedding.local import LONGEST_TEXT, local_embedder

SENTENCES = [
    "Marie prend le train de Québec tous les mardis.",
    "I am allergic to peanuts.",
    "",
    "The landlord will repair the heating before the end of November. " * 5,
    "🦊🍁",
    "Son vol part de Dorval à six heures et quart ; elle déteste se lever tôt.",
]


def vectors(*texts: str) -> Vectors:
    return local_embedder().embed(texts, kind="passage")


def test_it_is_an_embedder() -> None:
    embedder: Embedder = local_embedder()

    assert embedder.model_id == "multilingual-e5-small/q4/1"
    assert embedder.dimensions == 384


def test_each_text_has_one_row_of_unit_length() -> None:
    rows = vectors(*SENTENCES)

    assert rows.shape == (len(SENTENCES), 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_no_texts_have_no_rows(kind: str) -> None:
    rows = local_embedder().embed([], kind="query" if kind == "query" else "passage")

    assert rows.shape == (0, 384)
    assert rows.dtype == np.float32


def test_company_in_the_batch_does_not_change_a_vector() -> None:
    alone = np.concatenate([vectors(sentence) for sentence in SENTENCES])

    np.testing.assert_allclose(vectors(*SENTENCES), alone, atol=1e-5)


def test_rows_keep_the_order_of_more_texts_than_one_batch_holds() -> None:
    texts = [f"Note {number}: " + "encore " * (number % 7) for number in range(40)]

    rows = vectors(*texts)

    np.testing.assert_allclose(
        rows[[0, 17, 39]], vectors(texts[0], texts[17], texts[39]), atol=1e-5
    )


def test_the_same_texts_have_the_same_vectors() -> None:
    np.testing.assert_array_equal(vectors(*SENTENCES), vectors(*SENTENCES))


def test_a_question_is_not_embedded_as_a_passage_is() -> None:
    text = "Where does Marie go on Tuesdays?"

    question = local_embedder().embed([text], kind="query")

    assert float((question @ vectors(text).T).item()) < 0.999


@pytest.mark.parametrize(
    ("french", "english"),
    [
        ("Je suis allergique aux arachides.", "I am allergic to peanuts."),
        ("Elle a déménagé à Halifax en 2019.", "She moved to Halifax in 2019."),
        ("Le dentiste m'attend jeudi après-midi.", "I have a dental visit on Thursday afternoon."),
    ],
)
def test_a_paraphrase_in_the_other_language_is_nearer_than_another_subject(
    french: str, english: str
) -> None:
    other_french, other_english = "Le taux hypothécaire a monté.", "The mortgage rate went up."

    rows = vectors(french, english, other_french, other_english)

    nearness = rows @ rows.T
    assert nearness[0, 1] > nearness[0, 2:].max()
    assert nearness[0, 1] > nearness[1, 2:].max()


def test_a_question_finds_its_answer_in_the_other_language() -> None:
    answers = ["My sister's wedding is on the ninth of May.", "The cat needs a new vaccine."]

    question = local_embedder().embed(["Quand ma sœur se marie-t-elle ?"], kind="query")

    assert int(np.argmax(question @ vectors(*answers).T)) == 0


def test_an_accent_written_as_its_own_character_changes_nothing() -> None:
    composed, decomposed = "Montréal", "Montre\N{COMBINING ACUTE ACCENT}al"

    np.testing.assert_array_equal(vectors(composed), vectors(decomposed))


@pytest.mark.parametrize(
    "text",
    [
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 20,
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 20_000,
        "before\0after",
        "\0" * 100,
        "half a pair: \ud83d, and the other half: \udd8a",
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇦",
        "",
        " \t\r\n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}",
        "\N{DELETE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}",
        "a" + "\N{COMBINING ACUTE ACCENT}" * 300,
        "</s><pad><mask><unk>",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_no_text_breaks_it(text: str) -> None:
    rows = vectors(text, "An ordinary text beside it.")

    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_the_end_of_too_long_a_text_is_ignored() -> None:
    text = "Encore un mot. " * LONGEST_TEXT

    np.testing.assert_array_equal(vectors(text), vectors(text[:LONGEST_TEXT]))
