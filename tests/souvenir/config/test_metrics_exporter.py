"""What Prometheus is told: the sum of what the processes counted, on a port of its own."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from souvenir.config.environment import CHECKOUT, Environment
from souvenir.config.metrics_exporter import DEFAULT_ADDRESS, DEFAULT_PORT
from souvenir.core import metrics

_COUNT = """
from souvenir.core import metrics
metrics.searches.observe(0.02)
metrics.jobs_now.labels("erase", "queued").set(4)
"""


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[str]:
    """The address of an exporter over a folder in which two processes have counted."""
    environment = {**os.environ, "SOUVENIR_METRICS_DIR": str(tmp_path / "metrics")}
    environment |= {"PYTHONPATH": f"platform{os.pathsep}.", "SOUVENIR_METRICS_PORT": "0"}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _COUNT], cwd=CHECKOUT, env=environment, check=True)  # noqa: S603
    bare = {name: value for name, value in environment.items() if "_KEY" not in name}
    process = subprocess.Popen(
        [sys.executable, "-m", "souvenir.config.metrics_exporter"],
        cwd=CHECKOUT,
        env={name: value for name, value in bare.items() if "DATABASE" not in name},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port = re.search(r"port (\d+)", process.stderr.readline())
    assert port is not None
    yield f"http://127.0.0.1:{port.group(1)}/metrics"
    process.terminate()
    assert process.wait(10) == 0
    process.stderr.close()


def test_the_counts_of_all_processes_are_told_as_one(exporter: str) -> None:
    with urllib.request.urlopen(exporter) as answer:  # noqa: S310 — loopback
        told = answer.read().decode()

    assert "souvenir_search_seconds_count 2.0" in told
    assert 'souvenir_search_seconds_bucket{le="0.025"} 2.0' in told
    assert 'souvenir_jobs{kind="erase",state="queued"} 4.0' in told
    assert "python_info" not in told


def test_it_needs_no_secret_and_listens_where_the_settings_say() -> None:
    fields = Environment.model_fields

    assert fields["metrics_address"].default == DEFAULT_ADDRESS == "127.0.0.1"
    assert fields["metrics_port"].default == DEFAULT_PORT


def test_every_metric_stands_in_the_page_for_operators() -> None:
    page = (CHECKOUT / "docs/runbooks/watching.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(souvenir_\w+)`", page, flags=re.MULTILINE))
    ours = [found for found in vars(metrics).values() if isinstance(found, MetricWrapperBase)]

    names = {told.name for metric in ours for told in metric.describe()}
    assert {name.removesuffix("_total") for name in told} == names
