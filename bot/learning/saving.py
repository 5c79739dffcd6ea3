"""Writing a draft of a story or test into its file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.reading import Map, Seq, plain, text_of
from bot.dialogue.checking.stories import Told, read_told
from bot.learning.contract import STORY, TEST, CannotWrite, Draft, NotAllowed, Written
from bot.learning.edits import append_item, parsed
from bot.learning.files import Change, alone, apply, read_text
from bot.learning.hiding import personal
from bot.learning.project import read_known
from bot.learning.telling import FOLDERS

_HEAD = 'version: "3.1"\n\n# Conversations that customers had.\nstories:\n'


def save(root: Path, draft: Draft) -> Written:
    """Write a draft at the end of its file. Raises NotAllowed, CannotWrite."""
    one, item = _read(draft)
    path = PurePosixPath(draft.file)
    below = path.parts[:2] == tuple(FOLDERS[draft.kind].split("/")) and ".." not in path.parts
    named = path.suffix in (".yml", ".yaml") and (
        draft.kind == STORY or path.name.startswith("test_")
    )
    if not below or not named:
        example = f"{FOLDERS[draft.kind]}/{'test_' if draft.kind == TEST else ''}learned.yml"
        raise NotAllowed(f"{draft.file} is no place for it; as in {example}")
    with alone(root):
        known = read_known(root)
        if not known.here:
            raise CannotWrite("there are no files of a project here")
        target = root / draft.file
        before = read_text(target) if target.is_file() else None
        for other in known.told:
            if other.kind == one.kind and other.name == one.name:
                if other.at.file == draft.file and item in _items(before or "", draft.file):
                    return Written(draft.file, other.at.line, new=False)
                where = f"{other.at.file}:{other.at.line}"
                raise NotAllowed(
                    f"there is a {one.kind} {one.name!r} in {where}; name it otherwise"
                )
        edited = append_item(before or _HEAD, draft.file, "stories", draft.yaml)
        warnings = apply(root, {draft.file: Change(before, edited.text)})
        return Written(draft.file, edited.line, True, warnings)


def _read(draft: Draft) -> tuple[Told, object]:
    """Return the story of a draft, read and as plain values. Raises NotAllowed if it is none."""
    if draft.kind not in FOLDERS:
        raise NotAllowed(f"{draft.kind!r} is neither {STORY} nor {TEST}")
    if kind := personal(draft.yaml):
        raise NotAllowed(f"it has {kind} in it; write an invented one instead")
    top = parsed(f"stories:\n{_indented(draft.yaml)}", "the draft")
    node = top.get("stories")
    findings = Findings()
    if not isinstance(node, Seq) or len(node.items) != 1 or not isinstance(node.items[0], Map):
        raise NotAllowed("the draft is not one story; it should begin with '- story: name'")
    if not text_of(node.items[0].get("story")):
        raise NotAllowed("the story has no name; it should begin with '- story: name'")
    told = read_told(
        "stories", node, top.pairs["stories"].at, test=draft.kind == TEST, findings=findings
    )
    if findings.all():
        raise NotAllowed(str(findings.all()[0]))
    return told[0], plain(node.items[0])


def _indented(yaml: str) -> str:
    """Return an item below a key: a designer may have put it at the left."""
    return yaml if yaml.startswith(" ") else "".join(f"  {line}\n" for line in yaml.splitlines())


def _items(text: str, file: str) -> list[object]:
    listed = plain(parsed(text, file).get("stories"))
    return listed if isinstance(listed, list) else []
