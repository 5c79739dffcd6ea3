"""What is written is what Rasa's own reader reads: texts, entities, synonyms."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Place
from bot.learning import Decided, Mark, NotAllowed
from bot.learning.edits import add_example, examples_in, parsed
from bot.learning.markup import annotated, trimmed
from bot.learning.writing import write
from tests.kit.tiny import spoil, tiny_bot

NLU = "data/nlu/all.yml"
LISTED = """
nlu:
- intent: greet
  examples:
  - text: |
      hello
  - text: |
      hi there
- intent: hours
  examples:
  - text: "when are you open"
"""
EXAMPLES = (
    Decided("hours", "- dash # hash: colon"),
    Decided("hours", "back\\slash \\n 'single' \"double\" {curly} (round) %a @b *c &d !e | > ~"),
    Decided("hours", "see a [b] c and ] alone"),
    Decided("hours", "on 24/12 in LA", (Mark(12, 14, "city", "Los Angeles", "from", "1"),)),
    Decided(
        "greet", "hi Tom, Żółć 日本 😀 o'Neil", (Mark(3, 6, "name"), Mark(8, 12, "city", "a: b"))
    ),
    Decided("greet", "Tom"),
    Decided("greet", "yes"),
)


def read(path: Path) -> list[tuple[str, str, list[tuple[object, ...]]]]:
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

    data = RasaYAMLReader().read(path)
    keys = ("start", "end", "entity", "value", "role", "group")
    return [
        (
            example.get("intent"),
            example.get("text"),
            [tuple(mark.get(key) for key in keys) for mark in example.get("entities", [])],
        )
        for example in data.training_examples
    ]


def wanted(decided: Decided) -> tuple[str, str, list[tuple[object, ...]]]:
    marks = [
        (
            m.start,
            m.end,
            m.entity,
            m.value or decided.text[m.start : m.end],
            m.role or None,
            m.group or None,
        )
        for m in decided.marks
    ]
    return decided.intent, decided.text, marks


def bot(folder: Path) -> Path:
    root = tiny_bot(folder)
    spoil(root / "domain.yml", "slots:", "entities: [city, name]\nslots:")
    return root


def test_examples_are_read_back_by_rasa(tmp_path: Path) -> None:
    for form in ("block", "list"):
        root = bot(tmp_path / form)
        if form == "list":
            (root / NLU).write_text(LISTED, "utf-8")
        before = read(root / NLU)
        for decided in EXAMPLES:
            done = write(root, decided)
            assert done.new, decided
        after = read(root / NLU)
        assert [one for one in after if one in before] == before
        for decided in EXAMPLES:
            assert wanted(decided) in after


_SIGNS = st.text(st.sampled_from("ab :#-[](){}\\\"'|>,é&*!%@`?~"), min_size=1, max_size=14)


@given(text=_SIGNS, cut=st.tuples(st.integers(0, 13), st.integers(1, 4)))
def test_whatever_is_accepted_is_read_back(text: str, cut: tuple[int, int]) -> None:
    from rasa.shared.nlu.training_data import entities_parser

    domain = Domain(entities={"city": Place("domain.yml", 1)})
    start = min(cut[0], len(text) - 1)
    marks = (Mark(start, min(start + cut[1], len(text)), "city"),) if cut[0] % 2 else ()
    words, moved = trimmed(text, marks)
    try:
        written = annotated(words, moved, domain)
    except NotAllowed:
        return
    for source in ("nlu:\n- intent: greet\n  examples: |\n    - hello\n", LISTED):
        edited = add_example(source, NLU, "greet", written)
        assert edited is not None
        example = [e.text for e in examples_in(parsed(edited.text, NLU)) if e.intent == "greet"][-1]
        assert entities_parser.replace_entities(example) == words
        found = entities_parser.find_entities_in_training_example(example)
        assert [(e["start"], e["end"]) for e in found] == [(m.start, m.end) for m in moved]
