"""One fault after another in a sound project: each is told where it is, before Rasa is asked."""

# ruff: noqa: E501
from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.dialogue.checking import ERROR, WARNING, check_project, errors_of
from bot.dialogue.errors import TrainingFailed
from bot.dialogue.training import make
from tests.kit.designs import sound_project
from tests.kit.mutants import FILES, mutant
from tests.kit.rasa_reads import refusal

SHORT = {
    "config": "config.yml",
    "domain": "domain.yml",
    "nlu": "data/nlu/all.yml",
    "rules": "data/rules/all.yml",
    "stories": "data/stories/all.yml",
    "test": "tests/stories/test_all.yml",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return sound_project(tmp_path)


#: what is spoilt: file, old ("" for the end), new; then file, level, line, how what is told begins
# fmt: off
ROWS: list[tuple[str, str, str, str, str, int, str]] = [
    ('domain', '  - greet', '  - greet:', 'domain', ERROR, 3, "greet has a colon and nothing after it, should be '- greet'"),
    ('domain', '  - greet', '  -greet', 'domain', ERROR, 2, "intents is no list, should be '- name' lines"),
    ('domain', 'intents:\n', 'intents: |\n', 'domain', ERROR, 2, "intents is no list, should be '- name' lines"),
    ('domain', '"Hello!"', "'Hello!", 'domain', ERROR, 27, 'has a quote that is never closed; close it'),
    ('domain', '"Hello!"', 'Hello: you', 'domain', ERROR, 27, 'has a colon or an indentation that does not belong here; line '),
    ('domain', '"Hello!"', '@you', 'domain', ERROR, 27, 'has a value that begins with a character YAML keeps for itself'),
    ('domain', '"Hello!"', '*you', 'domain', ERROR, 27, 'uses an alias (*name) that no anchor (&name) has set before'),
    ('domain', '"Hello!"', 'Hel\tlo: \tyou', 'domain', ERROR, 27, 'has a tab where only spaces may stand; use spaces'),
    ('domain', '"Hello!"', '"\\q"', 'domain', ERROR, 27, 'has an unknown escape; use single quotes for a plain backslash'),
    ('domain', '"Hello!"', 'Hello ${nobody_set_this}', 'domain', ERROR, 27, 'has ${nobody_set_this}, a variable of the environment that is '),
    ('domain', '"Hello!"', '"\\u12"', 'domain', ERROR, 27, 'has \\u without the digits of a character, should be \\u00e9 or '),
    ('domain', 'entities:\n  - number', 'entities: [number', 'domain', ERROR, 7, 'has a list or mapping, begun in line 6, that is not closed; cl'),
    ('domain', 'entities:\n  - number', 'entities: {number', 'domain', ERROR, 7, 'has a list or mapping, begun in line 6, that is not closed; cl'),
    ('domain', '    type: text', '    type: text\n    type: list', 'domain', ERROR, 11, 'type is given twice, first in line 10; keep one of them'),
    ('domain', 'intents:', '1: x\nintents:', 'domain', ERROR, 2, 'has the key 1, should be "1"'),
    ('domain', 'intents:', '? [a]\n: b\nintents:', 'domain', ERROR, 2, 'has a key that is a list or mapping; a key is a name'),
    ('domain', 'version', '%YAML 3\nversion', 'domain', ERROR, 1, 'is not YAML; check quotes, brackets and indentation'),
    ('nlu', '- hello', '- hel\ufefflo', 'nlu', ERROR, 5, 'has the character U+FEFF, which cannot stand in YAML; take it '),
    ('nlu', '- hello', '- hel\u2028lo', 'nlu', ERROR, 5, 'has the character U+2028, which cannot stand in YAML; take it '),
    ('nlu', '- hello', '- hel\x00lo', 'nlu', ERROR, 5, 'has the character U+0000, which cannot stand in YAML; take it '),
    ('domain', 'version: "3.1"\n', '', 'domain', WARNING, 1, 'has no version, should be version: "3.1"'),
    ('domain', '"3.1"', '3.1', 'domain', ERROR, 1, "version is a number, should be text: '3.1' in quotes"),
    ('nlu', '"3.1"', '"4.0"', 'nlu', ERROR, 1, 'is of version 4.0, and would be left out, should be version: "'),
    ('rules', '"3.1"', '"2.0"', 'rules', WARNING, 1, 'is of version 2.0, should be version: "3.1"'),
    ('stories', '"3.1"', '"new"', 'stories', ERROR, 1, 'has a version that is no number, should be version: "3.1"'),
    ('domain', 'entities:\n  - number', 'entities: number', 'domain', ERROR, 6, "entities is no list, should be '- name' lines"),
    ('domain', 'actions:\n  - action_look', 'actions:\n  action_look: {}', 'domain', ERROR, 23, "actions is no list, should be '- name' lines"),
    ('domain', '  - greet\n', '  - 5\n', 'domain', ERROR, 3, 'intent 5 has no examples; add some to data/nlu, or take it out'),
    ('domain', '  - greet\n', '  - greet: {use_entities: 5}\n', 'domain', ERROR, 3, 'use_entities is a number, should be true or false or a list of'),
    ('domain', '  - greet\n', '  - greet: {use_entity: []}\n', 'domain', ERROR, 3, 'intent greet has the unknown key use_entity; did you mean use_'),
    ('domain', '        entity: number', '        entity: number\n        conditions:\n          - or: order_form', 'domain', ERROR, 16, 'a condition of slot number has the unknown key or'),
    ('domain', '  - number\nslots', '  - number: {roles: a}\nslots', 'domain', ERROR, 7, "roles is text, should be a list of '- …' lines"),
    ('domain', '    type: text', '    type: [text]', 'domain', ERROR, 10, 'type is a list, should be text'),
    ('domain', '    influence_conversation: false', '    influence_conversation: sometimes', 'domain', ERROR, 11, 'slot number: influence_conversation is neither true nor false'),
    ('domain', '    influence_conversation: false', '    values: [a]', 'domain', ERROR, 11, 'slot number has the unknown key values; known: influence_conve'),
    ('domain', '    type: text', '    type: float\n    min_value: 5\n    max_value: 2', 'domain', ERROR, 12, 'slot number has values from 5 to 2, should have a min_value be'),
    ('domain', '    type: text\n    influence_conversation: false', '    type: any\n    influence_conversation: true', 'domain', ERROR, 11, 'slot number is of type any, which can influence no conversatio'),
    ('domain', '    type: text', '    type: float\n    max_value: much', 'domain', ERROR, 11, 'max_value is text, should be a number'),
    ('domain', '    type: text', '    type: categorical', 'domain', ERROR, 9, 'slot number is categorical and has no values; list them below '),
    ('domain', '    mappings:\n      - type: from_entity\n        entity: number', '    mappings: from_entity', 'domain', ERROR, 12, 'slot number: mappings is no list'),
    ('domain', '        entity: number', '', 'domain', ERROR, 13, "slot number has a mapping from_entity without entity; add 'ent"),
    ('domain', '        entity: number', '        entity:', 'domain', ERROR, 14, "slot number has a mapping from_entity without entity; add 'ent"),
    ('domain', '        entity: number', '        entity: number\n        role: 5', 'domain', ERROR, 15, "role is a number, should be text: '5' in quotes"),
    ('domain', '        entity: number', '        entity: number\n        conditions:', 'domain', ERROR, 15, "conditions is empty, should be a list of '- …' lines, or not b"),
    ('domain', '        entity: number', '        entity: number\n        conditions: order_form', 'domain', ERROR, 15, "conditions is text, should be a list of '- …' lines"),
    ('domain', '        entity: number', '        entity: number\n        conditions:\n          - active_loop: {a: b}', 'domain', ERROR, 16, 'active_loop is a mapping, should be text'),
    ('domain', '        entity: number', '        entity: number\n        conditions:\n          - active_loop: order_form\n            requested_slot: nr', 'domain', ERROR, 16, 'slot number has a condition of nr, which is no slot; known: mo'),
    ('domain', '      - type: custom', '      - type: custom\n        conditions:\n          - active_loop: order_form', 'domain', WARNING, 20, 'slot mood is filled in order_form, which does not ask for it; '),
    ('domain', '    required_slots:\n      - number', '    required_slots: number', 'domain', ERROR, 21, 'form order_form has no list required_slots; list the slots it '),
    ('domain', '    required_slots:\n      - number', '    required_slots:', 'domain', ERROR, 21, 'form order_form has no list required_slots; list the slots it '),
    ('domain', '    required_slots:\n      - number', '    required_slots:\n      number:\n        - type: from_text', 'domain', ERROR, 21, 'form order_form has no list required_slots; list the slots it '),
    ('domain', '    required_slots:\n      - number', '    ignored_intents: [greet]', 'domain', ERROR, 20, 'form order_form has no list required_slots; list the slots it '),
    ('domain', '    required_slots:\n      - number', '    required_slots: [number]\n    ignored_intents: [gret]', 'domain', ERROR, 22, 'form order_form ignores gret, which is no intent; did you mean'),
    ('domain', '  order_form:\n    required_slots:\n      - number', '  - order_form', 'domain', ERROR, 19, "forms is no mapping, should be 'name:' lines with more below"),
    ('domain', '  utter_ask_number:\n    - text', '  utter_ask_number:\n    text', 'domain', ERROR, 31, 'response utter_ask_number is no list, should be \'- text: "…"\' '),
    ('domain', '    - text: "Which number?"', '    - "Which number?"', 'domain', ERROR, 32, 'response utter_ask_number has an item that is no mapping, shou'),
    ('domain', '    - text: "Which number?"', '    -', 'domain', ERROR, 32, 'response utter_ask_number has an item that is no mapping, shou'),
    ('domain', '    - text: "Which number?"', '    - text:', 'domain', ERROR, 32, 'text of response utter_ask_number is empty; say something or t'),
    ('domain', '    - text: "Which number?"', '    - text: [a]', 'domain', ERROR, 32, 'text of response utter_ask_number is no text; put it in quotes'),
    ('domain', '    - text: "Which number?"', '    - text: 2026-01-31', 'domain', ERROR, 32, 'text of response utter_ask_number is a date, no text; put'),
    ('domain', '    - text: "Which number?"', '    - text: ok\n      custom: [a]', 'domain', ERROR, 33, "custom is a list, should be 'key: value' lines"),
    ('domain', '    - text: "Which number?"', '    - text: ok\n      condition: [{type: slot, name: colour, value: red}]', 'domain', ERROR, 33, 'a condition of utter_ask_number is about colour, which is no s'),
    ('domain', '          payload: "/order"', '          payload: 5', 'domain', ERROR, 30, "payload is a number, should be text: '5' in quotes"),
    ('domain', '      channel: sms', '      channel: [sms]', 'domain', ERROR, 38, 'channel is a list, should be text'),
    ('domain', 'responses:', 'session_config:\n  session_expiration_time: long\nresponses:', 'domain', ERROR, 26, 'session_expiration_time is text, should be a number'),
    ('domain', 'responses:', 'session_config:\n  expires: 5\nresponses:', 'domain', ERROR, 26, 'session_config has the unknown key expires; known: carry_over_'),
    ('domain', 'responses:', 'config:\n  store_entities_as_slots: 5\nresponses:', 'domain', ERROR, 26, 'store_entities_as_slots is a number, should be true or false'),
    ('domain', '  utter_ask_number:', '  utter_ask_nr:', 'domain', ERROR, 22, 'form order_form has no words to ask for number; add the respon'),
    ('domain', '  - stop', '  - stop now', 'domain', WARNING, 5, "intent 'stop now' has a space in its name, should be stop_now"),
    ('nlu', '    examples: |\n      - hello', '    examples: >\n      - hello', 'nlu', ERROR, 4, 'examples of greet begin with >, which makes one of them all, s'),
    ('nlu', '    examples: |\n      - hello', '    examples:\n      - hello', 'nlu', ERROR, 4, "examples of greet are a list, should be 'examples: |' with '- …' lines"),
    ('nlu', '      - hi there', '        - hi there', 'nlu', ERROR, 6, 'greet has an example indented more than the first, so Rasa read'),
    ('nlu', '  - intent: greet', '  - intent:', 'nlu', ERROR, 3, 'an item of nlu has no name of its intent'),
    ('nlu', '  - intent: greet', '  - intent: 5', 'nlu', ERROR, 3, 'intent 5 is not in the domain; known: greet, order, stop'),
    ('nlu', '', '  - synonym: one\n    examples: |\n      - single\n  - synonym: two\n    examples: |\n      - Single\n', 'nlu', ERROR, 29, "'Single' stands for 'two' here, and for 'one' in line 26; keep"),
    ('nlu', '[1042](number)', '[1042](number:one) and [1042](number:two)', 'nlu', ERROR, 12, "'1042' stands for 'two' here, and for 'one' in line 12; keep o"),
    ('nlu', '', '  - lookup: number\n', 'nlu', ERROR, 24, "number has no examples; add 'examples: |' with '- …' lines bel"),
    ('nlu', '', '  - lookup: number\n    examples: [a, b]\n', 'nlu', ERROR, 25, "examples of number are a list, should be 'examples: |' with '-"),
    ('nlu', '', '  - lookup: numbers\n    examples: |\n      - one\n', 'nlu', WARNING, 24, 'lookup numbers is no entity of the domain; did you mean number'),
    ('nlu', '', '  - regex: number\n    examples:\n', 'nlu', ERROR, 25, "number has no examples; add 'examples: |' with '- …' lines bel"),
    ('nlu', '', "  - regex: number\n    examples: |\n      - '*a'\n      - *b\n", 'nlu', ERROR, 27, 'regex number is no regular expression: nothing to repeat'),
    ('nlu', '', '  - entity: number\n', 'nlu', ERROR, 24, 'nlu has an item that is neither intent, synonym, regex nor loo'),
    ('nlu', '', 'rules: x\n', 'nlu', ERROR, 24, "rules is no list, should be '- rule: …' lines"),
    ('rules', '  - rule: Hello\n', '  - rule: 5\n', 'rules', ERROR, 3, "rule is a number, should be text: '5' in quotes"),
    ('rules', '  - rule: Hello\n', '  - rule:\n', 'rules', ERROR, 3, 'a rule has no name; give it one'),
    ('rules', '  - rule: Hello\n', '  - story: Hello\n', 'rules', ERROR, 3, "rules has an item without a name; begin it with '- rule: name'"),
    ('rules', '      - intent: greet\n', '      - intent: [greet]\n', 'rules', ERROR, 5, 'a step intent names no intent'),
    ('rules', '      - intent: greet\n', '      - intent: greet\n        entities: number\n', 'rules', ERROR, 6, "entities is text, should be a list of '- …' lines"),
    ('rules', '      - intent: greet\n', '      - greet\n', 'rules', ERROR, 5, "'Hello' has a step of plain words; known: action, active_loop,"),
    ('rules', '      - action: utter_greet\n', '      - action:\n', 'rules', ERROR, 6, 'a step action names nothing'),
    ('rules', '      - action: utter_greet\n', '      - action: utter_greet\n      - intent: stop\n      - action: utter_stopped\n', 'rules', ERROR, 7, "rule 'Hello' has 2 messages of the customer, should have one; "),
    ('rules', '      - active_loop: order_form\n  - rule: The number', '  - rule: The number', 'rules', ERROR, 10, "after order_form rule 'An order is asked for' says nothing of "),
    ('rules', '      - active_loop: null\n      - slot_was_set:\n          - requested_slot: null\n      - action: action_look', '      - action: action_look', 'rules', ERROR, 17, "'The number is known' goes on with 'action_look' while order_f"),
    ('rules', '      - action: utter_greet\n', '      - action: utter_greet\n      - slot_was_set:\n          - mood: good\n  - rule: Bye\n    steps:\n      - intent: stop\n      - action: utter_greet\n', 'rules', ERROR, 12, "after utter_greet rule 'Bye' sets no mood, as data/rules/all.y"),
    ('rules', '    condition:\n      - active_loop: order_form\n    steps:\n      - action', '    condition:\n    steps:\n      - action', 'rules', ERROR, 13, "condition is empty, should be a list of '- …' lines, or not be"),
    ('rules', '    condition:\n      - active_loop: order_form\n    steps:\n      - action', '    condition:\n      - intent: greet\n    steps:\n      - action', 'rules', ERROR, 14, "the condition of rule 'The number is known' has a step intent,"),
    ('rules', '    condition:\n      - active_loop: order_form\n    steps:\n      - action', '    wait_for_user_input: never\n    steps:\n      - action', 'rules', ERROR, 13, 'wait_for_user_input is text, should be true or false'),
    ('rules', '          - requested_slot: null', '          requested_slot: null', 'rules', ERROR, 18, "slot_was_set is a mapping, should be a list of '- …' lines"),
    ('rules', '          - requested_slot: null', '          - 5', 'rules', ERROR, 18, '5 is no slot of the domain; known: mood, number'),
    ('stories', '      - intent: stop', '      - or: stop', 'stories', ERROR, 7, "an 'or' has fewer than two steps; list what may be instead of "),
    ('stories', '      - intent: stop', '      - or:\n          - intent: stop', 'stories', ERROR, 7, "an 'or' has fewer than two steps; list what may be instead of "),
    ('stories', '      - intent: stop', '      - intent: stop\n        user: 5', 'stories', ERROR, 8, "user is a number, should be text: '5' in quotes"),
    ('stories', '    steps:', '    step:', 'stories', ERROR, 3, "story 'Hello and stop' has no steps; add 'steps:'"),
    ('stories', 'stories:', 'storys:', 'stories', ERROR, 2, 'has the unknown key storys; did you mean stories?'),
    ('test', '[1042](number)', '[1042](number', 'test', ERROR, 6, 'has an entity that is not closed or has no name, should be [wo'),
    ('test', 'stories:', 'story:', 'test', ERROR, 2, 'has the unknown key story; did you mean stories?'),
    ('test', '  - story: An order', '  - story: 5', 'test', ERROR, 3, "story is a number, should be text: '5' in quotes"),
    ('stories', '      - action: utter_greet\n      - intent: stop\n      - action: utter_stopped\n', '', 'stories', ERROR, 5, "story 'Hello and stop' ends after intent greet, rule 'Hello' wan"),
    ('test', 'action: order_form', 'action: oder_form', 'test', ERROR, 8, 'oder_form is neither an action, a response nor a form of the d'),
    ('config', 'language: en', 'language: 5', 'config', ERROR, 3, "language is a number, should be text: '5' in quotes"),
    ('config', 'language: en\n', '', 'config', WARNING, 1, "has no language; add 'language: …'"),
    ('config', 'pipeline:', 'pipeline: none\npipelines:', 'config', ERROR, 4, "pipeline is no list, should be '- name: …' lines"),
    ('config', '  - name: WhitespaceTokenizer', '  - WhitespaceTokenizer', 'config', ERROR, 5, "an item of pipeline is text, should be 'key: value' lines"),
    ('config', '  - name: WhitespaceTokenizer', '  - name: RegexFeaturizer', 'config', ERROR, 5, 'RegexFeaturizer needs a tokenizer, such as WhitespaceTokenizer'),
    ('config', '  - name: WhitespaceTokenizer', '  - name: WhitespaceTokenizer\n  - name: WhitespaceTokenizer', 'config', ERROR, 6, 'WhitespaceTokenizer is a second tokenizer beside WhitespaceTok'),
    ('config', '  - name: WhitespaceTokenizer', '  - name: WhitespaceTokenizer\n  - name: DIETClassifier', 'config', ERROR, 6, 'DIETClassifier needs a featurizer, such as CountVectorsFeaturi'),
    ('config', '  - name: WhitespaceTokenizer', '  - name: FallbackClassifier', 'config', ERROR, 5, 'FallbackClassifier needs a classifier of intents before it in '),
    ('config', '  - name: RulePolicy', '  - name: MemoizationPolicy', 'config', ERROR, 7, "has no RulePolicy, and there are forms; add '- name: RulePolic"),
    ('config', '  - name: RulePolicy', '  - name: MemoisationPolicy', 'config', ERROR, 7, "has no RulePolicy, and there are forms; add '- name: RulePolic"),
    ('config', 'assistant_id: shop\n', '', 'config', WARNING, 1, "has no assistant_id; add 'assistant_id: …'"),
]
# fmt: on


def spoil(project: Path, where: str, old: str, new: str) -> None:
    path = project / SHORT[where]
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[6][:40]}")
def test_a_fault_is_told_with_its_line_and_what_would_be_right(
    project: Path, row: tuple[str, str, str, str, str, int, str]
) -> None:
    where, old, new, blamed, level, line, what = row
    spoil(project, where, old, new)
    told = [str(one) for one in check_project(project)]
    begins = f"{SHORT[blamed]}:{line}: {level}: {what}"
    assert any(one.startswith(begins) for one in told), "\n".join(told)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-16", ""), ("utf-16-le", ""), ("cp1252", "\N{EM DASH}")]
)
def test_a_file_in_another_encoding_is_told(project: Path, encoding: str, mark: str) -> None:
    path = project / SHORT["nlu"]
    path.write_text(path.read_text("utf-8").replace("hello", f"hello{mark}"), encoding)
    [found] = check_project(project)
    assert found.file == SHORT["nlu"]
    assert found.line == (5 if mark else 1)
    assert "UTF-8" in found.right or "U+0000" in found.what


