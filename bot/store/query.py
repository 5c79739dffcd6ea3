"""What the two stores agree on, so that they cannot differ: filters, changes, documents.

Everything a caller hands to a store is checked and turned into BSON values here, by
the fields of the document class. The backends only say it in their own language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import bson
from bson import ObjectId
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from mongoengine import (
    BooleanField,
    Document,
    FloatField,
    IntField,
    ObjectIdField,
    StringField,
    ValidationError,
)
from mongoengine.errors import FieldDoesNotExist

from bot.store.errors import Unindexed
from bot.store.fields import UtcField

D = TypeVar("D", bound=Document)
Order = list[tuple[str, int]]

#: MongoDB's limit of a document in bytes; the embedded store holds to it too, so that
#: what was tried on a laptop can be kept in production.
#: https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size
MAX_DOCUMENT = 16 * 1024 * 1024
#: Values in one ``$in``.
MAX_IN = 10_000

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, tzinfo=timezone.utc, uuid_representation=UuidRepresentation.STANDARD
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: What encoding raises, by and by, for what BSON cannot hold.
_NOT_BSON = (BSONError, ValueError, OverflowError, TypeError, RecursionError)
_RANGES = ("$lt", "$lte", "$gt", "$gte")
#: Fields whose values both stores compare and sort alike. A list would need MongoDB's
#: multikey indexes, a dictionary its whole-object order.
_INDEXABLE = (StringField, IntField, FloatField, BooleanField, ObjectIdField, UtcField)


@dataclass(frozen=True, slots=True)
class Index:
    """One declared index: its fields by their stored names, 1 ascending, -1 descending."""

    fields: tuple[tuple[str, int], ...]
    unique: bool

    @property
    def name(self) -> str:
        """A name that says it all: ``conversation_1_seq_1``, as MongoDB would call it."""
        return "_".join(f"{field}_{direction}" for field, direction in self.fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a store needs to know of a document class.

    `required` are the stored names of fields that are never missing.
    """

    collection: str
    indexes: tuple[Index, ...]
    indexed: frozenset[str]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a filter. `operator` is ``$eq`` for plain equality."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What `Store.change` does to a document, by stored names and in BSON values."""

    set: dict[str, Any]
    unset: tuple[str, ...]
    inc: dict[str, int | float]
    max: dict[str, Any]

    def apply(self, son: dict[str, Any]) -> dict[str, Any]:
        """Return `son` changed as MongoDB would change it."""
        new = {**son, **self.set}
        for field in self.unset:
            new.pop(field, None)
        for field, amount in self.inc.items():
            new[field] = (new.get(field) or 0) + amount
        for field, value in self.max.items():
            if new.get(field) is None or new[field] < value:
                new[field] = value
        return new


@dataclass(frozen=True, slots=True)
class Packed:
    """A valid document: its `_id`, its stored fields, and the whole of it as BSON."""

    id: Any
    son: dict[str, Any]
    blob: bytes


_plans: dict[type[Document], Plan] = {}


def plan(cls: type[Document]) -> Plan:
    """Return the plan of a document class.

    Raises TypeError for what lies outside the plain subset: inheritance, sparse,
    expiring, text and hashed indexes, indexes on lists and nested fields.
    """
    if cls not in _plans:
        _plans[cls] = _read_plan(cls)
    return _plans[cls]


def _read_plan(cls: type[Document]) -> Plan:
    meta = cls._meta
    if meta.get("allow_inheritance"):
        raise TypeError(f"{cls.__name__}: documents that inherit cannot be stored")
    by_stored_name = {field.db_field: field for field in cls._fields.values()}
    indexes = []
    for spec in meta["index_specs"]:
        fields = tuple(spec["fields"])
        options = sorted(spec.keys() - {"fields", "unique", "sparse", "cls", "name"})
        if spec.get("sparse"):
            options.append("sparse")
        if options:
            raise TypeError(f"{cls.__name__}: index {fields} has {', '.join(options)}")
        for name, direction in fields:
            if direction not in (1, -1):
                raise TypeError(f"{cls.__name__}: index {fields} is of the kind {direction!r}")
            if not isinstance(by_stored_name.get(name), _INDEXABLE):
                raise TypeError(f"{cls.__name__}: {name} holds no plain value to be indexed")
        indexes.append(Index(fields, bool(spec.get("unique"))))
    return Plan(
        collection=cls._get_collection_name(),
        indexes=tuple(dict.fromkeys(indexes)),
        indexed=frozenset(name for index in indexes for name, _ in index.fields),
        required=frozenset(name for name, field in by_stored_name.items() if field.required),
    )


def _stored_name(cls: type[Document], name: str) -> str:
    """The stored name of a field a query may use."""
    field = cls._fields.get(name)
    stored: str = field.db_field if field is not None else ""
    if stored != "_id" and stored not in plan(cls).indexed:
        raise Unindexed(f"{cls.__name__}.{name} is in no index of the document")
    return stored


def _bson_value(cls: type[Document], name: str, value: Any, *, choices: bool = False) -> Any:
    """`value` as the field `name` stores it; ValidationError when it cannot be one."""
    field = cls._fields.get(name)
    if field is None:
        raise FieldDoesNotExist(f"{cls.__name__} has no field {name}")
    try:
        if choices:
            field._validate(value)
        else:
            field.validate(value)
        value = field.to_mongo(value)
        bson.encode({"": value}, codec_options=CODEC)
    except _NOT_BSON as error:
        raise ValidationError(f"{cls.__name__}.{name}: {error}") from error
    if isinstance(value, float) and math.isnan(value):
        raise ValidationError(f"{cls.__name__}.{name}: not a number")
    return value


def identity(cls: type[Document], id: Any) -> Any:
    """`id` as the class stores it; None when no document can have such an id."""
    if id is None:
        return None
    try:
        return _bson_value(cls, cls._meta["id_field"], id)
    except ValidationError:
        return None


def conditions(cls: type[Document], where: Mapping[str, Any]) -> list[Condition]:
    """Check a filter.

    Raises Unindexed, ValueError for a malformed operator, and mongoengine's
    ValidationError for a value the field cannot hold (which would find nothing on
    one server and everything on another).
    """
    found = []
    for name, wanted in where.items():
        field = _stored_name(cls, name)
        if not isinstance(wanted, Mapping):
            wanted = {"$eq": wanted}
        if not wanted:
            raise ValueError(f"{cls.__name__}.{name}: an empty filter")
        for operator, value in wanted.items():
            if operator == "$in":
                if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
                    raise ValueError(f"{cls.__name__}.{name}: $in needs a list")
                values = list(value)
                if len(values) > MAX_IN:
                    raise ValueError(f"{cls.__name__}.{name}: $in takes at most {MAX_IN} values")
                value = [v if v is None else _bson_value(cls, name, v) for v in values]
            elif operator in ("$eq", "$ne"):
                value = value if value is None else _bson_value(cls, name, value)
            elif operator in _RANGES:
                if value is None:
                    raise ValueError(f"{cls.__name__}.{name}: {operator} needs a value")
                value = _bson_value(cls, name, value)
            else:
                raise ValueError(f"{cls.__name__}.{name}: there is no operator {operator!r}")
            found.append(Condition(field, operator, value))
    return found


def order(cls: type[Document], sort: Sequence[str]) -> Order:
    """Check a sort: stored names with 1 or -1. Raises Unindexed."""
    if isinstance(sort, str):
        raise TypeError("a sort is a list of field names")
    return [
        (_stored_name(cls, name.removeprefix("-")), -1 if name.startswith("-") else 1)
        for name in sort
    ]


def window(limit: int, skip: int) -> None:
    """Check a limit and a skip. Raises ValueError when one is negative."""
    if limit < 0 or skip < 0:
        raise ValueError("limit and skip cannot be negative")


