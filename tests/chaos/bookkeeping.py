"""The ledger: what was accepted, against what is there. It asks the database, as its superuser.

None of our own code that reads or counts is asked, so that it cannot be wrong in the same way.
"""

import io
import json
import mmap
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

from souvenir.core.sealed_streams import LONGEST_HEAD
from souvenir.core.sealing import subjects_of
from souvenir.deletion.registry import KEPT
from tests.chaos.clients import (
    TURNS,
    Client,
    Wanted,
    ask_erasure,
    ask_export,
    ask_import,
)
from tests.chaos.system import System

_ASKED = {"import": "run-import", "export": "write-export", "erasure": "erase"}
_OF_SOMEONE = (("person_id", "memories_person"), ("store_id", "memories_store"))
_DERIVED = ("ingestion_passagetoken", "ingestion_passagevector")


class Books:
    """One organization's, after everything has come to rest."""

    def __init__(self, system: System, client: Client, tenant_id: str, all_: list[Wanted]) -> None:
        self._system = system
        self._client = client
        self._tenant_id = tenant_id
        self._all = all_
        self._kept = [one for one in all_ if not one.is_erased]
        self._erased = [one for one in all_ if one.is_erased]

    def check(self) -> None:
        """All of it."""
        self.check_accepted()
        self.check_kept()
        self.check_erased()
        self.check_erased_cannot_be_read()
        self.check_no_orphans()
        self.check_objects()
        self.check_exports()
        self.check_answered_alike()
        self.check_nothing_is_clear()

    def check_accepted(self) -> None:
        """Each accepted request has one job, which has ended well; nobody else has one."""
        told = "SELECT kind, count(*), count(DISTINCT subject_id) FROM tenants_job"
        rows = self._rows(f"{told} WHERE tenant_id = %s AND kind = ANY(%s) GROUP BY kind",
                          list(_ASKED.values()))  # fmt: skip
        accepted = {
            kind: sum(what in one.answers for one in self._all) for what, kind in _ASKED.items()
        }
        assert {kind: jobs for kind, jobs, _ in rows} == accepted
        assert {kind: subjects for kind, _, subjects in rows} == accepted
        failed = "SELECT kind, state, error_code FROM tenants_job WHERE tenant_id = %s AND"
        assert self._rows(f"{failed} state IN ('failed', 'queued', 'running')") == []
        waited = [one.answers[what]["job_id"] for what in _ASKED for one in self._all
                  if what in one.answers and (one.waits or what == "erasure")]  # fmt: skip
        states = self._rows(
            "SELECT state, count(*) FROM tenants_job WHERE tenant_id = %s AND id = ANY(%s)"
            " GROUP BY state",
            [UUID(job_id) for job_id in waited],
        )
        # What somebody waited for was done; what was erased at once may have been stopped.
        assert states == [("succeeded", len(waited))]
        assert self._number("SELECT count(*) FROM tenants_ring WHERE organization_id = %s") == 0

    def check_kept(self) -> None:
        """Whoever was not erased has all that was brought in, once, and each passage a vector."""
        for one in self._kept:
            store = self._rows(
                "SELECT store_id FROM ingestion_import WHERE tenant_id = %s AND id = %s",
                one.answers["import"]["id"],
            )[0][0]
            found = {
                table: self._number(
                    f"SELECT count(*) FROM {table} WHERE tenant_id = %s AND store_id = %s", store
                )
                for table in ("memories_conversation", "ingestion_rawobject", "memories_message",
                              "ingestion_passage", "ingestion_passagevector")
            }  # fmt: skip
            messages = one.objects * TURNS
            assert found == {
                "memories_conversation": one.objects,
                "ingestion_rawobject": one.objects,
                "memories_message": messages,
                "ingestion_passage": messages,
                "ingestion_passagevector": messages,
            }, one.person
            job = self._rows(
                "SELECT done, failed, total FROM tenants_job WHERE tenant_id = %s AND id = %s",
                one.answers["import"]["job_id"],
            )
            assert job == [(one.objects, 0, one.objects)], one.person
        assert self._number(
            "SELECT count(*) FROM ingestion_passage WHERE tenant_id = %s"
            " AND embedded_with IN ('', '-')"
        ) == 0  # fmt: skip
        assert self._number(
            "SELECT count(*) - count(DISTINCT (message_id, start)) FROM ingestion_passage"
            " WHERE tenant_id = %s AND message_id IS NOT NULL"
        ) == 0  # fmt: skip

    def check_erased(self) -> None:
        """Whoever was erased is gone, with the key; the report counts each thing once."""
        for one in self._erased:
            person = one.answers["erasure"]["target_id"]
            assert self._rows(
                "SELECT count(*) FROM memories_person WHERE tenant_id = %s AND id = %s", person
            ) == [(0,)]
            keys = self._rows(
                "SELECT wrapped FROM keyring_subjectkey WHERE tenant_id = %s AND subject_id = %s",
                person,
            )
            assert keys, "an empty row says that there was a key"
            assert {bytes(wrapped) for (wrapped,) in keys} == {b""}, one.person
            if one.waits:
                (counts,) = self._rows(
                    "SELECT counts FROM deletion_erasure WHERE tenant_id = %s AND id = %s",
                    one.answers["erasure"]["id"],
                )[0]
                assert _of_interest(counts) == {
                    "imports": 1,
                    "conversations": one.objects,
                    "raw_objects": one.objects,
                    "messages": one.objects * TURNS,
                    "passages": one.objects * TURNS,
                    "exports": int(one.has_export),
                    "export_files": int(one.has_export),
                    "people": 1,
                }, one.person

    def check_erased_cannot_be_read(self) -> None:
        """Whoever asks over HTTP for what was erased, by name, by id or by its words, has none."""
        for one in self._erased:
            paths = [f"/api/v1/conversations?person={one.person}",
                     f"/api/v1/imports/{one.answers['import']['id']}"]  # fmt: skip
            if "export" in one.answers:
                paths.append(f"/api/v1/exports/{one.answers['export']['id']}")
            for path in paths:
                assert self._client.ask("GET", path).status in {404, 410}, path
            asked = {"query": f"Is {one.canary} there?"}
            found = self._client.ask("POST", "/api/v1/memories/search", asked)
            assert found.status == 200
            assert one.canary.encode() not in found.body, one.person

    def check_no_orphans(self) -> None:
        """No row of any table is of a person, a store or a passage that is not there."""
        for column, parent in _OF_SOMEONE:
            for table in self._tables_with(column):
                if table in KEPT or table == parent:
                    continue
                self._none_without_its(table, column, parent)
        for table in _DERIVED:
            self._none_without_its(table, "passage_id", "ingestion_passage")
        self._none_without_its("ingestion_passage", "message_id", "memories_message")

    def check_objects(self) -> None:
        """Each copy has its file; no file is left of an import that is done, or of who was erased.

        But for an upload whose request was killed before it was accepted: no row names it, and it
        is sealed for its person. What was sent again is another file.
        """
        erased = {UUID(one.answers["erasure"]["target_id"]) for one in self._erased}
        told = "SELECT id::text FROM {} WHERE tenant_id = %s"
        known = {id_ for (id_,) in self._rows(told.format("ingestion_import"))}
        exports = {id_ for (id_,) in self._rows(told.format("export_export"))}
        for path in self._objects():
            if path.parent.name == "uploads":
                assert path.name not in known
                continue
            assert path.parent.name == "exports", path
            with path.open("rb") as stream:
                subjects = {subject for subject, _ in subjects_of(stream.read(LONGEST_HEAD))}
            assert not subjects & erased, path
            exports.discard(path.name)
        assert not exports

    def check_exports(self) -> None:
        """Each copy can be taken home, and holds all of it once."""
        for one in self._kept:
            if "export" not in one.answers:
                continue
            told = self._client.get(f"/api/v1/exports/{one.answers['export']['id']}").json
            body = self._client.get(told["download"]).body
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
            assert manifest["counts"]["conversations"] == one.objects, one.person
            assert manifest["counts"]["messages"] == one.objects * TURNS, one.person

    def check_answered_alike(self) -> None:
        """The same request again is answered as before, and does nothing."""
        for one in self._kept:
            assert ask_import(self._client, one).json == one.answers["import"]
            if one.has_export:
                assert ask_export(self._client, one).json == one.answers["export"]
        for one in self._erased:
            assert ask_erasure(self._client, one).json == one.answers["erasure"]
        assert self._number(
            "SELECT count(*) FROM tenants_job WHERE tenant_id = %s AND state <> 'succeeded'"
            " AND state <> 'cancelled'"
        ) == 0  # fmt: skip

    def check_nothing_is_clear(self) -> None:
        """No byte of what anybody said stands in a file: tables, log of changes, queues, logs."""
        wanted = [b"canary"]
        for path in self._system.folder.rglob("*"):
            if path.is_file() and path.stat().st_size:
                assert not _holds(path, wanted), path

    def _none_without_its(self, table: str, column: str, parent: str) -> None:
        orphans = self._number(
            f"SELECT count(*) FROM {table} AS child WHERE tenant_id = %s AND {column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {parent} WHERE {parent}.id = child.{column}"
            f" AND {parent}.tenant_id = child.tenant_id)"
        )
        assert orphans == 0, f"{orphans} rows of {table} without their {column}"

    def _tables_with(self, column: str) -> list[str]:
        found = self._system.rows(
            "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
            " WHERE attname = %s AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace AND NOT attisdropped"
            " AND EXISTS (SELECT 1 FROM pg_attribute AS tenant WHERE tenant.attrelid = pg_class.oid"
            " AND tenant.attname = 'tenant_id')",
            column,
        )
        assert found
        return [str(name) for (name,) in found]

    def _objects(self) -> list[Path]:
        folder = Path(self._system.environment["SOUVENIR_OBJECTS_DIR"])
        own = folder / UUID(self._tenant_id).hex
        # A draft is what a killed process had begun to write: the sweep removes it after a day.
        return [path for path in own.rglob("[!.]*") if path.is_file()]

    def _number(self, statement: str, *arguments: object) -> int:
        return int(str(self._rows(statement, *arguments)[0][0]))

    def _rows(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        return self._system.rows(statement, self._tenant_id, *arguments)


def _of_interest(counts: object) -> dict[str, int]:
    assert isinstance(counts, dict)
    names = ("imports", "conversations", "raw_objects", "messages", "passages", "exports",
             "export_files", "people")  # fmt: skip
    return {name: int(counts.get(name, 0)) for name in names}


def _holds(path: Path, words: list[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(word) >= 0 for word in words)
