"""The page table: one entry for each named address of the console, by its name.

A new page needs an entry here: who may enter, what each method answers with one's own things, a
valid body where it takes a form, and a Slot for every place where an id can stand.
tests/architecture/test_page_table.py refuses the rest.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.adversarial.kinds import Kind, Slot

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Visitor(StrEnum):
    """Who has signed in."""

    MEMBER = "member"  # Alice, to her own memory
    OWNER = "owner"  # of the organization, without a memory there
    MEMORYLESS = "memoryless"  # a member without a memory
    ADMIN = "admin"  # of the platform; belongs to no organization


MINE = (Visitor.MEMBER,)
OWNERS = (Visitor.OWNER,)
ADMINS = (Visitor.ADMIN,)
ALL = tuple(Visitor)


@dataclass(frozen=True)
class Page:
    """How one address of the console is called, and what to try on it.

    `answers` holds the status of success by method; every other method is refused. `body` is a
    valid form without any id. `fresh`: success by POST uses its id up. `leaves`: success ends the
    visitor's session.
    """

    who: tuple[Visitor, ...]
    answers: dict[str, int]
    slots: tuple[Slot, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)
    is_upload: bool = False
    fresh: bool = False
    leaves: bool = False


READ = {"GET": 200}
READ_AND_SENT_ON = {"GET": 200, "POST": 302}
SENT_ON = {"POST": 302}
ERASE = {"word": "ERASE"}
NUMBER = Slot("query", "page", Kind.CURSOR)


def _in_path(name: str, kind: Kind, *, known_after_deletion: bool = False) -> tuple[Slot, ...]:
    return (Slot("path", name, kind, known_after_deletion=known_after_deletion),)


MEMORY = _in_path("memory_id", Kind.MEMORY)
IMPORT = _in_path("import_id", Kind.IMPORT)
EXPORT = _in_path("export_id", Kind.EXPORT)
WHOLE_EXPORT = _in_path("export_id", Kind.WHOLE_EXPORT)
JOB = _in_path("job_id", Kind.JOB)
WAITING_JOB = _in_path("job_id", Kind.WAITING_JOB)
FAILED_JOB = _in_path("job_id", Kind.FAILED_JOB)
WEBHOOK = _in_path("endpoint_id", Kind.WEBHOOK)
DELIVERY = _in_path("delivery_id", Kind.DELIVERY)
A_WEBHOOK = {"url": "https://hooks.example.ca/", "placement": "local", "purpose": "To know."}
ERASURE = _in_path("erasure_id", Kind.ERASURE)
PERSON = _in_path("person_id", Kind.PERSON)
ORGANIZATION = _in_path("organization_id", Kind.ORGANIZATION)
CONVERSATION = (
    *_in_path("conversation_id", Kind.CONVERSATION),
    Slot("query", "message", Kind.MESSAGE),
)

# Fields of forms, and parameters of addresses, that name nothing: no id is to be tried there.
PLAIN = frozenset(
    {
        "question", "kinds", "sources", "roles", "trust", "since", "until", "as_of", "known_at",
        "limit", "budget", "expand",
        "text", "kind", "reason", "metadata", "version", "file", "word", "display_name",
        "label", "scopes", "days", "name_en", "name_fr", "slug", "placement",
        "username", "password", "language", "next", "url", "purpose", "events", "on",
        "time_zone",
    }
)  # fmt: skip

PAGES: dict[str, Page] = {
    "front-door": Page(ALL, {"GET": 302}),
    "home": Page((Visitor.MEMBER, Visitor.OWNER, Visitor.ADMIN), {"GET": 302}),
    "sign-in": Page(ALL, {"GET": 302, "POST": 302, "PUT": 302}),
    "sign-out": Page(ALL, {"POST": 302}, leaves=True),
    "set-language": Page(ALL, {"POST": 302}, body={"language": "en", "next": "/en/"}),
    "enter": Page(
        (Visitor.MEMBER, Visitor.OWNER, Visitor.MEMORYLESS), {"POST": 302}, slots=ORGANIZATION
    ),
    "my-memory": Page(MINE, {"GET": 200, "POST": 200}, body={"question": "what is kept?"}),
    "my-context": Page(MINE, {"GET": 200, "POST": 200}, body={"question": "what is kept?"}),
    "my-conversations": Page(MINE, READ, slots=(NUMBER,)),
    "my-conversation": Page(MINE, READ, slots=CONVERSATION),
    "my-memories": Page(
        MINE, READ_AND_SENT_ON, slots=(NUMBER,), body={"text": "A line.", "kind": "fact"}
    ),
    "my-memory-one": Page(
        MINE, READ_AND_SENT_ON, slots=MEMORY, body={"text": "Better.", "version": 2}, fresh=True
    ),
    "my-memory-forget": Page(MINE, READ_AND_SENT_ON, slots=MEMORY, fresh=True),
    "my-preferences": Page(MINE, READ_AND_SENT_ON, body={"time_zone": "America/Halifax"}),
    "my-imports": Page(MINE, READ_AND_SENT_ON, slots=(NUMBER,), is_upload=True),
    "my-import": Page(MINE, READ, slots=IMPORT),
    "my-import-progress": Page(MINE, READ, slots=IMPORT),
    "my-import-erase": Page(MINE, READ_AND_SENT_ON, slots=IMPORT, fresh=True),
    "my-exports": Page(MINE, READ_AND_SENT_ON, slots=(NUMBER,)),
    "my-export-progress": Page(MINE, READ, slots=EXPORT),
    "my-export-download": Page(MINE, READ, slots=EXPORT),
    "my-erasures": Page(MINE, READ, slots=(NUMBER,)),
    "my-erase-everything": Page(MINE, READ_AND_SENT_ON, body=ERASE, leaves=True),
    "my-erasure": Page(MINE, READ, slots=ERASURE),
    "my-erasure-progress": Page(MINE, READ, slots=ERASURE),
    "my-job-events": Page(MINE, READ, slots=JOB),
    "my-job-cancel": Page(MINE, SENT_ON, slots=WAITING_JOB, fresh=True),
    "my-job-retry": Page(MINE, SENT_ON, slots=FAILED_JOB, fresh=True),
    "organization": Page(OWNERS, READ),
    "organization-job": Page(OWNERS, READ, slots=JOB),
    "organization-job-events": Page(OWNERS, READ, slots=JOB),
    "organization-job-cancel": Page(OWNERS, SENT_ON, slots=WAITING_JOB, fresh=True),
    "organization-job-retry": Page(OWNERS, SENT_ON, slots=FAILED_JOB, fresh=True),
    "organization-jobs": Page(OWNERS, READ, slots=(NUMBER,)),
    "organization-exports": Page(OWNERS, READ_AND_SENT_ON, slots=(NUMBER,)),
    "organization-export-progress": Page(OWNERS, READ, slots=WHOLE_EXPORT),
    "organization-export-download": Page(OWNERS, READ, slots=WHOLE_EXPORT),
    "organization-residency": Page(OWNERS, READ),
    "organization-settings": Page(OWNERS, READ_AND_SENT_ON, body={"time_zone": "America/Halifax"}),
    "organization-people": Page(
        OWNERS, READ_AND_SENT_ON, slots=(NUMBER, Slot("form", "external_id", Kind.NEW_EXTERNAL_ID))
    ),
    "organization-person-erase": Page(
        OWNERS, READ_AND_SENT_ON, slots=PERSON, body=ERASE, fresh=True
    ),
    "organization-erasure": Page(OWNERS, READ, slots=ERASURE),
    "organization-erasure-progress": Page(OWNERS, READ, slots=ERASURE),
    "organization-keys": Page(
        OWNERS,
        {"GET": 200, "POST": 200},
        slots=(Slot("form", "person", Kind.EXTERNAL_ID),),
        body={"label": "agent", "scopes": "memories:read", "days": "30"},
    ),
    "organization-key-revoke": Page(
        OWNERS,
        READ_AND_SENT_ON,
        slots=_in_path("key_id", Kind.KEY, known_after_deletion=True),
        fresh=True,
    ),
    "organization-webhooks": Page(OWNERS, {"GET": 200, "POST": 200}, body=A_WEBHOOK),
    "organization-webhook": Page(OWNERS, READ, slots=(*WEBHOOK, NUMBER)),
    "organization-webhook-turn": Page(OWNERS, SENT_ON, slots=WEBHOOK, body={"on": "on"}),
    "organization-webhook-test": Page(OWNERS, SENT_ON, slots=WEBHOOK),
    "organization-webhook-secret": Page(OWNERS, {"POST": 200}, slots=WEBHOOK),
    "organization-webhook-remove": Page(OWNERS, READ_AND_SENT_ON, slots=WEBHOOK, fresh=True),
    "organization-webhook-resend": Page(OWNERS, SENT_ON, slots=(*WEBHOOK, *DELIVERY)),
    "platform": Page(ADMINS, READ, slots=(NUMBER,)),
    "platform-new": Page(
        ADMINS,
        {"GET": 200, "POST": 200},
        body={"name_en": "A", "name_fr": "B", "slug": "", "placement": "local"},
    ),
    "platform-suspend": Page(ADMINS, READ_AND_SENT_ON, slots=ORGANIZATION, fresh=True),
    "platform-resume": Page(ADMINS, SENT_ON, slots=ORGANIZATION, fresh=True),
    "platform-placements": Page(ADMINS, READ),
}
