"""The words in which English and French speak of time, folded: small, without accents."""

from collections.abc import Iterable

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january janvier jan janv", "february fevrier feb fevr", "march mars",
            "april avril apr avr", "may mai", "june juin jun", "july juillet jul juil",
            "august aout aug", "september septembre sept sep", "october octobre oct",
            "november novembre nov", "december decembre dec",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
WEEKDAYS = {
    word: number
    for number, words in enumerate(
        (
            "monday lundi", "tuesday mardi", "wednesday mercredi", "thursday jeudi",
            "friday vendredi", "saturday samedi", "sunday dimanche",
        )
    )
    for word in words.split()
}  # fmt: skip
SEASONS = {
    word: name
    for name, words in {
        "spring": "spring printemps",
        "summer": "summer ete",
        "fall": "fall autumn automne",
        "winter": "winter hiver",
    }.items()
    for word in words.split()
}
NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "one un une a an", "two deux", "three trois", "four quatre", "five cinq", "six",
            "seven sept", "eight huit", "nine neuf", "ten dix", "eleven onze", "twelve douze",
        ),
        start=1,
    )
    for word in words.split()
} | {
    "fifteen": 15, "quinze": 15, "twenty": 20, "vingt": 20, "thirty": 30, "trente": 30,
}  # fmt: skip
# A number that is not one: from so many to so many.
VAGUE = {
    "few": (2, 5), "couple of": (2, 3), "a couple of": (2, 3), "a couple": (2, 3),
    "a few": (2, 5), "several": (3, 8),
    "quelques": (2, 5), "plusieurs": (3, 8), "une couple de": (2, 3), "une couple d'": (2, 3),
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "premier": 1, "deuxieme": 2, "troisieme": 3, "quatrieme": 4, "1er": 1, "2e": 2, "3e": 3,
    "4e": 4,
}  # fmt: skip
UNITS = {
    word: name
    for name, words in {
        "day": "day days jour jours journee journees",
        "week": "week weeks semaine semaines",
        "fortnight": "fortnight fortnights quinzaine",
        "month": "month months mois",
        "quarter": "quarter quarters trimestre trimestres",
        "year": "year years an ans annee annees",
    }.items()
    for word in words.split()
}
PARTS = {
    "early": "early", "mid": "mid", "middle of": "mid", "late": "late", "end of": "late",
    "the end of": "late", "the beginning of": "early", "the start of": "early", "debut": "early",
    "au debut de": "early", "au debut d'": "early", "mi": "mid", "au milieu de": "mid",
    "au milieu d'": "mid", "fin": "late", "a la fin de": "late", "a la fin d'": "late",
}  # fmt: skip
HOLIDAY_NAMES = {
    "christmas": "christmas", "xmas": "christmas", "noel": "christmas",
    "new year's day": "new year", "new year's": "new year", "new year": "new year",
    "jour de l'an": "new year", "nouvel an": "new year", "valentine's day": "valentine",
    "saint-valentin": "valentine", "st-valentin": "valentine", "easter": "easter",
    "paques": "easter", "saint-jean-baptiste": "st john", "saint-jean": "st john",
    "st-jean": "st john", "canada day": "canada day", "fete du canada": "canada day",
    "labour day": "labour day", "fete du travail": "labour day", "thanksgiving": "thanksgiving",
    "action de grace": "thanksgiving", "action de graces": "thanksgiving",
    "halloween": "halloween",
}  # fmt: skip


def one_of(words: Iterable[str]) -> str:
    """A pattern of any of these, the longest first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))
