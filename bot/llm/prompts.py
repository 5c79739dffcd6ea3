"""Prompts as files that a company edits: ``data/prompts/NAME.md``.

    ---
    tokens: 400
    ---
    You answer customers of {{company}}.

`tokens` is the most that an answer may have. A value is put in as it is, once: what looks
like a placeholder inside it stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bot.llm.errors import PromptInvalid

PROMPTS = Path("data/prompts")
#: The company's own rules for answers, put into the prompt where it says ``{{rules}}``.
RULES = PROMPTS / "rules.md"

#: What can be put into each prompt, and whether it must be.
KNOWN: Mapping[str, Mapping[str, bool]] = {
    "answer": {
        "company": True,
        "passages": True,
        "rules": True,
        "language": True,
        "topics": False,
        "persona": False,
        "channel": False,
        "length": False,
        "memory": False,
        "today": False,
    },
    "resolve": {
        "company": True,
        "rules": True,
        "language": True,
        "memory": False,
        "today": False,
    },
    "rewrite": {"turns": True, "question": True, "language": False},
    "sensitive": {"topics": True, "language": False},
    "translate": {"source": True, "target": True, "wrong": False},
    "summary": {"conversation": True, "language": True},
    "picture": {"company": True, "language": False},
    "draft_article": {
        "company": True,
        "question": True,
        "resolutions": True,
        "language": True,
        "today": False,
    },
}

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z_]*")
_FENCE = "---"
_BOUNDS = (16, 8192)
_DEFAULT = 500


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, read and checked. `tokens` is the most that an answer to it may have."""

    name: str
    text: str
    tokens: int

    def fill(self, **values: str) -> str:
        """Return the text with its placeholders replaced.

        Values that the file does not ask for are left out: a company may do without some.
        One that must be in the file and is not given is a mistake of ours: KeyError.
        """
        known = KNOWN[self.name]

        def value(match: re.Match[str]) -> str:
            name = match[1].strip()
            return values[name] if known[name] else values.get(name, "")

        return _PLACEHOLDER.sub(value, self.text)


class Prompts(dict[str, Prompt]):
    """All prompts, by name."""

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """Return the text of a prompt with these values; see `Prompt.fill`."""
        return self[name].fill(**values)


def load_prompt(name: str, folder: Path = PROMPTS) -> Prompt:
    """Read ``NAME.md``, one of `KNOWN`. Raises PromptInvalid with file and line."""
    known = KNOWN[name]
    path = folder / f"{name}.md"
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise PromptInvalid(f"{path}: is not there, the prompt {name} needs it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PromptInvalid(
            f"{path}: cannot be read ({type(error).__name__}), it should be a text in UTF-8"
        ) from None
    tokens, first, body = _front_matter(path, text)
    _check(path, first, body, known)
    return Prompt(name, body.strip(), tokens)


def load_prompts(folder: Path = PROMPTS) -> Prompts:
    """Read all prompts. Raises PromptInvalid with a line for each that cannot be used."""
    found, wrong = Prompts(), []
    for name in KNOWN:
        try:
            found[name] = load_prompt(name, folder)
        except PromptInvalid as error:
            wrong.append(str(error))
    if wrong:
        raise PromptInvalid("\n".join(wrong))
    return found


def load_rules(path: Path = RULES) -> str:
    """Return the company's rules; "" without the file. Raises PromptInvalid."""
    try:
        return path.read_text("utf-8-sig").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise PromptInvalid(
            f"{path}: cannot be read ({type(error).__name__}), it should be a text in UTF-8"
        ) from None


def _front_matter(path: Path, text: str) -> tuple[int, int, str]:
    """Return tokens, the line the body begins in, and the body."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE:
        return _DEFAULT, 1, text
    tokens = _DEFAULT
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == _FENCE:
            return tokens, number + 1, "\n".join(lines[number:])
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not colon or key != "tokens":
            raise PromptInvalid(f"{path}:{number}: {key[:40]!r} is not known here, tokens is")
        least, most = _BOUNDS
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise PromptInvalid(
                f"{path}:{number}: tokens should be a whole number from {least} to {most}"
            )
        tokens = int(value)
    raise PromptInvalid(f"{path}:1: the front matter does not end, close it with a line {_FENCE}")


def _check(path: Path, first: int, body: str, known: Mapping[str, bool]) -> None:
    names = ", ".join(sorted(known))
    found: set[str] = set()
    for match in _PLACEHOLDER.finditer(body):
        name = match[1].strip()
        line = first + body.count("\n", 0, match.start())
        if name not in known:
            shown = name[:40] if _NAME.fullmatch(name[:40]) else "what stands there"
            close = get_close_matches(name, known, 1)
            meant = f" (do you mean {close[0]}?)" if close else ""
            raise PromptInvalid(
                f"{path}:{line}: there is no placeholder {{{{{shown}}}}}{meant}; known are {names}"
            )
        found.add(name)
    rest = _PLACEHOLDER.sub("", body)
    if "{{" in rest:
        at = body.find("{{", body.rfind("}}") + 1)
        line = first + body.count("\n", 0, max(at, 0))
        raise PromptInvalid(
            f"{path}:{line}: a placeholder begins and does not end, close it with }}}}"
        )
    missing = sorted(name for name, must in known.items() if must and name not in found)
    if missing:
        wanted = ", ".join(f"{{{{{name}}}}}" for name in missing)
        last = first + max(0, body.rstrip().count("\n"))
        raise PromptInvalid(f"{path}:{last}: {wanted} is missing; known are {names}")
