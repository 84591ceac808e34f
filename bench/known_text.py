"""Text that nobody else has: English and French sentences of our own, full of invented words.

The same seed gives the same text. An invented word stands in no dictionary and in no program, so
that finding it somewhere says where it came from.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

_ONSETS = ["br", "qu", "v", "dr", "fl", "gl", "m", "n", "pl", "s", "tr", "z", "ch", "cl", "gr", "l"]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ou", "oi", "é", "è", "ô"]
_CODAS = ["", "n", "r", "l", "st", "x", "nt", "c"]
_SENTENCES = (
    "Yesterday {0} brought the {1} back to the harbour, and nobody asked why it was {2}.",
    "My sister keeps her {0} behind the bakery; she said the {1} would be safer than a {2}.",
    "We argued about {0} for an hour, until the {1} doctor laughed and ordered more {2}.",
    "Please remember that {0} is allergic to {1}, and never travels without a {2}.",
    "The bicycle belongs to {0}, although {1} painted it with leftover {2} last summer.",
    "Hier, {0} a rapporté le {1} au quai, et personne n’a demandé pourquoi il était {2}.",
    "Ma sœur range son {0} derrière la boulangerie; elle dit que le {1} craint moins que le {2}.",
    "Nous avons discuté de {0} pendant une heure, puis le médecin {1} a ri et repris du {2}.",
    "N’oublie pas que {0} est allergique au {1}, et ne voyage jamais sans son {2}.",
    "Le vélo appartient à {0}, mais {1} l’a repeint avec un reste de {2} l’été dernier.",
)


@dataclass(frozen=True)
class Piece:
    """Something that a person wrote, or that was named by them."""

    what: str
    text: str


class Writer:
    """Writes on and on, from its own store of invented words."""

    def __init__(self, seed: int, *, words: int) -> None:
        """`words` is how many are invented. Two seeds share none, to all practical purposes."""
        self._random = random.Random(seed)  # noqa: S311 (no secret: the text is to be found)
        self._words = [self._word() for _ in range(words)]

    def sentences(self, count: int) -> str:
        return " ".join(self._sentence() for _ in range(count))

    def words(self, count: int) -> str:
        return " ".join(self._random.choice(self._words) for _ in range(count))

    def _sentence(self) -> str:
        form = self._random.choice(_SENTENCES)
        return form.format(*(self._random.choice(self._words) for _ in range(3)))

    def _word(self) -> str:
        syllables = self._random.choice([2, 2, 3, 3, 4])
        word = "".join(
            self._random.choice(_ONSETS) + self._random.choice(_VOWELS) for _ in range(syllables)
        ) + self._random.choice(_CODAS)
        return word.capitalize() if self._random.random() < 1 / 3 else word


def chatgpt_history(writer: Writer, *, conversations: int, messages: int) -> Iterator[Piece]:
    """The pieces of a history, in its order: a title, then the messages, of each conversation."""
    for _ in range(conversations):
        yield Piece("title", writer.words(4))
        for _ in range(messages):
            yield Piece("message", writer.sentences(6))


def chatgpt_file(pieces: list[Piece]) -> bytes:
    """Those pieces as the `conversations.json` of a classic ChatGPT export."""
    documents: list[dict[str, object]] = []
    mapping: dict[str, dict[str, object]] = {}
    last = ""
    for number, piece in enumerate(pieces):
        node = f"n{number}"
        if piece.what == "title":
            mapping = {node: {"id": node, "message": None, "parent": None, "children": []}}
            documents.append(
                {
                    "id": f"c{number}",
                    "conversation_id": f"c{number}",
                    "title": piece.text,
                    "create_time": 1_760_000_000.0 + number,
                    "update_time": 1_760_000_100.0 + number,
                    "mapping": mapping,
                }
            )
        else:
            mapping[last]["children"] = [node]
            message = {
                "id": node,
                "author": {"role": "assistant" if number % 2 else "user"},
                "create_time": 1_760_000_000.0 + number,
                "content": {"content_type": "text", "parts": [piece.text]},
            }
            mapping[node] = {"id": node, "message": message, "parent": last, "children": []}
        documents[-1]["current_node"] = last = node
    return json.dumps(documents, ensure_ascii=False).encode()
