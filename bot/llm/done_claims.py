"""Words that say of a customer's own order or money that something has been done with it.

Only the program knows that, and says it in the designers' words; an article speaks of what is
done, never of what has been. A language that is not here is held against its articles alone.
"""

from __future__ import annotations

import re

#: Whose it is, what says that it is over, and what has been done, by language.
_LANGUAGES = (
    (
        "your",
        r"(?:has|have|had)(?: \w+)? been|was|were",
        r"(?!not |never )",
        r"cancell?ed|refunded|reimbursed|paid|credited|approved|processed|issued|reset|changed",
    ),
    (
        "ihre?|ihren|deine?|deinen",
        "wurden?|ist|sind",
        "(?!nicht |noch |nie )",
        r"storniert|(?:zurück)?erstattet|zurückgezahlt|gutgeschrieben|überwiesen|geändert|"
        r"zurückgesetzt|genehmigt",
    ),
    (
        "votre|vos|ton|ta|tes",
        "(?:a|ont) (?:bien )?été|est|sont",
        "(?!pas |jamais )",
        r"(?:annulé|remboursé|modifié|crédité|versé|approuvé)e?s?",
    ),
    (
        "tus?|sus?",
        "(?:ha|han) sido|fue|fueron|está|están",
        "(?!no |nunca )",
        r"(?:cancelad|anulad|reembolsad|devuelt|cambiad|modificad|aprobad)[oa]s?",
    ),
    (
        "seus?|suas?|teus?|tuas?",
        "foi|foram|está|estão",
        "(?!não |nunca )",
        r"(?:cancelad|reembolsad|devolvid|alterad|estornad|aprovad)[oa]s?",
    ),
    (
        "tu[oaei]|tuoi|su[oae]|suoi|vostr[oaei]",
        "(?:è|sono)(?: già)? stat[oaei]|è|sono",
        "(?!non |mai )",
        r"(?:annullat|cancellat|rimborsat|modificat|accreditat|approvat)[oaei]",
    ),
    (
        "uw|je|jouw",
        "is|zijn|werd|werden",
        "(?!niet |nog |nooit )",
        "geannuleerd|terugbetaald|gewijzigd|goedgekeurd|gecrediteerd",
    ),
    (
        "twoje?|twoja|twój|państwa|pańskie|pana|pani",
        "został[aoy]?|zostały|jest|są",
        "(?!nie )",
        r"(?:anulowan|zwrócon|zmienion|zatwierdzon)\w+",
    ),
)
_CLAIMS = [
    re.compile(
        rf"\b(?:{whose}) (?:\S+ ){{1,5}}?(?:{over}) (?:{no}\S+ ){{0,2}}?(?:{done})\b",
        re.IGNORECASE,
    )
    for whose, over, no, done in _LANGUAGES
]
#: In English “your order is cancelled automatically” is a rule, and without more it is a deed.
_IS = re.compile(
    r"\byour (?:\S+ ){1,5}?(?:is|are) (?:(?:now|already|hereby|fully) )*"
    r"(?:cancell?ed|refunded|reimbursed|approved|paid|changed|reset)(?: now| already)?\W*$",
    re.IGNORECASE,
)
#: What stands before a claim that is none.
_IF = re.compile(
    r"\b(?:if|when|once|after|as soon as|until|unless|whether|before|in case|wenn|sobald|falls|"
    r"nachdem|ob|si|quand|lorsque|dès que|une fois que|cuando|una vez que|se|quando|assim que|"
    r"una volta che|dopo che|als|wanneer|zodra|nadat|jeśli|gdy|kiedy|po tym jak)"
    r"\s+(?:o |a |il |la )?$",
    re.IGNORECASE,
)


def claims_done(sentence: str) -> bool:
    """Tell whether a sentence says that a customer's own matter has been seen to."""
    words = " ".join(sentence.split())
    for pattern in (*_CLAIMS, _IS):
        for found in pattern.finditer(words):
            if not _IF.search(words[: found.start()]):
                return True
    return False
