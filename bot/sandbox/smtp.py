"""A mail server's stand-in: takes every mail, as strictly as RFC 5321 has it, and delivers none.

https://www.rfc-editor.org/rfc/rfc5321: the order of commands (4.1.4), the ends of lines (2.3.8:
a lone LF or CR ends nothing, and is refused), the lengths of lines (4.5.3.1.4 and .6), dots at
the beginning of lines (4.5.2). Of extensions it has SIZE and 8BITMIME.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import re
from collections import deque
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from bot.ending import end
from bot.message import utcnow

KEEP = 50
_COMMAND, _LINE = 512, 1000
_SIZE = 1024 * 1024
_SILENCE = 300.0
_PATH = re.compile(
    r"(FROM|TO):<([^<>\s@]{1,64}@[A-Za-z0-9.\[\]:-]{1,255})?>((?: [A-Za-z0-9=-]+)*)\s*", re.I
)


class _Bare(Exception):
    """A line did not end as lines do, or was too long."""


class Smtp:
    """The server, and the box in which all mails are; `told` hears of each."""

    def __init__(self, told: Callable[[dict[str, Any]], None]) -> None:
        self._told = told
        self._server: asyncio.AbstractServer | None = None
        self._open: set[asyncio.Task[None]] = set()
        #: The last mails, oldest first: ``to``, ``from``, ``subject``, ``text``, ``key``, ``at``.
        self.mails: deque[dict[str, Any]] = deque(maxlen=KEEP)
        #: Answers to be given instead of the usual one, by verb, as in ``{"DATA.": "451 busy"}``;
        #: ``DATA.`` is what follows the mail's text. "" closes the connection without a word.
        self.instead: dict[str, str] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_SIZE)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop who is connected."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await end(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            await _Session(self, reader, writer).run()
        writer.close()

    def take(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Put a mail into the box."""
        mail = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
        body = mail.get_body(("plain",))
        found = {
            "from": str(mail["From"] or sender),
            "to": ", ".join(recipients),
            "subject": str(mail["Subject"] or ""),
            "text": str(body.get_content()) if isinstance(body, EmailMessage) else "",
            "key": str(mail["Message-ID"] or ""),
            "at": utcnow().isoformat(),
        }
        self.mails.append(found)
        self._told({"event": "mail", "mail": found})


class _Session:
    def __init__(
        self, server: Smtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._greeted = False
        self._sender: str | None = None
        self._to: list[str] = []

    async def run(self) -> None:
        await self._say("220 sandbox ready")
        while True:
            try:
                line = await self._line(_COMMAND)
            except _Bare:
                await self._say("500 lines end in CRLF, and commands have at most 512 octets")
                return
            verb, _, rest = line.decode("utf-8", "replace").partition(" ")
            verb = verb.upper()
            answer = self._server.instead.get(verb)
            if answer is None:
                answer = await self._data() if verb == "DATA" else self._answer(verb, rest)
            if not answer:
                return
            await self._say(answer)
            if verb == "QUIT":
                return

    def _answer(self, verb: str, rest: str) -> str:
        if verb in ("EHLO", "HELO"):
            if not rest.strip():
                return "501 say who you are"
            self._greeted = True
            self._sender, self._to = None, []
            more = f"250-sandbox\r\n250-SIZE {_SIZE}\r\n250 8BITMIME"
            return more if verb == "EHLO" else "250 sandbox"
        if verb in ("NOOP", "QUIT"):
            return "221 bye" if verb == "QUIT" else "250 ok"
        if verb == "RSET":
            self._sender, self._to = None, []
            return "250 ok"
        if verb not in ("MAIL", "RCPT"):
            return "502 no such command here"
        found = _PATH.fullmatch(rest)
        if found is None or found[1].upper() != ("FROM" if verb == "MAIL" else "TO"):
            return "501 as in MAIL FROM:<a@b.example> and RCPT TO:<c@d.example>"
        if verb == "MAIL":
            if not self._greeted or self._sender is not None:
                return "503 not now"
            self._sender = found[2] or ""
        elif self._sender is None:
            return "503 MAIL comes first"
        elif not found[2]:
            return "501 to whom"
        else:
            self._to.append(found[2])
        return "250 ok"

    async def _data(self) -> str:
        if self._sender is None or not self._to:
            return "503 RCPT comes first"
        await self._say("354 go on, and end with a dot")
        raw = bytearray()
        while True:
            try:
                line = await self._line(_LINE)
            except _Bare:
                # What follows may be read as commands: not by us.
                await self._say("550 lines end in CRLF, and have at most 1000 octets")
                return ""
            if line == b".":
                break
            raw += line.removeprefix(b".") + b"\r\n"
            if len(raw) > _SIZE:
                await self._say("552 too large")
                return ""
        answer = self._server.instead.get("DATA.", "250 taken")
        if answer.startswith("250") or not answer:
            self._server.take(self._sender, self._to, bytes(raw))
        self._sender, self._to = None, []
        return answer

    async def _line(self, most: int) -> bytes:
        line = await asyncio.wait_for(self._reader.readuntil(b"\n"), _SILENCE)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or len(line) > most:
            raise _Bare
        return line[:-2]

    async def _say(self, answer: str) -> None:
        self._writer.write(f"{answer}\r\n".encode())
        await self._writer.drain()
