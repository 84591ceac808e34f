"""The form that asks in which time zone somebody's days begin."""

from itertools import groupby
from zoneinfo import available_timezones

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from souvenir.console.words import REGIONS

Choices = list[tuple[str, str | Promise]]

# By their cities, as people here know them; the rest has the names of the IANA list.
_CANADA: Choices = [
    ("America/St_Johns", _("Newfoundland: St. John’s")),
    ("America/Halifax", _("Atlantic: Halifax, Moncton, Charlottetown")),
    ("America/Toronto", _("Eastern: Montréal, Québec, Ottawa, Toronto")),
    ("America/Winnipeg", _("Central: Winnipeg")),
    ("America/Regina", _("Central, the same all year: Regina, Saskatoon")),
    ("America/Edmonton", _("Mountain: Edmonton, Calgary, Yellowknife")),
    ("America/Whitehorse", _("Yukon: Whitehorse")),
    ("America/Vancouver", _("Pacific: Vancouver, Victoria")),
]
_NAMES = dict(_CANADA)


def _elsewhere() -> list[tuple[str | Promise, Choices]]:
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    regions = groupby(names, key=lambda name: name.partition("/")[0])
    return [
        (REGIONS[region], [(name, _place(name)) for name in found]) for region, found in regions
    ]


def _place(name: str) -> str:
    """America/Argentina/Buenos_Aires → “Argentina / Buenos Aires”."""
    return name.partition("/")[2].replace("/", " / ").replace("_", " ")


_ELSEWHERE = _elsewhere()
_LISTED = {"", "UTC", *(name for _region, found in _ELSEWHERE for name, _label in found)}


class TimeZoneForm(forms.Form):
    """One time zone of the IANA list, or none: then another's counts. The services decide."""

    time_zone = forms.CharField(label=_("Time zone"), required=False, widget=forms.Select)

    def __init__(self, *args: object, none: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own
        widget = self.fields["time_zone"].widget
        if isinstance(widget, forms.Select):
            kept = str(self["time_zone"].value() or "")
            widget.choices = [
                ("", none),
                *([] if kept in _LISTED else [(kept, kept)]),  # a name of yore, by the API
                (_("Canada"), _CANADA),
                *_ELSEWHERE,
                ("UTC", _("Universal time (UTC)")),
            ]


def zone_in_words(name: str) -> str:
    """A zone as the form shows it."""
    return str(_NAMES.get(name, name))
