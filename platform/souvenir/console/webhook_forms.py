"""What an owner fills in to have a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from souvenir.console.words import EVENTS, place_in_words
from tenants.selectors import PlacementChoice

OVERLAP_HOURS = 24  # for which an old secret signs too


class WebhookForm(forms.Form):
    """An address of the organization's own, the place where it answers, and why."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("It begins with https://. What it is sent is signed, and holds ids only."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    placement = forms.ChoiceField(
        label=_("Place where it answers"),
        help_text=_("One of the operator’s registry. The residency policy decides at each call."),
    )
    purpose = forms.CharField(
        label=_("What for"),
        max_length=500,
        help_text=_("Kept with the webhook: it declares why ids go there."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events (none chosen: all)"),
        choices=list(EVENTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: object, choices: list[PlacementChoice], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own
        field = self.fields["placement"]
        if isinstance(field, forms.ChoiceField):
            codes = [choice.placement.code for choice in choices]
            field.choices = [(code, place_in_words(code)) for code in codes]
