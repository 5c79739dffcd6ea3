"""Messenger's two tables, each row the whole way."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from connectors import messenger
from tests.connectors.cases.messenger_in import INBOUND, PAGE, SECRET, TOKEN, USER, VERIFY
from tests.connectors.cases.messenger_out import OUTBOUND, PICTURE
from tests.connectors.table import In, Out, run_in, run_out
from tests.kit.http import patience
from tests.kit.waiting import PATIENCE


def connect(api_url: str = "") -> messenger.Messenger:
    return messenger.Messenger(
        messenger.MessengerAccount(
            account="page",
            page_id=PAGE,
            token=TOKEN,
            app_secret=SECRET,
            verify_token=VERIFY,
            api_url=api_url,
            human_agent=True,
            agent_picture=PICTURE,
        )
    )


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    timeout = aiohttp.ClientTimeout(total=None, connect=PATIENCE, sock_read=patience(request))
    monkeypatch.setattr(messenger, "TIMEOUT", timeout)


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
async def test_a_webhook_is_stored(case: In, tmp_path: Path) -> None:
    await run_in(case, connect(), tmp_path)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_a_content_is_sent(case: Out, tmp_path: Path) -> None:
    await run_out(case, connect, USER, tmp_path)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len({case.name for case in INBOUND}) == len(INBOUND) >= 60
    assert len({case.name for case in OUTBOUND}) == len(OUTBOUND) >= 40
