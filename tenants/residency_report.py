"""Where each class of an organization's data is: what the residency pages and the API show."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from tenants import placements
from tenants.models import Organization
from tenants.residency import Placement
from tenants.selectors import home_decision
from tenants.webhooks.selectors import placements_called

# Class of data → what keeps it. All of it stands in the organization's one cell.
KEPT_IN = {
    "messages and memories": "PostgreSQL",
    "search index: passages, blind tokens, vectors": "PostgreSQL",
    "raw objects of imports": "PostgreSQL",
    "uploads, assets and finished exports": "object folder",
    "jobs in waiting (ids only)": "broker",
    "embedding of texts": "this cell’s own workers",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One class of data, and the facts of where it is."""

    data: str
    kept_in: str
    placement: str
    country: str
    province: str
    site: str
    operator: str
    operator_parent_country: str
    legal_nexus: list[str]
    key_custody: str


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    name: str
    countries: list[str]
    provinces: list[str]
    refused_nexus: list[str]
    key_custody: list[str]


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of call that leaves the cell, and where to. No place: the registry has lost it."""

    kind: str  # of a Flow
    code: str
    place: Placement | None

    def __str__(self) -> str:
        if self.place is None:
            return f"{self.kind} → {self.code}"
        to = self.place
        return f"{self.kind} → {to.operator}, {to.site}, {to.province}, {to.country}"


@dataclass(frozen=True, slots=True)
class ResidencyReport:
    """The answer to “where is it?”. `outbound_calls`: the declared flows out of the cell."""

    organization: str
    allowed: bool
    reasons: list[str]
    policy: PolicyFacts
    places: list[Place]
    evidence: str
    evidence_date: date | None
    evidence_valid_until: date | None
    outbound_calls: list[Call]


def residency_report(organization: Organization) -> ResidencyReport:
    """The facts as the registry has them today, and where calls lead. One query, in the
    organization's scope.
    """
    placement = placements.placements()[organization.placement]
    decision = home_decision(placement)
    return ResidencyReport(
        organization=organization.slug,
        allowed=decision.allowed,
        reasons=list(decision.reasons),
        policy=_policy_facts(),
        places=[_place(data, kept_in, placement) for data, kept_in in KEPT_IN.items()],
        evidence=placement.evidence,
        evidence_date=placement.evidence_date,
        evidence_valid_until=placement.evidence_valid_until,
        outbound_calls=[
            *(_call("webhook", code) for code in placements_called()),
            *(_call("rerank", code) for code in _rerankers()),
        ],
    )


def _rerankers() -> list[str]:
    """Where a reranker is shown what searches find: at most one place."""
    return [settings.SOUVENIR_RERANK_PLACEMENT] if settings.SOUVENIR_RERANK_URL else []


def _call(kind: str, code: str) -> Call:
    return Call(kind, code, placements.placements().get(code))


def _policy_facts() -> PolicyFacts:
    policy = placements.policy()
    return PolicyFacts(
        name=policy.name,
        countries=sorted(policy.countries),
        provinces=sorted(policy.provinces),
        refused_nexus=sorted(policy.refused_nexus),
        key_custody=sorted(policy.key_custody),
    )


def _place(data: str, kept_in: str, placement: Placement) -> Place:
    return Place(
        data=data,
        kept_in=kept_in,
        placement=placement.code,
        country=placement.country,
        province=placement.province,
        site=placement.site,
        operator=placement.operator,
        operator_parent_country=placement.operator_parent_country,
        legal_nexus=list(placement.legal_nexus),
        key_custody=placement.key_custody,
    )
