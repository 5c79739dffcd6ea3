"""The plain subset of queries, and indexes, in SQLite's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.store import query
from bot.store.query import Condition, Index, Plan

_COMPARISONS = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def where_clause(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    """Return a WHERE clause and its parameters."""
    terms, values = [], []
    for condition in conditions:
        column, operator, value = quoted(condition.field), condition.operator, condition.value
        if operator in ("$eq", "$ne") and value is None:
            terms.append(f"{column} IS {'NOT ' if operator == '$ne' else ''}NULL")
        elif operator == "$in":
            present = [query.scalar(v) for v in value if v is not None]
            term = f"{column} IN ({','.join('?' * len(present))})"
            terms.append(f"({term} OR {column} IS NULL)" if None in value else term)
            values += present
        else:
            # IS NOT finds rows without a value too, as MongoDB's $ne does.
            sign = {"$eq": "=", "$ne": "IS NOT"}.get(operator) or _COMPARISONS[operator]
            terms.append(f"{column} {sign} ?")
            values.append(query.scalar(value))
    return (" WHERE " + " AND ".join(terms) if terms else ""), values


def order_by(order: query.Order) -> str:
    """Return an ORDER BY clause, "" for no order."""
    # NULL sorts first, as a missing field does in MongoDB.
    terms = [f"{quoted(field)}{' DESC' if direction < 0 else ''}" for field, direction in order]
    return " ORDER BY " + ", ".join(terms) if terms else ""


def index_statements(plan: Plan) -> dict[str, str]:
    """Return the SQLite indexes of a plan: name to statement.

    To MongoDB a missing field is a value like any other, so that two documents
    without it break a unique index; to SQLite NULLs all differ. A unique index on a
    field that may be missing is therefore put on an expression with a stand-in no
    document can hold, and a plain one beside it serves the queries.
    """
    wanted = {}

    def add(index: Index, *, unique: bool, columns: Sequence[str]) -> None:
        name = f"{plan.collection}:{index.name}{':unique' if unique else ''}"
        wanted[name] = (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {quoted(name)}"
            f" ON {quoted(plan.collection)} ({', '.join(columns)})"
        )

    for index in plan.indexes:
        columns = [f"{quoted(f)}{' DESC' if d < 0 else ''}" for f, d in index.fields]
        always_there = all(f == "_id" or f in plan.required for f, _ in index.fields)
        if not index.unique or not always_there:
            add(index, unique=False, columns=columns)
        if index.unique and not always_there:
            columns = [f"ifnull({quoted(f)}, x'')" for f, _ in index.fields]
        if index.unique:
            add(index, unique=True, columns=columns)
    return wanted
