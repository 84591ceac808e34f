"""No code of a layer below is shown to a person as it stands: each has words, in both languages."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from django.utils.translation import override

import souvenir.console
import tenants
from souvenir.api.memory_shapes import KINDS
from souvenir.console.words import PARAMETERS, WORDS, in_words, word
from souvenir.core.jobs import Job as Kind
from souvenir.deletion import erasing
from souvenir.deletion.models import Erasure
from souvenir.deletion.registry import ERASABLES
from souvenir.ingestion.models import Trust
from souvenir.portability import detection
from souvenir.portability.documents import BlockType, Role
from souvenir.portability.objects import _RAW_KINDS
from souvenir.search.packing import LEFT_OUT
from souvenir.search.rerank import Rerank
from tenants import placements
from tenants.errors import AddressRefused, FlowRefused
from tenants.keys import SCOPES
from tenants.models import Job, JobItem, Organization
from tenants.residency import REASONS, Flow, KeyCustody
from tenants.residency_report import KEPT_IN
from tenants.webhooks.errors import PlacementUnknown
from tenants.webhooks.events import TEST, TYPES
from tenants.webhooks.models import Delivery, Endpoint

CONSOLE = Path(souvenir.console.__file__).parent
SOURCES = [
    path
    for root in (CONSOLE.parent, Path(tenants.__file__).parent)
    for path in root.rglob("*.py")
    if "migrations" not in path.parts
]
TEMPLATES = list((CONSOLE / "templates").rglob("*.html"))
SAME = {"PostgreSQL", "passages"}  # in French too


def _said(pattern: str, paths: Iterable[Path]) -> set[str]:
    return {found for path in paths for found in re.findall(pattern, path.read_text("utf-8"))}


def _counted_by_erasing() -> set[str]:
    """The names under which it counts what it removes: those in its maps that name no part."""
    tree = ast.parse(Path(erasing.__file__).read_text("utf-8"))
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    names = {key.value for key in keys if isinstance(key, ast.Constant)}
    return {str(name) for name in names} - erasing._REMOVERS.keys()


CODES: dict[str, set[str]] = {
    "provider": _said(r'\bprovider="(\w+)"', SOURCES),
    "role": {*get_args(Role)},
    "block": {*get_args(BlockType)},
    "kind": {*KINDS},
    "method": _said(r'\bmethod(?:: str)?\s?=\s?"(\w+)"', SOURCES),
    "job": {kind.value for kind in Kind},
    "job-state": {*Job.State.values},
    "part-state": {*JobItem.State.values},
    "trust": {str(trust.value) for trust in Trust},
    "why": _said(r'"(words(?:-and-meaning)?|meaning|time)"', [CONSOLE / "finding.py"]),
    "left-out": {*LEFT_OUT},
    "unit": _said(r'\bunit="(\w+)"', SOURCES),
    "raw-kind": {*_RAW_KINDS, "other"},
    "target": {*Erasure.Target.values},
    "erased": {one.name for one in ERASABLES} | _counted_by_erasing(),
    "scope": {*SCOPES},
    "event": {*TYPES, TEST},
    "delivery-state": {*Delivery.State.values},
    "no-answer": {one.code for one in (FlowRefused, AddressRefused, PlacementUnknown)}
    | _said(r'return None, "([\w-]+)"', SOURCES),
    "webhook-off": {*Endpoint.Why.values},
    "organization-state": {*Organization.State.values},
    "custody": {*get_args(KeyCustody)},
    "province": {place.province for place in placements.placements().values()},
    "country": {
        country
        for place in placements.placements().values()
        for country in (place.country, place.operator_parent_country, *place.legal_nexus)
        if country
    },
    "flow": {*get_args(get_type_hints(Flow)["kind"])},
    "data": {*KEPT_IN},
    "keeper": {*KEPT_IN.values()},
    "reason": {*REASONS},
}


@pytest.mark.parametrize("kind", CODES)
def test_every_code_has_words(kind: str) -> None:
    assert CODES[kind], "nothing was found: the test looks in the wrong place"
    assert CODES[kind] - WORDS[kind].keys() == set()


@pytest.mark.parametrize("kind", CODES)
def test_no_code_stands_in_a_french_page(kind: str) -> None:
    with override("fr-ca"):
        bare = {code for code in CODES[kind] if word(code, kind) == code}

    assert bare <= SAME


def test_an_error_s_codes_are_told_in_words() -> None:
    foreign = _said(r'"other", "([^"]+)"\)', [Path(detection.__file__)])

    assert foreign
    assert foreign - PARAMETERS["format"].keys() == set()
    assert {*Erasure.Target.values} - PARAMETERS["target"].keys() == set()
    with override("fr-ca"):
        told = in_words(
            {"placement": "local", "reasons": ("nexus-refused",), "scope": "erasures:write"}
        )
    assert told["placement"] == "Cet ordinateur, Québec, Canada"
    assert not {*told.values()} & {"local", "nexus-refused", "erasures:write"}


def test_what_templates_put_into_words_is_looked_after_here() -> None:
    used = _said(r'word:["\']([\w-]+)["\']', TEMPLATES)

    assert used <= WORDS.keys()
    assert used - CODES.keys() == {"registry"}  # what the operator wrote there; tested below


def test_what_the_shipped_registry_says_in_english_has_its_french() -> None:
    local = placements.placements()["local"]

    with override("fr-ca"):
        told = {text: word(text, "registry") for text in (local.site, local.operator)}

    assert all(french != english for english, french in told.items())


def test_every_outcome_of_a_second_look_is_told_but_that_there_is_none() -> None:
    page = (CONSOLE / "templates/console/my/second_look.html").read_text("utf-8")

    told = set(re.findall(r'outcome == "(\w+)"', page))
    assert told == {outcome.value for outcome in Rerank} - {"off"}
