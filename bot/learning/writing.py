"""Writing what was decided into the file where the intent's examples are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.dialogue.checking.finding import near
from bot.dialogue.checking.nlu import normal
from bot.learning.contract import CannotWrite, Decided, Elsewhere, NotAllowed, Written
from bot.learning.edits import add_example, append_item, remove_example
from bot.learning.files import Change, alone, apply, read_text
from bot.learning.hiding import personal
from bot.learning.markup import annotated, trimmed
from bot.learning.project import Known, read_known

#: Examples of an intent that has none yet.
NEW_EXAMPLES = "data/nlu/learned.yml"
_HEAD = (
    'version: "3.1"\n\n# What customers wrote, of intents that had no examples in another file.\n'
)


def check(root: Path, decided: Decided) -> None:
    """See that a decision can be written. Raises NotAllowed, Elsewhere.

    Says nothing on a host that has no files.
    """
    known = read_known(root)
    if known.here:
        _plan(known, decided)


def write(root: Path, decided: Decided) -> Written:
    """Write an example, unless it stands there already. Raises NotAllowed, CannotWrite."""
    with alone(root):
        known = read_known(root)
        if not known.here:
            raise CannotWrite("there are no files of a project here")
        changes, done = _plan(known, decided)
        warnings = list(apply(root, changes)) if changes else []
        text, _ = trimmed(decided.text, decided.marks)
        for one in known.held_out:
            if normal(one.text) == normal(text):
                warnings.append(
                    f"{one.file}:{one.line}: warning: this text is a test, too: what a model has"
                    " learned by heart says nothing of how good it is; take it out of there"
                )
        return Written(done.file, done.line, done.new, tuple(warnings), done.moved)


def _plan(known: Known, decided: Decided) -> tuple[dict[str, Change], Written]:
    domain = known.domain
    if not decided.intent or not domain.known_intent(decided.intent):
        right = near(decided.intent, domain.intents) or "add it to the intents of the domain"
        raise NotAllowed(f"{decided.intent or 'nothing'} is no intent of the domain; {right}")
    text, marks = trimmed(decided.text, decided.marks)
    if kind := personal(text):
        raise NotAllowed(f"the example has {kind} in it; write an invented one instead")
    written = annotated(text, marks, domain, known.synonyms)
    there = known.places_of(written)
    own = next((one for one in there if one.intent == decided.intent), None)
    others = [one for one in there if one.intent != decided.intent]
    if others and not decided.move:
        raise Elsewhere(others[0].intent, others[0].file, others[0].line)
    changes: dict[str, Change] = {}
    gone: list[tuple[str, int]] = []
    # From below, so that the lines of those above stay what they are.
    for one in sorted(others, key=lambda other: -other.line):
        before, now = _now(known, changes, one.file)
        after = remove_example(now, one)
        changes[one.file] = Change(before, after)
        gone += [(one.file, one.line)] * (now.count("\n") - after.count("\n"))
    if own is not None:
        above = sum(file == own.file and line < own.line for file, line in gone)
        done = Written(own.file, own.line - above, new=False)
    else:
        done = _added(known, changes, decided.intent, written)
    # Who is killed between two files leaves the example in both, which is seen; not in none.
    order = sorted(changes, key=lambda file: file != done.file)
    moved = f"{others[0].file}:{others[0].line}" if others else ""
    return {file: changes[file] for file in order}, replace(done, moved=moved)


def _added(known: Known, changes: dict[str, Change], intent: str, written: str) -> Written:
    home = known.home_of(intent)
    if home:
        before, text = _now(known, changes, home)
        edited = add_example(text, home, intent, written)
        if edited is not None:
            changes[home] = Change(before, edited.text)
            return Written(home, edited.line)
    path = known.root / NEW_EXAMPLES
    old = read_text(path) if path.is_file() else None
    item = f"- intent: {intent}\n  examples: |\n    - {written}"
    edited = append_item(_HEAD if old is None else old, NEW_EXAMPLES, "nlu", item)
    changes[NEW_EXAMPLES] = Change(old, edited.text)
    return Written(NEW_EXAMPLES, edited.line + 2)


def _now(known: Known, changes: dict[str, Change], file: str) -> tuple[str | None, str]:
    """Return a file as it is on the disk, and as it is after the changes so far."""
    if file in changes:
        return changes[file].before, changes[file].after
    text = read_text(known.root / file)
    return text, text
