"""Agents in Slack and on the console, on a running instance: the handoff, and its bad days."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from bot.desk.slack import ids
from bot.knowledge.sync import EDITION
from bot.message import utcnow
from bot.store.articles import Edition
from bot.store.cases import RESOLVED, Case
from bot.store.conversations import AGENT, BOT, Conversation
from bot.store.deeds import DONE, PENDING, Deed
from bot.store.journal import RATED, TAKEN, Entry
from bot.store.messages import DELIVERED, READ, SENT, UNSENT, Message, arrival
from bot.store.messages import DONE as INBOUND_DONE
from bot.store.turns import Turn
from connectors.whatsapp_out import MENU_BUTTON
from tests.kit.agents import (
    ANNA,
    BEN,
    CARA,
    SlackAgent,
    Thread,
    at_console,
    eventually,
    login,
    words,
)
from tests.kit.browser import chromium, needs_chromium
from tests.kit.customers import Control, Customer, Phone, new_user
from tests.kit.instance import REPOSITORY, Instance, wait_for

Meet = Callable[[str], Any]

MUG = REPOSITORY / "bot" / "static" / "mug-blue.png"
MAP = REPOSITORY / "bot" / "static" / "store-map.png"

WISH = "I want to talk to a human"
GREETING = "Hello! I'm the assistant"
RATING = "How was the help of our team?"
THANKS = "Your rating has been noted"
RETURNED = "Our assistant program answers you again"
DELIVERY = "What does two-person delivery cost?"


class Desk:
    """Three agents in Slack, and what the store says."""

    def __init__(self, http: aiohttp.ClientSession, instance: Instance) -> None:
        self.anna, self.ben, self.cara = (
            SlackAgent(http, instance.sandbox_url, id) for id in (ANNA, BEN, CARA)
        )
        self._instance = instance

    async def handed(self, customer: Customer) -> Thread:
        """Have a customer ask for a person; return the thread in Slack."""
        await customer.say(WISH)
        if not isinstance(customer, Phone):
            # A visitor gets an id with the first answer.
            await customer.hears(1)
        return await self.anna.card(customer)

    async def taken(self, customer: Customer) -> Thread:
        """Have a customer ask for a person, and Anna take the conversation."""
        thread = await self.handed(customer)
        await self.anna.take(thread)
        return thread

    def find(self, cls: type[Any], where: dict[str, Any], **more: Any) -> list[Any]:
        store = self._instance.store()
        try:
            return list(store.find(cls, where, **more))
        finally:
            store.close()

    def held(self, customer: Customer) -> Conversation:
        found: list[Conversation] = self.find(Conversation, {"id": customer.conversation})
        return found[0]

    def said(self, customer: Customer) -> list[Message]:
        """The rows of the outbox by which agents spoke to a customer, in order."""
        where = {"conversation": customer.conversation}
        rows = self.find(Message, where, sort=("arrived",), limit=1000)
        return [row for row in rows if row.direction == "out" and row.agent]


@pytest.fixture
def desk(http: aiohttp.ClientSession, instance: Instance) -> Desk:
    return Desk(http, instance)


async def reads(customer: Customer, text: str, times: int = 1) -> None:
    """Wait until a customer has heard `text` so often."""

    async def there() -> bool:
        return sum(text in one.text for one in await customer.heard()) >= times

    try:
        await eventually(there, timeout=60)
    except AssertionError:
        heard = [one.text for one in await customer.heard()]
        raise AssertionError(f"{customer.conversation} does not read {text!r}: {heard}") from None


async def count(customer: Customer, text: str) -> int:
    """How often a customer has heard `text`."""
    return sum(text in one.text for one in await customer.heard())


# On the pages that people use.


@asynccontextmanager
async def browser(customer: str, name: str) -> AsyncIterator[tuple[BrowserContext, list[str]]]:
    """Chromium whose WhatsApp phone is a customer's, and what goes wrong in it."""
    errors: list[str] = []
    held = json.dumps([{"user": customer, "name": name}])
    async with chromium() as made:
        context = await made.new_context(
            viewport={"width": 1600, "height": 1000}, locale="en-GB", device_scale_factor=1
        )
        context.set_default_timeout(30_000)
        await context.add_init_script(
            f"localStorage.setItem('sandbox.customers.whatsapp', {json.dumps(held)})"
        )
        yield context, errors
    assert errors == []


