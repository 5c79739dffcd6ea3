"""The knowledge base as every worker sees it; made of the files by ``bot knowledge sync``."""

from __future__ import annotations

from mongoengine import BinaryField, Document, IntField, StringField

from bot.store.fields import RawField, UtcField


class StoredArticle(Document):
    """`_id` is the article's id. `digest` is of everything in the file that counts."""

    id = StringField(primary_key=True)
    digest = StringField(required=True)
    article = RawField(required=True)
    passages = IntField(default=0)
    at = UtcField(required=True)

    meta = {
        "collection": "articles",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",)],
    }


class StoredVector(Document):
    """An embedding. `_id` is ``MODEL:DIGEST``; `vector` is little-endian float32, length 1."""

    id = StringField(primary_key=True)
    model = StringField(required=True)
    digest = StringField(required=True)
    vector = BinaryField(required=True)

    meta = {
        "collection": "vectors",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("model", "digest")],
    }


class Edition(Document):
    """One row, `_id` ``knowledge``: `number` grows at each sync that changed anything.

    `state` is a digest of the articles it stands for.
    """

    id = StringField(primary_key=True)
    number = IntField(default=0)
    state = StringField(default="")
    at = UtcField(required=True)

    meta = {
        "collection": "editions",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [],
    }
