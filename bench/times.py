"""What time in a question is worth, and what recency costs: the demonstration's questions again.

    PYTHONPATH=platform:. .venv/bin/python -m bench.times

To each of the 212 questions is added when its evidence was said: its month, its day, about how long
ago; and a month that is wrong by one, as people remember. The same questions are asked with shares
of the score for the right time, and plain ones with shares for what is recent.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from souvenir.config.demo import archive
from souvenir.core.jobs import Job
from souvenir.memories.models import Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search import priors, timely
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, import_bytes, make_tenant, run_jobs

_ASKED_AT = datetime(2026, 12, 1, 15, tzinfo=UTC)
_RANKS = (1, 5, 10)
_TIME_SHARES = (0.0, 0.02, 0.05, 0.1)
_RECENCY_SHARES = (0.0, 0.01, 0.02)
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_Dated = tuple[dict[str, Any], set[Any], datetime]
_Wording = Callable[[str, datetime], str]


def _fill() -> Tenant:
    tenant = make_tenant()
    for export in archive.demo_exports():
        import_bytes(tenant, export.packed(), name=export.file_name)
    run_jobs(tenant, Job.EMBED_PASSAGES)
    return tenant


def _evidence_ids(tenant: Tenant, question: dict[str, Any]) -> set[Any]:
    names = [evidence["message_id"] for evidence in question["evidence"]]
    with tenant_scope(tenant.id):
        return set(Message.objects.filter(provider_id__in=names).values_list("id", flat=True))


def _month(language: str, said: datetime) -> str:
    name = _MONTHS[language].split()[said.month - 1]
    return f"in {name} {said.year}" if language == "en" else f"en {name} {said.year}"


def _day(language: str, said: datetime) -> str:
    name = _MONTHS[language].split()[said.month - 1]
    if language == "en":
        return f"on {name} {said.day}, {said.year}"
    return f"le {said.day} {name} {said.year}"


def _ago(language: str, said: datetime) -> str:
    days = (_ASKED_AT - said).days
    number, unit = (days // 30, "month") if days >= 60 else (max(1, days // 7), "week")
    if language == "en":
        return f"{number} {unit}{'s' if number > 1 else ''} ago"
    word = "mois" if unit == "month" else "semaines" if number > 1 else "semaine"
    return f"il y a {number} {word}".replace("a 1 s", "a une s")


def _wrong_month(language: str, said: datetime) -> str:
    return _month(language, said.replace(day=15) - timedelta(days=30))


_WORDINGS: dict[str, _Wording] = {
    "plain": lambda language, said: "",
    "month": _month,
    "day": _day,
    "about how long ago": _ago,
    "month, wrong by one": _wrong_month,
}


def _place(tenant: Tenant, asked: Question, wanted: set[Any]) -> int:
    with tenant_scope(tenant.id):
        results = search(asked).results
    return min((n for n, r in enumerate(results, 1) if r.message_id in wanted), default=99)


def _row(tenant: Tenant, questions: list[_Dated], w: _Wording) -> str:
    places = []
    for question, wanted, said in questions:
        with tenant_scope(tenant.id):
            store = personal_store(person=get_person(external_id="alice"))
        text = f"{question['question'].rstrip('?')} {w(question['lang'], said)}?"
        places.append(_place(tenant, Question(text, [store.id], asked_at=_ASKED_AT), wanted))
    return " | ".join(f"{sum(p <= k for p in places) / len(places):.3f}" for k in _RANKS)


def _dated(tenant: Tenant, found: list[dict[str, Any]]) -> list[_Dated]:
    """The questions whose evidence is a message with a date."""
    dated = []
    for question in found:
        wanted = _evidence_ids(tenant, question)
        with tenant_scope(tenant.id):
            messages = Message.objects.filter(id__in=wanted, occurred_at__isnull=False)
            said = messages.order_by("occurred_at").values_list("occurred_at", flat=True)
            moments = [moment for moment in said if moment is not None]
        if moments:
            dated.append((question, wanted, moments[0]))
    return dated


def main() -> None:
    found = json.loads((Path(archive.__file__).parent / "questions.json").read_text())
    share_as_it_is = timely.TIME_SHARE
    tenant = _fill()
    questions = _dated(tenant, found)
    print(f"{len(questions)} questions")
    print("| question | share for time | " + " | ".join(f"recall@{k}" for k in _RANKS) + " |")
    print("| --- | --- |" + " --- |" * len(_RANKS))
    for name, wording in _WORDINGS.items():
        for share in _TIME_SHARES if name != "plain" else _TIME_SHARES[:1]:
            timely.TIME_SHARE = share
            print(f"| {name} | {share} | {_row(tenant, questions, wording)} |", flush=True)
    timely.TIME_SHARE = share_as_it_is
    for share in _RECENCY_SHARES:
        priors.RECENCY_SHARE = share
        print(
            f"| plain, recency {share} | | {_row(tenant, questions, _WORDINGS['plain'])} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
