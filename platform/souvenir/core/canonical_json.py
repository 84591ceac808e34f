"""JSON as canonical bytes: what is stored, hashed and exported."""

import json


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8. The same value gives the same bytes.

    Text must be clean (no lone surrogates); numbers are written as Python writes them.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
