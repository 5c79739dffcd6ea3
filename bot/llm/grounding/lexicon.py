"""Words that carry little, and words that mean the same, in eight languages."""

from __future__ import annotations


def listed(words: str) -> frozenset[str]:
    """Return words written in a row."""
    return frozenset(words.split())


LANGUAGES = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "pl": "polish",
}

#: Words by which a language is told, and which carry nothing by themselves.
SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the and or but if of to in on at by for from with as is are was were be "
        "been being "
        "am do does did have has had can could may might will would shall should must i you he "
        "she it "
        "we they me him her us them my your his its our their this that these those there here "
        "which "
        "who whom what when where why how than then so too very just also about into over under up "
        "down out off again once both each few more most some such own same s t ll re ve d m",
        "de": "der die das den dem des ein eine einen einem einer eines und oder aber wenn von "
        "zu in im "
        "an am auf bei für mit als ist sind war waren sein wird werden wurde haben hat hatte "
        "kann können "
        "könnte darf dürfen soll sollen muss müssen ich du er sie es wir ihr sie mich mir dich "
        "dir uns "
        "euch ihnen ihm ihn mein dein unser ihre ihren ihrem ihrer dies diese dieser dieses "
        "diesen jene "
        "da hier welche wer was wann wo warum wie als dann so zu sehr nur auch über unter aus "
        "um durch "
        "zum zur vom beim bis nach vor man sich leider bitte gerne einfach etwa rund jeweils "
        "bereits dabei dafür pro",
        "fr": "le la les un une des du de d l et ou mais si à au aux en dans sur par pour avec "
        "comme est "
        "sont était être été a ont avoir avez avait peut peuvent pouvez pourrait doit devez je "
        "tu il elle "
        "on nous vous ils elles me te se mon ton son notre votre nos vos leur leurs ce cet "
        "cette ces cela "
        "ça y qui que quoi quand où pourquoi comment plus très aussi dès lors afin chez sous "
        "entre qu s n "
        "c j m t malheureusement simplement environ seulement veuillez",
        "es": "el la los las un una unos unas y o u e pero si de del a al en por para con como "
        "es son era "
        "ser sido está están estar ha han haber hay puede pueden puedes podría debe debes yo tú "
        "él ella "
        "nosotros usted ustedes ellos me te se nos le les lo mi tu su sus nuestro nuestra "
        "nuestros este "
        "esta estos estas ese esa eso esto que quien cuando donde porque cómo más muy también "
        "ya desde "
        "hasta entre sobre lamentablemente favor simplemente",
        "it": "il lo la i gli le un uno una e ed o ma se di del dello della dei degli delle a "
        "al allo alla "
        "ai alle da dal dalla in nel nella nei nelle su sul sulla per con come è sono era "
        "essere stato ha "
        "hanno avere può possono puoi potete potrebbe deve io tu lui lei noi voi loro mi ti si "
        "ci vi ne "
        "mio tuo suo nostro vostro questo questa questi queste quello che chi quando dove "
        "perché più "
        "molto anche già tra fra entro purtroppo favore",
        "nl": "de het een en of maar als van te in op aan bij voor met is zijn was waren wordt "
        "worden werd "
        "heeft hebben had kan kunnen mag moet moeten zal zullen zou ik jij je u hij zij ze wij "
        "we jullie "
        "mij me jou ons hen mijn jouw uw onze hun dit dat deze die er hier daar welke wie wat "
        "wanneer waar "
        "waarom hoe dan zo ook over onder uit om door naar tot nog wel helaas alstublieft graag",
        "pt": "o a os as um uma uns umas e ou mas se de do da dos das em no na nos nas por pelo "
        "pela para "
        "com como é são era ser sido está estão estar tem têm ter há pode podem poderia deve eu "
        "tu ele "
        "ela nós você vocês eles me te lhe meu teu seu sua seus suas nosso nossa este esta isto "
        "esse essa "
        "isso aquele que quem quando onde porque mais muito também já desde até entre sobre ao "
        "à aos às infelizmente favor",
        "pl": "i a oraz lub albo ale jeśli jeżeli z ze do w we na o od po przez dla jak jest są "
        "był była "
        "było być zostać może mogą można możesz mogę musi ja ty on ona ono my wy oni mnie mi "
        "cię ci go mu "
        "jej nas nam was wam ich im się mój twój swój nasz wasz państwa ten ta to te tym tego "
        "tej który "
        "która które co kto kiedy gdzie dlaczego czy więc tak też także już za pod nad przed u "
        "niestety proszę",
    }.items()
}

#: Words that say little in a shop's answer; a paraphrase may bring them in.
GENERIC = listed(
    "get gets got getting make makes made take takes taken need needs needed want wants like "
    "please "
    "simply easy easily happen happens case cases time way thing things help let know note sure "
    "yes "
    "okay course however so therefore because since while within during after before until till "
    "well still only even any all every everything anything something someone anyone one ones "
    "other "
    "others able possible apply applies applied mean means available offer offers offered provide "
    "provides provided give gives given go goes going come comes keep bear mind remember long soon "
    "far much many lot usually normally generally typically currently already using use via "
    "through "
    "choose choice option options whether either neither without instead unfortunately fortunately "
    "afraid sorry good great nice happy glad look see find read tell ask asks say says set put "
    "total "
    "maximum minimum least up between around approximately per further additional extra detail "
    "details information info question answer following include includes including included such "
    "accept accepts accepted allow allows allowed require requires required must ensure check full "
    "start starts end ends begin begins day days week weeks month months year years hour hours "
    "minute "
    "minutes working business own yourself ourselves customer customers people person shop "
    "store us "
    "usual normal regular new different same sorts kind kinds type types amount value except "
    "unless "
    "cannot can't don't doesn't isn't aren't won't not no never none nor"
)

#: Words of one meaning, by their English stems; the first is kept.
SAME = tuple(
    tuple(words.split())
    for words in (
        "refund reimburs",
        "deliveri deliv deliver ship shipment shipping dispatch",
        "cost price charg fee pay paid payment",
        "item product articl good thing",
        "parcel packag shipment box",
        "phone call ring telephon",
        "mail email",
        "buy bought purchas",
        "postag post",
        "arriv arrival receiv reach",
        "busi work",
        "abroad oversea",
        "damag broken",
        "warranti guarante",
        "code coupon voucher",
        "collect pickup",
        "exchang swap",
        "expir laps",
        "hold kept keep",
        "uk britain",
        "larger bigger larg big",
        "wash clean",
        "personalis engrav",
        "close shut",
        "colour color",
        "origin",
        "cheap cheaper",
        "photo pictur imag",
        "delet eras remov",
        "method way",
        "contact write",
        "deduct subtract",
    )
)

#: English forms that no stemmer brings together.
IRREGULAR = {
    form: word
    for word, forms in {
        "bring": "brought",
        "send": "sent",
        "pay": "paid",
        "keep": "kept",
        "hold": "held",
        "buy": "bought",
        "give": "gave given",
        "take": "took taken",
        "tell": "told",
        "spend": "spent",
        "wear": "wore worn",
        "choose": "chose chosen",
        "write": "wrote written",
        "break": "broke broken",
        "lose": "lost",
        "meet": "met",
        "sell": "sold",
        "leave": "left",
        "begin": "began begun",
        "find": "found",
        "delivery": "delivers",
    }.items()
    for form in forms.split()
}
