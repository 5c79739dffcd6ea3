"""Every check on a small sound project, spoilt in one way at a time; exact lines."""

# ruff: noqa: E501
from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.dialogue.checking import ERROR, WARNING, Finding, check_project, errors_of
from bot.dialogue.checking.nlu import normal
from tests.kit.designs import DOMAIN, NLU, STORIES, sound_project

ROOT = Path(__file__).parents[2]

SHORT = {
    "config": "config.yml",
    "domain": "domain.yml",
    "nlu": "data/nlu/all.yml",
    "rules": "data/rules/all.yml",
    "stories": "data/stories/all.yml",
    "test": "tests/stories/test_all.yml",
    "look": "actions/look.py",
    "parts": "actions/parts.py",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return sound_project(tmp_path)


def spoil(project: Path, where: str, old: str, new: str) -> None:
    """Replace the first `old`; "" puts `new` at the end."""
    path = project / SHORT[where]
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")


def test_the_sound_project_has_nothing_wrong(project: Path) -> None:
    assert check_project(project) == []


def test_the_projects_own_files_have_no_errors() -> None:
    assert [str(found) for found in errors_of(check_project(ROOT))] == []


#: what is spoilt: file, old, new; then file, level, line, a part of what is told
# fmt: off
ROWS: list[tuple[str, str, str, str, str, int, str]] = [
    ('domain', '  - greet', '\t- greet', 'domain', ERROR, 3, 'indented with a tab; use spaces'),
    ('domain', '- text: "Hello!"', '- text: "Hello!', 'domain', ERROR, 27, 'has a quote that is never closed; close it'),
    ('domain', '"Hello!"', "'It's me'", 'domain', ERROR, 27, "has a ' inside a text that stands in '…'; write it twice, as in ''"),
    ('domain', '"Hello!"', '"a "good" day"', 'domain', ERROR, 27, 'has a " inside a text that stands in "…"; write \\" for it'),
    ('nlu', '  - intent: greet', '<<<<<<< HEAD\n  - intent: greet', 'nlu', ERROR, 3, 'has <<<<<<< of a merge of two versions that was not finished; keep'),
    ('nlu', '      - hey\n', '=======\n      - hey\n>>>>>>> new', 'nlu', ERROR, 10, 'has >>>>>>> of a merge'),
    ('nlu', '    examples: |\n      - stop it', '    examples |\n      - stop it', 'nlu', ERROR, 18, "has no colon after examples; write 'examples: …'"),
    ('domain', '  utter_greet:\n', '  utter_greet\n', 'domain', ERROR, 26, "has no colon after utter_greet; write 'utter_greet:'"),
    ('rules', '  - rule: Hello', '  - rule Hello', 'rules', ERROR, 3, "has no colon after rule; write 'rule: …'"),
    ('rules', '      - intent: greet', '      - intent:greet', 'rules', ERROR, 5, "has a step of 'intent:greet'; put a space after the colon"),
    ('rules', '  - rule: Hello', '\u00a0\u00a0- rule: Hello', 'rules', ERROR, 3, 'is indented with U+00A0, which only looks like a space; use spaces'),
    ('rules', '    steps:', '  \u2003steps:', 'rules', ERROR, 4, 'is indented with U+2003, which only looks like a space'),
    ('nlu', '[1042](number)', '(1042)[number]', 'nlu', ERROR, 12, 'has an entity in the wrong brackets, should be [words](entity)'),
    ('nlu', '[1042](number)', '{1042}(number)', 'nlu', ERROR, 12, 'has an entity in the wrong brackets'),
    ('nlu', '[1042](number)', '[1042]', 'nlu', WARNING, 12, 'has [1042] without an entity behind it'),
    ('nlu', '      - hey\n', '      -hey\n', 'nlu', ERROR, 8, "Rasa does not read, should be '- hey'"),
    ('domain', '    required_slots:\n      - number\n', '    required_slots: []\n', 'domain', ERROR, 20, 'form order_form asks for nothing, and ends as it begins; list'),
    ('domain', '"Hello!"', '"Hello {number!"', 'domain', ERROR, 27, 'response utter_greet has a { or } that belongs to no {variable}; write {{ or }}'),
    ('domain', '"Hello!"', 'Order #1 is yours', 'domain', WARNING, 27, '#1 begins a comment, and is no part of the text before it; put'),
    ('domain', '"Hello!"', '"Hello {}"', 'domain', ERROR, 27, 'has a { or } that belongs to no'),
    ('domain', '"Which number?"', '"Which one, {{number}} or {number}?"', 'domain', ERROR, 32, 'has a { or } that belongs to no'),
    ('rules', 'action: utter_greet', 'action: utter_jobs', 'rules', ERROR, 6, 'there is no response utter_jobs; known: utter_ask_number, utter_found_one'),
    ('domain', 'slots:\n  number:', 'slots:\n  number: a: b', 'domain', ERROR, 9, 'has a colon'),
    ('rules', '    steps:\n      - intent: greet', '   steps:\n      - intent: greet', 'rules', ERROR, 4, 'indented differently'),
    ('rules', 'rules:\n', 'rules: [\n', 'rules', ERROR, 3, 'list'),
    ('nlu', 'nlu:\n', 'nlu:\n  - *nobody\n', 'nlu', ERROR, 3, 'alias'),
    ('nlu', 'nlu:\n', 'nlu: !made\n', 'nlu', ERROR, 2, 'has a tag'),
    ('nlu', '- hello', '- hel\x07lo', 'nlu', ERROR, 5, 'U+0007'),
    ('stories', STORIES, '- a\n- b\n', 'stories', ERROR, 1, "is a list, should be 'key: value'"),
    ('stories', STORIES, 'just words\n', 'stories', ERROR, 1, 'is text'),
    ('stories', '', '---\nmore: 1\n', 'stories', ERROR, 9, 'second document'),
    ('domain', '  utter_greet:', '  utter_stopped:\n    - text: No\n  utter_greet:', 'domain', ERROR, 37, 'utter_stopped is given twice, first in line 26; keep one'),
    ('domain', 'slots:\n  number:', 'slots:\n  mood:\n    type: text\n  number:', 'domain', ERROR, 17, 'mood is given twice, first in line 9'),
    ('domain', 'intents:\n', 'intentions:\n', 'domain', ERROR, 2, 'unknown key intentions; did you'),
    ('domain', '    required_slots:', '    needed_slots:', 'domain', ERROR, 21, 'unknown key needed'),
    ('domain', '    type: text', '    kind: text', 'domain', ERROR, 10, 'unknown key kind'),
    ('domain', '        entity: number', '        entitty: number', 'domain', ERROR, 14, 'unknown key entitty; did you mean entity?'),
    ('domain', '      channel: sms', '      chanel: sms', 'domain', ERROR, 38, 'did you mean channel?'),
    ('domain', '          payload: "/order"', '          pay: "/order"', 'domain', ERROR, 30, 'unknown key pay'),
    ('rules', '    condition:', '    conditions:', 'rules', ERROR, 13, 'did you mean condition?'),
    ('rules', '      - intent: greet', '      - intend: greet', 'rules', ERROR, 5, "'Hello' has a step of intend; did you mean intent?"),
    ('rules', '      - intent: greet\n      - action: utter_greet', '      - intent: greet\n        action: utter_greet', 'rules', ERROR, 6, "one step is both intent and action; begin another '- '"),
    ('nlu', '  - intent: greet\n    examples: |', '  - intent: greet\n    sample: |', 'nlu', ERROR, 4, 'intent greet has the unknown key sample'),
    ('nlu', '  - intent: greet', '  - intention: greet', 'nlu', ERROR, 3, 'neither intent, synonym'),
    ('nlu', '', 'slots: {}\n', 'nlu', ERROR, 24, 'unknown key slots; it belongs to the domain'),
    ('config', 'language: en', 'langauge: en', 'config', ERROR, 3, 'did you mean language?'),
    ('domain', '  - stop\n', '  - stop\n  - greet\n', 'domain', ERROR, 6, 'intent greet is there twice, first in line 3'),
    ('domain', '  - action_look', '  - action_look\n  - action_look', 'domain', ERROR, 25, 'action action_look is there twice, first in line 24'),
    ('domain', 'entities:\n', 'entities:\n  - number\n', 'domain', ERROR, 8, 'entity number is there'),
    ('rules', 'rule: An order is asked for', 'rule: Hello', 'rules', WARNING, 7, "a rule has the name 'Hello' already, in line 3"),
    ('nlu', '      - hey', '      - Hello!', 'nlu', WARNING, 8, 'greet has this example already, see line 5'),
    ('nlu', '      - hey', '      - never  mind.', 'nlu', ERROR, 20, 'is an example of stop, and of greet in line 8'),
    ('nlu', '      - hey', '      - where is 1042', 'nlu', ERROR, 12, 'an example of order, and of greet'),
    ('rules', 'intent: greet', 'intent: gret', 'rules', ERROR, 5, 'gret is no intent of the domain; did you mean greet?'),
    ('rules', 'action: utter_greet', 'action: utter_gret', 'rules', ERROR, 6, 'there is no response utter_gret; did you mean utter_greet?'),
    ('rules', 'action: action_look', 'action: action_lok', 'rules', ERROR, 20, 'action_lok is neither an action, a response nor a form'),
    ('rules', 'active_loop: order_form\n  - rule: The number', 'active_loop: oder_form\n  - rule: The number', 'rules', ERROR, 11, 'oder_form is no form of the domain; did you mean order_form?'),
    ('rules', '          - requested_slot: null', '          - requested: null', 'rules', ERROR, 18, 'requested is no slot of the domain'),
    ('stories', '      - intent: stop', '      - intent: stop\n        entities:\n          - colour: red', 'stories', ERROR, 7, 'colour is no entity of the domain'),
    ('stories', '      - intent: stop', '      - or:\n          - intent: stop\n          - intent: halt', 'stories', ERROR, 9, 'halt is no intent'),
    ('test', '[1042](number)', '[1042](numbr)', 'test', ERROR, 6, 'annotates numbr, which is no entity'),
    ('test', 'intent: order', 'intent: ordr', 'test', ERROR, 7, 'ordr is no intent'),
    ('nlu', '  - intent: stop', '  - intent: halt', 'nlu', ERROR, 17, 'intent halt is not in the domain'),
    ('nlu', '[1042](number)', '[1042](size)', 'nlu', ERROR, 12, 'annotates size, which is no entity'),
    ('domain', '        entity: number', '        entity: numbr', 'domain', ERROR, 14, 'slot number is set from numbr, which is no entity; '),
    ('domain', '      - number\nactions', '      - nummer\nactions', 'domain', ERROR, 22, 'form order_form asks for nummer, which is no slot; did you mean number?'),
    ('domain', '        entity: number', '        entity: number\n        intent: [ordre]', 'domain', ERROR, 15, 'slot number has a mapping of ordre, which is no intent'),
    ('domain', '        entity: number', '        entity: number\n        conditions:\n          - active_loop: form', 'domain', ERROR, 16, 'condition of form, which is no form'),
    ('nlu', '[1042](number)', '[1042](number', 'nlu', ERROR, 12, 'an entity that is not closed'),
    ('nlu', '[1042](number)', '[1042]()', 'nlu', ERROR, 12, 'an entity that is not closed or has no name'),
    ('nlu', '[1042](number)', '[1042 (number)', 'nlu', ERROR, 12, 'a bracket [ that is not closed'),
    ('nlu', '[1042](number)', '[1042] (number)', 'nlu', ERROR, 12, 'a space between [words] and'),
    ('nlu', '[1042](number)', '[](number)', 'nlu', ERROR, 12, 'an entity without words'),
    ('nlu', '{"entity": "number"}', '{entity: number}', 'nlu', ERROR, 16, 'braces hold no JSON'),
    ('nlu', '{"entity": "number"}', '{"rolle": "number"}', 'nlu', ERROR, 16, 'without a name'),
    ('nlu', '      - hey\n', '      hey\n', 'nlu', ERROR, 8, "has a line among its examples that Rasa does not read, should be '- hey'"),
    ('nlu', '      - hey\n', '      -\n', 'nlu', ERROR, 8, 'greet has an empty example'),
    ('nlu', '      - hey\n      - good evening\n', '', 'nlu', WARNING, 3, 'intent greet has 3 examples'),
    ('domain', '  - stop', '  - stop\n  - silent', 'domain', ERROR, 6, 'intent silent has no examples'),
    ('domain', '  - stop', '  - stop\n  - silent', 'domain', WARNING, 6, 'no rule and no story uses'),
    ('nlu', '', '  - regex: number\n    examples: |\n      - \\d{4}(\n', 'nlu', ERROR, 26, 'regex number is no regular expression'),
    ('domain', '  utter_greet:', '  utter_bye:\n    - text: Bye\n  utter_greet:', 'domain', WARNING, 26, 'nobody uses response utter_bye'),
    ('domain', 'forms:', 'forms:\n  spare_form:\n    required_slots: [number]', 'domain', WARNING, 20, 'no rule and no story begins form spare_form'),
    ('look', '"name": "mood"', '"name": "mode"', 'domain', WARNING, 15, 'slot mood is never set'),
    ('domain', '    mappings:\n      - type: custom\n', '', 'domain', ERROR, 15, 'slot mood has no mappings'),
    ('domain', '    type: text\n    influence', '    type: txt\n    influence', 'domain', ERROR, 10, 'of the unknown type txt; did you mean text?'),
    ('domain', '    type: text\n    influence', '    type: categorical\n    influence', 'domain', ERROR, 9, 'categorical and has no values'),
    ('domain', 'influence_conversation: false', 'influence_conversation: maybe', 'domain', ERROR, 11, 'neither true nor false'),
    ('domain', '      - type: custom', '      - type: from_nowhere', 'domain', ERROR, 18, 'mapping of the unknown type from_nowhere'),
    ('domain', '        entity: number\n', '', 'domain', ERROR, 13, 'a mapping from_entity without entity'),
    ('domain', '    required_slots:\n      - number\n', '    ignored_intents: stop\n', 'domain', ERROR, 20, 'form order_form has no list required_slots'),
    ('domain', '  utter_ask_number:', '  utter_asks_number:', 'domain', ERROR, 22, 'form order_form has no words to ask for number; add the response utter_ask_number'),
    ('domain', '      - number\nactions', '      - number\n      - mood\nactions', 'domain', ERROR, 23, 'asks for mood, which no answer of a customer sets'),
    ('rules', '', '  - rule: Hello again\n    steps:\n      - intent: greet\n      - action: utter_stopped\n', 'rules', ERROR, 32, "rule 'Hello again' wants utter_stopped after intent greet, rule 'Hello' wants utter_greet (line 6)"),
    ('rules', '', '  - rule: Hello again\n    steps:\n      - intent: greet\n      - action: utter_greet\n      - action: utter_stopped\n', 'rules', ERROR, 33, "wants utter_stopped after action utter_greet, rule 'Hello' wants to wait"),
    ('rules', '', '  - rule: In the form\n    condition:\n      - active_loop: order_form\n    steps:\n      - intent: stop\n      - action: action_look\n', 'rules', ERROR, 34, "in loop order_form, rule 'The customer stops' wants utter_stopped (line 26)"),
    ('rules', '', '  - rule: By a slot nobody sees\n    condition:\n      - slot_was_set:\n          - number: "1"\n    steps:\n      - intent: greet\n      - action: utter_stopped\n', 'rules', ERROR, 35, 'wants utter_stopped after intent greet'),
    ('stories', '      - action: utter_greet', '      - action: utter_stopped', 'stories', ERROR, 6, "does utter_stopped after intent greet, rule 'Hello' wants utter_greet (data/rules/all.yml:6)"),
    ('stories', '      - intent: greet\n      - action: utter_greet\n', '      - checkpoint: round\n      - intent: greet\n      - action: utter_greet\n      - checkpoint: round\n', 'stories', ERROR, 5, 'checkpoint round leads back to itself'),
    ('stories', '', '      - checkpoint: onward\n', 'stories', WARNING, 9, 'no story goes on from the checkpoint onward'),
    ('stories', '    steps:\n', '    steps:\n      - checkpoint: before\n', 'stories', WARNING, 5, 'no story comes to the checkpoint before'),
    ('rules', '    steps:\n', '    steps:\n      - checkpoint: x\n', 'rules', ERROR, 5, 'a rule has a checkpoint'),
    ('rules', '    steps:\n      - intent: greet\n      - action: utter_greet\n', '', 'rules', ERROR, 3, "rule 'Hello' has no steps"),
    ('domain', '"Hello!"', '""', 'domain', ERROR, 27, 'text of response utter_greet is empty'),
    ('domain', '"Hello!"', '42', 'domain', ERROR, 27, 'is a number, no text; put it in quotes'),
    ('domain', '    - text: "Which number?"', '    - metadata: {a: b}', 'domain', ERROR, 32, 'has no text'),
    ('domain', '    - text: "Which number?"', '    []', 'domain', ERROR, 31, 'response utter_ask_number says nothing'),
    ('domain', '"/order"', '"/ordre"', 'domain', ERROR, 30, 'says /ordre, which is no intent; did you mean order?'),
    ('domain', '"/order"', '\'/order{"numbr": "1"}\'', 'domain', ERROR, 30, 'sets numbr, which is no entity'),
    ('domain', '"/order"', "'/order{number: 1}'", 'domain', ERROR, 30, 'entities that are no JSON'),
    ('domain', '        - title: "My order"\n          payload', '        - payload', 'domain', ERROR, 29, 'no title'),
    ('domain', '          payload: "/order"\n', '', 'domain', ERROR, 29, 'neither payload nor url'),
    ('domain', 'channel: sms', 'channel: smoke', 'domain', ERROR, 38, 'the unknown channel smoke'),
    ('domain', '    - text: "As you like."\n', '', 'domain', WARNING, 35, 'on some channels alone'),
    ('domain', 'is {stage}', 'is {where}', 'domain', WARNING, 34, 'utter_found_one has {where}, which nothing fills in'),
    ('domain', '  - action_look', '  - action_look\n  - action_jump', 'domain', ERROR, 25, 'action action_jump is not in the package actions'),
    ('look', '"action_look"', '"action_see"', 'look', WARNING, 4, 'action action_see is not in the domain'),
    ('look', 'class Look(Action):', 'class Look(Action:', 'look', ERROR, 4, 'is not Python'),
    ('config', 'WhitespaceTokenizer', 'WhitespceTokenizer', 'config', ERROR, 5, 'did you mean WhitespaceTokenizer?'),
    ('config', 'name: RulePolicy', 'name: DIETClassifier', 'config', ERROR, 8, 'it belongs to pipeline'),
    ('config', 'actions.parts.Finder', 'actions.parts.Fynder', 'config', ERROR, 6, 'there is no Fynder in actions/parts.py; did you mean Finder?'),
    ('config', 'actions.parts.Finder', 'actions.prts.Finder', 'config', ERROR, 6, 'no module actions.prts'),
    ('config', 'actions.parts.Finder', 'nowhere_at_all.Finder', 'config', ERROR, 6, 'no package nowhere_at_all'),
    ('config', 'actions.parts.Finder', 'rasa.nlu.Diet', 'config', ERROR, 6, 'Rasa has no Diet'),
    ('config', 'policies:\n  - name: RulePolicy\n', '', 'config', ERROR, 1, 'has no policies'),
    ('config', 'default.v1', 'default.v2', 'config', ERROR, 2, 'recipe is default.v2; did you mean default.v1?'),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[6][:40]}")
def test_what_is_wrong_is_told_with_its_line(
    project: Path, row: tuple[str, str, str, str, str, int, str]
) -> None:
    where, old, new, blamed, level, line, what = row
    spoil(project, where, old, new)
    found = check_project(project)
    alike = [
        one
        for one in found
        if (one.file, one.line, one.level) == (SHORT[blamed], line, level) and what in str(one)
    ]
    assert alike, "\n".join(map(str, found))


@pytest.mark.parametrize("name", ["config.yml", "domain.yml"])
def test_a_missing_file_is_told(project: Path, name: str) -> None:
    (project / name).unlink()
    assert [str(one) for one in check_project(project)] == [
        f"{name}: error: is missing; it is needed to train a model"
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("domain.yml", "", "domain.yml: error: is empty; it is needed to train a model"),
        ("config.yml", "# later\n", "config.yml: error: is empty; it is needed to train a model"),
        (
            "data/rules/more.yml",
            "",
            "data/rules/more.yml: warning: is empty; write something into it, or delete it",
        ),
        (
            "tests/stories/test_more.yml",
            "",
            "tests/stories/test_more.yml: warning: is empty; write something into it, or delete it",
        ),
        (
            SHORT["nlu"],
            'version: "3.1"\n',
            "data/nlu: error: has no example of any intent; it is needed to train a model",
        ),
        (
            "data/faq.yml",
            NLU,
            "data/faq.yml: warning: has nlu, and is not read here; move it to data/nlu/",
        ),
        (
            "domain/more.yml",
            DOMAIN,
            "domain/more.yml: warning: is not read beside domain.yml; "
            "move it into domain.yml, or that into the folder domain/",
        ),
        ("data/rules.yml", "refunds:\n  up_to: 20\nrules:\n  by: anna\n", ""),
    ],
)
def test_what_holds_nothing_or_is_nowhere_read_is_told_once(
    project: Path, name: str, text: str, told: str
) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text, "utf-8")
    assert [str(one) for one in check_project(project)] == ([told] if told else [])


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        ("domain", "  utter_greet:\n", "  utter_greet\n"),
        ("nlu", "    examples: |\n      - hello", "    exampels: |\n      - hello"),
        ("nlu", "    examples: |\n      - hello", "    examples:\n      - hello"),
        ("nlu", "      - hey\n", "      - hey\n" + 5000 * "      - hey!\n"),
        ("domain", '- text: "Hello!"', '- text: "Hello!'),
    ],
)
def test_one_slip_is_told_once(project: Path, where: str, old: str, new: str) -> None:
    spoil(project, where, old, new)
    found = check_project(project)
    assert len([one for one in found if one.kind != "many examples"]) == 1, found


