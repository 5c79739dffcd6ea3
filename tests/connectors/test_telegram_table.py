"""Every row of the Telegram tables: from the gateway to the store, from the outbox to Telegram."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.telegram import Telegram, TelegramAccount
from tests.connectors.cases.telegram_in import BOT, INBOUND, SECRET
from tests.connectors.cases.telegram_out import OUTBOUND, TOKEN
from tests.connectors.table import In, Out, run_in, run_out
from tests.kit.http import Answer, Recorded, Step, closed_url, provider


def connect(api_url: str, account: str = "shop", groups: bool = True) -> Telegram:
    return Telegram(TelegramAccount(account, TOKEN, SECRET, groups=groups, api_url=api_url))


def answer(asked: Recorded) -> Step:
    """Telegram's answers to what a webhook makes the connector ask."""
    return Answer({"ok": True, "result": BOT if asked.path.endswith("/getMe") else True})


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
async def test_inbound(case: In, tmp_path: Path) -> None:
    account = case.request.path.rpartition("/")[2]
    async with provider(answer) as server:
        url = closed_url() if account == "lost" else server.url
        await run_in(case, connect(url, account, account != "shop"), tmp_path)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_outbound(case: Out, tmp_path: Path) -> None:
    await run_out(case, connect, "4711", tmp_path)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len({case.name for case in INBOUND}) == len(INBOUND) >= 60
    assert len({case.name for case in OUTBOUND}) == len(OUTBOUND) >= 40
