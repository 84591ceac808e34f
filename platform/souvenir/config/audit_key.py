"""The public key of the audit log, for anybody: whoever keeps a checkpoint keeps this with it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from souvenir.audit.errors import CheckpointNotYet
from souvenir.audit.selectors import get_checkpoint


@require_safe
def audit_key(request: HttpRequest) -> HttpResponse:
    """As C2SP's signed notes write a key: `<name>+<id>+<base64>`. 404 before the first checkpoint.

    One that serves does not hold the secret half, so it is that of the newest checkpoint.
    """
    try:
        key = get_checkpoint().verifier_key
    except CheckpointNotYet:
        return HttpResponse(status=404)
    return HttpResponse(f"{key}\n", content_type="text/plain; charset=utf-8")
