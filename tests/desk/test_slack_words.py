"""Agents' words between Slack's mrkdwn and our light Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk.slack.shortcodes import emoji_of
from bot.desk.slack.words import from_slack, mentioned, to_slack
from connectors import markup
from tests.kit.dice import examples

NAMES = {"U0ANNA": "Anna Keller", "U0BEN": "Ben Okafor", "W0EVA": "Eva_the *great*"}


def name_of(user: str) -> str:
    return NAMES.get(user, "")


FROM = [
    ("plain", "It ships today.", "It ships today."),
    ("bold", "It is *today*.", "It is **today**."),
    ("italic", "It is _today_.", "It is *today*."),
    ("strike", "~Monday~ Tuesday", "~~Monday~~ Tuesday"),
    ("nested", "*all _of_ it*", "**all *of* it**"),
    ("bold italic", "*_both_*", "***both***"),
    ("code", "use `A*B*C &lt;x&gt;`", "use `A*B*C <x>`"),
    ("code keeps emoji names", "`:smile:`", "`:smile:`"),
    ("pre", "see ```one\ntwo *2*```", "see \n```\none\ntwo *2*\n```"),
    ("product is no bold", "5*3*2", "5*3*2"),
    ("snake is no italic", "an_order_id", "an_order_id"),
    ("lone sign", "5 * 3", "5 * 3"),
    ("not over lines", "*one\ntwo*", "\\*one\ntwo\\*"),
    ("unopened", "a* b*", "a* b*"),
    ("quote", "&gt; you said\nyes", "> you said\nyes"),
    ("list", "• one\n• two", "• one\n• two"),
    ("entities", "salt &amp; pepper &lt;3", "salt & pepper <3"),
    ("entities once", "&amp;lt;", "&lt;"),
    ("brackets", "[see](below)", r"\[see\](below)"),
    (
        "link with words",
        "<https://larkfield.example/r|returns>",
        "[returns](https://larkfield.example/r)",
    ),
    ("bare link", "<https://larkfield.example/a_b>", "https://larkfield.example/a_b"),
    ("typed domain", "<http://larkfield.example|larkfield.example>", "larkfield.example"),
    ("link with brackets", "<https://e.example/a(b)|here>", "[here](https://e.example/a%28b%29)"),
    (
        "link with ampersand",
        "<https://e.example/?a=1&amp;b=2|here>",
        "[here](https://e.example/?a=1&b=2)",
    ),
    ("bold link", "*<https://e.example/x|here>*", "**[here](https://e.example/x)**"),
    ("mail", "<mailto:hi@larkfield.example|hi@larkfield.example>", "hi@larkfield.example"),
    (
        "mail with words",
        "<mailto:hi@larkfield.example|write us>",
        "[write us](mailto:hi@larkfield.example)",
    ),
    ("phone", "<tel:+4420123|+4420123>", "+4420123"),
    ("other scheme", "<slack://open?team=T1|open>", "open"),
    ("script", "<javascript:alert(1)|press>", "press"),
    ("permalink of ours", "see <https://larkfield.slack.com/archives/C1/p1>", "see"),
    ("permalink with words", "see <https://larkfield.slack.com/archives/C1/p1|this>", "see this"),
    ("permalink as its own words", "<https://a.slack.com/p1|https://a.slack.com/p1>", ""),
    ("person", "<@U0BEN> will help", "Ben Okafor will help"),
    ("person with handle", "<@U0BEN|ben.o>", "Ben Okafor"),
    ("person with signs", "<@W0EVA>", r"Eva\_the \*great\*"),
    ("unknown person", "ask <@U0NOBODY>, please", "ask, please"),
    ("unknown with handle", "<@U0NOBODY|zoe>", "zoe"),
    ("id for a name", "<@U0NOBODY|U0NOBODY>", ""),
    ("channel", "see <#C0123|desk-vip> now", "see now"),
    ("bare channel", "<#C0123>", ""),
    ("here", "<!here> hello", "hello"),
    ("channel call", "hello <!channel|@channel>", "hello"),
    ("group", "<!subteam^S0123|@second-line> hello", "hello"),
    (
        "date",
        "at <!date^1392734382^{date} at {time}|Feb 18, 2014 at 6:39 AM>",
        "at Feb 18, 2014 at 6:39 AM",
    ),
    ("typed reference", "&lt;@U0BEN&gt; &lt;!here&gt;", "‹@U0BEN> ‹!here>"),
    ("emoji", "thanks :smile:", "thanks 😄"),
    ("two emoji", ":+1::tada:", "👍🎉"),
    ("skin tone", ":thumbsup::skin-tone-3:", "👍🏼"),
    ("skin tone of a sequence", ":man-shrugging::skin-tone-6:", "🤷🏿‍♂️"),
    ("custom emoji", "hello :larkfield_bird: there", "hello there"),
    ("custom emoji alone", ":larkfield_bird:", ""),
    ("custom emoji at the end", "hello :larkfield_bird:", "hello"),
    ("custom emoji before a stop", "done :larkfield_bird:.", "done."),
    ("times are none", "from 10:30:45 to 11:00:00", "from 10:30:45 to 11:00:00"),
    ("a ratio is none", "1:100:2", "1:100:2"),
    ("bold emoji", "*:smile: yes*", "**😄 yes**"),
    ("zero width", "a\u200bb", "ab"),
    ("nul", "a\x00b", "ab"),
    ("surrounding blanks", "  hello \n", "hello"),
    ("nothing", "", ""),
    ("reference in code", "`<https://e.example|e.example> <@U0BEN>`", "`e.example Ben Okafor`"),
    ("umlauts", "*größe*", "**größe**"),
]


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in FROM], ids=[row[0] for row in FROM])
def test_what_an_agent_wrote_becomes_light_markdown(text: str, said: str) -> None:
    assert from_slack(text, name_of) == said


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in FROM], ids=[row[0] for row in FROM])
def test_what_is_said_is_read_as_meant(text: str, said: str) -> None:
    """A customer sees words, not the backslashes that keep them from being formatting."""
    words = markup.plain(said)
    assert "\\" not in words
    assert markup.WRITERS["entities"](said) == markup.entities(said)[0]


EMOJI = {
    **{"+1": "👍", "-1": "👎", "thumbsup": "👍", "thumbsdown": "👎", "white_check_mark": "✅"},
    **{"simple_smile": "🙂", "slightly_smiling_face": "🙂", "smile": "😄", "smiley": "😃"},
    **{"grin": "😁", "grinning": "😀", "joy": "😂", "laughing": "😆", "sweat_smile": "😅"},
    **{"rolling_on_the_floor_laughing": "🤣", "wink": "😉", "blush": "😊", "heart": "❤️"},
    **{"heart_eyes": "😍", "pray": "🙏", "clap": "👏", "ok_hand": "👌", "raised_hands": "🙌"},
    **{"tada": "🎉", "fire": "🔥", "100": "💯", "eyes": "👀", "heavy_check_mark": "✔️"},
    **{"x": "❌", "warning": "⚠️", "thinking_face": "🤔", "face_with_rolling_eyes": "🙄"},
    **{"upside_down_face": "🙃", "cry": "😢", "sob": "😭", "disappointed": "😞", "rage": "😡"},
    **{"confused": "😕", "neutral_face": "😐", "sunglasses": "😎", "hugging_face": "🤗"},
    **{"wave": "👋", "point_up": "☝️", "point_right": "👉", "muscle": "💪", "rocket": "🚀"},
    **{"star": "⭐", "sparkles": "✨", "bulb": "💡", "memo": "📝", "package": "📦"},
    **{"truck": "🚚", "credit_card": "💳", "email": "✉️", "calendar": "📆", "key": "🔑"},
    **{"hourglass_flowing_sand": "⏳", "arrow_right": "➡️", "information_source": "ℹ️"},
    **{"question": "❓", "exclamation": "❗", "shrug": "🤷", "man-shrugging": "🤷‍♂️"},
    **{"woman-facepalming": "🤦‍♀️", "face_palm": "🤦", "flag-gb": "🇬🇧", "gb": "🇬🇧", "de": "🇩🇪"},
    **{"large_green_circle": "🟢", "red_circle": "🔴", "handshake": "🤝", "the_horns": "🤘"},
    **{"crossed_fingers": "🤞", "i_love_you_hand_sign": "🤟", "partying_face": "🥳"},
    **{"female-technologist": "👩‍💻", "see_no_evil": "🙈", "speech_balloon": "💬"},
}


def test_the_common_emoji_are_known_by_slacks_names() -> None:
    assert {name: emoji_of(name) for name in EMOJI} == EMOJI
    assert len(EMOJI) >= 60
    assert emoji_of("larkfield_bird") == ""


REFERENCE = st.builds(
    "<{}{}{}>".format,
    st.sampled_from(
        [
            "@U0",
            "@W0",
            "#C0",
            "!here",
            "!subteam^S0",
            "!U0",
            "https://a.slack.com/U0",
            "@",
            "!",
            "|",
        ]
    ),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=6, max_size=10),
    st.sampled_from(["", "|", "|U0ABCDEFG", "|name", "|&lt;"]),
)
PIECE = st.one_of(
    REFERENCE,
    st.sampled_from(
        [
            "*",
            "_",
            "~",
            "`",
            "```",
            "\n",
            " ",
            ":",
            ":smile:",
            ":bird_x:",
            "&lt;",
            "&gt;",
            "&amp;",
            "\x00",
            "\\",
        ]
    ),
    st.text("abc xyz.<>|[]()é字\u200b", max_size=5),
)
WRITTEN = st.lists(PIECE, max_size=14).map("".join)


@settings(max_examples=examples(200), deadline=None)
@given(WRITTEN)
def test_nothing_of_slacks_comes_out(text: str) -> None:
    said = from_slack(text, name_of)
    assert "\x00" not in said
    assert not re.search(r"<[@!#]", said)
    assert not re.search(r"\b[UWCS]0[A-Z0-9]{6}", said)
    assert "slack.com" not in said


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    from_slack(text, lambda user: user)


def test_an_id_is_no_name() -> None:
    assert from_slack("<@U0ANNA1>", lambda user: user) == ""
    assert mentioned("<@U0ANNA> and <@W0EVA|eva> in <#C0123>") == {"U0ANNA", "W0EVA"}


TO = [
    ("plain", "It is **today**", "It is *today*"),
    ("italic", "*so*", "_so_"),
    ("strike", "~~no~~", "~no~"),
    ("code", "`x<y`", "`x&lt;y`"),
    ("link", "[here](https://e.example/?a=1&b=2)", "<https://e.example/?a=1&amp;b=2|here>"),
    ("nested", "**all *of* it**", "*all _of_ it*"),
    ("escaped", "<!here> & <@U0ANNA>", "&lt;!here&gt; &amp; &lt;\u200b@\u200bU0ANNA&gt;"),
    ("called by name", "@here", "\u200b@\u200bhere"),
    ("mail", "hi@larkfield.example", "hi@larkfield.example"),
    ("order", "order #1042", "order #1042"),
    ("literal sign", r"\*no\*", "\u200b*\u200bno\u200b*\u200b"),
    ("pre", "```\na*b\n```", "```a*b```"),
]


@pytest.mark.parametrize(("text", "shown"), [row[1:] for row in TO], ids=[row[0] for row in TO])
def test_our_words_become_mrkdwn(text: str, shown: str) -> None:
    assert to_slack(text) == shown


def test_customers_signs_are_shown_as_they_are() -> None:
    shown = to_slack("*big* :smile: > no\n> quoted <!channel>", plain=True)
    assert shown.replace("\u200b", "") == "*big* :smile: &gt; no\n&gt; quoted &lt;!channel&gt;"
    for sign in ("\u200b*", "\u200b:", "\n\u200b&gt;"):
        assert sign in shown


LINKS = [
    ("query", "see https://shop.example/a_b_c?x=~1&y=2#f, ok",
     "see <https://shop.example/a_b_c?x=~1&amp;y=2#f>, ok"),
    ("brackets", "(https://e.example/X_(y)).", "(<https://e.example/X_(y)>)."),
    ("scheme", "HTTPS://E.example/Z>", "<HTTPS://E.example/Z>&gt;"),
    ("handle in a path", "https://e.example/@joe/x", "<https://e.example/@joe/x>"),
    ("emoji in a path", "https://e.example/:smile:/x", "<https://e.example/:smile:/x>"),
    ("article number", "SKU_12_A is a*b*c", "SKU_12_A is a*b*c"),
    ("no host", "http:// and https://[::1", "http:// and https://[::1"),
    ("a pipe", "https://e.example|<!channel>", "<https://e.example>|&lt;!channel&gt;"),
    ("a reference", "https://e.example/<!here>", "<https://e.example/>&lt;!here&gt;"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"), [row[1:] for row in LINKS], ids=[row[0] for row in LINKS]
)
def test_a_customers_addresses_can_be_read_and_opened(text: str, shown: str) -> None:
    assert to_slack(text, plain=True, links=True) == shown
    # Without `links` it is not for opening.
    assert "<" not in to_slack(text, plain=True)


@pytest.mark.parametrize(
    "text",
    [
        "https://slack.com@evil.example/x",
        "https://e.example/\u202egnp.exe",
        "javascript:alert(1)",
        "https://e.example/" + "x" * 1000,
    ],
)
def test_what_leads_elsewhere_than_it_seems_is_no_link(text: str) -> None:
    assert "<" not in to_slack(text, plain=True, links=True)


URLS = st.lists(
    st.sampled_from(
        [
            *("https://a.example/", "http://", "https://x.example/?q=", "[l](https://e.example)"),
            *("<", "|", ">", "@here", "!", "#", "*", "_", "~", "`", "```", "\n", " ", "a", "&"),
            *("&lt;", ")", "(", "\u200b", "'", '"', "@"),
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=examples(200), deadline=None)
@given(st.one_of(URLS, st.text(max_size=40)), st.booleans())
def test_links_are_all_that_comes_of_addresses(text: str, plain: bool) -> None:
    shown = to_slack(text, plain=plain, links=True)
    links = re.findall(r"<(?:https?://|mailto:|tel:)[^<>|\s]+(?:\|[^<>]*)?>", shown, re.I)
    rest = shown
    for link in links:
        rest = rest.replace(link, "", 1)
    assert not set(rest) & set("<>")
    if plain:
        # A link shows itself: nobody is led elsewhere than he reads.
        assert not any("|" in link for link in links)


@settings(max_examples=examples(100), deadline=None)
@given(st.one_of(URLS, st.text(max_size=40)))
def test_addresses_come_back_when_an_agent_quotes_them(text: str) -> None:
    text = text.replace("\x00", "").replace("\u200b", "")
    back = to_slack(text, plain=True, links=True).replace("\u200b", "")
    back = re.sub(r"[<>]", "", back)
    for sign, escaped in ((">", "&gt;"), ("<", "&lt;"), ("&", "&amp;")):
        back = back.replace(escaped, sign)
    assert back == text


@settings(max_examples=examples(150), deadline=None)
@given(st.one_of(WRITTEN, st.text(max_size=40)), st.booleans())
def test_no_text_makes_a_reference(text: str, plain: bool) -> None:
    shown = to_slack(text, plain=plain)
    opened = re.findall(r"<[^|]{0,8}", shown)
    assert all(re.match(r"<(?:https?:|mailto:|tel:)", each, re.I) for each in opened)
    assert not (plain and opened)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=40))
def test_what_customers_wrote_comes_back_when_an_agent_quotes_it(text: str) -> None:
    text = text.replace("\x00", "").replace("\u200b", "").strip()
    back = re.sub("\u200b", "", to_slack(text, plain=True))
    for sign, escaped in ((">", "&gt;"), ("<", "&lt;"), ("&", "&amp;")):
        back = back.replace(escaped, sign)
    assert back == text
