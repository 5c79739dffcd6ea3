"""What goes to the customer, what stays a note, files, templates, drafts and finding."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.desk.deeds import settle, wish
from bot.desk.desk import UnknownDeed
from bot.desk.saying import unmarked
from bot.desk.templates import Approved
from bot.desk.templates_file import load_templates, parse_templates
from bot.media.folder import FolderVault
from bot.media.links import check
from bot.media.seal import Seal
from bot.media.vault import AsyncVault
from bot.message import Media, MediaType, Profile, Template, Text, utcnow
from bot.sandbox.messenger_sent import TEMPLATES as ON_MESSENGER
from bot.sandbox.whatsapp_sent import TEMPLATES as ON_WHATSAPP
from bot.settings import SettingsInvalid
from bot.store import AsyncStore
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.files import KEPT, StoredFile
from bot.store.journal import NOTE
from bot.store.messages import DONE, to_message
from bot.store.reviews import DISCARDED, EDITED, SENT, Review
from connectors import CHANNELS
from connectors.base import Files
from connectors.errors import NoFile, RetryLater
from tests.kit.at_desk import KEY, deed, desk_of, do, held, journal, out, talk, to_customer
from tests.kit.build import inbound
from tests.kit.channel import CAN

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PDF = b"%PDF-1.4\n" + bytes(40)
_ROOT = Path(__file__).parents[2]


async def test_only_the_holders_words_go_out_all_else_is_a_note(store: AsyncStore) -> None:
    await talk(store)
    desk = desk_of(store)
    before = await do(desk, deed("write", "anna", "looks like fraud"))
    assert before.text == "Noted. Take the conversation over to write to the customer."
    await do(desk, deed("take", "anna"))
    assert (await do(desk, deed("write", "anna", "Hello, Anna here."))).ok
    other = await do(desk, deed("write", "ben", "offer him a voucher"))
    assert other.text == (
        "Noted. Anna Keller has this conversation; what you write stays internal until it is yours."
    )
    assert await to_customer(store) == [Text("Hello, Anna here.")]
    (row,) = await out(store)
    assert (row.agent, row.turn) == ("Anna Keller", None)
    notes = [entry for entry in await journal(store) if entry.kind == NOTE]
    assert [(n.text, n.name) for n in notes] == [
        ("looks like fraud", "Anna Keller"),
        ("offer him a voucher", "Ben Okafor"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("// he lies", "  //he lies", "note: he lies", "Note:he lies", "\n NOTE:  he lies"),
        *("**note:** he lies", "**note**: he lies", "_note: he lies_", "`note:` he lies"),
        *("```note: he lies```", "*//* he lies", "**// he lies**", "~note:~ he lies"),
        *("> note: he lies", "• note: he lies", "- **Note:** he lies", "1. note: he lies"),
        *(
            "note : he lies",
            "note\u00a0: he lies",
            "note：he lies",
            "／／ he lies",
        ),
        *("📝 note: he lies", "ℹ️ note: he lies", "1️⃣ note: he lies", ":memo: note: he lies"),
        *("ｎｏｔｅ: he lies", "\u200bnote: he lies", "no\u200bte: he lies"),
    ],
)
async def test_a_marked_message_of_the_holder_is_a_note(store: AsyncStore, text: str) -> None:
    await talk(store, holder=AGENT, agent="anna")
    desk = desk_of(store)
    done = await do(desk, deed("write", "anna", text))
    assert done.text == "Noted."
    assert await out(store) == []
    (entry,) = await journal(store)
    assert entry.text == "he lies"
    # Written in the console's box for the customer by habit.
    assert not (await do(desk, deed("say", "anna", text))).ok
    assert await out(store) == []


async def test_a_note_for_a_colleague_says_for_whom_it_is(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await do(desk_of(store), deed("write", "anna", "@Ben Okafor *note:* he lies"))
    assert await out(store) == []
    assert [entry.text for entry in await journal(store)] == ["@Ben Okafor he lies"]


@pytest.mark.parametrize(
    "text",
    [
        *("Please note: we are closed", "notebook: £4", "https://shop.example/a", "/start"),
        *("It is in aisle 10/11", "Note that we close at 6", "**Hello**, note it", "I // O"),
    ],
)
async def test_what_does_not_begin_with_the_mark_goes_to_the_customer(
    store: AsyncStore, text: str
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await do(desk_of(store), deed("write", "anna", text))
    assert await to_customer(store) == [Text(text)]


@pytest.mark.parametrize("sign", ["*", "@", ":_", ":_a", "@a", "1. ", "note", "_ "])
def test_a_long_message_is_read_in_no_time(sign: str) -> None:
    began = time.thread_time()
    assert unmarked(f"@{sign * 4000}") is None
    assert time.thread_time() - began < 2


async def test_a_note_stays_one_when_the_deed_is_done_again_after_a_takeover(
    store: AsyncStore,
) -> None:
    await talk(store, holder=WAITING)
    desk = desk_of(store)
    wanted = deed("write", "anna", "angry customer, careful")
    await wish(store, wanted)
    await settle(store, wanted, what="note")
    # The process dies here; she takes the conversation before another one goes on.
    await store.change(Conversation, {"id": KEY}, set={"holder": AGENT, "agent": "anna"})
    again = await store.get(Deed, wanted.id)
    assert again is not None
    assert (await desk.perform(again)).ok
    assert await out(store) == []
    assert [entry.kind for entry in await journal(store)] == [NOTE]


async def test_words_for_the_customer_stay_so_when_she_gives_it_back_meanwhile(
    store: AsyncStore,
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    wanted = deed("write", "anna", "Your parcel is here.")
    await wish(store, wanted)
    await settle(store, wanted, what="say")
    await store.change(Conversation, {"id": KEY}, set={"holder": BOT, "agent": ""})
    again = await store.get(Deed, wanted.id)
    assert again is not None
    assert (await desk_of(store).perform(again)).ok
    assert await to_customer(store) == [Text("Your parcel is here.")]
    assert await journal(store) == []


@pytest.mark.parametrize("kind", ["say", "write"])
async def test_who_has_opted_out_gets_nothing_and_the_agent_is_told(
    store: AsyncStore, kind: str
) -> None:
    await talk(store, holder=AGENT, agent="anna", opted_out="all")
    done = await do(desk_of(store), deed(kind, "anna", "Hello?"))
    assert (done.ok, "opted out" in done.text) == (False, True)
    assert await out(store) == []
    assert await journal(store) == []


@pytest.mark.parametrize("kind", ["say", "write", "note"])
async def test_nothing_at_all_is_neither_sent_nor_noted(store: AsyncStore, kind: str) -> None:
    await talk(store, holder=AGENT, agent="anna")
    assert not (await do(desk_of(store), deed(kind, "anna", " \n"))).ok
    assert await out(store) == []
    assert await journal(store) == []


async def test_saying_needs_the_conversation(store: AsyncStore) -> None:
    await talk(store)
    desk = desk_of(store)
    assert (await do(desk, deed("say", "anna", "Hi"))).text == "Take the conversation over first."
    await do(desk, deed("take", "anna"))
    assert (await do(desk, deed("say", "ben", "Hi"))).text == "Anna Keller has this conversation."
    assert await out(store) == []


async def test_what_no_store_takes_is_cleaned(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    assert (await do(desk_of(store), deed("say", "anna", "a\x00b \ud800"))).ok
    assert await to_customer(store) == [Text("ab \ufffd")]


class Drive:
    """Where agents' files are; `missing` ones are gone, `busy` ones come later."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.missing: set[str] = set()
        self.busy: set[str] = set()
        self.fetched: list[str] = []

    async def fetch(self, file: Mapping[str, Any]) -> tuple[bytes, str, str]:
        name = str(file["name"])
        self.fetched.append(name)
        if name in self.busy:
            raise RetryLater("too many requests", 1.0)
        if name in self.missing:
            raise NoFile("it was deleted")
        return self.files[name.partition(".")[0]], "image/png", name


