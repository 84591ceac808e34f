"""The residency decision: each fact counts, unknown and stale fail closed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tenants import placements
from tenants.errors import PlacementRefused
from tenants.residency import REASONS, Flow, Placement, Policy, decide
from tenants.selectors import placement_choices
from tenants.services import create_organization
from tests.builders import Tenant

TODAY = date(2026, 11, 1)
POLICY = Policy(name="canada", countries=frozenset({"CA"}), refused_nexus=frozenset({"US"}))
GOOD = Placement(
    code="qc-1",
    country="CA",
    province="QC",
    site="Lévis",
    operator="Une coopérative",
    operator_parent="Une coopérative",
    operator_parent_country="CA",
    legal_nexus=("CA",),
    staff_access_from=("CA",),
    key_custody="customer",
    evidence="contract 12",
    evidence_date=date(2026, 1, 1),
    evidence_valid_until=date(2027, 1, 1),
)


def test_a_place_that_nothing_speaks_against_is_allowed() -> None:
    assert decide(POLICY, GOOD, Flow("stay"), today=TODAY).allowed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"country": "US"}, "country-not-allowed"),
        ({"operator": ""}, "operator-unknown"),
        ({"operator_parent_country": ""}, "parent-unknown"),
        ({"legal_nexus": ()}, "nexus-unknown"),
        ({"legal_nexus": ("CA", "US")}, "nexus-refused"),
        ({"staff_access_from": ("CA", "IN")}, "staff-access-refused"),
        ({"evidence": ""}, "evidence-missing"),
        ({"evidence_date": None}, "evidence-missing"),
        ({"evidence_valid_until": date(2026, 10, 31)}, "evidence-stale"),
        ({"evidence_valid_until": None}, "evidence-stale"),
    ],
)
def test_each_fact_can_speak_against_a_place(change: dict[str, object], reason: str) -> None:
    decision = decide(POLICY, replace(GOOD, **change), Flow("stay"), today=TODAY)  # type: ignore[arg-type]  # names of fields

    assert decision.reasons == (reason,)


def test_a_province_can_be_required() -> None:
    quebec = replace(POLICY, provinces=frozenset({"QC"}))

    assert decide(quebec, GOOD, Flow("stay"), today=TODAY).allowed
    assert decide(quebec, replace(GOOD, province="ON"), Flow("stay"), today=TODAY).reasons == (
        "province-not-allowed",
    )


def test_the_custody_of_keys_can_be_required() -> None:
    strict = replace(POLICY, key_custody=frozenset({"customer"}))
    place = replace(GOOD, key_custody="operator")

    assert decide(strict, place, Flow("stay"), today=TODAY).reasons == ("key-custody-refused",)


def test_a_call_that_no_one_declared_is_refused() -> None:
    assert decide(POLICY, GOOD, Flow("webhook"), today=TODAY).reasons == ("flow-not-declared",)
    assert decide(POLICY, GOOD, Flow("webhook", declared=True), today=TODAY).allowed


countries = st.sampled_from(["CA", "US", "FR", ""])


@given(
    country=countries,
    nexus=st.lists(countries.filter(bool), max_size=3),
    staff=st.lists(countries.filter(bool), max_size=3),
    parent=countries,
    refused=st.frozensets(countries, max_size=3),
    days=st.integers(-400, 400),
)
def test_refusing_more_never_allows_more(
    country: str,
    nexus: list[str],
    staff: list[str],
    parent: str,
    refused: frozenset[str],
    days: int,
) -> None:
    place = replace(
        GOOD,
        country=country,
        legal_nexus=tuple(nexus),
        staff_access_from=tuple(staff),
        operator_parent_country=parent,
        evidence_valid_until=TODAY + timedelta(days=days),
    )
    before = decide(POLICY, place, Flow("stay"), today=TODAY)
    stricter = replace(POLICY, refused_nexus=POLICY.refused_nexus | refused)

    after = decide(stricter, place, Flow("stay"), today=TODAY)

    assert set(before.reasons) <= set(after.reasons)


def test_a_region_outside_the_policy_is_refused_with_its_reasons(unique: str) -> None:
    with pytest.raises(PlacementRefused) as refused:
        create_organization(slug=unique, name_en="A", name_fr="A", placement="aws-ca-central-1")

    assert "nexus-refused" in str(refused.value)


def test_an_organization_is_homed_only_where_this_cell_runs(unique: str) -> None:
    with pytest.raises(PlacementRefused) as refused:
        create_organization(slug=unique, name_en="A", name_fr="A", placement="ovh-bhs")

    assert "another-cell" in str(refused.value)


def test_the_registry_offers_one_place_here_and_gives_reasons_for_the_rest() -> None:
    choices = {choice.placement.code: choice.decision for choice in placement_choices()}

    assert choices.pop("local").allowed
    assert choices
    assert all(not decision.allowed for decision in choices.values())
    assert all(set(decision.reasons) <= set(REASONS) for decision in choices.values())


def test_the_evidence_for_the_place_that_is_offered_is_in_date() -> None:
    until = placements.placements()["local"].evidence_valid_until

    assert until is not None
    assert until > timezone.localdate()


def test_residency_says_where_each_class_of_data_is(acme: Tenant) -> None:
    answer = acme.http.get("/api/v1/residency").json()

    assert answer["allowed"] is True
    assert answer["outbound_calls"] == []
    assert {place["placement"] for place in answer["places"]} == {"local"}
    assert {"PostgreSQL", "object folder", "broker"} <= {p["kept_in"] for p in answer["places"]}


def test_the_report_names_the_places_that_webhooks_call(acme: Tenant, globex: Tenant) -> None:
    body = {"url": "https://hooks.example.ca/", "placement": "local", "purpose": "To know."}
    acme.http.post("/api/v1/webhooks", body, "application/json")

    ours, theirs = (
        tenant.http.get("/api/v1/residency").json()["outbound_calls"] for tenant in (acme, globex)
    )

    assert (len(ours), theirs) == (1, [])
    assert ours[0].startswith("webhook → ")
    assert "hooks.example.ca" not in ours[0]


def test_the_report_names_the_place_of_a_reranker(acme: Tenant, settings: Settings) -> None:
    settings.SOUVENIR_RERANK_URL = "https://rerank.example.ca/rerank"
    settings.SOUVENIR_RERANK_PLACEMENT = "local"

    [call] = acme.http.get("/api/v1/residency").json()["outbound_calls"]

    assert call.startswith("rerank → ")
    assert "rerank.example.ca" not in call
