"""What is not yours answers exactly like what is not there, at every address, for every key."""

import pytest

from tests.adversarial.attack import Attack
from tests.adversarial.filled import Filled
from tests.adversarial.judging import Tally
from tests.adversarial.row_state import differences, state_of
from tests.adversarial.values import depth_for

NAMES = ("acme", "globex", "initech")


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_s_id_answers_like_a_missing_one_and_changes_nothing(
    three: dict[str, Filled], tally: Tally, seed: int, name: str
) -> None:
    me, others = three[name], [three[other] for other in NAMES if other != name]
    before = {other.name: state_of(other.id) for other in others}

    findings = Attack(me, others, seed=seed, tally=tally, depth=depth_for(name)).findings()

    changed = {other.name: differences(before[other.name], state_of(other.id)) for other in others}
    assert findings == [], "\n".join([f"{len(findings)} findings:", *findings[:40]])
    assert changed == {other.name: [] for other in others}
