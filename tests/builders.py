"""Things that tests are about, made through the real services."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q
from django.test import Client

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.erasing import erase
from souvenir.embedding.filling import clear_store, fill_store
from souvenir.embedding.promotion import demote_store, promote_store
from souvenir.embedding.services import embed_store
from souvenir.export.writing import write_export
from souvenir.ingestion.importing import run_import
from souvenir.ingestion.models import Import
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from souvenir.search.rebuilding import rebuild_tokens
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, claim_job
from tenants.models import Job, Organization
from tenants.resealing import seal_again
from tenants.services import create_organization
from tenants.webhooks.delivering import deliver
from workers.app import app
from workers.running import work

HANDLERS = {
    Kind.RUN_IMPORT: run_import,
    Kind.EMBED_PASSAGES: embed_store,
    Kind.WRITE_EXPORT: write_export,
    Kind.ERASE: erase,
    Kind.SEAL_AGAIN: seal_again,
    Kind.REBUILD_TOKENS: rebuild_tokens,
    Kind.PROMOTE_STORE: promote_store,
    Kind.DEMOTE_STORE: demote_store,
    Kind.FILL_MODEL: fill_store,
    Kind.CLEAR_MODEL: clear_store,
    Kind.DELIVER_WEBHOOKS: deliver,
}


@dataclass(frozen=True)
class Tenant:
    """An organization with its owner's key, and an HTTP client that carries it."""

    organization: Organization
    key: str

    @property
    def id(self) -> UUID:
        return self.organization.id

    @property
    def http(self) -> Client:
        return Client(headers={"authorization": f"Bearer {self.key}"})


def make_tenant() -> Tenant:
    """A fresh organization, which nothing else in the tests has touched."""
    organization, key = create_organization(
        slug=f"t-{uuid4().hex}", name_en="A company", name_fr="Une compagnie", placement="local"
    )
    return Tenant(organization, key.text)


def run_jobs(tenant: Tenant, *kinds: Kind) -> list[Job]:
    """Do the waiting jobs of some kinds (all, if none is named) as a worker would, in order.

    Each is worked on, turn by turn, until it has ended or is parked.
    """
    wanted = [kind.value for kind in kinds or tuple(Kind)]
    done: list[Job] = []
    while True:
        with tenant_scope(tenant.id):
            free = Job.objects.filter(
                Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, holder="")
            )
            waiting = free.filter(kind__in=wanted).exclude(id__in=[job.id for job in done])
            job = waiting.order_by("created_at").first()
            lease = claim_job(job.id) if job else None
        if job is None:
            return done
        if lease is not None:
            work(lease, HANDLERS[lease.kind])
        with tenant_scope(tenant.id):
            job.refresh_from_db()
        if job.state != Job.State.RUNNING or lease is None:
            done.append(job)


def take_job(tenant: Tenant, job_id: UUID | None) -> Lease:
    """Claim a job, also from a holder that is gone."""
    assert job_id is not None
    with tenant_scope(tenant.id):
        Job.objects.filter(id=job_id).update(holder="")
        lease = claim_job(job_id)
    assert lease is not None
    return lease


def import_bytes(
    tenant: Tenant, body: bytes, *, person: str = "alice", name: str = "conversations.json"
) -> Import:
    """Bring a file in through the ordinary path, to its end, without embedding it."""
    with tenant_scope(tenant.id):
        record = accept_import(
            person=ensure_person(external_id=person), upload=Upload(name, [body])
        )
    run_jobs(tenant, Kind.RUN_IMPORT)
    with tenant_scope(tenant.id):
        record.refresh_from_db()
    return record


def chatgpt_export(*texts: str, conversation: str = "c-1", title: str = "A talk") -> bytes:
    """A classic ChatGPT export of one conversation: user and assistant in turn, one branch."""
    mapping: dict[str, Any] = {
        "root": {"id": "root", "message": None, "parent": None, "children": []}
    }
    parent = "root"
    for index, text in enumerate(texts):
        node = f"{conversation}-m{index}"
        mapping[parent]["children"].append(node)
        mapping[node] = {
            "id": node,
            "parent": parent,
            "children": [],
            "message": {
                "id": node,
                "author": {"role": "assistant" if index % 2 else "user"},
                "create_time": 1_760_000_000.0 + index,
                "content": {"content_type": "text", "parts": [text]},
            },
        }
        parent = node
    document = {
        "id": conversation,
        "conversation_id": conversation,
        "title": title,
        "create_time": 1_760_000_000.0,
        "update_time": 1_760_000_100.0,
        "mapping": mapping,
        "current_node": parent,
    }
    return json.dumps([document]).encode()


def empty_the_broker() -> None:
    """Take off every queue what tests have rung for: a worker that starts shall not meet it."""
    with app.connection_for_write() as broker:
        for queue in app.amqp.queues.values():
            declared = queue(broker.default_channel)
            declared.declare()
            declared.purge()
