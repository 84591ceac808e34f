"""Single memories: add, read, list, correct, forget; and asking."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import tzinfo
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from souvenir.api.caller import Caller, caller_of
from souvenir.api.erasures import ErasureOut
from souvenir.api.idempotency import answer_holds_no_content, answer_is_about
from souvenir.api.memory_shapes import (
    TRUST,
    AnswerOut,
    CorrectionIn,
    DescriptionIn,
    ListIn,
    MemoriesAsked,
    MemoryAsked,
    MemoryIn,
    MemoryOut,
    QuestionIn,
    VersionOut,
)
from souvenir.api.plain_shapes import plainly, said
from souvenir.api.views import TenantView, asked_in_query
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.models import Trust
from souvenir.ingestion.services import correct, describe, remember
from souvenir.memories.errors import MemoryNotFound
from souvenir.memories.held import held_at
from souvenir.memories.metadata import wanted_in
from souvenir.memories.metadata_tokens import memories_with
from souvenir.memories.models import Memory, MemoryVersion
from souvenir.memories.selectors import (
    current_versions,
    evidence_of,
    get_memory,
    held_versions,
    memories,
    person_asked_for,
    subjects_of_memories,
    versions_of,
)
from souvenir.memories.services import Statement, store_meant
from souvenir.memories.time_zones import zone_of
from souvenir.search.questions import Filters, Question
from souvenir.search.rerank import has_reranker
from souvenir.search.services import Found, search
from souvenir.search.time_expressions import time_in
from tenants.isolation.around_views import opens_its_own_scope
from tenants.isolation.scope import tenant_scope

_MEMORY = ("id", "store_id", "person_id", "kind", "version", "recorded_at")
_VERSION = (
    "number", "text", "occurred_at", "valid_from", "valid_to", "observed_at", "recorded_at",
    "origin", "method", "author", "reason", "metadata",
)  # fmt: skip
_FOUND = tuple(field.name for field in fields(Found))
_memory_out, _answer_out = plainly(MemoryOut()), plainly(AnswerOut())


def memories_out(found: list[Memory]) -> list[dict[str, Any]]:
    """Memories with what they say, now or then, and the evidence for it. Three queries for all."""
    current = held_versions(found)
    evidence = evidence_of(list(current.values()))
    about = subjects_of_memories(found)
    return [
        _memory(memory, _version(current[memory.id], evidence), about[memory.id])
        for memory in found
    ]


def _added(memory: Memory, *, about: Sequence[str]) -> dict[str, Any]:
    """A memory that was just added: there is no evidence yet, and nothing has to be read again."""
    (version,) = current_versions([memory]).values()
    subjects = subjects_of_memories([memory])[memory.id] if about else []
    return _memory(memory, _version(version, {version.id: []}), subjects)


def _memory(memory: Memory, current: dict[str, Any], about: list[str]) -> dict[str, Any]:
    facts = {name: getattr(memory, name) for name in _MEMORY}
    return _memory_out({**facts, "about": about, "current": current})


def _version(version: MemoryVersion, evidence: dict[UUID, Any]) -> dict[str, Any]:
    facts = {name: getattr(version, name) for name in _VERSION}
    return {**facts, "evidence": evidence[version.id]}


def found_out(found: Found) -> dict[str, Any]:
    """What `FoundOut` reads."""
    row = {name: getattr(found, name) for name in _FOUND}
    return {**row, "source": found.provider, "trust": Trust(found.trust).label}


def filters_of(data: dict[str, Any]) -> Filters:
    """What `FiltersIn` lets through."""
    return Filters(
        since=data.get("since"),
        until=data.get("until"),
        providers=data.get("sources", []),
        roles=data.get("roles", []),
        kinds=data.get("kinds", []),
        languages=data.get("languages", []),
        as_of=data.get("as_of"),
        known_at=data.get("known_at"),
        metadata=wanted_in(data.get("metadata", {})),
        least_trust=TRUST[data["trust"]] if "trust" in data else 0,
    )


def question_of(data: dict[str, Any], caller: Caller) -> Question:
    """What is asked, of those stores that the caller reaches.

    Raises:
        PersonNotFound, StoreNotFound
        MetadataFilterUnsupported, and the other errors of `wanted_in`
    """
    with tenant_scope(caller.own_organization.id):
        asked = Question(
            text=data["query"],
            store_ids=_stores_of(data, caller),
            limit=data.get("limit", 10),
            only=filters_of(data),
            min_score=data.get("min_score", 0.0),
        )
        if "asked_at" in data:
            asked = replace(asked, asked_at=data["asked_at"])
        return replace(asked, zone=data.get("timezone") or _zone_if_it_matters(asked, data, caller))


def _stores_of(data: dict[str, Any], caller: Caller) -> list[UUID]:
    return caller.stores(
        person=data.get("person"), store=data.get("store"), together=data.get("stores", ())
    )


def zone_of_asker(data: dict[str, Any], caller: Caller) -> tzinfo:
    """Of the person whose memory is asked, or else the organization's. One query, if of a person.

    Raises:
        PersonNotFound
    """
    person = person_asked_for(bound_to=caller.person_id, external_id=data.get("person"))
    return zone_of(person, organization=caller.own_organization)


def _zone_if_it_matters(asked: Question, data: dict[str, Any], caller: Caller) -> tzinfo:
    """The asker's; a person's is looked up only if the question speaks of a time."""
    is_of_one = caller.person_id is not None or "person" in data
    if is_of_one and not time_in(asked.text, asked_at=asked.asked_at, zone=asked.zone):
        return asked.zone
    return zone_of_asker(data, caller)


def _statement(data: dict[str, Any], caller: Caller) -> Statement:
    names = ("text", "occurred_at", "valid_from", "valid_to", "observed_at", "reason", "metadata")
    given = {name: data[name] for name in names if name in data}
    return Statement(**given, method="agent", author=caller.name)


def _then(found: QuerySet[Memory], data: dict[str, Any]) -> QuerySet[Memory]:
    """Of some memories those that held at the moment asked about, if one is."""
    moments = {name: data.get(name) for name in ("as_of", "known_at")}
    return held_at(found, **moments) if any(moments.values()) else found


class _MemoryList(TenantView):
    def memories_page(self, request: Request, data: dict[str, Any]) -> Response:
        """A page of the memories that are asked for, newest first."""
        wanted, stores = wanted_in(data.get("metadata", {})), _stores_of(data, caller_of(request))
        found = _then(memories(store_ids=stores), data)
        if kinds := data.get("kinds"):
            found = found.filter(kind__in=kinds)
        if wanted:
            found = memories_with(found, wanted, store_ids=stores)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(found, request, view=self) or []
        return paginator.get_paginated_response(memories_out(list(page)))


class Memories(_MemoryList):
    scopes = {"GET": "memories:read", "POST": "memories:write"}

    @extend_schema(
        operation_id="listMemories", parameters=[MemoriesAsked], responses=MemoryOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Memories, newest first; of one person (`?person=`) or store (`?store=`) if given.

        With `as_of` or `known_at`, those that held then, with what they said.
        """
        return self.memories_page(request, asked_in_query(request, MemoriesAsked))

    @extend_schema(operation_id="addMemory", request=MemoryIn, responses={201: MemoryOut})
    def post(self, request: Request) -> Response:
        """Remember a statement. It can be found by its words at once, by meaning soon after."""
        caller, data = caller_of(request), said(MemoryIn, request.data)
        store = store_meant(
            bound_to=caller.person_id, external_id=data.get("person"), slug=data.get("store")
        )
        memory = remember(
            store=store,
            statement=_statement(data, caller),
            kind=data["kind"],
            about=data.get("about", ()),
        )
        answer_is_about(request, memory.person_id)
        return Response(_added(memory, about=data.get("about", ())), status=201)


