"""A designer's project with a little of everything, and ways to spoil it at random."""

# ruff: noqa: E501
from __future__ import annotations

import random
import re

from tests.kit import designs

FILES = dict(designs.FILES)
FILES["config.yml"] = """\
assistant_id: shop
recipe: default.v1
language: en
pipeline:
  - name: WhitespaceTokenizer
  - name: RegexFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 2
    max_ngram: 4
  - name: LogisticRegressionClassifier
    max_iter: 5
  - name: RegexEntityExtractor
    use_regexes: true
  - name: EntitySynonymMapper
policies:
  - name: MemoizationPolicy
    max_history: 3
  - name: RulePolicy
    enable_fallback_prediction: true
"""
FILES["domain.yml"] = (
    FILES["domain.yml"]
    .replace(
        "  - stop\n",
        "  - stop\n  - buy:\n      use_entities: [colour]\n  - pick:\n      ignore_entities: []\n",
    )
    .replace(
        "  - number\nslots:\n",
        """  - number
  - colour:
      roles: [wall, floor]
      influence_conversation: false
slots:
  kind:
    type: categorical
    values: [big, small]
    initial_value: big
    mappings:
      - type: from_intent
        intent: buy
        value: big
        conditions:
          - active_loop: order_form
            requested_slot: number
  weight:
    type: float
    min_value: 0
    max_value: 10.5
    mappings:
      - type: from_entity
        entity: colour
        role: wall
        not_intent: [stop, greet]
  many:
    type: list
    mappings:
      - type: from_text
        conditions:
          - active_loop: null
""",
    )
    .replace("    required_slots:", "    ignored_intents: [greet]\n    required_slots:")
    .replace(
        '    - text: "As you like."',
        '    - text: "As you like."\n      condition:\n        - type: slot\n          name: kind\n          value: big',
    )
    + """  utter_pic:
    - image: "https://x.example/a.png"
      text: Look
    - custom:
        a: {b: [1, 2]}
      metadata: {x: y}
session_config:
  session_expiration_time: 60
  carry_over_slots_to_new_session: true
"""
)
FILES["data/nlu/all.yml"] += """\
  - intent: buy
    examples: |
      - a [red]{"entity": "colour", "role": "wall"} one
      - buy [blue]{"entity": "colour", "role": "floor", "value": "azure"}
      - buy [crimson](colour:red) please
      - I want to buy
      - purchase
  - intent: pick
    examples:
      - text: |
          - pick this
        metadata: {a: b}
      - text: |
          - choose
      - text: take
      - text: take one
      - text: take that
  - synonym: red
    examples: |
      - scarlet
      - crimson
  - regex: number
    examples: |
      - \\d{4,6}
  - lookup: colour
    examples: |
      - red
      - blue
      - green
"""
FILES["data/stories/all.yml"] += """\
  - story: Buys
    steps:
      - or:
          - intent: buy
            entities:
              - colour: red
                role: wall
          - intent: pick
      - slot_was_set:
          - kind: big
      - action: utter_pic
      - checkpoint: bought
  - story: Afterwards
    steps:
      - checkpoint: bought
        slot_was_set:
          - kind: big
      - intent: stop
      - action: utter_stopped
    metadata: {a: 1}
  - story: By words
    steps:
      - user: |
          tell me
      - bot: "I tell you"
"""
FILES["data/rules/all.yml"] += """\
  - rule: At the start
    conversation_start: true
    wait_for_user_input: false
    steps:
      - intent: pick
      - slot_was_set:
          - kind: small
      - action: utter_pic
"""
FILES["tests/stories/test_all.yml"] += """\
      - slot_was_set:
          - number: "1042"
      - user: hey
        intent: greet
      - action: utter_greet
  - story: two
    steps:
      - user: |
          /greet
        intent: greet
      - bot: Hello!
"""

_NAMES = sorted(name for name in FILES if name.endswith(".yml"))
_ODD = (
    *("null", "true", "5", "1.5", "[]", "{}", "[a, b]", "{a: b}", '""', "~", "greet", "2026-01-31"),
    *("|", ">", "&a b", "*a", "!t x", "0x1f", ".inf", "a: b", "[[]]", "[null]", "{1: 2}", "@x"),
    *("action_listen", "utter_greet", "order_form", "number", "colour", "a b", "a/b", "{x}"),
)
_KEYS = sorted({key for t in FILES.values() for key in re.findall(r"^[ -]*([a-z_]+):", t, re.M)})
_KEY = re.compile(r"^([ -]*)(\w+)(:.*)$")


def mutant(rng: random.Random) -> tuple[str, str]:
    """Return the name of one file and what it would be after one slip of a designer's hand."""
    name = rng.choice(_NAMES)
    lines = FILES[name].split("\n")
    n = rng.randrange(len(lines))
    line = lines[n]
    slip = rng.randrange(8)
    match = _KEY.match(line)
    if slip == 0:
        del lines[n]
    elif slip == 1:
        lines.insert(rng.randrange(len(lines)), line)
    elif slip == 2:
        lines[n] = f"  {line}" if rng.random() < 0.5 else line[2:]
    elif slip == 3 and match:
        lines[n] = f"{match[1]}{match[2]}: {rng.choice(_ODD)}"
    elif slip == 4 and match:
        lines[n] = match[1] + rng.choice(_KEYS) + match[3]
    elif slip == 5:
        at = rng.randrange(len(line) + 1)
        lines[n] = line[:at] + rng.choice("[](){}:\"'#-,|>&*!%@`\\ \t\u00a0\u00e9") + line[at:]
    elif slip == 6:
        indent = line[: len(line) - len(line.lstrip())]
        lines.insert(
            n + 1, f"{indent}{rng.choice(('', '- '))}{rng.choice(_KEYS)}: {rng.choice(_ODD)}"
        )
    else:
        other = rng.randrange(len(lines))
        lines[n], lines[other] = lines[other], line
    return name, "\n".join(lines)
