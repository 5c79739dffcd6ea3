from __future__ import annotations

import asyncio
import random
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.consent import (
    CONSENT_FILE,
    Verdict,
    allows,
    carry,
    change,
    load_rules,
    record,
    refused,
    verdict,
)
from bot.consent.rules import parse_rules
from bot.consent.words import fold
from bot.meeting import meet
from bot.message import (
    Address,
    Album,
    Choice,
    Content,
    Edit,
    Event,
    Inbound,
    Media,
    Profile,
    Reaction,
    Template,
    Text,
    utcnow,
)
from bot.settings import SettingsInvalid
from bot.store import AsyncStore, StoreDown
from bot.store.consents import Consent
from bot.store.conversations import Conversation
from tests.kit.build import address, row
from tests.kit.processes import Failing

ROOT = Path(__file__).parents[1]
RULES = load_rules(ROOT / CONSENT_FILE, channels=("telegram", "whatsapp", "messenger", "sms"))
WRITTEN: dict[str, Any] = YAML(typ="safe").load((ROOT / CONSENT_FILE).read_text("utf-8"))
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
FREE = datetime(1970, 1, 1, tzinfo=timezone.utc)
ENGLISH = RULES.answers["en"]
GERMAN = RULES.answers["de"]


def listed(*keys: str) -> list[tuple[str, str]]:
    """Language and word of these lists, as designers wrote them."""
    return [
        (language, word)
        for language, lists in WRITTEN["languages"].items()
        for key in keys
        for word in lists.get(key, ())
    ]


def message(
    content: str | Content, minute: int = 0, *, channel: str = "line", language: str = ""
) -> Inbound:
    said = Text(content) if isinstance(content, str) else content
    return Inbound(
        Address(channel, "shop", "ann"),
        f"m{minute}",
        said,
        NOON + timedelta(minutes=minute),
        profile=Profile(language=language),
    )


def talk(opted_out: str = "", how: str = "keyword", **fields: Any) -> Conversation:
    values = {"id": address().key, "created": NOON, "lease_until": FREE, "opted_out": opted_out}
    if opted_out:
        before = NOON - timedelta(hours=1)
        values |= {"consent_at": before, "consent_id": "before", "consent_how": how}
    return Conversation(**{**values, **fields})


# Words.


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("STOP", "stop"),
        (" Stop. ", "stop"),
        ("stop!!! 🛑", "stop"),
        ("« ARRÊT »", "arret"),
        ("¡Alto!", "alto"),
        ("İPTAL", "iptal"),
        ("ıptal", "iptal"),
        ("ABONELİKTEN\n ÇIK", "abonelikten cik"),
        ("Zakończ", "zakoncz"),
        ("opt-out", "optout"),
        ("Opt\u00a0out", "opt out"),
        ("ＳＴＯＰ", "stop"),
        ("S\u200bT\u00adO\u200dP", "stop"),
        ("СТОП", "стоп"),
        ("Ende ß", "ende ss"),
        # A vowel sign is no accent.
        ("रोकें", "रोकें"),
        ("停止", "停止"),
        ("🛑", ""),
        ("", ""),
    ],
)
def test_words_are_folded(written: str, folded: str) -> None:
    assert fold(written) == unicodedata.normalize("NFKD", folded)


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_case_and_punctuation_never_matter(text: str) -> None:
    folded = fold(text)
    assert fold(f"  «{text}»!\u200b ") == folded
    assert fold(text.casefold()) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded


_WORDS = sorted(RULES.keywords)


@given(
    st.sampled_from(_WORDS),
    st.text(st.characters(whitelist_categories=("Ll", "Nd")), min_size=1, max_size=12),
    st.booleans(),
)
def test_a_keyword_inside_a_sentence_is_no_keyword(word: str, more: str, first: bool) -> None:
    sentence = f"{word} {more}" if first else f"{more} {word}"
    assume(fold(sentence) not in RULES.keywords and fold(more))
    assert RULES.keyword(sentence, "sms") is None
    said = message(sentence, channel="sms")
    assert verdict(said, talk(), RULES) is None


