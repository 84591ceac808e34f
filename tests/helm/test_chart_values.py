"""Every value says what it is for, and no block lets a misspelling through."""

import json
from collections.abc import Iterator

import yaml

from tests.helm.rendered_chart import CHART, Manifest

TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
SCHEMA: Manifest = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def test_every_value_has_a_comment_that_helm_docs_reads() -> None:
    root = yaml.compose(TEXT)
    assert isinstance(root, yaml.MappingNode)
    documented = dict(_values("", root))

    assert [path for path, comment in documented.items() if "# -- " not in comment] == []
    assert len(documented) > 100


def test_every_block_of_ours_refuses_unknown_keys() -> None:
    blocks = dict(_blocks("", SCHEMA))

    loose = [
        path for path, block in blocks.items() if block.get("additionalProperties") is not False
    ]

    assert loose == []
    assert len(blocks) > 20


def _values(path: str, mapping: yaml.MappingNode) -> Iterator[tuple[str, str]]:
    """(path, the comment above) of each value; a block without a comment of its own is entered."""
    for key, value in mapping.value:
        here, comment = f"{path}.{key.value}", _comment_above(key.start_mark.line)
        if "# -- " not in comment and isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from _values(here, value)
        else:
            yield here, comment


def _comment_above(line: int) -> str:
    first = line
    while first > 0 and LINES[first - 1].lstrip().startswith("#"):
        first -= 1
    return "\n".join(LINES[first:line])


def _blocks(path: str, node: object) -> Iterator[tuple[str, Manifest]]:
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            yield path, node
        for key, child in node.items():
            yield from _blocks(f"{path}/{key}", child)
