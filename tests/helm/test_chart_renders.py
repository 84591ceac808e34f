"""The chart lints, renders, and every object is one that Kubernetes knows."""

import json
from dataclasses import fields
from datetime import date

import helm_python as helm
import kubernetes_validate
import pytest

from souvenir.config.environment import Environment
from souvenir.core.jobs import Queue
from tenants.residency import Flow, Placement, Policy, decide
from tests.helm.rendered_chart import (
    CHART,
    DIGEST,
    MINIMAL,
    Manifest,
    Values,
    changed,
    minimal,
    notes,
    of_kind,
    one,
    pod_of,
    pods,
    render,
    values_of,
)

KUBERNETES = "1.33"
# What an operator would put in the Secrets; made up, and of the length that is asked for.
SECRETS = {
    "SOUVENIR_DATABASE_URL": "postgresql://souvenir_app@db/souvenir?sslmode=verify-full",
    "SOUVENIR_OWNER_DATABASE_URL": "postgresql://souvenir_owner@db/souvenir?sslmode=verify-full",
    "SOUVENIR_BROKER_URL": "amqps://broker",
    "SOUVENIR_SECRET_KEY": "0" * 50,
    "SOUVENIR_KEYRING_DATABASE_URL": "postgresql://souvenir_app@keys/keys?sslmode=verify-full",
    "SOUVENIR_KEYRING_OWNER_DATABASE_URL": "postgresql://souvenir_owner@keys/keys?sslmode=verify-full",
}
EVERYTHING = minimal(
    image__registry="images.example.ca/souvenir",
    image__digest=DIGEST,
    image__pullSecrets=[{"name": "pull"}],
    commonLabels={"team": "memory"},
    cell__pinToNodes=True,
    secrets__databaseCa={"existingSecret": "souvenir-ca", "key": "ca.crt"},
    objects__endpoint="https://s3.cell.example.ca",
    cell__allowedHosts=["s3.cell.example.ca", "openbao.example.ca", "rerank.example.ca"],
    rerank={"url": "https://rerank.example.ca/", "placement": "qc-1", "timeoutSeconds": 0.5},
    networkPolicy__rerank={"to": [{"ipBlock": {"cidr": "10.40.0.0/24"}}], "port": 443},
    secrets__rerankKey={"existingSecret": "rerank", "key": "rerank-key"},
    secrets__egressCa={"existingSecret": "cell-ca", "key": "ca.crt"},
    keystore__transit__namespace="souvenir",
    secrets__keystoreCa={"existingSecret": "keystore-ca", "key": "ca.crt"},
    objects__volume={"accessMode": "ReadWriteMany", "storageClassName": "in-cell"},
    web__replicas=3,
    web__tolerations=[{"key": "souvenir", "operator": "Exists"}],
    web__priorityClassName="important",
    web__podAnnotations={"note": "yes"},
    workerBulk__replicas=2,
    workerBulk__affinity={"podAntiAffinity": {}},
    migrations__annotations={"argocd.argoproj.io/sync-wave": "-1"},
    ingress={"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "tlsSecret": "tls"},
    networkPolicy__web={"from": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    networkPolicy__extraEgress=[{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "port": 443}],
)
PROFILES = {
    "minimal": values_of(MINIMAL),
    "dev": values_of("values-dev.yaml"),
    "sovereign": changed(values_of(MINIMAL, "values-sovereign.yaml"), image__digest=DIGEST),
    "everything": EVERYTHING,
}
each_profile = pytest.mark.parametrize("values", PROFILES.values(), ids=PROFILES.keys())


@each_profile
def test_helm_lints_it_with_nothing_to_say(values: Values) -> None:
    report = helm.lint(CHART, values, strict=True, kube_version=f"v{KUBERNETES}.0")

    assert report["messages"] == []
    assert report["errors"] == []


@each_profile
def test_kubernetes_knows_every_object_and_every_field(values: Values) -> None:
    manifests = render(values)

    for manifest in manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)

    assert len(manifests) >= 14


@each_profile
def test_no_two_objects_share_a_name(values: Values) -> None:
    names = [(m["kind"], m["metadata"]["name"]) for m in render(values)]

    assert len(names) == len(set(names))


@each_profile
def test_no_secret_is_made_and_none_is_in_a_config_map(values: Values) -> None:
    manifests = render(values)

    assert of_kind("Secret", manifests) == []
    for config in of_kind("ConfigMap", manifests):
        assert not {key for key in config["data"] if key.endswith(("_URL", "_KEY"))} - {
            "SOUVENIR_PUBLIC_URL",
            "SOUVENIR_KEYSTORE_URL",  # an address, without a secret in it
            "SOUVENIR_RERANK_URL",  # likewise: the schema refuses one with a password
        }


@each_profile
def test_each_part_of_souvenir_runs_once(values: Values) -> None:
    components = sorted(pod.component for pod in pods(render(values)))

    assert components == [
        "migrate", "relay", "sweeper", "test", "web",
        "worker-bulk", "worker-erasure", "worker-interactive",
    ]  # fmt: skip


def test_every_queue_is_served_by_exactly_one_kind_of_worker() -> None:
    manifests = render(minimal())

    served = [
        queue
        for component in ("worker-interactive", "worker-erasure", "worker-bulk")
        for queue in _option(pod_of(component, manifests).main["command"], "-Q").split(",")
    ]

    assert sorted(served) == sorted(queue.value for queue in Queue)


def test_two_sweepers_never_run_at_once() -> None:
    sweeper = one("Deployment", "souvenir-sweeper", render(minimal()))

    assert sweeper["spec"]["replicas"] == 1
    assert sweeper["spec"]["strategy"] == {"type": "Recreate"}


def test_the_relay_has_a_role_of_its_own() -> None:
    (entry,) = [
        entry
        for entry in pod_of("relay", render(minimal())).environment
        if entry["name"] == "SOUVENIR_DATABASE_URL"
    ]

    expected = {"name": "souvenir-relay-database", "key": "relay-database-url"}
    assert entry["valueFrom"]["secretKeyRef"] == expected


def test_the_maintainer_s_connection_is_given_to_who_keeps_the_tables_alone() -> None:
    values = minimal(secrets__maintainerDatabase={"existingSecret": "maintainer", "key": "url"})

    holders = {
        component
        for component in ("web", "worker-interactive", "worker-erasure", "worker-bulk", "sweeper")
        for entry in pod_of(component, render(values)).environment
        if entry["name"] == "SOUVENIR_MAINTAINER_DATABASE_URL"
    }

    assert holders == {"worker-bulk", "sweeper"}


def test_the_key_of_the_audit_log_is_given_to_the_sweep_alone() -> None:
    rendered = render(minimal(secrets__auditKey={"existingSecret": "audit", "key": "k.pem"}))
    components = ("web", "worker-interactive", "worker-erasure", "worker-bulk", "relay", "sweeper")

    mounted = {
        component: mount["mountPath"]
        for component in components
        for container in pod_of(component, rendered).spec["containers"]
        for mount in container["volumeMounts"]
        if mount["name"] == "audit-key"
    }
    settings = of_kind("ConfigMap", rendered)[0]["data"]

    assert mounted == {"sweeper": "/etc/souvenir/audit"}
    assert settings["SOUVENIR_AUDIT_KEY_FILE"] == "/etc/souvenir/audit/key.pem"


def test_the_relay_has_no_files_and_does_not_wait_for_a_schema_that_it_cannot_see() -> None:
    relay = pod_of("relay", render(minimal()))

    assert "initContainers" not in relay.spec
    assert "objects" not in {volume["name"] for volume in relay.spec["volumes"]}


def test_the_migration_is_a_plain_job_named_with_the_revision() -> None:
    job = one("Job", "souvenir-migrate-7", render(minimal(), revision=7))

    assert "helm.sh/hook" not in job["metadata"].get("annotations", {})
    assert job["spec"]["activeDeadlineSeconds"] > 0


def test_the_longest_names_still_fit_in_a_label() -> None:
    manifests = render(minimal(fullnameOverride="s" * 40), revision=99_999)

    assert max(len(m["metadata"]["name"]) for m in manifests) <= 63


def test_souvenir_s_own_settings_accept_what_the_chart_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = one("ConfigMap", "souvenir-config", render(minimal(extraHosts=["m.example.ca"])))
    given = dict(config["data"])
    for entry in pod_of("migrate", render(minimal())).environment:
        given[entry["name"]] = SECRETS[entry["name"]]
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    environment = Environment()

    known = {f"SOUVENIR_{name.upper()}" for name in Environment.model_fields}
    assert environment.profile == "production"
    assert environment.allowed_hosts == ["souvenir.example.ca", "m.example.ca"]
    assert {name for name in given if name.startswith("SOUVENIR_")} <= known


def test_the_registry_is_one_that_souvenir_reads_and_the_cell_satisfies_its_policy() -> None:
    evidence = {
        "evidence": "Lease",
        "evidenceDate": "2026-11-01",
        "evidenceValidUntil": "2027-11-01",
    }
    registry = _registry(minimal(**{f"cell__{name}": value for name, value in evidence.items()}))
    (cell,) = registry["placements"]

    place = Placement(**{**cell, "evidence_valid_until": date(2027, 11, 1)})
    policy = Policy(
        name=registry["policy"]["name"],
        countries=frozenset(registry["policy"]["countries"]),
        refused_nexus=frozenset(registry["policy"]["refused_nexus"]),
    )

    assert set(cell) == {field.name for field in fields(Placement)}
    assert decide(policy, place, Flow(kind="stay"), today=date(2026, 12, 1)).allowed


def test_evidence_that_nobody_gave_is_null_in_the_registry_and_missed_in_the_notes() -> None:
    (cell,) = _registry(minimal())["placements"]

    assert cell["evidence_date"] is None
    assert cell["evidence_valid_until"] is None
    assert "MISSING" in notes(minimal())
    assert "ABSENTES" in notes(minimal())


def test_the_places_to_compare_with_follow_the_cell() -> None:
    other = {
        "code": "on-1",
        "country": "CA",
        "province": "ON",
        "site": "Kingston",
        "operator": "Another",
        "operatorParentCountry": "CA",
        "legalNexus": ["CA"],
        "staffAccessFrom": ["CA"],
    }

    registry = _registry(minimal(residency={"placements": [other]}))

    assert [place["code"] for place in registry["placements"]] == ["qc-1", "on-1"]


def test_a_change_of_configuration_restarts_every_process() -> None:
    before, after = (
        {pod.component: pod.annotations.get("checksum/config") for pod in pods(render(values))}
        for values in (minimal(), minimal(logLevel="WARNING"))
    )

    changed_parts = {part for part, checksum in before.items() if checksum != after[part]}
    assert changed_parts == before.keys() - {"test"}


def test_people_s_files_outlive_an_uninstall() -> None:
    claim = one("PersistentVolumeClaim", "souvenir-objects", render(minimal()))

    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_a_claim_that_exists_is_used_and_none_is_made() -> None:
    manifests = render(minimal(objects__volume={"existingClaim": "mine"}))

    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods(manifests)
        for volume in pod.spec["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == {"mine"}
    assert of_kind("PersistentVolumeClaim", manifests) == []


def test_a_budget_keeps_a_replica_up_wherever_there_are_several() -> None:
    budgets = of_kind("PodDisruptionBudget", render(PROFILES["sovereign"]))

    assert sorted(budget["metadata"]["name"] for budget in budgets) == [
        "souvenir-relay",
        "souvenir-web",
        "souvenir-worker-bulk",
        "souvenir-worker-erasure",
        "souvenir-worker-interactive",
    ]
    assert of_kind("PodDisruptionBudget", render(minimal())) == []


def test_the_ingress_serves_the_host_of_the_public_address_over_tls() -> None:
    (ingress,) = of_kind("Ingress", render(EVERYTHING))

    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "souvenir.example.ca"
    assert ingress["spec"]["tls"] == [{"hosts": ["souvenir.example.ca"], "secretName": "tls"}]


def test_the_notes_say_the_same_in_both_languages() -> None:
    english, french = notes(EVERYTHING).split("FRANÇAIS")

    for fact in ("https://souvenir.example.ca", "Rimouski", DIGEST, "helm test souvenir"):
        assert fact in english
        assert fact in french
    assert "NOT USED YET" in english
    assert "PAS ENCORE UTILISÉ" in french


def _registry(values: Values) -> Manifest:
    data = one("ConfigMap", "souvenir-placements", render(values))["data"]
    registry: Manifest = json.loads(data["placements.json"])
    return registry


def _option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]
