"""What an installation has written in ``data/`` and its workers rely on, read in advance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.consent import CONSENT_FILE
from bot.consent import load_rules as load_consent
from bot.llm.errors import PromptInvalid
from bot.llm.prompts import PROMPTS, RULES, load_prompts
from bot.llm.prompts import load_rules as load_answer_rules
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation
from bot.settings import Settings, SettingsInvalid
from bot.translation.words_file import TRANSLATION_FILE, load_words
from connectors import CHANNELS

#: What cases are about that no file names: actions, and the desk itself, make them.
TOPICS = ("human", "unanswered", "frustrated", "taken", "refund")

T = TypeVar("T")


def wrong_files(root: Path = Path(), routing: str = "", mappings: Iterable[str] = ()) -> list[str]:
    """Read all of it below `root`; `routing` is the file of that name, "" for the usual one,
    `mappings` are those of shops' own APIs.

    Returns a line for each thing that is wrong, with its file and line; none when a worker
    can be started.
    """
    # Their own modules are imported here: `bot check` alone needs all of them.
    from actions.backends.rest_mapping_file import load_mapping
    from actions.rules import RULES_FILE, read_rules
    from bot.desk.assist.canned import CANNED_FILE, load_canned
    from bot.desk.assist.desk_file import DESK_FILE, load_desk
    from bot.desk.routing_file import ROUTING_FILE, load_routing
    from bot.desk.templates_file import TEMPLATES_FILE, load_templates
    from bot.memory.file import MEMORY_FILE, load_memory

    wrong: list[str] = []

    def reading(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except SettingsInvalid as error:
            wrong.extend(map(str, error.problems))
        except PromptInvalid as error:
            wrong.extend(str(error).splitlines())
        return None

    reading(lambda: load_consent(root / CONSENT_FILE, channels=CHANNELS))
    escalation = reading(lambda: load_escalation(root / ESCALATION_FILE))
    topics = [*escalation.topics, *TOPICS] if escalation else None
    reading(
        lambda: load_routing(root / (routing or ROUTING_FILE), topics=topics, channels=CHANNELS)
    )
    reading(lambda: load_templates(root / TEMPLATES_FILE, channels=CHANNELS))
    reading(lambda: load_words(root / TRANSLATION_FILE))
    reading(lambda: load_canned(root / CANNED_FILE))
    reading(lambda: load_desk(root / DESK_FILE))
    reading(lambda: read_rules(root / RULES_FILE))
    for name in dict.fromkeys(mappings):
        reading(partial(load_mapping, root / name))
    reading(lambda: load_memory(root / MEMORY_FILE))
    reading(lambda: (load_prompts(root / PROMPTS), load_answer_rules(root / RULES)))
    return wrong


def mappings_of(settings: Settings) -> list[str]:
    """Return the names of the mappings of shops' own APIs."""
    return [backend.mapping for backend in settings.backends.values() if backend.mapping]
