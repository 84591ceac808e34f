"""mem0 OSS over pgvector, asked the same questions. Runs under a Python that has mem0, not ours.

    python -m venv ELSEWHERE && ELSEWHERE/bin/pip install 'mem0ai==2.2.1' 'psycopg[binary,pool]'

Reads one JSON document on standard input, writes one on standard output; `bench.recall` starts it.
Its own defaults throughout (hybrid search, graph of pgvector), `infer=False`: each message is one
memory, word for word. One collection for each set, so that no filter stands in the graph's way.
Vectors are given: from the embedder that Souvenir uses, with the prefixes that its model wants.
"""

import json
import sys
from pathlib import Path
from typing import Any

from mem0 import Memory


class GivenVectors:
    """In place of mem0's embedder: looks vectors up by what they are for and their text."""

    def __init__(self, table: dict[tuple[str, str], list[float]]) -> None:
        self._table = table

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        kind = "query" if memory_action == "search" else "passage"
        return self._table[kind, text.strip()]


def main() -> None:
    job = json.load(sys.stdin)
    answers = [_answers(job, number, one) for number, one in enumerate(job["sets"])]
    json.dump(answers, sys.stdout)


def _answers(job: dict[str, Any], number: int, one: dict[str, Any]) -> list[list[list[int]]]:
    memory = Memory.from_config(
        {
            "vector_store": {
                "provider": "pgvector",
                "config": {
                    "connection_string": job["database"],
                    "collection_name": f"{job['name']}_{number}",
                    "embedding_model_dims": job["dimensions"],
                },
            },
            # Neither is called: vectors are given, and nothing is inferred.
            "embedder": {"provider": "openai", "config": {"api_key": "none"}},
            "llm": {"provider": "openai", "config": {"api_key": "none"}},
            "history_db_path": str(Path(job["folder"]) / f"history-{number}.db"),
        }
    )
    memory.embedding_model = GivenVectors(_table(one))
    for place, unit in enumerate(one["units"]):
        said = {"role": unit["role"], "content": unit["text"]}
        memory.add([said], user_id="alice", metadata={"place": place}, infer=False)
    return [
        [_found(memory, question["text"], most) for most in job["limits"]]
        for question in one["questions"]
    ]


def _table(one: dict[str, Any]) -> dict[tuple[str, str], list[float]]:
    table = {("passage", unit["text"].strip()): unit["vector"] for unit in one["units"]}
    return table | {("query", asked["text"].strip()): asked["vector"] for asked in one["questions"]}


def _found(memory: Memory, question: str, most: int) -> list[int]:
    """Places of units, best first."""
    found = memory.search(question, filters={"user_id": "alice"}, top_k=most)["results"]
    return [result["metadata"]["place"] for result in found]


if __name__ == "__main__":
    main()
