"""The shapes of memories, questions and answers as JSON."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from souvenir.api.bodies import Body
from souvenir.api.views import WhoseIn
from souvenir.ingestion.models import Trust
from souvenir.search.rerank import Rerank
from tenants.time_zones import zone_named

KINDS = (
    "fact", "preference", "instruction", "identity", "project", "goal", "skill", "relationship",
    "context",
)  # fmt: skip
MOST_LISTED = 50  # of whatever a filter lists
_PLAIN = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
TRUST = {level.label: int(level) for level in Trust}

RERANK = [outcome.value for outcome in Rerank]
RERANK_MEANS = (
    "What became of the second look: done; off, there is none; refused by the residency policy; "
    "unavailable, so the order is that of search."
)


@extend_schema_field(
    {"type": "object", "additionalProperties": {"oneOf": [*_PLAIN, {"type": "null"}]}}
)
class MetadataIn(serializers.JSONField):
    """Names and values; souvenir.memories.metadata says which."""


@extend_schema_field({"type": "object", "additionalProperties": {"oneOf": _PLAIN}})
class MetadataOut(serializers.DictField):
    """Names and values."""


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [*_PLAIN, {"type": "array", "items": {"oneOf": _PLAIN}, "minItems": 1}]
        },
    }
)
class MetadataFilterIn(serializers.JSONField):
    """Names and the value, or values, that a memory must have under each."""


class StatementIn(Body):
    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    occurred_at = serializers.DateTimeField(required=False, help_text="When it happened.")
    valid_from = serializers.DateTimeField(required=False, help_text="When it began to be true.")
    valid_to = serializers.DateTimeField(required=False, help_text="When it stopped being true.")
    observed_at = serializers.DateTimeField(required=False, help_text="When it was said.")
    metadata = MetadataIn(
        required=False,
        help_text="What else to keep with it, by name: texts, numbers, true or false. Null takes a "
        "name away; what is not named stays.",
    )


class MemoryIn(StatementIn):
    person = serializers.CharField(required=False, help_text="Whom it is about (external id).")
    store = serializers.CharField(required=False, help_text="Or a shared store, by its name.")
    kind = serializers.ChoiceField(choices=KINDS, default="fact")
    about = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Others it speaks of (external ids). It ends with the first who is erased.",
    )


class CorrectionIn(StatementIn):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    version = serializers.IntegerField(
        required=False, help_text="The version you read; refused if it was changed since."
    )


class DescriptionIn(Body):
    metadata = MetadataIn(
        help_text="What changes, by name. Null takes a name away; what is not named stays."
    )
    version = serializers.IntegerField(
        required=False, help_text="The version you read; refused if it was changed since."
    )


class EvidenceOut(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField(source="message.conversation_id")
    message_id = serializers.UUIDField()
    block = serializers.IntegerField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    quote_sha256 = serializers.CharField()


class VersionOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()
    occurred_at = serializers.DateTimeField(allow_null=True)
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_to = serializers.DateTimeField(allow_null=True)
    observed_at = serializers.DateTimeField(allow_null=True)
    recorded_at = serializers.DateTimeField()
    origin = serializers.CharField()
    method = serializers.CharField()
    author = serializers.CharField()
    reason = serializers.CharField()
    metadata = MetadataOut()
    evidence = EvidenceOut(many=True)


class MemoryOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    store_id = serializers.UUIDField()
    person_id = serializers.UUIDField(allow_null=True)
    kind = serializers.CharField()
    about = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()
    current = VersionOut(help_text="What it says now; or said then, where a moment is asked about.")


class Then(serializers.Serializer[Any]):
    """The two moments of a question that looks back."""

    as_of = serializers.DateTimeField(
        required=False,
        help_text="As it was then: what memories say of that time, what had been said by then.",
    )
    known_at = serializers.DateTimeField(
        required=False,
        help_text="As far as was known here then: versions and messages stored since are left out.",
    )


class MemoriesAsked(Then, WhoseIn):
    """What the query of a list of memories may say."""


class MemoryAsked(Then, Body):
    """What the query of one memory may say."""


class OfWhat(Then, Body):
    """Of which memories."""

    person = serializers.CharField(required=False, help_text="Whose memory (external id).")
    store = serializers.CharField(required=False, help_text="Or one store, by its name.")
    stores = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=MOST_LISTED,
        help_text="Or several together, by name, and the person's if there is one.",
    )
    metadata = MetadataFilterIn(
        required=False,
        help_text="Only memories that have all of it, each with the value or one of those listed.",
    )


class ListIn(OfWhat):
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), required=False, max_length=MOST_LISTED
    )


class FiltersIn(OfWhat):
    since = serializers.DateTimeField(required=False, help_text="Said at or after.")
    until = serializers.DateTimeField(required=False, help_text="Said before.")
    sources = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=MOST_LISTED,
        help_text="chatgpt, claude, …",
    )
    roles = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=MOST_LISTED,
        help_text="user, assistant, tool, …",
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=("message", *KINDS)),
        required=False,
        max_length=MOST_LISTED,
        help_text="message, or the kinds of memories.",
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=("en", "fr")),
        required=False,
        max_length=MOST_LISTED,
        help_text="Of the passage itself, as far as it is known.",
    )
    trust = serializers.ChoiceField(
        choices=tuple(TRUST),
        required=False,
        help_text="At least: third-party (files, pages, tools), assistant, or the person's words.",
    )
    min_score = serializers.FloatField(
        min_value=0.0,
        max_value=1.0,
        required=False,
        help_text="Leave out what scores less. What answers nothing is often below 0.15, but not "
        "always (docs/api.md). If absent, nothing is left out.",
    )
    asked_at = serializers.DateTimeField(
        required=False, help_text='What "last week" in the question is relative to. Now, if absent.'
    )
    timezone = serializers.CharField(
        required=False,
        help_text="Of whoever asks: America/Toronto, … Their midnight begins a day. If absent, the "
        "person's own, or else the organization's, or else the installation's.",
    )

    def validate_timezone(self, name: str) -> ZoneInfo:
        if (zone := zone_named(name)) is None:
            raise serializers.ValidationError(gettext("There is no time zone of this name."))
        return zone


class QuestionIn(FiltersIn):
    query = serializers.CharField(trim_whitespace=False, allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


class SpanOut(serializers.Serializer[Any]):
    block = serializers.IntegerField(help_text="Index into the message's blocks.")
    start = serializers.IntegerField(help_text="Characters into the block's text.")
    end = serializers.IntegerField(help_text="Exclusive.")


class FoundOut(serializers.Serializer[Any]):
    passage_id = serializers.UUIDField()
    text = serializers.CharField()
    score = serializers.FloatField(help_text="0 to 1; compares passages of one answer only.")
    similarity = serializers.FloatField(allow_null=True)
    bm25 = serializers.FloatField(allow_null=True)
    conversation_id = serializers.UUIDField(allow_null=True)
    conversation_title = serializers.CharField()
    message_id = serializers.UUIDField(allow_null=True)
    memory_id = serializers.UUIDField(allow_null=True)
    span = SpanOut(source="*")
    kind = serializers.CharField(help_text="message, or the kind of the memory.")
    language = serializers.CharField(help_text="en, fr; empty: not known.")
    trust = serializers.CharField(help_text="Whose words: third-party, assistant, person.")
    role = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of this name
    occurred_at = serializers.DateTimeField(allow_null=True)
    past_version = serializers.IntegerField(
        help_text="Of a memory that says something else now: the last version that said so. Else 0."
    )


class TimeOut(serializers.Serializer[Any]):
    since = serializers.DateTimeField(allow_null=True, help_text="Inclusive; null: no beginning.")
    until = serializers.DateTimeField(allow_null=True, help_text="Exclusive; null: no end.")
    words = serializers.CharField(help_text="The words of the question that say so.")


class AnswerOut(serializers.Serializer[Any]):
    results = FoundOut(many=True)
    pending = serializers.IntegerField(help_text="Passages that are still being embedded.")
    by_meaning = serializers.BooleanField(help_text="False: only words were compared.")
    rerank = serializers.ChoiceField(choices=RERANK, help_text=RERANK_MEANS)
    time = TimeOut(
        allow_null=True,
        help_text="The time that the question speaks of: passages of then come sooner.",
    )
