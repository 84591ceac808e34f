"""The sets of questions: what is brought in, what is asked of it, and what answers.

Nothing of LoCoMo or PIAF is in this project: their files are named on the command line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from souvenir.config.demo import archive

_EVIDENCE = re.compile(r"D(\d+):(\d+)")
_LOCOMO_TIME = "%I:%M %p on %d %B, %Y"
ADVERSARIAL = 5  # a LoCoMo category: questions without an answer
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # of passages that have none


@dataclass(frozen=True)
class Unit:
    """One message: what evidence names, and what a result is counted as."""

    key: str
    text: str
    talk: str
    said_at: datetime
    author: str = ""
    role: str = "user"


@dataclass(frozen=True)
class Asked:
    text: str
    evidence: frozenset[str]  # keys of units
    group: str  # a category, or a direction between languages


@dataclass(frozen=True)
class QuestionSet:
    """One memory and what is asked of it."""

    name: str
    questions: list[Asked]
    units: list[Unit] = field(default_factory=list)  # none: the demonstration, as it is shipped

    def exports(self) -> list[tuple[str, bytes]]:
        """Files to bring in, with their names."""
        if not self.units:
            return [(export.file_name, export.packed()) for export in archive.demo_exports()]
        return [("conversations.json", _chatgpt_export(self.units))]


def locomo(path: Path) -> Iterator[QuestionSet]:
    """One set per conversation of two people; each session is a talk. Photos as their captions."""
    for sample in json.loads(path.read_text("utf-8")):
        units = list(_turns(sample["conversation"]))
        known = {unit.key for unit in units}
        questions = []
        for asked in sample["qa"]:
            named = _EVIDENCE.findall(" ".join(asked.get("evidence", [])))
            evidence = frozenset(f"D{int(a)}:{int(b)}" for a, b in named) & known
            if evidence and asked["category"] != ADVERSARIAL:
                group = f"category {asked['category']}"
                questions.append(Asked(asked["question"], evidence, group))
        yield QuestionSet(f"LoCoMo {sample['sample_id']}", questions, units)


def _turns(conversation: dict[str, Any]) -> Iterator[Unit]:
    session = 1
    while f"session_{session}" in conversation:
        told = conversation[f"session_{session}_date_time"]
        began = datetime.strptime(told, _LOCOMO_TIME).replace(tzinfo=UTC)
        for turn in conversation[f"session_{session}"]:
            photo = f" [photo: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            yield Unit(
                key=turn["dia_id"],
                text=turn["text"] + photo,
                talk=f"session {session}",
                said_at=began,
                author=turn["speaker"],
                role="user" if turn["speaker"] == conversation["speaker_a"] else "assistant",
            )
        session += 1


def piaf(paths: list[Path]) -> QuestionSet:
    """All passages in one memory, without their titles, which are the questions themselves."""
    units: dict[str, Unit] = {}
    questions = []
    for path in paths:
        for article in json.loads(path.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                key = f"{path.stem}-{len(units)}"
                unit = Unit(key, paragraph["context"], talk=key, said_at=_FIRST_DAY)
                unit = units.setdefault(paragraph["context"], unit)
                for asked in paragraph["qas"]:
                    if asked["question"].strip():
                        evidence = frozenset({unit.key})
                        questions.append(Asked(asked["question"], evidence, path.stem))
    return QuestionSet("PIAF", questions, list(units.values()))


def demonstration() -> QuestionSet:
    """The demonstration's year, in two languages."""
    listed = json.loads((Path(archive.__file__).parent / "questions.json").read_text("utf-8"))
    questions = [
        Asked(
            one["question"],
            frozenset(evidence["message_id"] for evidence in one["evidence"]),
            f"{one['lang']}→{one['evidence_lang']}",
        )
        for one in listed
    ]
    return QuestionSet("demonstration", questions)


def _chatgpt_export(units: list[Unit]) -> bytes:
    talks: dict[str, list[Unit]] = {}
    for unit in units:
        talks.setdefault(unit.talk, []).append(unit)
    return json.dumps([_talk(name, said) for name, said in talks.items()]).encode()


def _talk(name: str, said: list[Unit]) -> dict[str, Any]:
    nodes: dict[str, Any] = {f"{name} root": _node(f"{name} root", None, None)}
    parent = f"{name} root"
    for place, unit in enumerate(said):
        nodes[unit.key] = _node(unit.key, parent, unit, place)
        nodes[parent]["children"].append(unit.key)
        parent = unit.key
    began = said[0].said_at.timestamp()
    return {
        "id": name,
        "conversation_id": name,
        "title": "",
        "create_time": began,
        "update_time": began,
        "mapping": nodes,
        "current_node": parent,
    }


def _node(key: str, parent: str | None, unit: Unit | None, place: int = 0) -> dict[str, Any]:
    message = unit and {
        "id": key,
        "author": {"role": unit.role, "name": unit.author or None},
        "create_time": unit.said_at.timestamp() + place,
        "content": {"content_type": "text", "parts": [unit.text]},
    }
    return {"id": key, "parent": parent, "children": [], "message": message}
