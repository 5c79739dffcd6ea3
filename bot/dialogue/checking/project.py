"""All checks of one project."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from pathlib import Path

from bot.dialogue.checking import names
from bot.dialogue.checking.code import read_code
from bot.dialogue.checking.config import Config, check_config, check_policies
from bot.dialogue.checking.contradictions import check_contradictions
from bot.dialogue.checking.domain import UNREAD, Domain, check_spaces, read_domain
from bot.dialogue.checking.files import data_files, domain_files, files_of, yaml_below
from bot.dialogue.checking.finding import Finding, Findings, Place, near
from bot.dialogue.checking.nlu import FEW, Nlu, check_examples, read_nlu
from bot.dialogue.checking.reading import Map, Text, read
from bot.dialogue.checking.responses import check_responses
from bot.dialogue.checking.rules import check_rules
from bot.dialogue.checking.shapes import CONFIG, DOMAIN, TRAINING, Table, check_shapes
from bot.dialogue.checking.stories import (
    Told,
    check_checkpoints,
    check_names,
    check_twice,
    check_words,
    read_told,
)
from bot.dialogue.checking.usage import (
    Used,
    check_actions,
    check_forms,
    check_mappings,
    check_unused,
)
from bot.dialogue.sources import STORIES
from bot.settings.problems import closest

_WORD = re.compile(r"[A-Za-z_][\w/]*")
#: What Rasa calls training data; data/rules.yml and its like have sections of other kinds.
_TRAINS = re.compile(r"^(nlu|stories|rules):\s*(?:#.*)?\n(?:\s*(?:#.*)?\n)*\s*- ", re.MULTILINE)


def check_project(
    root: Path,
    *,
    actions: str = "actions",
    channels: Collection[str] = (),
    few: int = FEW,
) -> list[Finding]:
    """Check everything designers edit below `root`; return what is wrong, by file and line.

    `actions` names the package of actions below `root`, `channels` are those a response may be
    for beside Rasa's own and those of this bot, `few` is the least number of examples an intent
    should have. Takes well under a second. Raises nothing: what cannot be read is a finding.
    """
    from connectors import CHANNELS

    known = {*CHANNELS, *channels, *names.RASA_CHANNELS}
    return _Project(root, actions, known, few).check()


def check_version(top: Map, findings: Findings) -> None:
    """Tell of a file of another version than is read, which Rasa skips without a word."""
    node = top.get("version")
    right = f'should be version: "{names.VERSION}"'
    if node is None:
        at = top.pairs["version"].at if "version" in top.pairs else Place(top.at.file, 1)
        findings.warn(at, "version", "has no version", right)
    elif isinstance(node, Text) and node.kind == "str":
        if not re.fullmatch(r"\d+(\.\d+)*", node.value):
            findings.error(node.at, "version", "has a version that is no number", right)
        elif (said := _parts(node.value)) > _parts(names.VERSION):
            what = f"is of version {node.value}, and would be left out"
            findings.error(node.at, "version", what, right)
        elif said < _parts(names.VERSION):
            findings.warn(node.at, "version", f"is of version {node.value}", right)


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")][:4]


class _Project:
    def __init__(self, root: Path, actions: str, channels: set[str], few: int) -> None:
        self.root = root
        self.package = actions
        self.channels = channels
        self.few = few
        self.findings = Findings()
        self.domain = Domain()
        self.nlu = Nlu()
        self.told: list[Told] = []
        self.read_tops: list[tuple[Map, Table]] = []
        # After a file that cannot be read, what it holds would seem to be missing.
        self.whole = True

    def check(self) -> list[Finding]:
        config = self.read(self.root / "config.yml", CONFIG)
        made = check_config(config, self.root, self.findings) if config else Config()
        readable = self.read_domain()
        tops = [(self.name(path), self.read(path)) for path in data_files(self.root)]
        for name, top in tops:
            if top is not None:
                self.keys(top, names.TRAINING_KEYS, name)
                if "responses" in top.pairs:
                    only = Map({"responses": top.pairs["responses"]}, top.at)
                    read_domain(only, self.domain, self.findings)
        if readable:
            for _, top in tops:
                if top is not None:
                    self.training(top)
            self.tests()
            self.across(made)
        for section in self.domain.unread:
            self.findings.drop(UNREAD[section])
        self.shapes()
        self.unread()
        return self.findings.all()

    def read(self, path: Path, shape: Table = TRAINING) -> Map | None:
        if not path.is_file():
            at = Place(self.name(path), 0)
            self.findings.error(at, "file", "is missing", "it is needed to train a model")
            self.whole = False
            return None
        top = read(path, self.name(path), self.findings)
        if top is not None and not top.pairs:
            return self.empty(top, shape)
        self.whole = self.whole and top is not None
        if top is not None:
            self.read_tops.append((top, shape))
        return top

    def empty(self, top: Map, shape: Table) -> Map | None:
        """Tell of a file in which nothing stands, and of nothing that it might have held."""
        if self.findings.told(top.at):
            return None
        at = Place(top.at.file, 0)
        if shape is TRAINING:
            self.findings.warn(at, "file", "is empty", "write something into it, or delete it")
            return top
        self.findings.error(at, "file", "is empty", "it is needed to train a model")
        self.whole = False
        return None

    def shapes(self) -> None:
        """Check kinds of values last: what was told of a line is told better."""
        for top, shape in self.read_tops:
            if shape is not CONFIG:
                check_version(top, self.findings)
            check_shapes(top, shape, self.findings)

    def unread(self) -> None:
        """Tell of files that look as if the bot were made of them, where nobody reads them."""
        read_ones = {*files_of(self.root)}
        for path in yaml_below(self.root / "domain"):
            if path not in read_ones:
                right = "move it into domain.yml, or that into the folder domain/"
                self.findings.warn(
                    Place(self.name(path), 0), "file", "is not read beside domain.yml", right
                )
        for path in yaml_below(self.root / "data"):
            if path in read_ones:
                continue
            with contextlib.suppress(OSError, UnicodeDecodeError):
                kind = _TRAINS.search(path.read_text("utf-8-sig"))
                if kind is not None:
                    what = f"has {kind[1]}, and is not read here"
                    at = Place(self.name(path), 0)
                    self.findings.warn(at, "file", what, f"move it to data/{kind[1]}/")

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def read_domain(self) -> bool:
        tops = [self.read(path, DOMAIN) for path in domain_files(self.root)]
        for top in tops:
            if top is not None:
                self.keys(top, names.DOMAIN_KEYS, "domain")
                read_domain(top, self.domain, self.findings)
        return None not in tops

    def keys(self, top: Map, known: Collection[str], kind: str) -> None:
        for key, pair in top.pairs.items():
            if key in known:
                continue
            if key in names.DOMAIN_KEYS:
                right = "it belongs to the domain"
            elif key in names.TRAINING_KEYS:
                right = "it belongs to a file below data/"
            else:
                right = near(key, known)
                meant = closest(key, UNREAD) if kind == "domain" else ""
                self.domain.unread |= {meant} - {""}
            self.findings.error(pair.at, "key", f"has the unknown key {key}", right)

    def training(self, top: Map) -> None:
        at = Place(top.at.file, 1)
        if "nlu" in top.pairs:
            read_nlu(top.get("nlu"), top.pairs["nlu"].at, self.nlu, self.domain, self.findings)
        for section in ("rules", "stories"):
            if section in top.pairs:
                at = top.pairs[section].at
                self.told += read_told(
                    section, top.get(section), at, test=False, findings=self.findings
                )

    def tests(self) -> None:
        for path in yaml_below(self.root / STORIES):
            top = read(path, self.name(path), self.findings)
            if top is None or (not top.pairs and self.empty(top, TRAINING)):
                continue
            self.read_tops.append((top, TRAINING))
            self.keys(top, ("version", "stories"), "tests")
            if "stories" not in top.pairs:
                continue
            if not path.name.startswith("test_"):
                what = "is not named test_….yml, so that its stories are never run"
                self.findings.warn(Place(self.name(path), 0), "file", what, "rename it")
            node, at = top.get("stories"), top.pairs["stories"].at
            self.told += read_told("stories", node, at, test=True, findings=self.findings)
            check_words(node, Nlu(), self.domain, self.findings)

    def across(self, config: Config) -> None:
        """Check what one file says against the others."""
        domain, findings = self.domain, self.findings
        code = read_code(self.root / self.package, self.package, findings)
        check_examples(self.nlu, domain, findings, self.few)
        check_names(self.told, domain, findings)
        check_twice(self.told, findings)
        check_checkpoints(self.told, findings)
        check_contradictions(self.told, domain, findings)
        check_rules(self.told, domain, findings, restricted=config.restricted)
        rules = any(one.kind == "rule" for one in self.told)
        check_policies(config, bool(domain.forms), rules, findings)
        check_spaces(domain, findings)
        check_mappings(domain, findings)
        check_forms(domain, code, findings)
        check_actions(domain, code, findings)
        check_responses(domain, code, self.channels, findings)
        if self.whole:
            used = Used(self.told, self.words_elsewhere())
            check_unused(domain, self.nlu, code, used, {*config.components}, findings)
            if not self.nlu.examples:
                findings.drop(("examples",))
                what = "has no example of any intent"
                findings.error(Place("data/nlu", 0), "file", what, "it is needed to train a model")

    def words_elsewhere(self) -> set[str]:
        """Return all words of the other files of ``data/``: they may name intents and responses."""
        found: set[str] = set()
        for path in sorted((self.root / "data").glob("*.yml")):
            try:
                found |= set(_WORD.findall(path.read_text("utf-8")))
            except (OSError, UnicodeDecodeError):
                continue
        return found
