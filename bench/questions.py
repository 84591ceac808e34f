"""Recall on the demonstration: 212 questions over a year, in both languages, each way.

    PYTHONPATH=platform:. .venv/bin/python -m bench.questions

Starts a database of its own, brings the demonstration in through the ordinary path, embeds it, and
asks. A question counts as answered at k if any message named as its evidence is among the first k
passages. Beside the mix, in the same run: meaning alone, and words alone.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from souvenir.config.demo import archive
from souvenir.core.jobs import Job
from souvenir.memories.models import Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, import_bytes, make_tenant, run_jobs

_RANKS = (1, 5, 10)
_WEIGHTS = {"mix": 0.75, "meaning alone": 1.0, "words alone": 0.0}


def fill() -> Tenant:
    tenant = make_tenant()
    for export in archive.demo_exports():
        import_bytes(tenant, export.packed(), name=export.file_name)
    run_jobs(tenant, Job.EMBED_PASSAGES)
    return tenant


def evidence_ids(tenant: Tenant, question: dict[str, Any]) -> set[Any]:
    names = [evidence["message_id"] for evidence in question["evidence"]]
    with tenant_scope(tenant.id):
        return set(Message.objects.filter(provider_id__in=names).values_list("id", flat=True))


def ranks(tenant: Tenant, questions: list[dict[str, Any]], weight: float) -> dict[str, list[int]]:
    """The place of the first evidence, from 1, by direction; 99: not among the first 10."""
    found = defaultdict(list)
    for question in questions:
        wanted = evidence_ids(tenant, question)
        with tenant_scope(tenant.id):
            store = personal_store(person=get_person(external_id="alice"))
            asked = Question(question["question"], [store.id], dense_weight=weight)
            results = search(asked).results
        places = [rank for rank, r in enumerate(results, 1) if r.message_id in wanted]
        found[f"{question['lang']}→{question['evidence_lang']}"].append(min(places, default=99))
    return found


def main() -> None:
    questions = json.loads((Path(archive.__file__).parent / "questions.json").read_text())
    tenant = fill()
    print("| question → text | how | " + " | ".join(f"recall@{k}" for k in _RANKS) + " |")
    print("| --- | --- |" + " --- |" * len(_RANKS))
    by_way = {name: ranks(tenant, questions, weight) for name, weight in _WEIGHTS.items()}
    for direction in sorted(by_way["mix"]):
        for name, found in by_way.items():
            places = found[direction]
            shares = [sum(place <= k for place in places) / len(places) for k in _RANKS]
            print(f"| {direction} | {name} | " + " | ".join(f"{s:.2f}" for s in shares) + " |")


if __name__ == "__main__":
    main()
