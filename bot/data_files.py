"""What an installation has written in ``data/`` and its workers rely on, read in advance."""

from __future__ import annotations

from pathlib import Path

from bot.consent import CONSENT_FILE, load_rules
from bot.llm.errors import PromptInvalid
from bot.llm.prompts import PROMPTS, RULES, load_prompts
from bot.llm.prompts import load_rules as load_answer_rules
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation
from bot.settings import SettingsInvalid
from connectors import CHANNELS


def wrong_files(root: Path = Path()) -> list[str]:
    """Read the rules of consent, people's matters and the prompts below `root`.

    Returns a line for each thing that is wrong, with its file and line; none when a worker
    can be started.
    """
    wrong: list[str] = []
    try:
        load_rules(root / CONSENT_FILE, channels=CHANNELS)
    except SettingsInvalid as error:
        wrong += map(str, error.problems)
    try:
        load_escalation(root / ESCALATION_FILE)
    except SettingsInvalid as error:
        wrong += map(str, error.problems)
    try:
        load_prompts(root / PROMPTS)
        load_answer_rules(root / RULES)
    except PromptInvalid as error:
        wrong += str(error).splitlines()
    return wrong
