"""Is this process alive, and is it ready to serve? Answers name no secret and no tenant."""

import threading
from collections.abc import Callable
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from souvenir.core.errors import Unavailable
from souvenir.core.jobs import broker_answers
from souvenir.embedding.bilingual import bilingual_embedder
from tenants.isolation.catalogue import audit_isolation
from tenants.keyring.providers.registry import key_provider

_embedder = threading.Event()  # set once the model has answered


def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:
    """200, or 503 with `reasons`. What is `degraded` is done later, or less well, and not lost."""
    reasons = _missing(_NEEDED)
    degraded = _missing(_WANTED)
    status = "not-ready" if reasons else "ready"
    body = {"status": status, "reasons": reasons, "degraded": degraded}
    return JsonResponse(body, status=503 if reasons else 200)


def warm_embedder() -> None:
    """Load the model, so that the first question does not wait for it."""
    bilingual_embedder().embed(["."], kind="query")
    _embedder.set()


def _missing(wanted: dict[str, Callable[[], bool]]) -> list[str]:
    """What does not hold, each once; what only the database could have told counts as that."""
    missing = {}
    for reason, holds in wanted.items():
        try:
            missing[reason] = not holds()
        except DatabaseError:
            missing["database"] = True
        except Unavailable:
            missing[reason] = True
    return [reason for reason, is_missing in missing.items() if is_missing]


def _isolation() -> bool:
    return not audit_isolation()


def _migrations() -> bool:
    """Whether the schema is the one this code was written for, or a later one."""
    if not _pending():
        return True
    _pending.cache_clear()
    return False


@cache
def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _keystore() -> bool:
    key_provider().check()
    return True


# Without these, nothing can be served.
_NEEDED: dict[str, Callable[[], bool]] = {
    "migrations": _migrations,
    "isolation": _isolation,
}
# Without these, jobs wait for the sweep, and questions are answered by words alone. Without the
# keystore little can be read or written; but it goes for all pods at once, and whoever asks is
# told so by a pod that answers (503, in a sentence) and by nobody where there is none.
_WANTED: dict[str, Callable[[], bool]] = {
    "keystore": _keystore,
    "broker": broker_answers,
    "embedder": _embedder.is_set,
}
