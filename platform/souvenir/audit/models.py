"""The log's tables. None is ever updated, and nothing refers to another table: the log outlives
what it speaks of. Control tables with rules of their own: see tenants/migrations/0007_audit_log.py.
"""

from typing import ClassVar

from django.db import models

from souvenir.audit.entries import Facts


class Entry(models.Model):
    """One event. The database shows the run-time role those of the organization in scope; with no
    scope, those of the cell. Written once; nobody may change or remove it.
    """

    id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=127)
    action = models.CharField(max_length=63)
    object = models.CharField(max_length=127)
    person_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=63)
    outcome = models.CharField(max_length=16)
    details = models.JSONField()
    sealed = models.BinaryField()
    leaf_hash = models.BinaryField()  # of `facts`, when it was written

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "at", "id"], name="audit_newest"),
            models.Index(fields=["organization_id", "object", "at"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object}"

    @property
    def facts(self) -> Facts:
        """What its hash is over."""
        values = {name: getattr(self, name) for name in Facts.__dataclass_fields__}
        return Facts(**values | {"sealed": bytes(self.sealed)})


class Waiting(models.Model):
    """An entry that has no place in the tree yet: written with it, gone when it is placed."""

    entry_id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    leaf_hash = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["at", "entry_id"], name="audit_oldest")]

    def __str__(self) -> str:
        return str(self.entry_id)


class Node(models.Model):
    """A whole node of the tree. At level 0 it is an entry's leaf, and its position the entry's
    number in the log.
    """

    pk = models.CompositePrimaryKey("level", "position")
    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField()
    entry_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["entry_id"], condition=models.Q(level=0), name="placed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class Checkpoint(models.Model):
    """What the tree was at one moment, signed."""

    size = models.BigIntegerField(primary_key=True)  # entries
    root = models.BinaryField()
    note = models.TextField()  # see notes.py
    verifier_key = models.CharField(max_length=400)  # of the key that signed it
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.size} entries"