def test_code_that_is_changed_is_read_again(project: Path) -> None:
    assert check_project(project) == []
    spoil(project, "look", '"action_look"', '"action_seek"')
    assert {one.file for one in check_project(project)} == {"actions/look.py", "domain.yml"}
    spoil(project, "look", '"action_seek"', '"action_look"')
    assert check_project(project) == []


def test_text_that_a_form_may_ask_for_by_code_needs_no_list(project: Path) -> None:
    spoil(project, "domain", "    required_slots:\n      - number\n", "    required_slots: []\n")
    spoil(project, "domain", "  - action_look", "  - action_look\n  - validate_order_form")
    spoil(project, "look", '"action_look"', '"validate_order_form"')
    assert "form" not in {one.kind for one in check_project(project)}


def test_a_broken_file_does_not_make_all_it_holds_seem_missing(project: Path) -> None:
    spoil(project, "domain", "version", "\tversion")
    assert [(one.file, one.kind) for one in check_project(project)] == [("domain.yml", "yaml")]
    spoil(project, "domain", "\tversion", "version")
    spoil(project, "rules", "version", "\tversion")
    assert [(one.file, one.kind) for one in check_project(project)] == [
        ("data/rules/all.yml", "yaml")
    ]


def test_text_that_is_not_utf8_is_told_with_its_line(project: Path) -> None:
    (project / SHORT["nlu"]).write_bytes(NLU.encode().replace(b"good day", b"gr\xfc\xdf"))
    assert "data/nlu/all.yml:7: error: is not UTF-8 text; save the file as UTF-8" in [
        str(one) for one in check_project(project)
    ]


