"""A file is changed in the one place, and is byte for byte the same everywhere else."""

from __future__ import annotations

import pytest

from bot.learning.contract import NotAllowed
from bot.learning.edits import (
    Placed,
    add_example,
    append_item,
    examples_in,
    parsed,
    quoted,
    remove_example,
)

FILE = "data/nlu/all.yml"
BLOCK = """\
version: "3.1"   # keep me

nlu:
  # greetings
  - intent: greet
    examples: |
      - hello
      - hi [Tom](name)  {space}

  - intent: bye   # the other one
    examples: |
      - goodbye
      # not so good
      -   see you

  # a look-up
  - lookup: name
    examples: |
      - Tom
""".replace("{space}", " ")
LIST = """\
nlu:
- intent: greet
  examples:
  - text: |
      hello
    metadata:
      sentiment: neutral
  - text: |
      hi there
  # last
- intent: bye
  examples:
    - text: "goodbye"   # politely
    - text: 'see you'
"""


def added(before: str, after: str) -> list[str]:
    """The lines that were put in; fails when anything else differs."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    n = next((n for n, (a, b) in enumerate(zip(old, new)) if a != b), len(old))  # noqa: B905
    extra = len(new) - len(old)
    assert old == new[:n] + new[n + extra :]
    return new[n : n + extra]


@pytest.mark.parametrize(
    ("text", "intent", "lines", "line"),
    [
        (BLOCK, "greet", ["      - good day\n"], 9),
        (BLOCK, "bye", ["      -   good day\n"], 15),
        (LIST, "greet", ["  - text: |\n", "      good day\n"], 10),
        (LIST, "bye", ["    - text: 'good day'\n"], 15),
    ],
)
def test_an_example_is_written_as_those_before_it(
    text: str, intent: str, lines: list[str], line: int
) -> None:
    edited = add_example(text, FILE, intent, "good day")
    assert edited is not None
    assert added(text, edited.text) == lines
    assert edited.line == line
    (found,) = [e for e in examples_in(parsed(edited.text, FILE)) if e.text == "good day"]
    assert (found.intent, found.line) == (intent, line)


@pytest.mark.parametrize("text", [BLOCK, LIST])
def test_line_ends_and_byte_order_marks_are_kept(text: str) -> None:
    dos = "\ufeff" + text.replace("\n", "\r\n")
    edited = add_example(dos, FILE, "greet", "good day")
    assert edited is not None
    assert all(line.endswith("\r\n") for line in added(dos, edited.text))
    assert edited.text.startswith("\ufeff")


def test_a_file_that_ends_without_a_line_end_does_so_still() -> None:
    text = "nlu:\n- intent: greet\n  examples: |\n    - hello"
    edited = add_example(text, FILE, "greet", "good day")
    assert edited is not None
    assert edited.text == text + "\n    - good day"


@pytest.mark.parametrize(
    "example",
    ["- dash", "# hash", "a: b", "'quoted'", '"q"', "back\\slash", "{curly}", "(round)", "a [b] c",
     "%", "@x", "true", "null", "1042", "*", "&a", "!x", "| y", "> z", "a #b",
     "it's", "日本語 😀", "-"],
)  # fmt: skip
@pytest.mark.parametrize(("text", "intent"), [(BLOCK, "bye"), (LIST, "greet"), (LIST, "bye")])
def test_signs_that_mean_something_in_yaml_are_read_back(
    text: str, intent: str, example: str
) -> None:
    edited = add_example(text, FILE, intent, example)
    assert edited is not None
    added(text, edited.text)
    found = [e.text for e in examples_in(parsed(edited.text, FILE)) if e.intent == intent]
    assert found[-1] == example


def test_an_intent_without_examples_here_is_none_of_this_file() -> None:
    assert add_example(BLOCK, FILE, "thank", "thanks") is None
    assert add_example("nlu:\n- intent: thank\n  examples: |\n", FILE, "thank", "thanks") is None


@pytest.mark.parametrize(
    "examples", ["['hello', 'hi']", '"- hello\\n- hi"', "[{text: hello}]", ">\n    - hello"]
)
def test_what_cannot_be_gone_on_with_is_said_with_its_line(examples: str) -> None:
    text = f"nlu:\n- intent: greet\n  examples: {examples}\n"
    with pytest.raises(NotAllowed, match=r"data/nlu/all\.yml:3: "):
        add_example(text, FILE, "greet", "good day")


def test_a_broken_file_is_not_made_worse() -> None:
    with pytest.raises(NotAllowed, match="put this right first"):
        add_example(BLOCK + "\tx: [", FILE, "greet", "good day")


@pytest.mark.parametrize(("text", "intent"), [(BLOCK, "greet"), (LIST, "greet"), (LIST, "bye")])
def test_an_example_is_taken_out_and_nothing_else(text: str, intent: str) -> None:
    first = next(e for e in examples_in(parsed(text, FILE)) if e.intent == intent)
    after = remove_example(text, first)
    assert first.text in "".join(added(after, text))
    assert len(list(examples_in(parsed(after, FILE)))) + 1 == len(
        list(examples_in(parsed(text, FILE)))
    )


def test_the_last_example_of_an_intent_stays() -> None:
    text = "nlu:\n- intent: greet\n  examples: |\n    - hello\n"
    with pytest.raises(NotAllowed, match="only example of greet"):
        remove_example(text, Placed("greet", "hello", FILE, 4))
    with pytest.raises(NotAllowed, match="has been changed"):
        remove_example(BLOCK, Placed("greet", "hello", FILE, 4))


STORIES = """\
version: "3.1"
stories:
  - story: One
    steps:
      - intent: greet
# half a thought
      - action: utter_greet

  - story: Two
    steps:
      - intent: bye
      - action: utter_bye

# the end
"""
ITEM = "- story: Three\n  steps:\n    - user: |\n        hi\n      intent: greet\n"


def test_a_story_is_put_at_the_end_of_its_list() -> None:
    edited = append_item(STORIES, FILE, "stories", ITEM)
    new = """
  - story: Three
    steps:
      - user: |
          hi
        intent: greet
"""
    assert edited.text == STORIES.replace("utter_bye\n", "utter_bye\n" + new)
    assert edited.text.splitlines()[edited.line - 1] == "  - story: Three"
    more = append_item(
        "stories:\n- story: One\n  steps:\n  - intent: x\nnlu: []\n", FILE, "stories", ITEM
    )
    assert more.text.startswith(
        "stories:\n- story: One\n  steps:\n  - intent: x\n\n- story: Three\n"
    )
    assert more.text.endswith("nlu: []\n")


@pytest.mark.parametrize("text", ["", "version: '3.1'", "version: '3.1'\nstories:\n"])
def test_a_list_is_begun_where_there_is_none(text: str) -> None:
    edited = append_item(text, FILE, "stories", ITEM)
    assert edited.text.splitlines()[edited.line - 1] == "  - story: Three"


@pytest.mark.parametrize(
    "text", ["stories: []\n", "stories: [{story: a, steps: []}]\n", "stories: x\n"]
)
def test_a_list_in_brackets_is_left_alone(text: str) -> None:
    with pytest.raises(NotAllowed, match=r"all\.yml:1"):
        append_item(text, FILE, "stories", ITEM)


def test_scalars_are_quoted_as_they_have_to_be() -> None:
    assert quoted("Two things (several)") == "Two things (several)"
    assert [quoted(text) for text in ("a: b", "yes", "# x", "12", "")] == [
        '"a: b"', '"yes"', '"# x"', '"12"', '""',
    ]  # fmt: skip
    assert quoted("it's", "'x'") == "'it''s'"
