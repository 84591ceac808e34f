"""A deletion and what it removed. Holds ids and counts, nothing of what was erased."""

from django.db import models
from django.utils import timezone

from tenants.isolation.tables import TenantScoped


class Erasure(TenantScoped):
    """One deletion. The certificate and the cooling-off will stand beside `counts`."""

    class Target(models.TextChoices):
        MEMORY = "memory"
        CONVERSATION = "conversation"
        IMPORT = "import"
        PERSON = "person"
        ORGANIZATION = "organization"

    target = models.CharField(max_length=16, choices=Target)
    target_id = models.UUIDField()
    person_id = models.UUIDField(null=True)  # whom it is about; no reference: it outlives the row
    job_id = models.UUIDField(null=True)
    counts = models.JSONField(default=dict)  # table or kind of object → how many were removed
    requested_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(fields=["tenant_id", "requested_at", "id"], name="erasure_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.target_id}"
