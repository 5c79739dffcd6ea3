"""A small project of a designer in which nothing is wrong."""

from __future__ import annotations

from pathlib import Path

CONFIG = """\
assistant_id: shop
recipe: default.v1
language: en
pipeline:
  - name: WhitespaceTokenizer
  - name: actions.parts.Finder
policies:
  - name: RulePolicy
"""
DOMAIN = """\
version: "3.1"
intents:
  - greet
  - order
  - stop
entities:
  - number
slots:
  number:
    type: text
    influence_conversation: false
    mappings:
      - type: from_entity
        entity: number
  mood:
    type: text
    mappings:
      - type: custom
forms:
  order_form:
    required_slots:
      - number
actions:
  - action_look
responses:
  utter_greet:
    - text: "Hello!"
      buttons:
        - title: "My order"
          payload: "/order"
  utter_ask_number:
    - text: "Which number?"
  utter_found_one:
    - text: "{number} is {stage}."
  utter_stopped:
    - text: "As you like."
    - text: "OK."
      channel: sms
"""
NLU = """\
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - hello
      - hi there
      - good day
      - hey
      - good evening
  - intent: order
    examples: |
      - where is [1042](number)
      - where is my parcel
      - track my order
      - order status
      - has [1043]{"entity": "number"} left
  - intent: stop
    examples: |
      - stop it
      - never mind
      - cancel that
      - forget it
      - leave it
"""
RULES = """\
version: "3.1"
rules:
  - rule: Hello
    steps:
      - intent: greet
      - action: utter_greet
  - rule: An order is asked for
    steps:
      - intent: order
      - action: order_form
      - active_loop: order_form
  - rule: The number is known
    condition:
      - active_loop: order_form
    steps:
      - action: order_form
      - active_loop: null
      - slot_was_set:
          - requested_slot: null
      - action: action_look
  - rule: The customer stops
    condition:
      - active_loop: order_form
    steps:
      - intent: stop
      - action: utter_stopped
      - action: action_deactivate_loop
      - active_loop: null
"""
STORIES = """\
version: "3.1"
stories:
  - story: Hello and stop
    steps:
      - intent: greet
      - action: utter_greet
      - intent: stop
      - action: utter_stopped
"""
TEST = """\
version: "3.1"
stories:
  - story: An order
    steps:
      - user: |
          where is [1042](number)
        intent: order
      - action: order_form
      - active_loop: order_form
"""
LOOK = """\
from rasa_sdk import Action


class Look(Action):
    def name(self):
        return "action_look"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response=f"utter_found_{1}", stage="here")
        return [{"event": "slot", "name": "mood", "value": "good"}]
"""
FILES = {
    "config.yml": CONFIG,
    "domain.yml": DOMAIN,
    "data/nlu/all.yml": NLU,
    "data/rules/all.yml": RULES,
    "data/stories/all.yml": STORIES,
    "tests/stories/test_all.yml": TEST,
    "actions/look.py": LOOK,
    "actions/parts.py": "class Finder:\n    pass\n",
}


def sound_project(folder: Path) -> Path:
    """Write it below a folder; return that."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder
