"""Serializers that are built once, and then only used: built anew for each request, as DRF would
have it, each copies all of its fields, which costs more than what they are for.
"""

from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any, TypeAlias

from django.utils.translation import get_language
from rest_framework import serializers

Row: TypeAlias = Any  # a mapping, or an object with attributes
_Convert: TypeAlias = Callable[[Any], Any]
_WHOLE_ROW = "*"  # DRF's word
_SIMPLE: tuple[tuple[Any, _Convert], ...] = (
    (serializers.UUIDField, str),
    (serializers.CharField, str),
    (serializers.IntegerField, int),
    (serializers.FloatField, float),
)


def said(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """What a body says, checked.

    Raises:
        rest_framework.exceptions.ValidationError
    """
    # Messages are made in the language of whoever asks first, and kept.
    checked: dict[str, Any] = _built(shape, get_language()).run_validation(
        {} if data is None else data
    )
    return checked


def plainly(shape: serializers.Serializer[Any]) -> Callable[[Row], dict[str, Any]]:
    """What a serializer makes of a row, to be rendered."""
    columns = [(name, _found_by(field), _converted(field)) for name, field in shape.fields.items()]

    def show(row: Row) -> dict[str, Any]:
        shown = {}
        for name, find, convert in columns:
            value = find(row)
            shown[name] = None if value is None else convert(value)
        return shown

    return show


@cache
def _built(
    shape: type[serializers.Serializer[Any]], language: str | None
) -> serializers.Serializer[Any]:
    del language
    return shape()


def _found_by(field: serializers.Field[Any, Any, Any, Any]) -> _Convert:
    source = field.source or ""
    if source == _WHOLE_ROW:
        return lambda row: row
    first, *others = source.split(".")
    if not others:
        return lambda row: _part(row, first)
    return lambda row: reduce(_part, others, _part(row, first))


def _part(row: Row, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _converted(field: Any) -> _Convert:
    if isinstance(field, serializers.ListSerializer):
        child: Any = field.child
        show_one = plainly(child)
        return lambda rows: [show_one(row) for row in rows]
    if isinstance(field, serializers.Serializer):
        return plainly(field)
    return next(
        (simple for kind, simple in _SIMPLE if isinstance(field, kind)), field.to_representation
    )
