from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.dialogue.checking.written import written
from bot.insight.designed import Designs
from bot.learning.project import read_known
from tests.kit.designs import sound_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return sound_project(tmp_path)


def test_all_who_ask_are_given_the_same_until_a_file_changes(root: Path) -> None:
    first = written(root)
    assert Designs(root).read().domain is read_known(root).domain is first.domain
    assert read_known(root) is read_known(root)
    assert written(root) is first

    path = root / "data/nlu/all.yml"
    path.write_text(path.read_text() + "# more\n")
    then = written(root)
    assert then is not first
    # What did not change is not parsed again.
    kept = {file.name: file for file in first.data}
    assert {one.name for one in then.data if one is not kept[one.name]} == {"data/nlu/all.yml"}
    assert then.tests[0] is first.tests[0]


def test_a_file_put_in_the_place_of_one_as_long_and_as_old_is_seen(root: Path) -> None:
    path = root / "data/rules/all.yml"
    before = path.stat()
    assert "Hello" in {one.name for one in written(root).told}

    other = root / "other"
    other.write_text(path.read_text().replace("rule: Hello", "rule: Howdy"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert "Howdy" in {one.name for one in written(root).told}


def test_what_is_broken_or_gone_is_as_if_it_were_not_there(root: Path) -> None:
    stories = written(root).told
    (root / "data/nlu/all.yml").unlink()
    (root / "data/rules/all.yml").write_text("rules: [\n")
    now = written(root)
    assert [one.name for one in now.told] == [one.name for one in stories if one.kind == "story"]
    assert now.nlu.examples == {}
    assert [(one.file, one.kind) for one in now.faults] == [("data/rules/all.yml", "yaml")]