def test_ten_thousand_examples_are_checked_in_a_moment_and_told(project: Path) -> None:
    many = "".join(f"      - greeting number {n} to [you](number)\n" for n in range(10_000))
    spoil(project, "nlu", "      - hey\n", many)
    began = time.process_time()
    found = check_project(project)
    assert time.process_time() - began < 1.0
    assert [str(one) for one in found] == [
        "data/nlu/all.yml:3: warning: intent greet has 10004 examples, others have about 5; "
        "keep the 50 most different ones, or the bot hears it everywhere"
    ]


def test_ten_thousand_faults_make_no_endless_list(project: Path) -> None:
    many = "".join(f"      - greeting number {n} to [you](\n" for n in range(10_000))
    spoil(project, "nlu", "      - hey\n", many)
    assert len(check_project(project)) < 60


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "a: " * 3000, "{a: " * 3000, "&a [*a, *a]", "a: &b\n  <<: *b\n", "\ufeff", "\0"],
    ids=["lists", "keys", "mappings", "itself", "merges itself", "mark", "zero"],
)
def test_nothing_in_a_file_ends_the_check(project: Path, text: str) -> None:
    (project / SHORT["rules"]).write_text(text, "utf-8")
    assert all(isinstance(one, Finding) for one in check_project(project))


