"""French and English meet in one space, whichever is asked."""

import numpy as np

from souvenir.embedding.bilingual import bilingual_embedder
from souvenir.embedding.embedders import Embedder
from souvenir.embedding.local import local_embedder

# None of these is among the sentences that the plane was made from.
ENGLISH = [
    "The plumber comes on Wednesday to replace the tap.",
    "Our cat sleeps on the radiator all winter.",
    "She sold the canoe to her cousin for two hundred dollars.",
    "The choir rehearses in the basement of the church.",
]
FRENCH = [
    "Le plombier vient mercredi pour remplacer le robinet.",
    "Notre chat dort sur le calorifère tout l’hiver.",
    "Elle a vendu le canot à son cousin pour deux cents dollars.",
    "La chorale répète dans le sous-sol de l’église.",
]


def _across(embedder: Embedder) -> float:
    """How much nearer other sentences of the same language are than others of the other."""
    english, french = (embedder.embed(texts, kind="passage") for texts in (ENGLISH, FRENCH))
    other = ~np.eye(len(ENGLISH), dtype=bool)
    same = (english @ english.T)[other].mean() + (french @ french.T)[other].mean()
    return float(same / 2 - (english @ french.T)[other].mean())


def test_it_is_an_embedder_of_the_same_size() -> None:
    embedder: Embedder = bilingual_embedder()

    rows = embedder.embed([*ENGLISH, ""], kind="passage")

    assert rows.shape == (5, embedder.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_a_text_is_no_longer_drawn_to_its_own_language() -> None:
    assert _across(bilingual_embedder()) < _across(local_embedder()) / 2


def test_a_translation_is_the_nearest_of_all_in_either_language() -> None:
    english, french = (bilingual_embedder().embed(t, kind="passage") for t in (ENGLISH, FRENCH))

    nearness = english @ np.concatenate([english, french]).T
    np.fill_diagonal(nearness, -1)
    assert nearness.argmax(axis=1).tolist() == [4, 5, 6, 7]
