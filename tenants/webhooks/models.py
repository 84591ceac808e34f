"""Endpoints, what happened, and each telling of it. Ids, times and codes; the rest is sealed."""

from uuid import UUID

from django.db import models
from django.utils import timezone

from tenants.isolation.tables import TenantForeignKey, TenantScoped
from tenants.sealed import SealedRecord, SealedTextField


class Endpoint(SealedRecord):
    """An address of the organization's that is told of events."""

    class Why(models.TextChoices):
        """Why it is told nothing."""

        ASKED = "asked"  # an owner has turned it off
        FAILING = "failing"  # it took nothing for days
        GONE = "gone"  # it answered 410: it wants no more

    url = SealedTextField()  # an address may hold a secret of its own
    purpose = SealedTextField(default="")  # why data ids go there: the flow's declaration
    placement = models.CharField(max_length=63)  # code of the place that answers there
    events = models.TextField(blank=True)  # separated by spaces; "": all
    secret = SealedTextField()  # `whsec_…`, which signs
    previous_secret = SealedTextField(default="")  # signs too, until `previous_until`
    previous_until = models.DateTimeField(null=True)
    off = models.CharField(max_length=16, choices=Why, blank=True)  # "": it is told
    on_since = models.DateTimeField(default=timezone.now)  # of what happened before, it hears not
    failing_since = models.DateTimeField(null=True)  # None: the last telling was taken
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantScoped.Meta):
        indexes = [models.Index(fields=["tenant_id", "off"], name="endpoint_on")]

    def sealed_for(self) -> list[UUID]:
        return [self.tenant_id]

    def __str__(self) -> str:
        return str(self.id)


class Event(TenantScoped):
    """Something that happened: the end of a job, told once."""

    type = models.CharField(max_length=63)  # one of events.TYPES
    job_id = models.UUIDField(null=True)  # None: a test
    job_version = models.BigIntegerField(default=0)
    subject_id = models.UUIDField()  # the import, copy or erasure; of a test, the endpoint
    occurred_at = models.DateTimeField()

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "job_id", "job_version"], name="job_end_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant_id", "occurred_at"], name="event_oldest")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Delivery(TenantScoped):
    """One event for one endpoint, and each attempt to tell it."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"  # every attempt was made, or the endpoint was turned off

    endpoint = TenantForeignKey(Endpoint)
    event = TenantForeignKey(Event)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    next_at = models.DateTimeField(default=timezone.now)  # when it is tried next, if pending
    tries = models.IntegerField(default=0)  # since it was last asked for: decides the next pause
    attempts = models.JSONField(default=list)  # [{at, status, error, milliseconds}], oldest first
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True)

    class Meta(TenantScoped.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "endpoint", "event"], name="told_once"),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "endpoint", "state", "next_at"], name="delivery_due"),
            models.Index(fields=["tenant_id", "recorded_at"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)