def change(
    cls: type[Document],
    set: Mapping[str, Any] | None,
    unset: Sequence[str],
    inc: Mapping[str, int] | None,
    max: Mapping[str, Any] | None,
) -> Change:
    """Check a change.

    Setting None takes the field away, as saving a document does. Raises ValueError
    for an empty change, one field changed twice, or a changed `_id`; mongoengine's
    ValidationError for a value the field cannot hold and for taking away a required
    one, and its FieldDoesNotExist.
    """
    set, inc, max = set or {}, inc or {}, max or {}
    names = [*set, *unset, *inc, *max]
    if not names:
        raise ValueError(f"{cls.__name__}: nothing to change")
    if len(frozenset(names)) < len(names):
        raise ValueError(f"{cls.__name__}: a field is changed twice")
    for name in names:
        field = cls._fields.get(name)
        if field is None:
            raise FieldDoesNotExist(f"{cls.__name__} has no field {name}")
        if field.db_field == "_id":
            raise ValueError(f"{cls.__name__}: the id cannot be changed")
    gone = (*unset, *(name for name, value in set.items() if value is None))
    for name in gone:
        if cls._fields[name].required:
            raise ValidationError(f"{cls.__name__}.{name} is required")
    for name, amount in inc.items():
        if not isinstance(cls._fields[name], (IntField, FloatField)):
            raise ValidationError(f"{cls.__name__}.{name} is not a number")
        whole = isinstance(cls._fields[name], IntField)
        if isinstance(amount, bool) or not isinstance(amount, int if whole else (int, float)):
            raise ValidationError(f"{cls.__name__}.{name}: cannot add {amount!r}")
    for name in max:
        if not isinstance(cls._fields[name], _INDEXABLE):
            raise ValidationError(f"{cls.__name__}.{name} holds no plain value to compare")

    def stored(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            cls._fields[name].db_field: _bson_value(cls, name, value, choices=True)
            for name, value in values.items()
            if value is not None
        }

    return Change(
        set=stored(set),
        unset=tuple(cls._fields[name].db_field for name in gone),
        inc={cls._fields[name].db_field: _bson_value(cls, name, n) for name, n in inc.items()},
        max=stored(max),
    )


def encode(cls: type[Document], son: Mapping[str, Any]) -> bytes:
    """Return stored fields as BSON. Raises mongoengine's ValidationError when they are none."""
    try:
        blob = bson.encode(son, codec_options=CODEC)
    except _NOT_BSON as error:
        raise ValidationError(f"{cls.__name__}: {error}") from error
    if len(blob) > MAX_DOCUMENT:
        raise ValidationError(f"{cls.__name__}: {len(blob)} bytes, more than {MAX_DOCUMENT}")
    return blob


def pack(document: Document) -> Packed:
    """Validate and encode a document; give it an id when its class makes them.

    Raises mongoengine's ValidationError, also for what BSON cannot hold: integers
    past 64 bits, lone surrogates, keys that are no strings.
    """
    cls = type(document)
    if document.pk is None and isinstance(cls._fields[cls._meta["id_field"]], ObjectIdField):
        document.pk = ObjectId()
    document.validate()
    if document.pk is None:
        raise ValidationError(f"{cls.__name__}: a document without an id")
    try:
        son = dict(document.to_mongo())
    except _NOT_BSON as error:
        raise ValidationError(f"{cls.__name__}: {error}") from error
    for field in plan(cls).indexed:
        if isinstance(value := son.get(field), float) and math.isnan(value):
            raise ValidationError(f"{cls.__name__}.{field}: not a number")
    return Packed(son["_id"], son, encode(cls, son))


def unpack(cls: type[D], son: Mapping[str, Any]) -> D:
    """Make a document of stored fields.

    Fields the class does not know are left out: while a new version is rolled out the
    old one reads what the new one wrote.
    """
    try:
        document: D = cls._from_son(son)
    except FieldDoesNotExist:
        known = {field.db_field for field in cls._fields.values()}
        document = cls._from_son({name: son[name] for name in son if name in known})
    return document


def scalar(value: Any) -> str | int | float | None:
    """Return a BSON value as one SQLite compares in the same order as MongoDB.

    Times become milliseconds since 1970, ObjectIds hexadecimal text. Raises
    mongoengine's ValidationError for what has no such order.
    """
    if value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, ObjectId):
        return str(value)
    raise ValidationError(f"a {type(value).__name__} cannot be indexed")
