"""The case table: one entry for each operation of the OpenAPI document, by its operationId.

A new route needs an entry here: the scope it asks for, the status of success, a valid body, and a
Slot for every place where an id can stand. tests/architecture/test_case_table.py refuses the rest.
"""

from typing import Any

from tests.adversarial.kinds import Case, Kind, Slot

CURSOR = Slot("query", "cursor", Kind.CURSOR)
PERSON_ASKED = Slot("query", "person", Kind.EXTERNAL_ID)
STORE_ASKED = Slot("query", "store", Kind.STORE)
MEMORY = Slot("path", "memory_id", Kind.MEMORY)
ORGANIZATION = Slot("path", "organization_id", Kind.ORGANIZATION)
ERASED_BY_ID = tuple(
    Slot("body", "id", kind, beside={"target": kind.value})
    for kind in (Kind.MEMORY, Kind.CONVERSATION, Kind.IMPORT, Kind.PERSON)
)
ASKED_OF = (
    Slot("body", "person", Kind.EXTERNAL_ID),
    Slot("body", "store", Kind.STORE),
    Slot("body", "stores", Kind.STORE, listed=True),
)
_CLOCKS = {"as_of": "2100-01-01T00:00:00Z", "known_at": "2100-01-01T00:00:00Z"}
# Each reads by statements of its own: plain, of the past, of a time, a phrase, what stands beside.
_SEARCHED: tuple[dict[str, Any], ...] = (
    {},
    _CLOCKS,
    {"query": "« what is kept », yesterday?"},
    {"roles": ["user"]},
)
_GIVEN: tuple[dict[str, Any], ...] = ({}, {"expand": "conversation", **_CLOCKS})


def _asked_of(*ways: dict[str, Any]) -> tuple[Slot, ...]:
    """Where a question names whose memory it asks, in each way of asking."""
    slots = [
        slot
        for way in ways
        for slot in (
            Slot("body", "person", Kind.EXTERNAL_ID, beside=way),
            Slot("body", "store", Kind.STORE, beside=way),
            Slot("body", "stores", Kind.STORE, beside=way, listed=True),
        )
    ]
    # With one's own person, whom it may not lend its reach.
    together = Slot("body", "stores", Kind.STORE, beside=ways[0], listed=True, along="person")
    return (*slots, together)


# What names nothing, in request bodies and queries: no id is to be tried there.
PLAIN = frozenset(
    {
        "text", "occurred_at", "valid_from", "valid_to", "observed_at", "kind", "reason", "version",
        "query", "limit", "min_score", "budget", "language", "expand",
        "asked_at", "timezone", "as_of", "known_at",
        "since", "until", "sources", "roles", "kinds", "languages", "trust",
        "label", "scopes", "expires_at", "display_name", "file", "target",
        "slug", "name_en", "name_fr", "region", "state",
        "action", "object", "old", "size",
        "metadata", "url", "placement", "purpose", "events", "on", "overlap_hours",
    }
)  # fmt: skip

WEBHOOK = Slot("path", "endpoint_id", Kind.WEBHOOK)
DELIVERY = Slot("path", "delivery_id", Kind.DELIVERY)
A_WEBHOOK = {"url": "https://hooks.example.ca/", "placement": "local", "purpose": "To know."}

