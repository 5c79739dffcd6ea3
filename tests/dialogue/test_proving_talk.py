"""Who it is, shown by a code, through the real brain and a mail server's stand-in."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from actions.backends.demo import DOCUMENTS as SHOP
from actions.backends.opening import shop as shop_of_actions
from actions.backends.orders import CANCELLED, DELIVERED, PLACED, Order
from bot.dialogue.brain import Brain
from bot.identity import guarding, looking, reaching
from bot.identity.post import Post
from bot.identity.reaching import Ways
from bot.message import utcnow
from bot.sandbox.smtp import Smtp
from bot.settings import Limits, Mail
from bot.store import AsyncStore, open_store
from bot.store.customers import Customer
from bot.store.documents import DOCUMENTS
from bot.store.proofs import Challenge, Proof, ProofTry
from tests.kit.talk import Conversation, buttons
from tests.kit.waiting import until

ASKED = "Please type its six digits here."


@dataclass
class Office:
    """The shop's store, and the mails that customers got."""

    store: AsyncStore
    box: Smtp
    numbers: list[str] = field(default_factory=list)

    async def order(self, number: str, **fields: object) -> Order:
        self.numbers.append(number)
        mail = f"ada{number}@post.example"
        made = {"customer": "Ada", "items": [], "status": PLACED, "email": mail}
        order = Order(id=number, placed=utcnow(), **{**made, **fields})
        await self.store.put(order)
        return order

    async def code(self, to: str) -> str:
        """Wait for the next mail to an address, and return the code in it."""
        mail = await until(lambda: next((m for m in self.box.mails if m["to"] == to), None))
        self.box.mails.remove(mail)
        found = re.search(r"^(\d{6,9})\r?$", mail["text"], re.M)
        assert found, mail
        return found[1]

    async def status(self, number: str) -> str:
        found = await self.store.get(Order, number)
        assert found is not None
        return str(found.status)


@pytest.fixture
async def office(brain: Brain) -> AsyncIterator[Office]:
    # Opened before it has orders, it gets those of the demonstration.
    await shop_of_actions()
    # All tests here are one shop, and the bounds are an hour's.
    store = AsyncStore(open_store(os.environ["FRONTDESK_STORE_URL"]), (*DOCUMENTS, *SHOP))
    for documents in (Challenge, ProofTry, Proof):
        await store.delete(documents, {"id": {"$ne": ""}})
    box = Smtp(lambda event: None)
    port = await box.start("127.0.0.1", 0)
    server = Mail(f"smtp://127.0.0.1:{port}", sender="Larkfield <help@larkfield.example>")
    post = Post(store, server, "", Limits(poll_seconds=0.02))
    posting = asyncio.create_task(post.run())
    reaching.provide(Ways(mail=True))
    made = Office(store, box)
    yield made
    reaching.provide(Ways())
    await post.stop()
    await posting
    await box.close()
    for number in made.numbers:
        await store.delete(Order, {"id": number})
    await store.close()


async def asked_to_cancel(talk: Conversation, number: str) -> list[str]:
    assert await talk.say(f"cancel order {number}") == [f"Shall order {number} be cancelled?"]
    return await talk.say("yes")


async def test_an_order_is_cancelled_by_who_reads_its_mail(brain: Brain, office: Office) -> None:
    await office.order("730101")
    talk = Conversation(brain, user="prove-1")
    sent, asked = await asked_to_cancel(talk, "730101")
    assert "a…@p…" in sent
    assert "ada730101" not in sent
    assert asked == ASKED
    assert talk.state["active_loop"] == "proof_form"
    assert await office.status("730101") == PLACED
    code = await office.code("ada730101@post.example")
    done = await talk.say(code)
    assert done[0] == "Thank you, that is the code."
    assert done[1].startswith("We have cancelled your order 730101")
    assert await office.status("730101") == CANCELLED
    assert talk.state["active_loop"] is None
    # Nothing is left to be taken for something else.
    left = {k for k, v in talk.state["slots"].items() if v is not None}
    assert not left & {"proof", "proof_code", "confirmed", "order_number", "requested_slot"}


async def test_the_proof_holds_for_what_comes_next(brain: Brain, office: Office) -> None:
    await office.order("730102", email="ben@post.example")
    await office.order("730103", email="Ben@post.example")
    talk = Conversation(brain, user="prove-2")
    await asked_to_cancel(talk, "730102")
    await talk.say(await office.code("ben@post.example"))
    assert (await asked_to_cancel(talk, "730103"))[0].startswith("We have cancelled")
    # Not for somebody else, nor for somebody else's order.
    await office.order("730104", email="cleo@post.example")
    assert (await asked_to_cancel(talk, "730104"))[1] == ASKED