@given(st.sampled_from(_WORDS), st.sampled_from(" .!?*'\"«»¡¿-\n\u200b🛑"), st.booleans())
def test_a_keyword_is_one_however_it_is_decorated(word: str, mark: str, upper: bool) -> None:
    written = f"{mark}{word.upper() if upper else word}{mark}"
    found = RULES.keyword(written, "sms")
    assert found is not None
    assert found.word == word


def test_a_long_message_is_not_even_folded() -> None:
    assert RULES.keyword("STOP" + "!" * 200, "sms") is None


# The file.


@pytest.mark.parametrize(("language", "word"), listed("stop", "stop_carriers"))
def test_every_language_has_its_stop(language: str, word: str) -> None:
    found = verdict(message(word, channel="sms"), talk(language=language), RULES)
    assert found == Verdict(
        "out", "all", "keyword", fold(word), RULES.answers[language].stopped, False
    )


@pytest.mark.parametrize(("language", "word"), listed("start"))
def test_every_language_has_its_start(language: str, word: str) -> None:
    said = message(word, channel="telegram", language=language)
    found = verdict(said, talk("all"), RULES)
    assert found == Verdict(
        "in", "all", "keyword", fold(word), RULES.answers[language].started, False
    )


@pytest.mark.parametrize(("language", "word"), listed("help"))
def test_every_language_has_its_help(language: str, word: str) -> None:
    found = verdict(message(word, channel="sms"), talk(language=language), RULES)
    assert found == Verdict(reply=RULES.answers[language].helped)


@pytest.mark.parametrize(
    "word",
    [
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"),
        *("START", "UNSTOP", "HELP", "INFO"),
    ],
)
def test_the_words_that_carriers_want_are_there(word: str) -> None:
    kind = {"START": "start", "UNSTOP": "start", "HELP": "help", "INFO": "help"}.get(word, "stop")
    found = RULES.keyword(word, "sms")
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("word", ["yes", "no", "ok", "ja", "oui", "sí", "fine", "1", "hello", ""])
def test_ordinary_answers_are_no_keywords(word: str) -> None:
    assert RULES.keyword(word, "sms") is None


@pytest.mark.parametrize("language", RULES.answers)
def test_every_answer_says_how_to_go_on(language: str) -> None:
    answers = RULES.answers[language]
    assert "START" in answers.stopped
    assert "STOP" in answers.started
    assert "STOP" in answers.helped
    assert "help@" in answers.helped
    for word in ("START", "STOP"):
        assert RULES.keyword(word, "webchat") is not None


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (("de",), "de"),
        (("de-AT",), "de"),
        (("DE_at",), "de"),
        (("", "fr"), "fr"),
        (("xx", "", "it"), "it"),
        (("xx",), "en"),
        ((), "en"),
    ],
)
def test_answers_are_in_the_first_language_there_is(wanted: tuple[str, ...], language: str) -> None:
    assert RULES.answers_in(*wanted) == RULES.answers[language]


