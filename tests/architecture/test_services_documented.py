"""Every service and every selector says what it does; services are called by keywords."""

import ast
from pathlib import Path

from tests.architecture.sources import functions, source_files


def test_every_service_and_selector_has_a_docstring() -> None:
    silent = [
        f"{function.place} {function.name}"
        for path in _files("services", "selectors")
        for function in functions(path)
        if _is_public(function.node) and not ast.get_docstring(function.node)
    ]

    assert silent == [], (
        "Say what a second call does and what it raises (services), or the order, the laziness and "
        f"the number of queries (selectors): {silent}"
    )


def test_services_take_no_flags_by_position() -> None:
    unclear = [
        f"{function.place} {function.name}"
        for path in _files("services")
        for function in functions(path)
        if _is_public(function.node) and len(function.node.args.args) > 1
    ]

    assert unclear == [], f"Put `*,` before the arguments of these: {unclear}"


def _files(*stems: str) -> list[Path]:
    return [
        path
        for path in source_files(".py")
        if path.stem in stems and "tests" not in path.parts[-4:]
    ]


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not node.name.startswith("_")
