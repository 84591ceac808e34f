"""What every view of this door has in common."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from souvenir.api.caller import caller_of
from souvenir.api.errors import AddressNotFound
from souvenir.api.paging import Newest


class WhoseIn(serializers.Serializer[Any]):
    """What a list of memories or conversations may be narrowed to, in the query."""

    person = serializers.CharField(required=False, help_text="One person's (external id).")
    store = serializers.CharField(required=False, help_text="One store's, by its name.")


def stores_asked_for(request: Request) -> list[UUID]:
    """The stores that the query narrows a list to, of those the caller reaches.

    Raises:
        rest_framework.exceptions.ValidationError, PersonNotFound, StoreNotFound
    """
    query = WhoseIn(data=request.query_params.dict())  # as a form, an empty name would say nothing
    query.is_valid(raise_exception=True)
    return caller_of(request).stores(**query.validated_data)


class TenantView(APIView):
    """A view of one organization. `scopes` says which scope each method needs."""

    scopes: ClassVar[dict[str, str]]
    pagination_class: type[BasePagination] = Newest

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in self.scopes:
            caller_of(request).need(self.scopes[request.method])

    def page(
        self,
        request: Request,
        rows: QuerySet,  # type: ignore[type-arg]  # any model: the serializer says which
        serializer: type[BaseSerializer],  # type: ignore[type-arg]
    ) -> Response:
        """One page of rows, as JSON."""
        paginator = self.pagination_class()
        found = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(serializer(found, many=True).data)


class PlatformView(APIView):
    """A view of the operator: acts on the directory, opens no organization."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        caller_of(request).need_platform()


class NothingHere(APIView):
    """Any other address under the API: a problem in JSON, not a page."""

    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise AddressNotFound
