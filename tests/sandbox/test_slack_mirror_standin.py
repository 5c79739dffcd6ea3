"""The mirror against the sandbox's Slack: what it posts is what the workspace has."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.desk.routing import Route
from bot.desk.slack.client import SlackClient
from bot.desk.slack.mirror import Mirror
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault, key_of
from bot.message import Address, Inbound, Media, Profile, Text, encode, utcnow
from bot.settings import SlackAccount
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import WAITING, Conversation
from bot.store.files import KEPT, wanted
from bot.store.messages import READ, SENT, Message, arrival, to_message
from bot.store.slack import SlackThread
from tests.kit.at_desk import PEOPLE, routing
from tests.kit.processes import QUICK
from tests.kit.waiting import until

AMARA = Address("line", "shop", "amara")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c"
    "63000100000500010d0a2db40000000049454e44ae426082"
)


def arrives(content: Any, n: int) -> Message:
    profile = Profile("Amara Osei")
    return to_message(Inbound(AMARA, f"a-{n}", content, utcnow(), profile=profile))


async def test_a_case_is_shown_in_the_workspace(
    phones: Any, store: AsyncStore, tmp_path: Path
) -> None:
    now = utcnow()
    said = [arrives(Text("hello <!here>"), 1), arrives(Text("a person, please"), 2)]
    picture = arrives(Media("image", ref="x", filename="mug.png"), 3)
    (file,) = wanted(picture)
    vault = AsyncVault(FolderVault(tmp_path / "media"))
    await vault.put(key_of(PIXEL), PIXEL, "image/png")
    file.status, file.key, file.filename = KEPT, key_of(PIXEL), "mug.png"
    talk = Conversation(id=AMARA.key, holder=WAITING, lease_until=now, created=now)
    case = Case(id=said[1].id, conversation=AMARA.key, topic="human", summary="a person", at=now)
    answer = Message(
        id="out:1",
        direction="out",
        conversation=AMARA.key,
        channel="line",
        account="shop",
        status=SENT,
        content=encode(Text("**Hi**, Anna here")),
        arrived=arrival(),
        sent=now,
        due=now,
        agent="Anna Keller",
    )
    for row in (*said, picture, file, talk, case, answer):
        await store.insert(row)

    given = phones.accounts["slack"]
    account = SlackAccount(**{**given, "api_url": f"{phones.url}/slack"})
    client = SlackClient(account)
    mirror = Mirror(
        store,
        {account.account: client},
        [account],
        replace(routing(), routes=(Route("all"),)),
        PEOPLE,
        QUICK,
        vault=vault,
        pace=0.0,
    )
    running = asyncio.create_task(mirror.run())
    workspace = phones.sandbox.slack.workspace

    def thread() -> list[Any]:
        roots = workspace.roots(account.channel)
        return list(workspace.replies(account.channel, roots[-1].ts)) if roots else []

    def has(*parts: str) -> bool:
        shown = [m for m in thread() if m.ts != workspace.roots(account.channel)[-1].ts]
        return len(shown) == len(parts) and all(
            part in (m.text or str([f.name for f in m.files]))
            for part, m in zip(parts, shown, strict=True)
        )

    try:
        first = ("hello &lt;", "a person, please", "mug.png", "mug.png", "*Hi*, Anna here")
        await until(lambda: has(*first))
        (root,) = workspace.roots(account.channel)
        assert "Amara Osei" in root.text
        await store.change(Message, {"id": "out:1"}, set={"status": READ})
        await until(lambda: len(thread()[-1].reactions) == 2)
        assert set(thread()[-1].reactions) == {"white_check_mark", "eyes"}
        await phones.post("slack/delete", 200, agent="U0ANNA", channel=account.channel, ts=root.ts)
        where = {"channel": account.channel, "ts": root.ts}
        assert await store.change(SlackThread, where, set={"ts": ""})
        await until(lambda: has("was deleted in Slack", "mug.png"))
    finally:
        await mirror.stop()
        running.cancel()
        await client.close()
