"""Every row of the SMS tables, from the gateway to the store and from the outbox to Twilio."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sms import Sms
from tests.connectors.cases.sms_in import ACCOUNT_SID, INBOUND, NUMBER, PUBLIC_URL, TOKEN, USER
from tests.connectors.cases.sms_out import OUTBOUND
from tests.connectors.table import In, Out, run_in, run_out


def connect(api_url: str = "") -> Sms:
    return Sms(
        Sms.Account(
            account="shop",
            account_sid=ACCOUNT_SID,
            auth_token=TOKEN,
            public_url=PUBLIC_URL,
            sender=NUMBER,
            messages_per_second=1000.0,
            api_url=api_url,
        )
    )


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
async def test_inbound(case: In, tmp_path: Path) -> None:
    await run_in(case, connect(), tmp_path)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_outbound(case: Out, tmp_path: Path) -> None:
    await run_out(case, connect, USER, tmp_path)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len({case.name for case in INBOUND}) == len(INBOUND) >= 60
    assert len({case.name for case in OUTBOUND}) == len(OUTBOUND) >= 40
