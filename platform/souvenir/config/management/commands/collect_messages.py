"""`manage.py collect_messages`: brings the French catalogue up to date. Needs no gettext tools.

Python is read by Babel, templates by Django's own parser: what it renders is what is collected.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.core.management.base import BaseCommand, CommandError
from django.template import Engine, Template
from django.template.base import Node, NodeList, Token
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import trim_whitespace

from souvenir.config.environment import CHECKOUT

CATALOGUE = CHECKOUT / "platform/souvenir/locale/fr_CA/LC_MESSAGES/django.po"
_SOURCES = ("platform/souvenir", "tenants", "workers")
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# Said by the API as the title of a problem: the standard library's names, which changed in 3.13.
_STATUS_PHRASES = (
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Method Not Allowed",
    "Conflict",
    "Gone",
    "Locked",
    "Internal Server Error",
    "Request Entity Too Large",
    "Content Too Large",
    "Service Unavailable",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A message, as a catalogue keeps it: a pair where it has a plural."""

    id: str | tuple[str, str]
    context: str | None
    path: str  # of its file, from the checkout


class Command(BaseCommand):
    help = "Collect every message of the code and the templates into the French catalogue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail if it would")

    def handle(self, *, check: bool, **_: object) -> None:
        catalogue = updated(read_catalogue())
        missing = len(untranslated(catalogue))
        if check and set(read_catalogue()._messages) != set(catalogue._messages):
            msg = "The catalogue is behind the code: python manage.py collect_messages"
            raise CommandError(msg)
        if not check:
            write_catalogue(catalogue)
        self.stdout.write(f"{len(catalogue)} messages, {missing} without a translation")


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages of which some form has no translation."""
    return [
        str(message.id) for message in catalogue if message.id and not all(_forms(message.string))
    ]


def _forms(text: str | Iterable[str] | None) -> list[str]:
    """One, or one for each plural; one empty form where there is no translation."""
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def read_catalogue() -> Catalog:
    """The catalogue as it stands."""
    with CATALOGUE.open("rb") as stream:
        return read_po(stream, locale="fr_CA")


def write_catalogue(catalogue: Catalog) -> None:
    """Sorted, without line numbers: an edit elsewhere changes nothing here."""
    with CATALOGUE.open("wb") as stream:
        write_po(
            stream,
            catalogue,
            sort_by_file=True,
            include_lineno=False,
            ignore_obsolete=True,
            width=100,
        )


def updated(catalogue: Catalog) -> Catalog:
    """The catalogue with the messages of today: translations kept, none guessed."""
    template = collected()
    template.creation_date = catalogue.creation_date  # the same messages give the same file
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    return catalogue


def collected() -> Catalog:
    """Every message of the code and the templates, untranslated."""
    catalogue = Catalog(project="Souvenir", fuzzy=False)
    for found in _found():
        catalogue.add(found.id, context=found.context, locations=[(found.path, 0)])
    return catalogue


def _found() -> Iterator[Found]:
    for phrase in _STATUS_PHRASES:
        yield Found(phrase, None, "platform/souvenir/api/problems.py")
    for folder in _SOURCES:
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            yield from _in_python(path)
        for path in sorted((CHECKOUT / folder).rglob("templates/**/*.html")):
            yield from _in_template(path)


def _in_python(path: Path) -> Iterator[Found]:
    name = str(path.relative_to(CHECKOUT))
    with path.open("rb") as stream:
        for _, message, _, context in extract("python", stream, keywords=_KEYWORDS):
            plural = isinstance(message, tuple) and len(message) > 1
            single = message[0] if isinstance(message, tuple) else message
            yield Found((message[0], message[1]) if plural else single, context, name)


def _in_template(path: Path) -> Iterator[Found]:
    name = str(path.relative_to(CHECKOUT))
    template: Template = Engine.get_default().from_string(path.read_text())
    for node in _nodes(template.nodelist):
        if isinstance(node, TranslateNode):
            context = str(node.message_context.var) if node.message_context else None
            yield Found(str(node.filter_expression.var.literal), context, name)
        elif isinstance(node, BlockTranslateNode):
            yield Found(_block_id(node), None, name)


def _nodes(nodelist: NodeList) -> list[Node]:
    return nodelist.get_nodes_by_type((TranslateNode, BlockTranslateNode))  # type: ignore[arg-type]  # isinstance takes a tuple


def _block_id(node: BlockTranslateNode) -> str | tuple[str, str]:
    singular = _text(node, node.singular)
    return (singular, _text(node, node.plural)) if node.plural else singular


def _text(node: BlockTranslateNode, tokens: list[Token]) -> str:
    text, _ = node.render_token_list(tokens)
    return trim_whitespace(text) if node.trimmed else str(text)
