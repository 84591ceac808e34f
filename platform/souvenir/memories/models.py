"""The record. Import time (`recorded_at`) never leaks into the times that the sources tell."""

from functools import lru_cache
from uuid import UUID

from django.db import models
from django.utils import timezone

from tenants.isolation.scope import current_tenant, tenant_scope
from tenants.isolation.tables import TenantForeignKey, TenantOwned, TenantScoped
from tenants.sealed import SealedJsonField, SealedRecord, SealedTextField


class Person(SealedRecord):
    """Whom memories are about. May have no login; clients know the person by `external_id`."""

    class State(models.TextChoices):
        ACTIVE = "active"
        LEAVING = "leaving"  # between the asking and the erasure; never found, never shown

    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    external_id = models.CharField(max_length=200)
    display_name = SealedTextField(default="")
    time_zone = SealedTextField(default="")  # America/Toronto, …; "": not told
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "external_id"], name="person_once"),
        ]

    def sealed_for(self) -> list[UUID]:
        return [self.id]

    def __str__(self) -> str:
        return str(self.id)


class Store(TenantScoped):
    """A named collection: one personal store per person, shared stores of the organization."""

    slug = models.CharField(max_length=210)  # "person:<external id>", or a shared store's own name
    person = TenantForeignKey(Person, null=True)  # None: shared
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "slug"], name="store_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)


def subject_of_store(store_id: UUID) -> UUID:
    """Whose key seals what stands in a store: its person's, or that of the shared store itself."""
    return _subject_of_store(current_tenant(), store_id)


@lru_cache(maxsize=50_000)
def _subject_of_store(tenant_id: UUID, store_id: UUID) -> UUID:
    """A store's person never changes, so this is asked once per process, in a scope or not."""
    with tenant_scope(tenant_id):
        store = Store.objects.get(id=store_id)
    return store.person_id or store.id


class Source(TenantScoped):
    """A provider and the account there that things came from."""

    store = TenantForeignKey(Store)
    provider = models.CharField(max_length=63)  # "chatgpt", "claude", …
    account = models.CharField(max_length=200, default="")  # the provider's id; "" if not told
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "store", "provider", "account"], name="source_once"
            ),
        ]

    def __str__(self) -> str:
        return self.provider


class Conversation(SealedRecord):
    """A tree of messages, known to its provider as `provider_id`."""

    store = TenantForeignKey(Store)
    person = TenantForeignKey(Person, null=True)
    source = TenantForeignKey(Source)
    provider = models.CharField(max_length=63)
    provider_id = models.CharField(max_length=300)
    title = SealedTextField(default="")
    started_at = models.DateTimeField(null=True)  # as the source tells; None: it does not
    updated_at = models.DateTimeField(null=True)
    current_leaf_id = models.UUIDField(null=True)  # last message of the branch that was shown
    current_leaf_origin = models.CharField(max_length=16, default="inferred")  # or "native"
    import_id = models.UUIDField()  # the import that first brought it
    extra = SealedJsonField(default=dict)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "source", "provider_id"], name="conversation_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "store", "updated_at", "id"], name="conversation_newest"
            ),
        ]

    def sealed_for(self) -> list[UUID]:
        return [subject_of_store(self.store_id)]

    def __str__(self) -> str:
        return str(self.id)


class Message(SealedRecord):
    """One node of the tree: an ordered list of typed blocks."""

    conversation = TenantForeignKey(Conversation)
    store = TenantForeignKey(Store)
    parent = TenantForeignKey("self", null=True)  # None: a root
    provider_id = models.CharField(max_length=300)
    ordinal = models.IntegerField()  # place in the tree's order, parents first; from 0
    role = models.CharField(max_length=16)
    author_name = SealedTextField(default="")
    model = models.CharField(max_length=200, default="")
    hidden = models.BooleanField(default=False)  # the provider's interface did not show it
    occurred_at = models.DateTimeField(null=True)  # as the source tells; None: it does not
    time_original = models.CharField(max_length=100, default="")  # what stood there, as JSON
    blocks = SealedJsonField()  # [{"type", "text", "fields"}], docs/formats.md
    extra = SealedJsonField(default=dict)
    import_id = models.UUIDField()  # the import that first brought it
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "conversation", "provider_id"], name="message_once"
            ),
        ]

    def sealed_for(self) -> list[UUID]:
        return [subject_of_store(self.store_id)]

    def __str__(self) -> str:
        return str(self.id)