class MemoriesFiltered(_MemoryList):
    scopes = {"POST": "memories:read"}
    changes_nothing = frozenset({"POST"})

    @extend_schema(operation_id="filterMemories", request=ListIn, responses=MemoryOut(many=True))
    def post(self, request: Request) -> Response:
        """Memories, newest first, that a filter leaves: by metadata, which is for no address.

        For the page after, send the same body to `next`.
        """
        body = ListIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.memories_page(request, body.validated_data)


class OneMemory(TenantView):
    scopes = {
        "GET": "memories:read",
        "PUT": "memories:write",
        "PATCH": "memories:write",
        "DELETE": "memories:write",
    }

    @extend_schema(operation_id="getMemory", parameters=[MemoryAsked], responses=MemoryOut)
    def get(self, request: Request, memory_id: UUID) -> Response:
        """A memory, what it says now (or said at a moment), and where that came from."""
        stores, asked = caller_of(request).stores(), asked_in_query(request, MemoryAsked)
        found = _then(memories(store_ids=stores), asked).filter(id=memory_id).first()
        if found is None:
            raise MemoryNotFound(memory_id=memory_id)
        return Response(memories_out([found])[0])

    @extend_schema(operation_id="correctMemory", request=CorrectionIn, responses=MemoryOut)
    def put(self, request: Request, memory_id: UUID) -> Response:
        """Say it better. The old version stays in the history."""
        data = self._change_asked(request, memory_id, CorrectionIn)
        memory = correct(
            memory_id=memory_id,
            statement=_statement(data, caller_of(request)),
            expected_version=data.get("version"),
        )
        return self._changed(request, memory)

    @extend_schema(operation_id="describeMemory", request=DescriptionIn, responses=MemoryOut)
    def patch(self, request: Request, memory_id: UUID) -> Response:
        """Change its metadata. What it says stays, in a new version; the old one stays as well."""
        data = self._change_asked(request, memory_id, DescriptionIn)
        memory = describe(
            memory_id=memory_id,
            metadata=data["metadata"],
            author=caller_of(request).name,
            expected_version=data.get("version"),
        )
        return self._changed(request, memory)

    @extend_schema(operation_id="forgetMemory", responses={202: ErasureOut})
    def delete(self, request: Request, memory_id: UUID) -> Response:
        """Forget it: out of every answer now, erased by a job right after."""
        get_memory(memory_id=memory_id, store_ids=caller_of(request).stores())
        erasure = request_erasure(target="memory", target_id=memory_id)
        answer_holds_no_content(request)
        return Response(ErasureOut(erasure).data, status=202)

    def _change_asked(
        self, request: Request, memory_id: UUID, shape: type[Serializer[Any]]
    ) -> dict[str, Any]:
        """What a body asks to change of a memory that the caller reaches."""
        data = said(shape, request.data)
        get_memory(memory_id=memory_id, store_ids=caller_of(request).stores())
        return data

    def _changed(self, request: Request, memory: Memory) -> Response:
        answer_is_about(request, memory.person_id)
        return Response(memories_out([memory])[0])


class MemoryHistory(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(operation_id="getMemoryHistory", responses=VersionOut(many=True))
    def get(self, request: Request, memory_id: UUID) -> Response:
        """Everything this memory has said, newest first."""
        memory = get_memory(memory_id=memory_id, store_ids=caller_of(request).stores())
        versions = list(versions_of(memory=memory))
        evidence = evidence_of(versions)
        rows = [_version(version, evidence) for version in versions]
        return Response(VersionOut(rows, many=True).data)


@opens_its_own_scope(when=has_reranker)
class Search(TenantView):
    scopes = {"POST": "memories:read"}
    changes_nothing = frozenset({"POST"})

    @extend_schema(operation_id="searchMemories", request=QuestionIn, responses=AnswerOut)
    def post(self, request: Request) -> Response:
        """The passages that answer best, by meaning and by words, in French or English."""
        data = said(QuestionIn, request.data)
        answer = search(question_of(data, caller_of(request)))
        results = [found_out(found) for found in answer.results]
        out = {
            "results": results,
            "pending": answer.pending,
            "by_meaning": answer.by_meaning,
            "rerank": answer.rerank.value,
            "time": answer.time,
        }
        return Response(_answer_out(out))
