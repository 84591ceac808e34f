"""What every view of this door has in common."""

from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from souvenir.api.bodies import Body, ListQuery
from souvenir.api.caller import caller_of
from souvenir.api.errors import AddressNotFound
from souvenir.api.idempotency import asks_for_once, organization_to_make, run_once
from souvenir.api.paging import Newest
from souvenir.api.plain_shapes import said
from tenants.isolation.scope import tenant_in_scope, tenant_scope


class WhoseIn(ListQuery):
    """What a list of memories or conversations may be narrowed to, in the query."""

    person = serializers.CharField(required=False, help_text="One person's (external id).")
    store = serializers.CharField(required=False, help_text="One store's, by its name.")


def stores_asked_for(request: Request) -> list[UUID]:
    """The stores that the query narrows a list to, of those the caller reaches.

    Raises:
        rest_framework.exceptions.ValidationError, PersonNotFound, StoreNotFound
    """
    return caller_of(request).stores(**asked_in_query(request, WhoseIn))


def asked_in_query(request: Request, shape: type[Body]) -> dict[str, Any]:
    """What the query says.

    Raises:
        rest_framework.exceptions.ValidationError
    """
    return said(shape, request.query_params.dict())  # as a form, an empty name would say nothing


class TenantView(APIView):
    """A view of one organization. `scopes` says which scope each method needs."""

    scopes: ClassVar[dict[str, str]]
    changes_nothing: ClassVar[frozenset[str]] = frozenset()  # methods that only ask, like GET
    pagination_class: type[BasePagination] = Newest

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        run_once(cls, but=cls.changes_nothing)

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
    """A view of the operator: acts on the directory, opens no organization.

    With an Idempotency-Key, what changes an organization is done in that one's scope, where the
    answer is kept; the id of one that is to be made follows from the key.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        run_once(cls)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if tenant_in_scope() or not asks_for_once(request):
            return super().dispatch(request, *args, **kwargs)
        with tenant_scope(kwargs.get("organization_id") or organization_to_make(request)):
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                transaction.set_rollback(True)
            return response

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        caller_of(request).need_platform()


class NothingHere(APIView):
    """Any other address under the API: a problem in JSON, not a page."""

    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise AddressNotFound
