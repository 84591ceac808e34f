"""Everything that a person reads exists in French, as it is written in Canada."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from souvenir.config.management.commands.collect_messages import (
    collected,
    read_catalogue,
    untranslated,
)

NBSP = "\u00a0"
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
_MARKUP = re.compile(r"</?\w+[^>]*>")
# What the OQLF asks for. A colon has a space before it that does not break, except in an address,
# a time or code; ; ! and ? have none.
_TYPOGRAPHY = {
    "a plain space before a colon": re.compile(r" :"),
    "a space before ; ! or ?": re.compile(r"[\s\u00a0\u202f][;!?]"),
    "no space before a colon": re.compile(r"(?<![\s\u00a0])(?<!Authorization):(?![/\w]|\d)(?=\s)"),
    "no space that does not break inside « »": re.compile("«(?!\u00a0)|(?<!\u00a0)»"),
    "English quotes": re.compile('[“”"]'),
    "a straight apostrophe": re.compile(r"'"),
    "three dots": re.compile(r"\.\.\."),
}
_AVOIDED = {
    "a word that the OQLF advises against": re.compile(
        r"\b(e-?mails?|mails?|uploader|upload|login|logout|cloud|digital|données personnelles|"
        r"token|sauvegarder|supporter|prompt|feedback)\b",
        re.IGNORECASE,
    )
}

CATALOGUE = [message for message in read_catalogue() if message.id]


def _forms(message: Message) -> Iterator[tuple[str, str]]:
    """(English, French), for each plural."""
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    french = [message.string] if isinstance(message.string, str) else list(message.string or ())
    yield from zip(english, french, strict=True)


def test_the_catalogue_holds_the_messages_of_the_code_and_no_others() -> None:
    wanted = {(message.context, message.id) for message in collected() if message.id}
    held = {(message.context, message.id) for message in CATALOGUE}

    assert held == wanted, "python manage.py collect_messages, then translate"


def test_nothing_is_without_its_french() -> None:
    assert untranslated(read_catalogue()) == []


def test_nothing_is_guessed() -> None:
    assert [message.id for message in CATALOGUE if message.fuzzy] == []


def test_translations_keep_their_placeholders_and_their_markup() -> None:
    wrong = [
        (english, french)
        for message in CATALOGUE
        for english, french in _forms(message)
        if set(_PLACEHOLDER.findall(french)) != set(_PLACEHOLDER.findall(english))
        or sorted(_MARKUP.findall(french)) != sorted(_MARKUP.findall(english))
        or french.count("\n") != english.count("\n")
    ]

    assert wrong == []


def test_translations_are_written_as_in_canada() -> None:
    wrong = [
        (french, what)
        for message in CATALOGUE
        for _, french in _forms(message)
        for what, pattern in (_TYPOGRAPHY | _AVOIDED).items()
        if pattern.search(french)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Quoi : ceci", "a plain space before a colon"),
        ("Quoi: ceci", "no space before a colon"),
        ("Quoi\u00a0?", "a space before ; ! or ?"),
        ("« quoi »", "no space that does not break inside « »"),
        ("l'été", "a straight apostrophe"),
        ("par e-mail", "a word that the OQLF advises against"),
    ],
)
def test_the_rules_find_what_they_are_for(text: str, what: str) -> None:
    assert (_TYPOGRAPHY | _AVOIDED)[what].search(text)
