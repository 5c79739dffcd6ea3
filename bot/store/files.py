"""Customers' files: what is to be fetched, and what became of it. The bytes are in the vault."""

from __future__ import annotations

import hashlib

from mongoengine import Document, IntField, StringField

from bot.message import Album, Media, clean, decode, encode, utcnow
from bot.store.fields import RawField, UtcField
from bot.store.messages import Message

#: To be fetched; in the vault; never to be had or not to be kept, `reason` says why.
WANTED, KEPT, REFUSED = "wanted", "kept", "refused"


class StoredFile(Document):
    """`_id` is ``inbound id:n``, n from 0 within the message.

    `handle` names it in links and tells nothing else. `type` is `bot.message.MediaType`,
    `media` what the connector is to fetch. Once kept: `mime` is found by content,
    `filename` is safe to show and to save by, `size` is in bytes, and the vault has it under
    `key`, which is the content's `sha256`. `due` is when a wanted one may be worked on;
    `owner` is the process at work on it, `deaths` how many died at it; `at` is when it came
    to be wanted. `sensed` is a `bot.message.Sensed` as plain data, what a model made of it, at
    `sensed_at`; `sense_tries` is how often one was asked.
    """

    id = StringField(primary_key=True)
    handle = StringField(required=True)
    message = StringField(required=True)
    conversation = StringField(required=True)
    channel = StringField(required=True)
    account = StringField(required=True)
    status = StringField(required=True, choices=(WANTED, KEPT, REFUSED))
    type = StringField(required=True)
    media = RawField(required=True)
    mime = StringField(default="")
    filename = StringField(default="")
    size = IntField(default=0)
    sha256 = StringField(default="")
    key = StringField(default="")
    reason = StringField(default="")
    due = UtcField(required=True)
    attempts = IntField(default=0)
    owner = StringField(default="")
    deaths = IntField(default=0)
    at = UtcField(required=True)
    sensed = RawField()
    sensed_at = UtcField()
    sense_tries = IntField(default=0)

    meta = {
        "collection": "files",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("channel", "account", "status", "due"),
            ("status", "owner"),
            ("message",),
            ("conversation", "at"),
            ("handle",),
            ("key",),
        ],
    }


def handle_of(id: str) -> str:
    """Return the name in links of the file with this `_id`.

    The id itself holds the provider's, which may hold a telephone number.
    """
    return hashlib.sha256(f"file\n{id}".encode()).hexdigest()[:32]


def wanted(message: Message) -> list[StoredFile]:
    """Return the rows of the files that came with an inbound message; [] without any.

    For `Store.insert_new`: made again they are the same rows, and are not inserted again.
    """
    content = decode(message.content)
    items = content.items if isinstance(content, Album) else (content,)
    now = utcnow()
    return [
        StoredFile(
            id=f"{message.id}:{n}",
            handle=handle_of(f"{message.id}:{n}"),
            message=message.id,
            conversation=message.conversation,
            channel=message.channel,
            account=message.account,
            status=WANTED,
            type=media.type,
            media=encode(media),
            filename=clean(media.filename),
            due=now,
            at=now,
        )
        for n, media in enumerate(items)
        if isinstance(media, Media)
    ]