SEAL = Seal("a secret that is long enough for this")
IN_FILES: dict[MediaType, Files] = {
    "image": Files(("image/png",), 1000),
    "document": Files(("application/pdf",), 1000),
}


@pytest.fixture
def drive() -> Drive:
    return Drive(photo=PNG, bill=PDF, page=b"<html><script>1</script>", notes=b"a few words")


@pytest.fixture
def filing(store: AsyncStore, drive: Drive, tmp_path: Path) -> Any:
    return desk_of(
        store,
        replace(CAN, files=IN_FILES),
        fetches={"slack": drive},
        seal=SEAL,
        vault=AsyncVault(FolderVault(tmp_path / "media")),
        public_url="https://bot.example.com/",
    )


def sent_files(*names: str) -> list[Mapping[str, Any]]:
    return [{"id": f"F{n}", "name": name} for n, name in enumerate(names)]


async def test_files_go_out_natively_with_the_words_as_caption(
    store: AsyncStore, filing: Any
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    files = sent_files("photo.png", "bill.pdf", "notes.txt")
    wanted = deed("write", "anna", "Here it is", via="slack", files=files)
    done = await do(filing, wanted)
    assert done.ok
    photo, bill, link = await to_customer(store)
    assert isinstance(photo, Media)
    assert (photo.type, photo.caption, photo.mime) == ("image", "Here it is", "image/png")
    assert isinstance(bill, Media)
    assert (bill.type, bill.filename, bill.caption) == ("document", "bill.pdf", "")
    # The channel takes no such file: its link does.
    assert isinstance(link, Text)
    assert "notes.txt: https://bot.example.com/media/" in link.text
    kept = await store.find(StoredFile, {"conversation": KEY}, sort=("at",))
    assert {file.status for file in kept} == {KEPT}
    assert {file.message for file in kept} == set(done.said)
    path, _, query = photo.url.partition("?")
    given = dict(pair.split("=") for pair in query.split("&"))
    left = check(SEAL, path.rpartition("/")[2], given["expires"], given["signature"])
    assert 29.9 * 86400 < left <= 30 * 86400
    assert await filing.means.vault.get(kept[0].key) in (PNG, PDF, b"a few words")


async def test_words_too_long_for_a_caption_come_first(store: AsyncStore, filing: Any) -> None:
    await talk(store, holder=AGENT, agent="anna")
    long = "a word and another " * 5
    await do(filing, deed("write", "anna", long, via="slack", files=sent_files("photo.png")))
    text, photo = await to_customer(store)
    assert text == Text(long.strip())
    assert isinstance(photo, Media)
    assert photo.caption == ""


@pytest.mark.parametrize(
    ("bad", "why"), [("gone.png", "it was deleted"), ("page.png", "a page for a browser")]
)
async def test_when_one_file_cannot_be_had_nothing_half_is_sent(
    store: AsyncStore, filing: Any, drive: Drive, bad: str, why: str
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    drive.missing = {"gone.png"}
    wanted = deed("write", "anna", "Both", via="slack", files=sent_files("photo.png", bad))
    done = await do(filing, wanted)
    assert not done.ok
    assert done.text.startswith(f"{bad} was not sent")
    assert why in done.text
    assert await out(store) == []
    assert await store.count(StoredFile, {}) == 0


async def test_a_file_that_cannot_be_had_now_is_fetched_later_and_sent_once(
    store: AsyncStore, filing: Any, drive: Drive
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    drive.busy = {"photo.png"}
    wanted = deed("write", "anna", "", via="slack", files=sent_files("photo.png"))
    await wish(store, wanted)
    with pytest.raises(RetryLater):
        await filing.perform(wanted)
    assert await out(store) == []
    drive.busy = set()
    for _ in range(2):
        assert (await filing.perform(wanted)).ok
    assert len(await out(store)) == 1
    assert drive.fetched == ["photo.png", "photo.png"]


async def test_without_a_public_address_no_file_is_promised(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    wanted = deed("say", "anna", "see", files=sent_files("photo.png"))
    assert not (await do(desk_of(store), wanted)).ok
    assert await out(store) == []


async def test_the_files_of_a_note_are_named_in_it_and_not_sent(
    store: AsyncStore, filing: Any
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    wanted = deed("write", "anna", "// scan", via="slack", files=sent_files("photo.png"))
    assert (await do(filing, wanted)).ok
    assert await out(store) == []
    (entry,) = await journal(store)
    assert entry.details == {"files": ["photo.png"]}


TEMPLATES = (
    Approved("order_update", "line", "en", "utility", "Your order {1} is out.", ("order number",)),
    Approved("order_update", "line", "de", "utility", "Ihre {1} ist da.", ("order number",)),
    Approved("news", "line", "en", "marketing", "News!"),
)


async def test_a_template_is_filled_and_sent_in_the_customers_language(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna", language="de")
    can = replace(CAN, kinds_out=CAN.kinds_out | {"template"})
    desk = desk_of(store, can, templates=TEMPLATES)
    wanted = deed("template", "anna", name="order_update", parameters=["1042\n x"])
    assert (await do(desk, wanted)).ok
    assert await to_customer(store) == [
        Template("order_update", "de", ("1042 x",), text="Ihre 1042 x ist da.")
    ]
    wrong: tuple[dict[str, Any], ...] = (
        {"name": "order_update", "parameters": []},
        {"name": "order_update", "parameters": [" "]},
        {"name": "unknown"},
    )
    for args in wrong:
        assert not (await do(desk, deed("template", "anna", **args))).ok
    assert len(await out(store)) == 1


async def test_who_wants_no_marketing_gets_no_such_template(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna", opted_out="marketing")
    desk = desk_of(store, templates=TEMPLATES)
    assert not (await do(desk, deed("template", "anna", name="news"))).ok
    assert (await do(desk, deed("template", "anna", name="order_update", parameters=["1"]))).ok


def test_the_shops_templates_are_those_the_stand_ins_know() -> None:
    templates = load_templates(_ROOT / "data" / "templates.yml", channels=CHANNELS)
    assert {t.name for t in templates} == {"write_again", "order_update"}
    for template in templates:
        known = {"whatsapp": ON_WHATSAPP, "messenger": ON_MESSENGER}[template.channel]
        approved = known[template.name, template.language]
        assert approved.text.replace("{{", "{").replace("}}", "}") == template.text


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("templates:\n  - name: a\n", 2, "has no channel"),
        ("templats: []\n", 1, "did you mean templates?"),
        ("templates: {}\n", 1, "a list of templates"),
        ("templates:\n  - {name: A b, channel: sms, language: en, text: x}\n", 2, "no template's"),
        ("templates:\n  - {name: a, channel: smss, language: en, text: x}\n", 2, "mean sms?"),
        ("templates:\n  - {name: a, channel: sms, language: english, text: x}\n", 2, "'en' or"),
        (
            "templates:\n  - name: a\n    channel: sms\n    language: en\n    text: 'x {2}'\n"
            "    parameters: [number]\n",
            5,
            "name each place once",
        ),
        (
            "templates:\n  - name: a\n    channel: sms\n    language: en\n    text: 'x {name}'\n",
            5,
            "places are {1}",
        ),
        (
            "templates:\n  - {name: a, channel: sms, language: en, text: x}\n"
            "  - {name: a, channel: sms, language: en, text: y}\n",
            3,
            "is there twice, see line 2",
        ),
    ],
)
def test_what_is_wrong_in_the_templates_is_told_with_its_line(
    text: str, line: int, says: str
) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        parse_templates(text, channels=CHANNELS)
    problem = raised.value.problems[0]
    assert problem.line == line
    assert says in str(problem)


async def review(store: AsyncStore, id: str = "r") -> None:
    made = Review(id=id, conversation=KEY, agent="anna", draft="It is on its way.", at=utcnow())
    await store.insert(made)


@pytest.mark.parametrize(
    ("text", "outcome"), [("", SENT), ("It is on its way.", SENT), ("It comes today.", EDITED)]
)
async def test_a_draft_is_sent_as_the_agent_has_it_and_once(
    store: AsyncStore, text: str, outcome: str
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await review(store)
    desk = desk_of(store)
    assert (await do(desk, deed("send_draft", "anna", text, review="r"))).ok
    # Pressed twice.
    assert not (await do(desk, deed("send_draft", "anna", text, review="r"))).ok
    assert not (await do(desk, deed("discard", "anna", review="r"))).ok
    assert await to_customer(store) == [Text(text or "It is on its way.")]
    kept = await store.get(Review, "r")
    assert kept is not None
    assert kept.outcome == outcome


async def test_a_discarded_draft_is_not_sent(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await review(store)
    desk = desk_of(store)
    assert (await do(desk, deed("discard", "anna", review="r"))).ok
    assert not (await do(desk, deed("send_draft", "anna", review="r"))).ok
    assert not (await do(desk, deed("discard", "anna", review="unknown"))).ok
    kept = await store.get(Review, "r")
    assert kept is not None
    assert kept.outcome == DISCARDED
    assert await out(store) == []


@pytest.mark.parametrize("kind", ["draft", "similar", "suggest", "act", "canned"])
async def test_without_help_the_desk_says_so(store: AsyncStore, kind: str) -> None:
    await talk(store)
    done = await do(desk_of(store), deed(kind))
    assert (done.ok, done.text) == (False, "There is no help with that here.")


async def test_what_the_desk_does_not_know_is_told_apart(store: AsyncStore) -> None:
    with pytest.raises(UnknownDeed):
        await desk_of(store).perform(deed("dance"))


async def test_conversations_are_found_by_name_number_key_and_words(store: AsyncStore) -> None:
    said = {"amara": "Where is order 20417?", "tom": "My mug broke", "mei": "Danke schön"}
    names = {"amara": "Amara Osei", "tom": "Tom Lindqvist", "mei": "Mei Tanaka"}
    for user, text in said.items():
        await talk(store, user)
        row = to_message(replace(inbound(text, user=user), profile=Profile(names[user])))
        row.status = DONE
        await store.insert(row)
    desk = desk_of(store)

    async def found(text: str) -> list[str]:
        done = await do(desk, deed("find", "anna", text, conversation=""))
        assert done.ok
        return [one["id"].rpartition(":")[2] for one in done.data["conversations"]]

    assert await found("") == ["mei", "tom", "amara"]
    assert await found("lindqvist") == ["tom"]
    assert await found("20417") == ["amara"]
    assert await found("MUG broke") == ["tom"]
    assert await found("line:shop:mei") == ["mei"]
    assert await found("nobody") == []
    done = await do(desk, deed("find", "anna", "osei", conversation=""))
    (one,) = done.data["conversations"]
    assert {**one, "at": ""} == {
        "id": "line:shop:amara",
        "name": "Amara Osei",
        "channel": "line",
        "holder": BOT,
        "agent": "",
        "last": "Where is order 20417?",
        "at": "",
    }
    assert (await held(store, "line:shop:amara")).holder == BOT
