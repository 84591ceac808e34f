"""Every address that is answered."""

from django.urls import include, path

from souvenir.config import health

urlpatterns = [
    path("livez", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
    path("api/v1/", include("souvenir.api.urls")),
    path("", include("souvenir.console.urls")),
]
