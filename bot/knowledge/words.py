"""Words for searching: how text becomes words, their stems, and which ones say nothing."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
#: Characters of a word that are looked at; no word is longer, but a hash or an address is.
_LONGEST = 40
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "nb": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}

# Words of grammar alone: the longer lists that libraries bring hold "empty", "full", "next",
# "top" or "back", which customers of a shop do ask about.
_STOP = {
    "en": """a about also am an and any are aren't as at be been being but by can can't could
        couldn't did didn't do does doesn't doing don't done for from get got had has have
        haven't having he her here hers hi hello him his how i i'd i'll i'm i've if in into is
        isn't it it's its just me might my mine no not of on or our ours please she should so
        some than thanks that that's the their them then there these they this those to too was
        we we're were what what's when where which who whom whose why will with won't would you
        you're your yours us may must shall hey""",
    "de": """aber als am an auch auf aus bei beim bin bis bist bitte da dann das dass dein deine dem
        den der des die dies diese diesem diesen dieser dieses doch du durch ein eine einem
        einen einer eines er es euch euer für hab habe haben hat hallo hatte ich ihr ihre ihren
        im in ins ist ja kann können könnte man mein meine meinem meinen meiner mich mir mit
        muss nach nicht noch nur ob oder sein seine sich sie sind so um und uns unser unsere vom
        von war warum was wann wenn wer werde werden wie wieso wir wird wo wurde zu zum zur über""",
    "fr": """ai au aux avec bonjour c'est ce ces cet cette comment d'un d'une dans de des du elle en
        est est-ce et eu il ils j'ai je l'on la le les leur leurs lui ma mais me mes moi mon ne
        nos notre nous on ou où par pas peut peux pour pourquoi puis-je quand que quel quelle
        quelles quels qu'est qui sa se ses si son sont sur ta te tes toi ton tu un une vos votre
        vous à été être y a suis avez avons""",
    "es": """a al como cómo con cuál cuáles cuando cuándo de del donde dónde el ella en es esa ese
        eso esta este esto está están estoy fue ha han hay he hola la las le les lo los me mi
        mis muy no nos o para pero por qué porque puede puedo que quien quién se ser si sí sin
        sobre son su sus te tengo tiene tu tus un una unas uno unos usted ustedes y ya yo""",
    "it": """a ad ai al alla alle anche che chi ci ciao come con cosa cui da dal dalla dei del della
        delle di dove e ed è era gli ha hai hanno ho i il in io la le lei lo loro lui ma me mi
        mia mie miei mio nel nella noi non o per perché più poi posso può qual quale quali
        quando quanto quello questa questo se si sono su sua suo tu un una uno vi voi""",
    "nl": """aan al als bij ben bent dat de deze die dit doen door een en er had hallo heb hebben
        heeft het hij hoe ik in is je jij jou jullie kan kun kunnen maar me met mij mijn moet na
        naar niet nog of om onze ook op over te toch tot u uit uw van voor waar wanneer waarom
        was wat we wel welke wie wij worden wordt zal ze zich zij zijn zou""",
    "pt": """a ao aos as até com como da das de do dos e é ela ele em entre era essa esse esta este
        está estão eu foi há isso já lhe mais mas me meu meus minha minhas na nas no nos não o
        olá os ou para pela pelo pode por porque posso qual quais quando que quem se sem ser seu
        sua são só também te tem tenho um uma umas uns você vocês à às onde""",
    "pl": """a aby albo ale być bez by był była było ci co czy czym dla do gdy gdzie go i
        ich ile im ja jak jaka jaki jakie jako jest jestem już kiedy kto która które który ma
        mam mi mnie moja moje mogę może mój na nad nam nie niż o od on ona oni po pod przez przy
        się są ta tak te tego tej ten to tu ty tym u w we wy z za ze że""",
}


def fold(text: str) -> str:
    """Return the text in lower case and without the accents of Latin letters."""
    taken = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    kept = (c for c in taken if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", "".join(kept))


def words_of(text: str) -> list[str]:
    """Return the folded words and numbers of a text, in order. Emoji are none."""
    return [word[:_LONGEST].replace("’", "'") for word in _WORD.findall(fold(text))]


@lru_cache(maxsize=64)
def stop_words(language: str) -> frozenset[str]:
    """Return the folded words that say nothing in a language, none for one not known here."""
    return frozenset(fold(_STOP.get(language, "")).split())


class Stems:
    """Stems of words, remembered, for a text's words come again and again."""

    def __init__(self, language: str) -> None:
        import Stemmer

        name = _STEMMERS.get(language)
        self._stemmer = Stemmer.Stemmer(name) if name else None
        self._known: dict[str, str] = {}
        # A stemmer of PyStemmer has one buffer.
        self._lock = threading.Lock()

    def __call__(self, word: str) -> str:
        """Return the stem of a folded word; the word where the language has no stemmer."""
        if self._stemmer is None:
            return word
        known = self._known.get(word)
        if known is None:
            with self._lock:
                known = self._stemmer.stemWord(word.removesuffix("'s"))
            if len(self._known) < 200_000:
                self._known[word] = known
        return known
