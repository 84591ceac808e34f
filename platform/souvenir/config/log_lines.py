"""Log lines: one JSON object each, or one plain line. Neither can hold what people wrote.

Of an error, its type and where it was raised are told, never its message: a database quotes values
in it. Of what other people's libraries log, the words are told and the numbers, not the texts that
they fill in: a path, a query string or an address may be among those.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from souvenir.core.log_fields import Field, current_log_fields

OURS = ("souvenir", "tenants", "workers")
_HIDDEN = "…"
_ROOT = Path(__file__).resolve().parents[3]
_MOST_FRAMES = 30


class JsonLines(logging.Formatter):
    """One object per line, keys in a fixed order, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        error = _error(record)
        if error:
            line |= {"error": error[0], "raised_at": error[1:]}
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """The same, for a person who watches one computer."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        told = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        words = [when, record.levelname, record.name, _message(record), told]
        return "\n    ".join([" ".join(filter(None, words)), *_error(record)])


def _fields(record: logging.LogRecord) -> dict[str, Field]:
    """Those of the request or job, and those that a line of ours gave in `extra={"fields": …}`."""
    own = getattr(record, "fields", None) if _is_ours(record) else None
    return {**current_log_fields(), **(own or {})}


def _message(record: logging.LogRecord) -> str:
    if _is_ours(record):
        return record.getMessage()
    template = str(record.msg)
    if not record.args:  # an error's own message is often passed on as it is
        return _HIDDEN if record.exc_info else template
    try:
        return template % _harmless(record.args)
    except (TypeError, ValueError, KeyError):
        return template


def _harmless(args: object) -> object:
    """What a library fills its message with: numbers as they are, anything else hidden."""
    if isinstance(args, tuple):
        return tuple(_harmless_one(value) for value in args)
    if isinstance(args, dict):
        return {name: _harmless_one(value) for name, value in args.items()}
    return ()


def _harmless_one(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return type(value).__name__ if isinstance(value, BaseException) else _HIDDEN


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _error(record: logging.LogRecord) -> list[str]:
    """The type of an error and of what caused it, then the places it came through."""
    if not record.exc_info or record.exc_info[1] is None:
        return []
    error = record.exc_info[1]
    kinds = [_kind(error)]
    cause = error.__cause__ or error.__context__
    if cause is not None:
        kinds.append(_kind(cause))
    return [" from ".join(kinds), *_places(error.__traceback__)]


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{_shown(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _shown(name: str) -> str:
    path = Path(name)
    if path.is_relative_to(_ROOT):
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])
