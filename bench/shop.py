"""The environment that a worker gives its actions, for measurements without one."""

from __future__ import annotations

import os
from pathlib import Path


def open_shop(folder: Path) -> None:
    """Let actions have a store in `folder`, and the shop's articles, searched by words."""
    os.environ["FRONTDESK_STORE_URL"] = f"sqlite:{folder}/bench.db"
    os.environ["FRONTDESK_PUBLIC_URL"] = "https://shop.example"
    from bench.answers.shelf import Shelf
    from bot.knowledge.answering import Answering
    from bot.knowledge.contract import Sheet
    from bot.knowledge.service import provide
    from bot.llm.prompts import load_prompts

    data = Path("data")
    sheet = Sheet("Larkfield Goods")
    provide(Answering(Shelf.of(data / "knowledge"), None, load_prompts(data / "prompts"), sheet))
