"""Django's settings, made from the typed environment."""

from collections.abc import Mapping
from pathlib import Path

from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from souvenir.config.environment import Environment

ENVIRONMENT = Environment()
_PACKAGE = Path(__file__).resolve().parents[1]


def _database(url: str, *, limits: Mapping[str, object] | None = None) -> dict[str, object]:
    parts = conninfo_to_dict(url)
    extra = dict(limits or {}) | {
        k: v for k, v in parts.items() if k not in {"dbname", "user", "password", "host", "port"}
    }
    return {
        "ENGINE": "souvenir.config.postgres",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": extra,
    }


SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
ROOT_URLCONF = "souvenir.config.urls"
WSGI_APPLICATION = "souvenir.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "tenants.User"

DATABASES = {"default": _database(ENVIRONMENT.database_url.get_secret_value())}
# Each only where it has business: see tenants/isolation/roles.py.
DATABASES |= {
    alias: _database(url.get_secret_value())
    for alias, url in {
        "owner": ENVIRONMENT.owner_database_url,
        "relay": ENVIRONMENT.relay_database_url,
        "control": ENVIRONMENT.control_database_url,
        "sweeper": ENVIRONMENT.sweeper_database_url,
        "maintainer": ENVIRONMENT.maintainer_database_url,
    }.items()
    if url is not None
}
# The keyring has a connection and transactions of its own, also where it shares the server.
SOUVENIR_KEYRING_APART = ENVIRONMENT.keyring_database_url is not None
_KEYRING = ENVIRONMENT.keyring_database_url or ENVIRONMENT.database_url
# Every request needs it: a server that is gone must be noticed within seconds (libpq's own words).
_NOTICED = {"connect_timeout": 3, "tcp_user_timeout": 5_000, "keepalives_idle": 10}
DATABASES["keyring"] = _database(_KEYRING.get_secret_value(), limits=_NOTICED)
if ENVIRONMENT.keyring_owner_database_url is not None:
    DATABASES["keyring_owner"] = _database(
        ENVIRONMENT.keyring_owner_database_url.get_secret_value()
    )
DATABASE_ROUTERS = ["tenants.keyring.database.KeyringRouter"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "souvenir.audit",
    "tenants",
    "tenants.keyring",
    "tenants.idempotency",
    "tenants.webhooks",
    "souvenir.memories",
    "souvenir.ingestion",
    "souvenir.embedding",
    "souvenir.export",
    "souvenir.deletion",
    "souvenir.api",
    "souvenir.console",
    "souvenir.config",
    "workers",
]

MIDDLEWARE = [
    "souvenir.config.observing.ObservingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "souvenir.config.security_headers.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "souvenir.config.body_limits.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "souvenir.api.authentication.ScopeMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Language: English and Canadian French are equals.
LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en-ca", _("English")), ("fr-ca", _("French"))]
LOCALE_PATHS = [_PACKAGE / "locale"]
FORMAT_MODULE_PATH = ["souvenir.config.formats"]
LANGUAGE_COOKIE_NAME = "souvenir_language"
USE_TZ = True
TIME_ZONE = "America/Toronto"

# Static files are served by the web process itself: no CDN, no build step.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# Sessions and cookies
SECURE = ENVIRONMENT.public_url.startswith("https://")
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "souvenir_session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "souvenir_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.public_url]
LOGIN_URL = "console:sign-in"
LOGIN_REDIRECT_URL = "console:home"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Uploads are spooled to disk past 2.5 MB, sealed; JSON bodies stay small.
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "souvenir.config.sealed_uploads.SealedUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["souvenir.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["souvenir.api.parsing.ShallowJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "souvenir.api.schema.DoorSchema",
    "EXCEPTION_HANDLER": "souvenir.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Souvenir",
    "DESCRIPTION": "One person's memory, any assistant, on Canadian ground.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "AUTHENTICATION_WHITELIST": ["souvenir.api.authentication.KeyAuthentication"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "souvenir.config.log_lines.JsonLines"},
        "plain": {"()": "souvenir.config.log_lines.PlainLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": ENVIRONMENT.log_format}},
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level},
    "loggers": {
        "django.request": {"level": "ERROR"},  # each request has a line of ours
    },
}

