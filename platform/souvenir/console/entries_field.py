"""Entries of metadata to search by: rows of a name and a value, of which all must be there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from souvenir.console.failures import told
from souvenir.console.metadata_lines import value_of
from souvenir.core.errors import Invalid
from souvenir.memories.metadata import Value, Wanted, wanted_in

Pair = tuple[str, str]  # a name and a value, as they were typed

_HELP: Promise = format_lazy(
    _(
        "Only memories have it, and all entries must be there; of a name that is given twice, one "
        "of the values. 12 is a number, true and false are what they say; in quotes, {quoted}, "
        "they are texts."
    ),
    quoted='"12"',
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the page shows it."""

    name: str
    value: str
    wrong: bool = False


class _EntriesInput(forms.Widget):
    """Two lists in what is sent: a name and a value for each row that is not empty."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> list[Pair]:
        del files
        if not isinstance(data, MultiValueDict):
            return []
        sent = (data.getlist(field) for field in (f"{name}_name", f"{name}_value"))
        pairs = [(one.strip(), two.strip()) for one, two in zip_longest(*sent, fillvalue="")]
        return [pair for pair in pairs if any(pair)]


class EntriesField(forms.Field):
    """What a filter by metadata asks for."""

    widget = _EntriesInput

    def __init__(self) -> None:
        super().__init__(required=False, label=_("Metadata"), help_text=_HELP)  # type: ignore[arg-type]  # lazy

    def clean(self, value: list[Pair]) -> list[Wanted]:
        """All of it, or what is wrong with each row."""
        if wrong := [said for pair in numbered(value) if (said := wrong_with(*pair))]:
            raise ValidationError(wrong)
        together: dict[str, list[Value]] = {}
        for name, text in value:
            [wanted] = wanted_in({name: value_of(text)})
            together.setdefault(wanted.name, []).extend(wanted.values)
        try:
            return wanted_in(together)
        except Invalid as error:
            raise ValidationError(told(error)) from error


def rows_of(pairs: list[Pair] | None) -> list[Row]:
    """Those that were filled in, and an empty one for the next."""
    filled = [Row(*pair, wrong=bool(wrong_with(number, pair))) for number, pair in numbered(pairs)]
    return [*filled, Row("", "")]


def numbered(pairs: list[Pair] | None) -> Iterator[tuple[int, Pair]]:
    """Rows with the numbers that errors give them."""
    return enumerate(pairs or [], 1)


def wrong_with(number: int, pair: Pair) -> str:
    """What is wrong with a row, in the reader's language; "": nothing."""
    name, text = pair
    if not text:
        return gettext("Entry %(number)s of the metadata has a name and no value.") % {
            "number": number
        }
    if not name:
        return gettext("Entry %(number)s of the metadata has a value and no name.") % {
            "number": number
        }
    try:
        wanted_in({name: value_of(text)})
    except Invalid as error:
        return told(type(error)(**error.params | {"position": number}))
    return ""
