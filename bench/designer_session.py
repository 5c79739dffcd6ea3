"""Records a designer's session: real commands on a copy of the project, and a running bot.

``python -m bench.designer_session [FILE]``, some minutes, for models are trained three times. The
record is printed and, with FILE, written: what was typed, all that was printed, the changes
of files, what a customer's phone showed, and how long each step took. The copy is ``~/shop``,
which must not exist and is removed in the end.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.running import ROOT, free_port
from bot.dialogue.brain import newest
from bot.sandbox.credentials import ACCOUNT
from bot.store import open_store
from bot.store.messages import Message

PROJECT = ("config.yml", "domain.yml", "endpoints.yml", "data", "actions", "tests/stories")
HELD_OUT = "tests/nlu"
# How `bot watch` ends when nothing is wrong.
CHECKED = ("all is well", "no error")
SECONDS = 600.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*[mK]")
# A phone of the sandbox, and who holds it.
PHONE = {"channel": "telegram", "user": "700042", "name": "Amara Osei"}

JOBS = """  - intent: jobs
    examples: |
      - do you have vacancies at the moment
      - Is there a job for me in your warehouse?
      - do you have a job vacancy
      - do you have any jobs
      - are you hiring
      - are you looking for staff
      - can i work for you
      - i'd like to work in your store
      - how do i apply for a job
      - where do i send my application
      - r u hiring rn?
      - any open positions
      - do you take on trainees
      - is there a weekend job going
      - i'm looking for work
      - who do i ask about a job in the shop
"""
JOBS_HELD_OUT = """  - intent: jobs
    examples: |
      - do you need people in the shop
      - i want to apply for a job at yours
      - are there any vacancies in the store
      - hiring at the moment?
      - could i get a job with you
      - do you have work for a student
      - where can i apply
      - any jobs going?
"""
JOBS_RULE = """
  - rule: Who looks for a job
    steps:
      - intent: jobs
      - action: utter_jobs
"""
JOBS_STORY = """
  - story: Who looks for a job
    steps:
      - user: |
          are you hiring
        intent: jobs
      - action: utter_jobs
"""
JOBS_WORDS = """  utter_jobs:
    - text: "We'd love to hear from you! Write to help@larkfield.example what you'd like to do."
