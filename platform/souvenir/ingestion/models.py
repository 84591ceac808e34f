"""What an import keeps, and the passages that search finds."""

from uuid import UUID

from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from souvenir.ingestion import buckets
from souvenir.memories.models import (
    Conversation,
    Memory,
    Message,
    Person,
    Source,
    Store,
    subject_of_store,
)
from tenants.isolation.tables import TenantForeignKey, TenantOwned, TenantScoped
from tenants.sealed import SealedBytesField, SealedJsonField, SealedRecord, SealedTextField


class Import(SealedRecord):
    """One bringing-in of a file, and the report of what became of it."""

    store = TenantForeignKey(Store, null=True)  # None: a whole organization's archive
    person = TenantForeignKey(Person, null=True)
    source = TenantForeignKey(Source, null=True)  # None until the file has been looked at
    job_id = models.UUIDField(null=True)
    file_name = SealedTextField(default="")
    sha256 = models.CharField(max_length=64)  # of the upload, hex
    size_bytes = models.BigIntegerField()
    layout = models.CharField(max_length=63, default="")  # "" until the file has been looked at
    report = SealedJsonField(null=True)  # the fidelity report, when done
    stretches = models.IntegerField(default=0)  # of the upload's first reading that are done
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(fields=["tenant_id", "recorded_at", "id"], name="import_newest"),
        ]

    def sealed_for(self) -> list[UUID]:
        """Its store's subject; an archive of the organization's: the organization itself."""
        return [subject_of_store(self.store_id) if self.store_id else self.tenant_id]

    def __str__(self) -> str:
        return str(self.id)


class RawObject(SealedRecord):
    """One object of an upload, byte for byte. Everything else can be derived from it again."""

    batch = TenantForeignKey(Import)
    store = TenantForeignKey(Store)
    conversation = TenantForeignKey(Conversation, null=True)
    kind = models.CharField(max_length=32)
    path = SealedTextField(default="")
    ordinal = models.IntegerField()
    sha256 = models.CharField(max_length=64)  # of the bytes as they came, hex
    size_bytes = models.BigIntegerField()
    body = SealedBytesField()  # zlib
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "store", "sha256"], name="raw_once"),
        ]

    def sealed_for(self) -> list[UUID]:
        return [subject_of_store(self.store_id)]

    def __str__(self) -> str:
        return str(self.id)


class Asset(SealedRecord):
    """A file that came along. Its bytes are the object `assets/<id>`."""

    batch = TenantForeignKey(Import)
    store = TenantForeignKey(Store)
    path = SealedTextField(default="")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "store", "sha256"], name="asset_once"),
        ]

    def sealed_for(self) -> list[UUID]:
        return [subject_of_store(self.store_id)]

    def __str__(self) -> str:
        return str(self.id)


class Trust(models.IntegerChoices):
    """Whose words something is in: how far it may be believed about the person."""

    BROUGHT = 1, "third-party"  # a file, a page, what a tool gave: written by whoever
    ANSWERED = 2, "assistant"  # an assistant said it, or an agent wrote it down
    STATED = 3, "person"  # the person's own words


