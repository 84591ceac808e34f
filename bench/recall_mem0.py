"""Asks mem0 OSS the same questions over the same passages, by mem0_peer.py."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.recall_metrics import Answered, Result
from bench.recall_ways import LONG, SHOWN, Stored, tokens_of
from souvenir.embedding.embedders import Embedder, TextKind
from souvenir.ingestion.models import Passage
from souvenir.ingestion.surroundings import searchables_of
from tenants.isolation.scope import tenant_scope

MEM0 = "mem0 OSS, pgvector"
_PEER = Path(__file__).with_name("mem0_peer.py")


@dataclass(frozen=True)
class Peer:
    """Where mem0 is, and what it is given."""

    python: Path
    database: str
    embedder: Embedder


def answers_of_mem0(stored: Sequence[Stored], peer: Peer) -> list[list[Answered]]:
    """For each set, the answer to each of its questions.

    Each passage is one memory, with its author's name before it, since questions name people.
    """
    sets, results = [], []
    for one in stored:
        said = _passages(one)
        sets.append(
            {
                "units": _with_vectors([text for _, text in said], peer.embedder, "passage"),
                "questions": _with_vectors(
                    [question.text for question in one.asked.questions], peer.embedder, "query"
                ),
            }
        )
        results.append([result for result, _ in said])
    told = _run(
        {"sets": sets, "limits": [SHOWN, LONG], "dimensions": peer.embedder.dimensions}, peer
    )
    return [
        [
            Answered([known[place] for place in shown], [known[place] for place in long])
            for shown, long in asked
        ]
        for known, asked in zip(results, told, strict=True)
    ]


def _passages(stored: Stored) -> list[tuple[Result, str]]:
    with tenant_scope(stored.tenant.id):
        passages = list(Passage.objects.order_by("id"))
        found = searchables_of(passages)
    said = []
    for passage in passages:
        one = found[passage.id]
        text = f"{one.author}: {one.text}" if one.author else one.text
        said.append((Result(stored.keys[passage.message_id], tokens_of(one.text)), text))
    return said


def _with_vectors(texts: list[str], embedder: Embedder, kind: TextKind) -> list[dict[str, Any]]:
    vectors = embedder.embed(texts, kind=kind).tolist()
    return [
        {"role": "user", "text": text, "vector": vector}
        for text, vector in zip(texts, vectors, strict=True)
    ]


def _run(job: dict[str, Any], peer: Peer) -> list[list[list[list[int]]]]:
    """By set, question and limit: places of memories, best first."""
    with tempfile.TemporaryDirectory(prefix="souvenir-bench-") as folder:
        job |= {"database": peer.database, "folder": folder, "name": f"run_{uuid4().hex[:12]}"}
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "MEM0_DIR": folder,
            "MEM0_TELEMETRY": "False",
        }
        done = subprocess.run(  # noqa: S603 — the program that the caller named
            [str(peer.python), str(_PEER)],
            input=json.dumps(job),
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    answers: list[list[list[list[int]]]] = json.loads(done.stdout)
    return answers
