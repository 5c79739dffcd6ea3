"""``bot train``: validate, train, test, compare with the model in use, and only then promote."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot import serve
from bot.dialogue.comparing import MARGIN, Exam, obstacles, report
from bot.dialogue.errors import ModelError
from bot.dialogue.promoting import Models, is_waiting, name_of
from bot.dialogue.sources import HELD_OUT
from bot.dialogue.training import Made, Progress, alone, fingerprint_of, make, trained
from bot.media.vault import AsyncVault, open_vault
from bot.models_command import me, ring
from bot.settings import Settings
from bot.store import StoreError
from bot.store.models import ModelInUse

_NOTES = 20
_BAR = 24


async def train(args: argparse.Namespace, settings: Settings, root: Path = Path()) -> int:
    """Run ``bot train``; return 0 when its model is in use or was withdrawn, else 1."""
    store = serve.store_of(settings)
    try:
        models = Models(store, AsyncVault(open_vault(settings)))
        with alone(Path(settings.model)):
            return await _train(args, settings, root, models)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}; nothing was promoted", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _train(args: argparse.Namespace, settings: Settings, root: Path, models: Models) -> int:
    folder = Path(settings.model)
    fingerprint = fingerprint_of(root)
    pointer = await models.in_use()
    known = await models.of(fingerprint)
    if known is not None and pointer is not None:
        in_use = known.id == pointer.model or pointer.model.endswith(f"-{fingerprint}")
        if in_use and not args.force:
            await models.fetch(pointer.model, folder)
            print(f"nothing has changed, {pointer.model} is in use")
            return 0
        if not in_use and is_waiting(known):
            return await _waiting(args, settings, models, known.id)
    present = None if args.force else trained(folder, fingerprint)
    if known is not None and present is None and not args.force:
        present = await models.fetch(known.id, folder)
    against = None if args.no_compare or args.no_test else await _against(models, pointer, folder)
    # A model that was there already was tested when it was made.
    tests = not args.no_test and (present is None or against is not None)
    if present is not None and not tests:
        made = Made(present)
    else:
        with _bar() as progress:
            made = make(
                *(root, folder),
                present=present,
                against=against,
                tests=tests,
                progress=progress,
            )
    new, old = _exams(made, against)
    _tell(made, new, old, against, held_out=(root / HELD_OUT).is_file())
    wrong = obstacles(new, old, MARGIN if args.margin is None else args.margin) if new else []
    taken = await models.take_in(
        made.model,
        fingerprint=fingerprint,
        report=new.compact() if new else None,
        obstacles=wrong,
    )
    if wrong and not args.force:
        _refused(taken.id, wrong)
        return 1
    why = "; ".join(filter(None, [args.why, *wrong])) if wrong else ""
    await models.promote(taken.id, by=me(), why=why, forced=bool(wrong))
    await ring(settings)
    print(f"{taken.id} is in use{', forced' if wrong else ''}; workers take it up within seconds")
    return 0


async def _waiting(args: argparse.Namespace, settings: Settings, models: Models, name: str) -> int:
    """Deal with a model that was trained from this very data and not left in use."""
    known = await models.get(name)
    wrong = list(known.obstacles or []) if known else []
    withdrawn = bool(known and known.withdrawn)
    if args.force:
        why = "; ".join(filter(None, [args.why, *wrong]))
        await models.promote(name, by=me(), why=why, forced=True)
        await ring(settings)
        print(f"{name} is in use, forced; workers take it up within seconds")
        return 0
    if withdrawn:
        print(
            f"nothing has changed since {name}, which was rolled back;"
            f" `bot models promote {name}` puts it into use again"
        )
        return 0
    print("nothing has changed since the last time:", file=sys.stderr)
    _refused(name, wrong)
    return 1


async def _against(models: Models, pointer: ModelInUse | None, folder: Path) -> Path | None:
    """Return the file of the model in use; None when it cannot be had, which is told."""
    if pointer is None:
        return None
    try:
        return await models.fetch(pointer.model, folder)
    except (ModelError, StoreError) as error:
        print(f"nothing to compare with: {error}", file=sys.stderr)
        return None


def _exams(made: Made, against: Path | None) -> tuple[Exam | None, Exam | None]:
    new = Exam.of(made.exams.get(made.model.name))
    return new, Exam.of(made.exams.get(against.name)) if against else None


def _tell(
    made: Made, new: Exam | None, old: Exam | None, against: Path | None, *, held_out: bool
) -> None:
    for note in made.notes[:_NOTES]:
        print(f"note: {note}")
    if len(made.notes) > _NOTES:
        print(f"… and {len(made.notes) - _NOTES} more notes")
    if made.seconds:
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in made.seconds.items())
        print(f"{name_of(made.model)}: {sum(made.seconds.values()):.0f} s ({parts})")
    if new is None:
        return
    if not held_out:
        print(
            f"there is no {HELD_OUT}: how well messages are understood was not measured, for on"
            " its own training examples any model looks good"
        )
    if made.untested:
        print(f"the model in use cannot be tested, nothing to compare with: {made.untested}")
    elif against is None:
        print("no other model is in use: there is nothing to compare with")
    lines: Sequence[str] = report(new, old, made.confusions)
    print("\n".join(["", *lines, ""]) if lines else "")


def _refused(name: str, wrong: Sequence[str]) -> None:
    print(f"{name} is not promoted:", file=sys.stderr)
    for line in wrong:
        print(f"  {line}", file=sys.stderr)
    print("the model in use goes on; `bot train --force` promotes it all the same", file=sys.stderr)


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """Show progress in one line of a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    began = time.monotonic()

    def show(done: float, what: str) -> None:
        full = round(done * _BAR)
        bar = "█" * full + "░" * (_BAR - full)
        seconds = time.monotonic() - began
        sys.stderr.write(f"\r\x1b[K{bar} {done:4.0%} {seconds:3.0f} s  {what}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