"""
ELSEWHERE = {
    "data/nlu/question.yml": JOBS.splitlines(True)[2:5],
    "data/nlu/service.yml": JOBS.splitlines(True)[5:6],
}


class Session:
    """A terminal, a file editor and a phone; all that happens is written down."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.lines: list[str] = []
        self.began = time.monotonic()
        self.gateway = f"http://127.0.0.1:{free_port()}"
        self.sandbox = f"http://127.0.0.1:{free_port()}"
        ports = {"SERVER": self.gateway, "SANDBOX": self.sandbox}
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FRONTDESK")},
            **{f"FRONTDESK__{k}__PORT": v.rpartition(":")[2] for k, v in ports.items()},
            **{"PYTHONPATH": str(ROOT), "LOGNAME": "anna", "COLUMNS": "100"},
            **{"TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"},
            **{"RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"},
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def write(self, text: str = "") -> None:
        """Write a line down, without what is this machine's own."""
        for path, shown in ((self.place, "~/shop"), (ROOT, "frontdesk"), (Path.home(), "~")):
            text = text.replace(str(path), shown)
        for line in text.split("\n"):
            self.lines.append(line.rstrip())
            print(line.rstrip(), flush=True)

    def tell(self, text: str) -> None:
        """Begin a part of the session."""
        self.write(f"\n# {text}  [{time.monotonic() - self.began:.0f} s]")

    def run(self, *words: str, shown: str = "") -> str:
        """Run a command of ``bot`` to its end; return what it printed."""
        self.write(f"\n$ {shown or ' '.join(['bot', *words])}")
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *words],
            cwd=self.place,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )
        said = _COLOURS.sub("", done.stdout.decode("utf-8", "replace")).rstrip()
        self.write(said)
        self.write(f"[exit status {done.returncode}, {time.monotonic() - began:.1f} s]")
        return said

    def begin(self, *words: str) -> Path:
        """Start a command that goes on in a terminal of its own; return where it talks to."""
        self.write(f"\n$ {' '.join(['bot', *words])}    (in a terminal of its own)")
        log = self.place / f".{words[0]}.log"
        with log.open("wb") as output:
            self._running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "bot.cli", *words],
                    cwd=self.place,
                    env=self.environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
        return log

    def end(self, number: int = -1) -> None:
        """End the command that was started last, as Ctrl-C does."""
        process = self._running.pop(number)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End all that runs."""
        while self._running:
            self.end()

    def edit(self, name: str, change: Callable[[str], str]) -> str:
        """Save a file with a change, which is shown; return the text it had."""
        path = self.place / name
        before = path.read_text("utf-8")
        after = change(before)
        if after == before:
            raise RuntimeError(f"{name} is not what it was when this was written")
        path.write_text(after, "utf-8")
        halves = before.splitlines(), after.splitlines()
        self.write(f"\n{name}, saved:")
        for line in list(difflib.unified_diff(*halves, lineterm="", n=1))[2:]:
            self.write(f"  {line}")
        return before

    def ask(self, text: str, show: bool = True) -> str:
        """Write from the phone; return what the bot answers. It is written down, with the time."""
        began = time.monotonic()
        known = len(self._heard())
        self._say(text)
        while len(heard := self._heard()) == known:
            if time.monotonic() - began > 60:
                raise TimeoutError(f"no answer to {text!r}")
            time.sleep(0.02)
        answer = str(heard[known]["text"])
        if show:
            self._talked(text, answer, f"{(time.monotonic() - began) * 1e3:.0f} ms")
        return answer

    def ask_until(self, text: str, words: str, since: float) -> None:
        """Write again and again until the answer has these words; tell since when they are."""
        while words not in (answer := self.ask(text, show=False)):
            if time.monotonic() - since > 60:
                raise TimeoutError(f"{text!r} is answered by {answer!r}")
        self._talked(text, answer, f"{time.monotonic() - since:.1f} s later")

    def last_message(self) -> str:
        """Return the id of what the phone wrote last."""
        store = open_store(f"sqlite:{self.place / 'var' / 'bot.db'}")
        try:
            where = {"conversation": f"{PHONE['channel']}:{ACCOUNT}:{PHONE['user']}"}
            found = store.find(Message, {**where, "direction": "in"}, sort=("-arrived",), limit=1)
            return str(found[0].id)
        finally:
            store.close()

    def _talked(self, said: str, answer: str, when: str) -> None:
        self.write(f"\nphone  > {said}")
        self.write(f"phone  < {answer}".replace("\n", "\n         "))
        self.write(f"[{when}]")

    def _heard(self) -> list[dict[str, Any]]:
        query = urllib.parse.urlencode({k: PHONE[k] for k in ("channel", "user")})
        with urllib.request.urlopen(f"{self.sandbox}/control/messages?{query}") as answer:
            found: list[dict[str, Any]] = json.load(answer)["messages"]
        return [one for one in found if one["direction"] == "out"]

    def _say(self, text: str) -> None:
        request = urllib.request.Request(
            f"{self.sandbox}/control/say",
            json.dumps({**PHONE, "text": text}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()


def wait(true: Callable[[], bool], what: str) -> None:
    """Return once `true` holds. Raises TimeoutError naming `what`."""
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


def says(log: Path, words: str, times: int = 1) -> Callable[[], bool]:
    """Tell whether a command that goes on said so."""
    return lambda: log.read_text("utf-8", "replace").count(words) >= times


def after(anchor: str, more: str) -> Callable[[str], str]:
    """Return a change: `more` behind the first line that has `anchor`."""

    def change(text: str) -> str:
        end = text.index("\n", text.index(anchor)) + 1
        return text[:end] + more + text[end:]

    return change


def below(more: str) -> Callable[[str], str]:
    """Return a change: `more` at the end of the file."""
    return lambda text: text.rstrip("\n") + "\n" + more


def without(lines: list[str]) -> Callable[[str], str]:
    """Return a change: these lines taken out."""

    def change(text: str) -> str:
        for line in lines:
            text = text.replace(line, "", 1)
        return text

    return change


def play(session: Session) -> None:
    """The session."""
    session.tell("A running bot, and a customer's phone in the sandbox")
    running = session.begin("run")
    wait(says(running, "ready, model"), f"the bot is not ready, see {running}")
    session.write(f"gateway  {session.gateway}\nphones   {session.sandbox}")
    session.ask("hello")

    session.tell("Other words, without training")
    watching = session.begin("watch", "--no-train")
    wait(lambda: any(says(watching, one)() for one in CHECKED), "bot watch says nothing")
    shown = len(watching.read_text("utf-8"))
    session.edit(
        "domain.yml",
        lambda text: text.replace(
            "Hello! I'm the assistant of Larkfield Goods. What can I do for you?",
            "Good to see you! I'm the assistant of Larkfield Goods. How can I help?",
        ),
    )
    saved = time.monotonic()
    wait(says(watching, "responses are live"), "the words are not live")
    session.write(f"\n(bot watch)\n{watching.read_text('utf-8')[shown:].rstrip()}")
    session.ask_until("hello", "Good to see you!", saved)
    session.end()
    session.write("\n(bot watch is ended by Ctrl-C)")

    session.tell("A new intent: who looks for a job. Until now that was one question of many")
    before = session.ask("are you hiring")
    session.edit("domain.yml", after("  - store_location", "  - jobs\n"))
    session.edit("domain.yml", after("responses:", JOBS_WORDS))
    for name, lines in ELSEWHERE.items():
        session.edit(name, without(lines))
    session.edit("data/nlu/contact.yml", below(JOBS))
    session.edit("data/rules/contact.yml", below(JOBS_RULE))
    session.edit("tests/nlu/heldout.yml", lambda text: text.rstrip("\n") + "\n" + JOBS_HELD_OUT)
    session.edit(
        "tests/stories/test_service.yml", lambda text: text.rstrip("\n") + "\n" + JOBS_STORY
    )
    session.run("check")
    session.run("train")
    promoted = time.monotonic()
    session.ask_until("are you hiring", "We'd love to hear from you!", promoted)

    session.tell("A change for the worse: thanks among the goodbyes, and a rule goes astray")
    good = {
        name: session.edit(name, change)
        for name, change in (
            ("data/nlu/smalltalk.yml", _thanks_are_goodbyes),
            (
                "data/rules/store.yml",
                lambda text: text.replace("action: action_store_location", "action: action_topic"),
            ),
        )
    }
    session.run("train")
    session.ask("where is your store?")
    session.write("\n(the two files are put back as they were)")
    for name, text in good.items():
        (session.place / name).write_text(text, "utf-8")
    session.run("train")

    session.tell("Back to the model before")
    session.run(
        *("models", "rollback", "--why", "applications go to the store, not to the help desk"),
        shown="bot models rollback --why 'applications go to the store, not to the help desk'",
    )
    back = time.monotonic()
    session.ask_until("are you hiring", before, back)
    session.run("models", "list", "--history")

    session.tell("Why that answer?")
    session.run("why", session.last_message())


def _thanks_are_goodbyes(text: str) -> str:
    lines = text.splitlines(True)
    begin = lines.index("  - intent: thank\n") + 2
    moved = lines[begin : begin + 24]
    rest = lines[:begin] + lines[begin + 24 :]
    at = rest.index("  - intent: goodbye\n") + 2
    return "".join(rest[:at] + moved + rest[at:])


def copy(place: Path) -> None:
    """Copy the project, and the model that it has, so that the first start is quick."""
    for part in (*PROJECT, HELD_OUT):
        (place / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / part, place / part)
    (place / "models").mkdir()
    shutil.copy2(newest(ROOT / "models"), place / "models")


def check(lines: list[str]) -> None:
    """Raise RuntimeError when a path of this machine got into the record."""
    secret = [str(ROOT), str(Path.home()), tempfile.gettempdir(), "site-packages"]
    for line in lines:
        if any(path in line for path in secret):
            raise RuntimeError(f"this is not to be shown: {line}")


def main(file: str) -> int:
    """Play the session and write it down."""
    place = Path.home() / "shop"
    place.mkdir()
    session = Session(place)
    try:
        copy(place)
        play(session)
    finally:
        session.close()
        shutil.rmtree(place, ignore_errors=True)
    check(session.lines)
    if file:
        Path(file).write_text("\n".join(session.lines).strip("\n") + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
