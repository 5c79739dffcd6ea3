"""Who may be written to: STOP, START and HELP in every language, and the ledger of it.

`words` compares what was written with a keyword, `rules` reads ``data/consent.yml``,
`verdicts` says what a message means for consent, `ledger` keeps it, `forgotten` what is left of
it when a customer is forgotten. Consent is per address
(channel, account and user), never per person. So the law sees it: it is the number that
got a message, and the sender it came from, that a STOP is about. Somebody who stops text
messages has not left the web chat he has open.
"""

from __future__ import annotations

from bot.consent.forgotten import keep_out, kept_out, unmet
from bot.consent.ledger import allows, carry, change, record, refused
from bot.consent.rules import CONSENT_FILE, ConsentRules, load_rules
from bot.consent.verdicts import Verdict, verdict

__all__ = [
    "CONSENT_FILE",
    "ConsentRules",
    "Verdict",
    "allows",
    "carry",
    "change",
    "keep_out",
    "kept_out",
    "load_rules",
    "record",
    "refused",
    "unmet",
    "verdict",
]
