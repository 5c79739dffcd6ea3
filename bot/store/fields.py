"""Document fields that mongoengine lacks."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mongoengine.base import BaseField


class UtcField(BaseField):
    """An aware time in UTC, cut to the milliseconds MongoDB keeps.

    mongoengine's own DateTimeField takes naive times and rounds on one side only,
    so that a document read back differs from the one written.
    """

    if TYPE_CHECKING:
        # An attribute of a document is the value, not the field.
        def __get__(self, instance: Any, owner: Any) -> Any: ...

        def __set__(self, instance: Any, value: Any) -> None: ...

    def validate(self, value: Any, clean: bool = True) -> None:
        """Refuse what is not an aware datetime."""
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.error(f"{self.name}: {value!r} is not a datetime with a time zone")

    def to_mongo(self, value: Any) -> Any:
        """Return the value in UTC, cut to milliseconds."""
        if not isinstance(value, datetime):
            return value
        value = value.astimezone(timezone.utc)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)

    def to_python(self, value: Any) -> Any:
        """Return the value untouched.

        mongoengine calls this for what a caller hands to a document as well as for what
        the stores read, which is aware. To take a naive time for UTC here would let one
        in local time pass, hours off.
        """
        return value


class RawField(BaseField):
    """Plain dictionaries, lists and scalars, kept as they are.

    mongoengine's DictField walks and wraps every nested value on each read and
    write, which costs more than the rest of a turn's storage.
    """

    if TYPE_CHECKING:
        # An attribute of a document is the value, not the field.
        def __get__(self, instance: Any, owner: Any) -> Any: ...

        def __set__(self, instance: Any, value: Any) -> None: ...

    def to_mongo(self, value: Any) -> Any:
        """Return the value untouched."""
        return value

    def to_python(self, value: Any) -> Any:
        """Return the value untouched."""
        return value
