"""What explains an archive is true: its schemas, its READMEs and the command that they give."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from souvenir.config.demo.archive import demo_exports
from souvenir.core.jobs import Job as Kind
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Evidence, Message
from souvenir.memories.selectors import current_versions, get_person, personal_store
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.portability import souvenir_archive
from souvenir.portability.documents import BlockType, Origin, Role
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs

_SCHEMAS = Path(souvenir_archive.__file__).parent / "schemas"
_READMES = ("README.en.md", "README.fr.md")
_KINDS = tuple(sorted(path.name.split(".")[0] for path in _SCHEMAS.iterdir()))
_LINED = tuple(kind for kind in _KINDS if kind != "manifest")
_FORMATS = FormatChecker(["uuid"])
each_kind = pytest.mark.parametrize("kind", _KINDS)
each_readme = pytest.mark.parametrize("readme", _READMES)


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    """jsonschema checks no dates unless another package is there."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _schema(kind: str) -> Any:
    return json.loads((_SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(_schema(kind), format_checker=_FORMATS)


def _faults(kind: str, document: object) -> list[str]:
    """Where and why a document is not one of its kind."""
    return [
        f"{fault.json_path}: {fault.message}" for fault in _validator(kind).iter_errors(document)
    ]


def _fill(tenant: Tenant) -> None:
    """The demo archive, an asset, a memory with a history and evidence, and a shared store."""
    for export in demo_exports():
        import_bytes(tenant, export.packed(), name=export.file_name)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("conversations.json", chatgpt_export("Regarde 🦔", "Oh", conversation="x"))
        archive.writestr("file-abc-photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    import_bytes(tenant, buffer.getvalue(), name="one more.zip")
    with tenant_scope(tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
        memory = remember(store=store, statement=Statement(text="Allergique aux noix"))
        memory = correct(memory_id=memory.id, statement=Statement(text="Aux noisettes", reason="É"))
        Evidence.objects.create(
            version=current_versions([memory])[memory.id],
            message=Message.objects.filter(store_id=store.id).earliest("id"),
            block=0,
            start=0,
            end=3,
            quote_sha256="0" * 64,
        )
        remember(store=ensure_shared_store(slug="team"), statement=Statement(text="À tous"))


def _export(tenant: Tenant, person: str | None) -> dict[str, bytes]:
    with tenant_scope(tenant.id):
        export = request_export(person=get_person(external_id=person) if person else None)
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id):
        body = objects.stored(EXPORTS, str(export.id)).open().read()
    with zipfile.ZipFile(BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def archives(database: None) -> dict[str, dict[str, bytes]]:
    """Two real exports of the same organization, by scope: file → bytes. Tests only read them."""
    tenant = make_tenant()
    _fill(tenant)
    return {"person": _export(tenant, "alice"), "organization": _export(tenant, None)}


@pytest.fixture
def archive(archives: dict[str, dict[str, bytes]]) -> dict[str, bytes]:
    return archives["person"]


def _documents(archive: dict[str, bytes], kind: str) -> list[Any]:
    if kind == "manifest":
        return [json.loads(archive["manifest.json"])]
    return [json.loads(line) for line in archive[f"{kind}.jsonl"].split(b"\n")[:-1]]


@each_kind
def test_a_schema_is_one_and_allows_no_other_fields(kind: str) -> None:
    schema = _schema(kind)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    for part in _objects(schema):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


def _objects(schema: Any) -> Iterator[Any]:
    """Every part of a schema that describes an object with fields of ours."""
    parts = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict) and schema.get("type") == "object" and "properties" in schema:
        yield schema
    for part in parts if isinstance(schema, dict | list) else ():
        if isinstance(part, dict | list):
            yield from _objects(part)


def test_schemas_name_the_values_that_the_code_has() -> None:
    messages, conversations = _schema("messages"), _schema("conversations")

    assert messages["properties"]["role"]["enum"] == list(get_args(Role))
    assert messages["$defs"]["block"]["properties"]["type"]["enum"] == list(get_args(BlockType))
    assert conversations["properties"]["current_leaf_origin"]["enum"] == list(get_args(Origin))


def test_every_file_of_lines_has_a_schema_and_every_schema_its_file(
    archive: dict[str, bytes],
) -> None:
    lined = {name.removesuffix(".jsonl") for name in archive if name.endswith(".jsonl")}
    packed = {name.removeprefix("schemas/") for name in archive if name.startswith("schemas/")}

    assert lined == set(_LINED)
    assert packed == {f"{kind}.schema.json" for kind in _KINDS}


@pytest.mark.parametrize("scope", ["person", "organization"])
@each_kind
def test_every_line_of_a_real_export_is_what_its_schema_says(
    archives: dict[str, dict[str, bytes]], scope: str, kind: str
) -> None:
    documents = _documents(archives[scope], kind)

    assert documents != []
    assert [fault for document in documents for fault in _faults(kind, document)] == []


@each_kind
def test_a_line_with_another_field_or_without_one_is_refused(
    archive: dict[str, bytes], kind: str
) -> None:
    document = _documents(archive, kind)[-1]

    assert _faults(kind, document | {"other": 1}) != []
    for field in document:
        assert _faults(kind, {name: document[name] for name in document if name != field}) != []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("messages", {"role": "narrator"}),
        ("messages", {"id": "not-a-uuid"}),
        ("messages", {"recorded_at": "2026-02-30T12:00:00.000000Z"}),
        ("messages", {"recorded_at": "2026-02-20T12:00:00+00:00"}),
        ("messages", {"blocks": [{"type": "text", "text": "x"}]}),
        ("messages", {"blocks": [{"type": "unknown", "text": "x", "fields": {}}]}),
        ("conversations", {"current_leaf_origin": "guessed"}),
        ("raw", {"kind": "picture"}),
        ("raw", {"sha256": "0" * 63}),
        ("memories", {"versions": []}),
        ("manifest", {"version": 1}),
        ("people", {"time_zone": None}),
        ("manifest", {"files": [{"path": "../x", "bytes": 1, "sha256": "0" * 64}]}),
    ],
)
def test_a_line_with_a_wrong_value_is_refused(
    archive: dict[str, bytes], kind: str, change: dict[str, object]
) -> None:
    document = _documents(archive, kind)[0]

    assert _faults(kind, document | change) != []


@each_readme
def test_a_readme_names_every_file(archive: dict[str, bytes], readme: str) -> None:
    text = archive[readme].decode()

    names = {re.sub(r"[0-9a-f]{64}", "<sha256>", name) for name in archive}
    named = set(re.findall(r"`([^`\n]+)`", text))
    assert {name.removeprefix("schemas/") for name in names} - named == set()
    assert {"raw/<sha256>", "assets/<sha256>", "schemas/"} <= named


@pytest.fixture
def unpacked(archive: dict[str, bytes], tmp_path: Path) -> Path:
    folder = tmp_path / "une copie"
    for name, data in archive.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _hash_check(folder: Path, readme: str) -> subprocess.CompletedProcess[str]:
    """Run the README's command as a person would, in the unpacked folder, with this Python."""
    command = _only_block(folder, readme, "sh")
    assert command.startswith("python3 -c ")
    interpreter = f"'{sys.executable}' -I" + command.removeprefix("python3")
    shell = shutil.which("sh") or "sh"
    return subprocess.run(  # noqa: S603 — the command under test is our own
        [shell, "-c", interpreter], cwd=folder, capture_output=True, text=True, check=False
    )


def _only_block(folder: Path, readme: str, language: str) -> str:
    text = (folder / readme).read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return str(block)


@each_readme
def test_the_command_of_the_readme_finds_a_whole_archive_whole(unpacked: Path, readme: str) -> None:
    done = _hash_check(unpacked, readme)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


@each_readme
def test_the_command_of_the_readme_names_what_was_changed_and_what_is_missing(
    unpacked: Path, readme: str
) -> None:
    raw = next((unpacked / "raw").iterdir())
    body = bytearray(raw.read_bytes())
    body[0] ^= 1
    raw.write_bytes(body)
    (unpacked / "memories.jsonl").unlink()

    done = _hash_check(unpacked, readme)

    assert done.returncode == 1
    assert set(done.stdout.split()) == {f"raw/{raw.name}", "memories.jsonl"}


@each_readme
def test_the_script_of_the_readme_writes_the_branch_that_was_shown(
    archive: dict[str, bytes], unpacked: Path, readme: str
) -> None:
    (unpacked / "read.py").write_text(_only_block(unpacked, readme, "python"), encoding="utf-8")

    subprocess.run([sys.executable, "read.py"], cwd=unpacked, check=True)

    page = (unpacked / "conversations.txt").read_text(encoding="utf-8")
    shown, not_shown = _texts_by_branch(archive)
    assert [text for text in shown if text not in page] == []
    assert not_shown != []
    assert [text for text in not_shown if text in page] == []


def _texts_by_branch(archive: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """Texts that were on the screen, and those of other branches that stand nowhere else."""
    messages = {message["id"]: message for message in _documents(archive, "messages")}
    on_screen = set()
    for conversation in _documents(archive, "conversations"):
        here = conversation["current_leaf_id"]
        while here:
            on_screen.add(here)
            here = messages[here]["parent_id"]
    texts: dict[bool, list[str]] = {True: [], False: []}
    for message in messages.values():
        if not message["hidden"]:
            said = [block["text"] for block in message["blocks"] if block["text"]]
            texts[message["id"] in on_screen] += said
    everything = "\n".join(texts[True])
    return texts[True], [text for text in texts[False] if text not in everything]


def test_both_readmes_give_the_same_script(unpacked: Path) -> None:
    english, french = (_only_block(unpacked, readme, "python") for readme in _READMES)

    assert english == french