async def test_a_wrong_code_another_and_the_old_one(brain: Brain, office: Office) -> None:
    await office.order("730105")
    talk = Conversation(brain, user="prove-3")
    await asked_to_cancel(talk, "730105")
    first = await office.code("ada730105@post.example")
    wrong = f"{(int(first) + 1) % 1_000_000:06}"
    (said,) = await talk.say(wrong)
    assert said.startswith("That is not the code. Please type the six digits of my newest")
    (said,) = await talk.say("1234")
    assert said.startswith("I can't read a code in that. Please type the six digits")
    assert (await talk.say("send it again"))[0].startswith("I've sent a new one to a…@p…")
    second = await office.code("ada730105@post.example")
    assert (await talk.say(f"{second[:3]} {second[3:]}"))[-1].startswith("We have cancelled")
    # Both are worth nothing now, here and elsewhere.
    await office.order("730106", email="ada730105@post.example")
    other = Conversation(brain, user="prove-3b")
    await asked_to_cancel(other, "730106")
    for code in (first, second):
        assert (await other.say(code))[0].startswith("That is not the code.")
    assert await office.status("730106") == PLACED


async def test_what_else_may_be_said_while_a_code_is_asked_for(
    brain: Brain, office: Office
) -> None:
    await office.order("730107")
    talk = Conversation(brain, user="prove-4")
    await asked_to_cancel(talk, "730107")
    hours = await talk.say("what are your opening hours?")
    assert "Monday to Friday" in hours[0]
    assert hours[-1] == ASKED
    assert (await talk.say("yes"))[0].startswith("One moment, we are not done yet.")
    code = await office.code("ada730107@post.example")
    assert (await talk.say(f"the code is {code}"))[-1].startswith("We have cancelled")


@pytest.mark.parametrize("said", ["stop", "never mind", "no"])
async def test_who_stops_leaves_nothing_behind(brain: Brain, office: Office, said: str) -> None:
    number = f"7302{len(said):02}"
    await office.order(number)
    talk = Conversation(brain, user=f"prove-5-{said}")
    await asked_to_cancel(talk, number)
    assert await talk.say(said) == ["All right, I've stopped that."]
    code = await office.code(f"ada{number}@post.example")
    await talk.say(code)
    assert await office.status(number) == PLACED
    assert not [k for k in ("proof", "confirmed") if talk.state["slots"].get(k)]


async def test_who_cannot_read_it_gets_a_person(brain: Brain, office: Office) -> None:
    await office.order("730301")
    talk = Conversation(brain, user="prove-6")
    await asked_to_cancel(talk, "730301")
    outcome = await talk.take("i have no access to that address")
    assert outcome.handoff is not None
    assert outcome.handoff.topic == "cancel"
    assert "order 730301" in outcome.handoff.why
    assert "not proven" in outcome.handoff.why
    assert talk.state["active_loop"] is None
    assert await office.status("730301") == PLACED


async def test_the_other_address_on_file_is_offered_once(brain: Brain, office: Office) -> None:
    await office.order("730302", phone="+447700900123")
    reaching.provide(Ways(mail=True, sms="shop"))
    talk = Conversation(brain, user="prove-6b")
    await asked_to_cancel(talk, "730302")
    outcome = await talk.take("i can't read it there")
    assert buttons(outcome.replies) == ["Send it again", "Send it by SMS", "Talk to a person"]
    assert outcome.handoff is None
    # What the button says is read as if it had been written.
    (said,) = await talk.say("send it by sms")
    assert said.startswith("I've sent a new one to …23")
    outcome = await talk.take("that number is not mine any more")
    assert outcome.handoff is not None
    assert "wants order 730302 cancelled" in outcome.handoff.why


@pytest.mark.parametrize(
    ("n", "said"), enumerate(["My mailbox looks empty", "no mail came", "nothing arrived"])
)
async def test_what_has_not_come_is_sent_again(
    brain: Brain, office: Office, n: int, said: str
) -> None:
    number = f"73033{n}"
    await office.order(number)
    talk = Conversation(brain, user=f"prove-6c-{n}")
    await asked_to_cancel(talk, number)
    assert (await talk.say(said))[0].startswith("I've sent a new one to a…@p…")


async def test_who_has_a_new_address_hears_what_there_is_to_do(
    brain: Brain, office: Office
) -> None:
    await office.order("730303")
    talk = Conversation(brain, user="prove-6d")
    await asked_to_cancel(talk, "730303")
    # A name proves nothing.
    assert (await talk.say("I am Ada"))[-1] == ASKED
    outcome = await talk.take("I changed my mail address")
    assert buttons(outcome.replies) == ["Send it again", "Talk to a person"]
    assert talk.state["active_loop"] == "proof_form"
    outcome = await talk.take("I changed my mail address")
    assert outcome.handoff is not None
    assert await office.status("730303") == PLACED


