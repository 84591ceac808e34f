"""The way in and out: the first page, signing in, the language, the organization entered."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import get_language, override
from django.views.decorators.http import require_GET, require_POST

from souvenir.console.addresses import own_address
from souvenir.console.errors import NoOrganization, PageNotYours
from souvenir.console.forms import SignInForm
from souvenir.console.language import LANGUAGES, in_its_language, same_page_in
from souvenir.console.visits import CHOSEN, Visit, signed_in_page
from tenants.models import User

sign_in = in_its_language(
    LoginView.as_view(
        template_name="console/sign_in.html",
        authentication_form=SignInForm,
        redirect_authenticated_user=True,
    )
)
sign_out = in_its_language(LogoutView.as_view(next_page="console:sign-in"))


@require_GET
def front_door(request: HttpRequest) -> HttpResponseBase:
    """No language in the address: the person's own, else the browser's."""
    own = request.user.language if isinstance(request.user, User) else get_language()
    with override(own):
        return redirect("console:home")


@require_GET
@signed_in_page
def home(visit: Visit) -> HttpResponseBase:
    """To the first area that the person may enter."""
    if visit.has_memory:
        return redirect("console:my-memory")
    if visit.owns_organization:
        return redirect("console:organization")
    if visit.user.is_platform_admin:
        return redirect("console:platform")
    raise NoOrganization


@require_POST
@in_its_language
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Back to the same page, in the other language, which is remembered."""
    language = LANGUAGES.get(request.POST.get("language", ""), LANGUAGES["en"])
    if isinstance(request.user, User):
        request.user.language = language
        request.user.save(update_fields=["language"])
    address = same_page_in(language, own_address(request))
    response = HttpResponseRedirect(address)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 60 * 60,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@require_POST
@signed_in_page
def enter_organization(visit: Visit, organization_id: UUID) -> HttpResponseBase:
    """Choose which of one's organizations the pages are about."""
    if organization_id not in [one.organization_id for one in visit.memberships]:
        raise PageNotYours
    visit.request.session[CHOSEN] = str(organization_id)
    return redirect("console:home")
