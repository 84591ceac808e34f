"""Numbers are told to whom the values list, by a container that knows no secret; or not at all."""

import helm_python as helm
import pytest

from tests.helm.rendered_chart import (
    Manifest,
    Values,
    minimal,
    of_kind,
    one,
    pods,
    render,
    selects,
)

PROMETHEUS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
COUNTING = {"web", "worker-interactive", "worker-erasure", "worker-bulk", "relay", "sweeper"}


def _told(**changes: object) -> Values:
    values = minimal(metrics__enabled=True, **{"metrics__podMonitor__enabled": True, **changes})
    values["metrics"]["from"] = [PROMETHEUS]
    return values


def test_nothing_is_told_unless_it_is_asked_for() -> None:
    manifests = render(minimal())

    assert of_kind("PodMonitor", manifests) == []
    assert {len(pod.spec["containers"]) for pod in pods(manifests)} == {1}
    assert "9464" not in str(manifests)
    assert "SOUVENIR_METRICS" not in str(manifests)


def test_every_process_counts_and_a_container_beside_it_tells() -> None:
    found = {pod.component: pod for pod in pods(render(_told()))}

    for component in COUNTING:
        main, teller = found[component].spec["containers"]
        told = {entry["name"]: entry["value"] for entry in teller["env"]}
        said = [e for e in main["env"] if e["name"] == "SOUVENIR_METRICS_DIR"]
        (mount,) = [m for m in main["volumeMounts"] if m["name"] == "metrics"]
        assert said[0]["value"] == told["SOUVENIR_METRICS_DIR"] == mount["mountPath"]
        assert teller["ports"][0]["containerPort"] == int(told["SOUVENIR_METRICS_PORT"])
        assert {"name": "metrics", "mountPath": mount["mountPath"]} in teller["volumeMounts"]
    assert {c for c, pod in found.items() if len(pod.spec["containers"]) == 2} == COUNTING


def test_the_container_that_tells_is_restricted_and_knows_no_secret() -> None:
    for pod in pods(render(_told())):
        for container in pod.spec["containers"][1:]:
            assert "valueFrom" not in str(container["env"])
            assert "envFrom" not in container
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]


def test_only_those_who_are_listed_may_read() -> None:
    manifests = render(_told())
    policy = one("NetworkPolicy", "souvenir-to-metrics", manifests)["spec"]

    (rule,) = policy["ingress"]
    assert rule == {"from": [PROMETHEUS], "ports": [{"protocol": "TCP", "port": 9464}]}
    for pod in pods(manifests):
        assert selects(policy["podSelector"], pod.labels) == (pod.component in COUNTING)


def test_no_service_and_no_ingress_leads_to_the_numbers() -> None:
    leading: list[Manifest] = [
        manifest for kind in ("Service", "Ingress") for manifest in of_kind(kind, render(_told()))
    ]

    assert "9464" not in str(leading)
    assert "metrics" not in str(leading)


def test_a_pod_monitor_finds_the_pods() -> None:
    manifests = render(_told(metrics__podMonitor__labels={"release": "prometheus"}))
    (monitor,) = of_kind("PodMonitor", manifests)

    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"
    for pod in pods(manifests):
        assert selects(monitor["spec"]["selector"], pod.labels) == (pod.component in COUNTING)


def test_numbers_for_everyone_are_refused() -> None:
    with pytest.raises(helm.HelmRenderError, match=r"metrics\.from is empty"):
        render(minimal(metrics__enabled=True))
