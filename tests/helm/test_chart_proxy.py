"""A proxy takes requests in before the web, in its pod; nothing of them reaches a disk in clear."""

import re
import subprocess
from pathlib import Path

import pytest

from souvenir.config.environment import Environment
from tests.helm.rendered_chart import Manifest, Pod, minimal, one, pod_of, render
from tests.proxying import nginx

_UNFILLED = re.compile(r"@\w+@")
_MOST_SECONDS = 30  # a client may be silent for so long


def _proxy(pod: Pod) -> Manifest:
    (container,) = [c for c in pod.containers if c["name"] == "proxy"]
    return container


def _configuration(**changes: object) -> str:
    manifests = render(minimal(**changes))
    return str(one("ConfigMap", "souvenir-proxy", manifests)["data"]["nginx.conf"])


def _said(directive: str, text: str) -> list[str]:
    return re.findall(rf"^\s*{directive} (.+);$", text, flags=re.MULTILINE)


def test_the_service_leads_to_the_proxy_and_the_proxy_to_the_web() -> None:
    manifests = render(minimal())
    web = pod_of("web", manifests)
    (port,) = one("Service", "souvenir-web", manifests)["spec"]["ports"]

    assert port["targetPort"] == "http"
    assert _proxy(web)["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]
    assert web.main["ports"] == [{"name": "web", "containerPort": 8001, "protocol": "TCP"}]
    assert "0.0.0.0:8001" in web.main["command"]
    assert _said("listen", _configuration()) == ["8000 backlog=1024"]
    assert set(_said("proxy_pass", _configuration())) == {"http://127.0.0.1:8001"}


def test_every_word_between_at_signs_is_filled_in() -> None:
    assert not _UNFILLED.findall(_configuration().replace("@ signs", ""))


def test_only_the_web_has_a_proxy_and_it_starts_first_and_ends_last() -> None:
    manifests = render(minimal())

    assert _proxy(pod_of("web", manifests))["restartPolicy"] == "Always"
    for component in ("worker-bulk", "relay", "sweeper", "migrate"):
        names = {container["name"] for container in pod_of(component, manifests).containers}
        assert "proxy" not in names


def test_the_proxy_knows_no_secret_and_writes_in_memory_alone() -> None:
    web = pod_of("web", render(minimal()))
    proxy = _proxy(web)
    volumes = {volume["name"]: volume for volume in web.spec["volumes"]}
    writable = [mount for mount in proxy["volumeMounts"] if not mount.get("readOnly")]

    assert "env" not in proxy
    assert "envFrom" not in proxy
    assert [mount["mountPath"] for mount in writable] == ["/run/souvenir/proxy"]
    assert volumes["proxy"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "128Mi"}
    text = _configuration()
    places = [place for path in re.findall(r"_temp_path (\S+);", text) for place in [path]]
    assert len(places) == 5
    assert all(place.startswith("/run/souvenir/proxy/") for place in places)
    assert _said("proxy_max_temp_file_size", text) == ["0"]


def test_nobody_is_waited_for_longer_than_half_a_minute() -> None:
    text = _configuration()

    for directive in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        (seconds,) = _said(directive, text)
        assert int(seconds.removesuffix("s")) <= _MOST_SECONDS


def test_an_upload_of_the_largest_size_passes_and_is_not_held() -> None:
    text = _configuration()
    upload = text[text.index("location ~") :]
    (largest,) = _said("client_max_body_size", upload)

    assert int(largest) >= Environment(_env_file=None).upload_max_bytes + 64 * 1024
    assert int(largest) < 1.01 * Environment(_env_file=None).upload_max_bytes
    assert _said("proxy_request_buffering", upload) == ["off"]
    for path, passes in (
        ("/api/v1/imports", True),
        ("/en/my/imports/", True),
        ("/fr/my/imports/", True),
        ("/api/v1/memories", False),
        ("/api/v1/imports/0190", False),
    ):
        (pattern,) = re.findall(r"location ~ (\S+) ", text)
        assert bool(re.search(pattern, path)) is passes


@pytest.mark.parametrize(("processes", "threads", "places"), [(2, 8, 4), (1, 2, 1), (4, 8, 8)])
def test_uploads_hold_a_quarter_of_the_threads_at_most(
    processes: int, threads: int, places: int
) -> None:
    text = _configuration(web__processes=processes, web__threads=threads)

    assert _said("limit_conn", text) == [f"uploads {places}"]


def test_no_line_quotes_an_address() -> None:
    text = _configuration()

    assert _said("access_log", text) == ["off"]
    assert _said("error_log", text) == ["stderr emerg"]


def test_without_the_proxy_the_web_answers_itself() -> None:
    manifests = render(minimal(proxy__enabled=False))
    web = pod_of("web", manifests)

    assert [container["name"] for container in web.containers] == ["wait-for-schema", "web"]
    assert "0.0.0.0:8000" in web.main["command"]
    assert web.main["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]
    assert {"proxy", "proxy-configuration"}.isdisjoint(v["name"] for v in web.spec["volumes"])
    assert not [m for m in manifests if m["metadata"]["name"] == "souvenir-proxy"]


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
def test_nginx_takes_what_the_chart_writes(tmp_path: Path) -> None:
    written = tmp_path / "nginx.conf"
    written.write_text(_configuration().replace("/run/souvenir/proxy", str(tmp_path)))

    done = subprocess.run(  # noqa: S603  # the chart's own words
        [str(nginx()), "-t", "-e", "stderr", "-c", str(written)],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )

    assert done.returncode == 0, done.stderr
