"""Columns that hold what people wrote: sealed when a row is written, opened when they are read.

In the database they are bytes that nothing there can read, match or sort. A value is sealed for the
row's subjects (`sealed_for`) and bound to its row, so it opens nowhere else and for nobody without
their keys. An empty value is stored empty: that there is nothing is no secret.
"""

import json
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from souvenir.core.canonical_json import canonical_json
from souvenir.core.sealing import SALT_BYTES, Place, seal, sealed_size, subjects_of, unseal
from tenants.isolation.scope import current_tenant
from tenants.isolation.tables import TenantScoped
from tenants.keyring.services import opening_secrets, sealing_secrets, unwrap_ahead

# These take type arguments in Django's stubs only.
if TYPE_CHECKING:
    _BaseField = models.Field[Any, Any]
    _BaseLookup = models.Lookup[Any]
else:
    _BaseField, _BaseLookup = models.Field, models.Lookup


class SealedColumnUsed(TypeError):
    """A query looks into a sealed column, or writes one past its row: a defect of ours."""

    def __init__(self, column: object) -> None:
        super().__init__(
            f"{column} is sealed: the database cannot look into it, and only save() and "
            "bulk_create() write it. Read the rows, and compare in Python."
        )


class SealedRecord(TenantScoped):
    """A row with sealed columns. Says whose keys it is sealed with."""

    class Meta(TenantScoped.Meta):
        abstract = True

    def sealed_for(self) -> list[UUID]:
        """The subjects whose keys, all of them, open this row: persons, or a shared store."""
        raise NotImplementedError


class Sealed:
    """A column's value as it stands in the database: not opened, and not to be looked at."""

    __slots__ = ("stored",)

    def __init__(self, stored: bytes) -> None:
        self.stored = stored

    def __repr__(self) -> str:
        return f"<sealed, {len(self.stored)} bytes>"


class _Refused(_BaseLookup):
    """What a filter on a sealed column is given."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        del rhs
        raise SealedColumnUsed(lhs.target.name)


class _Opening(DeferredAttribute):
    """Opens a value when it is first read; until then, and if it never is, it stays sealed."""

    field: "SealedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__.get(self.field.attname, self)
        if value is self:
            value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = self.field.opened(
                value.stored, tenant_id=instance.tenant_id, record_id=instance.id
            )
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(_BaseField):
    """What the kinds of sealed column share. Use one of them."""

    descriptor_class = _Opening
    empty: Any = None  # the value that is stored as no bytes at all

    def to_bytes(self, value: Any) -> bytes:
        """A value as the bytes that are sealed."""
        raise NotImplementedError

    def from_bytes(self, plain: bytes) -> Any:
        """The value again."""
        raise NotImplementedError

    def sealed(self, instance: SealedRecord) -> Sealed | None:
        """This column of a row, sealed for the row's subjects with their newest keys."""
        value = instance.__dict__[self.attname]
        if value is None or isinstance(value, Sealed):
            return value
        if value == self.empty:
            return Sealed(b"")
        return Sealed(
            seal(
                self.to_bytes(value),
                place=self._place(instance.tenant_id, instance.id),
                secrets=sealing_secrets(instance.sealed_for()),
                salt=secrets.token_bytes(SALT_BYTES),
            )
        )

    def opened(self, stored: bytes, *, tenant_id: UUID, record_id: UUID) -> Any:
        """The value of a column that was read past its row, as raw SQL does.

        Raises:
            ContentGone: the key of one of its subjects was destroyed.
            SealBroken, KeystoreUnavailable, KeyRefused
        """
        if not stored:
            return type(self.empty)()
        place = self._place(tenant_id, record_id)
        opening = opening_secrets(subjects_of(stored), tenant_id=tenant_id)
        return self.from_bytes(unseal(stored, place=place, secrets=opening))

    def stored_size(self, value: Any, *, subjects: int = 1) -> int:
        """How many bytes a value takes up in the database, sealed for so many subjects."""
        if value == self.empty:
            return 0
        return sealed_size(len(self.to_bytes(value)), subjects=subjects)

    def _place(self, tenant_id: UUID, record_id: UUID) -> Place:
        return Place(tenant_id, self.model._meta.db_table, str(self.column), str(record_id))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 (Django's)
        if not isinstance(model_instance, SealedRecord):
            msg = f"{type(model_instance).__name__} has a sealed column: inherit from SealedRecord."
            raise TypeError(msg)
        if self.attname not in model_instance.__dict__:
            getattr(model_instance, self.attname)
        return self.sealed(model_instance)

    def get_prep_value(self, value: Any) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise SealedColumnUsed(self.name)
        return value.stored

    def from_db_value(self, value: Any, *_: object) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else _Refused

    def get_internal_type(self) -> str:
        return "BinaryField"


class SealedTextField(SealedField):
    """Text, as UTF-8."""

    empty = ""

    def to_bytes(self, value: Any) -> bytes:
        return bytes(value.encode())

    def from_bytes(self, plain: bytes) -> str:
        return plain.decode()


class SealedJsonField(SealedField):
    """A JSON value, as canonical bytes: keys sorted, no spaces, UTF-8."""

    empty: Any = {}

    def to_bytes(self, value: Any) -> bytes:
        return canonical_json(value)

    def from_bytes(self, plain: bytes) -> Any:
        return json.loads(plain)


class SealedBytesField(SealedField):
    """Bytes as they are."""

    empty = b""

    def to_bytes(self, value: Any) -> bytes:
        return bytes(value)

    def from_bytes(self, plain: bytes) -> bytes:
        return plain


def open_ahead(rows: Iterable[models.Model]) -> None:
    """Have the keys of a page of rows unwrapped in one question, before each row asks for its own.

    Rows without sealed columns are passed over, and what is gone says so when it is read.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    values = [
        value
        for row in rows
        for field in sealed_columns(type(row))
        if isinstance(value := row.__dict__.get(field.attname), Sealed) and value.stored
    ]
    entries = {entry for value in values for entry in subjects_of(value.stored)}
    unwrap_ahead(entries, tenant_id=current_tenant())


def opened(model: type[SealedRecord], name: str, record_id: UUID, stored: bytes) -> Any:
    """A sealed column that raw SQL read of a row of the organization in scope.

    Raises:
        ContentGone, SealBroken, KeystoreUnavailable, KeyRefused
    """
    return sealed_column(model, name).opened(
        bytes(stored), tenant_id=current_tenant(), record_id=record_id
    )


def sealed_column(model: type[SealedRecord], name: str) -> SealedField:
    """A sealed column of a table, by its name."""
    field = model._meta.get_field(name)
    if not isinstance(field, SealedField):
        msg = f"{model.__name__}.{name} is not sealed."
        raise TypeError(msg)
    return field


def sealed_columns(model: type[models.Model]) -> list[SealedField]:
    """All sealed columns of a table."""
    return [field for field in model._meta.local_fields if isinstance(field, SealedField)]
