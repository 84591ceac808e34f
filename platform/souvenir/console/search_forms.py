"""What people ask, and of what: the forms of search and of the context preview."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from souvenir.console.entries_field import EntriesField, Row, rows_of
from souvenir.console.words import KINDS, PROVIDERS, ROLES
from souvenir.ingestion.models import Trust
from souvenir.search.context import DEFAULT_BUDGET, MOST_TOKENS
from souvenir.search.neighbours import Expand
from souvenir.search.questions import Filters, Question

_LONGEST = 500  # characters of a question
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LEAST_BUDGET = 200  # tokens: the frame alone takes about 140
_NOT_IN_THE_LIST = {"invalid_choice": _("This is not in the list. Choose again.")}
_KINDS: dict[str, str | Promise] = {"message": _("Messages"), **KINDS}
_LANGUAGES = [("", _("Either one")), ("fr", _("French")), ("en", _("English"))]
_TRUST = [
    ("", _("Anyone’s")),
    (str(Trust.ANSWERED.value), _("Yours and those of assistants")),
    (str(Trust.STATED.value), _("Yours only")),
]
_EXPAND = [
    (Expand.NONE.value, _("Nothing: what answers, and no more")),
    (Expand.NEIGHBOURS.value, _("The messages right before and after")),
    (Expand.CONVERSATION.value, _("The whole conversation, as far as there is room")),
]


def _within_reach(day: date) -> None:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValidationError(
            _("This year is out of reach: it goes from %(first)s to %(last)s."),
            params={"first": _FIRST_YEAR, "last": _LAST_YEAR},
        )


class _DayField(forms.DateField):
    """A day that may be left out, as a browser sends it."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def __init__(self, *, label: Promise, help_text: Promise | str = "") -> None:
        super().__init__(
            label=label,  # type: ignore[arg-type]  # lazy, as Django takes it
            help_text=help_text,  # type: ignore[arg-type]  # likewise
            required=False,
            input_formats=["%Y-%m-%d"],
            validators=[_within_reach],
            error_messages={"invalid": _("This is not a date. Write it like this: 2026-03-14.")},
        )


class _ManyField(forms.MultipleChoiceField):
    """Some of a few, or none: then all count."""

    def __init__(self, *, label: Promise, choices: Sequence[tuple[str, str | Promise]]) -> None:
        super().__init__(
            label=label,  # type: ignore[arg-type]  # lazy, as Django takes it
            choices=choices,
            required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
            error_messages=_NOT_IN_THE_LIST,
        )


class SearchForm(forms.Form):
    """A question, and what may answer it. Of a day, all of it counts."""

    question = forms.CharField(
        label=_("What are you looking for?"),
        max_length=_LONGEST,
        widget=forms.SearchInput(
            attrs={"autocomplete": "off", "placeholder": _("A question, a name, a few words…")}
        ),
        error_messages={
            "required": _("Write a question, a name, or a few words."),
            "max_length": _("This is too long: %(show_value)s characters, of %(limit_value)s."),
        },
    )
    kinds = _ManyField(label=_("What it is"), choices=list(_KINDS.items()))
    sources = _ManyField(label=_("Where it comes from"), choices=[])
    roles = _ManyField(label=_("Who said it"), choices=list(ROLES.items()))
    trust = forms.ChoiceField(
        label=_("Whose words"), choices=_TRUST, required=False, error_messages=_NOT_IN_THE_LIST
    )
    language = forms.ChoiceField(
        label=_("In which language"),
        choices=_LANGUAGES,
        required=False,
        error_messages=_NOT_IN_THE_LIST,
    )
    metadata = EntriesField()
    since = _DayField(label=_("From this day on"))
    until = _DayField(label=_("Until this day, included"))
    as_of = _DayField(
        label=_("As it was on this day"),
        help_text=_("What memories say of that day, and what had been said by its end."),
    )
    known_at = _DayField(
        label=_("As far as was known here on this day"),
        help_text=_("What was stored or corrected since is left out."),
    )

    def __init__(self, *args: object, sources: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own
        field = self.fields["sources"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(code, PROVIDERS.get(code, code)) for code in sources]

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        since = self.cleaned_data.get("since")
        if since and until and until < since:
            raise ValidationError(_("This is before the first day."))
        return until

    def asked(self, store_ids: list[UUID], *, limit: int = 10) -> Question:
        """What a valid form asks of some stores."""
        data = self.cleaned_data
        only = Filters(
            since=_begins(data["since"]),
            until=_ends(data["until"]),
            providers=data["sources"],
            roles=data["roles"],
            kinds=data["kinds"],
            languages=[data["language"]] if data["language"] else [],
            least_trust=int(data["trust"] or 0),
            as_of=_last_moment(data["as_of"]),
            known_at=_last_moment(data["known_at"]),
            metadata=data["metadata"],
        )
        zone = timezone.get_current_timezone()
        return Question(data["question"], store_ids, limit=limit, only=only, zone=zone)

    @property
    def narrowing(self) -> list[forms.BoundField]:
        """The filters, as they stand in the page."""
        names = ("kinds", "sources", "roles", "trust", "language", "since", "until")
        return [self[name] for name in names]

    @property
    def entries(self) -> list[Row]:
        """The rows of the filter by metadata."""
        return rows_of(self["metadata"].value())

    @property
    def looking_back(self) -> list[forms.BoundField]:
        """The moments to look back to."""
        return [self["as_of"], self["known_at"]]

    @property
    def narrows(self) -> int:
        """How many filters say something."""
        entries = self["metadata"].value() or []
        return len(entries) + sum(_says_something(field) for field in self.narrowing)

    @property
    def looks_back(self) -> bool:
        """Whether a moment to look back to was given."""
        return any(_says_something(field) for field in self.looking_back)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The question and the filters as they were sent, for another form to send again."""
        fields = [self["question"], *self.narrowing, *self.looking_back]
        values = {field.name: field.value() for field in fields}
        lists = {
            name: value if isinstance(value, list) else [value] for name, value in values.items()
        }
        sent = [(name, str(one)) for name, value in lists.items() for one in value if one]
        for name, value in self["metadata"].value() or []:
            sent += [("metadata_name", name), ("metadata_value", value)]
        return sent


class ContextForm(SearchForm):
    """What an assistant would ask for before it answers."""

    budget = forms.IntegerField(
        label=_("Room, in tokens"),
        min_value=_LEAST_BUDGET,
        max_value=MOST_TOKENS,
        initial=DEFAULT_BUDGET,
        help_text=_("A token is a piece of a word. A page of text takes about 600."),
        error_messages={
            "required": _("Say how many tokens there is room for."),
            "invalid": _("This is not a whole number."),
            "min_value": _("At least %(limit_value)s tokens: less holds nothing."),
            "max_value": _("At most %(limit_value)s tokens."),
        },
    )
    expand = forms.ChoiceField(
        label=_("What else comes along"),
        choices=_EXPAND,
        required=False,
        error_messages=_NOT_IN_THE_LIST,
    )


def _says_something(field: forms.BoundField) -> bool:
    return bool(field.value() or field.errors)


def _begins(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


def _ends(day: date | None) -> datetime | None:
    return _begins(day + timedelta(days=1)) if day else None


def _last_moment(day: date | None) -> datetime | None:
    end = _ends(day)
    return end - timedelta(microseconds=1) if end else None
