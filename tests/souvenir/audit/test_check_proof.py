"""The file that is given to whoever does not trust us: it runs by itself, and is not fooled."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from souvenir.audit import check_proof
from souvenir.audit.services import make_checkpoints
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.souvenir.audit.test_audit_door import get

Files = dict[str, Path]


@pytest.fixture
def files(acme: Tenant, tmp_path: Path) -> Files:
    """What somebody would have kept and been given."""
    make_checkpoints()
    kept = get(acme, "checkpoint")
    for text in "abcde":
        import_bytes(acme, chatgpt_export(text, conversation=text))
        make_checkpoints()
    entry = get(acme, "entries")["results"][2]["entry"]["id"]
    proved = get(acme, f"entries/{entry}/proof")
    grown = get(acme, "consistency", old=kept["size"], size=proved["checkpoint"]["size"])
    key = Client().get("/.well-known/souvenir-audit-key").content.decode()
    texts = {
        "key": key,
        "entry": json.dumps(proved),
        "saved": kept["note"],
        "consistency": json.dumps(grown),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: tmp_path / name for name in texts}


def run(files: Files) -> tuple[int, str]:
    """As its reader would, in a Python that knows nothing of Souvenir."""
    arguments = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-I", str(check_proof.__file__), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def change(path: Path, **fields: Any) -> None:
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | fields))


def test_what_is_true_is_shown(files: Files) -> None:
    code, said = run(files)

    assert code == 0, said
    assert said.count("OK: ") == 2


def test_an_entry_alone_is_shown(files: Files) -> None:
    code, said = run({name: files[name] for name in ("key", "entry")})

    assert (code, said.count("OK: ")) == (0, 1)


@pytest.mark.parametrize("field", ["actor", "object", "at", "outcome"])
def test_another_entry_is_not_shown(files: Files, field: str) -> None:
    told = json.loads(files["entry"].read_text())
    change(files["entry"], entry=told["entry"] | {field: "another"})

    assert run(files) == (1, "NOT SHOWN: the entry is not in the log that was signed for\n")


def test_another_number_is_not_shown(files: Files) -> None:
    told = json.loads(files["entry"].read_text())
    change(files["entry"], number=told["number"] - 1)

    assert run(files)[0] == 1


def test_a_log_that_grew_from_another_is_not_shown(files: Files) -> None:
    told = json.loads(files["consistency"].read_text())
    change(files["consistency"], hashes=told["hashes"][::-1])

    assert run(files)[0] == 1


def test_a_checkpoint_that_was_not_signed_is_not_shown(files: Files) -> None:
    size = files["saved"].read_text().split("\n")[1]
    files["saved"].write_text(files["saved"].read_text().replace(f"\n{size}\n", "\n1\n", 1))

    assert run(files) == (1, "NOT SHOWN: the signature is wrong\n")