GOOD = """\
default: en
carriers: [sms]
languages:
  en:
    stop: [STOP]
    stop_carriers: [END]
    start: [START]
    help: [HELP]
    stopped: You are out. Reply START.
    started: You are in. Reply STOP.
    helped: We are the shop.
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as raised:
        parse_rules(text, "consent.yml", channels=("sms", "telegram"))
    return [str(problem) for problem in raised.value.problems]


def test_the_smallest_file_is_read() -> None:
    rules = parse_rules(GOOD, channels=("sms",))
    assert (rules.default, rules.carriers, list(rules.answers)) == ("en", {"sms"}, ["en"])
    assert parse_rules(GOOD.replace("carriers: [sms]", "carriers:")).carriers == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("default: en", "default: de", 1, "default is 'de', should be one of the languages: en"),
        ("default: en\n", "", 1, "there is no default"),
        ("default", "defualt", 1, "did you mean default?"),
        ("[sms]", "[sms, tlegram]", 2, "'tlegram', which is no channel; did you mean telegram?"),
        ("[sms]", "sms", 2, "carriers is text, should be a list of texts"),
        ("languages:", "langs:", 3, "did you mean languages?"),
        ("  en:", "  english:", 4, "is no language code"),
        ("[STOP]", "[]", 5, "languages.en.stop is empty"),
        ("[STOP]", "STOP", 5, "languages.en.stop is text"),
        ("[STOP]", "[STOP, true]", 5, "put it in quotes"),
        ("[STOP]", "[STOP, '!!']", 5, "has a word without letters"),
        ("[STOP]", f"[{'x' * 60}]", 5, "has a sentence"),
        ("[STOP]", "[STOP, stop!]", 5, "'stop' is there twice"),
        ("[END]", "[stop]", 6, "'stop' is also in languages.en.stop, line 5"),
        ("[START]", "[STOP, START]", 7, "a word can mean one thing only"),
        ("    start:", "    begin:", 7, "is not a known key"),
        ("    start: [START]\n", "", 4, "languages.en has no start"),
        ("You are out. Reply START.", "", 9, "languages.en.stopped is empty"),
        ("You are out", "You are out " * 50, 9, "has more than 450 characters"),
        ("    helped:", "    helped: [a]\n    x:", 11, "languages.en.helped is a list"),
        ("  en:", "  en: &a\n    <<: *a", 4, ""),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    told = problems_of(GOOD.replace(old, new, 1))
    assert any(p.startswith(f"consent.yml:{line}: ") and says in p for p in told), told


@pytest.mark.parametrize("text", ["", "- a", "text", "languages: 3", "a: [", "languages: {en: 1}"])
def test_a_file_that_is_none_of_it_is_told(text: str) -> None:
    assert problems_of(text)


def test_a_word_of_two_languages_means_one_thing() -> None:
    more = GOOD + GOOD[GOOD.index("  en:") :].replace("  en:", "  de:").replace("[START]", "[END]")
    told = problems_of(more)
    assert any("line 6" in p and p.startswith("consent.yml:15: ") for p in told), told


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_rules(tmp_path / "consent.yml")


# What a message means.

OUT = Verdict("out", "all", "keyword", "stop", ENGLISH.stopped, False)
SILENCE = Verdict()
BACK = Verdict("in", "all", "keyword", "start", ENGLISH.started, False)


@pytest.mark.parametrize(
    ("content", "opted_out", "means"),
    [
        ("STOP", "", OUT),
        ("STOP", "marketing", OUT),
        ("STOP", "all", replace(OUT, reply="")),
        ("/stop", "", OUT),
        ("please stop", "", None),
        ("cancel", "", None),
        ("START", "", None),
        ("START", "all", BACK),
        ("START", "marketing", BACK),
        ("HELP", "", None),
        ("HELP", "all", SILENCE),
        ("hello", "", None),
        ("hello", "marketing", None),
        ("hello", "all", SILENCE),
        (Edit("m1", "STOP"), "", OUT),
        (Media("image", caption="stop!"), "", OUT),
        (Album((Media("image", caption="STOP"), Media("image"))), "", OUT),
        (Choice("STOP", "Stop promotions"), "", OUT),
        # What the bot offers to end what it is doing.
        (Choice("/stop", "Stop"), "", None),
        (Choice("/stop", "Stop"), "all", SILENCE),
        (Reaction("m1", "👍"), "all", SILENCE),
        (Media("image"), "all", SILENCE),
        (Event("blocked"), "", Verdict("out", "all", "blocked")),
        (Event("blocked"), "all", Verdict("out", "all", "blocked")),
        (Event("unblocked"), "", None),
        (Event("unblocked"), "all", SILENCE),
        (Event("start"), "", None),
        (Event("start"), "marketing", None),
        (Event("start", "order-7"), "all", replace(BACK, goes_on=True)),
        (Event("referral", "x"), "", None),
        (Event("referral", "x"), "all", SILENCE),
        (Event("moved", "99"), "", None),
        (Event("opt_out"), "", Verdict("out", "all", "provider", reply=ENGLISH.stopped)),
        (Event("opt_out"), "all", Verdict("out", "all", "provider")),
        (Event("opt_out", "answered"), "", Verdict("out", "all", "provider")),
        (Event("opt_out", "marketing"), "", Verdict("out", "marketing", "provider")),
        (Event("opt_out", "marketing"), "all", Verdict("out", "marketing", "provider")),
        (Event("opt_in"), "", Verdict("in", "all", "provider")),
        (Event("opt_in"), "all", Verdict("in", "all", "provider", reply=ENGLISH.started)),
        (Event("opt_in", "answered"), "all", Verdict("in", "all", "provider")),
        (Event("opt_in", "marketing"), "marketing", Verdict("in", "marketing", "provider")),
        (Event("help"), "", Verdict(reply=ENGLISH.helped)),
        (Event("help"), "all", Verdict(reply=ENGLISH.helped)),
        (Event("help", "answered"), "all", SILENCE),
    ],
    ids=str,
)
def test_what_a_message_means(
    content: str | Content, opted_out: str, means: Verdict | None
) -> None:
    assert verdict(message(content), talk(opted_out), RULES) == means


@pytest.mark.parametrize("how", ["blocked", "refused"])
def test_who_only_blocked_us_is_back_when_he_does_not_any_more(how: str) -> None:
    found = verdict(message(Event("unblocked")), talk("all", how), RULES)
    assert found == Verdict("in", "all", "blocked", goes_on=True)


def test_carriers_words_and_help_count_on_their_channels_alone() -> None:
    for channel in ("sms", "telegram"):
        by_law = channel == "sms"
        out = verdict(message("End", channel=channel), talk(), RULES)
        told = verdict(message("help", channel=channel), talk("all"), RULES)
        assert (out is not None) == by_law
        assert told == Verdict(reply=ENGLISH.helped if by_law else "")


@pytest.mark.parametrize(
    ("word", "known", "profile", "answer"),
    [
        ("STOP", "de", "fr", GERMAN.stopped),
        ("STOP", None, "de-AT", GERMAN.stopped),
        ("abmelden", None, "", GERMAN.stopped),
        ("abmelden", "en", "", ENGLISH.stopped),
        ("STOP", "ja", "ja", ENGLISH.stopped),
    ],
)
def test_the_answer_is_in_the_customers_language(
    word: str, known: str | None, profile: str, answer: str
) -> None:
    found = verdict(message(word, language=profile), talk(language=known), RULES)
    assert found is not None
    assert found.reply == answer


def test_a_verdict_is_kept_with_its_turn() -> None:
    assert Verdict(**OUT.encode()) == OUT


# What may be sent.

OFFER = Template("offer", "en", category="marketing")
PARCEL = Template("parcel", "en", category="utility")


@pytest.mark.parametrize(
    ("opted_out", "content", "notice", "sent"),
    [
        ("", OFFER, False, True),
        ("", Text("hello"), False, True),
        ("marketing", Text("hello"), False, True),
        ("marketing", PARCEL, False, True),
        ("marketing", OFFER, False, False),
        ("all", Text("hello"), False, False),
        ("all", PARCEL, False, False),
        ("all", Text("You are out."), True, True),
    ],
)
def test_what_may_be_sent(opted_out: str, content: Content, notice: bool, sent: bool) -> None:
    assert (allows(talk(opted_out), content, notice) == "") == sent
    assert allows(None, content) == ""


# The ledger.


async def opened(store: AsyncStore, **fields: Any) -> None:
    where = Address("line", "shop", "ann").key
    await store.put(talk(**{"id": where, **fields}))


async def now(store: AsyncStore) -> Conversation:
    found = await store.get(Conversation, address().key)
    assert found is not None
    return found


async def told(store: Any, said: Inbound) -> Verdict | None:
    """What a worker does of it: read, judge, record."""
    conversation = await store.get(Conversation, said.address.key)
    found = verdict(said, conversation, RULES)
    if found is not None:
        await record(store, found, said)
    return found


async def test_stop_and_start_are_dated_and_kept(store: AsyncStore) -> None:
    await opened(store, customer="c1")
    for minute, word in enumerate(["hello", "Stop!", "hello", "START", "hello"]):
        await told(store, message(word, minute))
    assert (await now(store)).opted_out == ""
    kept = await store.find(Consent, {"conversation": address().key}, sort=("at",))
    assert [(c.id, c.state, c.scope, c.how, c.word, c.customer) for c in kept] == [
        ("line:shop:m1", "out", "all", "keyword", "stop", "c1"),
        ("line:shop:m3", "in", "all", "keyword", "start", "c1"),
    ]
    assert [c.at for c in kept] == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)]


async def test_a_message_that_is_taken_again_means_the_same(store: AsyncStore) -> None:
    await opened(store)
    for said in (message("STOP", 1), message("START", 2), message("STOP", 3)):
        first = await told(store, said)
        assert first is not None
        assert first.reply
        assert await told(store, said) == first
    assert await store.count(Consent, {}) == 3


async def test_a_second_stop_is_kept_but_not_answered(store: AsyncStore) -> None:
    await opened(store)
    replies = [(await told(store, message("STOP", n))) for n in (1, 2)]
    assert [r.reply for r in replies if r] == [ENGLISH.stopped, ""]
    assert await store.count(Consent, {}) == 2


async def test_what_was_sent_earlier_and_comes_later_changes_nothing(store: AsyncStore) -> None:
    await opened(store)
    await told(store, message("STOP", 1))
    await told(store, message("START", 5))
    late = await told(store, message("STOP", 3))
    assert late == replace(OUT, reply="")
    assert (await now(store)).opted_out == ""
    await told(store, message("STOP", 7))
    late = await told(store, message(Event("start"), 6))
    assert late is not None
    assert (late.reply, late.goes_on) == ("", False)
    assert (await now(store)).opted_out == "all"
    assert await store.count(Consent, {}) == 5


async def test_of_the_same_second_the_last_counts(store: AsyncStore) -> None:
    await opened(store)
    for n, word in enumerate(["STOP", "START", "STOP"]):
        await told(store, replace(message(word), provider_id=f"x{n}"))
    assert (await now(store)).opted_out == "all"


async def test_a_date_in_the_future_is_taken_for_now(store: AsyncStore) -> None:
    await opened(store)
    await told(store, replace(message("STOP"), sent=utcnow() + timedelta(days=900)))
    assert (await now(store)).opted_out == "all"
    await told(store, replace(message("START", 1), sent=utcnow()))
    assert (await now(store)).opted_out == ""


async def test_marketing_is_a_matter_of_its_own(store: AsyncStore) -> None:
    await opened(store)
    states = []
    for minute, content in enumerate(
        [
            Event("opt_out", "marketing"),
            Event("opt_out", "answered"),
            Event("opt_in", "marketing"),
            Event("opt_in", "answered"),
            Event("opt_out", "marketing"),
            Event("opt_in", "marketing"),
        ]
    ):
        await told(store, message(content, minute))
        states.append((await now(store)).opted_out)
    assert states == ["marketing", "all", "all", "", "marketing", ""]


async def test_who_wrote_stop_is_not_back_by_unblocking_us(store: AsyncStore) -> None:
    await opened(store)
    minutes = iter(range(20))

    async def happens(*contents: Content) -> Verdict | None:
        for content in contents:
            found = await told(store, message(content, next(minutes)))
        return found

    assert await happens(Event("blocked"), Text("STOP"), Event("unblocked")) == SILENCE
    assert (await now(store)).opted_out == "all"
    await happens(Text("START"), Text("STOP"), Event("blocked"))
    assert await happens(Event("unblocked")) == SILENCE
    await happens(Text("START"), Event("blocked"))
    back = await happens(Event("unblocked"))
    assert back is not None
    assert back.goes_on
    assert (await now(store)).opted_out == ""


async def test_an_unblocking_that_is_taken_again_goes_on_again(store: AsyncStore) -> None:
    await opened(store)
    await told(store, message(Event("blocked"), 1))
    back = await told(store, message(Event("unblocked"), 2))
    assert back == Verdict("in", "all", "blocked", goes_on=True)
    assert await told(store, message(Event("unblocked"), 2)) == back


async def test_a_refusal_is_kept_and_a_later_start_counts_more(store: AsyncStore) -> None:
    await opened(store)
    sent = row("hello", status="failed")
    tried = NOON + timedelta(minutes=1, microseconds=900_000)
    for _ in range(2):
        kept = await refused(store, sent, tried)
    assert (kept.id, kept.how, kept.at) == (
        f"send:{sent.id}",
        "refused",
        NOON + timedelta(minutes=1),
    )
    assert (await now(store)).opted_out == "all"
    await told(store, message("START", 1))
    assert (await now(store)).opted_out == ""
    # Recorded late, tried before.
    await refused(store, row("again", n=2), tried - timedelta(seconds=30))
    assert (await now(store)).opted_out == ""
    await refused(store, row("again", n=3), tried + timedelta(hours=1), scope="marketing")
    assert (await now(store)).opted_out == "marketing"


async def test_consent_does_not_wait_for_a_conversation(store: AsyncStore) -> None:
    await refused(store, row("hello"), NOON)
    found = await now(store)
    assert (found.opted_out, found.lease_owner, found.holder) == ("all", "", "bot")


async def test_who_moves_is_out_at_the_new_address_too(store: AsyncStore) -> None:
    await opened(store)
    moving = message(Event("moved", "99"), 5)
    assert await carry(store, moving) is None
    await told(store, message("STOP", 1))
    for _ in range(2):
        kept = await carry(store, moving)
        assert kept is not None
        assert (kept.conversation, kept.how) == ("line:shop:99", "moved")
    there = await store.get(Conversation, "line:shop:99")
    assert there is not None
    assert there.opted_out == "all"
    assert await carry(store, message("hello", 6)) is None


async def test_who_moves_is_out_there_even_if_it_cannot_be_told_who_it_is(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.meeting.moved", broken)
    await opened(store)
    await told(store, message("STOP", 1))
    await meet(store, message(Event("moved", "99"), 5), await now(store))
    there = await store.get(Conversation, "line:shop:99")
    assert there is not None
    assert there.opted_out == "all"


async def test_somebody_at_the_desk_can_change_it(store: AsyncStore) -> None:
    await opened(store)
    who = Address.parse(address().key)
    await change(store, who, id="desk:1", state="out", how="agent", at=NOON, word="by phone")
    assert (await now(store)).opted_out == "all"
    assert verdict(message(Event("unblocked"), 1), await now(store), RULES) == SILENCE


async def test_conversations_from_before_there_was_consent_can_opt_out(store: AsyncStore) -> None:
    await opened(store)
    await store.change(
        Conversation, {"id": address().key}, unset=["opted_out", "consent_id", "consent_how"]
    )
    await told(store, message("STOP", 1))
    assert (await now(store)).opted_out == "all"


@pytest.mark.parametrize("seed", range(10))
async def test_entries_in_any_order_and_at_once_come_to_the_same(
    store: AsyncStore, seed: int
) -> None:
    await opened(store)
    dice = random.Random(seed)
    # The last one decides, whichever comes first, and however often.
    entries = [(n, dice.choice(["in", "out"])) for n in range(8)]
    mixed = [*entries, *dice.sample(entries, 4)]
    dice.shuffle(mixed)
    who = Address.parse(address().key)
    await asyncio.gather(
        *(
            change(
                store, who, id=f"e{n}", state=state, how="command", at=NOON + timedelta(minutes=n)
            )
            for n, state in mixed
        )
    )
    found = await now(store)
    assert found.opted_out == ("all" if entries[-1][1] == "out" else "")
    assert found.consent_at == NOON + timedelta(minutes=7)
    assert await store.count(Consent, {}) == 8


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_a_failed_call_to_the_store_changes_nothing_in_the_end(
    store: AsyncStore, applied: bool
) -> None:
    """Each call fails in turn; the message is then taken again, as by the next worker."""
    for at in range(1, 40):
        await store.delete(Consent, {})
        await opened(store)
        failing = Failing(store, at=at, applied=applied)
        failed = False
        for minute, word in enumerate(["STOP", "START", "STOP"]):
            said = message(word, minute)
            try:
                found = await told(failing, said)
            except StoreDown:
                failed = True
                found = await told(failing, said)
            assert found is not None, f"call {at}"
            assert found.reply, f"call {at}"
        assert (await now(store)).opted_out == "all"
        assert await store.count(Consent, {}) == 3
        if not failed:
            assert at > 12
            return
    raise AssertionError("it never ended")
