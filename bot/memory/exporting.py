"""Everything that is kept of a person, in a form that machines read (GDPR articles 15 and 20)."""

from __future__ import annotations

import base64
import json
import math
import os
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from bson import ObjectId
from mongoengine import Document

from bot.identity import Person
from bot.media.vault import AsyncVault, NotInVault
from bot.memory.asking import given_up
from bot.memory.keeping import recall
from bot.memory.letters import unread_letters
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.consents import Consent
from bot.store.conversations import Conversation
from bot.store.customers import Customer, Merge
from bot.store.dead_letters import DeadLetter
from bot.store.deeds import Deed
from bot.store.files import KEPT, StoredFile
from bot.store.gaps import Gap
from bot.store.journal import Entry
from bot.store.lessons import Lesson
from bot.store.memory import Fact
from bot.store.messages import Message
from bot.store.proofs import Challenge, Miss, Proof, ProofTry
from bot.store.reviews import Review
from bot.store.steps import Step, Undertaking
from bot.store.turns import Turn

_PAGE = 200
_PARTS: tuple[tuple[str, type[Document], str, str], ...] = (
    ("messages", Message, "arrived", "arrived"),
    ("turns", Turn, "seq", "at"),
    ("cases", Case, "at", "at"),
    ("journal", Entry, "arrived", "at"),
    ("deeds", Deed, "arrived", "at"),
    ("reviews", Review, "at", "at"),
    ("gaps", Gap, "at", "at"),
    ("lessons", Lesson, "seq", "at"),
    ("consents", Consent, "at", "at"),
    ("steps", Step, "at", "at"),
    ("undertakings", Undertaking, "at", "at"),
    ("files", StoredFile, "at", "at"),
)
#: What is of a customer by his id, and in what field that is.
_OF_CUSTOMERS: tuple[tuple[str, type[Document], str, str], ...] = (
    ("proofs", Proof, "customer", "until"),
    ("codes", Challenge, "customer", "made"),
    ("wrong_codes", ProofTry, "person", "at"),
    ("wrong_numbers", Miss, "person", "at"),
)
#: The kinds of rows that are exported. Slack has copies of these, and codes that join two
#: addresses say nothing else.
EXPORTED = frozenset(
    {Customer, Merge, Conversation, Fact, DeadLetter, *(part[1] for part in _PARTS)}
    | {part[1] for part in _OF_CUSTOMERS}
)
# What says which process works on a row, and nothing of a customer; and what opens something:
# codes, a file's link, and the headers of a request, which hold the provider's secret. Its body
# may have messages of others in it.
_OURS = frozenset({"owner", "lease_owner", "lease_until", "lease_epoch", "due", "attempts"})
_SECRET = frozenset({"hashed", "letter", "handle", "headers", "query", "body"})


async def export(store: AsyncStore, found: Person) -> dict[str, Any]:
    """Return all of it as plain values: who it is, what is remembered, and by address the rest."""
    told: dict[str, Any] = {
        "exported": utcnow().isoformat(),
        "id": found.id,
        "name": found.name,
        "language": found.language,
        "phones": list(found.phones),
        "memory": [one.plain() for one in (await recall(store, found)).known],
        "customers": [plain(member) for member in found.members],
        "merges": [plain(one) for one in found.merges],
        "addresses": {},
    }
    for member in found.members:
        address = str(member.address)
        until = await given_up(store, member, found)
        here: dict[str, Any] = {
            "conversation": None,
            "facts": [plain(f) for f in await store.find(Fact, {"customer": member.id})],
        }
        talk = await store.get(Conversation, address)
        if talk is not None and not until:
            here["conversation"] = plain(talk)
        for name, cls, order, at in _PARTS:
            rows = await store.find(cls, {"conversation": address}, sort=(order,))
            here[name] = [plain(row) for row in rows if not until or _micro(row, at) <= until]
        for name, cls, whose, order in _OF_CUSTOMERS:
            here[name] = [
                plain(row) for row in await store.find(cls, {whose: str(member.id)}, sort=(order,))
            ]
        here["dead_letters"] = await _letters(store, address, here, until)
        told["addresses"][address] = here
    return told


async def _letters(
    store: AsyncStore, address: str, here: dict[str, Any], until: int
) -> list[dict[str, Any]]:
    """Return what could not be dealt with: of his messages and files, and requests of his."""
    ids = [row["_id"] for name in ("messages", "files") for row in here[name]]
    rows = [
        row
        for start in range(0, len(ids), _PAGE)
        for row in await store.find(DeadLetter, {"ref": {"$in": ids[start : start + _PAGE]}})
    ]
    rows += await unread_letters(store, address)
    return [plain(row) for row in rows if not until or _micro(row, "at") <= until]


async def write(path: Path, told: dict[str, Any], vault: AsyncVault) -> int:
    """Write an export into a new file; return how many files are in it.

    With the ending ``.zip`` it holds ``data.json`` and the customer's files, else it is the JSON
    alone. Nobody else may read it. Raises OSError.
    """
    text = json_of(told)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        if path.suffix.lower() != ".zip":
            out.write(text.encode("utf-8", "replace"))
            return 0
        count = 0
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.json", text.encode("utf-8", "replace"))
            for address in told["addresses"].values():
                for file in address["files"]:
                    if file.get("status") != KEPT:
                        continue
                    try:
                        data = await vault.get(str(file["key"]))
                    except NotInVault:
                        continue
                    name = _name(file)
                    archive.writestr(f"files/{count:04}-{name}", data)
                    count += 1
        return count


def json_of(told: dict[str, Any]) -> str:
    """Return an export as JSON. NaN, which JSON has not, is null."""
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)


def _name(file: dict[str, Any]) -> str:
    return str(file.get("filename") or "file").replace("/", "_").replace("\\", "_")[-80:]


def plain(row: Document) -> dict[str, Any]:
    """Return a document as values that JSON has, times in ISO 8601, bytes in base 64."""
    son: dict[str, Any] = row.to_mongo().to_dict()
    told: dict[str, Any] = _plain(
        {key: value for key, value in son.items() if key not in _OURS | _SECRET}
    )
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, ObjectId) else value


def _micro(row: Any, field: str) -> int:
    value = getattr(row, field)
    return value if isinstance(value, int) else int(value.timestamp() * 1_000_000)