class Memory(TenantScoped):
    """One statement worth recalling. What it says stands in its versions, never edited."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FORGOTTEN = "forgotten"  # between the asking and the erasure; never found, never shown

    store = TenantForeignKey(Store)
    person = TenantForeignKey(Person, null=True)
    kind = models.CharField(max_length=32, default="fact")
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    version = models.IntegerField(default=1)  # the version that holds now
    recorded_at = models.DateTimeField(default=timezone.now)
    # Its only version, on the object that it was added by: nobody need read it back.
    said: "MemoryVersion | None" = None

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(fields=["tenant_id", "store", "recorded_at", "id"], name="memory_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class MemorySubject(TenantScoped):
    """Someone else a memory is about, besides its store's own person. Its text ends with them too.

    Said when the memory is made, and never changed: its versions are sealed for these persons.
    """

    memory = TenantForeignKey(Memory)
    person = TenantForeignKey(Person)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "memory", "person"], name="about_once"),
        ]

    def __str__(self) -> str:
        return str(self.person_id)


class MemoryVersion(SealedRecord):
    """What a memory said, from when to when, and how we know. A correction is a new row."""

    memory = TenantForeignKey(Memory)
    store = TenantForeignKey(Store)
    number = models.IntegerField()  # 1, 2, …
    text = SealedTextField()
    occurred_at = models.DateTimeField(null=True)  # when it happened
    valid_from = models.DateTimeField(null=True)  # when it began to be true
    valid_to = models.DateTimeField(null=True)  # when it stopped
    observed_at = models.DateTimeField(null=True)  # when the source said it
    recorded_at = models.DateTimeField(default=timezone.now)  # when we stored it
    origin = models.CharField(max_length=16)  # provided | observed | inferred
    method = models.CharField(max_length=32)  # user_typed | agent | provider_export | …
    author = models.CharField(max_length=300, default="")  # "key:<id>", "user:<id>"
    reason = SealedTextField(default="")  # why it was corrected, in the corrector's words
    metadata = SealedJsonField(default=dict)  # what clients say besides: souvenir.memories.metadata

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "memory", "number"], name="version_once"),
        ]

    def sealed_for(self) -> list[UUID]:
        """The store's subject, and everyone the memory is about: it ends with any of them."""
        about = MemorySubject.objects.filter(memory_id=self.memory_id)
        return [subject_of_store(self.store_id), *about.values_list("person_id", flat=True)]

    def __str__(self) -> str:
        return str(self.id)


class MetadataToken(TenantOwned):
    """The blind token of one entry of a memory's metadata: what a filter looks for.

    Equality on bytes is leakproof: the primary key is used under row-level security. The entry
    itself is sealed, in its version.
    """

    pk = models.CompositePrimaryKey("tenant_id", "store_id", "token", "memory_id", "past_version")
    store_id = models.UUIDField()
    token = models.BinaryField()  # souvenir.core.sealing.blind_entry
    memory = TenantForeignKey(Memory)
    past_version = models.IntegerField(
        default=0
    )  # the version, if that holds no more; as a passage
    epoch = models.IntegerField()  # of the index key that it is made with

    def __str__(self) -> str:
        return str(self.memory_id)


class Evidence(SealedRecord):
    """Where a version of a memory came from: a span of a message."""

    version = TenantForeignKey(MemoryVersion)
    message = TenantForeignKey(Message)
    block = models.IntegerField()  # index into the message's blocks
    start = models.IntegerField()  # characters into the block's text
    end = models.IntegerField()  # exclusive
    quote_sha256 = SealedTextField()  # of the span's text, hex; a short text could be guessed

    def sealed_for(self) -> list[UUID]:
        return self.version.sealed_for()

    def __str__(self) -> str:
        return str(self.id)