async def opened(context: BrowserContext, errors: list[str], url: str) -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        # Who is not logged in yet is told so with this status.
        lambda m: (
            errors.append(m.text) if m.type == "error" and "status of 401" not in m.text else None
        ),
    )
    await page.goto(url)
    return page


async def whatsapp(page: Page, text: str, file: Path | None = None) -> None:
    """Write on the phone, with a picture."""
    await page.get_by_label("Message to the bot on WhatsApp").fill(text)
    if file:
        await page.get_by_label("File for WhatsApp").set_input_files(file)
    await page.get_by_role("button", name="Send on WhatsApp", exact=True).click()


async def loaded(picture: Locator) -> None:
    """Wait until a picture is really there; one that cannot be loaded has no width."""
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") > 0


async def rate(page: Page, phone: Locator) -> None:
    """Give five stars by the list of the phone, and talk to the bot again."""
    await expect(phone.get_by_text(RATING)).to_be_visible()
    await phone.get_by_role("button", name=MENU_BUTTON).last.click()
    await page.get_by_role("dialog").get_by_role("button", name="★★★★★", exact=True).click()
    await expect(phone.get_by_text(THANKS)).to_be_visible()
    greetings = await phone.get_by_text(GREETING).count()
    await whatsapp(page, "hello")
    await expect(phone.get_by_text(GREETING)).to_have_count(greetings + 1)


def rated(desk: Desk, key: str) -> Case:
    """The customer's case, closed with five stars."""
    cases: list[Case] = desk.find(Case, {"conversation": key})
    (case,) = cases
    assert (case.status, case.rating) == (RESOLVED, 5)
    assert len(desk.find(Entry, {"case": case.id, "kind": RATED})) == 1
    return case


@needs_chromium
async def test_the_whole_handoff_on_one_page(
    instance: Instance, desk: Desk, tmp_path: Path
) -> None:
    """docs/desk.png is the picture that this makes."""
    user = new_user("whatsapp")
    key = f"whatsapp:demo:{user}"
    async with browser(user, "Amara Osei") as (context, errors):
        page = await opened(context, errors, instance.sandbox_url)
        await expect(page.locator("#gateway")).to_have_text("gateway up")
        phone = page.get_by_role("log", name="WhatsApp conversation")
        slack = page.get_by_role("region", name="Slack", exact=True)
        thread = slack.get_by_role("complementary", name="Thread")

        await whatsapp(page, "Hello!")
        await expect(phone.get_by_text(GREETING)).to_be_visible()
        await whatsapp(page, WISH)
        at = await desk.anna.card(key)
        # The first card opens the window, at its thread; here others may have been before it.
        listed = slack.get_by_role("log", name="Messages").locator(f'article[data-ts="{at.ts}"]')
        await listed.locator("button.s-replies").click()
        card = thread.locator(f'article[data-ts="{at.ts}"]')
        await expect(card).to_be_visible()
        await expect(card.get_by_role("heading")).to_contain_text("Amara Osei")
        await slack.get_by_label("You are").select_option(label="Anna Keller")
        await card.get_by_role("button", name="Take over").click()
        await expect(card).to_contain_text("Anna Keller has the conversation")

        reply = thread.get_by_label("Reply in thread")
        await reply.fill("Hello Amara, this is Anna. What has happened?")
        await reply.press("Enter")
        await expect(phone.get_by_text("Hello Amara, this is Anna.")).to_be_visible()
        await whatsapp(page, "My new mug arrived with a crack, look.", MUG)
        await loaded(thread.locator("img[alt*='.png'], .s-file img").last)
        await expect(thread.get_by_text("arrived with a crack")).to_be_visible()
        await reply.fill("// She bought two before: be generous")
        await reply.press("Enter")
        await expect(thread.get_by_text("be generous")).to_be_visible()
        await thread.get_by_label("Attach a file").set_input_files(MAP)
        await reply.fill("I am sorry! A new one waits for you in our shop, see the map.")
        await reply.press("Enter")
        await expect(phone.get_by_text("A new one waits for you")).to_be_visible()
        await loaded(phone.locator("img").last)
        await whatsapp(page, "That is great, thank you")
        await expect(thread.get_by_text("That is great, thank you")).to_be_visible()
        await expect(thread.get_by_role("button", name="white_check_mark, 1").last).to_be_visible()
        assert await phone.get_by_text("be generous").count() == 0
        await page.wait_for_timeout(300)
        assert len(await page.screenshot(path=tmp_path / "desk.png")) > 50_000

        await card.get_by_role("button", name="Resolve").click()
        form = slack.get_by_role("dialog", name="Resolve")
        await form.get_by_label("How was it resolved?").fill("A new mug, free of charge.")
        await form.get_by_role("button", name="Resolve").click()
        await expect(form).to_have_count(0)
        await rate(page, phone)
        assert rated(desk, key).resolution == "A new mug, free of charge."
        await expect(card).to_contain_text("Rated 5 of 5")
        assert await phone.get_by_text("be generous").count() == 0


