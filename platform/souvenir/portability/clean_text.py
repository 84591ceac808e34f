"""Makes text that every database, JSON writer and model accepts; changes nothing else."""

import re

from souvenir.portability.documents import JsonValue

_NUL = "\x00"
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")
# What must stand in JSON bytes for its values to need cleaning: each half of a pair is escaped so.
_MAY_BE_UNCLEAN = re.compile(rb"\x00|\\u0000|\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def may_need_cleaning(body: bytes) -> bool:
    """Whether JSON `body` can hold a NUL or a lone surrogate. True too for sound pairs."""
    return _MAY_BE_UNCLEAN.search(body) is not None


def clean(value: JsonValue, found: set[str]) -> JsonValue:
    """`value` with NUL as U+2400 and lone surrogates as U+FFFD, in keys too.

    Args:
        value: nested no deeper than `Limits.object_depth`.
        found: gets "nul-replaced" or "surrogate-replaced" where something was replaced.
    """
    if isinstance(value, str):
        return clean_string(value, found)
    if isinstance(value, list):
        return [clean(item, found) for item in value]
    if isinstance(value, dict):
        return {clean_string(key, found): clean(item, found) for key, item in value.items()}
    return value


def clean_string(text: str, found: set[str]) -> str:
    if _UNCLEAN.search(text) is None:
        return text
    if _NUL in text:
        found.add("nul-replaced")
        text = text.replace(_NUL, "␀")
    text, replaced = _SURROGATE.subn("�", text)
    if replaced:
        found.add("surrogate-replaced")
    return text
