"""What requests say: what no field is named for is refused."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

_MOST_TOLD, _LONGEST_TOLD = 20, 100


class Body(serializers.Serializer[Any]):
    """A body whose every field is known. Passed over, a misspelt filter would filter nothing."""

    besides: ClassVar[frozenset[str]] = frozenset()  # what something else reads

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - self.fields.keys() - self.besides)
            if unknown:
                detail = ErrorDetail(self._what_there_is(), code="unknown-field")
                raise ValidationError({n[:_LONGEST_TOLD]: [detail] for n in unknown[:_MOST_TOLD]})
        return super().to_internal_value(data)

    def _what_there_is(self) -> str:
        known = ", ".join(sorted(self.fields.keys() | self.besides))
        return gettext("There is no such field here, but: %(known)s.") % {"known": known}


class ListQuery(Body):
    """What the query of a list of pages may say."""

    besides = frozenset({"cursor", "limit"})
