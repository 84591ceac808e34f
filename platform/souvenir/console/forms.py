"""What people fill in. Forms say what is missing; the services decide what is right."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from souvenir.console.words import KINDS, SCOPES
from tenants.selectors import PlacementChoice
from tenants.services import record_sign_in

_LIFETIMES: dict[str, str | Promise] = {
    "30": _("30 days"),
    "90": _("90 days"),
    "365": _("One year"),
    "": _("Until it is revoked"),
}


class SignInForm(AuthenticationForm):
    """An e-mail address and a password."""

    username = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": _(
            "This e-mail address and this password do not go together. Check both, then try again."
        ),
        "inactive": _("This account is closed."),
    }

    def clean(self) -> dict[str, Any]:
        """Whether it goes together; either way, it is written down."""
        try:
            cleaned = super().clean()
        except ValidationError:
            record_sign_in(user=None)
            raise
        if self.get_user() is not None:  # None: a field is missing, and nothing was tried
            record_sign_in(user=self.get_user())
        return cleaned


class MemoryForm(forms.Form):
    """A statement to keep."""

    text = forms.CharField(
        label=_("What should be remembered?"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One statement in your own words, in the language you like."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=list(KINDS.items()), initial="fact")


class CorrectionForm(forms.Form):
    """The same, said better. `version` is the one that was read."""

    text = forms.CharField(label=_("What is right"), widget=forms.Textarea(attrs={"rows": 3}))
    reason = forms.CharField(
        label=_("Why (optional)"),
        required=False,
        max_length=2000,
        help_text=_("Kept in the history."),
    )
    metadata = forms.CharField(
        label=_("Metadata (optional)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_("One entry a line, “name: value”. Searches are filtered by it."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class UploadForm(forms.Form):
    """The file that an assistant's provider sent."""

    file = forms.FileField(
        label=_("The file"),
        allow_empty_file=True,
        help_text=_("The zip as you received it, or the conversations.json inside it."),
    )


class TypedConfirmationForm(forms.Form):
    """A word to type before what cannot be undone."""

    word = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: object, expected: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own
        self._expected = expected
        self.fields["word"].label = _("Type “%(word)s” to confirm") % {"word": expected}

    def clean_word(self) -> str:
        typed = str(self.cleaned_data["word"])
        if typed.strip().casefold() != self._expected.casefold():
            raise ValidationError(
                _("Type “%(word)s” exactly. Nothing was erased."), params={"word": self._expected}
            )
        return typed


class PersonForm(forms.Form):
    """Someone whose memory the organization keeps."""

    external_id = forms.CharField(
        label=_("Identifier"),
        max_length=200,
        strip=False,
        help_text=_("How your systems know this person: an employee number, an e-mail address…"),
    )
    display_name = forms.CharField(label=_("Name (optional)"), max_length=200, required=False)


class KeyForm(forms.Form):
    """A machine's key to the organization."""

    label = forms.CharField(
        label=_("Label"), max_length=200, help_text=_("What will use this key: “CI deploy”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    person = forms.CharField(
        label=_("Only for this person (optional)"),
        max_length=200,
        required=False,
        strip=False,
        help_text=_("The person’s identifier. The key then reaches this person’s memory alone."),
    )
    days = forms.ChoiceField(
        label=_("Works for"), choices=list(_LIFETIMES.items()), initial="90", required=False
    )

    @property
    def expires_at(self) -> datetime | None:
        """Of a valid form; None: it works until it is revoked."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class OrganizationForm(forms.Form):
    """A new organization and its home region."""

    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    name_fr = forms.CharField(label=_("Name in French"), max_length=200)
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=63,
        help_text=_("Lower-case letters, digits and dashes. It cannot be changed later."),
    )
    placement = forms.ChoiceField(
        label=_("Where its data will be"),
        error_messages={"required": _("Choose where the data will be.")},
    )

    def __init__(self, *args: object, choices: list[PlacementChoice], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own
        self.placements = choices
        field = self.fields["placement"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(choice.placement.code, choice.placement.code) for choice in choices]
