"""Time in questions, in both languages. Asked on Thursday 2026-11-26, at ten in Toronto."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souvenir.search.time_expressions import Understood, time_in
from souvenir.search.time_words import HOLIDAY_NAMES, MONTHS, UNITS, WEEKDAYS

_TORONTO = ZoneInfo("America/Toronto")
_ASKED = datetime(2026, 11, 26, 15, tzinfo=UTC)


def _days(understood: Understood | None) -> tuple[date | None, date | None] | None:
    if understood is None:
        return None
    since, until = understood.since, understood.until
    return since.date() if since else None, until.date() if until else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


_UNDERSTOOD = [
    # Days
    ("Qu’est-ce que j’ai mangé hier?", "2026-11-25", "2026-11-26"),
    ("What did I eat yesterday?", "2026-11-25", "2026-11-26"),
    ("de quoi a-t-on parlé avant-hier", "2026-11-24", "2026-11-25"),
    ("the day before yesterday", "2026-11-24", "2026-11-25"),
    ("aujourd'hui", "2026-11-26", "2026-11-27"),
    ("three days ago", "2026-11-23", "2026-11-24"),
    ("il y a 3 jours", "2026-11-23", "2026-11-24"),
    ("a few days ago", "2026-11-21", "2026-11-25"),
    ("le rendez-vous du 3 mai", "2026-05-03", "2026-05-04"),
    ("May 3rd, 2025", "2025-05-03", "2025-05-04"),
    ("on the 3rd of May 2025", "2025-05-03", "2025-05-04"),
    ("le 1er décembre", "2025-12-01", "2025-12-02"),
    ("le 29 février", "2026-02-28", "2026-03-01"),
    ("le 2025-03-04", "2025-03-04", "2025-03-05"),
    ("mardi dernier", "2026-11-24", "2026-11-25"),
    ("last Thursday", "2026-11-19", "2026-11-20"),
    ("what I said on Tuesday", "2026-11-24", "2026-11-25"),
    ("il y a quinze jours", "2026-11-09", "2026-11-14"),
    ("le 1er mars", "2026-03-01", "2026-03-02"),
    # Weeks
    ("la semaine passée", "2026-11-16", "2026-11-23"),
    ("last week", "2026-11-16", "2026-11-23"),
    ("cette semaine", "2026-11-23", "2026-11-30"),
    ("two weeks ago", "2026-11-09", "2026-11-16"),
    ("il y a deux semaines", "2026-11-09", "2026-11-16"),
    ("il y a une couple de semaines", "2026-11-05", "2026-11-13"),
    ("y a deux semaines", "2026-11-09", "2026-11-16"),
    ("the week of March 3", "2026-03-02", "2026-03-09"),
    ("la semaine du 3 mars 2025", "2025-03-03", "2025-03-10"),
    ("la fin de semaine dernière", "2026-11-21", "2026-11-23"),
    ("last weekend", "2026-11-21", "2026-11-23"),
    # Months
    ("Qu’ai-je dit en mars dernier?", "2026-03-01", "2026-04-01"),
    ("in March", "2026-03-01", "2026-04-01"),
    ("en décembre", "2025-12-01", "2026-01-01"),
    ("in May 2024", "2024-05-01", "2024-06-01"),
    ("mars de l’année dernière", "2025-03-01", "2025-04-01"),
    ("early March", "2026-03-01", "2026-03-11"),
    ("à la fin de mars 2025", "2025-03-22", "2025-04-01"),
    ("le mois dernier", "2026-10-01", "2026-11-01"),
    ("ce mois-ci", "2026-11-01", "2026-12-01"),
    ("il y a trois mois", "2026-08-11", "2026-09-11"),
    ("les trois derniers mois", "2026-08-26", "2026-11-27"),
    ("over the past month", "2026-10-26", "2026-11-27"),
    ("récemment", "2026-10-27", "2026-11-27"),
    # Seasons, quarters, years
    ("last summer", "2026-06-01", "2026-09-23"),
    ("l’été dernier", "2026-06-01", "2026-09-23"),
    ("What did I plant in the spring?", "2026-03-01", "2026-06-22"),
    ("Qu’ai-je planté au printemps?", "2026-03-01", "2026-06-22"),
    ("cet hiver", "2025-12-01", "2026-03-22"),
    ("winter 2024-2025", "2024-12-01", "2025-03-22"),
    ("l’automne 2025", "2025-09-01", "2025-12-22"),
    ("Q3 2025", "2025-07-01", "2025-10-01"),
    ("le troisième trimestre de 2025", "2025-07-01", "2025-10-01"),
    ("last quarter", "2026-07-01", "2026-10-01"),
    ("in 2024", "2024-01-01", "2025-01-01"),
    ("l’impôt de 2024", "2024-01-01", "2025-01-01"),
    ("l’an dernier", "2025-01-01", "2026-01-01"),
    ("last year", "2025-01-01", "2026-01-01"),
    # One side only
    ("since Tuesday", "2026-11-24", ""),
    ("depuis mardi", "2026-11-24", ""),
    ("avant Noël", "", "2025-12-24"),
    ("before Easter 2025", "", "2025-04-18"),
    ("after June 2025", "2025-07-01", ""),
    ("jusqu’en juin", "", "2026-07-01"),
    # From the one to the other
    ("between March and May", "2026-03-01", "2026-06-01"),
    ("de mars à mai 2025", "2025-03-01", "2025-06-01"),
    ("from November 2024 to February", "2024-11-01", "2025-03-01"),
    ("entre le 3 et le 10 mai", "2026-05-03", "2026-05-11"),
    ("entre Noël et Pâques", "2025-12-24", "2026-04-07"),
    ("between 2023 and 2024", "2023-01-01", "2025-01-01"),
]


@pytest.mark.parametrize(("question", "since", "until"), _UNDERSTOOD)
def test_a_time_is_understood(question: str, since: str, until: str) -> None:
    understood = time_in(question, asked_at=_ASKED, zone=_TORONTO)

    assert _days(understood) == (_day(since), _day(until))


@pytest.mark.parametrize(
    "question",
    [
        "", "What may I do?", "They march on", "What did the new winter tires cost?",
        "Qu’est-ce qu’il faut pour garder des poules l’hiver?", "permit PU-2026-0147",
        "en mars prochain", "next March", "le 31 avril", "room 2024", "sept chats", "un an",
        "le cours du mardi", "Christmas presents", "514-555-0199", "L’été indien",
        "What do hens eat in winter?", "au printemps prochain",
    ],
)  # fmt: skip
def test_what_names_no_time_is_left_alone(question: str) -> None:
    assert time_in(question, asked_at=_ASKED, zone=_TORONTO) is None


def test_the_words_are_told_as_they_stand() -> None:
    understood = time_in("Quel repas, depuis\nNoël?", asked_at=_ASKED, zone=_TORONTO)

    assert understood is not None
    assert understood.words == "depuis Noël"


def test_a_day_begins_at_midnight_of_whoever_asks() -> None:
    late = datetime(2026, 11, 26, 3, tzinfo=UTC)  # still the 25th in Toronto, noon in Tokyo

    here = time_in("yesterday", asked_at=late, zone=_TORONTO)
    there = time_in("yesterday", asked_at=late, zone=ZoneInfo("Asia/Tokyo"))

    assert here
    assert here.since == datetime(2026, 11, 24, 5, tzinfo=UTC)
    assert there
    assert there.since == datetime(2026, 11, 24, 15, tzinfo=UTC)


_WORDS = st.sampled_from(
    [
        *MONTHS, *UNITS, *WEEKDAYS, *HOLIDAY_NAMES, "last", "dernier", "il y a", "ago", "entre",
        "between", "and", "et", "since", "avant", "2024", "31", "999", "a few", "fin", "Q4", "-",
        "from", "to", "winter", "été", "in", "of", "the", "’",
    ]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=8).map(" ".join), st.datetimes(timezones=st.timezones()))
def test_nothing_is_ever_too_odd_and_no_time_runs_backwards(text: str, asked_at: datetime) -> None:
    understood = time_in(text, asked_at=asked_at, zone=_TORONTO)

    if understood and understood.since and understood.until:
        assert understood.since < understood.until


@given(st.text(), st.datetimes(timezones=st.just(UTC)))
def test_no_text_raises(text: str, asked_at: datetime) -> None:
    time_in(text, asked_at=asked_at, zone=_TORONTO)
