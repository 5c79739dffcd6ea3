"""The answering of one process, made from the settings."""

from __future__ import annotations

from pathlib import Path

from bot.knowledge.answering import Answering
from bot.knowledge.contract import Sheet
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.library import Library
from bot.llm.client import open_llm
from bot.llm.prompts import RULES, load_prompts, load_rules
from bot.perception.escalation_file import load_escalation
from bot.settings import Settings
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS

_UNNAMED = "this company"


def open_answering(
    settings: Settings, store: AsyncStore | None = None, root: Path = Path()
) -> Answering:
    """Return what answers questions from the articles of a store.

    Articles and embeddings are loaded at the first question. Raises SettingsInvalid,
    PromptInvalid for files under `root` that cannot be used.
    """
    if store is None:
        store = AsyncStore(open_store(settings.store.url), DOCUMENTS)
    named = settings.knowledge.embeddings
    library = Library(store, TransformerEmbedder(named) if named else None)
    return Answering(
        library,
        open_llm(settings, store),
        load_prompts(root / "data" / "prompts"),
        sheet_of(settings, root),
    )


def sheet_of(settings: Settings, root: Path = Path()) -> Sheet:
    """Return what the model is told of the installation. Raises SettingsInvalid."""
    escalation = load_escalation(root / "data" / "escalation.yml")
    return Sheet(
        company=settings.knowledge.company or _UNNAMED,
        rules=load_rules(root / RULES),
        topics={} if escalation.llm == "never" else escalation.topics,
        domains=settings.knowledge.domains,
    )
