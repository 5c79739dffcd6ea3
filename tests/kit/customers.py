"""Customers of a running instance: on the sandbox's phones, and in a web chat."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.kit.waiting import until

ACCOUNT = "demo"
#: Seconds a customer waits for an answer before the test fails.
PATIENCE = 60.0

_users = itertools.count(1)


@dataclass(frozen=True)
class Heard:
    """One message of the bot as the customer sees it; `buttons` are (title, payload)."""

    id: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    image: str = ""


class Control:
    """The sandbox's control API."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/control"

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call it; AssertionError when it refuses."""
        async with self._http.post(f"{self._url}/{path}", json=body) as answer:
            said: dict[str, Any] = await answer.json()
            assert answer.status == 200, said
            return said

    async def messages(self, channel: str = "", user: str = "") -> list[dict[str, Any]]:
        """What is on the phones, in order."""
        query = {"channel": channel, "user": user}
        async with self._http.get(f"{self._url}/messages", params=query) as answer:
            found: list[dict[str, Any]] = (await answer.json())["messages"]
            return found

    async def raw(self, channel: str, body: Any, signature: str = "right") -> int:
        """Post a body of our own to the gateway's webhook; return the status."""
        said = await self.post("raw", {"channel": channel, "body": body, "signature": signature})
        return int(said["status"])

    async def fault(self, channel: str, kind: str, **more: Any) -> None:
        """Let a provider fail; see `bot.sandbox.faults.Fault`."""
        await self.post("faults", {"channel": channel, "kind": kind, **more})

    async def upload(self, data: bytes) -> str:
        """Put a file on the phones, to be sent from there; return its URL."""
        headers = {"Content-Type": "application/octet-stream"}
        async with self._http.post(f"{self._url}/files", data=data, headers=headers) as answer:
            said: dict[str, Any] = await answer.json()
            assert answer.status == 200, said
            return str(said["url"])

    async def lift(self) -> None:
        """End all faults."""
        async with self._http.delete(f"{self._url}/faults") as answer:
            assert answer.status == 200

    async def state(self) -> dict[str, Any]:
        """What the sandbox knows of the gateway."""
        async with self._http.get(f"{self._url}/state") as answer:
            found: dict[str, Any] = await answer.json()
            return found


class Customer:
    """Says things and hears answers."""

    channel: str
    user: str

    @property
    def conversation(self) -> str:
        """The `_id` of the conversation."""
        return f"{self.channel}:{ACCOUNT}:{self.user}"

    async def say(self, text: str) -> None:
        """Write something."""
        raise NotImplementedError

    async def press(self, payload: str) -> None:
        """Press the newest button of that payload."""
        raise NotImplementedError

    async def show(self, png: bytes, caption: str = "") -> None:
        """Send a picture."""
        raise NotImplementedError

    async def give(self, data: bytes, type: str, mime: str) -> None:
        """Send a file, as the customers of this channel do; `type` as `bot.message` has it."""
        raise NotImplementedError

    async def heard(self) -> list[Heard]:
        """Everything the bot said so far, in order."""
        raise NotImplementedError

    async def hears(self, count: int) -> list[Heard]:
        """Wait until the bot said `count` things in all, and return them."""

        async def enough() -> list[Heard] | None:
            found = await self.heard()
            return found if len(found) >= count else None

        try:
            found: list[Heard] = await until(enough, timeout=PATIENCE, pause=0.03)
        except AssertionError:
            texts = [h.text for h in await self.heard()]
            raise AssertionError(f"{self.conversation}: heard only {texts}") from None
        return found

    async def ask(self, text: str, answers: int = 1) -> list[Heard]:
        """Say something and return the next `answers`."""
        before = len(await self.heard())
        await self.say(text)
        return (await self.hears(before + answers))[before:]

    async def choose(self, payload: str, answers: int = 1) -> list[Heard]:
        """Press a button and return the next `answers`."""
        before = len(await self.heard())
        await self.press(payload)
        return (await self.hears(before + answers))[before:]


class Phone(Customer):
    """A customer on one of the sandbox's phones."""

    def __init__(self, control: Control, channel: str, user: str) -> None:
        self.control = control
        self.channel = channel
        self.user = user

    async def _say(self, **what: Any) -> str:
        body = {"channel": self.channel, "user": self.user, "name": "Ada Lovelace", **what}
        return str((await self.control.post("say", body))["id"])

    async def say(self, text: str, **more: Any) -> None:
        await self._say(text=text, **more)

    async def press(self, payload: str, **more: Any) -> None:
        await self._say(payload=payload, **more)

    async def show(self, png: bytes, caption: str = "") -> None:
        words = {"text": caption} if caption else {}
        await self._say(image=data_url(png), **words)

    async def give(self, data: bytes, type: str, mime: str) -> None:
        # MMS know no voice notes, only sound.
        kind = "audio" if type == "voice" and self.channel == "sms" else type
        url = await self.control.upload(data)
        await self._say(content={"kind": "media", "type": kind, "url": url, "mime": mime})

    async def send_raw(self, raw: dict[str, Any]) -> None:
        """Let the provider send an object of our own in this customer's name."""
        await self._say(raw=raw)

    async def heard(self) -> list[Heard]:
        found = await self.control.messages(self.channel, self.user)
        return [heard(m) for m in found if m["direction"] == "out"]


