"""Words that deny, how far they reach, and words that are the opposite of others."""

from __future__ import annotations

import re

from bot.llm.grounding.lexicon import listed

NEGATORS = listed(
    "not no never cannot can't don't doesn't didn't won't isn't aren't wasn't couldn't shouldn't "
    "mustn't wouldn't without nor neither none nothing nobody excluded excludes excluding exclude "
    "unable refuse refuses impossible prohibited nicht kein keine keinen keinem keiner keines nie "
    "niemals ohne weder ausgeschlossen unmöglich ne n'est n'a n'ont n'y n'offrons n'acceptons "
    "n'avons "
    "pas jamais aucun aucune sans ni "
    "exclu exclus exclue impossible ningún ninguna ninguno sin tampoco nunca non né mai senza "
    "nessun "
    "nessuna escluso esclusi niet geen nooit zonder uitgesloten não nao nem sem nenhum nenhuma "
    "excluído nie bez ani nigdy żaden żadne żadnych brak"
)
#: Not a negation in these languages though it is in another.
NOT_NEGATORS = {"en": frozenset({"ne", "mai", "sin", "ni", "bez", "non", "nie", "nao"})}
NEGATIVE_PHRASES = re.compile(
    r"\b(?:no (?:later|more|less|fewer|problem|worries|doubt|matter|need)|not only|not later|"
    r"nothing but|why not|if not|nicht nur|kein problem|pas de problème|pas de souci|no solo|"
    r"non solo|geen probleem|niet alleen|não só|nie tylko)\b",
    re.IGNORECASE,
)
NOTHING_TO_PAY = re.compile(
    r"\b(?:at |for )?(?:no|without(?: any)?|free of) (?:extra |additional |further )?"
    r"(?:charges?|costs?|fees?)\b|\b(?:does|do|will|would)(?:n't| not) cost (?:you )?anything\b|"
    r"\bcosts? (?:you )?nothing\b|\bwon't (?:be charged|cost)\b",
    re.IGNORECASE,
)
EXCEPTIONS = re.compile(
    r"(?:except|excluding|apart|außer|sauf|hormis|excepto|salvo|tranne|eccetto|behalve|exceto|"
    r"oprócz)$",
    re.I,
)
SCOPE_ENDS = listed(
    "but unless except though although however whereas while aber sondern jedoch außer mais sauf "
    "pero salvo sino ma tranne però maar behalve tenzij mas exceto porém ale jednak oprócz "
    "chyba"
)
#: What is said by leaving something out, as the word it denies.
OPPOSITES = {
    "closed": "open",
    "shut": "open",
    "unused": "used",
    "unopened": "opened",
    "unavailable": "available",
    "unworn": "worn",
    "unwashed": "washed",
    "undamaged": "damaged",
    "invalid": "valid",
    "nonrefundable": "refundable",
    "nonreturnable": "returnable",
    "unlimited": "limited",
    "unpaid": "paid",
    "geschlossen": "geöffnet",
    "fermé": "ouvert",
    "fermés": "ouvert",
    "cerrado": "abierto",
    "chiuso": "aperto",
    "chiusi": "aperto",
    "gesloten": "open",
    "fechado": "aberto",
    "zamknięte": "otwarte",
    "ungeöffnet": "geöffnet",
    "ungeöffnete": "geöffnete",
    "unbenutzt": "benutzt",
    "unbenutzte": "benutzte",
}
