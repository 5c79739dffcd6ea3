"""What a model did with its tools, step by step, and what is done on a customer's yes."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: Verdicts of a step: it was looked up; it is proposed; a person decides; the rules say no;
#: the call was none (malformed, unknown tool, asked before); it was done, or waits for the shop.
READ, PROPOSED, PERSON, FORBIDDEN, REFUSED = "read", "proposed", "person", "forbidden", "refused"
DONE, WAITS, FAILED, ASKED = "done", "waits", "failed", "asked"
#: States of an `Undertaking`: the shop is to be asked (again); it was done; the shop or the rules
#: refused; the shop has not answered for so long that a person sees to it.
PENDING, CARRIED_OUT, DECLINED, GIVEN_UP = "pending", "done", "declined", "given up"


class Step(Document):
    """One call of a tool; `_id` is the turn's id and the number of the step in it.

    `args` are the arguments with personal data masked, `verdict` a word of this file, `result`
    one line that holds nothing personal. `ms` is how long it took.
    """

    id = StringField(primary_key=True)
    turn = StringField(required=True)
    conversation = StringField(required=True)
    n = IntField(required=True)
    at = UtcField(required=True)
    tool = StringField(required=True)
    args = RawField()
    verdict = StringField(required=True)
    result = StringField(default="")
    ms = IntField(default=0)

    meta = {
        "collection": "steps",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("turn", "n"), ("conversation", "at"), ("at",)],
    }


class Undertaking(Document):
    """Something that is done on a customer's yes; `_id` is the key by which the shop knows it.

    It begins with the id of the turn that proposed it. `args` are what the customer said yes to,
    `order` the number of the order, `account` whose it is, see `bot.identity.proving.account_of`.
    `says` are the words for what may become of it (``done``, ``given_up``), `case` is the turn
    whose case waits for it, "" for none. `until` is when it is given up, `result` what the
    shop answered, `why` why it was refused, or, while it is pending, that it may have been done.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    tool = StringField(required=True)
    account = StringField(default="")
    order = StringField(default="")
    args = RawField()
    says = RawField()
    status = StringField(default=PENDING, choices=(PENDING, CARRIED_OUT, DECLINED, GIVEN_UP))
    at = UtcField(required=True)
    due = UtcField(required=True)
    until = UtcField(required=True)
    attempts = IntField(default=0)
    case = StringField(default="")
    result = RawField()
    why = StringField(default="")

    meta = {
        "collection": "undertakings",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("status", "due"),
            ("conversation", "tool", "at"),
            ("conversation", "at"),
            ("account", "tool", "at"),
            ("order", "tool", "at"),
            ("order", "tool", "status"),
        ],
    }


class Allowance(Document):
    """One of the times a day that somebody may have a tool, taken until a day after `at`.

    `_id` is a digest of whose it is, of the tool and of which of them; `by` one of the
    `Undertaking` that has it. Nobody can be told from it: it is kept when a customer is
    forgotten, so that this is no way to have more.
    """

    id = StringField(primary_key=True)
    by = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "allowances",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("by",), ("at",)],
    }
