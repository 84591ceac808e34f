"""One rule for each way of naming a time: a pattern over folded words, and the days it means."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from souvenir.search.calendar_periods import (
    Days,
    holiday,
    last_begun,
    last_over,
    month,
    moved,
    one_day,
    part_of,
    quarter,
    season,
    week_of,
    weekday_before,
    weekend_before,
    year,
)
from souvenir.search.time_words import (
    HOLIDAY_NAMES,
    MONTHS,
    NUMBERS,
    ORDINALS,
    PARTS,
    SEASONS,
    UNITS,
    VAGUE,
    WEEKDAYS,
    one_of,
)

_Match = re.Match[str]
_MONTHS_PER_QUARTER = 3
_RECENT_DAYS = 30
# What a number of units ago is exact to, in days to either side.
_SLACK_DAYS = {"day": 0, "week": 3, "fortnight": 3, "month": 15, "quarter": 45, "year": 183}
_FEW_DAYS, _MANY_DAYS_SLACK = 6, 2  # « il y a quinze jours »: nobody counts so many


@dataclass(frozen=True, slots=True)
class Named:
    """A time that a text names, and where.

    `needs`: the little words of which one must stand before it, or it means something else ("may").
    `yearless`: it comes every year.
    """

    start: int
    end: int
    days: Days
    needs: str = ""
    yearless: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    days: Callable[[_Match, date], Days]
    needs: str = ""


def named_times(folded: str, today: date) -> Iterator[Named]:
    """The times a text names, first to last. Of two that overlap, the one that begins first, or
    is longer.
    """
    matches = [(m, rule) for rule in _RULES for m in rule.pattern.finditer(folded)]
    matches.sort(key=lambda found: (found[0].start(), -found[0].end()))
    after = 0
    for match, rule in matches:
        if match.start() < after:
            continue
        try:
            days = rule.days(match, today)
        except ValueError:  # the 31st of April
            continue
        after = match.end()
        groups = match.groupdict()
        yearless = "y" in groups and not groups["y"]
        yield Named(match.start(), match.end(), days, rule.needs, yearless)


def _day_of(match: _Match, today: date) -> Days:
    number, day = MONTHS[match["m"]], int(match["d"])
    if match["y"]:
        return one_day(date(int(match["y"]), number, day))
    date(2000, number, day)  # a leap year: any day that some year has
    return last_begun(lambda of: one_day(_nearest(of, number, day)), today)


def _nearest(of_year: int, number: int, day: int) -> date:
    last = month(of_year, number).until - timedelta(days=1)
    return last.replace(day=min(day, last.day))


def _week_of(match: _Match, today: date) -> Days:
    return week_of(_day_of(match, today).since)


def _days_of(match: _Match, today: date) -> Days:
    number, first, last = MONTHS[match["m"]], int(match["d"]), int(match["e"])
    date(2000, number, last)

    def make(of: int) -> Days:
        since, until = _nearest(of, number, first), _nearest(of, number, last)
        return Days(min(since, until), max(since, until) + timedelta(days=1))

    return make(int(match["y"])) if match["y"] else last_begun(make, today)


def _month_of(match: _Match, today: date) -> Days:
    number = MONTHS[match["m"]]
    if match["y"]:
        days = month(int(match["y"]), number)
    else:
        days = last_begun(partial(_numbered, month, number), today)
    part = match.groupdict().get("part")
    return part_of(days, PARTS[part]) if part else days


def _numbered(make: Callable[[int, int], Days], number: int, of_year: int) -> Days:
    return make(of_year, number)


def _last_month_of(match: _Match, today: date) -> Days:
    return last_over(partial(_numbered, month, MONTHS[match["m"]]), today)


def _of_a_year_near(match: _Match, today: date) -> Days:
    of_year = today.year - (0 if re.search("this|cette", match["near"]) else 1)
    name = match["what"]
    if name in MONTHS:
        return month(of_year, MONTHS[name])
    return season(SEASONS[name], of_year)


def _year_of(match: _Match, _: date) -> Days:
    days = year(int(match["y"]))
    return part_of(days, PARTS[match["part"]]) if match["part"] else days


def _quarter_of(match: _Match, today: date) -> Days:
    number = int(match["q"]) if match["q"].isdigit() else ORDINALS[match["q"]]
    if match["y"]:
        return quarter(int(match["y"]), number)
    return last_begun(partial(_numbered, quarter, number), today)


def _season_of(match: _Match, _: date) -> Days:
    name, of_year = SEASONS[match["s"]], int(match["y"])
    return season(name, of_year + 1 if match["z"] and name == "winter" else of_year)


def _last_season(match: _Match, today: date) -> Days:
    return last_over(partial(season, SEASONS[match["s"]]), today)


def _this_season(match: _Match, today: date) -> Days:
    return last_begun(partial(season, SEASONS[match["s"]]), today)


def _holiday_of(match: _Match, today: date) -> Days:
    name = HOLIDAY_NAMES[match["h"]]
    if match["y"]:
        return holiday(name, int(match["y"]))
    return last_begun(partial(holiday, name), today)


def _amount(match: _Match) -> tuple[int, int]:
    text = match["n"].strip()
    if text in VAGUE:
        return VAGUE[text]
    number = int(text) if text.isdigit() else NUMBERS[text]
    return number, number


def _back(today: date, unit: str, number: int) -> date:
    if unit in {"day", "week", "fortnight"}:
        return today - timedelta(days={"day": 1, "week": 7, "fortnight": 14}[unit] * number)
    return moved(today, months=-{"month": 1, "quarter": 3, "year": 12}[unit] * number)


def _ago(match: _Match, today: date) -> Days:
    unit = UNITS[match["u"]]
    least, most = _amount(match)
    about = _MANY_DAYS_SLACK if unit == "day" and least > _FEW_DAYS else _SLACK_DAYS[unit]
    slack = timedelta(days=about if least == most else 0)
    until = min(_back(today, unit, least) + slack, today) + timedelta(days=1)
    return Days(_back(today, unit, most) - slack, until)


def _up_to_now(match: _Match, today: date) -> Days:
    groups = match.groupdict()
    number = _amount(match)[1] if groups.get("n") else 1
    since = _back(today, UNITS[match["u"]], number)
    return Days(since, today + timedelta(days=1))


def _calendar(unit: str, day: date) -> Days:
    if unit in {"week", "fortnight"}:
        return week_of(day)
    if unit == "month":
        return month(day.year, day.month)
    if unit == "quarter":
        return quarter(day.year, (day.month - 1) // _MONTHS_PER_QUARTER + 1)
    return year(day.year) if unit == "year" else one_day(day)


def _last_unit(match: _Match, today: date) -> Days:
    unit = UNITS[match["u"]]
    return _calendar(unit, _calendar(unit, today).since - timedelta(days=1))


def _this_unit(match: _Match, today: date) -> Days:
    return _calendar(UNITS[match["u"]], today)


def _weekday(match: _Match, today: date) -> Days:
    return weekday_before(today, WEEKDAYS[match["w"]])


def _before(days: int) -> Callable[[_Match, date], Days]:
    return lambda _, today: one_day(today - timedelta(days=days))


def _lately(_: _Match, today: date) -> Days:
    return Days(today - timedelta(days=_RECENT_DAYS), today + timedelta(days=1))


def _iso_day(match: _Match, _: date) -> Days:
    return one_day(date(int(match["y"]), int(match["m"]), int(match["d"])))


def _iso_month(match: _Match, _: date) -> Days:
    return month(int(match["y"]), int(match["m"]))


_PARTS_OF_PATTERNS = {
    "Y": r"(?P<y>(?:19|20)\d\d)(?![\w-])",
    "M": rf"(?P<m>{one_of(MONTHS)})\b\.?",
    "D": r"(?P<d>\d{1,2})(?:st|nd|rd|th|er)?",
    "E": r"(?P<e>\d{1,2})(?:st|nd|rd|th|er)?",
    "N": rf"(?:about |around |some |environ |a peu pres )?"
    rf"(?P<n>\d{{1,3}} |(?:{one_of(VAGUE)}) ?|(?:{one_of(NUMBERS)}) )",
    "U": rf"(?P<u>{one_of(UNITS)})\b",
    "S": rf"(?P<s>{one_of(SEASONS)})\b",
    "H": rf"(?P<h>{one_of(HOLIDAY_NAMES)})\b",
    "W": rf"(?P<w>{one_of(WEEKDAYS)})\b",
    "PART": rf"(?P<part>{one_of(PARTS)})(?: |-|(?<='))",
    "GONE": r"(?:derniere?|passee?)s?\b",
    "LASTYEAR": r"(?P<near>last year|this year|l'an (?:dernier|passe)|l'annee "
    r"(?:derniere|passee)|cette annee)\b",
}
_IN, _ON, _AT = (
    "in|during|of|around|over|en|au|aux|du|de|d'|durant|pendant|dans|vers|mois de|month of",
    "on",
    "at|on|over|during|around|a|pendant|durant",
)
_IN_THE = "in the|during the|over the|au|a l'|durant|pendant"  # "in winter" is every winter
_DOTTED = re.compile("<([A-Z]+)>")


def _rule(pattern: str, days: Callable[[_Match, date], Days], needs: str = "") -> _Rule:
    whole = _DOTTED.sub(lambda part: _PARTS_OF_PATTERNS[part[1]], pattern)
    return _Rule(re.compile(rf"(?<![\w-]){whole}(?! proch)"), days, needs)


_RULES = (
    _rule(r"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?![\w-])", _iso_day),
    _rule(r"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)(?![\w-])", _iso_month, _IN),
    _rule(r"(?:la )?semaine du <D> <M>(?: <Y>)?", _week_of),
    _rule(r"(?:the )?week of <M> <D>(?!\d)(?:,? <Y>)?", _week_of),
    _rule(r"(?:the |le )?<D>(?: of)? <M>(?:,? <Y>)?", _day_of),
    _rule(r"<M> <D>(?!\d)(?:,? <Y>)?", _day_of),
    _rule(
        r"(?:the |le )?<D> ?(?:and|to|et|au|a|-) ?(?:the |le )?<E>(?: of)? <M>(?: <Y>)?", _days_of
    ),
    _rule(r"<M> <D> ?(?:and|to|-) ?(?:the )?<E>(?!\d)(?:,? <Y>)?", _days_of),
    _rule(r"(?:<PART>)?<M>,?(?: of| de)? <Y>", _month_of),
    _rule(rf"(?P<what>{one_of([*MONTHS, *SEASONS])})\b(?: of| de)? <LASTYEAR>", _of_a_year_near),
    _rule(r"last <M>", _last_month_of),
    _rule(r"<M> <GONE>", _last_month_of),
    _rule(r"<PART><M>(?P<y>)", _month_of),
    _rule(r"(?<!next )<M>(?P<y>)", _month_of, _IN),
    _rule(r"(?:the year |l'annee |l'an )?(?:<PART>)?<Y>", _year_of, _IN),
    _rule(r"[qt](?P<q>[1-4])(?: |-|/)?(?:of |de )?<Y>", _quarter_of),
    _rule(
        rf"(?:the |le |au )?(?P<q>{one_of(ORDINALS)}) (?:quarter|trimestre)\b(?:(?: of| de)? <Y>)?",
        _quarter_of,
    ),
    _rule(r"<S>(?: of| de)? (?P<y>(?:19|20)\d\d)(?:[-/–](?P<z>(?:20)?\d\d))?(?![\w-])", _season_of),
    _rule(r"(?:last|this past) <S>", _last_season),
    _rule(r"(?:l')?<S> <GONE>", _last_season),
    _rule(r"(?:this|cet|cette|ce) <S>", _this_season),
    _rule(r"<S>", _this_season, _IN_THE),
    _rule(r"last <H>(?P<y>)", _holiday_of),
    _rule(r"<H> (?:<GONE>)(?P<y>)", _holiday_of),
    _rule(r"<H>,? <Y>", _holiday_of),
    _rule(r"<H>(?P<y>)", _holiday_of, _AT),
    _rule(
        r"(?:today|tonight|this (?:morning|afternoon|evening)|aujourd'hui|ce (?:matin|soir)|"
        r"cet(?:te)? apres-midi)\b",
        _before(0),
    ),
    _rule(r"(?:yesterday|last night|hier(?: soir| matin)?)\b", _before(1)),
    _rule(r"(?:(?:the )?day before yesterday|avant-hier)\b", _before(2)),
    _rule(r"<N><U> ago\b", _ago),
    _rule(r"(?:(?:il )?y a|ca fait|voila) <N><U>", _ago),
    _rule(r"(?:the )?(?:last|past|previous) <N><U>", _up_to_now),
    _rule(rf"(?:(?:les|ces|des|aux) )(?P<n>(?:\d{{1,3}}|{one_of(NUMBERS)}) )?dernier(?:e)?s <U>",
          _up_to_now),
    _rule(r"(?:the (?:last|past)|(?:la |le )?derniere?) <U>", _up_to_now),
    _rule(r"depuis <N><U>", _up_to_now),
    _rule(r"(?:last|previous) <U>", _last_unit),
    _rule(r"(?:la |le |l')?<U> <GONE>", _last_unit),
    _rule(r"(?:this|cette|cet|ce) <U>(?:-ci\b)?", _this_unit),
    _rule(
        r"(?:(?:last|this|this past) weekend|(?:la |cette |le |ce )?(?:fin de semaine|week-?end) "
        r"<GONE>)",
        lambda _, today: weekend_before(today),
    ),
    _rule(r"last <W>", _weekday),
    _rule(r"<W> <GONE>", _weekday),
    _rule(r"<W>", _weekday, _ON),
    _rule(
        r"(?:recently|lately|recemment|dernierement|ces temps-ci|ces derniers temps|"
        r"these days)\b",
        _lately,
    ),
)  # fmt: skip