@needs_chromium
async def test_the_whole_handoff_from_the_console(
    instance: Instance, desk: Desk, meet: Meet, tmp_path: Path
) -> None:
    """docs/console.png is the picture that this makes."""
    user = new_user("whatsapp")
    key = f"whatsapp:demo:{user}"
    async with browser(user, "Tom Lindqvist") as (context, errors):
        page = await opened(context, errors, instance.sandbox_url)
        phone = page.get_by_role("log", name="WhatsApp conversation")
        console = await opened(context, errors, f"{instance.gateway_url}/console")
        account, password = login(instance, "ben")
        await console.get_by_label("Account").fill(account)
        await console.get_by_label("Password").fill(password)
        await console.get_by_role("button", name="Log in").click()
        await expect(console.get_by_text("live", exact=True)).to_be_visible()

        await meet("telegram").say("You will hear from my solicitor about this.", name="Mei Tanaka")
        await meet("sms").say(WISH, name="Grace Okafor")
        await whatsapp(page, WISH)
        inbox = console.get_by_role("region", name="Inbox")
        await inbox.locator(f'button[data-id="{key}"]').click()
        log = console.get_by_role("log", name="Conversation")
        await expect(log.get_by_text(WISH)).to_be_visible()
        await console.get_by_role("button", name="Take over").click()
        await expect(console.get_by_text("You have it")).to_be_visible()

        reply = console.get_by_label("Reply to the customer")
        await reply.fill("Hello Tom, this is Ben. How can I help?")
        await reply.press("Control+Enter")
        await expect(phone.get_by_text("Hello Tom, this is Ben.")).to_be_visible()
        await whatsapp(page, "This mug came instead of the green one.", MUG)
        await loaded(log.get_by_role("article", name="Customer").locator("img").last)
        await expect(log.get_by_text("instead of the green one")).to_be_visible()
        await console.keyboard.press("Alt+n")
        await console.get_by_role("textbox", name="Internal note").fill("Wrong shelf again")
        await console.get_by_role("textbox", name="Internal note").press("Control+Enter")
        await expect(log.get_by_text("Wrong shelf again")).to_be_visible()
        await console.keyboard.press("Alt+r")
        await console.set_input_files("input[type=file]", MAP)
        await expect(console.get_by_text("store-map.png · ")).to_be_visible()
        await reply.fill("Sorry! Bring it to our shop and take the green one along.")
        await reply.press("Control+Enter")
        await expect(phone.get_by_text("take the green one along")).to_be_visible()
        await loaded(phone.locator("img").last)
        await whatsapp(page, "I will, thanks")
        await expect(log.get_by_text("I will, thanks")).to_be_visible()
        await expect(log.get_by_label(re.compile("^(delivered|read)$")).last).to_be_visible()
        await inbox.get_by_role("tab", name="All open").click()
        await expect(inbox.locator(f'button[data-id="{key}"]')).to_be_visible()
        await console.wait_for_timeout(300)
        assert len(await console.screenshot(path=tmp_path / "console.png")) > 50_000

        await console.get_by_role("button", name="Resolve").click()
        form = console.get_by_role("dialog", name="Resolve")
        await form.get_by_label("Resolution").fill("Changed in the shop.")
        await form.get_by_role("button", name="Resolve").click()
        await expect(console.get_by_text("With the bot").last).to_be_visible()
        await rate(page, phone)
        assert rated(desk, key).resolution == "Changed in the shop."
        assert await phone.get_by_text("Wrong shelf again").count() == 0


# Each channel as it can.

EDITS = ("telegram", "webchat")
READS = ("whatsapp", "messenger", "webchat")


