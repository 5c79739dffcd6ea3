"""A file that was given up is a dead letter, and may be asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import parser
from bot.dead import dead
from bot.message import Media, utcnow
from bot.settings import (
    Settings,
)
from bot.store import AsyncStore
from bot.store.dead_letters import FETCH, DeadLetter, dead_id
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile, wanted
from bot.store.messages import to_message
from tests.kit.build import inbound
from tests.kit.settings import settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


async def given_up(store: AsyncStore) -> tuple[StoredFile, DeadLetter]:
    (row,) = wanted(to_message(inbound(Media("image", ref="pic"))))
    row.status, row.attempts, row.deaths, row.reason = REFUSED, 9, 3, "gave up"
    await store.insert(row)
    letter = DeadLetter(
        id=dead_id(FETCH, row.id),
        stage=FETCH,
        channel="line",
        account="shop",
        ref=row.id,
        reason="gave up",
        at=utcnow(),
    )
    await store.insert(letter)
    return row, letter


async def test_a_file_that_was_given_up_is_asked_for_again(
    store: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    row, letter = await given_up(store)
    assert await dead(parser().parse_args(["dead", "list", "--stage", "fetch"]), settings) == 0
    assert str(letter.id) in capsys.readouterr().out
    assert await dead(parser().parse_args(["dead", "replay", str(letter.id)]), settings) == 0
    again = await store.get(StoredFile, row.id)
    assert again is not None
    assert (again.status, again.attempts, again.deaths) == (WANTED, 0, 0)
    assert again.at >= row.at


async def test_a_file_that_was_kept_meanwhile_is_left_alone(
    store: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    row, letter = await given_up(store)
    await store.change(StoredFile, {"id": row.id}, set={"status": KEPT})
    assert await dead(parser().parse_args(["dead", "replay", str(letter.id)]), settings) == 1
    assert "not a refused one" in capsys.readouterr().err
    found = await store.get(StoredFile, row.id)
    assert found is not None
    assert found.status == KEPT
