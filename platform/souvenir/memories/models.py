"""The record. Import time (`recorded_at`) never leaks into the times that the sources tell."""

from django.db import models
from django.utils import timezone

from tenants.content import ContentJsonField, ContentTextField
from tenants.isolation.tables import TenantForeignKey, TenantScoped


class Person(TenantScoped):
    """Whom memories are about. May have no login; clients know the person by `external_id`."""

    external_id = models.CharField(max_length=200)
    display_name = ContentTextField(default="")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "external_id"], name="person_once"),
        ]

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


class Conversation(TenantScoped):
    """A tree of messages, known to its provider as `provider_id`."""

    store = TenantForeignKey(Store)
    person = TenantForeignKey(Person, null=True)
    source = TenantForeignKey(Source)
    provider = models.CharField(max_length=63)
    provider_id = models.CharField(max_length=300)
    title = ContentTextField(default="")
    started_at = models.DateTimeField(null=True)  # as the source tells; None: it does not
    updated_at = models.DateTimeField(null=True)
    current_leaf_id = models.UUIDField(null=True)  # last message of the branch that was shown
    current_leaf_origin = models.CharField(max_length=16, default="inferred")  # or "native"
    import_id = models.UUIDField()  # the import that first brought it
    extra = ContentJsonField(default=dict)
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

    def __str__(self) -> str:
        return str(self.id)


class Message(TenantScoped):
    """One node of the tree: an ordered list of typed blocks."""

    conversation = TenantForeignKey(Conversation)
    store = TenantForeignKey(Store)
    parent = TenantForeignKey("self", null=True)  # None: a root
    provider_id = models.CharField(max_length=300)
    ordinal = models.IntegerField()  # place in the tree's order, parents first; from 0
    role = models.CharField(max_length=16)
    author_name = ContentTextField(default="")
    model = models.CharField(max_length=200, default="")
    hidden = models.BooleanField(default=False)  # the provider's interface did not show it
    occurred_at = models.DateTimeField(null=True)  # as the source tells; None: it does not
    time_original = models.CharField(max_length=100, default="")  # what stood there, as JSON
    blocks = ContentJsonField()  # [{"type", "text", "fields"}], docs/formats.md
    extra = ContentJsonField(default=dict)
    import_id = models.UUIDField()  # the import that first brought it
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "conversation", "provider_id"], name="message_once"
            ),
        ]

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

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(fields=["tenant_id", "store", "recorded_at", "id"], name="memory_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class MemoryVersion(TenantScoped):
    """What a memory said, from when to when, and how we know. A correction is a new row."""

    memory = TenantForeignKey(Memory)
    store = TenantForeignKey(Store)
    number = models.IntegerField()  # 1, 2, …
    text = ContentTextField()
    occurred_at = models.DateTimeField(null=True)  # when it happened
    valid_from = models.DateTimeField(null=True)  # when it began to be true
    valid_to = models.DateTimeField(null=True)  # when it stopped
    observed_at = models.DateTimeField(null=True)  # when the source said it
    recorded_at = models.DateTimeField(default=timezone.now)  # when we stored it
    origin = models.CharField(max_length=16)  # provided | observed | inferred
    method = models.CharField(max_length=32)  # user_typed | agent | provider_export | …
    author = models.CharField(max_length=300, default="")  # "key:<id>", "user:<id>"
    reason = ContentTextField(default="")  # why it was corrected, in the corrector's words

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "memory", "number"], name="version_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Evidence(TenantScoped):
    """Where a version of a memory came from: a span of a message."""

    version = TenantForeignKey(MemoryVersion)
    message = TenantForeignKey(Message)
    block = models.IntegerField()  # index into the message's blocks
    start = models.IntegerField()  # characters into the block's text
    end = models.IntegerField()  # exclusive
    quote_sha256 = models.CharField(max_length=64)  # of the span's text, hex

    def __str__(self) -> str:
        return str(self.id)
