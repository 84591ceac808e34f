"""The key of search tokens is changed while people search, and then the old one finds nothing."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.sealing import blind_token
from souvenir.ingestion.models import Passage, PassageToken
from souvenir.ingestion.terms import terms
from souvenir.memories.selectors import reachable_stores
from souvenir.search.questions import Question
from souvenir.search.rebuilding import request_new_index_key
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.index_keys import index_keys
from tenants.keyring.models import IndexKey
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

TALK = ("La chaudière siffle encore", "Purgez le radiateur", "Et le thermostat?", "Au sous-sol")


def _by_words(tenant: Tenant, text: str) -> list[tuple[str, float]]:
    with tenant_scope(tenant.id):
        stores = reachable_stores(bound_to=None)
        answer = search(Question(text=text, store_ids=stores, dense_weight=0.0))
    return [(found.text, round(found.bm25 or 0.0, 9)) for found in answer.results]


def _epochs(tenant: Tenant) -> set[int]:
    with tenant_scope(tenant.id):
        return set(Passage.objects.values_list("token_epoch", flat=True))


def _finish(tenant: Tenant, job: Job) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    with tenant_scope(tenant.id):
        with keyring_transaction(tenant.id):
            IndexKey.objects.update(created_at=long_ago)
        Job.objects.filter(id=job.id).update(ring_at=long_ago)
    run_jobs(tenant, Kind.REBUILD_TOKENS)


def test_answers_and_their_scores_stay_the_same_all_the_way(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(*TALK))
    question = "thermostat chaudière radiateur"
    before = _by_words(acme, question)
    assert len(before) == 4  # the last by the question before it

    with tenant_scope(acme.id):
        job = request_new_index_key()
    assert _by_words(acme, question) == before
    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ingestion_passage")
        assert cursor.fetchone() == (4,)

    run_jobs(acme, Kind.REBUILD_TOKENS)
    assert _epochs(acme) == {2}
    assert _by_words(acme, question) == before
    _finish(acme, job)
    assert _by_words(acme, question) == before
    with tenant_scope(acme.id):
        assert [epoch for epoch, _ in index_keys()] == [2]


def test_half_way_both_epochs_answer_as_one(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(*TALK))
    with tenant_scope(acme.id):
        request_new_index_key()

    import_bytes(acme, chatgpt_export("La chaudière est réparée", conversation="c-2"))

    assert _epochs(acme) == {1, 2}
    found = [text for text, _ in _by_words(acme, "chaudière")]
    assert sorted(found[:2]) == ["La chaudière est réparée", "La chaudière siffle encore"]
    assert found[2:] == ["Purgez le radiateur"]  # by the question before it


def test_no_token_of_the_old_key_is_left(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(*TALK))
    with tenant_scope(acme.id):
        ((_, old),) = index_keys()
        count = PassageToken.objects.count()
        job = request_new_index_key()

    run_jobs(acme, Kind.REBUILD_TOKENS)
    _finish(acme, job)

    with tenant_scope(acme.id):
        tokens = set(PassageToken.objects.values_list("token", flat=True))
        assert PassageToken.objects.count() == count
        assert not tokens & {blind_token(term, key=old) for text in TALK for term in terms(text)}
        job.refresh_from_db()
        assert job.state == Job.State.SUCCEEDED


def test_globex_s_tokens_are_left_alone(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        import_bytes(tenant, chatgpt_export(*TALK))
    with tenant_scope(acme.id):
        request_new_index_key()

    run_jobs(acme, Kind.REBUILD_TOKENS)

    assert _epochs(globex) == {1}
    assert _by_words(globex, "thermostat")
