"""A finished or coming copy of everything."""

from django.db import models
from django.utils import timezone

from souvenir.memories.models import Person
from tenants.isolation.tables import TenantForeignKey, TenantScoped


class Export(TenantScoped):
    """One archive, of one person or of the whole organization. Its bytes: object `exports/<id>`."""

    person = TenantForeignKey(Person, null=True)  # None: the whole organization
    job_id = models.UUIDField(null=True)
    size_bytes = models.BigIntegerField(null=True)  # None until written
    sha256 = models.CharField(max_length=64, default="")  # of the zip, hex
    expires_at = models.DateTimeField(null=True)  # set when written; then the bytes are removed
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantScoped.Meta):
        indexes = [
            models.Index(fields=["tenant_id", "recorded_at", "id"], name="export_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)
