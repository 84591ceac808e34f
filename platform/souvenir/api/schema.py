"""What the OpenAPI document says of every operation beside what its view says."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import Serializer

from souvenir.api.idempotency import HEADER, MOST_CHARACTERS, is_run_once

_ONCE = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"1 to {MOST_CHARACTERS} printable ASCII characters of your choice, a fresh UUID "
    "for instance. A request that is sent again with its key is not done again and gets the same "
    "answer, with `Idempotency-Replayed: true`, for at least 24 hours.",
)


class DoorSchema(AutoSchema):
    """Names Idempotency-Key wherever it is heeded."""

    def get_override_parameters(
        self,
    ) -> list[OpenApiParameter | Serializer[Any] | type[Serializer[Any]]]:
        handler = getattr(self.view, self.method.lower(), None)
        return [_ONCE] if is_run_once(handler) else []