def test_a_mark_at_the_beginning_is_no_fault_and_windows_line_ends_are_none(project: Path) -> None:
    path = project / SHORT["rules"]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert check_project(project) == []


def test_aliases_that_stand_for_a_billion_values_are_told_at_once(project: Path) -> None:
    lines = ["lol0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"lol{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    where = project / SHORT["domain"]
    where.write_text(where.read_text("utf-8") + "\n".join(lines) + "\n", "utf-8")
    told = [str(one) for one in check_project(project)]
    assert any("too large with all that its aliases stand for" in one for one in told)


def test_a_section_that_cannot_be_read_does_not_make_its_names_unknown(project: Path) -> None:
    for old, new in (("intents:\n", "intents: |\n"), ("forms:\n", "froms:\n")):
        sound_project(project)
        spoil(project, "domain", old, new)
        found = errors_of(check_project(project))
        assert {one.file for one in found} == {"domain.yml"}, found


def test_training_stops_at_errors_and_leaves_what_is_there(project: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "old.tar.gz").write_bytes(b"the one in use")
    spoil(project, "rules", "intent: greet", "intent: gret")
    with pytest.raises(TrainingFailed) as failed:
        make(project, models)
    [line] = str(failed.value).splitlines()
    assert line.startswith("data/rules/all.yml:5: error: gret is no intent of the domain; did you")
    assert [(path.name, path.read_bytes()) for path in models.iterdir()] == [
        ("old.tar.gz", b"the one in use")
    ]


def test_rasa_reads_what_was_spoilt_and_is_called_right(tmp_path: Path) -> None:
    rng = random.Random(6)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert refusal(tmp_path) == ""
    read = refused = 0
    # A reading by Rasa takes a hundred times as long as a check.
    while read < 3:
        name, text = mutant(rng)
        (tmp_path / name).write_text(text, "utf-8")
        if errors_of(check_project(tmp_path)):
            refused += 1
        elif text != FILES[name]:
            read += 1
            assert refusal(tmp_path) == "", f"{name}:\n{text}"
        (tmp_path / name).write_text(FILES[name], "utf-8")
    assert refused > read
