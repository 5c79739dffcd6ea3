"""The tables of the web chat: frames in and what is stored, contents out and their frames."""

from __future__ import annotations

import json

import pytest

from bot.message import Address, encode
from connectors.render import render
from connectors.webchat import WebChat
from tests.connectors.cases.webchat_in import INBOUND, ME, Said
from tests.connectors.cases.webchat_out import OUTBOUND, Shown
from tests.connectors.test_webchat import chat, id_of, page
from tests.kit.host import MemoryHost, gateway


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
async def test_said(case: Said) -> None:
    host = MemoryHost()
    async with gateway(host, chat()) as url, page(url) as visitor:
        await visitor.hello()
        await visitor.say(**{"id": id_of(1), **case.frame})
        answer = await visitor.hear()
        assert (answer["type"], answer["id"]) == (case.answer, id_of(1))
        assert case.reason in answer.get("reason", "")
        # The connection goes on, whatever it was.
        assert (await visitor.send(id_of(2), "next"))["type"] == "ack"
    *stored, following = host.inbound
    assert following.provider_id == f"{visitor.user}.{id_of(2)}"
    assert host.receipts == []
    if case.stored is None:
        assert stored == []
        return
    (inbound,) = stored
    expected = json.loads(json.dumps(encode(case.stored)).replace(ME, visitor.user))
    assert encode(inbound.content) == expected
    assert inbound.reply_to == case.reply_to.replace(ME, visitor.user)
    assert inbound.provider_id == f"{visitor.user}.{id_of(1)}"
    assert inbound.address == Address("webchat", "site", visitor.user)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_shown(case: Shown) -> None:
    host = MemoryHost()
    contents = render(case.content, WebChat.capabilities)
    assert contents == list(case.contents)
    async with gateway(host, chat()) as url, page(url) as visitor:
        await visitor.hello()
        for content in contents:
            await host.send(Address("webchat", "site", visitor.user), content)
        frames = [await visitor.hear() for _ in contents]
    assert [f["content"] for f in frames] == [encode(c) for c in contents]
    if frames:
        assert frames[0]["styled"] == case.styled


def test_every_case_has_a_name_of_its_own() -> None:
    for table in (INBOUND, OUTBOUND):
        names = [case.name for case in table]
        assert len(set(names)) == len(names)
