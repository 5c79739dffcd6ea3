"""What designers wrote, for everybody in a process: each file is read once, when it is needed.

It is read again when it has changed, and what was made of all of them is made again then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock, RLock
from typing import Any, TypeVar

from bot.dialogue.checking.domain import Domain, read_domain
from bot.dialogue.checking.files import Stamp, data_files, domain_files, stamps, yaml_below
from bot.dialogue.checking.finding import Finding, Findings
from bot.dialogue.checking.nlu import Nlu, read_nlu
from bot.dialogue.checking.reading import Map, read
from bot.dialogue.checking.stories import Told, read_told
from bot.dialogue.sources import HELD_OUT, STORIES

T = TypeVar("T")


class File:
    """One file, called `name` below the root; its stories are `test` ones or not."""

    def __init__(self, path: Path, name: str, *, test: bool) -> None:
        self.path = path
        self.name = name
        self._test = test

    @cached_property
    def _read(self) -> tuple[Map | None, list[Finding]]:
        findings = Findings()
        return read(self.path, self.name, findings), findings.all()

    @cached_property
    def _told(self) -> tuple[list[Told], list[Finding]]:
        found: list[Told] = []
        findings = Findings()
        for section in ("rules", "stories"):
            if self.top is not None and section in self.top.pairs:
                node, at = self.top.get(section), self.top.pairs[section].at
                found += read_told(section, node, at, test=self._test, findings=findings)
        return found, findings.all()

    @property
    def top(self) -> Map | None:
        """What is in it; None when it cannot be read."""
        return self._read[0]

    @property
    def told(self) -> Sequence[Told]:
        """The rules and stories in it."""
        return self._told[0]

    @property
    def faults(self) -> list[Finding]:
        """What is wrong with it as YAML, and with its rules and stories."""
        return [*self._read[1], *self._told[1]]


class Written:
    """A project as its files were at one moment. Nobody may change what it gives: all share it.

    Raises nothing: of what cannot be read, `faults` tell, and the rest is there all the same.
    """

    def __init__(
        self,
        root: Path,
        domain: Sequence[File],
        data: Sequence[File],
        tests: Sequence[File],
        held_out: Sequence[File],
    ) -> None:
        self.root = root
        self.domains = domain
        self.data = data
        self.tests = tests
        self.held_out = held_out
        self._made: dict[object, Any] = {}
        self._making = RLock()

    @cached_property
    def _domain(self) -> tuple[Domain, list[Finding]]:
        domain, findings = Domain(), Findings()
        for file in self.domains:
            if file.top is not None:
                read_domain(file.top, domain, findings)
        for file in self.data:
            # Of a domain's sections Rasa takes this one alone from there.
            if file.top is not None and "responses" in file.top.pairs:
                only = {"responses": file.top.pairs["responses"]}
                read_domain(Map(only, file.top.at), domain, findings)
        return domain, findings.all()

    @cached_property
    def _nlu(self) -> tuple[Nlu, list[Finding]]:
        findings = Findings()
        return nlu_of(self.data, self.domain, findings), findings.all()

    @property
    def domain(self) -> Domain:
        """Everything that can be named."""
        return self._domain[0]

    @property
    def nlu(self) -> Nlu:
        """The examples that a model learns from."""
        return self._nlu[0]

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """The rules and stories that a model learns from."""
        return tuple(one for file in self.data for one in file.told)

    @property
    def faults(self) -> list[Finding]:
        """What is wrong in what a model is made of."""
        files = (*self.domains, *self.data)
        found = {one for file in files for one in file.faults}
        return sorted(found | {*self._domain[1], *self._nlu[1]})

    def made(self, make: Callable[[Written], T]) -> T:
        """Return what `make` makes of it, which is made once."""
        with self._making:
            if make not in self._made:
                self._made[make] = make(self)
            found: T = self._made[make]
            return found


def nlu_of(files: Sequence[File], domain: Domain, findings: Findings) -> Nlu:
    """Return the examples of files."""
    nlu = Nlu()
    for file in files:
        if file.top is not None and "nlu" in file.top.pairs:
            at = file.top.pairs["nlu"].at
            read_nlu(file.top.get("nlu"), at, nlu, domain, findings)
    return nlu


def written(root: Path) -> Written:
    """Return the project below `root` as it is now, the same as before if no file has changed.

    May be called from any thread.
    """
    return _reader(root.absolute()).now()


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._stamps: dict[Path, Stamp] = {}
        self._files: dict[Path, File] = {}
        self._now: Written | None = None

    def now(self) -> Written:
        root = self._root
        parts = (
            domain_files(root),
            data_files(root),
            yaml_below(root / STORIES),
            [root / HELD_OUT],
        )
        tests = {*parts[2]}
        with self._lock:
            seen = stamps(path for part in parts for path in part)
            if self._now is None or seen != self._stamps:
                self._files = {
                    path: self._files[path]
                    if self._stamps.get(path) == stamp
                    else File(path, path.relative_to(root).as_posix(), test=path in tests)
                    for path, stamp in seen.items()
                }
                self._stamps = seen
                self._now = Written(
                    root, *([self._files[path] for path in part if path in seen] for part in parts)
                )
            return self._now


# A process has one project; tests have many.
_reader = lru_cache(maxsize=2)(_Reader)
