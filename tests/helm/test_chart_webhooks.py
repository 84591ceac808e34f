"""Which private hosts webhooks may call is what the values list, and nothing otherwise."""

import helm_python as helm
import pytest

from tests.helm.rendered_chart import minimal, one, render

NAME = "SOUVENIR_EGRESS_INSIDE"


def test_no_private_host_is_called_unless_it_is_listed() -> None:
    assert NAME not in one("ConfigMap", "souvenir-config", render(minimal()))["data"]


def test_those_that_are_listed_are_told_to_every_process() -> None:
    inside = ["hooks.cell.example.ca:443", "portal:8443"]

    data = one("ConfigMap", "souvenir-config", render(minimal(webhooks__inside=inside)))["data"]

    assert data[NAME] == "hooks.cell.example.ca:443,portal:8443"


@pytest.mark.parametrize("host", ["portal", "https://portal:443", "portal:443,other:443"])
def test_what_is_no_host_and_port_is_refused(host: str) -> None:
    with pytest.raises(helm.HelmError):
        render(minimal(webhooks__inside=[host]))
