"""The registry of placements: a JSON file of the operator, with the policy that holds."""

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from tenants.residency import Placement, Policy


@cache
def _registry(path: Path) -> tuple[Policy, dict[str, Placement]]:
    document = json.loads(path.read_text())
    policy = document["policy"]
    placements = [_placement(entry) for entry in document["placements"]]
    return (
        Policy(
            name=policy["name"],
            countries=frozenset(policy["countries"]),
            provinces=frozenset(policy["provinces"]),
            refused_nexus=frozenset(policy["refused_nexus"]),
            key_custody=frozenset(policy["key_custody"]),
        ),
        {placement.code: placement for placement in placements},
    )


def _placement(entry: dict[str, Any]) -> Placement:
    day = {
        name: date.fromisoformat(str(entry[name])) if entry[name] else None
        for name in ("evidence_date", "evidence_valid_until")
    }
    lists = {name: tuple(entry[name]) for name in ("legal_nexus", "staff_access_from")}
    return Placement(**{**entry, **day, **lists})


def placements() -> dict[str, Placement]:
    """Every placement of the registry, by code, in the file's order."""
    return _registry(settings.SOUVENIR_PLACEMENTS_FILE)[1]


def policy() -> Policy:
    """The policy that holds for every organization of this installation."""
    return _registry(settings.SOUVENIR_PLACEMENTS_FILE)[0]
