"""What can be known of the image without building it: no builder is at hand in the tests."""

import re
import shlex

import pytest

from tests.helm.rendered_chart import CHECKOUT, minimal, pod_of, pods, render

RECIPE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line.strip()
    for line in RECIPE.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]
SENT = [
    line
    for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_image_runs_as_the_user_that_the_chart_names() -> None:
    users = [line.split()[1] for line in INSTRUCTIONS if line.startswith("USER ")]
    security = pod_of("web", render(minimal())).spec["securityContext"]

    assert users == [f"{security['runAsUser']}:{security['runAsGroup']}"]


def test_nothing_runs_as_root_after_the_user_is_set() -> None:
    last = INSTRUCTIONS[INSTRUCTIONS.index("USER 10001:10001") :]

    assert not [line for line in last if line.startswith(("RUN ", "COPY ", "ADD "))]


def test_every_stage_stands_on_one_base_that_can_be_given_by_digest() -> None:
    bases = {line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM ")}
    (default,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", RECIPE, flags=re.MULTILINE)

    assert bases == {"${PYTHON_IMAGE}"}
    assert re.fullmatch(r"python:3\.\d+-slim", default)


def test_only_what_has_a_hash_is_installed() -> None:
    installs = [line for line in INSTRUCTIONS if "pip install" in line]

    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "index-url" not in RECIPE


def test_the_builder_is_sent_just_what_the_recipe_copies() -> None:
    named = {line.removeprefix("!").rstrip("/") for line in SENT if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for line in INSTRUCTIONS
        if line.startswith("COPY ") and "--from=" not in line
        for source in shlex.split(line)[1:-1]
    }

    assert SENT[0] == "*"
    assert named == copied


@pytest.mark.parametrize("program", ["gunicorn", "celery", "python"])
def test_what_the_chart_starts_is_started_from_the_image_s_own_path(program: str) -> None:
    started = {pod.main["command"][0] for pod in pods(render(minimal())) if pod.component != "test"}

    assert program in started
    assert "PATH=/opt/venv/bin:$PATH" in RECIPE


def test_the_image_and_the_chart_start_the_web_alike() -> None:
    (line,) = [line for line in INSTRUCTIONS if line.startswith("CMD ")]
    words = re.findall(r'"([^"]+)"', line)

    assert words == pod_of("web", render(minimal(proxy__enabled=False))).main["command"]