class Passage(TenantScoped):
    """The unit of search: a span of one block of a message, or a memory. Holds no text itself."""

    store = TenantForeignKey(Store)
    conversation = TenantForeignKey(Conversation, null=True)
    message = TenantForeignKey(Message, null=True)  # either a message …
    memory = TenantForeignKey(Memory, null=True)  # … or a memory
    block = models.IntegerField(default=0)  # index into the message's blocks
    start = models.IntegerField()  # characters into the block's text
    end = models.IntegerField()  # exclusive
    terms = models.IntegerField()  # how many terms it has: BM25's document length
    kind = models.CharField(max_length=32, default="message")  # or the kind of the memory
    language = models.CharField(max_length=8, default="")  # "en", "fr"; "": not known
    trust = models.SmallIntegerField(choices=Trust, default=Trust.ANSWERED)
    role = models.CharField(max_length=16, default="")  # of the message; "" for a memory
    provider = models.CharField(max_length=63, default="")
    occurred_at = models.DateTimeField(null=True)
    embedded_with = models.CharField(max_length=63, default="")  # model of its vector; "": none yet
    token_epoch = models.IntegerField(default=1)  # of the index key that its tokens are made with
    past_version = models.IntegerField(default=0)  # of a memory that says something else now
    since_version = models.IntegerField(null=True)  # the first that says it; None: one alone does

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(
                fields=["tenant_id", "store"],
                condition=models.Q(embedded_with=""),
                name="passage_to_embed",
            ),
            # All that a passage says by itself, in the order of its vectors: what is counted for
            # BM25, and what a filter asks, is read here and nowhere else.
            models.Index(
                fields=["tenant_id", "store", "id"],
                include=[
                    "terms",
                    "past_version",
                    "trust",
                    "occurred_at",
                    "kind",
                    "role",
                    "provider",
                    "language",
                ],
                name="passage_facts",
            ),
            models.Index(
                fields=["tenant_id", "store", "occurred_at"],
                include=["id"],
                condition=models.Q(occurred_at__isnull=False),
                name="passage_times",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class PassageToken(TenantOwned):
    """One blind token of one passage. Equality on a bigint is leakproof: the index is used under
    row-level security, which an array or a tsvector would lose.

    No foreign keys: forty rows a passage are checked for nothing, since `remove_passages` takes
    them with the passage (docs/decisions/0014-search-tables.md).
    """

    pk = models.CompositePrimaryKey("tenant_id", "store_id", "token", "passage_id")
    store_id = models.UUIDField()
    token = models.BigIntegerField()  # souvenir.core.sealing.blind_token
    passage_id = models.UUIDField()
    frequency = models.IntegerField()  # how often the term stands there, in QUARTERS (searchable)
    terms = models.IntegerField()  # of the passage: BM25 then reads this index and nothing else

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["passage_id", "tenant_id"], name="token_of_passage")]

    def __str__(self) -> str:
        return str(self.passage_id)


class PassageVector(TenantOwned):
    """A passage's vector, alone in a narrow table: the primary key carries it, so that an exact
    scan of one store reads the index and nothing else. Made and deleted, never changed.

    Filled by souvenir.embedding. No foreign keys, like tokens.
    """

    pk = models.CompositePrimaryKey("tenant_id", "store_id", "model", "bucket", "passage_id")
    store_id = models.UUIDField()
    model = models.SmallIntegerField()  # which vector space: souvenir.embedding
    passage_id = models.UUIDField()
    bucket = models.IntegerField(default=buckets.COMMON)  # its partition of the tenant's
    embedding = HalfVectorField()  # unit length, as long as the model's vectors are

    def __str__(self) -> str:
        return str(self.passage_id)


class LargeStore(TenantOwned):
    """A store whose vectors have a bucket of their own, with a graph index; or are on the way.

    No row: the store is in the common bucket. Search reads the bucket that is in effect.
    """

    class State(models.TextChoices):
        FILLING = "filling"  # vectors are copied there; search reads the common bucket
        SERVING = "serving"
        LEAVING = "leaving"  # they are copied back; search reads here
        CLOSING = "closing"  # search reads the common bucket; what is here goes

    IN_EFFECT = (State.SERVING, State.LEAVING)

    pk = models.CompositePrimaryKey("tenant_id", "store_id")
    store_id = models.UUIDField()
    bucket = models.IntegerField()
    state = models.CharField(max_length=16, choices=State.choices)
    since = models.DateTimeField(default=timezone.now)  # in this state
    # What BM25 wants to know, of some time ago: no question counts a large store's passages.
    passages = models.BigIntegerField(default=0)
    terms = models.BigIntegerField(default=0)  # of all of them
    # Where the graph is believed (souvenir.embedding.trust), by which model, and since when. None:
    # nowhere, and search compares every vector.
    trusted_distance = models.FloatField(null=True)
    trusted_gap = models.FloatField(null=True)
    trusted_model = models.SmallIntegerField(null=True)
    trusted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.store_id)
