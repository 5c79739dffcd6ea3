"""Compare the brain with stock Rasa, event for event: ``python -m bench.equal [--model MODEL]``.

Holds all stories of ``tests/stories`` and N random conversations (``--conversations``, default
1,000, of 12 messages) with the brain and with stock Rasa (its own agent, dask, in-memory tracker
store) on the same model. Compared after each message: every event with policy and confidence,
slots, active loop, latest action, pause and follow-up action. MODEL is a file; by default the
project's own is trained. Random conversations are made of what is said in the stories and of
`tests.kit.talk.SAID`; ``--first`` is the number of the first one, so that many can be held in
slices, ``--no-stories`` leaves the stories out. Exits with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from bench.shop import open_shop
from bot.dialogue.preload import preload
from bot.dialogue.training import train

MESSAGES = 12


def told(stories: bool, conversations: int, first: int) -> dict[str, list[str]]:
    """Return what is said in each conversation, by its name."""
    from tests.kit.stories import stories as all_stories
    from tests.kit.talk import SAID

    of_stories = [[turn.text for turn in story.turns] for story in all_stories()]
    made = {f"story{n}": said for n, said in enumerate(of_stories)} if stories else {}
    texts = sorted({text for said in of_stories for text in said})
    for seed in range(first, first + conversations):
        pick = random.Random(f"bench{seed}")
        said: list[str] = []
        while len(said) < MESSAGES:
            if pick.random() < 0.3:
                # A piece of a story, so that forms are begun and gone on with.
                story = pick.choice(of_stories)
                begin = pick.randrange(len(story))
                said += story[begin : begin + pick.randint(1, 3)]
                continue
            one = (
                pick.choice(texts)
                if pick.random() < 0.3
                else pick.choices(list(SAID), list(SAID.values()))[0]
            )
            times = pick.choice((1, 1, 1, 1, 1, 1, 1, 1, 1, 4))
            # Going back further than is carried is the one thing that differs.
            said += [one] * (1 if one == "/back" else times)
        made[f"equal{seed}"] = said[:MESSAGES]
    return made


async def compare_all(model: Path, made: dict[str, list[str]]) -> int:
    """Hold all conversations; print and return how many messages differ."""
    from bot.dialogue.brain import Brain
    from tests.kit.talk import Stock, compare

    stock, brain = Stock(model), Brain.load(model)
    messages = different = 0
    began = time.process_time()
    for n, (name, said) in enumerate(made.items(), start=1):
        # Both are to make the same code to link chats with, and no two conversations. They share
        # the store, where a wrong code is counted once for each.
        with (
            mock.patch("bot.identity.codes.secrets.randbelow", return_value=n),
            mock.patch("bot.identity.codes.MOST_WRONG", 10**6),
        ):
            found = await compare(brain, stock, said, name)
        messages, different = messages + len(said), different + len(found)
        for difference in found[:1]:
            print(name, difference)
        if n % 50 == 0 or n == len(made):
            seconds = time.process_time() - began
            print(f"{n} conversations, {messages} messages, {different} differ", end="")
            print(f" ({seconds:.0f} s of the processor)", flush=True)
    runner = brain._processor.graph_runner
    print(f"policies left out {runner.spared} times, asked {runner.asked} times", flush=True)
    return different


def main() -> int:
    """Compare; return 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--no-stories", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        preload()
        open_shop(Path(directory))
        model = chosen.model or train(Path(), Path("models"))
        made = told(not chosen.no_stories, chosen.conversations, chosen.first)
        return 1 if asyncio.run(compare_all(model, made)) else 0


if __name__ == "__main__":
    sys.exit(main())
