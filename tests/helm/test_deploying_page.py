"""What docs/deploying tells people to type is what the chart takes, in both languages."""

import re

import helm_python as helm
import pytest

from tests.helm.rendered_chart import (
    CHECKOUT,
    Values,
    laid_over,
    minimal,
    pods,
    render,
    values_of,
)

PAGES = {
    "English": (CHECKOUT / "docs" / "deploying.md").read_text(encoding="utf-8"),
    "français": (CHECKOUT / "docs" / "deploying.fr.md").read_text(encoding="utf-8"),
}
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


@each_page
@pytest.mark.parametrize("profile", [[], ["values-sovereign.yaml"]], ids=["plain", "sovereign"])
def test_the_values_on_the_page_render(page: str, profile: list[str]) -> None:
    assert render(laid_over(values_of(*profile), _example(page)))


@each_page
def test_every_secret_that_the_example_needs_is_one_that_the_page_makes(page: str) -> None:
    made = {
        (name, key)
        for name, files in re.findall(r"create secret generic (\S+) (.+)", page)
        for key in re.findall(r"--from-file=(\S+)", files)
    }
    found = pods(render(_example(page)))
    used = {
        (reference["name"], reference["key"])
        for pod in found
        for entry in pod.environment
        for reference in [entry["valueFrom"]["secretKeyRef"]]
    }
    mounted = {
        (volume["secret"]["secretName"], item["key"])
        for pod in found
        for volume in pod.spec["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }

    # What is mounted besides is others': certificates that the database and the keystore came with.
    assert used | {one for one in mounted if one[0].startswith("souvenir-")} == made


def test_both_pages_have_the_same_steps_and_the_same_commands() -> None:
    shapes = [
        [re.findall(r"^#+", page, flags=re.MULTILINE), _blocks(page, "sh"), _statements(page)]
        for page in PAGES.values()
    ]

    assert shapes[0] == shapes[1]


@each_page
def test_every_refusal_that_the_page_explains_is_one_that_the_chart_says(page: str) -> None:
    explained = re.findall(r"^\| `((?:cell|web)\..+?)…`", page, flags=re.MULTILINE)

    with pytest.raises(helm.HelmRenderError) as refusal:
        render(minimal(cell__legalNexus=["CA", "US"], web__replicas=2))

    assert len(explained) == 2
    assert [words for words in explained if words not in str(refusal.value)] == []


def _example(page: str) -> Values:
    (text,) = _blocks(page, "yaml")
    values: Values = helm.values_from_yaml(text)
    return values


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def _statements(page: str) -> list[str]:
    return [
        line for block in _blocks(page, "sql") for line in block.splitlines() if line[:2] != "--"
    ]
