from __future__ import annotations

from pathlib import Path

from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.reading import read
from bot.dialogue.checking.stories import Told, read_told
from bot.dialogue.why.matching import Sources, sources_of

ROOT = Path(__file__).parents[2]
#: An action begins this form itself, once it has sent a code: no policy does, so no such story can.
#: tests/dialogue/test_proving_talk.py goes through it with real codes.
BEGUN_BY_ACTIONS = "proof_form"


def end_to_end(root: Path) -> list[Told]:
    """Return the end-to-end stories below `root`."""
    found: list[Told] = []
    findings = Findings()
    for path in sorted((root / "tests/stories").glob("test_*.yml")):
        top = read(path, path.name, findings)
        assert top is not None
        at = top.pairs["stories"].at
        found += read_told("stories", top.get("stories"), at, test=True, findings=findings)
    assert findings.all() == []
    return found


def exercised(sources: Sources, test: Told) -> set[str]:
    """Return the rules and stories that the actions of one test come from."""
    found: set[str] = set()
    past: list[str] = []
    loop = ended = ""
    for step in test.steps:
        if step.kind == "intent":
            ended = ""
            past.append(f"intent {step.name}")
        elif step.kind == "loop":
            ended = loop if not step.name else ""
            loop = step.name
        elif step.kind == "action":
            if step.name.endswith("_form") and not step.name.startswith("action_"):
                # It may begin here, go on here, or end here and be followed by what a rule says.
                loop, ended = step.name, ""
            for policy in ("RulePolicy", "MemoizationPolicy"):
                for active, over in {(loop, ended), ("", loop), ("", "")}:
                    source = sources.of(step.name, policy, past, active, over)
                    if source is not None:
                        found.add(source.name)
            if step.name == "action_deactivate_loop":
                loop, ended = "", loop
            past.append(f"action {step.name}")
    return found


def test_every_rule_and_story_is_exercised_end_to_end() -> None:
    sources = sources_of(ROOT)
    found: set[str] = set()
    for test in end_to_end(ROOT):
        found |= exercised(sources, test)
    never = [
        f"{one.at.file}:{one.at.line}: {one.kind} {one.name!r}"
        for one in sources.told
        if f"{one.kind} {one.name!r}" not in found
        and BEGUN_BY_ACTIONS not in [step.name for step in one.condition]
    ]
    assert never == []
