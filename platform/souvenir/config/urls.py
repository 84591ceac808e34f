"""Every address that is answered."""

from django.urls import include, path

import souvenir.portability.errors  # noqa: F401 — the web tells by its code what a worker met
from souvenir.config import audit_key, health

urlpatterns = [
    path("livez", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
    path(".well-known/souvenir-audit-key", audit_key.audit_key, name="audit-key"),
    path("api/v1/", include("souvenir.api.urls")),
    path("", include("souvenir.console.urls")),
]
