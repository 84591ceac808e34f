"""What several stages are tested beside."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from souvenir.search.rerank import process_pause
from tests.souvenir.search.rerankers import FakeReranker, reranking


@pytest.fixture
def reranker(tmp_path: Path, settings: Settings) -> Iterator[FakeReranker]:
    """One that every search asks, and that has not failed yet."""
    process_pause.note_success()
    with reranking(tmp_path) as found:
        settings.SOUVENIR_RERANK_URL = found.url()
        settings.SOUVENIR_RERANK_PLACEMENT = "local"
        settings.SOUVENIR_EGRESS_INSIDE = [f"localhost:{found.port}"]
        settings.SOUVENIR_EGRESS_CA_FILE = found.authority
        yield found
