"""The audit log: what was done in the organization, by ids, and proofs that it is still there."""

import base64
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.caller import caller_of
from souvenir.api.paging import NewestEntries
from souvenir.api.views import TenantView
from souvenir.audit.actions import Action, Outcome
from souvenir.audit.models import Checkpoint, Entry
from souvenir.audit.selectors import (
    consistency_proof,
    entries,
    get_checkpoint,
    get_entry,
    inclusion_proof,
    numbers_of,
)
from tenants.auditing import private_part

_READ = "organization:read"
_LARGEST = 2**63 - 1


class EntriesAsked(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=[one.value for one in Action], required=False)
    object = serializers.CharField(
        max_length=127, required=False, help_text="What it was done to: `key:<id>`, `import:<id>`…"
    )
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Not this moment any more.")


class SizeAsked(serializers.Serializer[Any]):
    size = serializers.IntegerField(
        min_value=1, max_value=_LARGEST, required=False, help_text="Left out: the newest."
    )


class SizesAsked(SizeAsked):
    old = serializers.IntegerField(min_value=1, max_value=_LARGEST, default=1)


class FactsOut(serializers.Serializer[Any]):
    """What the leaf of an entry is made of: as canonical JSON (RFC 8785), after a zero byte."""

    form = serializers.IntegerField()
    id = serializers.CharField()
    organization = serializers.CharField(allow_null=True)
    at = serializers.CharField()
    actor = serializers.CharField(help_text="`key:<id>`, `user:<id>`, `job:<id>`…")
    action = serializers.ChoiceField(choices=[one.value for one in Action])
    object = serializers.CharField()
    person = serializers.CharField(allow_null=True, help_text="Whom it is about.")
    purpose = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[one.value for one in Outcome])
    details = serializers.JSONField()
    sealed = serializers.CharField(
        allow_null=True, help_text="SHA-256, in hex, of what is sealed with the person’s key."
    )


class EntryOut(serializers.Serializer[Any]):
    entry = FactsOut(source="facts.told")
    number = serializers.IntegerField(
        allow_null=True, help_text="Its place in the log. Null until the next checkpoint."
    )
    leaf_hash = serializers.SerializerMethodField(help_text="Base64.")
    private = serializers.SerializerMethodField(
        help_text="What was sealed, opened. Null: the key that opens it is gone."
    )

    def get_leaf_hash(self, entry: Entry) -> str:
        return _base64(bytes(entry.leaf_hash))

    def get_private(self, entry: Entry) -> dict[str, Any] | None:
        return private_part(entry)


class CheckpointOut(serializers.Serializer[Any]):
    size = serializers.IntegerField(help_text="How many entries it is over: the whole cell’s.")
    note = serializers.CharField(help_text="A C2SP tlog-checkpoint. Keep it: this is the proof.")
    verifier_key = serializers.CharField(help_text="Of the key that signed it.")
    at = serializers.DateTimeField()


class ProofOut(serializers.Serializer[Any]):
    size = serializers.IntegerField()
    hashes = serializers.ListField(child=serializers.CharField(), help_text="Base64; RFC 9162.")


class EntryProof(EntryOut):
    proof = ProofOut()
    checkpoint = CheckpointOut()


class ConsistencyOut(ProofOut):
    old = serializers.IntegerField()


class AuditEntries(TenantView):
    scopes = {"GET": _READ}
    pagination_class = NewestEntries

    @extend_schema(
        operation_id="listAuditEntries",
        parameters=[EntriesAsked],
        responses=EntryOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """What was done in the organization and by whom, newest first."""
        asked = _valid(EntriesAsked, request)
        organization_id = caller_of(request).own_organization.id
        return self.page(request, entries(organization_id=organization_id, **asked), EntryOut)


class AuditEntryProof(TenantView):
    scopes = {"GET": _READ}

    @extend_schema(operation_id="proveAuditEntry", parameters=[SizeAsked], responses=EntryProof)
    def get(self, request: Request, entry_id: UUID) -> Response:
        """An entry, and that the log which a checkpoint was signed over holds it (RFC 9162)."""
        asked = _valid(SizeAsked, request)
        organization_id = caller_of(request).own_organization.id
        entry = get_entry(organization_id=organization_id, entry_id=entry_id)
        checkpoint = get_checkpoint(size=asked.get("size"))
        proof = inclusion_proof(number=numbers_of([entry.id]).get(entry.id), size=checkpoint.size)
        told = {"proof": _proof(proof.size, proof.hashes), "checkpoint": _checkpoint(checkpoint)}
        return Response(EntryOut(entry).data | told)


class AuditCheckpoint(TenantView):
    scopes = {"GET": _READ}

    @extend_schema(
        operation_id="getAuditCheckpoint", parameters=[SizeAsked], responses=CheckpointOut
    )
    def get(self, request: Request) -> Response:
        """The newest checkpoint, or an older one, to keep elsewhere."""
        asked = _valid(SizeAsked, request)
        return Response(_checkpoint(get_checkpoint(size=asked.get("size"))))


class AuditConsistency(TenantView):
    scopes = {"GET": _READ}

    @extend_schema(
        operation_id="proveAuditConsistency", parameters=[SizesAsked], responses=ConsistencyOut
    )
    def get(self, request: Request) -> Response:
        """That the log only grew between two of its sizes (RFC 9162)."""
        asked = _valid(SizesAsked, request)
        size = asked.get("size") or get_checkpoint().size
        proof = consistency_proof(old=asked["old"], size=size)
        return Response(_proof(proof.size, proof.hashes) | {"old": asked["old"]})


def _valid(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    query = shape(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    data: dict[str, Any] = query.validated_data
    return data


def _proof(size: int, hashes: list[bytes]) -> dict[str, Any]:
    return {"size": size, "hashes": [_base64(one) for one in hashes]}


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return dict(CheckpointOut(checkpoint).data)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
