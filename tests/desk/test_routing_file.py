"""Broken routing files, and the exact lines that a designer gets for each.

Each case changes a good file: a line of it (as it stands there) becomes others, or "" for none.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.desk.routing import Within
from bot.desk.routing_file import load_routing, parse_routing
from bot.settings import SettingsInvalid

GOOD = """\
default: en
hours:
  zone: Europe/London
  mon-fri: [09:00-12:30, 13:30-18:00]
  sat: 22:00-24:00
  sun: closed
  holidays: [2026-12-25]
slack_channels: {legal: C0LEGAL}
routes:
  - name: law
    topics: [legal]
    slack: legal
    on_call: [anna, U0BEN]
  - name: sms-high
    channels: [sms]
    languages: [de, fr]
    tiers: [gold]
    priorities: [high]
    slack: C0URGENT
  - name: desk
deadlines:
  urgent: {first: 90 s, next: 5 min}
  high: {first: 15 min, next: 1.5 h}
  normal: {first: 30 minutes, next: 2 hours}
  low: {first: 1 d, next: 2 days}
always: [urgent]
remind: {thread: 0 min, channel: 15 min, on_call: 30 min}
idle: 20 h
rate: true
after_close: reopen
reopen_within: 3 d
undelivered: false
frustrated: true
texts:
  closed:
    en: We are back {opens}.
    de: Wir sind {opens} wieder da.
  handed: {en: A person reads it.}
  returned: {en: The program answers.}
  rating: {en: How was it?}
  rated: {en: Noted.}
  idle: {en: Closed.}
