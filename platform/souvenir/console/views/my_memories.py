"""Single memories: add, read, correct, forget."""

from uuid import UUID

from django.contrib import messages as notes
from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from souvenir.console.failures import telling
from souvenir.console.forms import CorrectionForm, MemoryForm
from souvenir.console.metadata_lines import change_to, lines_of
from souvenir.console.overviews import with_current_text
from souvenir.console.paging import one_page
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.services import correct, describe, remember
from souvenir.memories.models import MemoryVersion
from souvenir.memories.selectors import (
    evidence_of,
    get_memory,
    memories,
    personal_store,
    versions_of,
)
from souvenir.memories.services import Statement


@require_http_methods(["GET", "POST"])
@memory_page
def my_memories(visit: MemoryVisit) -> HttpResponseBase:
    """All of them, newest first, and a form to add one."""
    form = MemoryForm(visit.request.POST or None)
    if form.is_valid():
        statement = Statement(text=form.cleaned_data["text"], author=visit.author)
        with telling(form), transaction.atomic():
            store = personal_store(person=visit.person)
            remember(store=store, statement=statement, kind=form.cleaned_data["kind"])
            notes.success(visit.request, gettext("Kept. You can find it by its words right now."))
            return redirect("console:my-memories")
    found = one_page(visit.request, memories(store_ids=visit.stores))
    return page(
        visit,
        "my/memories.html",
        form=form,
        rows=found,
        memories=with_current_text(list(found)),
        status=400 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@memory_page
def my_memory_one(visit: MemoryVisit, memory_id: UUID) -> HttpResponseBase:
    """What a memory says, said before, and rests on; and a form to correct it."""
    memory = get_memory(memory_id=memory_id, store_ids=visit.stores)
    versions = list(versions_of(memory=memory))
    form = CorrectionForm(
        visit.request.POST or None,
        initial={
            "text": versions[0].text,
            "metadata": lines_of(versions[0].metadata),
            "version": memory.version,
        },
    )
    if form.is_valid():
        with telling(form), transaction.atomic():
            _correct(visit, versions[0], form)
            notes.success(visit.request, gettext("Corrected. The old wording is in the history."))
            return redirect("console:my-memory-one", memory_id=memory.id)
    evidence = evidence_of(versions)
    return page(
        visit,
        "my/memory.html",
        form=form,
        memory=memory,
        current=versions[0],
        history=[(version, evidence[version.id]) for version in versions],
        status=400 if form.errors else 200,
    )


def _correct(visit: MemoryVisit, said: MemoryVersion, form: CorrectionForm) -> None:
    """A new wording; or, where only the metadata is another, the same wording with that."""
    data, memory_id = form.cleaned_data, said.memory_id
    metadata = change_to(data["metadata"], said.metadata)
    if data["text"].strip() == said.text and metadata != said.metadata:
        describe(
            memory_id=memory_id,
            metadata=metadata,
            author=visit.author,
            expected_version=data["version"],
        )
        return
    statement = Statement(
        text=data["text"], author=visit.author, reason=data["reason"], metadata=metadata
    )
    correct(memory_id=memory_id, statement=statement, expected_version=data["version"])


@require_http_methods(["GET", "POST"])
@memory_page
def forget(visit: MemoryVisit, memory_id: UUID) -> HttpResponseBase:
    """Ask once more, then forget."""
    memory = get_memory(memory_id=memory_id, store_ids=visit.stores)
    if visit.request.method == "POST":
        request_erasure(target="memory", target_id=memory.id)
        notes.success(
            visit.request,
            gettext("Forgotten. No answer holds it any more; its erasure is under way."),
        )
        return redirect("console:my-memories")
    [(_, current)] = with_current_text([memory])
    return page(visit, "my/forget.html", memory=memory, current=current)
