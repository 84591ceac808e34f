"""Rows of the keyring. In production they stand in a database of their own."""

from django.db import models
from django.utils import timezone

from souvenir.core.ids import new_id
from tenants.isolation.tables import TenantOwned


class SubjectKey(TenantOwned):
    """One version of one subject's key, wrapped. A destroyed one stays as an empty row, so that it
    is never made again.
    """

    pk = models.CompositePrimaryKey("tenant_id", "subject_id", "version")
    subject_id = models.UUIDField()  # a person, a shared store, or the organization itself
    version = models.IntegerField()  # 1, 2, …; the highest seals
    wrapped = models.BinaryField()  # by the organization's key; empty once destroyed
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.subject_id} v{self.version}"


class IndexKey(TenantOwned):
    """One epoch of the key that an organization's search tokens are made with, wrapped."""

    pk = models.CompositePrimaryKey("tenant_id", "epoch")
    epoch = models.IntegerField()  # 1, 2, …; the highest is written, all that are here are asked
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"epoch {self.epoch}"


class KeyChange(models.Model):
    """Tells every process to drop a key it holds: it was destroyed, or has a newer version.

    Ids only. A table and not a notification: it crosses a pooler in transaction mode, and a process
    that missed it reads it at its next look. Older than the life of an unwrapped key, it may go.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField()
    subject_id = models.UUIDField(null=True)  # None: all of the organization's
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["at"], name="keychange_newest")]

    def __str__(self) -> str:
        return str(self.id)
