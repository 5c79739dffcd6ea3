from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.dialogue.errors import TrainingFailed
from bot.dialogue.training import alone, fingerprint_of, make, train, trained
from tests.dialogue.conftest import ROOT
from tests.kit.tiny import spoil, tiny_bot


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's training data, to spoil."""
    for name in ("config.yml", "domain.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for part in ("nlu", "rules", "stories"):
        shutil.copytree(ROOT / "data" / part, tmp_path / "data" / part)
    return tmp_path


def test_unchanged_data_gives_the_model_there_is_without_importing_rasa(model: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from bot.dialogue.training import train\n"
        "print(train(Path(), Path('models')).name)\n"
        "assert not {'rasa', 'tensorflow', 'sklearn', 'mongoengine'} & set(sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == model.name


def test_the_model_is_named_after_its_data_and_nothing_is_left_behind(model: Path) -> None:
    assert model.name.endswith(f"-{fingerprint_of(ROOT)}.tar.gz")
    assert not list(model.parent.glob(".training-*"))


@pytest.mark.parametrize("name", ["config.yml", "domain.yml", "data/nlu/orders.yml"])
def test_any_change_gives_another_fingerprint(project: Path, name: str) -> None:
    before = fingerprint_of(project)
    assert before == fingerprint_of(ROOT)
    (project / name).write_bytes((project / name).read_bytes() + b"\n# changed\n")
    assert fingerprint_of(project) != before


def test_what_is_not_training_data_changes_nothing(project: Path) -> None:
    before = fingerprint_of(project)
    (project / "data" / "knowledge").mkdir()
    (project / "data" / "knowledge" / "returns.md").write_text("30 days")
    (project / "data" / "nlu" / ".store.yml.swp").write_text("an editor's")
    assert fingerprint_of(project) == before


def test_data_that_went_back_makes_its_old_model_the_newest(tmp_path: Path) -> None:
    old, new = tmp_path / "1-aaaaaaaaaaaa.tar.gz", tmp_path / "2-bbbbbbbbbbbb.tar.gz"
    for age, path in ((50, old), (10, new)):
        path.touch()
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    assert trained(tmp_path, "cccccccccccc") is None
    assert trained(tmp_path, "aaaaaaaaaaaa") == old
    assert old.stat().st_mtime_ns > new.stat().st_mtime_ns


@pytest.mark.parametrize("name", ["config.yml", "domain.yml"])
def test_a_missing_file_is_named(project: Path, name: str) -> None:
    (project / name).unlink()
    with pytest.raises(TrainingFailed, match=rf"{name.split('.')[0]}.*: is missing"):
        train(project, project / "models")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "rules/store.yml",
            "intent: store_location",
            "intent: [oops",
            r"data/rules/store\.yml:13: error: has a list or mapping, begun in line 12",
        ),
        (
            "rules/store.yml",
            "intent: store_location",
            "intent: shop_location",
            r"data/rules/store\.yml:12: error: shop_location is no intent of the domain",
        ),
        (
            "rules/store.yml",
            "action: action_store_location",
            "action: utter_nonsense",
            r"data/rules/store\.yml:13: error: there is no response utter_nonsense",
        ),
    ],
    ids=["yaml", "intent", "action"],
)
def test_wrong_data_is_told_with_file_and_line(
    project: Path, name: str, old: str, new: str, told: str
) -> None:
    models = project / "models"
    models.mkdir()
    (models / "1-aaaaaaaaaaaa.tar.gz").write_bytes(b"the model there was")
    spoil(project / "data" / name, old, new)
    with pytest.raises(TrainingFailed, match=f"(?s){told}"):
        train(project, models)
    assert [path.name for path in models.glob("*.tar.gz")] == ["1-aaaaaaaaaaaa.tar.gz"]
    assert not list(models.glob(".training-*"))


_PARTING = """\
version: "3.1"
stories:
  - story: Greets
    steps:
      - intent: greet
      - checkpoint: greeted
  - story: Goes on
    steps:
      - checkpoint: greeted
      - action: utter_bye
"""


def test_rules_that_contradict_are_told_with_both_places(tmp_path: Path) -> None:
    root, models = tiny_bot(tmp_path), tmp_path / "models"
    told: list[tuple[float, str]] = []
    # Only training finds out what becomes of stories by way of a checkpoint.
    (root / "data/stories").mkdir()
    (root / "data/stories/all.yml").write_text(_PARTING, "utf-8")
    with alone(models), pytest.raises(TrainingFailed) as failed:
        make(root, models, progress=lambda done, what: told.append((done, what)))
    first = str(failed.value).splitlines()[0]
    assert first.startswith(f"{root}/data/stories/all.yml:7: story 'Greets > Goes on' goes on")
    assert re.search(rf"\({root}/data/rules/all\.yml:\d+\) with ", first)
    assert "InvalidRule" in (models / "train.log").read_text("utf-8")
    assert [path.name for path in models.iterdir() if path.suffix == ".gz"] == []
    # On its way it told how far it was.
    assert told == sorted(told, key=lambda one: one[0])
    assert {"starting", "reading the data"} < {what for _, what in told}
    assert any(what.startswith("training ") for _, what in told)