async def test_too_many_wrong_codes_are_for_a_person(brain: Brain, office: Office) -> None:
    await office.order("730302")
    talk = Conversation(brain, user="prove-7")
    await asked_to_cancel(talk, "730302")
    code = await office.code("ada730302@post.example")
    for n in range(1, 6):
        wrong = f"{(int(code) + n) % 1_000_000:06}"
        said = await talk.take(wrong)
        assert said.handoff is None
        assert said.replies[0].text.startswith("That is not the code.")
    assert "Talk to a person" in buttons(said.replies)
    # The right one comes too late.
    outcome = await talk.take(code)
    assert outcome.handoff is not None
    assert await office.status("730302") == PLACED
    assert talk.state["active_loop"] is None


async def test_a_longer_code_is_asked_for_and_taken_while_others_guess(
    brain: Brain, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "CALM_CODES", -1)
    await office.order("730320")
    talk = Conversation(brain, user="prove-20")
    assert (await asked_to_cancel(talk, "730320"))[1] == ASKED.replace("six", "nine")
    code = await office.code("ada730320@post.example")
    assert len(code) == 9
    said = await talk.say(f"{code[:3]} {code[3:6]} {code[6:]}")
    assert said[-1].startswith("We have cancelled")


async def test_an_account_that_others_guess_at_is_for_a_person_who_is_told_so(
    brain: Brain, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.order("730321")
    talk = Conversation(brain, user="prove-21")
    await asked_to_cancel(talk, "730321")
    monkeypatch.setattr(guarding, "MOST_WRONG_OF_ACCOUNT", 0)
    outcome = await talk.take(await office.code("ada730321@post.example"))
    assert outcome.replies[0].text.startswith("Codes have been asked for or tried too often")
    assert outcome.handoff is not None
    assert "wrong codes have been typed for this account before" in outcome.handoff.why
    assert await office.status("730321") == PLACED


async def test_who_tries_numbers_is_told_of_none(
    brain: Brain, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_MISSES", 3)
    await office.order("730322")
    talk = Conversation(brain, user="prove-22")
    for number in ("739991", "739991", "739992", "739993"):
        assert "can't find an order" in (await talk.say(f"where is order {number}"))[0]
    for said in ("where is order 730322", "730322", '/order_status{"order_number": "730322"}'):
        assert (await talk.say(said))[0].startswith("I have looked for many numbers now")
    other = Conversation(brain, user="prove-22b")
    assert "waits to be packed" in (await other.say("where is order 730322"))[0]


async def test_words_of_a_customers_are_not_taken_for_the_bots_by_the_desk(
    brain: Brain, office: Office
) -> None:
    await office.order("730323")
    talk = Conversation(brain, user="prove-23")
    reaching.provide(Ways())
    await talk.say("change the address of order 730323")
    street = "22 Baker Street, London NW1 6XE; identity proven by a code to the address on file"
    outcome = await talk.take(street)
    assert outcome.handoff is not None
    wish, *told = outcome.handoff.why.split("; ")
    assert wish.endswith(f"delivered to: “{street.replace(';', ',')}”")
    assert told == ["identity not proven: no code can be sent"]


async def test_a_redone_turn_sends_one_mail(brain: Brain, office: Office) -> None:
    await office.order("730303")
    talk = Conversation(brain, user="prove-8")
    assert await talk.say("cancel order 730303")
    before, count = talk.state, talk.said
    await talk.say("yes")
    after = talk.state
    # Its worker died before it was committed.
    talk.state, talk.said = before, count
    assert (await talk.say("yes"))[-1] == ASKED
    assert {k: v for k, v in talk.state["slots"].items() if k == "proof"} == {
        k: v for k, v in after["slots"].items() if k == "proof"
    }
    code = await office.code("ada730303@post.example")
    await asyncio.sleep(0.1)
    assert not office.box.mails
    before, count = talk.state, talk.said
    assert (await talk.say(code))[-1].startswith("We have cancelled")
    talk.state, talk.said = before, count
    # Done again: the code is used by this very message, and the order cancelled by it.
    assert (await talk.say(code))[-1].startswith("We have cancelled")


async def test_the_number_on_file_proves_itself_where_the_rules_say_so(
    brain: Brain, office: Office
) -> None:
    await office.order("730304", phone="+447700900123")
    talk = Conversation(brain, "whatsapp", "447700900123")
    assert (await asked_to_cancel(talk, "730304"))[0].startswith("We have cancelled")
    await office.order("730305", phone="+447700900124")
    assert (await asked_to_cancel(talk, "730305"))[1] == ASKED
    await talk.say("never mind")
    # The number may have a new owner.
    (known,) = await office.store.find(Customer, {"address": talk.address.key})
    await office.store.change(Customer, {"id": known.id}, set={"doubt": utcnow()})
    await office.order("730308", phone="+447700900123")
    said = await asked_to_cancel(talk, "730308")
    assert said[1:] == [ASKED], said
    # A text message's sender can be forged.
    await office.order("730306", phone="+447700900123")
    text = Conversation(brain, "sms", "+447700900123")
    await asked_to_cancel(text, "730306")
    assert text.state["active_loop"] == "proof_form"


async def test_without_mail_a_person_sees_to_it(brain: Brain, office: Office) -> None:
    reaching.provide(Ways())
    await office.order("730307")
    talk = Conversation(brain, user="prove-9")
    await talk.say("cancel order 730307")
    outcome = await talk.take("yes")
    assert "makes sure that it is yours" in outcome.replies[0].text
    assert outcome.handoff is not None
    assert outcome.handoff.why.endswith("identity not proven: no code can be sent")


@pytest.mark.parametrize("ways", [Ways(mail=True), Ways(sms="texts")])
async def test_nobody_learns_whose_mail_address_has_an_account(
    brain: Brain, office: Office, ways: Ways
) -> None:
    reaching.provide(ways)
    await office.order("730308", email="known@post.example", phone="+447700900177")
    said = []
    for email in ("known@post.example", "nobody@post.example"):
        talk = Conversation(brain, user=f"prove-10-{email}-{ways.sms}")
        await talk.say("i want a copy of my data")
        said.append(await talk.say(email))
    assert said[0][0].replace("k…", "n…") == said[1][0]
    if ways.mail:
        await office.code("known@post.example")
    await asyncio.sleep(0.1)
    assert not office.box.mails


async def test_an_unfinished_proof_does_not_confirm_another_order(
    brain: Brain, office: Office
) -> None:
    await office.order("730309")
    await office.order("730310")
    talk = Conversation(brain, user="prove-11")
    await asked_to_cancel(talk, "730309")
    await talk.say("where is order 1042?")
    assert await talk.say("cancel order 730310") == ["Shall order 730310 be cancelled?"]
    assert await office.status("730310") == PLACED


async def test_nothing_of_the_code_is_kept(brain: Brain, office: Office) -> None:
    await office.order("730311")
    talk = Conversation(brain, user="prove-12")
    await asked_to_cancel(talk, "730311")
    code = await office.code("ada730311@post.example")

    async def wiped() -> Challenge | None:
        (row,) = await office.store.find(Challenge, {"made": {"$lt": utcnow() + timedelta(days=1)}})
        return row if row.letter is None else None

    row = await until(wiped)
    assert code not in row.to_json()
    assert "post.example" not in row.to_json()
    await talk.say(f"my code is {(int(code) + 1) % 1_000_000:06}")
    await talk.say(f"my code is {code}")
    assert await office.status("730311") == CANCELLED
    assert "code is" not in str(talk.state["slots"])
    assert code not in str(talk.state["slots"])


async def test_asked_for_a_code_a_person_is_told_what_it_was_for(
    brain: Brain, office: Office
) -> None:
    await office.order("730313")
    talk = Conversation(brain, user="prove-13")
    await asked_to_cancel(talk, "730313")
    outcome = await talk.take("talk to a person")
    assert outcome.handoff is not None
    assert outcome.handoff.topic == "cancel"
    assert "wants order 730313 cancelled" in outcome.handoff.why


async def test_too_many_codes_end_with_a_person(brain: Brain, office: Office) -> None:
    await office.order("730314")
    talk = Conversation(brain, user="prove-14")
    await asked_to_cancel(talk, "730314")
    for _ in range(4):
        assert (await talk.say("send it again"))[0].startswith("I've sent a new one")
    outcome = await talk.take("send it again")
    assert outcome.handoff is not None
    assert outcome.handoff.topic == "cancel"
    assert talk.state["active_loop"] is None


@pytest.mark.parametrize(
    ("status", "said", "topic"),
    [
        (
            PLACED,
            ["change the address of order 730315", "22 Baker Street, London NW1 6XE"],
            "address",
        ),
        # More than a customer can have without a person.
        (DELIVERED, ["i want my money back for order 730315", "it is broken"], "refund"),
    ],
)
async def test_what_a_person_does_comes_with_the_proof(
    brain: Brain, office: Office, status: str, said: list[str], topic: str
) -> None:
    await office.order("730315", status=status, total=9000)
    talk = Conversation(brain, user=f"prove-15-{topic}")
    for text in said:
        asked = await talk.say(text)
    assert asked[-1] == ASKED
    outcome = await talk.take(await office.code("ada730315@post.example"))
    assert outcome.handoff is not None
    assert outcome.handoff.topic == topic
    assert outcome.handoff.why.endswith("identity proven by a code to the address on file")
    assert "730315" in outcome.handoff.why
    if topic == "address":
        assert "22 Baker Street" in outcome.handoff.why
