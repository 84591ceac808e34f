"""What the checkout holds, for tests that read it: source files, functions, modules, pages."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("souvenir", "tenants", "workers")  # ours, by their importable names
ROOTS = ("platform", "tenants", "workers", "tests", "bench", "manage.py")
# Importing one of these starts a process.
_ENTRY_POINTS = re.compile(r"\.(__main__|wsgi|asgi)$|\.migrations(\.|$)")


@dataclass(frozen=True)
class Function:
    """A function or method of ours, with the lines it takes, decorators included."""

    place: str  # path:line
    name: str
    lines: int
    node: ast.FunctionDef | ast.AsyncFunctionDef


def source_files(*suffixes: str) -> list[Path]:
    """Files of ours with one of these suffixes, sorted. Migrations are generated: left out."""
    found: list[Path] = []
    for root in ROOTS:
        path = CHECKOUT / root
        found += [path] if path.is_file() else path.rglob("*")
    return sorted(
        file
        for file in found
        if file.suffix in suffixes and file.is_file() and "migrations" not in file.parts
    )


def shown(path: Path) -> str:
    """A path as a person types it: relative to the checkout."""
    return str(path.relative_to(CHECKOUT))


@cache
def functions(path: Path) -> tuple[Function, ...]:
    """Every function of a Python file, methods and nested ones too."""
    return tuple(
        Function(
            place=f"{shown(path)}:{node.lineno}",
            name=node.name,
            lines=(node.end_lineno or node.lineno) - _first_line(node) + 1,
            node=node,
        )
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of ours, imported, but for those that start a process."""
    return tuple(importlib.import_module(name) for name in _module_names())


def _module_names() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        paths = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(paths, prefix=f"{package}."):
            if not _ENTRY_POINTS.search(module.name):
                yield module.name


def pages() -> list[Path]:
    """Every Markdown page of the project, sorted."""
    folders = [CHECKOUT / name for name in ("docs", "tests", "bench", "helm", "platform")]
    found = [*CHECKOUT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return sorted(found)


def shell_blocks(page: str) -> list[str]:
    """The ```sh blocks of a page, in order."""
    return re.findall(r"^```sh\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