CASES: dict[str, Case] = {
    "listPlacements": Case("platform", 200),
    "listOrganizations": Case("platform", 200),
    "createOrganization": Case(
        "platform", 201, body={"slug": "", "name_en": "A", "name_fr": "B", "region": "local"}
    ),
    "getOrganization": Case("platform", 200, (ORGANIZATION,)),
    "suspendOrganization": Case("platform", 200, (ORGANIZATION,), fresh=True),
    "resumeOrganization": Case("platform", 200, (ORGANIZATION,), fresh=True),
    "getOwnOrganization": Case("organization:read", 200),
    "changeOwnOrganization": Case("organization:write", 200, body={"timezone": "America/Halifax"}),
    "getResidency": Case("organization:read", 200),
    "listPeople": Case("organization:read", 200, (CURSOR,)),
    "ensurePerson": Case(
        "organization:write", 200, (Slot("body", "external_id", Kind.NEW_EXTERNAL_ID),), body={}
    ),
    "listKeys": Case("organization:read", 200, (CURSOR,)),
    "createKey": Case(
        "organization:write",
        201,
        (Slot("body", "person", Kind.EXTERNAL_ID),),
        body={"label": "agent", "scopes": ["memories:read"]},
    ),
    "revokeKey": Case(
        "organization:write",
        204,
        (Slot("path", "key_id", Kind.KEY, known_after_deletion=True),),
        fresh=True,
    ),
    "listJobs": Case("memories:read", 200, (PERSON_ASKED, CURSOR)),
    "getJob": Case("memories:read", 200, (Slot("path", "job_id", Kind.JOB),)),
    "followJob": Case("memories:read", 200, (Slot("path", "job_id", Kind.JOB),)),
    "cancelJob": Case(
        "imports:write", 200, (Slot("path", "job_id", Kind.WAITING_JOB),), fresh=True
    ),
    "retryJob": Case("imports:write", 202, (Slot("path", "job_id", Kind.FAILED_JOB),), fresh=True),
    "listImports": Case("memories:read", 200, (CURSOR,)),
    "createImport": Case(
        "imports:write",
        202,
        (Slot("form", "person", Kind.NEW_EXTERNAL_ID),),
        body={},
        is_upload=True,
    ),
    "getImport": Case("memories:read", 200, (Slot("path", "import_id", Kind.IMPORT),)),
    "listConversations": Case("memories:read", 200, (PERSON_ASKED, STORE_ASKED, CURSOR)),
    "getConversation": Case(
        "memories:read", 200, (Slot("path", "conversation_id", Kind.CONVERSATION),)
    ),
    "listMemories": Case("memories:read", 200, (PERSON_ASKED, STORE_ASKED, CURSOR)),
    "addMemory": Case(
        "memories:write",
        201,
        (
            Slot("body", "person", Kind.NEW_EXTERNAL_ID),
            Slot("body", "store", Kind.NEW_STORE),
            Slot("body", "about", Kind.NEW_EXTERNAL_ID, listed=True, along="person"),
        ),
        body={"text": "A plain statement."},
    ),
    "searchMemories": Case(
        "memories:read", 200, _asked_of(*_SEARCHED), body={"query": "what is kept here?"}
    ),
    "getContext": Case(
        "memories:read", 200, _asked_of(*_GIVEN), body={"query": "what is kept here?"}
    ),
    "filterMemories": Case("memories:read", 200, (*ASKED_OF, CURSOR), body={}),
    "describeMemory": Case("memories:write", 200, (MEMORY,), body={"metadata": {"a": "b"}}),
    "getMemory": Case("memories:read", 200, (MEMORY,)),
    "correctMemory": Case("memories:write", 200, (MEMORY,), body={"text": "A better statement."}),
    "forgetMemory": Case("memories:write", 202, (MEMORY,), fresh=True),
    "getMemoryHistory": Case("memories:read", 200, (MEMORY, CURSOR)),
    "listExports": Case("exports:write", 200, (CURSOR,)),
    "createExport": Case(
        "exports:write", 202, (Slot("body", "person", Kind.EXTERNAL_ID),), body={}
    ),
    "getExport": Case("exports:write", 200, (Slot("path", "export_id", Kind.EXPORT),)),
    "downloadExport": Case("", 200, (Slot("path", "token", Kind.LINK),)),
    "listErasures": Case("erasures:write", 200, (CURSOR,)),
    "createErasure": Case(
        "erasures:write",
        202,
        (
            *ERASED_BY_ID,
            Slot("body", "person", Kind.EXTERNAL_ID, beside={"target": "person"}),
        ),
        body={},
        fresh=True,
    ),
    "getErasure": Case("erasures:write", 200, (Slot("path", "erasure_id", Kind.ERASURE),)),
    # An `object` that is a stranger's finds nothing: tests/souvenir/audit/test_audit_door.py.
    "listAuditEntries": Case("organization:read", 200, (CURSOR,)),
    "proveAuditEntry": Case(
        "organization:read", 200, (Slot("path", "entry_id", Kind.AUDIT_ENTRY),)
    ),
    "getAuditCheckpoint": Case("organization:read", 200),
    "proveAuditConsistency": Case("organization:read", 200),
    "listWebhooks": Case("organization:read", 200, (CURSOR,)),
    "createWebhook": Case("organization:write", 201, body=A_WEBHOOK),
    "getWebhook": Case("organization:read", 200, (WEBHOOK,)),
    "changeWebhook": Case("organization:write", 200, (WEBHOOK,), body=A_WEBHOOK),
    "deleteWebhook": Case("organization:write", 204, (WEBHOOK,), fresh=True),
    "rollWebhookSecret": Case("organization:write", 200, (WEBHOOK,), body={}),
    "testWebhook": Case("organization:write", 202, (WEBHOOK,)),
    "listDeliveries": Case("organization:read", 200, (WEBHOOK, CURSOR)),
    "getDelivery": Case("organization:read", 200, (WEBHOOK, DELIVERY)),
    "resendDelivery": Case("organization:write", 202, (WEBHOOK, DELIVERY)),
}
