"""A bot of three intents, which trains in seconds, to be changed and spoilt."""

from __future__ import annotations

from pathlib import Path

_FILES = {
    "config.yml": """
recipe: default.v1
assistant_id: tiny
language: en
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 2
    max_ngram: 4
  - name: LogisticRegressionClassifier
    random_state: 42
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
""",
    "domain.yml": """
version: "3.1"
intents: [greet, bye, hours]
slots:
  day:
    type: text
    mappings:
      - type: custom
forms:
  day_form:
    required_slots: [day]
responses:
  utter_greet:
    - text: Hello
  utter_bye:
    - text: Goodbye
  utter_hours:
    - text: Nine to five
  utter_ask_day:
    - text: Which day?
""",
    "data/nlu/all.yml": """
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - hello
      - hi there
      - good morning
      - hey
      - good day to you
  - intent: bye
    examples: |
      - goodbye
      - see you later
      - bye bye
      - farewell
      - see you soon
  - intent: hours
    examples: |
      - when are you open
      - what are your opening hours
      - are you open today
      - until when are you open
      - opening times please
""",
    "data/rules/all.yml": """
version: "3.1"
rules:
  - rule: Say hello
    steps:
      - intent: greet
      - action: utter_greet
  - rule: Say goodbye
    steps:
      - intent: bye
      - action: utter_bye
  - rule: Tell the hours
    steps:
      - intent: hours
      - action: utter_hours
""",
    "tests/nlu/heldout.yml": """
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - hello there
      - hi
      - morning
  - intent: bye
    examples: |
      - see you
      - bye
      - bye now
      - goodbye then
      - farewell friend
      - later, bye
      - see you around
      - see you tomorrow
      - bye bye all
  - intent: hours
    examples: |
      - when do you open
      - your opening hours
      - open today?
""",
    "tests/stories/test_all.yml": """
version: "3.1"
stories:
  - story: Hello and goodbye
    steps:
      - user: hello
        intent: greet
      - action: utter_greet
      - user: see you
        intent: bye
      - action: utter_bye
  - story: Only the hours
    steps:
      - user: when are you open
        intent: hours
      - action: utter_hours
""",
}


def tiny_bot(folder: Path) -> Path:
    """Write the bot into `folder`, and return it."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), "utf-8")
    return folder


def spoil(path: Path, old: str, new: str) -> None:
    """Replace the first `old` of a file, which must be there."""
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1), "utf-8")
