"""What of a conversation goes into a story, and what is said of the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.learning import STORY, TEST, Draft, NotAllowed
from bot.learning.drafting import ask_of, drafted
from bot.learning.project import read_known
from bot.learning.telling import LONGEST_STORY, last_session, told
from bot.message import Choice
from bot.store.turns import Turn
from tests.kit.lessons import found, turn
from tests.kit.tiny import spoil, tiny_bot

GREET = [{"event": "action", "name": "utter_greet"}, {"event": "action", "name": "action_listen"}]
SESSION = {"event": "session_started"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tiny_bot(tmp_path)
    more = "entities:\n  - city\n  - mail:\n      influence_conversation: false\nslots:"
    spoil(folder / "domain.yml", "slots:", more)
    return folder


def draft(root: Path, *turns: Turn, kind: str = TEST, **more: object) -> Draft:
    known = read_known(root)
    return told(turns, known, kind=kind, names=("Tom",), **more)  # type: ignore[arg-type]


def test_a_test_has_words_and_everything_found_in_them(root: Path) -> None:
    text = "hi, Tom of LA, to a.b@gmail.com on 24/12"
    entities = [
        found(text, "LA", "city", value="Los Angeles", role="from", group="1"),
        found(text, "a.b@gmail.com", "mail"),
        found(text, "24/12", "date", value="2026-12-24"),
    ]
    one = turn(1, text, "greet", entities=entities, events=[SESSION, *GREET])
    made = draft(root, one)
    (line,) = [line for line in made.yaml.splitlines() if "hi, " in line]
    assert '[LA]{"entity": "city", "value": "Los Angeles", "role": "from", "group": "1"}' in line
    assert "@example.com](mail) on [24/12](date)" in line
    assert "Tom" not in line
    assert (made.file, made.warnings) == ("tests/stories/test_all.yml", ())
    assert made.yaml.endswith("        intent: greet\n      - action: utter_greet\n")


def test_a_story_has_only_what_the_next_answer_hangs_on(root: Path) -> None:
    text = "hi from 77042, a.b@gmail.com"
    entities = [found(text, "77042", "city"), found(text, "a.b@gmail.com", "mail")]
    events = [
        *GREET,
        {"event": "slot", "name": "day", "value": "77042"},
        {"event": "slot", "name": "requested_slot", "value": "day"},
        {"event": "slot", "name": "gone", "value": "x"},
    ]
    lines = draft(root, turn(1, text, "greet", entities=entities, events=events), kind=STORY).yaml
    number = lines.split('city: "')[1][:5]
    assert number != "77042"
    assert lines.splitlines()[2:] == [
        "      - intent: greet",
        "        entities:",
        f'          - city: "{number}"',
        "      - action: utter_greet",
        "      - slot_was_set:",
        f'          - day: "{number}"',
    ]


def test_a_test_has_no_slots_that_only_code_sees(root: Path) -> None:
    quiet = "    type: any\n    influence_conversation: false\n    mappings: [{type: custom}]\n"
    spoil(root / "domain.yml", "slots:\n", f"slots:\n  last_order:\n{quiet}")
    spoil(
        root / "domain.yml",
        "    type: text\n",
        "    type: text\n    influence_conversation: false\n",
    )
    sets = {"last_order": {"at": "2026-11-26"}, "day": "monday", "requested_slot": None}
    events = [*GREET, *({"event": "slot", "name": n, "value": v} for n, v in sets.items())]
    lines = draft(root, turn(1, "hello", "greet", events=events)).yaml.splitlines()
    told = [line.split(":")[0].strip(" -") for line in lines if line.startswith(10 * " ")]
    assert told == ["hello", "day", "requested_slot"]


def test_buttons_are_told_by_their_payload(root: Path) -> None:
    one = turn(1, Choice("/greet", "Hello"), "greet", events=GREET)
    made = draft(root, one)
    assert "          /greet\n        intent: greet\n" in made.yaml
    assert made.warnings == ()


def test_what_may_go_otherwise_or_cannot_be_told_is_said(root: Path) -> None:
    unsure = "write to a.b@gmail.com"
    turns = [
        turn(1, "hello", "greet", events=GREET),
        turn(
            2,
            unsure,
            "greet",
            0.45,
            events=GREET,
            entities=[found(unsure, "a.b@gmail.com", "mail")],
        ),
        turn(3, "/hours now", "greet", events=GREET),
        turn(4, "hello", "greet", events=[SESSION, {"event": "rewind"}, *GREET]),
        turn(5, "hello", "gone", events=GREET),
        turn(6, "hello", "greet", failure={"action": "x", "reason": "y", "detail": "z"}),
        turn(7, "hello", by="agent"),
        turn(8, "my lawyer", sensitive="legal"),
    ]
    said = draft(root, *turns, before=turn(0, "hello", "greet")).warnings
    for what in (
        "it begins at turn 1: what was said before is missing",
        "turn 2 was understood as greet only just",
        "turn 3 was typed",
        "a new session begins at turn 4",
        "turn 4 has what no story can tell (rewind)",
        "turn 5 was understood as gone, which is no more",
        "turn 6 failed",
        "1 message that people answered are left out",
        "turn 8 is about a sensitive matter",
    ):
        assert any(line.startswith(what) for line in said), what
    assert not any("lawyer" in line for line in said)


def test_a_conversation_of_nothing_but_people_is_no_story(root: Path) -> None:
    with pytest.raises(NotAllowed, match="1 message that people answered"):
        draft(root, turn(1, "hello", by="agent"))


def test_what_is_too_long_is_refused_and_the_last_session_is_taken(root: Path) -> None:
    many = [turn(n, "hello", "greet", events=GREET) for n in range(1, LONGEST_STORY + 2)]
    with pytest.raises(NotAllowed, match=f"choose at most {LONGEST_STORY}"):
        draft(root, *many)
    assert last_session(many) == many[1:]
    begins = turn(50, "hello", "greet", events=[SESSION, *GREET])
    assert last_session([*many, begins, turn(51, "bye", "bye")])[0] is begins


def test_titles_are_unique(root: Path) -> None:
    one = turn(1, "hello", "greet", events=GREET)
    assert draft(root, one, title="Only the hours").title == "Only the hours 2"


async def test_where_spacy_is_not_loaded_another_process_makes_the_draft(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = turn(1, "hello from 12 Baker Street", "greet", events=GREET)
    ask = ask_of(root, [one], kind=TEST, names=(), title="", before=None)
    monkeypatch.delitem(sys.modules, "spacy", raising=False)
    made = await drafted(ask)
    assert made.file == "tests/stories/test_all.yml"
    assert "Baker" not in made.yaml
    assert "hello from " in made.yaml
    many = ask_of(root, [one] * 50, kind=TEST, names=(), title="", before=None)
    with pytest.raises(NotAllowed, match="these are 50 turns"):
        await drafted(many)
