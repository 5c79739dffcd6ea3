"""``bot run``: gateway, worker and, without real accounts, the sandbox, supervised."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from bot import logs, serve
from bot.sandbox import credentials
from bot.sandbox.errors import SandboxError
from bot.settings import Settings
from bot.store import StoreError
from bot.store.models import POINTER, ModelInUse
from bot.supervisor import Child, Supervisor, ctrl_c_is_ours

log = logging.getLogger(__name__)

CANNOT_START = 2


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run everything until told to stop; return the exit status.

    2 when a port is taken, or when the sandbox would stand beside a real account.
    """
    logs.configure("run")
    gateway = serve.address_of(settings)
    sandbox = ""
    if args.sandbox or not settings.channels:
        if settings.slack or settings.console:
            print("the sandbox has agents of its own: slack and console of credentials.yml rest")
        try:
            real = {**settings.channels, credentials.SLACK: settings.slack}
            credentials.refuse_real(real, serve.sandbox_of(settings))
        except SandboxError as error:
            print(error, file=sys.stderr)
            return CANNOT_START
        sandbox = serve.sandbox_of(settings)
    listeners: dict[str, socket.socket] = {}
    try:
        if sandbox:
            listeners["sandbox"] = serve.listen(settings.sandbox.host, settings.sandbox.port)
        listeners["gateway"] = serve.listen(settings.server.host, settings.server.port)
    except serve.CannotListen as error:
        print(error, file=sys.stderr)
        return CANNOT_START

    environ = {}
    if sandbox:
        environ["CREDENTIALS_FILE"] = str(credentials.ensure(settings.var, gateway, sandbox))
        if not settings.server.public_url:
            # The stand-ins are on this machine and reach the gateway by its own address.
            environ["FRONTDESK__SERVER__PUBLIC_URL"] = gateway
        environ.update(sandbox_mail(settings))
        if args.llm and not settings.llm:
            environ["FRONTDESK__LLM__0__URL"] = f"{sandbox}/llm/v1"
            environ["FRONTDESK__LLM__0__MODEL"] = "honest"
            # It is on this machine: pictures and recordings may go to it as they are.
            environ["FRONTDESK__LLM__0__VISION"] = "true"
            if settings.transcription.engine == "none":
                environ["FRONTDESK__TRANSCRIPTION__ENGINE"] = "endpoint"
                environ["FRONTDESK__TRANSCRIPTION__URL"] = f"{sandbox}/llm/v1"
                environ["FRONTDESK__TRANSCRIPTION__MODEL"] = "honest"
    return asyncio.run(_supervise(args, settings, sandbox, environ, listeners))


def sandbox_mail(settings: Settings) -> dict[str, str]:
    """Return the settings by which all mails go to the sandbox, and none to a real server."""
    host, port = settings.sandbox.host, settings.sandbox.mail_port
    with serve.listen(host, port) as found:
        # Free, and the same for a sandbox that is started again.
        port = found.getsockname()[1]
    return {
        "FRONTDESK__SANDBOX__MAIL_PORT": str(port),
        "FRONTDESK__MAIL__URL": f"smtp://{f'[{host}]' if ':' in host else host}:{port}",
        "FRONTDESK__MAIL__FROM": "Larkfield Goods <help@larkfield.example>",
        "FRONTDESK__MAIL__USER": "",
        "FRONTDESK__MAIL__PASSWORD": "",
    }


async def _supervise(
    args: argparse.Namespace,
    settings: Settings,
    sandbox: str,
    environ: dict[str, str],
    listeners: dict[str, socket.socket],
) -> int:
    files = _file_arguments(args, sandbox)
    supervisor = Supervisor(settings.limits.restart_cap_seconds)
    stopping = asyncio.create_task(serve.told_to_stop())
    # The sockets outlive who listens: while the gateway or the sandbox starts, or starts again
    # after a crash, requests wait in its socket's queue and are not refused.
    for role, listener in listeners.items():
        inherited = {**environ, serve.LISTENER: str(listener.fileno())}
        supervisor.start(Child(role, files, inherited, (listener.fileno(),)))
    print(f"gateway  {serve.address_of(settings)}", flush=True)
    if sandbox:
        print(f"phones   {sandbox}", flush=True)
        # The sandbox's own, of no use anywhere else.
        for login in credentials.logins(Path(environ["CREDENTIALS_FILE"])):
            print(f"console  {serve.address_of(settings)}/console  {login}", flush=True)
    elif settings.console:
        print(f"console  {serve.address_of(settings)}/console", flush=True)
    training = asyncio.create_task(_beside(files, "train"))
    # Workers answer without articles until this is done, and take them up then.
    learning = asyncio.create_task(_beside(files, "knowledge", "sync"), name="knowledge")
    await asyncio.wait({training, stopping}, return_when=asyncio.FIRST_COMPLETED)
    status = 0
    if training.done():
        status = training.result()
        if status and await _has_model(settings):
            # A mistake in the training data must not keep a bot from starting that
            # answered well before it.
            log.error("no new model, going on with the one there is")
            status = 0
        if status == 0:
            supervisor.start(Child("worker", files, environ))
            if sandbox and args.open:
                webbrowser.open(sandbox)
            await stopping
    training.cancel()
    learning.cancel()
    await asyncio.gather(supervisor.stop(), training, learning, return_exceptions=True)
    return status


async def _has_model(settings: Settings) -> bool:
    if await asyncio.to_thread(_has_file, Path(settings.model)):
        return True
    store = serve.store_of(settings)
    try:
        return await store.get(ModelInUse, POINTER) is not None
    except StoreError:
        return False
    finally:
        await store.close()


def _has_file(folder: Path) -> bool:
    return any(folder.glob("*.tar.gz"))


async def _beside(files: Sequence[str], command: str, *verb: str) -> int:
    """Run a command in a process of its own: the memory of its libraries goes with it."""
    with ctrl_c_is_ours():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", command, *files, *verb),
            stdout=asyncio.subprocess.DEVNULL,
        )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise


def _file_arguments(args: argparse.Namespace, sandbox: str) -> list[str]:
    arguments = []
    if args.endpoints:
        arguments += ["--endpoints", str(args.endpoints)]
    # The sandbox's credentials come by CREDENTIALS_FILE, which an argument would override.
    if args.credentials and not sandbox:
        arguments += ["--credentials", str(args.credentials)]
    if args.var:
        arguments += ["--var", str(args.var)]
    return arguments