class Visitor(Customer):
    """A visitor of the web chat, who reconnects for as long as it takes.

    As the widget does, it says one thing after another, each until it is acknowledged.
    """

    channel = "webchat"

    def __init__(
        self,
        http: aiohttp.ClientSession,
        gateway_url: str,
        origin: str,
        like: Visitor | None = None,
    ) -> None:
        """With `like`, be the same visitor in a page that has nothing to show yet."""
        self._http = http
        self._url = f"{gateway_url.replace('http', 'ws', 1)}/chat/{ACCOUNT}"
        self._headers = {"Origin": origin}
        self._token: str | None = like._token if like else None
        self._after = 0
        self._heard: list[Heard] = []
        self._to_say: deque[dict[str, Any]] = deque()
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self.refused: list[str] = []
        self.connections = 0
        self._living = asyncio.create_task(self._live())

    @property
    def user(self) -> str:  # type: ignore[override]
        """The id that the connector makes of the token."""
        return hashlib.sha256((self._token or "").encode()).hexdigest()[:32]

    async def close(self) -> None:
        """Go away."""
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)

    @property
    def unsaid(self) -> int:
        """How much of what was said is not acknowledged yet."""
        return len(self._to_say)

    async def say(self, text: str) -> None:
        await self.frame({"type": "send", "text": text})

    async def press(self, payload: str) -> None:
        for one in reversed(self._heard):
            for title, offered in one.buttons:
                if offered == payload:
                    frame = {"type": "choose", "payload": payload, "title": title, "of": one.id}
                    return await self.frame(frame)
        raise AssertionError(f"no button {payload} was offered")

    async def show(self, png: bytes, caption: str = "") -> None:
        assert not caption, "the web chat's pictures have no captions"
        await self.frame({"type": "image", "data": data_url(png)})

    async def give(self, data: bytes, type: str, mime: str) -> None:
        await until(lambda: self._token)
        frame = {"type": "file", "id": str(uuid.uuid4()), "filename": "f", "voice": type == "voice"}
        headers = {
            "Authorization": f"Bearer {self._token}",
            "X-Chat-Message": quote(json.dumps(frame)),
            "Content-Type": mime,
            **self._headers,
        }
        url = f"{self._url.replace('ws', 'http', 1)}/files"
        async with self._http.post(url, data=data, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def frame(self, frame: dict[str, Any]) -> None:
        """Say something by a frame of our own; its id is added."""
        self._to_say.append({**frame, "id": str(uuid.uuid4())})
        if len(self._to_say) == 1:
            await self._send()

    async def heard(self) -> list[Heard]:
        return list(self._heard)

    async def _live(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
                async with self._http.ws_connect(self._url, headers=self._headers) as socket:
                    self.connections += 1
                    hello = {"type": "hello", "token": self._token, "after": self._after}
                    await socket.send_json(hello)
                    await self._listen(socket)
            self._socket = None
            await asyncio.sleep(0.1)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        async for received in socket:
            if received.type is not aiohttp.WSMsgType.TEXT:
                return
            frame = json.loads(received.data)
            kind = frame["type"]
            if kind == "welcome":
                self._token, self._socket = frame["token"], socket
                await self._send()
            elif kind == "message":
                self._after = max(self._after, frame["order"])
                self._heard.append(_shown(frame["id"], frame["content"]))
                await socket.send_json({"type": "seen", "id": frame["id"]})
            elif kind in ("ack", "refused"):
                if kind == "refused":
                    self.refused.append(frame["reason"])
                if self._to_say and self._to_say[0]["id"] == frame["id"]:
                    self._to_say.popleft()
                await self._send()
            elif kind == "retry":
                await asyncio.sleep(frame["after"])
                await self._send()

    async def _send(self) -> None:
        if self._socket is not None and self._to_say:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._socket.send_json(self._to_say[0])


def new_user(channel: str) -> str:
    """Return the id of a user whom no test has used, as the provider has them."""
    number = next(_users)
    return {
        "telegram": str(700_000 + number),
        "whatsapp": str(447_700_900_000 + number),
        "messenger": str(4_100_000_000_000_000 + number),
        "sms": f"+{447_700_950_000 + number}",
    }[channel]


def heard(entry: dict[str, Any]) -> Heard:
    """Read what the bot said from an entry of the control API."""
    rows: Sequence[Sequence[dict[str, str]]] = entry["buttons"]
    buttons = tuple((b["title"], b["payload"]) for row in rows for b in row if "payload" in b)
    return Heard(entry["id"], entry["text"], buttons, entry["image"])


def _shown(id: str, content: dict[str, Any]) -> Heard:
    options = content.get("options", ())
    return Heard(
        id,
        content.get("text") or content.get("caption") or "",
        tuple((o["title"], o["payload"]) for o in options),
        content.get("url", "") if content["kind"] == "media" else "",
    )


def data_url(png: bytes) -> str:
    """Return a PNG as the data URL that pages send."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
