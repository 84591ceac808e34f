"""A copy that meets what is there: another copy, another store, a worker that was killed."""

from souvenir.core.jobs import Job as Kind
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion.services import Upload, accept_import, remember
from souvenir.memories.models import Conversation, Evidence, Message
from souvenir.memories.selectors import current_versions, get_person, messages_of, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs


def _export(tenant: Tenant) -> bytes:
    with tenant_scope(tenant.id):
        export = request_export(person=get_person(external_id="alice"))
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id):
        return objects.stored(EXPORTS, str(export.id)).open().read()


def _restore(tenant: Tenant, body: bytes) -> Job:
    with tenant_scope(tenant.id):
        alice = ensure_person(external_id="alice")
        accept_import(person=alice, upload=Upload("souvenir.zip", [body]))
    return run_jobs(tenant, Kind.RUN_IMPORT)[-1]


def test_a_conversation_that_came_again_meanwhile_gets_what_the_copy_says_more(
    acme: Tenant,
) -> None:
    import_bytes(acme, chatgpt_export("Un", "Deux en entier", "Trois", "Quatre"))
    elsewhere = make_tenant()
    import_bytes(elsewhere, chatgpt_export("Un", "Deux", "Trois"))

    job = _restore(elsewhere, _export(acme))

    assert job.state == "succeeded", job.error_code
    with tenant_scope(elsewhere.id):
        conversation = Conversation.objects.get()
        messages = list(messages_of(conversation=conversation))
    said = [message.blocks[0]["text"] for message in messages]
    assert said == ["Un", "Deux en entier", "Trois", "Quatre"]
    assert conversation.current_leaf_id == messages[-1].id


def test_evidence_in_another_store_does_not_make_a_copy_that_cannot_be_restored(
    acme: Tenant,
) -> None:
    import_bytes(acme, chatgpt_export("De Bob"), person="bob")
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        memory = remember(store=store, statement=Statement(text="Bob me l’a dit"))
        Evidence.objects.create(
            version=current_versions([memory])[memory.id],
            message=Message.objects.get(),
            block=0, start=0, end=2, quote_sha256="0" * 64,
        )  # fmt: skip
    elsewhere = make_tenant()

    job = _restore(elsewhere, _export(acme))

    assert job.state == "succeeded", job.error_code