@pytest.mark.parametrize("channel", ["telegram", "webchat", "whatsapp", "messenger", "sms"])
async def test_ticks_edits_and_deletions_as_the_channel_can(
    channel: str, meet: Meet, desk: Desk, control: Control
) -> None:
    customer = meet(channel)
    thread = await desk.taken(customer)
    said = await desk.anna.write(thread, "The parcel comes on *Tuesday* :smile:")
    await reads(customer, "The parcel comes on")
    await desk.anna.marked(thread, said, "white_check_mark")
    if channel in READS:
        if isinstance(customer, Phone):
            await control.post("read", {"channel": channel, "user": customer.user})
        await desk.anna.marked(thread, said, "eyes")
    else:
        assert "eyes" not in await desk.anna.marks(thread, said)

    gone = await desk.anna.write(thread, "And this is a mistake")
    await reads(customer, "this is a mistake")
    await desk.anna.marked(thread, gone, "white_check_mark")
    await desk.anna.edit(thread, said, "The parcel comes on Friday")
    if channel in EDITS:
        await reads(customer, "comes on Friday")
    else:
        await desk.anna.told("cannot change a message that was sent")
    await desk.anna.delete(thread, gone)
    if channel == "telegram":

        async def taken_back() -> bool:
            found = await control.messages(channel, customer.user)
            return any(m["deleted"] and "mistake" in m["text"] for m in found)

        await eventually(taken_back)
        assert await count(customer, "Tuesday") == 0
    elif channel == "webchat":
        await eventually(
            lambda: any(
                row.content["kind"] == "deletion" and row.status in (SENT, DELIVERED, READ)
                for row in desk.said(customer)
            )
        )
    else:
        await desk.anna.told("cannot take back a message that was sent")
        assert await count(customer, "Friday") == 0


async def test_words_that_did_not_arrive_are_marked_with_the_reason(
    control: Control, desk: Desk
) -> None:
    # To this number, of Twilio's for tests, nothing can be sent.
    customer = Phone(control, "sms", "+15005550009")
    thread = await desk.taken(customer)
    said = await desk.anna.write(thread, "Are you still there?")
    await desk.anna.marked(thread, said, "warning")
    shown = words(await desk.anna.sees(thread, "Anna Keller's message"))
    assert "“Are you still there?” was not delivered: " in shown
    assert "21614" in shown
    assert "white_check_mark" not in await desk.anna.marks(thread, said)


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "telegram"])
async def test_who_has_opted_out_is_not_written_to(channel: str, meet: Meet, desk: Desk) -> None:
    customer = meet(channel)
    assert isinstance(customer, Phone)
    thread = await desk.taken(customer)
    if channel == "telegram":
        await customer._say(event="block")
    else:
        await customer.say("STOP")
    await eventually(lambda: desk.held(customer).opted_out)
    said = await desk.anna.write(thread, "One more thing")
    await desk.anna.told("The customer has opted out, nothing may be sent.")
    assert desk.said(customer) == []
    assert await count(customer, "One more thing") == 0
    assert "white_check_mark" not in await desk.anna.marks(thread, said)


# Slack's bad days.


async def test_an_event_that_comes_again_is_taken_once(meet: Meet, desk: Desk, png: bytes) -> None:
    customer = meet("whatsapp")
    thread = await desk.taken(customer)
    file = await desk.anna.attach(png, "label.png")
    await desk.anna.write(thread, "Here is the label", files=[file], copies=4)
    await desk.anna.write(thread, "Print it out", copies=4)
    await desk.anna.write(thread, "// printed", copies=3)
    last = await desk.anna.write(thread, "That was all", copies=2)
    await reads(customer, "That was all")
    notes = desk.find(Entry, {"conversation": customer.conversation, "kind": "note"})
    assert [note.text for note in notes] == ["printed"]
    texts = [h.text for h in (await customer.heard())[1:]]
    assert [t for t in texts if t] == ["Here is the label", "Print it out", "That was all"]
    assert sum(bool(h.image) for h in await customer.heard()) == 1
    await desk.anna.marked(thread, last, "white_check_mark")
    # What an agent attached stands in the thread already.
    assert sum(len(m["files"]) for m in await desk.anna.thread(thread)) == 1


