"""``bot channels``: the table is the connectors' own, and README shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.channels import markdown, plain, table
from bot.cli import main
from connectors import CHANNELS, connector_class


def test_every_channel_and_ability_is_in_the_table() -> None:
    heading, *rows = table()
    assert heading == ["", *CHANNELS]
    assert all(len(row) == len(heading) and all(row) for row in rows)
    text = next(row for row in rows if row[0] == "text")
    for channel, cell in zip(CHANNELS, text[1:], strict=True):
        assert cell.startswith(str(connector_class(channel).capabilities.text_limit))


def test_readme_shows_what_the_connectors_declare() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    assert markdown() in readme, "put the output of `bot channels --markdown` into README.md"


@pytest.mark.parametrize("width", [60, 120, 250])
def test_a_terminal_of_any_width_shows_all_of_it(width: int) -> None:
    shown = "".join(plain(width).split())
    for row in table():
        for word in " ".join(row).split():
            assert word[:10] in shown


def test_it_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["channels", "--markdown"]) == 0
    assert capsys.readouterr().out.strip() == markdown()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_declaration_does_not_contradict_itself(channel: str) -> None:
    can = connector_class(channel).capabilities
    assert ("menu" in can.kinds_out) == bool(can.list_rows)
    assert ("cards" in can.kinds_out) == bool(can.cards)
    assert ("choices" in can.kinds_out) == bool(can.buttons)
    assert not can.files or "media" in can.kinds_out
    assert can.receipts <= {"sent", "delivered", "read", "failed"}
    assert can.rate > 0
