"""What a person does with the own memory, through the forms."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.models import Erasure
from souvenir.ingestion.models import Import
from souvenir.memories.models import Conversation, Memory
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.souvenir.console.visitors import XSS, downloaded, make_member


def _text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def _only_memory(tenant: Tenant) -> Memory:
    with tenant_scope(tenant.id):
        return Memory.objects.get()


def test_an_upload_becomes_an_import_with_its_report(acme: Tenant) -> None:
    browser = make_member(acme).browser
    file = SimpleUploadedFile("historique.json", chatgpt_export("Bonjour", "Salut!", title=XSS))

    accepted = browser.post("/fr/my/imports/", {"file": file})
    waiting = _text(browser.get(accepted.headers["Location"]))
    run_jobs(acme, Kind.RUN_IMPORT)
    done = _text(browser.get(accepted.headers["Location"]))

    assert accepted.status_code == 302
    assert 'data-events="/fr/my/jobs/' in waiting
    assert "Deux décomptes indépendants concordent" in done
    assert "historique.json" in done


def test_the_progress_of_an_import_is_a_part_of_a_page_until_it_ends(acme: Tenant) -> None:
    browser = make_member(acme).browser
    file = SimpleUploadedFile("historique.json", chatgpt_export("Bonjour"))
    address = browser.post("/fr/my/imports/", {"file": file}).headers["Location"] + "progress/"

    waiting = browser.get(address)
    run_jobs(acme, Kind.RUN_IMPORT)
    done = browser.get(address)

    assert "En attente" in _text(waiting)
    assert "<html" not in _text(waiting)
    assert done.headers["HX-Refresh"] == "true"


def test_a_file_that_cannot_be_used_says_why_in_french(acme: Tenant) -> None:
    browser = make_member(acme).browser
    file = SimpleUploadedFile("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(100))

    accepted = browser.post("/fr/my/imports/", {"file": file})
    run_jobs(acme, Kind.RUN_IMPORT)

    assert "C’est une image" in _text(browser.get(accepted.headers["Location"]))


def test_an_empty_file_is_refused_above_the_form_and_nothing_is_kept(acme: Tenant) -> None:
    browser = make_member(acme).browser

    response = browser.post("/en/my/imports/", {"file": SimpleUploadedFile("nothing.zip", b"")})

    assert response.status_code == 400
    assert "The file is empty." in _text(response)
    with tenant_scope(acme.id):
        assert not Import.objects.exists()


def test_a_memory_is_added_found_corrected_and_forgotten(acme: Tenant) -> None:
    browser = make_member(acme).browser

    browser.post("/fr/my/memories/", {"text": "Rosalie aime les framboises", "kind": "preference"})
    memory = _only_memory(acme)
    address = f"/fr/my/memories/{memory.id}/"
    found = _text(browser.post("/fr/my/", {"question": "framboises"}))
    browser.post(address, {"text": "Rosalie aime les bleuets", "version": 1, "reason": "Erreur"})
    corrected = _text(browser.get(address))
    browser.post(address + "forget/")

    assert "Rosalie aime les framboises" in found
    assert corrected.index("bleuets") < corrected.index("framboises")
    assert "Erreur" in corrected
    assert browser.get(address).status_code == 404
    assert "Rien trouvé" in _text(browser.post("/fr/my/", {"question": "bleuets"}))
    run_jobs(acme, Kind.ERASE)
    with tenant_scope(acme.id):
        assert not Memory.objects.exists()


def test_a_correction_of_what_was_changed_meanwhile_is_refused(acme: Tenant) -> None:
    browser = make_member(acme).browser
    browser.post("/en/my/memories/", {"text": "First", "kind": "fact"})
    address = f"/en/my/memories/{_only_memory(acme).id}/"
    browser.post(address, {"text": "Second", "version": 1})

    response = browser.post(address, {"text": "Third", "version": 1})

    assert response.status_code == 400
    assert "changed in the meantime" in _text(response)
    assert "Third" not in _text(browser.get(address))


def test_a_memory_of_white_space_is_refused(acme: Tenant) -> None:
    response = make_member(acme).browser.post("/fr/my/memories/", {"text": "   ", "kind": "fact"})

    assert response.status_code == 400


def test_a_found_passage_says_where_it_came_from_and_leads_there(acme: Tenant) -> None:
    browser = make_member(acme).browser
    title = "Voyage à Gaspé <b>&</b>"
    import_bytes(acme, chatgpt_export("Où dormir à Percé?", "Au motel.", title=title))

    page = _text(browser.post("/fr/my/", {"question": "Percé"}, headers={"hx-request": "true"}))

    assert "De ChatGPT, 9 octobre 2025, conversation «\xa0Voyage à Gaspé &lt;b&gt;&amp;" in page
    assert "<html" not in page
    with tenant_scope(acme.id):
        conversation = Conversation.objects.get()
    assert f"/fr/my/conversations/{conversation.id}/?message=" in page


def test_globex_s_question_finds_nothing_of_acme_s(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Le code du coffre est 4417"))
    import_bytes(globex, chatgpt_export("Rien à voir"))

    page = _text(make_member(globex).browser.post("/en/my/", {"question": "code du coffre 4417"}))

    assert "4417" not in page.split('id="results"')[1]


def test_every_branch_of_a_conversation_can_be_reached(acme: Tenant) -> None:
    browser = make_member(acme).browser
    export = json.loads(chatgpt_export("Question", "Première réponse"))
    mapping = export[0]["mapping"]
    second = json.loads(
        json.dumps(mapping["c-1-m1"], ensure_ascii=False).replace("Première", "Deuxième")
    )
    second["id"] = second["message"]["id"] = "c-1-m2"
    mapping["c-1-m2"] = second
    mapping["c-1-m0"]["children"].append("c-1-m2")
    import_bytes(acme, json.dumps(export).encode())
    with tenant_scope(acme.id):
        address = f"/fr/my/conversations/{Conversation.objects.get().id}/"

    shown = _text(browser.get(address))
    other = shown.split('<a href="?message=')[1].split("#")[0]
    branch = _text(browser.get(f"{address}?message={other}"))

    assert "Première" in shown
    assert "Deuxième" not in shown
    assert "Version 1 de 2" in shown
    assert "Deuxième" in branch
    assert "Première" not in branch


def test_a_copy_is_prepared_and_downloaded_by_its_person_only(acme: Tenant) -> None:
    member, colleague = make_member(acme), make_member(acme, external_id="bob")
    browser = member.browser
    browser.post("/fr/my/memories/", {"text": "À emporter", "kind": "fact"})

    asked = browser.post("/fr/my/exports/")
    waiting = _text(browser.get("/fr/my/exports/"))
    run_jobs(acme, Kind.WRITE_EXPORT)
    ready = _text(browser.get("/fr/my/exports/"))
    address = ready.split('class="button primary" href="')[1].split('"')[0]
    copy = downloaded(browser.get(address))

    assert asked.status_code == 302
    assert "Nous préparons votre copie" in waiting
    assert "Votre copie est prête" in ready
    assert copy.startswith(b"PK")
    assert colleague.browser.get(address).status_code == 404


def test_one_import_is_erased_and_the_rest_stays(acme: Tenant) -> None:
    browser = make_member(acme).browser
    gone = import_bytes(acme, chatgpt_export("À effacer", conversation="c-1"))
    import_bytes(acme, chatgpt_export("À garder", conversation="c-2"))

    asked = browser.post(f"/fr/my/imports/{gone.id}/erase/")
    run_jobs(acme, Kind.ERASE)
    page = _text(browser.get(asked.headers["Location"]))

    assert "Plus rien n’en reste" in page
    with tenant_scope(acme.id):
        assert [kept.provider_id for kept in Conversation.objects.all()] == ["c-2"]


@pytest.mark.parametrize(("typed", "accepted"), [("", 0), ("ERASE", 0), ("effacer ", 1)])
def test_everything_goes_only_once_the_word_is_typed(
    acme: Tenant, typed: str, accepted: int
) -> None:
    browser = make_member(acme).browser

    browser.post("/fr/my/erasures/everything/", {"word": typed})

    with tenant_scope(acme.id):
        assert Erasure.objects.filter(target="person").count() == accepted


def test_after_everything_is_erased_the_pages_stand_empty(acme: Tenant) -> None:
    browser = make_member(acme).browser
    import_bytes(acme, chatgpt_export("Bonjour"))

    asked = browser.post("/fr/my/erasures/everything/", {"word": "EFFACER"})
    run_jobs(acme, Kind.ERASE)

    assert "Plus rien n’en reste" in _text(browser.get(asked.headers["Location"]))
    assert "0 conversation" in _text(browser.get("/fr/my/"))
    refused = browser.post("/fr/my/memories/", {"text": "Encore", "kind": "fact"})
    assert refused.status_code == 403
    assert "Votre mémoire a été effacée" in _text(refused)