async def test_what_customers_wrote_while_slack_was_away_comes_in_order_once(
    meet: Meet, desk: Desk, control: Control
) -> None:
    customer = meet("whatsapp")
    thread = await desk.taken(customer)
    texts = [f"Number {n} of five" for n in range(1, 6)]
    await control.fault("slack", "429", retry_after=1, count=1, method="chat.postMessage")
    await customer.say(texts[0])
    await asyncio.sleep(0.3)
    await control.fault("slack", "reset_after", count=1, method="chat.postMessage")
    await control.fault("slack", "reset", count=2)
    await control.fault("slack", "500", count=1)
    for text in texts[1:]:
        await customer.say(text)
        await asyncio.sleep(0.1)
    await desk.anna.sees(thread, texts[-1])
    await control.lift()
    await customer.say("Are you there?")
    await desk.anna.sees(thread, "Are you there?")
    shown = [words(m) for m in await desk.anna.thread(thread)]
    found = [text for shown_text in shown for text in texts if text in shown_text]
    assert found == texts


async def test_a_thread_that_was_deleted_is_begun_anew(meet: Meet, desk: Desk) -> None:
    customer = meet("telegram")
    thread = await desk.taken(customer)
    await desk.anna.write(thread, "I am looking at it")
    await reads(customer, "I am looking at it")
    await desk.ben.delete(thread, thread.ts)
    await customer.say("Have you found it?")
    again = await desk.anna.card(customer, after=[thread])
    await desk.anna.sees(again, "Have you found it?")
    await desk.anna.sees(again, "I am looking at it")
    await desk.anna.write(again, "Yes, here it is")
    await reads(customer, "Yes, here it is")
    assert await count(customer, "I am looking at it") == 1


# Who has the conversation.


async def test_of_many_who_take_it_at_once_one_gets_it_and_the_bot_is_silent(
    meet: Meet, desk: Desk, instance: Instance, http: aiohttp.ClientSession, known: None
) -> None:
    """Fifty each for two customers, while the model is at work on an answer to them."""
    llm = f"{instance.sandbox_url}/control/llm"

    async def composing() -> bool:
        async with http.get(f"{llm}/requests") as answer:
            asked = (await answer.json())["requests"]
        return sum("two-person" in json.dumps(one["body"]) for one in asked) >= 2

    async def race(customer: Phone, n: int) -> None:
        rush = asyncio.to_thread(_rush, instance, customer.conversation, n)
        presses = [a.command(customer.conversation) for a in (desk.anna, desk.ben, desk.cara)]
        await asyncio.gather(rush, *presses)
        where = {"conversation": customer.conversation}
        await eventually(
            lambda: (
                len(found := desk.find(Deed, where, limit=100)) == 50
                and all(deed.status != PENDING for deed in found)
            ),
            timeout=60,
        )
        deeds = desk.find(Deed, where, limit=100)
        got = [deed for deed in deeds if deed.status == DONE]
        taken = desk.find(Entry, {"conversation": customer.conversation})
        taken = [entry for entry in taken if entry.kind == TAKEN]
        assert len(got) == len(taken) == 1
        held = desk.held(customer)
        assert (held.holder, held.agent) == (AGENT, got[0].agent)
        refused = [deed.result["text"] for deed in deeds if deed.status != DONE]
        assert len(refused) == 49
        assert all("has this conversation" in text for text in refused), set(refused)
        await customer.say("Who are you?")
        rows: list[Message] = []

        def heard_out() -> bool:
            # What the bot was at is finished, and has gone out or not.
            rows[:] = desk.find(Message, {"conversation": customer.conversation}, limit=1000)
            heard = [row for row in rows if row.direction == "in"]
            return (
                len(heard) == 6
                and all(row.status == INBOUND_DONE for row in heard)
                and not any(row.status in UNSENT for row in rows)
            )

        await eventually(heard_out, timeout=60)
        late = [
            row
            for row in rows
            if row.direction == "out"
            and row.turn
            and row.status in (SENT, DELIVERED, READ)
            and row.tried > taken[0].at + timedelta(milliseconds=20)
        ]
        assert late == [], instance.rows(customer.conversation)
        assert await count(customer, "£29") == 0

    customers = [meet("whatsapp") for _ in range(2)]
    for customer in customers:
        await customer.ask("hello")
    await http.delete(llm)
    slow = {"model": "helper", "manner": "slow", "seconds": 2}
    async with http.post(llm, json=slow) as answer:
        assert answer.status == 200
    try:
        for question in (DELIVERY, "When are you open?", "And on Sundays?", "?"):
            await asyncio.gather(*(customer.say(question) for customer in customers))
        await eventually(composing)
        await asyncio.gather(*(race(customer, n) for n, customer in enumerate(customers)))
    finally:
        await http.delete(llm)


