"""Slack's window on the page, in Chromium, with a real app of slack_sdk behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, expect

from bot.desk.slack.kit import literal
from tests.kit.browser import chromium, needs_chromium
from tests.kit.slack_page import (
    ANNA,
    BEN,
    LEGAL,
    SUPPORT,
    SlackPage,
    button,
    mrkdwn,
    slack_page,
    words,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    needs_chromium,
]

HOSTILE = "<img src=x onerror=\"window.pwned='img'\"></script><script>window.pwned=1</script>"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


CARD = [
    {"type": "header", "text": words("Amara Osei on WhatsApp")},
    {
        "type": "section",
        "text": mrkdwn("*Wants:* to know why order 1043 is late"),
        "fields": [mrkdwn("*Language*\nEnglish"), mrkdwn("*Mood*\nfrustrated :rage:")],
    },
    {"type": "context", "elements": [mrkdwn("The bot already: looked order 1043 up")]},
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "deeds",
        "elements": [
            button("Take over", "take", style="primary"),
            button("Draft reply", "draft"),
            button(
                "Resolve",
                "resolve",
                style="danger",
                confirm={
                    "title": words("Resolve this case?"),
                    "text": words("The customer is asked for a rating."),
                    "confirm": words("Yes, resolve"),
                    "deny": words("Not yet"),
                },
            ),
            {"type": "users_select", "action_id": "assign", "placeholder": words("Assign to")},
            {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": words("Check order"), "value": "order"},
                    {"text": words("Refund"), "value": "refund"},
                ],
            },
        ],
    },
]

VIEW = {
    "type": "modal",
    "title": words("Draft reply"),
    "submit": words("Send"),
    "close": words("Leave it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "reply",
            "label": words("Reply to Amara Osei"),
            "element": {
                "type": "plain_text_input",
                "action_id": "text",
                "multiline": True,
                "initial_value": "Hello Amara",
            },
        },
        {
            "type": "input",
            "block_id": "then",
            "label": words("Then"),
            "optional": True,
            "element": {
                "type": "checkboxes",
                "action_id": "do",
                "options": [
                    {"text": words("Resolve the case"), "value": "resolve"},
                    {"text": words("Ask for a rating"), "value": "rate"},
                ],
            },
        },
        {
            "type": "input",
            "block_id": "topic",
            "label": words("Topic"),
            "element": {
                "type": "static_select",
                "action_id": "which",
                "placeholder": words("Choose one"),
                "options": [
                    {"text": words("Delivery"), "value": "delivery"},
                    {"text": words("Refund"), "value": "refund"},
                ],
            },
        },
    ],
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SlackPage]:
    async with slack_page(browser, tmp_path_factory.mktemp("var")) as made:
        made.app.view = VIEW
        await made.flip.click()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def slack(shared: SlackPage) -> SlackPage:
    await shared.settle()
    return shared


async def test_the_window_opens_by_itself_at_the_first_card_unless_it_was_closed(
    browser: Browser, tmp_path: Path
) -> None:
    async with slack_page(browser, tmp_path) as slack:
        await expect(slack.flip).to_be_visible()
        await expect(slack.window).to_be_hidden()
        ts = await slack.post("card", channel=LEGAL, blocks=CARD)
        card = slack.message(ts, slack.thread)
        await expect(card.get_by_role("heading", name="Amara Osei on WhatsApp")).to_be_visible()
        await slack.flip.click()
        await expect(slack.window).to_be_hidden()
        news = await slack.post("another", channel=LEGAL, blocks=CARD)
        await expect(slack.flip).to_have_class("slack-flip fresh")
        await slack.page.reload()
        await expect(slack.flip).to_be_visible()
        await expect(slack.window).to_be_hidden()
        await slack.flip.click()
        legal = slack.window.get_by_role("navigation").get_by_role("button", name="#support-legal")
        await legal.click()
        await expect(slack.message(news, slack.channel)).to_be_visible()


async def test_what_is_pressed_on_a_card_reaches_the_app(slack: SlackPage) -> None:
    ts = await slack.card(blocks=CARD)
    card = slack.message(ts, slack.thread)
    await expect(card.locator("strong", has_text="Wants:")).to_be_visible()

    await card.get_by_role("button", name="Take over").click()
    payload = await slack.app.take("block_actions")
    [action] = payload["actions"]
    assert (action["action_id"], action["value"], payload["user"]["id"]) == ("take", "case", ANNA)
    assert payload["container"]["message_ts"] == ts

    await slack.be("Ben Okafor")
    await card.get_by_label("Assign to").select_option(label="Cara Silva")
    payload = await slack.app.take("block_actions")
    assert payload["actions"][0]["selected_user"] == "U0CARA"
    assert payload["user"]["id"] == BEN

    await card.get_by_role("button", name="More options").click()
    await card.get_by_role("menuitem", name="Refund").click()
    payload = await slack.app.take("block_actions")
    assert payload["actions"][0]["selected_option"]["value"] == "refund"


async def test_a_button_that_asks_first_is_pressed_only_when_confirmed(slack: SlackPage) -> None:
    ts = await slack.card(blocks=CARD)
    resolve = slack.message(ts, slack.thread).get_by_role("button", name="Resolve")
    question = slack.window.get_by_role("alertdialog", name="Resolve this case?")
    await resolve.click()
    await question.get_by_role("button", name="Not yet").click()
    await expect(question).to_have_count(0)
    await resolve.click()
    await question.get_by_role("button", name="Yes, resolve").click()
    assert (await slack.app.take("block_actions"))["actions"][0]["action_id"] == "resolve"
    assert slack.app.got == []


async def test_a_modal_opens_shows_errors_and_closes(slack: SlackPage) -> None:
    ts = await slack.card(blocks=CARD)
    await slack.message(ts, slack.thread).get_by_role("button", name="Draft reply").click()
    await expect(slack.modal).to_have_accessible_name("Draft reply")
    await slack.be("Ben Okafor")
    await expect(slack.modal).to_have_count(0)
    await slack.be("Anna Keller")

    reply = slack.modal.get_by_label("Reply to Amara Osei")
    await expect(reply).to_have_value("Hello Amara")
    send = slack.modal.get_by_role("button", name="Send")
    await send.click()
    await expect(slack.modal.get_by_text("Please complete this required field.")).to_be_visible()

    slack.app.answers.append({"response_action": "errors", "errors": {"reply": "Say more, please"}})
    await slack.modal.get_by_label("Topic").select_option(label="Refund")
    await slack.modal.get_by_label("Ask for a rating").check()
    await send.click()
    await expect(slack.modal.get_by_role("alert").get_by_text("Say more, please")).to_be_visible()
    await slack.app.take("view_submission")

    await reply.fill("Hello Amara, it comes on Friday.")
    await send.click()
    await expect(slack.modal).to_have_count(0)
    values = (await slack.app.take("view_submission"))["view"]["state"]["values"]
    assert values["reply"]["text"]["value"] == "Hello Amara, it comes on Friday."
    assert [o["value"] for o in values["then"]["do"]["selected_options"]] == ["rate"]
    assert values["topic"]["which"]["selected_option"]["value"] == "refund"


async def test_a_reply_with_a_picture_an_edit_and_a_deletion(slack: SlackPage, png: bytes) -> None:
    ts = await slack.card(blocks=CARD)
    thread = slack.thread
    picture: FilePayload = {"name": "label.png", "mimeType": "image/png", "buffer": png}
    await thread.get_by_label("Attach a file").set_input_files(picture)
    field = thread.get_by_label("Reply in thread")
    await field.fill("Here it is, @Ben Okafor")
    await field.press("Enter")
    event = await slack.app.take("message")
    assert (event["thread_ts"], event["text"]) == (ts, f"Here it is, <@{BEN}>")
    assert event["files"][0]["mimetype"] == "image/png"
    shown = slack.message(event["ts"], thread)
    await expect(shown.get_by_text("@Ben Okafor")).to_be_visible()
    image = shown.get_by_role("img", name="label.png")
    assert await image.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") == 2
    await expect(
        slack.message(ts, slack.channel).get_by_role("button", name="1 reply")
    ).to_be_visible()

    await shown.hover()
    await shown.get_by_role("button", name="Edit message").click()
    await expect(shown.get_by_label("Edit the message")).to_have_value("Here it is, @Ben Okafor")
    await shown.get_by_label("Edit the message").fill("Here it is at last")
    await shown.get_by_role("button", name="Save").click()
    await expect(shown).to_contain_text("Here it is at last (edited)")
    changed = await slack.app.take("message", subtype="message_changed")
    assert changed["message"]["text"] == "Here it is at last"

    await shown.get_by_role("button", name="React with eyes").click()
    assert (await slack.app.take("reaction_added"))["reaction"] == "eyes"
    await expect(shown.get_by_role("button", name="eyes, 1")).to_have_attribute(
        "aria-pressed", "true"
    )

    await shown.get_by_role("button", name="Delete message").click()
    await slack.window.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await slack.app.take("message", subtype="message_deleted")
    await expect(slack.thread.get_by_text("Here it is at last")).to_have_count(0)


async def test_words_of_one_thread_are_not_sent_to_another(slack: SlackPage) -> None:
    first = await slack.card(blocks=CARD)
    second = await slack.post("Second card")
    field = slack.thread.get_by_label("Reply in thread")
    await field.fill("for the first")
    await slack.open(second)
    await expect(field).to_have_value("")
    await field.fill("for the second")
    await field.press("Enter")
    assert (await slack.app.take("message"))["thread_ts"] == second
    await slack.open(first)
    await expect(field).to_have_value("for the first")


async def test_hostile_words_are_shown_and_do_nothing(slack: SlackPage) -> None:
    blocks = [
        {"type": "header", "text": words(HOSTILE)},
        {"type": "section", "text": mrkdwn(escaped(HOSTILE)), "fields": [words(HOSTILE)]},
        {"type": "section", "text": mrkdwn("<javascript:window.pwned=1|click>")},
        {"type": "actions", "elements": [button(HOSTILE[:70], "x")]},
    ]
    ts = await slack.card(blocks=blocks)
    raw = await slack.post(escaped(HOSTILE), thread_ts=ts, username=HOSTILE[:60])
    card = slack.message(ts, slack.thread)
    await expect(card.get_by_role("heading")).to_have_text(HOSTILE)
    await expect(card.get_by_text(HOSTILE, exact=True)).to_have_count(3)
    await expect(card.get_by_role("button", name=HOSTILE[:70])).to_be_visible()
    await expect(slack.message(raw, slack.thread).get_by_text(HOSTILE, exact=True)).to_be_visible()
    await expect(card.get_by_role("link")).to_have_count(0)
    field = slack.thread.get_by_label("Reply in thread")
    await field.fill(HOSTILE)
    await field.press("Enter")
    event = await slack.app.take("message", user=ANNA)
    assert event["text"] == escaped(HOSTILE)
    await expect(slack.message(event["ts"], slack.thread)).to_contain_text(HOSTILE)
    assert await slack.page.evaluate("window.pwned") is None


async def test_marks_are_drawn(slack: SlackPage) -> None:
    ts = await slack.post(
        "*bold* _it *both*_ ~gone~ `co*de*` a_b_c 2*3*4 :tada: :nosuchthing: "
        f"<https://shop.example.com/a_b|the shop> <mailto:a@b.example|mail> <@{ANNA}> <#{LEGAL}>\n"
        "&gt; quoted &amp; more\nafter\n```x = 1 &lt; 2\n*y*```",
    )
    shown = slack.message(ts, slack.channel)
    await expect(shown.locator("strong")).to_have_text(["bold", "both"])
    await expect(shown.locator("em")).to_have_text("it both")
    await expect(shown.locator("s")).to_have_text("gone")
    await expect(shown.locator("code")).to_have_text("co*de*")
    await expect(shown.locator("pre")).to_have_text("x = 1 < 2\n*y*")
    await expect(shown.locator("blockquote")).to_have_text("quoted & more")
    await expect(shown.get_by_role("link", name="the shop")).to_have_attribute(
        "href", "https://shop.example.com/a_b"
    )
    for text in ("a_b_c 2*3*4 🎉 :nosuchthing:", "@Anna Keller", "#support-legal"):
        await expect(shown).to_contain_text(text)


async def test_what_the_desk_shows_literally_has_no_marks(slack: SlackPage) -> None:
    text = "*a* _b_ ~c~ `d` :tada: <!here> @here https://a.example/x\n> e"
    shown = {**mrkdwn(literal(text)), "verbatim": True}
    ts = await slack.post("card", blocks=[{"type": "section", "text": shown}])
    card = slack.message(ts, slack.channel)
    section = card.locator(".s-section")
    assert (await section.inner_text()).replace("\u200b", "") == text
    await expect(section.locator("strong, em, s, code, a, blockquote, .s-emoji")).to_have_count(0)


async def test_who_sees_what_and_what_is_unread(slack: SlackPage) -> None:
    await slack.app.web.chat_postEphemeral(channel=SUPPORT, user=BEN, text="Anna was faster")
    await slack.post(f"Nobody answered, <@{BEN}>", channel=LEGAL)
    legal = slack.window.get_by_role("navigation").get_by_role("button", name="#support-legal")
    await expect(legal.get_by_label("unread")).to_be_visible()
    await expect(slack.channel.get_by_text("Anna was faster")).to_have_count(0)
    await slack.be("Ben Okafor")
    await expect(slack.channel.get_by_text("Anna was faster")).to_be_visible()
    await expect(slack.channel.get_by_text("Only visible to you")).to_be_visible()
    await expect(legal.get_by_label("1 mention")).to_be_visible()
    await legal.click()
    await expect(slack.channel.get_by_text("Nobody answered")).to_be_visible()
    await expect(legal.get_by_label("1 mention")).to_have_count(0)


async def test_commands_and_words_in_a_channel(slack: SlackPage) -> None:
    await slack.card(blocks=CARD)
    field = slack.window.get_by_label("Message to #support")
    await field.fill("/takeover order 1043")
    await field.press("Enter")
    command = await slack.app.take("slash_commands")
    assert (command["command"], command["text"]) == ("/takeover", "order 1043")
    assert (command["user_id"], command["channel_id"]) == (ANNA, SUPPORT)
    await field.fill("Good morning")
    await field.press("Enter")
    assert (await slack.app.take("message"))["text"] == "Good morning"
    reply = slack.thread.get_by_label("Reply in thread")
    await reply.fill("/takeover this")
    await reply.press("Enter")
    await expect(slack.window.get_by_role("status")).to_contain_text("does not work in threads")
    await expect(reply).to_have_value("/takeover this")
    await reply.fill("// between us")
    await reply.press("Enter")
    assert (await slack.app.take("message"))["text"] == "// between us"


async def test_shortcuts_of_a_message_and_from_anywhere(slack: SlackPage) -> None:
    ts = await slack.card(blocks=CARD)
    reply = await slack.post("Where is it?", thread_ts=ts, username="Amara Osei")
    shown = slack.message(reply, slack.thread)
    await shown.hover()
    await shown.get_by_role("button", name="Canned reply").click()
    told = await slack.app.take("message_action")
    assert (told["callback_id"], told["message"]["ts"]) == ("desk_canned_here", reply)
    await slack.window.get_by_role("button", name="Inbox").click()
    assert (await slack.app.take("shortcut"))["callback_id"] == "desk_inbox"


async def test_a_reply_can_be_sent_to_the_channel_too(slack: SlackPage) -> None:
    ts = await slack.card(blocks=CARD)
    await slack.thread.get_by_label("Also send to the channel").check()
    field = slack.thread.get_by_label("Reply in thread")
    await field.fill("Everybody look here")
    await field.press("Enter")
    sent = await slack.app.take("message", subtype="thread_broadcast")
    here = slack.message(sent["ts"], slack.channel)
    await expect(here).to_contain_text("replied to a thread: Amara Osei needs a person")
    await expect(slack.message(sent["ts"], slack.thread)).to_contain_text("Also sent to the chan")
    await expect(slack.thread.get_by_label("Also send to the channel")).not_to_be_checked()
    assert sent["thread_ts"] == ts
