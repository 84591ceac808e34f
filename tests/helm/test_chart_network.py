"""The network refuses everything but what is listed."""

import pytest

from tests.helm.rendered_chart import (
    Manifest,
    Pod,
    Values,
    minimal,
    of_kind,
    one,
    pods,
    render,
    selects,
    values_of,
)

BROKER = {"ipBlock": {"cidr": "10.20.0.0/24"}}
ALL_WAYS = {"dns:53", "database:5432", "keyring:5432", "keystore:8200", "broker:5671"}
DATABASE = {"podSelector": {"matchLabels": {"cnpg.io/cluster": "souvenir"}}}


@pytest.mark.parametrize(
    "values", [minimal(), values_of("values-dev.yaml")], ids=["minimal", "dev"]
)
def test_every_pod_is_denied_everything_in_and_out(values: Values) -> None:
    manifests = render(values)
    policy = one("NetworkPolicy", "souvenir-default-deny", manifests)["spec"]

    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]
    assert not {"ingress", "egress"} & policy.keys()
    for pod in pods(manifests):
        assert selects(policy["podSelector"], pod.labels), pod.name


def test_no_rule_is_without_peers_or_ports() -> None:
    for policy in of_kind("NetworkPolicy", render(minimal())):
        for rule in _rules(policy):
            # Kubernetes reads a missing list as "everyone", or "every port".
            assert rule.get("to") or rule.get("from"), policy["metadata"]["name"]
            assert rule["ports"], policy["metadata"]["name"]


@pytest.mark.parametrize(
    ("component", "ways_out"),
    [
        ("web", ALL_WAYS),
        ("worker-interactive", ALL_WAYS),
        ("worker-erasure", ALL_WAYS),
        ("worker-bulk", ALL_WAYS),
        ("relay", {"dns:53", "database:5432", "broker:5671"}),
        ("sweeper", ALL_WAYS - {"broker:5671"}),
        ("migrate", {"dns:53", "database:5432", "keyring:5432"}),
        ("test", {"dns:53", "web:8000"}),
    ],
)
def test_each_pod_has_just_these_ways_out(component: str, ways_out: set[str]) -> None:
    manifests = render(minimal())
    (pod,) = [pod for pod in pods(manifests) if pod.component == component]

    assert _ways_out(pod, manifests) == ways_out


def test_only_the_test_pod_and_those_listed_may_call_the_web() -> None:
    ingress = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    manifests = render(minimal(networkPolicy__web={"from": [ingress]}))

    entered = [p for p in of_kind("NetworkPolicy", manifests) if "ingress" in p["spec"]]

    (policy,) = entered
    (rule,) = policy["spec"]["ingress"]
    test, listed = rule["from"]
    (tester,) = [pod for pod in pods(manifests) if pod.component == "test"]
    assert selects(test["podSelector"], tester.labels)
    assert listed == ingress
    assert rule["ports"] == [{"protocol": "TCP", "port": 8000}]
    for pod in pods(manifests):
        assert selects(policy["spec"]["podSelector"], pod.labels) == (pod.component == "web")


def test_another_way_out_is_opened_only_when_it_is_listed() -> None:
    store = {"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "port": 443}
    manifests = render(minimal(networkPolicy__extraEgress=[store]))

    (rule,) = one("NetworkPolicy", "souvenir-to-extra-0", manifests)["spec"]["egress"]

    assert rule == {"to": store["to"], "ports": [{"protocol": "TCP", "port": 443}]}


def _rules(policy: Manifest) -> list[Manifest]:
    return [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]


def _ways_out(pod: Pod, manifests: list[Manifest]) -> set[str]:
    names = {"souvenir-test-to-web": "web"}
    return {
        f"{names.get(name, name.removeprefix('souvenir-to-'))}:{port['port']}"
        for policy in of_kind("NetworkPolicy", manifests)
        if selects(policy["spec"]["podSelector"], pod.labels)
        for name in [policy["metadata"]["name"]]
        for rule in policy["spec"].get("egress", [])
        for port in rule["ports"]
    }


def test_the_ways_out_lead_to_the_peers_that_the_values_list() -> None:
    manifests = render(minimal())

    peers = {
        name: one("NetworkPolicy", f"souvenir-to-{name}", manifests)["spec"]["egress"][0]["to"]
        for name in ("database", "broker")
    }

    assert peers == {"database": [DATABASE], "broker": [BROKER]}
