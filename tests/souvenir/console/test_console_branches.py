"""Which branch of a conversation is shown."""

from uuid import UUID

from souvenir.console.branches import shown_branch
from souvenir.memories.models import Message

TENANT = UUID(int=1)


def _message(number: int, parent: int | None) -> Message:
    return Message(
        id=UUID(int=number),
        tenant_id=TENANT,
        parent_id=UUID(int=parent) if parent else None,
        ordinal=number,
        role="user",
    )


def _numbers(messages: list[Message], *, leaf: int | None, through: int | None = None) -> list[int]:
    turns = shown_branch(
        messages,
        leaf=UUID(int=leaf) if leaf else None,
        through=UUID(int=through) if through else None,
    )
    return [turn.message.id.int for turn in turns]


#  1 ─ 2 ─ 3
#    └ 4 ─ 5
#        └ 6
TREE = [
    _message(number, parent)
    for number, parent in [(1, None), (2, 1), (3, 2), (4, 1), (5, 4), (6, 4)]
]


def test_the_branch_that_the_provider_showed_is_shown() -> None:
    assert _numbers(TREE, leaf=5) == [1, 4, 5]


def test_a_message_asked_for_brings_its_branch() -> None:
    assert _numbers(TREE, leaf=5, through=2) == [1, 2, 3]


def test_below_the_message_asked_for_the_provider_s_branch_goes_on() -> None:
    assert _numbers(TREE, leaf=5, through=4) == [1, 4, 5]


def test_without_a_leaf_the_newest_branch_is_shown() -> None:
    assert _numbers(TREE, leaf=None) == [1, 4, 6]


def test_a_message_of_elsewhere_changes_nothing() -> None:
    assert _numbers(TREE, leaf=3, through=99) == [1, 2, 3]


def test_a_turn_knows_what_could_stand_in_its_place() -> None:
    turn = shown_branch(TREE, leaf=UUID(int=5))[1]

    assert (turn.number, len(turn.versions)) == (2, 2)
    assert (turn.previous, turn.following) == (UUID(int=2), None)


def test_several_roots_are_versions_of_the_first_message() -> None:
    roots = [_message(1, None), _message(2, None)]

    assert _numbers(roots, leaf=None) == [2]
    assert _numbers(roots, leaf=None, through=1) == [1]


def test_a_conversation_without_messages_shows_nothing() -> None:
    assert _numbers([], leaf=None) == []


def test_a_long_conversation_is_no_deep_recursion() -> None:
    line = [_message(number, number - 1 or None) for number in range(1, 5001)]

    assert len(_numbers(line, leaf=5000)) == 5000