def test_a_domain_may_be_a_folder(project: Path) -> None:
    head, tail = DOMAIN.split("responses:\n")
    (project / "domain.yml").unlink()
    (project / "domain").mkdir()
    (project / "domain" / "names.yml").write_text(head, "utf-8")
    (project / "domain" / "words.yml").write_text('version: "3.1"\nresponses:\n' + tail, "utf-8")
    assert check_project(project) == []
    (project / "domain" / "more.yml").write_text('version: "3.1"\nintents: [greet]\n', "utf-8")
    assert [str(one) for one in check_project(project)] == [
        "domain/names.yml:3: error: intent greet is there twice, first in domain/more.yml:2; "
        "keep one of them"
    ]


def test_a_rule_with_a_condition_does_not_contradict_one_without(project: Path) -> None:
    spoil(
        project,
        "rules",
        "",
        "  - rule: Hello in the form\n    condition:\n      - active_loop: order_form\n    steps:\n"
        "      - intent: greet\n      - action: utter_stopped\n",
    )
    assert check_project(project) == []


def test_an_entity_that_nothing_finds_is_told_unless_a_component_of_ones_own_may(
    project: Path,
) -> None:
    spoil(project, "domain", "  - number\nslots", "  - number\n  - colour\nslots")
    assert check_project(project) == []
    spoil(project, "config", "  - name: actions.parts.Finder\n", "")
    assert [str(one) for one in check_project(project)] == [
        "domain.yml:8: warning: entity colour is in no example, lookup or regex; "
        "annotate it, as in [words](colour)"
    ]


def test_examples_are_alike_whatever_their_case_and_marks() -> None:
    assert normal("Where is  [1042](number)?") == normal("where is 1042?")
    assert normal("Where is it?") != normal("Where is she?")


def test_findings_come_by_file_and_line_and_are_one_line_each(project: Path) -> None:
    spoil(project, "rules", "intent: greet", "intent: gret")
    spoil(project, "domain", "channel: sms", "channel: smoke")
    told = [str(one) for one in check_project(project)]
    assert told == sorted(told, key=lambda line: line.split(":")[0])
    assert all("\n" not in line for line in told)


def test_neither_rasa_nor_tensorflow_is_imported() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from bot.dialogue.checking import check_project; check_project(Path())\n"
        "assert not {'rasa', 'tensorflow', 'sklearn', 'mongoengine'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
