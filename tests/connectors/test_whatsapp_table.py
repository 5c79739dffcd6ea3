"""WhatsApp's two tables, each row the whole way."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from connectors import whatsapp
from tests.connectors.cases.whatsapp import USER, connector
from tests.connectors.cases.whatsapp_in import INBOUND
from tests.connectors.cases.whatsapp_out import OUTBOUND
from tests.connectors.table import In, Out, run_in, run_out
from tests.kit.http import patience
from tests.kit.waiting import PATIENCE


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatsapp, "TIMEOUT", httpx.Timeout(PATIENCE, read=patience(request)))


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
async def test_a_webhook_is_stored(case: In, tmp_path: Path) -> None:
    await run_in(case, connector(), tmp_path)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_a_content_is_sent(case: Out, tmp_path: Path) -> None:
    await run_out(case, lambda url: connector(url, catalog="C-1"), USER, tmp_path)


def test_each_row_has_a_name_of_its_own() -> None:
    for table in (INBOUND, OUTBOUND):
        names = [case.name for case in table]
        assert len(set(names)) == len(names)
