"""A reranker is asked by the web alone, where the values name its place; by default none is."""

from typing import Any

import helm_python as helm
import pytest

from tests.helm.rendered_chart import (
    Values,
    minimal,
    notes,
    of_kind,
    one,
    pod_of,
    pods,
    render,
    selects,
)

INSIDE = {"url": "https://rerank.example.ca:8443/rerank", "placement": "qc-1"}
PEERS = {"to": [{"podSelector": {"matchLabels": {"app": "rerank"}}}], "port": 8443}
ELSEWHERE = {
    "code": "on-1",
    "country": "CA",
    "province": "ON",
    "site": "Ottawa",
    "operator": "Une autre coopérative",
    "operatorParentCountry": "CA",
    "legalNexus": ["CA"],
    "staffAccessFrom": ["CA"],
    "keyCustody": "operator",
    "evidence": "Visit of 2026-11-01",
    "evidenceDate": "2026-11-01",
    "evidenceValidUntil": "2027-11-01",
}


def _values(**changes: object) -> Values:
    values: dict[str, Any] = {
        "rerank": INSIDE,
        "cell__allowedHosts": ["openbao.example.ca", "rerank.example.ca"],
        "networkPolicy__rerank": PEERS,
    }
    return minimal(**(values | changes))


def test_by_default_none_is_asked_and_no_way_leads_to_one() -> None:
    manifests = render(minimal())

    assert "RERANK" not in str(manifests)
    assert "rerank" not in {m["metadata"]["name"] for m in of_kind("NetworkPolicy", manifests)}
    assert "Reranker     none" in notes(minimal())


def test_the_processes_are_told_of_the_one_in_the_values() -> None:
    data = one("ConfigMap", "souvenir-config", render(_values()))["data"]

    assert {name: data[name] for name in data if "RERANK" in name or "EGRESS" in name} == {
        "SOUVENIR_EGRESS_INSIDE": "rerank.example.ca:8443",
        "SOUVENIR_RERANK_URL": "https://rerank.example.ca:8443/rerank",
        "SOUVENIR_RERANK_KIND": "tei",
        "SOUVENIR_RERANK_MODEL": "",
        "SOUVENIR_RERANK_PLACEMENT": "qc-1",
        "SOUVENIR_RERANK_TIMEOUT_SECONDS": "1",
        "SOUVENIR_RERANK_PASSAGES": "40",
    }
    assert "rerank.example.ca:8443, in qc-1" in notes(_values())


def test_only_the_web_has_a_way_to_it() -> None:
    manifests = render(_values())

    policy = one("NetworkPolicy", "souvenir-to-rerank", manifests)["spec"]

    assert policy["egress"] == [{"to": PEERS["to"], "ports": [{"protocol": "TCP", "port": 8443}]}]
    reached = {p.component for p in pods(manifests) if selects(policy["podSelector"], p.labels)}
    assert reached == {"web"}


def test_only_the_web_is_given_its_key() -> None:
    manifests = render(_values(secrets__rerankKey={"existingSecret": "rerank", "key": "token"}))

    data = one("ConfigMap", "souvenir-config", manifests)["data"]
    web = pod_of("web", manifests)
    [volume] = [v for v in web.spec["volumes"] if v["name"] == "rerank"]
    [mount] = [
        m for c in web.spec["containers"] for m in c["volumeMounts"] if m["name"] == "rerank"
    ]

    assert volume["secret"]["secretName"] == "rerank"
    assert volume["secret"]["items"] == [{"key": "token", "path": "rerank-key"}]
    assert data["SOUVENIR_RERANK_KEY_FILE"] == f"{mount['mountPath']}/rerank-key"
    others = [pod for pod in pods(manifests) if pod.component != "web"]
    assert not any(v["name"] == "rerank" for pod in others for v in pod.spec.get("volumes", []))


def test_an_authority_of_the_cell_is_given_to_those_who_call_out() -> None:
    manifests = render(_values(secrets__egressCa={"existingSecret": "cell-ca", "key": "ca.crt"}))

    data = one("ConfigMap", "souvenir-config", manifests)["data"]
    for component in ("web", "worker-bulk"):
        mounts = {m["name"]: m for m in pod_of(component, manifests).main["volumeMounts"]}
        assert data["SOUVENIR_EGRESS_CA_FILE"] == f"{mounts['egress-ca']['mountPath']}/ca.crt"


