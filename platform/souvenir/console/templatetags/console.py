"""Words for codes, and numbers as people of the language write them."""

import re
from datetime import date, datetime

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.formats import date_format, number_format
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext

from souvenir.console.language import LANGUAGES, prefix_of
from souvenir.console.metadata_lines import lines_of, shown
from souvenir.console.words import place_in_words
from souvenir.console.words import word as word_for
from souvenir.memories.metadata import Metadata
from tenants.models import Organization

register = template.Library()
_STEP = 1000  # decimal units, as files are sold and sent


@register.filter
@stringfilter
def word(code: str, kind: str) -> str:
    """`{{ job.state|word:"job-state" }}`"""
    return word_for(code, kind)


@register.filter
@stringfilter
def place(code: str) -> str:
    """`{{ organization.placement|place }}`"""
    return place_in_words(code)


@register.filter
def metadata(entries: Metadata) -> str:
    """`name: value · name: value`"""
    return " · ".join(lines_of(entries).split("\n"))


@register.filter
def entries(metadata: Metadata) -> list[tuple[str, str]]:
    """(name, value) of each entry, by name, as lines have them."""
    return [(name, shown(metadata[name])) for name in sorted(metadata)]


@register.filter
def number(value: int) -> str:
    """1204 → “1 204”."""
    return number_format(value, force_grouping=True)


@register.filter
def size(size_bytes: int) -> str:
    """214000000 → “214 MB” (« 214 Mo »)."""
    units = (gettext("B"), gettext("kB"), gettext("MB"), gettext("GB"))
    amount, step = float(size_bytes), 0
    while amount >= _STEP and step < len(units) - 1:
        amount, step = amount / _STEP, step + 1
    needs_more = amount < 10 and round(amount, 1) % 1  # noqa: PLR2004 — two figures are enough
    decimals = 1 if needs_more else 0
    return f"{number_format(amount, decimals)}\xa0{units[step]}"


@register.filter(expects_localtime=True)
def day(value: date | None) -> str:
    """“March 14, 2026”; « 1er mars 2026 »; "" for None."""
    return _written(value, "DATE_FORMAT")


@register.filter(expects_localtime=True)
def moment(value: datetime | None) -> str:
    """“March 14, 2026, 13:40”; « 14 mars 2026, 13 h 40 »; "" for None."""
    return _written(value, "DATETIME_FORMAT")


def _written(value: date | None, form: str) -> str:
    written = date_format(value, form) if value else ""
    is_french = prefix_of(get_language()) == "fr"
    return re.sub(r"^1 ", "1er ", written) if is_french else written


@register.filter
def named(organization: Organization) -> str:
    """An organization's name in the reader's language."""
    is_french = prefix_of(get_language()) == "fr"
    return organization.name_fr if is_french else organization.name_en


@register.filter
def percent(done: int, total: int) -> int:
    """A share in whole percent, at most 100."""
    return min(100, done * 100 // total) if total else 0


@register.simple_tag
def other_language() -> str:
    """The language that the page is not in, as it stands in addresses."""
    return next(code for code in LANGUAGES if code != prefix_of(get_language()))


@register.simple_tag(takes_context=True)
def current(context: template.Context, *names: str) -> str:
    """Marks the tab of the page that is shown, by the names of its addresses."""
    match = getattr(context.get("request"), "resolver_match", None)
    is_current = match is not None and match.url_name in names
    return mark_safe(' aria-current="page"') if is_current else ""
