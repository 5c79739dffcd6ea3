"""Phrases that are polite and claim nothing, in eight languages."""

from __future__ import annotations

import re

#: Whole phrases that are polite and claim nothing; what they leave behind is checked.
FILLERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # en
        r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))(?: there| again)?\b[,!]?",
        r"\b(?:many |so )?thank(?:s| you)(?: so much| very much)?(?: for (?:your (?:message|"
        r"question|"
        r"patience|interest|order)|asking|reaching out|getting in touch|contacting us|writing))?\b",
        r"\b(?:i'm |i am |we're |always |i'd be |glad |more than )*(?:happy|glad|pleased) to "
        r"(?:help|assist)"
        r"(?: you)?(?: with (?:that|this))?\b",
        r"\b(?:great|good) (?:question|news|choice)\b",
        r"\bof course\b|\bcertainly\b|\babsolutely\b|\bsure(?: thing)?\b|\bno (?:problem|"
        r"worries)\b",
        r"\bi(?:'m| am) (?:so |very |really )?sorry(?: (?:to hear (?:that|this|about (?:that|"
        r"this))|"
        r"about (?:that|this)|for the (?:trouble|inconvenience|wait|confusion)))?\b",
        r"\b(?:we |i )?apologi[sz]e for (?:the|any) (?:trouble|inconvenience|delay|confusion)\b",
        r"\b(?:i |we )?hope (?:this|that|it) (?:helps|answers your question)\b",
        r"\b(?:does|did) (?:that|this) (?:help|answer (?:it|your question))\b",
        r"\bis there anything else(?: (?:i|we) can (?:help|do)(?: (?:you )?with| for you)?)?\b",
        r"\b(?:please |just )?(?:let (?:me|us) know|feel free to (?:ask|contact us|reach out|"
        r"write)|"
        r"(?:just )?ask)(?: (?:me|us))?(?: (?:if|should) (?:you (?:have|need|want)(?: any)?"
        r"(?: (?:other|further|more))?(?: (?:questions?|help|anything(?: else)?))?|"
        r"(?:there(?:'s| is) )?anything (?:else|is unclear)))?(?: any ?time)?\b",
        r"\bif you have (?:any )?(?:other |further |more )?questions\b",
        r"\b(?:you can |you'll |you may )?(?:read|find|see)(?: out)? (?:more|all (?:the )?details|"
        r"the details|further details|more information)(?: (?:about (?:this|that|it)))?"
        r"(?: (?:here|in|at|on|under|below))?\b",
        r"\b(?:for )?(?:more|further) (?:information|details)(?:,? (?:please )?(?:see|visit|"
        r"read|go to))?"
        r"(?: (?:here|at))?\b",
        r"\b(?:here(?:'s| is| are) (?:what|how|the details?|the answer)(?: (?:i|we) (?:found|"
        r"know))?)\b",
        r"\b(?:according to|as (?:stated|described|it says) (?:in|on)|based on) (?:our|the) "
        r"(?:articles?|help pages?|policy|information|website|site)\b",
        r"\bi (?:don't|do not|couldn't|could not|can't|cannot) (?:have|find|see)(?: any)?"
        r"(?: (?:information|details|anything|an answer|article))?"
        r"(?: (?:about|on|for|to) (?:that|this|it))?\b",
        r"\bi(?:'m| am) not (?:sure|certain)(?: about (?:that|this))?\b|\bi don't know\b",
        r"\b(?:would you like|shall i|do you want|should i)(?: me)? (?:to )?(?:connect you "
        r"(?:to|with)|"
        r"pass you (?:on )?to|put you through to|fetch|get) (?:a |one of our )?(?:person|"
        r"colleagues?|"
        r"human|agent|team)\b",
        r"\bhave a (?:nice|lovely|great|good) (?:day|evening|weekend)\b|\b(?:kind|best|warm) "
        r"regards\b",
        r"^in short\b|^to sum(?: it)? up\b|^in summary\b|^basically\b|^that's right\b|^exactly\b",
        r"^(?:yes|no|yep|nope|ok|okay|right|alright|ja|nein|oui|non|sí|si|sì|no|nee|sim|não|tak|"
        r"nie)(?:[,.!:;]+|$)",
        # de
        r"\b(?:hallo|guten (?:tag|morgen|abend))\b|\bvielen dank(?: für (?:ihre|deine) "
        r"(?:nachricht|frage))?\b|"
        r"\bgerne?(?: geschehen)?\b|\bich helfe (?:ihnen|dir) gerne(?: weiter)?\b|\bgute frage\b|"
        r"\bes tut mir leid\b|\bhilft (?:ihnen|dir) das(?: weiter)?\b|\bnatürlich\b|"
        r"\bselbstverständlich\b|"
        r"\bkann ich sonst noch etwas für (?:sie|dich) tun\b|\bich hoffe,? das hilft(?: ihnen| "
        r"dir)?\b|"
        r"\b(?:mehr|weitere informationen) (?:dazu )?(?:finden sie|findest du|gibt es)(?: "
        r"(?:hier|unter|in))?\b",
        # fr
        r"\bbonjour\b|\bmerci(?: (?:beaucoup|pour votre (?:message|question)))?\b|\bavec plaisir\b|"
        r"\bbonne question\b|\b(?:je suis )?désolée?(?: pour (?:ce|le) (?:désagrément|"
        r"problème))?\b|"
        r"\bbien sûr\b|\bj'espère que cela (?:vous )?aide\b|\bcela répond-il à votre question\b|"
        r"\bn'hésitez pas(?: à (?:nous|me) (?:contacter|écrire))?\b|\bpuis-je vous aider "
        r"(?:pour|avec) autre chose\b|"
        r"\bpour en savoir plus\b|\bvous (?:pouvez|trouverez) (?:lire |en savoir )?plus(?: "
        r"d'informations)?(?: (?:ici|dans|sur))?\b",
        # es
        r"\bhola\b|\bbuen(?:os|as) (?:días|tardes|noches)\b|\b(?:muchas )?gracias(?: por (?:tu|"
        r"su) (?:mensaje|pregunta))?\b|"
        r"\bcon (?:mucho )?gusto\b|\bbuena pregunta\b|\blo siento(?: mucho)?\b|\bpor supuesto\b|"
        r"\bclaro\b|"
        r"\bespero que (?:esto )?(?:te|le) ayude\b|\b¿?algo más\b|\bpuedes? leer más(?: (?:aquí|"
        r"en))?\b|"
        r"\bmás información(?: (?:aquí|en))?\b",
        # it
        r"\b(?:buongiorno|buonasera|ciao|salve)\b|\bgrazie(?: (?:mille|per (?:il|la) (?:tuo|sua|"
        r"tua|suo) (?:messaggio|domanda)))?\b|"
        r"\bvolentieri\b|\bcerto\b|\bmi dispiace\b|\bspero (?:che )?(?:ti|le) sia utile\b|"
        r"\bposso aiutar(?:ti|la) con altro\b|"
        r"\b(?:puoi|può) leggere di più(?: (?:qui|in|su))?\b|\bmaggiori informazioni(?: (?:qui|"
        r"in|su))?\b",
        # nl
        r"\b(?:hallo|goedendag|goedemorgen|goedemiddag)\b|\b(?:dank (?:u|je)(?: wel)?|"
        r"bedankt)(?: voor (?:uw|je) (?:bericht|vraag))?\b|"
        r"\bgraag(?: gedaan)?\b|\bgoede vraag\b|\bhet spijt me\b|\bnatuurlijk\b|\bkan ik (?:u|"
        r"je) nog ergens mee helpen\b|"
        r"\b(?:u|je) kunt? (?:hier )?meer lezen(?: (?:in|op))?\b|\bmeer informatie(?: (?:hier|"
        r"in|op|vindt u))?\b",
        # pt
        r"\bolá\b|\bbo(?:m dia|a tarde|a noite)\b|\b(?:muito )?obrigad[oa](?: pel[ao] (?:sua "
        r")?(?:mensagem|pergunta))?\b|"
        r"\bcom (?:todo o )?(?:gosto|prazer)\b|\bboa pergunta\b|\b(?:lamento|sinto muito|"
        r"desculpe)\b|\bclaro\b|"
        r"\bespero ter ajudado\b|\bposso ajudar com mais alguma coisa\b|\bpode ler mais(?: "
        r"(?:aqui|em))?\b|"
        r"\bmais informações(?: (?:aqui|em))?\b",
        # pl
        r"\b(?:dzień dobry|witam|cześć)\b|\bdziękuj(?:ę|emy)(?: (?:bardzo|za (?:wiadomość|"
        r"pytanie)))?\b|"
        r"\bchętnie(?: pomogę)?\b|\bdobre pytanie\b|\bprzykro mi\b|\boczywiście\b|\bczy mogę "
        r"(?:w czymś )?jeszcze pomóc\b|"
        r"\bwięcej (?:informacji|przeczytasz)(?: (?:tutaj|w|na))?\b|\bmam nadzieję,? że to "
        r"pomoże\b",
    )
)