def _rush(instance: Instance, conversation: str, n: int) -> None:
    """Put the wishes of 47 agents into the store, as a gateway does."""
    store = instance.store()
    now = utcnow()
    store.insert_new(
        [
            Deed(
                id=f"slack:desk:act:rush{n}{k}{uuid.uuid4().hex}",
                kind="take",
                conversation=conversation,
                agent=f"slack:U0RUSH{k:02}",
                name=f"Agent {k}",
                via="slack",
                args={},
                files=[],
                at=now,
                arrived=arrival(),
                due=now,
            )
            for k in range(47)
        ]
    )
    store.close()


@pytest.fixture
async def known(instance: Instance) -> None:
    """The articles are there. They are brought in beside the training."""

    def there() -> bool:
        store = instance.store()
        found = store.get(Edition, EDITION)
        store.close()
        return found is not None

    await eventually(there, timeout=60)


async def test_back_to_the_bot_is_said_once_and_the_bot_knows_what_was_said(
    meet: Meet, desk: Desk
) -> None:
    customer = meet("messenger")
    thread = await desk.taken(customer)
    await desk.anna.write(thread, "Your kettle is being repaired until Thursday")
    await reads(customer, "Your kettle is being repaired")
    await customer.say("Fine by me")
    await desk.anna.sees(thread, "Fine by me")
    await asyncio.gather(desk.anna.press(thread, ids.BACK), desk.ben.press(thread, ids.BACK))
    await reads(customer, RETURNED)
    await customer.say("hello")
    await reads(customer, GREETING)
    assert await count(customer, RETURNED) == 1
    assert desk.held(customer).holder == BOT
    where = {"conversation": customer.conversation}
    (turn,) = desk.find(Turn, where, sort=("-seq",), limit=1)
    events = json.dumps(turn.events, default=str, ensure_ascii=False)
    assert "Your kettle is being repaired until Thursday" in events
    assert "Fine by me" in events


async def test_slack_and_the_console_are_in_step(
    meet: Meet, desk: Desk, instance: Instance
) -> None:
    customer = meet("whatsapp")
    thread = await desk.taken(customer)
    async with at_console(instance, "anna") as anna, at_console(instance, "ben") as ben:
        seen = await ben.see(customer)
        assert (seen["holder"], seen["agent"], seen["agent_name"]) == (
            "agent",
            "anna",
            "Anna Keller",
        )
        refused = await ben.deed("say", customer, text="Let me do it")
        assert (refused["ok"], refused["text"]) == (False, "Anna Keller has this conversation.")
        assert (await ben.deed("note", customer, text="I know her from last week"))["ok"]
        note = await desk.anna.sees(thread, "I know her from last week")
        assert "Ben Okafor" in f"{note['name']} {words(note)}"
        assert (await anna.deed("say", customer, text="Greetings from the console"))["ok"]
        shown = await desk.ben.sees(thread, "Greetings from the console")
        assert "Anna Keller" in f"{shown['name']} {words(shown)}"
        await reads(customer, "Greetings from the console")
        await desk.anna.write(thread, "And from Slack")
        line = await ben.sees(customer, "And from Slack")
        assert (line["who"], line["name"]) == ("agent", "Anna Keller")
        await desk.ben.note(thread, "Not for her")
        assert (await anna.sees(customer, "Not for her"))["kind"] == "note"
        await reads(customer, "And from Slack")
        assert await count(customer, "last week") == await count(customer, "Not for her") == 0
        assert await count(customer, "Let me do it") == 0

        assert (await anna.deed("assign", customer, args={"to": "ben"}))["ok"]
        await desk.anna.sees(thread, "*Ben Okafor* has the conversation")
        await desk.anna.write(thread, "Am I still heard?")
        await desk.anna.told("Ben Okafor has this conversation")
        assert (await ben.deed("resolve", customer, text="All done"))["ok"]
        await desk.anna.sees(thread, "Resolved by Ben Okafor")
        await reads(customer, RATING)
        assert await count(customer, "Am I still heard?") == 0


