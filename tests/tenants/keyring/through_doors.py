"""An organization whose keys OpenBao holds, and what is asked of it through the real doors."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from tenants.isolation.scope import tenant_scope
from tenants.isolation.tables import TenantOwned
from tenants.keyring.database import ALIAS
from tenants.models import Organization
from tenants.services import issue_platform_key
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant
from tests.openbao import OpenBao

Json = "application/json"
Answer = Any  # the test client's response, which Django's types do not name


@dataclass(frozen=True)
class Ground:
    """An organization whose keys OpenBao holds, with something in it."""

    tenant: Tenant
    openbao: OpenBao
    memory_id: str
    conversation_id: str

    def heal(self) -> None:
        self.openbao.heal()
        time.sleep(0.15)  # the pause after it did not answer


def make_ground(openbao: OpenBao) -> Ground:
    tenant = make_tenant()
    import_bytes(tenant, chatgpt_export("Where is the key?", "Under the mat."))
    memory = tenant.http.post(
        "/api/v1/memories", {"text": "Alice keeps the key", "person": "alice"}, Json
    ).json()
    conversation = tenant.http.get("/api/v1/conversations").json()["results"][0]
    return Ground(tenant, openbao, memory["id"], conversation["id"])


def remember(ground: Ground) -> Answer:
    body = {"text": "The bicycle is red", "person": "alice"}
    return ground.tenant.http.post("/api/v1/memories", body, Json)


def remember_of_someone_new(ground: Ground) -> Answer:
    body = {"text": "The bicycle is red", "person": uuid4().hex}
    return ground.tenant.http.post("/api/v1/memories", body, Json)


def correct(ground: Ground) -> Answer:
    body = {"text": "Alice lost the key", "version": 1}
    return ground.tenant.http.put(f"/api/v1/memories/{ground.memory_id}", body, Json)


def read(ground: Ground) -> Answer:
    return ground.tenant.http.get(f"/api/v1/memories/{ground.memory_id}")


def list_memories(ground: Ground) -> Answer:
    return ground.tenant.http.get("/api/v1/memories")


def history(ground: Ground) -> Answer:
    return ground.tenant.http.get(f"/api/v1/memories/{ground.memory_id}/history")


def converse(ground: Ground) -> Answer:
    return ground.tenant.http.get(f"/api/v1/conversations/{ground.conversation_id}")


def search(ground: Ground) -> Answer:
    body = {"query": "the key", "person": "alice"}
    return ground.tenant.http.post("/api/v1/memories/search", body, Json)


def upload(ground: Ground) -> Answer:
    file = SimpleUploadedFile("conversations.json", chatgpt_export("Another", "talk"))
    return ground.tenant.http.post("/api/v1/imports", {"person": "alice", "file": file})


def provision(ground: Ground) -> Answer:
    del ground
    operator = Client(headers={"authorization": f"Bearer {issue_platform_key(label='tests')}"})
    body = {"slug": uuid4().hex, "name_en": "A", "name_fr": "A", "region": "local"}
    return operator.post("/api/v1/organizations", body, Json)


REQUESTS = [
    remember, remember_of_someone_new, correct, read, list_memories, history, converse, search,
    upload, provision,
]  # fmt: skip


def written(tenant: Tenant) -> dict[str, int]:
    """How many rows each table of the data has of an organization, and how many files there are.

    The keyring's own are left out: a key is kept before what it seals, and may stay unused.
    """
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, TenantOwned) and model._meta.app_label != ALIAS
    ]
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        counts = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = int(cursor.fetchone()[0])
    files = [path for path in django_settings.SOUVENIR_OBJECTS_DIR.rglob("*") if path.is_file()]
    return counts | {"organizations": Organization.objects.count(), "files": len(files)}
