"""Broken settings, and the exact lines an operator gets for each.

The table is ``broken.txt``: under ``=== label`` come the files and the environment after
``--- name``, then after ``--- told`` the expected lines. What no text file can hold is here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from settings_kit import lines_of

PORT = "should be a whole number from 1 to 65535"


class Case(NamedTuple):
    label: str
    lines: list[str]
    endpoints: str | bytes | None = None
    credentials: str | bytes | None = None
    environ: dict[str, str] = {}


def table() -> list[Case]:
    text = (Path(__file__).parent / "broken.txt").read_text(encoding="utf-8")
    return [_case(block) for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def _case(block: str) -> Case:
    # Whole-line comments between cases head the groups of the table.
    label, *parts = re.split(r"^--- (\S+)\n", block, flags=re.MULTILINE)
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    told = [line for line in found["told"].splitlines() if line and not line.startswith("#")]
    environ = dict(line.split("=", 1) for line in found.get("environment", "").splitlines())
    return Case(
        label.strip(), told, found.get("endpoints.yml"), found.get("credentials.yml"), environ
    )


UNPRINTABLE = [
    Case(
        "a long wrong value is cut",
        [f"endpoints.yml:1: server.port is '{'9' * 40}…', {PORT}"],
        f"server: {{port: {'9' * 400}}}",
    ),
    Case(
        "a file that is not UTF-8",
        ["endpoints.yml:2: is not UTF-8 text; save the file as UTF-8"],
        b"model: a\nserver: {host: \xff}\n",
    ),
    Case(
        "a file in UTF-16",
        ["endpoints.yml:1: is not UTF-8 text; save the file as UTF-8"],
        "model: a".encode("utf-16"),
    ),
    Case(
        "a NUL",
        ["endpoints.yml:2: has the character U+0000, which cannot stand in YAML; take it out"],
        "\nmodel: \0",
    ),
    Case(
        "an escape sequence",
        ["endpoints.yml:1: has the character U+001B, which cannot stand in YAML; take it out"],
        "model: \x1b[0m",
    ),
    Case(
        "a deep nest",
        ["endpoints.yml:1: is nested too deeply; a settings file has few levels"],
        "[" * 1000,
    ),
    Case(
        "a deep nest that is closed",
        ["endpoints.yml:1: is nested too deeply; a settings file has few levels"],
        "[" * 1000 + "]" * 1000,
    ),
    Case("a huge file", ["endpoints.yml: is larger than 256 KiB"], "#" * 300_000),
    Case(
        "a line break from the environment",
        [
            "credentials.yml:1: telegram[0].token has a space or line end around it, from ${T}; "
            "take it out"
        ],
        None,
        "telegram: [{account: a, token: ${T}, secret_token: s}]",
        {"T": "hunter2\n"},
    ),
    Case(
        "bytes of the environment that are no UTF-8",
        ["environment: FRONTDESK__SERVER__HOST has a control character in it; take it out"],
        environ={"FRONTDESK__SERVER__HOST": "a\udcff"},
    ),
]


@pytest.mark.parametrize("case", [*table(), *UNPRINTABLE], ids=lambda case: case.label)
def test_broken_settings_are_told_line_by_line(case: Case, tmp_path: Path) -> None:
    found = lines_of(tmp_path, case.endpoints, case.credentials, case.environ)
    assert found == case.lines


def test_the_table_is_read_whole() -> None:
    labels = [case.label for case in table()]
    assert len(labels) == len(set(labels)) >= 100
    assert all(case.lines for case in table())


def test_a_directory_in_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").mkdir()
    assert lines_of(tmp_path) == ["endpoints.yml: cannot be read: Is a directory"]


def test_a_default_file_that_is_a_dangling_link_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "credentials.yml").symlink_to(tmp_path / "gone.yml")
    assert lines_of(tmp_path) == ["credentials.yml: cannot be read: No such file or directory"]


def test_a_file_given_as_argument_must_be_there(tmp_path: Path) -> None:
    found = lines_of(tmp_path, endpoints=Path("mine.yml"))
    assert found == ["mine.yml: cannot be read: No such file or directory"]
