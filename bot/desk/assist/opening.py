"""The assist of one process, made from the settings."""

from __future__ import annotations

from pathlib import Path

from bot.desk.assist.assist import Assist
from bot.desk.assist.canned import CANNED_FILE, load_canned
from bot.desk.assist.desk_file import DESK_FILE, load_desk
from bot.desk.assist.drafting import Answers
from bot.desk.assist.running import Running
from bot.desk.people import People
from bot.settings import Settings
from bot.store import AsyncStore


def open_assist(
    settings: Settings,
    store: AsyncStore,
    *,
    answering: Answers | None = None,
    people: People | None = None,
    root: Path = Path(),
    actions: str = "actions",
) -> Assist:
    """Return what helps agents, from the files under `root` and a package of custom actions.

    A process that answers customers gives its own `answering`, else one is made. Nothing
    heavy is loaded before the first use. Raises SettingsInvalid, PromptInvalid.
    """
    if answering is None:
        from bot.knowledge.opening import open_answering

        answering = open_answering(settings, store, root)
    return Assist(
        store,
        answering=answering,
        runs=Running(root, actions, settings.limits.turn_seconds / 2),
        people=people or People(settings.console),
        canned=load_canned(root / CANNED_FILE),
        actions=load_desk(root / DESK_FILE),
        company=settings.knowledge.company or "",
    )