async def test_a_draft_is_shown_with_its_source_edited_and_sent(
    meet: Meet, desk: Desk, known: None
) -> None:
    customer = meet("whatsapp")
    thread = await desk.taken(customer)
    await customer.say(DELIVERY)
    await desk.anna.sees(thread, DELIVERY)
    heard = len(await customer.heard())
    await desk.anna.press(thread, ids.DRAFT)
    draft = await desk.anna.told("not sent to anybody yet")
    assert "£29" in words(draft)
    assert "Rests on" in words(draft)
    assert len(await customer.heard()) == heard
    await desk.anna.press(thread, ids.EDIT_DRAFT, ts=draft["ts"])
    form = await desk.anna.modal("Edit the draft")
    (field,) = [b["element"] for b in form["view"]["blocks"] if b["type"] == "input"]
    assert "£29" in field["initial_value"]
    await desk.anna.submit(form, text="It costs £29, and we carry it upstairs.")
    await reads(customer, "It costs £29, and we carry it upstairs.")
    shown = await desk.ben.sees(thread, "we carry it upstairs")
    assert "Anna Keller" in f"{shown['name']} {words(shown)}"
    (row,) = desk.said(customer)
    assert row.agent == "Anna Keller"


async def test_a_conversation_of_the_bots_is_found_by_name_and_taken(
    meet: Meet, desk: Desk
) -> None:
    customer = meet("telegram")
    assert isinstance(customer, Phone)
    name = f"Quentin Farthingale{customer.user}"
    await customer.say("hello", name=name)
    await reads(customer, GREETING)
    await desk.cara.command(name.lower())
    found = await desk.cara.told(name)
    await desk.cara.press(
        Thread(found["channel"], found["ts"]), ids.PICK, value=customer.conversation
    )
    thread = await desk.cara.card(customer)
    await desk.cara.sees(thread, "*Cara* has the conversation")
    await desk.cara.write(thread, "I happened to read along")
    await reads(customer, "I happened to read along")
    await customer.say("hello")
    await desk.cara.sees(thread, "hello")
    assert desk.held(customer).agent == f"slack:{CARA}"
    assert await count(customer, GREETING) == 1


# What dies, and goes on. The last of this file: until all is ready again nobody else is served.


async def test_what_agents_did_while_processes_died_is_done_once(
    meet: Meet, desk: Desk, instance: Instance, control: Control
) -> None:
    writing, taking = meet("whatsapp"), meet("telegram")
    thread = await desk.taken(writing)
    other = await desk.handed(taking)
    ready = instance.log_size
    texts = [f"Said before the worker died, {n}" for n in range(3)]
    for text in texts:
        await desk.anna.write(thread, text)
    assert instance.kill("worker") > 0
    await desk.anna.write(thread, "Said while it was dead")
    await eventually(
        lambda: desk.find(Deed, {"conversation": writing.conversation}, limit=100)[-1:]
    )
    await reads(writing, "Said while it was dead")
    for text in [*texts, "Said while it was dead"]:
        assert await count(writing, text) == 1
    heard = [h.text for h in await writing.heard()]
    assert heard[-4:] == [*texts, "Said while it was dead"]

    # The gateway dies with the press in it; what was acknowledged is done, and once.
    await asyncio.gather(
        desk.ben.press(other, ids.TAKE),
        asyncio.to_thread(instance.kill, "gateway"),
        return_exceptions=True,
    )

    async def up() -> bool:
        return bool((await control.state())["gateway_up"])

    await eventually(lambda: len(instance.processes("gateway")) == 1, timeout=60)
    await eventually(up, timeout=60)

    async def taken() -> bool:
        if desk.held(taking).holder == AGENT:
            return True
        # Slack tells the agent that it was not taken, and he presses again.
        try:
            await desk.ben.press(other, ids.TAKE)
        except AssertionError:
            await asyncio.sleep(0.2)
        return False

    await eventually(taken, timeout=60)
    await desk.ben.sees(other, "*Ben Okafor* has the conversation")
    where = {"conversation": taking.conversation}
    assert [e.kind for e in desk.find(Entry, where)].count(TAKEN) == 1
    await desk.ben.write(other, "Here I am")
    await reads(taking, "Here I am")
    assert await count(taking, "Here I am") == 1
    wait_for(lambda: instance.logged(ready).count("ready, model") >= 1, "a worker is ready", 60)