def test_one_that_is_elsewhere_in_canada_is_no_host_of_the_cell() -> None:
    manifests = render(
        _values(
            rerank={"url": "https://rerank.example.ca/rerank", "placement": "on-1"},
            cell__allowedHosts=["openbao.example.ca"],
            residency__placements=[ELSEWHERE],
            webhooks__inside=["portal:8443"],
        )
    )

    data = one("ConfigMap", "souvenir-config", manifests)["data"]
    assert data["SOUVENIR_EGRESS_INSIDE"] == "portal:8443"
    assert data["SOUVENIR_RERANK_PLACEMENT"] == "on-1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rerank": {**INSIDE, "placement": ""}}, "nobody knows where people’s words would go"),
        ({"rerank": {**INSIDE, "placement": "us-1"}}, 'rerank.placement is "us-1"'),
        ({"cell__allowedHosts": ["openbao.example.ca"]}, "cell.allowedHosts does not name"),
        (
            {
                "rerank": {**INSIDE, "placement": "on-1"},
                "residency__placements": [ELSEWHERE],
            },
            "Correct one of them",
        ),
        ({"networkPolicy__rerank": {"to": [], "port": 443}}, "networkPolicy.rerank.to is empty"),
        ({"rerank": {**INSIDE, "kind": "cohere"}}, "rerank.model is empty"),
    ],
)
def test_what_cannot_work_or_must_not_be_is_refused_in_both_languages(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(helm.HelmRenderError) as refusal:
        render(_values(**changes))

    english, french = str(refusal.value).split("Souvenir ne s’installe pas")
    assert words in english
    assert "erank" in french


OTHER_PLACES = {
    "province": ({}, {"provinces": ["QC"]}),
    "legalNexus": ({"legalNexus": ["CA", "US"]}, {}),
    "staffAccessFrom": ({"staffAccessFrom": ["CA", "IN"]}, {}),
    "keyCustody": ({}, {"keyCustody": ["customer"]}),
    "evidence": ({"evidence": ""}, {}),
    "evidenceDate": ({"evidenceDate": ""}, {}),
    "evidenceValidUntil": ({"evidenceValidUntil": ""}, {}),
}


@pytest.mark.parametrize(("fact", "place", "policy"), [(f, *v) for f, v in OTHER_PLACES.items()])
def test_a_place_that_the_policy_refuses_is_refused_before_anything_runs(
    fact: str, place: dict[str, object], policy: dict[str, object]
) -> None:
    """As tenants/residency.py would refuse each of its calls."""
    values = _values(
        rerank={"url": "https://rerank.example.ca/rerank", "placement": "on-1"},
        cell__allowedHosts=["openbao.example.ca"],
        cell__keyCustody="customer",
        residency__placements=[{**ELSEWHERE, **place}],
        residency__policy=policy,
    )

    with pytest.raises(helm.HelmRenderError) as refusal:
        render(values)

    english, french = str(refusal.value).split("Souvenir ne s’installe pas")
    assert f'"on-1", which residency.policy refuses for its {fact}: ' in english
    assert f"que residency.policy refuse pour son {fact} :" in french


def test_a_place_that_the_policy_refuses_may_still_be_compared_with_the_cell() -> None:
    assert render(_values(residency__placements=[{**ELSEWHERE, "legalNexus": ["US"]}]))


@pytest.mark.parametrize(
    "rerank",
    [
        {"url": "http://rerank.example.ca/"},
        {"url": "https://user:key@rerank.example.ca/"},
        {"kind": "openai"},
        {"timeoutSeconds": 0},
        {"timeoutSeconds": 60},
        {"passages": 1},
        {"placement": "QC 1"},
        {"key": "s3cret"},
    ],
)
def test_the_schema_refuses_what_is_misspelt(rerank: dict[str, object]) -> None:
    with pytest.raises(helm.HelmValuesError):
        render(_values(rerank={**INSIDE, **rerank}))
