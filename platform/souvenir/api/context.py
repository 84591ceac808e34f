"""Context for a prompt: what a memory knows about a question, within a budget of tokens."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone, translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.caller import caller_of
from souvenir.api.memories import question_of, zone_of_asker
from souvenir.api.memory_shapes import RERANK, RERANK_MEANS, FiltersIn
from souvenir.api.views import TenantView
from souvenir.ingestion.models import Trust
from souvenir.search.context import (
    DEFAULT_BUDGET,
    MOST_LEFT_OUT_TOLD,
    MOST_TOKENS,
    Context,
    Item,
    LeftOut,
    context,
)
from souvenir.search.neighbours import Expand
from souvenir.search.packing import LEFT_OUT
from souvenir.search.rerank import has_reranker
from tenants.isolation.around_views import opens_its_own_scope
from tenants.isolation.scope import tenant_scope

_LANGUAGES = {"en": "en-ca", "fr": "fr-ca"}


class ContextIn(FiltersIn):
    query = serializers.CharField(trim_whitespace=False, allow_blank=True)
    budget = serializers.IntegerField(
        min_value=1,
        max_value=MOST_TOKENS,
        default=DEFAULT_BUDGET,
        help_text="Tokens that the block may take, its frame included.",
    )
    expand = serializers.ChoiceField(
        choices=[way.value for way in Expand],
        default=Expand.NONE.value,
        help_text="What else comes of the best conversations: nothing, the turns before and after, "
        "or all of the branch, as far as the budget goes.",
    )
    language = serializers.ChoiceField(
        choices=tuple(_LANGUAGES),
        required=False,
        help_text="Of the frame; else Accept-Language says. Records stay in their own.",
    )


class ItemOut(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="What the record bears in the block.")
    text = serializers.CharField(help_text="Word for word; the block escapes it.")
    tokens = serializers.IntegerField()
    score = serializers.FloatField(
        help_text="0 to 1; compares records of one block only. 0: it came along with another."
    )
    passage_ids = serializers.ListField(child=serializers.UUIDField())
    conversation_id = serializers.UUIDField(allow_null=True)
    conversation_title = serializers.CharField()
    message_id = serializers.UUIDField(allow_null=True)
    memory_id = serializers.UUIDField(allow_null=True)
    block = serializers.IntegerField(help_text="Index into the message's blocks.")
    kind = serializers.CharField(help_text="message, or the kind of the memory.")
    language = serializers.CharField(help_text="en, fr; empty: not known.")
    trust = serializers.CharField(help_text="Whose words: third-party, assistant, person.")
    role = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of this name
    occurred_at = serializers.DateTimeField(allow_null=True)
    past_version = serializers.IntegerField(
        help_text="Of a memory that says something else now: the last version that said so. Else 0."
    )


class LeftOutOut(serializers.Serializer[Any]):
    passage_id = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=LEFT_OUT)
    score = serializers.FloatField(help_text="0: it would have come along with another.")
    conversation_id = serializers.UUIDField(allow_null=True)
    message_id = serializers.UUIDField(allow_null=True)
    memory_id = serializers.UUIDField(allow_null=True)
    past_version = serializers.IntegerField()
    kind = serializers.CharField()
    trust = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of this name
    occurred_at = serializers.DateTimeField(allow_null=True)


class ContextOut(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="The block; empty where nothing was found, or fits.")
    items = ItemOut(many=True)
    tokens = serializers.IntegerField(help_text="An estimate, rather too high.")
    budget = serializers.IntegerField()
    left_out = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Passages that were found and are not in the block, by the reason: budget, "
        "duplicate, source-share, third-party-share.",
    )
    best_left_out = LeftOutOut(
        many=True, help_text=f"Of those the best, {MOST_LEFT_OUT_TOLD} at most: which, and why."
    )
    pending = serializers.IntegerField(help_text="Passages that are still being embedded.")
    by_meaning = serializers.BooleanField(help_text="False: only words were compared.")
    rerank = serializers.ChoiceField(choices=RERANK, help_text=RERANK_MEANS)


@opens_its_own_scope(when=has_reranker)
class ContextForPrompt(TenantView):
    scopes = {"POST": "memories:read"}
    changes_nothing = frozenset({"POST"})

    @extend_schema(operation_id="getContext", request=ContextIn, responses=ContextOut)
    def post(self, request: Request) -> Response:
        """Records that answer a question, as one block for a prompt: data, never instructions."""
        body = ContextIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller, data = caller_of(request), body.validated_data
        language = _LANGUAGES.get(data.get("language"), translation.get_language())
        if "timezone" not in data:
            with tenant_scope(caller.own_organization.id):
                data["timezone"] = zone_of_asker(data, caller)
        question = question_of(data, caller)
        with translation.override(language), timezone.override(question.zone):
            found = context(question, budget=data["budget"], expand=Expand(data["expand"]))
        return Response(ContextOut(_out(found)).data)


def _out(found: Context) -> dict[str, Any]:
    told = asdict(found)
    items = [_facts_out(item) for item in found.items]
    return {
        **told,
        "items": items,
        "best_left_out": [_facts_out(one) for one in found.best_left_out],
    }


def _facts_out(one: Item | LeftOut) -> dict[str, Any]:
    return {**asdict(one), "source": one.provider, "trust": Trust(one.trust).label}
