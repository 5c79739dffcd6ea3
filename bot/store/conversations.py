"""Who talks where, who holds the conversation, and which worker has it leased."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

BOT, WAITING, AGENT = "bot", "waiting", "agent"


class Conversation(Document):
    """`_id` is ``channel:account:user``.

    `epoch` grows when an agent takes the conversation or gives it back, see
    `bot.desk.handoff`; `agent` is who has it. `lease_owner` is "" when no worker has it;
    `lease_epoch` grows at each lease. `last_in` opens the provider's answering window.

    `customer` is the id of the person (`bot.identity`) as of the last message, "" before.
    `opted_out` is "", "all" or "marketing" since `consent_at`; `consent_id` and
    `consent_how` are of the `Consent` that made it so.
    """

    id = StringField(primary_key=True)
    holder = StringField(default=BOT, choices=(BOT, WAITING, AGENT))
    agent = StringField(default="")
    epoch = IntField(default=0)
    lease_owner = StringField(default="")
    lease_until = UtcField(required=True)
    lease_epoch = IntField(default=0)
    last_in = UtcField()
    language = StringField()
    profile = RawField()
    created = UtcField(required=True)
    customer = StringField(default="")
    opted_out = StringField(default="", choices=("", "all", "marketing"))
    consent_at = UtcField()
    consent_id = StringField(default="")
    consent_how = StringField(default="")

    meta = {
        "collection": "conversations",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("lease_owner", "lease_until", "lease_epoch"),
            ("holder", "epoch", "last_in"),
            ("customer", "last_in"),
            ("opted_out", "consent_at"),
        ],
    }
