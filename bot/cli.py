"""The `bot` command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bot import knowledge_verbs, learn_verbs, logs
from bot.llm.errors import PromptInvalid
from bot.settings import Settings, SettingsInvalid, load
from connectors import CHANNELS, connector_class

#: Exit statuses beside 0 and 1: something is set wrong; the model is missing or unusable.
INVALID, NO_MODEL = 2, 3

Work = Callable[[argparse.Namespace], int]


def settings_of(args: argparse.Namespace) -> Settings:
    """Load the settings that the command line names. Raises SettingsInvalid."""
    return load(
        channels=CHANNELS,
        schema_of=lambda channel: connector_class(channel).Account,
        endpoints=args.endpoints,
        credentials=args.credentials,
        var=args.var,
    )


def _run(args: argparse.Namespace) -> int:
    from bot.run import run

    settings = settings_of(args)
    return INVALID if _wrong_files(settings) else run(args, settings)


def _wrong_files(settings: Settings) -> bool:
    """Say what is wrong in ``data/``, before anything is started that would fail at it."""
    from bot.data_files import mappings_of, wrong_files
    from bot.senses.whisper import missing

    wrong = wrong_files(routing=settings.desk.routing, mappings=mappings_of(settings))
    wrong += missing(settings.transcription)
    for line in wrong:
        print(line, file=sys.stderr)
    return bool(wrong)


def _gateway(args: argparse.Namespace) -> int:
    from bot import serve

    logs.configure("gateway")
    try:
        return asyncio.run(serve.gateway(settings_of(args)))
    except serve.CannotListen as error:
        print(error, file=sys.stderr)
        return INVALID


def _sandbox(args: argparse.Namespace) -> int:
    from bot import serve
    from bot.sandbox import credentials
    from bot.sandbox.errors import SandboxError
    from bot.sandbox.server import serve as stand_in

    logs.configure("sandbox")
    settings = settings_of(args)
    gateway, page = serve.address_of(settings), serve.sandbox_of(settings)

    async def until_stopped() -> None:
        serving = asyncio.create_task(
            stand_in(
                credentials=credentials.ensure(settings.var, gateway, page),
                gateway_url=gateway,
                host=settings.sandbox.host,
                listener=listener,
                mail_port=settings.sandbox.mail_port,
            )
        )
        stopping = asyncio.create_task(serve.told_to_stop())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    try:
        listener = serve.listener(settings.sandbox.host, settings.sandbox.port)
        asyncio.run(until_stopped())
    except (SandboxError, serve.CannotListen) as error:
        print(error, file=sys.stderr)
        return INVALID
    return 0


def _worker(args: argparse.Namespace) -> int:
    from bot import serve, zygote
    from bot.dialogue.errors import ModelError
    from bot.dialogue.preload import preload

    logs.configure("worker")
    settings = settings_of(args)
    if _wrong_files(settings):
        return INVALID
    preload(*serve.heavy_modules(settings))
    # Again: importing Rasa and TensorFlow rearranges the logging of the process.
    logs.configure("worker")

    processes = args.concurrency or settings.worker.concurrency

    def work(leash: int) -> int:
        try:
            return asyncio.run(serve.worker(settings, leash, processes))
        except ModelError as error:
            print(error, file=sys.stderr)
            return NO_MODEL

    status = zygote.keep(
        processes,
        work,
        longest_pause=settings.limits.restart_cap_seconds,
    )
    # Taking apart what Rasa has imported takes seconds, and a supervisor would lose patience.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _check(args: argparse.Namespace) -> int:
    from bot.check import check

    return check(lambda: settings_of(args), online=args.online)


def _train(args: argparse.Namespace) -> int:
    from bot.train_command import train

    # As an exception, so that Rasa's process, which it runs in, is ended with this one.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    return asyncio.run(train(args, settings_of(args)))


def _models(args: argparse.Namespace) -> int:
    from bot.models_command import models

    return asyncio.run(models(args, settings_of(args)))


def _watch(args: argparse.Namespace) -> int:
    from bot.watch_command import watch

    return asyncio.run(watch(args, settings_of(args)))


def _why(args: argparse.Namespace) -> int:
    from bot.why_command import why

    return asyncio.run(why(args, settings_of(args)))


def _learn(args: argparse.Namespace) -> int:
    from bot.learn_command import learn

    return asyncio.run(learn(args, settings_of(args)))


def _chat(args: argparse.Namespace) -> int:
    from bot.chat import chat

    return asyncio.run(chat(args, settings_of(args)))


def _dead(args: argparse.Namespace) -> int:
    from bot.dead import dead

    return asyncio.run(dead(args, settings_of(args)))


def _knowledge(args: argparse.Namespace) -> int:
    # TensorFlow is quiet only when told before it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if args.verb in ("sync", "search"):
        from bot.knowledge_command import knowledge

        return asyncio.run(knowledge(args, settings_of(args)))
    from bot.knowledge_report import knowledge_report

    return asyncio.run(knowledge_report(args, settings_of(args)))


def _cases(args: argparse.Namespace) -> int:
    from bot.cases import cases

    return asyncio.run(cases(args, settings_of(args)))


def _customer(args: argparse.Namespace) -> int:
    from bot.customer import customer

    return asyncio.run(customer(args, settings_of(args)))


def _channels(args: argparse.Namespace) -> int:
    from bot.channels import channels

    width = shutil.get_terminal_size((120, 40)).columns
    return asyncio.run(channels(args, lambda: settings_of(args), width))


def _replay(args: argparse.Namespace) -> int:
    from bot.replay import replay

    return asyncio.run(replay(args, settings_of(args)))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("--endpoints", type=Path, metavar="FILE", help="default: endpoints.yml")
    files.add_argument("--credentials", type=Path, metavar="FILE", help="default: credentials.yml")
    files.add_argument("--var", type=Path, metavar="DIR", help="an instance's data, default: var")

    top = argparse.ArgumentParser(prog="bot", description="Frontdesk, a messaging bot gateway")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, work: Work, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[files], help=about, description=about)
        added.set_defaults(work=work)
        return added

    run = command("run", _run, "run gateway and workers on this machine, and keep them running")
    run.add_argument(
        "--sandbox",
        action="store_true",
        help="talk to local stand-ins of the providers, not to the accounts of credentials.yml; "
        "so it is anyway when no account is configured",
    )
    run.add_argument(
        "--llm",
        action="store_true",
        help="with the sandbox, let its stand-ins of models answer, translate, see and hear",
    )
    run.add_argument("--open", action="store_true", help="open the sandbox's page in a browser")
    command("gateway", _gateway, "run one gateway: webhooks and web chats")
    worker = command("worker", _worker, "run workers: answering and sending")
    worker.add_argument("--concurrency", type=_count, metavar="N", help="worker processes")
    command("sandbox", _sandbox, "run the providers' stand-ins and the page with the phones")
    check = command("check", _check, "tell whether everything is set right")
    check.add_argument("--online", action="store_true", help="ask providers and store as well")
    train = command(
        "train", _train, "train, test and compare a model if what it is made of has changed"
    )
    train.add_argument(
        "--force", action="store_true", help="promote it whatever is worse; train in any case"
    )
    train.add_argument("--why", default="", help="of --force, to be read later")
    train.add_argument(
        "--no-compare", action="store_true", help="do not test the model in use, promote"
    )
    train.add_argument("--no-test", action="store_true", help="do not test at all, promote")
    train.add_argument(
        "--margin", type=float, metavar="POINTS", help="of accuracy that may be lost, default: 1"
    )

    models = command("models", _models, "the trained models, and which one answers")
    verbs = models.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="the newest first, a line each")
    listing.add_argument("--history", action="store_true", help="who put which into use, and why")
    promote = verbs.add_parser("promote", help="have all workers answer with this one")
    promote.add_argument("name", metavar="NAME|FILE", help="as listed, or what `rasa train` made")
    back = verbs.add_parser("rollback", help="go back to the model that was in use before")
    for one in (promote, back):
        one.add_argument("--why", default="", help="to be read later")

    watch = command("watch", _watch, "check each save of a designer, and show it at once")
    watch.add_argument("--live", action="store_true", help="also beside real accounts")
    watch.add_argument("--no-train", action="store_true", help="check and show words alone")

    why = command("why", _why, "why a message was answered as it was")
    why.add_argument("id", metavar="MESSAGE|CONVERSATION")
    why.add_argument("--last", type=_count, metavar="N", help="of a conversation, default: 1")
    why.add_argument("--raw", action="store_true", help="personal data as it was written")

    learn = command("learn", _learn, "learn from what customers really wrote, one by one")
    learn_verbs.add_verbs(learn)

    chat = command("chat", _chat, "talk to the running bot in this terminal")
    chat.add_argument("--url", help="of the gateway, default: the one configured here")
    chat.add_argument("--account", help="of web chat, default: the first one configured")
    chat.add_argument("--new", action="store_true", help="as a new customer")

    dead = command("dead", _dead, "messages that could not be parsed, answered or sent")
    verbs = dead.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="the newest, a line each")
    listing.add_argument("--stage", choices=("receive", "turn", "send", "fetch"))
    listing.add_argument("--limit", type=_count, default=50)
    for verb, about in (("show", "one, whole"), ("replay", "try again")):
        one = verbs.add_parser(verb, help=about)
        one.add_argument("id", nargs="+" if verb == "replay" else None)
        if verb == "show":
            one.add_argument("--json", action="store_true", help="its request, for `bot replay`")

    known = command("knowledge", _knowledge, "the articles that questions are answered from")
    verbs = known.add_subparsers(dest="verb", required=True, metavar="VERB")
    knowledge_verbs.add_verbs(verbs)

    cases = command("cases", _cases, "conversations that wait for a person")
    verbs = cases.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="the most urgent first, a line each")
    listing.add_argument("--closed", action="store_true", help="those that are done with")
    listing.add_argument("--limit", type=_count, default=50)
    for verb, about in (
        ("show", "one, with what was said"),
        ("reply", "take the conversation over and answer"),
        ("close", "done: the bot answers again"),
    ):
        one = verbs.add_parser(verb, help=about)
        one.add_argument("id")
        if verb == "reply":
            one.add_argument("text", help="for the customer")
        if verb == "close":
            one.add_argument("--resolution", default="", help="what became of it, to learn from")
        if verb != "show":
            one.add_argument("--agent", default="", help="your login of the console, or your name")

    customer = command("customer", _customer, "who is who across channels, and what they agreed to")
    verbs = customer.add_subparsers(dest="verb", required=True, metavar="VERB")
    show = verbs.add_parser("show", help="addresses, what joined them, and consent")
    show.add_argument("who", metavar="ADDRESS|ID", help="an address is channel:account:user")
    known = verbs.add_parser("set", help="have something remembered of a customer")
    known.add_argument("who", metavar="ADDRESS|ID")
    known.add_argument("about", help="what it is, as in 'Shoe size'")
    known.add_argument("value")
    unknown = verbs.add_parser("unset", help="take away what is remembered")
    unknown.add_argument("who", metavar="ADDRESS|ID")
    unknown.add_argument("key", help="as `show` tells it")
    export = verbs.add_parser("export", help="everything that is kept of a customer, as JSON")
    export.add_argument("who", metavar="ADDRESS|ID")
    export.add_argument("--file", type=Path, help="a .zip has the customer's files as well")
    forget = verbs.add_parser("forget", help="delete a customer everywhere, for good")
    forget.add_argument("who", metavar="ADDRESS|ID")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    tier = verbs.add_parser("tier", help="say what kind of customer it is, for data/routing.yml")
    tier.add_argument("who", metavar="ADDRESS|ID")
    tier.add_argument("tier", metavar="TIER", help="as in routing.yml; '' for none")
    merge = verbs.add_parser("merge", help="make two customers one")
    merge.add_argument("who", metavar="ADDRESS|ID")
    merge.add_argument("other", metavar="ADDRESS|ID")
    merge.add_argument("--why", default="", help="to be read later")
    undo = verbs.add_parser("undo", help="part what a merge has joined")
    undo.add_argument("merge", metavar="MERGE", help="its id, as `links` and `show` tell it")
    links = verbs.add_parser("links", help="what joined customers, the newest first")
    links.add_argument("who", metavar="ADDRESS|ID", nargs="?", help="of one customer alone")
    links.add_argument("--limit", type=_count, default=50)

    channels = command(
        "channels", _channels, "what each channel can do, and its provider's notices"
    )
    channels.add_argument("--markdown", action="store_true", help="as README shows it")
    channels.add_argument("--notices", action="store_true", help="what providers told of accounts")
    channels.add_argument("--limit", type=_count, default=50, help="of the notices")

    replay = command("replay", _replay, "what a connector makes of a recorded request")
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="of `bot dead show --json`, or a body"
    )
    replay.add_argument("--channel", choices=CHANNELS, help="of a bare body")
    replay.add_argument("--account", help="default: the first one of the channel")
    replay.add_argument("--verify", action="store_true", help="check its signature as well")
    return top


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 upwards")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status. Wrong settings give a line each and 2."""
    # What is written holds customers' words.
    os.umask(0o077)
    args = parser().parse_args(argv)
    # A reader that goes away (``bot dead list | head``) ends the command, quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        status: int = args.work(args)
    except SettingsInvalid as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return INVALID
    except PromptInvalid as error:
        print(error, file=sys.stderr)
        return INVALID
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
