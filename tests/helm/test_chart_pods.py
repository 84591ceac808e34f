"""Every pod is restricted, knows only what it needs, and runs where the cell is."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.helm.rendered_chart import (
    DIGEST,
    MINIMAL,
    Values,
    changed,
    minimal,
    pod_of,
    pods,
    render,
    selects,
    values_of,
)

CELL_LABEL = "node-restriction.kubernetes.io/souvenir-cell"
PROFILES = {
    "minimal": values_of(MINIMAL),
    "dev": values_of("values-dev.yaml"),
    "sovereign": changed(values_of(MINIMAL, "values-sovereign.yaml"), image__digest=DIGEST),
}
each_profile = pytest.mark.parametrize("values", PROFILES.values(), ids=PROFILES.keys())
WORKERS = ("worker-interactive", "worker-erasure", "worker-bulk")
PROCESSES = ("web", *WORKERS, "sweeper")  # they have files, and need the schema


@each_profile
def test_every_pod_is_unprivileged_and_holds_no_token(values: Values) -> None:
    for pod in pods(render(values)):
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True, pod.name
        assert security["runAsUser"] == 10001, pod.name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, pod.name
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys(), pod.name


@each_profile
def test_every_container_is_restricted(values: Values) -> None:
    for pod in pods(render(values)):
        for container in pod.containers:
            assert container["securityContext"] == {
                "runAsNonRoot": True,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, f"{pod.name}/{container['name']}"


@each_profile
def test_every_container_has_a_bounded_tmp_and_bounded_memory(values: Values) -> None:
    for pod in pods(render(values)):
        (tmp,) = [volume for volume in pod.spec["volumes"] if volume["name"] == "tmp"]
        assert tmp["emptyDir"]["sizeLimit"], pod.name
        for container in pod.containers:
            mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            if container["name"] != "proxy":  # it has a place of its own, in memory
                assert mounts["tmp"] == "/tmp", pod.name  # noqa: S108  # the container's own
            assert container["resources"]["limits"]["memory"], pod.name


@each_profile
def test_only_known_kinds_of_volume_are_mounted(values: Values) -> None:
    kinds = {
        kind
        for pod in pods(render(values))
        for volume in pod.spec["volumes"]
        for kind in volume.keys() - {"name"}
    }

    assert kinds <= {"emptyDir", "configMap", "persistentVolumeClaim", "secret", "projected"}


@each_profile
def test_the_owner_s_database_url_is_in_the_migration_job_alone(values: Values) -> None:
    owner_secret = values["secrets"]["ownerDatabase"]["existingSecret"]

    knowing = {
        pod.component
        for pod in pods(render(values))
        if any(entry["name"] == "SOUVENIR_OWNER_DATABASE_URL" for entry in pod.environment)
    }
    naming = {
        pod.component
        for pod in pods(render(values))
        for entry in pod.environment
        if _secret(entry) == (owner_secret, "owner-database-url")
    }

    assert knowing == naming == {"migrate"}


@each_profile
def test_the_keyring_s_owner_is_known_to_the_migration_job_alone(values: Values) -> None:
    knowing = {
        pod.component
        for pod in pods(render(values))
        if any(entry["name"] == "SOUVENIR_KEYRING_OWNER_DATABASE_URL" for entry in pod.environment)
    }

    assert knowing == {"migrate"}


def test_the_migration_brings_both_databases_up_to_date() -> None:
    (script,) = pod_of("migrate", render(minimal())).main["args"]

    assert "for database in owner keyring_owner" in script


SIGN_INS = {
    "kubernetes": (
        {"keystore__transit__role": "souvenir"},
        {
            "serviceAccountToken": {
                "path": "token",
                "audience": "openbao",
                "expirationSeconds": 3600,
            }
        },
    ),
    "token": (
        {
            "keystore__transit__role": "",
            "secrets__keystoreToken": {"existingSecret": "bao", "key": "token"},
        },
        {"secret": {"name": "bao", "items": [{"key": "token", "path": "token"}]}},
    ),
    "pin": (
        {
            "keystore__provider": "pkcs11",
            "keystore__pkcs11": {"module": "/opt/hsm.so", "token": "souvenir"},
            "secrets__pkcs11Pin": {"existingSecret": "hsm", "key": "pin"},
        },
        {"secret": {"name": "hsm", "items": [{"key": "pin", "path": "pin"}]}},
    ),
}


@pytest.mark.parametrize(("changes", "source"), SIGN_INS.values(), ids=SIGN_INS.keys())
def test_those_who_use_keys_and_no_others_can_sign_in_to_the_keystore(
    changes: dict[str, object], source: dict[str, object]
) -> None:
    manifests = render(minimal(**changes))

    for component in PROCESSES:
        pod = pod_of(component, manifests)
        (volume,) = [volume for volume in pod.spec["volumes"] if volume["name"] == "keystore"]
        assert volume["projected"]["sources"] == [source]
        assert {"name": "keystore", "mountPath": "/etc/souvenir/keystore", "readOnly": True} in (
            pod.main["volumeMounts"]
        )
    for component in ("migrate", "test"):
        volumes = pod_of(component, manifests).spec.get("volumes", [])
        assert "keystore" not in {volume["name"] for volume in volumes}


def test_every_secret_is_a_reference_and_never_a_value() -> None:
    for pod in pods(render(minimal())):
        for entry in pod.environment:
            assert "value" not in entry, f"{pod.name}: {entry['name']}"
            assert "optional" not in entry["valueFrom"]["secretKeyRef"], pod.name


def test_the_test_pod_knows_no_secret() -> None:
    assert pod_of("test", render(minimal())).environment == []


def test_of_the_authority_s_secret_only_the_certificate_is_mounted() -> None:
    values = minimal(secrets__databaseCa={"existingSecret": "db-ca", "key": "ca.crt"})

    for component in (*PROCESSES, "migrate"):
        pod = pod_of(component, render(values))
        (volume,) = [v for v in pod.spec["volumes"] if v["name"] == "database-ca"]
        assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "souvenir:0.1.0"),
        ({"tag": "1.2.3"}, "souvenir:1.2.3"),
        ({"tag": "1.2.3", "digest": DIGEST}, f"souvenir@{DIGEST}"),
        ({"registry": "images.example.ca:5000/"}, "images.example.ca:5000/souvenir:0.1.0"),
    ],
)
def test_the_digest_wins_and_the_registry_goes_before(image: dict[str, str], expected: str) -> None:
    images = {
        container["image"]
        for pod in pods(render(minimal(image=image)))
        for container in pod.containers
    }

    assert images == {expected}


def test_every_pod_is_pinned_to_the_cell_even_against_its_own_selector() -> None:
    values = minimal(cell__pinToNodes=True, web__nodeSelector={CELL_LABEL: "us-1", "disk": "fast"})

    rendered = pods(render(values))

    assert {pod.spec["nodeSelector"][CELL_LABEL] for pod in rendered} == {"qc-1"}
    assert pod_of("web", render(values)).spec["nodeSelector"]["disk"] == "fast"


def test_pods_that_share_a_volume_of_one_node_share_that_node() -> None:
    manifests = render(minimal(web__affinity={"podAffinity": {}, "nodeAffinity": {}}))

    for component in PROCESSES:
        pod = pod_of(component, manifests)
        (term,) = pod.spec["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        # Its own labels too: else the first pod would wait for another.
        assert selects(term["labelSelector"], pod.labels)
    assert "nodeAffinity" in pod_of("web", manifests).spec["affinity"]


def test_pods_that_share_a_volume_of_many_nodes_spread() -> None:
    web = pod_of("web", render(PROFILES["sovereign"]))

    assert "affinity" not in web.spec
    (constraint,) = web.spec["topologySpreadConstraints"]
    assert selects(constraint["labelSelector"], web.labels)


def test_probes_call_by_a_host_that_souvenir_answers() -> None:
    web = pod_of("web", render(minimal())).main

    for probe, path in (
        ("startupProbe", "/livez"),
        ("livenessProbe", "/livez"),
        ("readinessProbe", "/readyz"),
    ):
        get = web[probe]["httpGet"]
        assert get["path"] == path
        assert get["httpHeaders"] == [{"name": "Host", "value": "souvenir.example.ca"}]


def test_every_process_waits_for_the_schema() -> None:
    for component in PROCESSES:
        wait = pod_of(component, render(minimal())).wait
        for database in ("default", "keyring"):
            assert f"manage.py migrate --check --database {database}" in wait["args"][0]


@pytest.mark.parametrize(("passes_at", "exit_code", "looks"), [(1, 0, 2), (3, 0, 4), (9, 1, 4)])
def test_the_wait_ends_when_the_schema_is_there_and_is_bounded(
    tmp_path: Path, passes_at: int, exit_code: int, looks: int
) -> None:
    seen = tmp_path / "seen"
    _program(tmp_path / "python", f'echo >> "{seen}"; test "$(wc -l < "{seen}")" -ge {passes_at}')
    _program(tmp_path / "sleep", "exit 0")
    wait = pod_of("web", render(minimal(schemaWait__attempts=4))).wait

    result = subprocess.run(  # noqa: S603  # the chart's own words
        [*wait["command"], *wait["args"]],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert result.returncode == exit_code
    assert len(seen.read_text().splitlines()) == looks


class _Ready(BaseHTTPRequestHandler):
    """Answers 200 to GET /readyz for the public host, and 503 to all else; `degraded.ca` is."""

    def do_GET(self) -> None:
        host = self.headers["Host"]
        known = self.path == "/readyz" and host in {"souvenir.example.ca", "degraded.ca"}
        self.send_response(200 if known else 503)
        self.end_headers()
        degraded = '["keystore"]' if host == "degraded.ca" else "[]"
        self.wfile.write(f'{{"degraded": {degraded}}}'.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def ready_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("host", "exit_code"), [("souvenir.example.ca", 0), ("other.ca", 1), ("degraded.ca", 1)]
)
def test_helm_test_passes_only_when_the_web_says_that_it_is_ready(
    ready_port: int, host: str, exit_code: int
) -> None:
    test = pod_of("test", render(minimal(publicUrl=f"https://{host}"))).main
    code, service, port, asked_host = test["args"]

    result = subprocess.run(  # noqa: S603  # the chart's own words
        [sys.executable, "-c", code, "127.0.0.1", str(ready_port), asked_host],
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert (service, port) == ("souvenir-web", "80")
    assert result.returncode == exit_code, result.stderr


def _secret(entry: dict[str, dict[str, dict[str, str]]]) -> tuple[str, str]:
    reference = entry["valueFrom"]["secretKeyRef"]
    return reference["name"], reference["key"]


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
