"""May this data be there, or go there? A pure decision over facts, with its reasons.

Six facts about a place are kept apart, for none follows from another: where it stands, who operates
it, who owns the operator, whose courts reach it, whence staff enter it, who holds the keys.
What is unknown or whose evidence is out of date counts against the place (fail closed).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from souvenir.core.errors import gettext_noop

KeyCustody = Literal["customer", "operator", "shared", "unknown"]

REASONS = {
    "country-not-allowed": gettext_noop("the country is not one that the policy allows"),
    "province-not-allowed": gettext_noop("the province is not one that the policy allows"),
    "operator-unknown": gettext_noop("nobody knows who operates it"),
    "parent-unknown": gettext_noop("nobody knows in which country the operator’s parent is"),
    "nexus-unknown": gettext_noop("nobody knows whose courts reach the operator"),
    "nexus-refused": gettext_noop("the courts of a country that the policy refuses reach it"),
    "staff-access-refused": gettext_noop("staff enter it from a country that is not allowed"),
    "key-custody-refused": gettext_noop("the keys are not held by whom the policy requires"),
    "evidence-missing": gettext_noop("there is no dated evidence for what is said of it"),
    "evidence-stale": gettext_noop("the evidence is out of date"),
    "not-in-the-registry": gettext_noop("the registry of placements does not know it"),
    "another-cell": gettext_noop("this installation does not run there"),
    "flow-not-declared": gettext_noop("no one has declared this kind of call"),
}


@dataclass(frozen=True, slots=True)
class Placement:
    """A place where data may be, and the six facts about it. Countries: ISO 3166-1 alpha-2."""

    code: str
    country: str
    province: str  # ISO 3166-2 without the country: "QC"
    site: str
    operator: str
    operator_parent: str
    operator_parent_country: str
    legal_nexus: tuple[str, ...]
    staff_access_from: tuple[str, ...]
    key_custody: KeyCustody
    evidence: str  # what was looked at
    evidence_date: date | None
    evidence_valid_until: date | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What an organization allows. An empty set of provinces means any province."""

    name: str
    countries: frozenset[str]
    provinces: frozenset[str] = field(default_factory=frozenset)
    refused_nexus: frozenset[str] = field(default_factory=frozenset)
    key_custody: frozenset[KeyCustody] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Flow:
    """What the data would do there. `stay`: be stored; the others leave the cell."""

    kind: Literal["stay", "embed", "rerank", "webhook", "backup", "export", "support"]
    declared: bool = False  # someone has written down why, with an assessment and an agreement


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed only where nothing speaks against it. Reasons: codes of REASONS, in its order."""

    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        return not self.reasons


def decide(policy: Policy, placement: Placement, flow: Flow, *, today: date) -> Decision:
    """Hold one place and one flow against a policy. Pure: no clock, no network, no database."""
    against = {
        "country-not-allowed": placement.country not in policy.countries,
        "province-not-allowed": bool(policy.provinces)
        and placement.province not in policy.provinces,
        "operator-unknown": not placement.operator,
        "parent-unknown": not placement.operator_parent_country,
        "nexus-unknown": not placement.legal_nexus,
        "nexus-refused": not policy.refused_nexus.isdisjoint(placement.legal_nexus),
        "staff-access-refused": not policy.countries.issuperset(placement.staff_access_from),
        "key-custody-refused": bool(policy.key_custody)
        and placement.key_custody not in policy.key_custody,
        "evidence-missing": not placement.evidence or placement.evidence_date is None,
        "evidence-stale": placement.evidence_valid_until is None
        or placement.evidence_valid_until < today,
        "flow-not-declared": flow.kind != "stay" and not flow.declared,
    }
    return Decision(tuple(reason for reason in REASONS if against.get(reason, False)))
