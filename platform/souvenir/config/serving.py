"""Gunicorn's settings that no command line has: `--config python:souvenir.config.serving`."""

import os

_FORMATTERS = {"json": "JsonLines", "plain": "PlainLines"}
_FORMATTER = _FORMATTERS[os.environ.get("SOUVENIR_LOG_FORMAT", "json")]

# Nobody sets the scheme, the path or the prefix of a request by headers of Gunicorn's. Django alone
# reads X-Forwarded-Proto, where SOUVENIR_PUBLIC_URL is https.
forwarded_allow_ips = ""
forwarder_headers = ""

# Gunicorn's own lines look like ours, and hide what ours hide: it would quote addresses.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": f"souvenir.config.log_lines.{_FORMATTER}"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
}
