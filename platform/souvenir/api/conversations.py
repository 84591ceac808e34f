"""Reading conversations: the tree, message by message."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.caller import caller_of
from souvenir.api.views import TenantView, WhoseIn, stores_asked_for
from souvenir.memories.selectors import conversations, get_conversation, messages_of


class ConversationOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    store_id = serializers.UUIDField()
    source = serializers.CharField(source="provider")  # type: ignore[assignment]  # a field of this name
    provider_id = serializers.CharField()
    title = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)
    current_leaf_id = serializers.UUIDField(
        allow_null=True, help_text="The last message of the branch that was shown."
    )
    import_id = serializers.UUIDField()
    recorded_at = serializers.DateTimeField()


class MessageOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    provider_id = serializers.CharField()
    role = serializers.CharField()
    author_name = serializers.CharField()
    model = serializers.CharField()
    hidden = serializers.BooleanField(help_text="The provider's own interface did not show it.")
    occurred_at = serializers.DateTimeField(allow_null=True)
    blocks = serializers.JSONField(help_text="[{type, text, fields}], docs/formats.md")


class ConversationWithMessages(ConversationOut):
    messages = MessageOut(many=True)


class Conversations(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(
        operation_id="listConversations", parameters=[WhoseIn], responses=ConversationOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Conversations, last brought in first; of one person (`?person=`) if given."""
        stores = stores_asked_for(request)
        return self.page(request, conversations(store_ids=stores), ConversationOut)


class OneConversation(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(operation_id="getConversation", responses=ConversationWithMessages)
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """A conversation whole: every message of every branch, each parent before its children."""
        conversation = get_conversation(
            conversation_id=conversation_id, store_ids=caller_of(request).stores()
        )
        messages = MessageOut(messages_of(conversation=conversation), many=True).data
        return Response(ConversationOut(conversation).data | {"messages": messages})
