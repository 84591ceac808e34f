"""The chart, rendered offline by Helm's own code, as plain data that tests can ask questions of."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
CHART = CHECKOUT / "helm" / "souvenir"
MINIMAL = "ci/minimal-values.yaml"
DIGEST = "sha256:" + "a1" * 32

# What YAML gives: no type is known past this file's edge.
Values = dict[str, Any]
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of one, and the object that it comes from."""

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: dict[str, Any]

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Init containers first, then the others."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def environment(self) -> list[dict[str, Any]]:
        """The `env` entries of all its containers."""
        return [entry for container in self.containers for entry in container.get("env", [])]

    @property
    def main(self) -> dict[str, Any]:
        """Its one container that is not an init container."""
        (container,) = self.spec["containers"]
        return dict(container)

    @property
    def wait(self) -> dict[str, Any]:
        """Its init container that waits for the schema."""
        return next(c for c in self.spec["initContainers"] if c["name"] == "wait-for-schema")


def values_of(*files: str) -> Values:
    """The files of the chart laid over one another, as `helm --values` does."""
    values: Values = {}
    for name in files:
        text = (CHART / name).read_text(encoding="utf-8")
        values = laid_over(values, helm.values_from_yaml(text))
    return values


def laid_over(below: Values, above: Values) -> Values:
    """A new set of values, where those above win, block by block."""
    both = {
        key: laid_over(below[key], value)
        if isinstance(value, dict) and isinstance(below.get(key), dict)
        else value
        for key, value in above.items()
    }
    return copy.deepcopy({**below, **both})


def minimal(**changes: object) -> Values:
    """The least values that render, with `changes`: `cell__country="US"` is `cell.country`."""
    return changed(values_of(MINIMAL), **changes)


def changed(values: Values, **changes: object) -> Values:
    """A copy with other values at some keys; two underscores stand for a dot."""
    values = copy.deepcopy(values)
    for path, value in changes.items():
        *parents, last = path.split("__")
        block = values
        for parent in parents:
            block = block.setdefault(parent, {})
        block[last] = value
    return values


def render(values: Values, *, chart: Path = CHART, revision: int = 1) -> list[Manifest]:
    """Every object of the release `souvenir` in the namespace `memory`."""
    return [
        document
        for name, text in rendered_files(values, chart=chart, revision=revision).items()
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def rendered_files(values: Values, *, chart: Path = CHART, revision: int = 1) -> dict[str, str]:
    """The text of every template, by its path; NOTES.txt too."""
    with helm.Chart.load(chart) as loaded:
        return loaded.render(values, name="souvenir", namespace="memory", revision=revision)


def notes(values: Values) -> str:
    """What `helm install` says when it is done."""
    return rendered_files(values)["souvenir/templates/NOTES.txt"]


def of_kind(kind: str, manifests: list[Manifest]) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def one(kind: str, name: str, manifests: list[Manifest]) -> Manifest:
    """The only object of that kind and name."""
    (manifest,) = [m for m in of_kind(kind, manifests) if m["metadata"]["name"] == name]
    return manifest


def pods(manifests: list[Manifest]) -> list[Pod]:
    """Every pod that the objects make."""
    return [
        Pod(
            name=manifest["metadata"]["name"],
            labels=pod["metadata"]["labels"],
            annotations=pod["metadata"].get("annotations", {}),
            spec=pod["spec"],
        )
        for manifest in manifests
        for pod in _pod_templates(manifest)
    ]


def pod_of(component: str, manifests: list[Manifest]) -> Pod:
    (pod,) = [pod for pod in pods(manifests) if pod.component == component]
    return pod


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Does a Kubernetes label selector (matchLabels, and matchExpressions with In) match?"""
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )


def _pod_templates(manifest: Manifest) -> Iterator[Manifest]:
    if manifest["kind"] == "Pod":
        yield manifest
    elif "template" in manifest.get("spec", {}):
        yield manifest["spec"]["template"]
