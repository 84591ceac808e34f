"""Texts are cut as the model's published tokenizer cuts them, and each token knows its place."""

import unicodedata
from time import process_time

import pytest

from souvenir.embedding.e5_tokenizer import E5Tokenizer
from souvenir.embedding.e5_weights import E5Weights, installed_weights
from souvenir.embedding.local import local_embedder

# What the model's published tokenizer.json gives, without the markers at both ends.
PUBLISHED = [
    ("L'été à Montréal, c’est court.", [339, 25, 53484, 253, 218744, 4, 501, 26, 525, 29685, 5]),
    ("The  cat\tsat on 3 mats.", [581, 7515, 11736, 98, 138, 2589, 7, 5]),
    ("Œuvre № ½ — \uff21\uff22\uff23", [6, 244060, 34, 13567, 438, 78660, 292, 47457]),
    ("日本語のテキスト", [6, 98449, 154, 193508]),
    ("🦊🍁 ok 👩\u200d👧", [6, 248345, 246071, 3664, 6, 244785, 6, 245719]),
    ("\ufdfa", [16509, 1423, 4472, 8756]),
    ("a\0b", [10, 3, 275]),
    ("\U00012000\U00012001x", [6, 3, 425]),
    ("trailing \n", [141037, 214, 6]),
    ("", []),
]


@pytest.fixture(scope="module")
def tokenizer() -> E5Tokenizer:
    return E5Tokenizer(E5Weights(installed_weights()).vocabulary)


def shown(text: str) -> list[str]:
    return [text[start:end] for start, end in local_embedder().token_spans(text)]


@pytest.mark.parametrize(("text", "ids"), PUBLISHED)
def test_ids_are_those_of_the_published_tokenizer(
    tokenizer: E5Tokenizer, text: str, ids: list[int]
) -> None:
    assert [piece.id for piece in tokenizer.pieces(text)] == ids


@pytest.mark.parametrize(("text", "ids"), PUBLISHED)
def test_an_input_is_cut_short_between_its_two_markers(
    tokenizer: E5Tokenizer, text: str, ids: list[int]
) -> None:
    assert tokenizer.encode(text, limit=3) == [0, *ids[:3], 2]


def test_no_text_spells_a_marker(tokenizer: E5Tokenizer) -> None:
    ids = {piece.id for piece in tokenizer.pieces("<s></s><pad><unk><mask> <s> </s>")}

    assert not ids & {0, 1, 2, 250_001}


@pytest.mark.parametrize(("text", "ids"), PUBLISHED)
def test_as_many_spans_as_tokens_and_none_goes_backwards(text: str, ids: list[int]) -> None:
    spans = local_embedder().token_spans(text)

    assert local_embedder().count_tokens(text) == len(spans) == len(ids)
    assert spans == sorted(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)


def test_spans_are_in_the_text_as_given() -> None:
    text = "Le  café\N{NO-BREAK SPACE}: ½ prix"

    assert shown(text) == ["Le", "café", ":", "½", "prix"]


def test_spans_count_an_accent_of_its_own_as_a_character() -> None:
    text = unicodedata.normalize("NFD", "L'été à Montréal")

    assert shown(text) == [
        unicodedata.normalize("NFD", word) for word in ["L", "'", "été", "à", "Montréal"]
    ]


def test_several_words_in_one_character_share_its_span() -> None:
    assert local_embedder().token_spans("x \ufdfa y") == [(0, 1), *[(2, 3)] * 4, (4, 5)]


@pytest.mark.parametrize(
    "text",
    ["a" * 50_000, "e\N{COMBINING ACUTE ACCENT}\N{COMBINING CEDILLA}" + "\u0301\u0327" * 25_000],
    ids=["one word", "one letter"],
)
def test_hostile_texts_take_time_in_proportion(text: str) -> None:
    began = process_time()

    assert local_embedder().count_tokens(text) > 0

    assert process_time() - began < 3
