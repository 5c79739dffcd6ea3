"""Promises, what limits them, and words for what things cost, in eight languages."""

from __future__ import annotations

import re

from bot.llm.grounding.lexicon import listed

#: Promises by the beginnings of words, each needs the same one in its source.
PROMISES = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "free": r"(?<!feel )(?<!-)\bfree\b(?! to (?:ask|contact|write|reach))|\bgratis|\bkostenlos|"
        r"\bkostenfrei|\bgratuit|\bgrátis|\bbezpłatn|\bdarmow|\bkosteloos|\bcomplimentary",
        "refund": r"\brefund|\breimburs|\bmoney back|erstatt|\brembours|\breembols|\brimbors|"
        r"\bterugbeta|\brestitu|\bzwrot\w* (?:pieni|koszt)|\bzwróc",
        "guarantee": r"\bguarant|\bgarant|\bgwaranc|\bpromis|\bversprech|\bwarrant|\bassure",
        "compensation": r"\bcompens|\bgoodwill|\bentschädig|\bdédommag|\bindemn|\brisarc|"
        r"\bvergoed|\bodszkod|\bapology (?:gift|credit)|\bstore credit",
        "replacement": r"\breplac|\bersatz|\bersetz|\bremplac|\breemplaz|\bsostitu|\bvervang|"
        r"\bsubstitu|\bexchang|\bumtausch|\bumgetauscht|\béchang|\bcambi[oa]r?\b|\bruilen|"
        r"\bwymian|\btroca",
        "discount": r"\bdiscount|rabatt|\bremise|\bréduction|\bdescuento|\bsconto|\bkorting|"
        r"\bdesconto|\brabat|\d ?% off|\bcoupon|\bvoucher|\bgutschein|\bpromo code",
        "we pay": r"\bwe(?:'ll| will)? (?:pay|cover|bear)\b|\bwir (?:zahlen|übernehmen|tragen)\b|"
        r"\bnous (?:payons|prenons en charge)|\b(?:pagamos|cubrimos|asumimos)\b|\bpaghiamo\b|"
        r"\bwij? (?:betalen|vergoeden)\b|\bpłacimy\b",
        "right": r"\bentitle|\bright to\b|\banspruch|\bdroit à|\bderecho|\bdiritto|\brecht op|"
        r"\bdireito|\bprawo do",
        "always": r"\balways\b|\bnever\b|\bunlimited|\blifetime|\bforever|\bany ?time\b|\bno "
        r"matter|"
        r"\bregardless|\bwithout exception|\bimmer\b|\bniemals|\bjederzeit|\bunbegrenzt|\btoujours|"
        r"\bjamais|\bsiempre|\bnunca|\bsempre|\baltijd|\bnooit|\bzawsze|\bnigdy|\bguaranteed",
        "at once": r"\bimmediate|\binstant|\bright away|\bstraight ?away|\bat once|\bsame[ -]day|"
        r"\btoday\b|\btonight|\bsofort|\bumgehend|\bimmédiat|\binmediat|\bimmediat|\bonmiddellijk|"
        r"\bimediat|\bnatychmiast",
        "everything": r"\b(?:all|every) (?:items?|products?|orders?|goods|purchases|customers|"
        r"countries|"
        r"deliver\w+|returns?|types)\b|\beverything\b|\beverywhere|\bworldwide|\banywhere",
        "no condition": r"\bno questions asked|\bwithout (?:a |any )?(?:receipt|reason|proof|"
        r"packaging)|"
        r"\bno (?:receipt|minimum|limit)",
    }.items()
}
#: What limits a promise; one that is limited in its source must not be made without.
CONDITIONS = re.compile(
    r"\b(?:if|when|from|over|above|only|unless|once|provided|for|in|under|with|as long as|after|"
    r"within|before|subject|except|where|wenn|ab|nur|falls|über|in|bei|sofern|si|à partir|dès|"
    r"seulement|uniquement|en|dans|desde|solo|sólo|a partir|se|da|oltre|solo|als|vanaf|alleen|"
    r"em|apenas|acima|jeśli|od|tylko|przy|w)\b",
    re.IGNORECASE,
)
#: The assistant says that it did or will do something itself.
ACTS = re.compile(
    r"\bI(?:'ve| have| will|'ll| just| already| can)(?: now| just| already| gladly)?"
    r" (?!(?:help|answer|only|not|gladly|see|understand|tell|find|found|suggest|recommend)\b)[a-z]+"
    r"|\b(?:your|the) (?:order|refund|parcel|account|return|payment|card|case)"
    r" (?:has|have) (?:now |already |just )?been\b"
    r"|\bich (?:habe|werde)\b|\bj'ai\b|\bje vais\b|\bhe (?:\w+ado|\w+ido)\b|\bho \w+(?:ato|uto|"
    r"ito)\b"
    r"|\bik (?:heb|zal)\b",
    re.IGNORECASE,
)

#: What is sold, by any name.
THINGS = listed("item items product products goods article articles")
#: Said of an amount in one's own words.
COSTS = re.compile(
    r"(?:cost|pric|fee|charg|pay|kost|preis|beträg|coût|prix|cuest|cost|preci|prezz|prijs|cust|"
    r"preç|"
    r"koszt|cen)\w*",
    re.IGNORECASE,
)
