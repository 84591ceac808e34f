"""A key in the Authorization header, and the tenant scope that it opens."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from souvenir.api.caller import Caller, presented_key
from souvenir.api.errors import BodyTooLarge, KeyInvalid, RequestTooSlow
from souvenir.api.idempotency import asks_for_once, take_digest
from souvenir.api.problems import problem
from souvenir.audit.actors import NOBODY, acting_as, now_acting
from souvenir.core.errors import SouvenirError
from souvenir.core.log_fields import note
from souvenir.core.transfers import TooManyTransfers, TransfersBusy, transfers
from tenants.errors import OrganizationSuspended
from tenants.isolation.around_views import scope_around
from tenants.isolation.scope import has_transaction, tenant_in_scope, tenant_scope
from tenants.isolation.streaming import stream_in_scope
from tenants.keys import is_platform_key, named_organization
from tenants.models import Organization
from tenants.selectors import KeyHolder, verify_key, verify_platform_key

_PREFIX = "/api/"
_LINKS = "/api/v1/downloads/"  # a link names its organization itself; whoever follows it may be any
_ENVELOPE_BYTES = 64 * 1024  # what a multipart body may hold besides the file
_SMALL_BYTES = 64 * 1024  # taken in from anyone: less work than to ask whose key it is


class ScopeMiddleware:
    """Opens the scope of the organization that the key names, around view, rendering and stream.

    A view that opens its own is only told for whom it works (`around_views`).

    The key is verified inside it, by KeyAuthentication; until then it opens a view of nothing that
    is answered. A body is read before the transaction begins: a slow sender holds none open. One
    that is large, or a form, whose file goes to disk, is read only of whoever has a key.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting_as(NOBODY):  # until it is known who it is
            if not request.path.startswith(_PREFIX):
                return self._get_response(request)
            with timezone.override(UTC):  # what a program reads has no place of its own
                return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        key = None if request.path.startswith(_LINKS) else presented_key(request)
        organization_id = named_organization(key) if key else None
        if key is None or organization_id is None:
            return self._get_response(request)
        limit = settings.SOUVENIR_UPLOAD_MAX_BYTES + _ENVELOPE_BYTES
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > limit:
            return problem(BodyTooLarge(limit_bytes=limit))
        refusal = _read_body(request, of=organization_id, key=key) if length else None
        if refusal is not None:
            return problem(refusal)
        if length and asks_for_once(request):
            take_digest(request)
        with scope_around(_view_at(request.path_info), organization_id):
            response = self._get_response(request)
            if has_transaction() and response.status_code >= HTTPStatus.BAD_REQUEST:
                transaction.set_rollback(True)
            return stream_in_scope(response, tenant_id=organization_id)


def _view_at(path: str) -> object:
    """What will answer, as far as that is known before it is asked."""
    try:
        return resolve(path).func
    except Resolver404:
        return None


def _read_body(request: HttpRequest, *, of: UUID, key: str) -> SouvenirError | None:
    """Take in what is sent: a file to disk, the rest to memory. Gives why it was not taken."""
    is_form = request.content_type == "multipart/form-data"
    is_small = not is_form and int(request.META["CONTENT_LENGTH"]) <= _SMALL_BYTES
    if not (is_small or _is_known(key, of=of)):
        return None  # not read, and refused soon
    try:
        with nullcontext() if is_small else transfers.taken(owner=of):
            _ = request.FILES if is_form else request.body
    except RequestDataTooBig:
        return BodyTooLarge(limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    except UnreadablePostError:
        return RequestTooSlow()
    except (TransfersBusy, TooManyTransfers) as busy:
        return busy
    return None


def _is_known(key: str, *, of: UUID) -> bool:
    with tenant_scope(of):
        return verify_key(key) is not None


class KeyAuthentication(BaseAuthentication):
    """Turns a key into a Caller. DRF asks it once per request."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """None where no key was sent.

        Raises:
            KeyInvalid, OrganizationSuspended
        """
        key = presented_key(request)
        if key is None:
            return None
        caller = self._caller(key)
        now_acting(caller.name)
        return caller, None

    def _caller(self, key: str) -> Caller:
        if is_platform_key(key):
            return _platform_caller(key)
        organization_id = tenant_in_scope()
        if organization_id is None:
            raise KeyInvalid
        with tenant_scope(organization_id):  # joins the one that is open, if one is
            holder = verify_key(key)
            if holder is None:
                raise KeyInvalid
            return _organization_caller(holder)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _platform_caller(key: str) -> Caller:
    record = verify_platform_key(key)
    if record is None:
        raise KeyInvalid
    return Caller(name=f"platform:{record.id}")


def _organization_caller(holder: KeyHolder) -> Caller:
    note(tenant_id=holder.organization.id)
    if holder.organization.state == Organization.State.SUSPENDED:
        raise OrganizationSuspended
    return Caller(
        name=f"key:{holder.key_id}",
        organization=holder.organization,
        scopes=frozenset(holder.scopes.split()),
        person_id=holder.person_id,
    )
