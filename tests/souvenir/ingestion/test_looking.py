"""An upload read in stretches, however short, is read as in one go: nothing twice, nothing lost."""

from pathlib import Path

import pytest

from souvenir.core.errors import Invalid
from souvenir.ingestion.looking import Looking
from souvenir.portability.documents import ObjectRead
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.reading import inspect, read
from souvenir.portability.souvenir_archive import is_souvenir_archive

SAMPLES = Path(__file__).parents[2] / "samples"
EXPORTS = sorted(
    path
    for folder in ("good", "repaired")
    for path in (SAMPLES / folder).iterdir()
    if path.is_file() and not is_souvenir_archive(path)
)
REFUSED = sorted(path for path in (SAMPLES / "refused").iterdir() if path.is_file())


class Impatient:
    """A clock by which every stretch is over at once."""

    def is_over(self) -> bool:
        return True


def _in_stretches(path: Path) -> tuple[list[ObjectRead], Looking]:
    found: list[ObjectRead] = []
    looking = Looking()
    while not looking.is_done:
        looking = Looking.from_bytes(looking.to_bytes())  # as another process would
        clock = Impatient()
        if looking.inspection or looking.look(path, name=path.name, clock=clock):
            found += looking.objects(path, name=path.name, clock=clock)
    return found, looking


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_every_export_is_read_the_same_in_stretches_of_one_thing(path: Path) -> None:
    inspection = inspect(path, name=path.name)
    fidelity = Fidelity(inspection)
    whole = []
    for item in read(path, name=path.name):
        fidelity.add(item)
        if isinstance(item, ObjectRead):
            whole.append(item)

    found, looking = _in_stretches(path)

    assert found == whole
    assert looking.inspection == inspection
    assert looking.fidelity is not None
    assert looking.fidelity.as_json() == fidelity.as_json()


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_what_is_refused_is_refused_for_the_same_reason(path: Path) -> None:
    with pytest.raises(Invalid) as at_once:
        list(read(path, name=path.name) if inspect(path, name=path.name) else ())

    with pytest.raises(Invalid) as in_stretches:
        _in_stretches(path)

    assert type(in_stretches.value) is type(at_once.value)
    assert str(in_stretches.value) == str(at_once.value)