"""

SPAN = "should be as in '90 s', '15 min', '2 h' or '3 d'"
HOURS = "should be as in '09:00-18:00', [09:00-12:30, 13:30-18:00] or closed"
NAME = "should be small letters, digits, '-' and '_'"
PRIORITIES = "known: low, normal, high, urgent"
ID = "should be the id that Slack shows under 'About' of a channel: C0123ABC"
AGENT = "should be a login of the console or a Slack user id, as in U0123ABC"
ZONE = "should be a name of the IANA time zone database, as in 'Europe/London'"
LANGUAGE = "should be two letters, as in 'en'"

# (label, line of GOOD, what stands there instead, what is told)
BROKEN = [
    ("no default", "default: en", "", ["2: there is no default, should be a language, as in 'en'"]),
    (
        "a default that is no language",
        "default: en",
        "default: english",
        ["1: default is 'english', should be a language, as in 'en'"],
    ),
    (
        "an unknown key",
        "rate: true",
        "rates: true",
        ["29: rates is not a known key; did you mean rate?"],
    ),
    (
        "a key without a space",
        "rate: true",
        "rate:true",
        ["30: has a line that is not 'key: value'; write a colon and a space after the key"],
    ),
    (
        "an unknown zone",
        "  zone: Europe/London",
        "  zone: Europe/Larkfield",
        [f"3: hours.zone is 'Europe/Larkfield', which is no time zone, {ZONE}"],
    ),
    (
        "a zone that is a directory",
        "  zone: Europe/London",
        "  zone: Europe",
        [f"3: hours.zone is 'Europe', which is no time zone, {ZONE}"],
    ),
    (
        "a zone that leads out of the database",
        "  zone: Europe/London",
        "  zone: ../../etc/passwd",
        [f"3: hours.zone is '../../etc/passwd', which is no time zone, {ZONE}"],
    ),
    ("no zone", "  zone: Europe/London", "", [f"2: hours has no zone, {ZONE}"]),
    (
        "hours that overlap",
        "  mon-fri: [09:00-12:30, 13:30-18:00]",
        "  mon-fri: [09:00-12:30, 12:00-18:00]",
        [
            "4: hours.mon-fri[1] is '12:00-18:00', which begins before '09:00-12:30' has ended; "
            "put them in order, without an overlap"
        ],
    ),
    (
        "hours that end before they begin",
        "  mon-fri: [09:00-12:30, 13:30-18:00]",
        "  mon-fri: 22:00-06:00",
        [
            "4: hours.mon-fri is '22:00-06:00', which ends before it begins; "
            "for a night write until 24:00, and the rest on the next day"
        ],
    ),
    (
        "hours of no length",
        "  sat: 22:00-24:00",
        "  sat: 09:00-09:00",
        [
            "5: hours.sat is '09:00-09:00', which ends before it begins; "
            "for a night write until 24:00, and the rest on the next day"
        ],
    ),
    (
        "no time of a day",
        "  sat: 22:00-24:00",
        "  sat: 09:00-25:00",
        ["5: hours.sat is '09:00-25:00', which is no time of a day, should be from 00:00 to 24:00"],
    ),
    (
        "minutes that there are not",
        "  sat: 22:00-24:00",
        "  sat: 09:60-10:00",
        ["5: hours.sat is '09:60-10:00', which is no time of a day, should be from 00:00 to 24:00"],
    ),
    ("one time alone", "  sat: 22:00-24:00", "  sat: 9-17", [f"5: hours.sat is '9-17', {HOURS}"]),
    ("an empty day", "  sat: 22:00-24:00", "  sat:", [f"5: hours.sat is empty, {HOURS}"]),
    (
        "a day that is a mapping",
        "  sat: 22:00-24:00",
        "  sat: {from: 9}",
        [f"5: hours.sat is a mapping, {HOURS}"],
    ),
    (
        "a day that is missing",
        "  sun: closed",
        "",
        ["2: hours has no sun; add 'sun: closed', or when it is open"],
    ),
    (
        "a day that is set twice",
        "  sun: closed",
        "  fri-sun: closed",
        [
            "2: hours has no sun; add 'sun: closed', or when it is open",
            "6: hours.fri-sun sets fri, which line 4 has set; each day is set once",
        ],
    ),
    (
        "a day that nobody knows",
        "  sun: closed",
        "  sunday: closed",
        [
            "2: hours has no sun; add 'sun: closed', or when it is open",
            "6: hours.sunday is not a known key; did you mean sun?",
        ],
    ),
    (
        "a day that is no date",
        "  holidays: [2026-12-25]",
        "  holidays: [2026-12-25, 2026-02-30, 25.12.2026, 2026-12-25]",
        [
            "7: hours.holidays[1] is '2026-02-30', should be a day, as in 2026-12-25",
            "7: hours.holidays[2] is '25.12.2026', should be a day, as in 2026-12-25",
            "7: hours.holidays[3] is 2026-12-25, which line 7 has already; take one out",
        ],
    ),
    (
        "holidays that are no list",
        "  holidays: [2026-12-25]",
        "  holidays: 2026-12-25",
        ["7: hours.holidays is text, should be a list of texts, as in [a, b]"],
    ),
    (
        "a Slack channel by its name",
        "slack_channels: {legal: C0LEGAL}",
        "slack_channels: {legal: '#legal'}",
        [
            f"8: slack_channels.legal is '#legal', {ID}",
            "12: routes[0].slack is 'legal', which is neither a channel's id nor a name; "
            "slack_channels has none",
        ],
    ),
    (
        "Slack channels that are a list",
        "slack_channels: {legal: C0LEGAL}",
        "slack_channels: [C0LEGAL]",
        [
            "8: slack_channels is a list, "
            "should be a mapping from names to ids, as in 'legal: C0123ABC'",
            "12: routes[0].slack is 'legal', which is neither a channel's id nor a name; "
            "slack_channels has none",
        ],
    ),
    (
        "a Slack channel with a name that is none",
        "slack_channels: {legal: C0LEGAL}",
        "slack_channels: {legal: C0LEGAL, Über: C0X}",
        [f"8: slack_channels has a key that is no name, {NAME}"],
    ),
    (
        "a route to a channel that is not named",
        "    slack: legal",
        "    slack: leagl",
        [
            "12: routes[0].slack is 'leagl', which is neither a channel's id nor a name; "
            "did you mean legal?"
        ],
    ),
    ("a route without a name", "  - name: desk", "  - {}", [f"20: routes[2] has no name, {NAME}"]),
    (
        "a route with a name that is none",
        "  - name: law",
        "  - name: The Law",
        [f"10: routes[0].name is 'The Law', {NAME}"],
    ),
    (
        "two routes of one name",
        "  - name: desk",
        "  - name: law",
        ["20: routes[2] has the name of the one in line 10; give each route a name of its own"],
    ),
    (
        "a route below one that takes all",
        "    topics: [legal]",
        "    tiers:",
        [
            "14: routes[1] can never match: law in line 10 takes all that it does; "
            "put it above that one",
            "20: routes[2] can never match: law in line 10 takes all that it does; "
            "put it above that one",
        ],
    ),
    (
        "a route of which an earlier one takes all",
        "    topics: [legal]",
        "    languages: [fr, de, en]",
        [
            "14: routes[1] can never match: law in line 10 takes all that it does; "
            "put it above that one"
        ],
    ),
    (
        "no route that takes the rest",
        "  - name: desk",
        "",
        [
            "9: routes has none that takes what the others do not; "
            "add a last one without conditions: '- name: desk'"
        ],
    ),
    (
        "a route that is text",
        "  - name: desk",
        "  - desk",
        ["20: routes[2] is text, should be a mapping, as in '- name: desk'"],
    ),
    (
        "an unknown topic",
        "    topics: [legal]",
        "    topics: [legel]",
        ["11: routes[0].topics[0] is 'legel', which is no topic; did you mean legal?"],
    ),
    (
        "an unknown channel",
        "    channels: [sms]",
        "    channels: [sms, whatsup]",
        ["15: routes[1].channels[1] is 'whatsup', which is no channel; did you mean whatsapp?"],
    ),
    (
        "an unknown language",
        "    languages: [de, fr]",
        "    languages: [de, xx, German]",
        [
            f"16: routes[1].languages[1] is 'xx', which is no language, {LANGUAGE}",
            f"16: routes[1].languages[2] is 'German', which is no language, {LANGUAGE}",
        ],
    ),
    (
        "an unknown priority",
        "    priorities: [high]",
        "    priorities: [highest]",
        ["18: routes[1].priorities[0] is 'highest', which is no priority; did you mean high?"],
    ),
    (
        "a condition twice",
        "    languages: [de, fr]",
        "    languages: [de, de]",
        ["16: routes[1].languages[1] is 'de', which is there already; take it out"],
    ),
    (
        "a condition without values",
        "    tiers: [gold]",
        "    tiers: []",
        ["17: routes[1].tiers is an empty list; leave it out"],
    ),
    (
        "a condition that is misspelt",
        "    tiers: [gold]",
        "    tier: [gold]",
        ["17: routes[1].tier is not a known key; did you mean tiers?"],
    ),
    (
        "an agent that nobody is",
        "    on_call: [anna, U0BEN]",
        "    on_call: [anne, U0BEN]",
        [f"13: routes[0].on_call[0] is 'anne', which is no agent, {AGENT}"],
    ),
    (
        "no deadline for a priority",
        "  low: {first: 1 d, next: 2 days}",
        "",
        ["21: there is no deadlines.low, should be as in '{first: 15 min, next: 1 h}'"],
    ),
    (
        "a deadline for an unknown priority",
        "  low: {first: 1 d, next: 2 days}",
        "  slow: {first: 1 d, next: 2 days}",
        [
            "21: there is no deadlines.low, should be as in '{first: 15 min, next: 1 h}'",
            "25: deadlines.slow is not a known key; did you mean low?",
        ],
    ),
    (
        "half a deadline",
        "  low: {first: 1 d, next: 2 days}",
        "  low: {first: 1 d}",
        [f"25: there is no deadlines.low.next, {SPAN}"],
    ),
    (
        "a negative time",
        "  low: {first: 1 d, next: 2 days}",
        "  low: {first: -5 min, next: 2 days}",
        [f"25: deadlines.low.first is negative, {SPAN}"],
    ),
    (
        "a time without a unit, one without a number, and none",
        "  low: {first: 1 d, next: 2 days}",
        "  low: {first: 15, next: soon}",
        [f"25: deadlines.low.first is '15', {SPAN}", f"25: deadlines.low.next is 'soon', {SPAN}"],
    ),
    (
        "times that are too short or too long",
        "  low: {first: 1 d, next: 2 days}",
        "  low: {first: 0 s, next: 400 d}",
        [
            "25: deadlines.low.first is '0 s', should be at least 1 s",
            "25: deadlines.low.next is '400 d', should be at most 31 d",
        ],
    ),
    (
        "a priority that always counts and is none",
        "always: [urgent]",
        "always: [Urgent, asap]",
        [
            "26: always[0] is 'Urgent', which is no priority; did you mean urgent?",
            f"26: always[1] is 'asap', which is no priority; {PRIORITIES}",
        ],
    ),
    (
        "reminders in the wrong order",
        "remind: {thread: 0 min, channel: 15 min, on_call: 30 min}",
        "remind: {thread: 0 min, channel: 15 min, on_call: 5 min}",
        ["27: remind.on_call is sooner than remind.channel, should be at least as long"],
    ),
    (
        "a reminder that is missing",
        "remind: {thread: 0 min, channel: 15 min, on_call: 30 min}",
        "remind: {thread: 0 min, channel: 15 min}",
        [f"27: there is no remind.on_call, {SPAN}"],
    ),
    (
        "no reminders",
        "remind: {thread: 0 min, channel: 15 min, on_call: 30 min}",
        "remind:",
        [
            "27: remind is empty, "
            "should be as in '{thread: 0 min, channel: 15 min, on_call: 30 min}'"
        ],
    ),
    ("idle at once", "idle: 20 h", "idle: 0 h", ["28: idle is '0 h', should be at least 1 min"]),
    ("idle some time", "idle: 20 h", "idle: later", [f"28: idle is 'later', {SPAN}, or never"]),
    ("no word on idle", "idle: 20 h", "", [f"1: there is no idle, {SPAN}, or never"]),
    (
        "a switch that is no switch",
        "rate: true",
        "rate: maybe",
        ["29: rate is 'maybe', should be true or false"],
    ),
    (
        "an unknown way after a case",
        "after_close: reopen",
        "after_close: reopens",
        ["30: after_close is 'reopens', should be bot or reopen; did you mean reopen?"],
    ),
    (
        "a text that is missing",
        "  handed: {en: A person reads it.}",
        "",
        ["35: there is no texts.handed, should be a mapping by language, as in 'en: …'"],
    ),
    (
        "a text without the default language",
        "  handed: {en: A person reads it.}",
        "  handed: {de: Ein Mensch liest es.}",
        ["38: texts.handed has no text in en, the default language; add 'en: …' to it"],
    ),
    (
        "a text that is no mapping",
        "  rated: {en: Noted.}",
        "  rated: Noted.",
        ["41: texts.rated is text, should be a mapping by language, as in 'en: …'"],
    ),
    (
        "a text that is empty",
        "    de: Wir sind {opens} wieder da.",
        "    de: ''",
        ["37: texts.closed.de is empty; say something or leave it out"],
    ),
    (
        "a text in no language",
        "    de: Wir sind {opens} wieder da.",
        "    german: Wir sind {opens} wieder da.",
        [f"37: texts.closed has a key that is no language code, {LANGUAGE}"],
    ),
    (
        "a text that does not say when",
        "    de: Wir sind {opens} wieder da.",
        "    de: Wir sind wieder da.",
        ["37: texts.closed.de does not say when somebody will be here; put {opens} into it"],
    ),
    (
        "an unknown placeholder",
        "    de: Wir sind {opens} wieder da.",
        "    de: Wir sind {opens} wieder da, {name}.",
        ["37: texts.closed.de has a placeholder that is not known; there is {opens}"],
    ),
    (
        "a placeholder where there is none",
        "  handed: {en: A person reads it.}",
        "  handed: {en: 'It takes {minutes}.'}",
        ["38: texts.handed.en has a placeholder that is not known; there is none"],
    ),
    (
        "a text that is too long",
        "  idle: {en: Closed.}",
        f"  idle: {{en: {'x' * 601}}}",
        ["42: texts.idle.en has more than 600 characters; shorten it"],
    ),
    (
        "a text that nobody asks for",
        "  idle: {en: Closed.}",
        "  idle: {en: Closed.}\n  sorry: {en: Sorry.}",
        [
            "43: texts.sorry is not a known key; "
            "known: closed, handed, returned, rating, rated, idle"
        ],
    ),
]


def load(text: str, name: str = "routing.yml") -> list[str]:
    known = {"topics": ["legal", "human"], "channels": ["sms", "whatsapp"], "agents": ["anna"]}
    try:
        parse_routing(text, name, **known)
    except SettingsInvalid as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("line", "instead", "told"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_what_is_wrong_is_told_with_its_line(line: str, instead: str, told: list[str]) -> None:
    lines = GOOD.splitlines()
    lines[lines.index(line)] = instead or "#"
    assert load("\n".join(lines)) == [f"routing.yml:{one}" for one in told]


def test_there_are_enough_of_them() -> None:
    assert len({case[0] for case in BROKEN}) == len(BROKEN) >= 40


def test_everything_that_is_wrong_is_told_at_once() -> None:
    lines = load("default: en\nhours: {zone: X}\nidle: soon\n")
    assert len(lines) > 12
    assert lines == sorted(lines, key=lambda one: int(one.split(":")[1]))


def test_a_good_file_is_what_it_says() -> None:
    assert load(GOOD) == []
    made = parse_routing(GOOD)
    assert made.hours.week[0] == ((time(9), time(12, 30)), (time(13, 30), time(18)))
    assert made.hours.week[5:] == (((time(22), time(0)),), ())
    assert made.hours.holidays == {date(2026, 12, 25)}
    law, sms, desk = made.routes
    assert (law.slack, law.on_call, law.topics) == ("C0LEGAL", ("anna", "U0BEN"), ("legal",))
    assert (sms.slack, sms.tiers, sms.priorities) == ("C0URGENT", ("gold",), ("high",))
    assert (desk.slack, desk.on_call, desk.topics) == ("", (), ())
    assert made.within["high"] == Within(timedelta(minutes=15), timedelta(minutes=90))
    assert made.within["urgent"].first == timedelta(seconds=90)
    assert made.within["low"] == Within(timedelta(days=1), timedelta(days=2))
    assert made.remind == (timedelta(), timedelta(minutes=15), timedelta(minutes=30))
    assert (made.always, made.idle) == ({"urgent"}, timedelta(hours=20))
    assert (made.rate, made.undelivered, made.frustrated) == (True, False, True)
    assert (made.after_close, made.reopen_within) == ("reopen", timedelta(days=3))
    assert made.aliases == {"legal": "C0LEGAL"}


def test_what_may_be_left_out() -> None:
    gone = ("slack_", "always", "rate:", "after_", "undel", "frust", "  rating", "  rated")
    kept = [line for line in GOOD.splitlines() if not line.startswith(gone)]
    text = "\n".join(kept).replace("slack: legal", "slack:") + "\nrate: false\n"
    made = parse_routing(text.replace("idle: 20 h", "idle: never"))
    assert (made.after_close, made.undelivered, made.rate) == ("bot", True, False)
    assert (made.always, made.idle, made.aliases) == (frozenset(), None, {})
    assert made.says("rating", "en") == ""


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"routing\.yml: "):
        load_routing(tmp_path / "routing.yml")
