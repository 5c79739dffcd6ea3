"""Which files below a project's root designers write, and what tells their versions apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.dialogue.sources import DATA, STORIES

#: When a file was written last (ns), how many bytes it has, and which file it is.
Stamp = tuple[int, int, int]

_ENDS = (".yml", ".yaml")


def files_of(root: Path) -> list[Path]:
    """Return the files that are checked and are there, those of actions included."""
    found = [root / "config.yml", *domain_files(root)]
    for part in (*DATA, STORIES):
        found += yaml_below(root / part)
    found += sorted((root / "actions").rglob("*.py"))
    return [path for path in found if path.is_file()]


def has_project(root: Path) -> bool:
    """Tell whether there is anything below `root` that a model could be trained from."""
    return any(path.is_file() for path in (root / "config.yml", *domain_files(root)))


def domain_files(root: Path) -> list[Path]:
    """Return the domain below `root`: one file, or those of the folder ``domain``."""
    single = root / "domain.yml"
    return [single] if single.is_file() else yaml_below(root / "domain") or [single]


def data_files(root: Path) -> list[Path]:
    """Return the files of training data below `root`."""
    return [path for part in DATA for path in yaml_below(root / part)]


def yaml_below(folder: Path) -> list[Path]:
    """Return the YAML files below a folder, in order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix in _ENDS and path.is_file())


def stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """Return what tells one version of files from the next, of those that are there."""
    seen = {}
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        seen[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return seen
