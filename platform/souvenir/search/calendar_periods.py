"""Periods of the calendar, as half-open intervals of days. Pure: whoever asks says what today is.

What has no year is the last one that has begun: questions are about what was.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
_MONTHS = 12
# (month, day) of the first day and of the day after the last. Wide: people differ on when they
# begin. A winter is of the year in which it ends.
_SEASONS = {
    "spring": ((3, 1), (6, 22)),
    "summer": ((6, 1), (9, 23)),
    "fall": ((9, 1), (12, 22)),
    "winter": ((12, 1), (3, 22)),
}


@dataclass(frozen=True, slots=True)
class Days:
    """From a day to another; `until` is not among them."""

    since: date
    until: date

    def later(self, years: int) -> "Days":
        return Days(moved(self.since, years=years), moved(self.until, years=years))


def one_day(day: date) -> Days:
    return Days(day, day + _DAY)


def moved(day: date, *, years: int = 0, months: int = 0) -> date:
    """The same day of another year or month; the last of that month where it has fewer."""
    total = day.year * _MONTHS + day.month - 1 + months + years * _MONTHS
    year, month = total // _MONTHS, total % _MONTHS + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def month(year: int, number: int) -> Days:
    first = date(year, number, 1)
    return Days(first, moved(first, months=1))


def part_of(days: Days, part: str) -> Days:
    """A third of a period: its "early", "mid" or "late" days."""
    third = (days.until - days.since) // 3
    if part == "early":
        return Days(days.since, days.since + third)
    if part == "mid":
        return Days(days.since + third, days.until - third)
    return Days(days.until - third, days.until)


def quarter(year: int, number: int) -> Days:
    first = date(year, 3 * number - 2, 1)
    return Days(first, moved(first, months=3))


def year(number: int) -> Days:
    return Days(date(number, 1, 1), date(number + 1, 1, 1))


def season(name: str, of_year: int) -> Days:
    """ "spring", "summer", "fall" or "winter" of a year."""
    begins, ends = _SEASONS[name]
    first_year = of_year - 1 if name == "winter" else of_year
    return Days(date(first_year, *begins), date(of_year, *ends))


def week_of(day: date) -> Days:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return Days(monday, monday + timedelta(days=7))


def weekend_before(day: date) -> Days:
    """The last Saturday and Sunday that are over."""
    saturday = day - timedelta(days=(day.weekday() + 2) % 7 or 7)
    if saturday + timedelta(days=1) >= day:
        saturday -= timedelta(days=7)
    return Days(saturday, saturday + timedelta(days=2))


def weekday_before(day: date, number: int) -> Days:
    """The last Monday (0) to Sunday (6) before a day."""
    return one_day(day - timedelta(days=(day.weekday() - number - 1) % 7 + 1))


def holiday(name: str, of_year: int) -> Days:
    """One of HOLIDAYS, as it is kept in Canada."""
    return HOLIDAYS[name](of_year)


def last_begun(make: Callable[[int], Days], today: date) -> Days:
    """Of what comes every year, the last one that has begun."""
    return max(
        (make(today.year + years) for years in (-2, -1, 0, 1) if _begun(make, today, years)),
        key=lambda days: days.since,
    )


def last_over(make: Callable[[int], Days], today: date) -> Days:
    """Of what comes every year, the last one that is over."""
    found = last_begun(make, today)
    return found if found.until <= today else last_begun(make, found.since - _DAY)


def _begun(make: Callable[[int], Days], today: date, years: int) -> bool:
    return make(today.year + years).since <= today


def _easter(of_year: int) -> date:
    """Source: Meeus, Jones and Butcher, as in Astronomical Algorithms, 1991."""
    a, (b, c) = of_year % 19, divmod(of_year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month_of, day = divmod(h + m - 7 * n + 114, 31)
    return date(of_year, month_of, day + 1)


def _monday(of_year: int, month_of: int, nth: int) -> date:
    first = date(of_year, month_of, 1)
    return first + timedelta(days=-first.weekday() % 7 + 7 * (nth - 1))


def _days(begins: Callable[[int], date], length: int) -> Callable[[int], Days]:
    return lambda of_year: Days(begins(of_year), begins(of_year) + timedelta(days=length))


HOLIDAYS: dict[str, Callable[[int], Days]] = {
    "christmas": _days(lambda y: date(y, 12, 24), 3),
    "new year": _days(lambda y: date(y, 1, 1), 1),
    "valentine": _days(lambda y: date(y, 2, 14), 1),
    "easter": _days(lambda y: _easter(y) - 2 * _DAY, 4),
    "st john": _days(lambda y: date(y, 6, 24), 1),
    "canada day": _days(lambda y: date(y, 7, 1), 1),
    "labour day": _days(lambda y: _monday(y, 9, 1), 1),
    "thanksgiving": _days(lambda y: _monday(y, 10, 2), 1),
    "halloween": _days(lambda y: date(y, 10, 31), 1),
}