# What the layers below read.
SOUVENIR_PROFILE = ENVIRONMENT.profile
SOUVENIR_BROKER_URL = ENVIRONMENT.broker_url.get_secret_value()
SOUVENIR_BROKER_DSN = (
    ENVIRONMENT.broker_dsn.get_secret_value() if ENVIRONMENT.broker_dsn is not None else ""
)
SOUVENIR_KEY_PROVIDER = ENVIRONMENT.key_provider
SOUVENIR_KEYS_DIR = ENVIRONMENT.keys_dir
SOUVENIR_KEYSTORE_URL = ENVIRONMENT.keystore_url
SOUVENIR_KEYSTORE_CA_FILE = ENVIRONMENT.keystore_ca_file
SOUVENIR_KEYSTORE_TOKEN_FILE = ENVIRONMENT.keystore_token_file
SOUVENIR_KEYSTORE_ROLE = ENVIRONMENT.keystore_role
SOUVENIR_KEYSTORE_MOUNT = ENVIRONMENT.keystore_mount
SOUVENIR_KEYSTORE_NAMESPACE = ENVIRONMENT.keystore_namespace
SOUVENIR_PKCS11_MODULE = ENVIRONMENT.pkcs11_module
SOUVENIR_PKCS11_TOKEN = ENVIRONMENT.pkcs11_token
SOUVENIR_PKCS11_PIN_FILE = ENVIRONMENT.pkcs11_pin_file
SOUVENIR_AUDIT_KEY_FILE = ENVIRONMENT.audit_key_file
SOUVENIR_OBJECTS_DIR = ENVIRONMENT.objects_dir
SOUVENIR_PLACEMENTS_FILE = ENVIRONMENT.placements_file
SOUVENIR_PUBLIC_URL = ENVIRONMENT.public_url
SOUVENIR_CELL = ENVIRONMENT.cell
SOUVENIR_UPLOAD_MAX_BYTES = ENVIRONMENT.upload_max_bytes
SOUVENIR_IDEMPOTENCY_HOURS = ENVIRONMENT.idempotency_hours
SOUVENIR_EVENT_STREAMS = ENVIRONMENT.event_streams
SOUVENIR_TRANSFERS = ENVIRONMENT.transfers
SOUVENIR_WEBHOOK_PATIENCE_DAYS = ENVIRONMENT.webhook_patience_days
SOUVENIR_EGRESS_INSIDE = ENVIRONMENT.egress_inside
SOUVENIR_EGRESS_CA_FILE = ENVIRONMENT.egress_ca_file
SOUVENIR_RERANK_URL = ENVIRONMENT.rerank_url
SOUVENIR_RERANK_KIND = ENVIRONMENT.rerank_kind
SOUVENIR_RERANK_MODEL = ENVIRONMENT.rerank_model
SOUVENIR_RERANK_KEY_FILE = ENVIRONMENT.rerank_key_file
SOUVENIR_RERANK_PLACEMENT = ENVIRONMENT.rerank_placement
SOUVENIR_RERANK_TIMEOUT_SECONDS = ENVIRONMENT.rerank_timeout_seconds
SOUVENIR_RERANK_PASSAGES = ENVIRONMENT.rerank_passages
SOUVENIR_DEMO = ENVIRONMENT.demo
SOUVENIR_EXPORT_DAYS = ENVIRONMENT.export_days
SOUVENIR_JOB_DAYS = ENVIRONMENT.job_days
SOUVENIR_KEY_DAYS = ENVIRONMENT.key_days
SOUVENIR_QUOTA_BYTES_PER_DAY = ENVIRONMENT.quota_bytes_per_day
SOUVENIR_QUOTA_JOBS = ENVIRONMENT.quota_jobs
SOUVENIR_LARGE_STORE_PASSAGES = ENVIRONMENT.large_store_passages
SOUVENIR_GRAPH_MEMORY_MB = ENVIRONMENT.graph_memory_mb
