"""Trained models: what is known of each, and which one is in use."""

from __future__ import annotations

from mongoengine import BooleanField, Document, IntField, StringField

from bot.store.fields import RawField, UtcField

CANDIDATE, IN_USE, RETIRED, FAILED = "candidate", "in_use", "retired", "failed"
#: The `_id` of the one pointer there is.
POINTER = "in_use"


class StoredModel(Document):
    """`_id` is the name of its file without ``.tar.gz``; the vault has its bytes under `sha256`.

    `fingerprint` is that of the data it was trained from, "" when that is not known.
    `report` is `bot.dialogue.comparing.Exam.compact`. `forced` tells that it was promoted
    against `obstacles`; `withdrawn`, that a rollback took it out of use, so that it is not
    promoted again by itself. `failed_at` names hosts that could not load it, and why.
    `status` may lag behind the pointer, which is what counts.
    """

    id = StringField(primary_key=True)
    fingerprint = StringField(default="")
    created = UtcField(required=True)
    trained_on = StringField(default="")
    sha256 = StringField(required=True)
    size = IntField(required=True)
    status = StringField(default=CANDIDATE, choices=(CANDIDATE, IN_USE, RETIRED, FAILED))
    report = RawField()
    obstacles = RawField()
    promoted_at = UtcField()
    promoted_by = StringField(default="")
    forced = BooleanField(default=False)
    withdrawn = BooleanField(default=False)
    failed_at = RawField()
    note = StringField(default="")

    meta = {
        "collection": "models",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("fingerprint", "created"), ("status", "created"), ("created",)],
    }


class ModelInUse(Document):
    """One row, `_id` `POINTER`, changed by compare-and-set on `epoch`.

    `before` are the models in use before, oldest first, as `rollback` goes back through
    them. `history` is every change, ``{model, at, by, how, why}``, oldest first, with the
    time as ISO 8601.
    """

    id = StringField(primary_key=True)
    model = StringField(required=True)
    epoch = IntField(default=1)
    at = UtcField(required=True)
    before = RawField()
    history = RawField()

    meta = {
        "collection": "model_in_use",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("epoch",)],
    }
