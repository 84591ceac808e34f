"""What a tenant table is in Python: the mixin, its manager, its foreign key.

The other half, what it is in the database, is `IsolateTenantTable` in operations.py.
"""

from typing import Any, TypeVar

from django.db import models

from souvenir.core.ids import new_id
from tenants.isolation.scope import current_tenant

ModelT = TypeVar("ModelT", bound=models.Model)
SetT = TypeVar("SetT")
GetT = TypeVar("GetT")


class TenantManager(models.Manager[ModelT]):
    """Every query says its tenant. Row-level security says it again, should this be forgotten."""

    def get_queryset(self) -> models.QuerySet[ModelT]:
        return super().get_queryset().filter(tenant_id=current_tenant())


class TenantOwned(models.Model):
    """A row of one organization whose key is its own business (see CompositePrimaryKey)."""

    tenant_id = models.UUIDField(default=current_tenant, editable=False)

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class TenantScoped(TenantOwned):
    """A row of one organization. Its primary key in the database is (tenant_id, id)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta(TenantOwned.Meta):
        abstract = True


class TenantForeignKey(models.ForeignKey[SetT, GetT]):
    """A reference inside one organization.

    Django makes no constraint of it: `IsolateTenantTable` makes (tenant_id, column) →
    (tenant_id, id), so that a row can never point into another tenant. Nothing cascades: erasure
    deletes in an order of its own, and a table it forgot is an error, not an orphan.
    """

    def __init__(self, to: Any, **options: Any) -> None:
        options["on_delete"] = models.DO_NOTHING
        options["db_constraint"] = False
        options["db_index"] = False
        options.setdefault("related_name", "+")
        super().__init__(to, **options)
