"""Whatever the files hold, nothing but `SettingsInvalid` comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from settings_kit import lines_of

from tests.kit.dice import examples

# Pieces that make YAML go wrong in interesting ways, and the keys that are read.
PIECES = st.sampled_from(
    [
        "server:",
        "port:",
        "80",
        "telegram:",
        "account:",
        "token:",
        "mode:",
        "webchat:",
        "origins:",
        "llm:",
        "model:",
        "url:",
        "-",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&",
        "*a",
        "&a",
        "<< :",
        "<<:",
        "?",
        "!",
        "!!",
        "!!str",
        "!!binary",
        "!!int",
        "!<x>",
        "'",
        '"',
        "${A}",
        "${B}",
        "${",
        "${}",
        "null",
        "~",
        "true",
        ".inf",
        "0o8",
        "1e9",
        "2020-01-01",
        "---",
        "...",
        "%YAML 1.1",
        "%TAG ! x",
        "\\x",
        "\\ud800",
        "\\U",
        "#",
        ">-",
        "|2",
        "\t",
        "=",
        "@",
        "`",
        "\ufeff",
        "\x85",
        "\u2028",
        "\ue041",
        "\xe9",
        "sqlite:",
        "http://[",
    ]
)
GAPS = st.sampled_from(["", " ", "\n", "\n  ", "\n    ", "\n- ", ": ", ", "])
YAML_LIKE = st.lists(st.tuples(PIECES, GAPS), max_size=30).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)
NAMES = st.lists(
    st.sampled_from(["SERVER", "PORT", "LLM", "TELEGRAM", "0", "1", "TOKEN", "", "²", "99999999"]),
    max_size=4,
).map(lambda parts: "FRONTDESK__" + "__".join(parts))


def problems_of(
    endpoints: str | bytes, credentials: str | bytes, environ: dict[str, str]
) -> list[str]:
    """Return the lines of what is wrong; whatever else is raised fails the test."""
    with tempfile.TemporaryDirectory() as directory:
        return lines_of(Path(directory), endpoints, credentials, environ)


def are_printable_lines(lines: list[str]) -> bool:
    return all(len(line.splitlines()) == 1 and line.encode() for line in lines)


@settings(max_examples=examples(300), deadline=None)
@given(YAML_LIKE, YAML_LIKE)
def test_text_that_is_nearly_yaml(endpoints: str, credentials: str) -> None:
    assert are_printable_lines(problems_of(endpoints, credentials, {"A": "a"}))


@settings(max_examples=examples(100), deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary())
def test_any_text_and_any_bytes(endpoints: str, credentials: bytes) -> None:
    assert are_printable_lines(problems_of(endpoints, credentials, {}))


@settings(max_examples=examples(150), deadline=None)
@given(YAML_LIKE, st.dictionaries(NAMES, st.text(max_size=10), max_size=5))
def test_any_environment(credentials: str, environ: dict[str, str]) -> None:
    assert are_printable_lines(problems_of("", credentials, environ))
