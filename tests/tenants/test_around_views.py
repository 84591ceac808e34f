"""A view that says so is called without a transaction; any other in one."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings
from rest_framework.views import APIView

from souvenir.api.context import ContextForPrompt
from souvenir.api.memories import OneMemory, Search
from tenants.isolation.around_views import opens_its_own_scope, scope_around
from tenants.isolation.scope import has_transaction, tenant_in_scope
from tests.builders import Tenant


def _answer(_: HttpRequest) -> HttpResponse:
    return HttpResponse()


@pytest.mark.parametrize(("says", "is_open"), [(True, False), (False, True)])
def test_a_view_that_opens_its_own_scope_is_called_without_one_when_it_says_so(
    acme: Tenant, *, says: bool, is_open: bool
) -> None:
    view = opens_its_own_scope(when=lambda: says)(_answer)

    with scope_around(view, acme.id):
        assert tenant_in_scope() == acme.id
        assert has_transaction() is is_open


def test_a_class_of_views_says_it_for_all_of_its_methods(acme: Tenant) -> None:
    class Waiting(APIView):
        pass

    class Hurried(APIView):
        pass

    opens_its_own_scope(when=lambda: True)(Waiting)

    for view, is_open in ((Waiting.as_view(), False), (Hurried.as_view(), True)):
        with scope_around(view, acme.id):
            assert has_transaction() is is_open


def test_where_no_view_is_known_there_is_a_transaction(acme: Tenant) -> None:
    with scope_around(None, acme.id):
        assert has_transaction()


@pytest.mark.parametrize(
    ("view", "waits"),
    [
        (Search.as_view(), True),
        (ContextForPrompt.as_view(), True),
        (OneMemory.as_view(), False),
    ],
)
def test_what_asks_a_reranker_holds_no_transaction_where_there_is_one(
    acme: Tenant,
    settings: Settings,
    view: Callable[..., object],
    *,
    waits: bool,
) -> None:
    settings.SOUVENIR_RERANK_URL = "https://rerank.example.ca/"

    with scope_around(view, acme.id):
        assert has_transaction() is not waits

    settings.SOUVENIR_RERANK_URL = ""
    with scope_around(view, acme.id):
        assert has_transaction()
