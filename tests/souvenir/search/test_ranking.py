"""How candidates are ordered: the mix, and what else their conversations say."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from souvenir.search.questions import DENSE_WEIGHT
from souvenir.search.ranking import ranked
from souvenir.search.records import Candidate, Sealed


def a_candidate(*, talk: UUID | None = None, nearness: float | None = 0.5, words: float = 0.0,
                language: str = "en", length: int = 200) -> Candidate:  # fmt: skip
    return Candidate(
        passage_id=uuid4(), similarity=nearness, bm25=words, nearness=nearness, words=words,
        conversation_id=talk, message_id=uuid4() if talk else None,
        memory_id=None if talk else uuid4(), block=0, start=0, end=length, kind="message",
        language=language, trust=3, role="user", provider="chatgpt", occurred_at=None,
        past_version=0, sealed=Sealed(None, None, b"", b""),
    )  # fmt: skip


def order(*candidates: Candidate, language: str = "en") -> list[UUID]:
    found = ranked(candidates, language=language, dense_weight=DENSE_WEIGHT)
    return [item.candidate.passage_id for item in found]


def test_of_equals_the_one_whose_conversation_says_more_that_fits_comes_first() -> None:
    talk = uuid4()
    best = a_candidate(nearness=0.9)
    alone, in_talk = a_candidate(talk=uuid4()), a_candidate(talk=talk, nearness=0.49)
    besides = a_candidate(talk=talk, nearness=0.8)

    found = order(best, alone, in_talk, besides)

    assert found.index(in_talk.passage_id) < found.index(alone.passage_id)


def test_what_a_message_says_itself_does_not_lift_it() -> None:
    talk = uuid4()
    best, alone = a_candidate(nearness=0.9), a_candidate(talk=uuid4())
    one = a_candidate(talk=talk, nearness=0.8)
    other = replace(one, passage_id=uuid4(), nearness=0.49)

    found = order(best, alone, one, other)

    assert found.index(alone.passage_id) < found.index(other.passage_id)


def test_a_further_passage_of_a_message_gives_way_to_another_message() -> None:
    best = a_candidate(talk=uuid4(), nearness=0.9)
    further = replace(best, passage_id=uuid4(), nearness=0.7)
    other = a_candidate(talk=uuid4(), nearness=0.68)

    assert order(best, further, other) == [best.passage_id, other.passage_id, further.passage_id]


def test_what_fits_best_by_itself_stays_first_with_the_highest_score() -> None:
    talk = uuid4()
    best = a_candidate(nearness=0.8)
    talked = [a_candidate(talk=talk, nearness=0.78) for _ in range(3)]

    found = ranked([*talked, best], language="en", dense_weight=DENSE_WEIGHT)

    assert found[0].candidate.passage_id == best.passage_id
    assert found[0].score == max(item.score for item in found) <= 1.0


def test_a_passage_in_another_language_is_not_behind_for_want_of_the_question_s_words() -> None:
    theirs = a_candidate(nearness=0.7, language="fr")
    ours = a_candidate(nearness=0.68, words=0.1, language="en")

    assert order(ours, theirs, language="en")[0] == theirs.passage_id


def test_what_is_no_nearer_than_a_stranger_is_not_put_first_for_its_language() -> None:
    """A passage that says it in other words has none of the question's, as has the stranger."""
    stranger = a_candidate(nearness=0.33, language="fr")
    right = a_candidate(nearness=0.37, language="en")

    assert order(stranger, right, language="en")[0] == right.passage_id


def test_a_short_turn_is_behind_one_that_says_something_and_fits_nearly_as_well() -> None:
    short = a_candidate(talk=uuid4(), nearness=0.7, length=9)
    telling = a_candidate(talk=uuid4(), nearness=0.67)

    assert order(short, telling)[0] == telling.passage_id


def test_a_memory_may_be_short() -> None:
    short = a_candidate(nearness=0.7, length=9)
    telling = a_candidate(talk=uuid4(), nearness=0.67)

    assert order(telling, short)[0] == short.passage_id


@pytest.mark.parametrize("words", [0.3, 0.6])
def test_one_that_is_not_embedded_yet_is_as_near_as_its_words_say(words: float) -> None:
    fresh = a_candidate(nearness=None, words=words)
    older = a_candidate(nearness=words - 0.05, words=words)

    # By the third power of its words it would be behind, and what was just stored is not buried.
    assert order(older, fresh)[0] == fresh.passage_id


def test_nothing_found_is_nothing_ranked() -> None:
    assert order() == []
