from __future__ import annotations

import json
import random
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge.articles import parse_article
from bot.knowledge.clusters import group
from bot.knowledge.contract import AGENTS
from bot.knowledge.drafting import by_model, draft, drafted
from bot.knowledge.gaps import Cluster, Resolution, close, cluster, open_gaps, resolutions
from bot.knowledge.importing.cases import import_cases
from bot.knowledge.importing.writing import Writer, front_matter
from bot.llm.contract import Ask, Reply
from bot.llm.errors import NoModel
from bot.llm.masking import redact
from bot.llm.prompts import load_prompt
from bot.message import Profile, Text, encode, plain
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.gaps import RATED, UNANSWERED, Gap
from bot.store.messages import Message

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
ROOT = Path(__file__).parents[2]


def gap(question: str, n: int = 1, *, user: str = "", **fields: Any) -> Gap:
    values = {
        "id": f"line:shop:{n}",
        "conversation": f"line:shop:{user or f'u{n}'}",
        "why": UNANSWERED,
        "question": question,
        "language": "en",
        "at": NOON + timedelta(minutes=n),
    }
    return Gap(**{**values, **fields})


def message(
    id: str, text: str, minute: float, *, user: str, name: str = "", **fields: Any
) -> Message:
    at = NOON + timedelta(minutes=minute)
    values = {
        "id": id,
        "direction": "in",
        "conversation": f"line:shop:{user}",
        "channel": "line",
        "account": "shop",
        "status": "done",
        "content": encode(Text(text)),
        "profile": plain(Profile(name=name)) if name else None,
        "arrived": int(at.timestamp() * 1e6),
        "sent": at,
        "due": at,
    }
    return Message(**{**values, **fields})


def told(text: str, minute: float, *, user: str, **fields: Any) -> Message:
    """What an agent wrote."""
    id = f"{user}:{minute}:{text[:9]}"
    return message(id, text, minute, user=user, direction="out", **{"agent": "kim", **fields})


# Clusters.


def test_the_same_question_in_other_words_is_one_cluster() -> None:
    asked = [
        "Can I have a gift engraved?",
        "do you engrave gifts",
        "engraving on a gift possible?",
        "Do you rent out tables?",
        "can i rent tabels from you",
        "Where do you ship to?",
    ]
    found = cluster([gap(question, n) for n, question in enumerate(asked)])
    assert [{row.question for row in one.members} for one in found] == [
        set(asked[:3]),
        set(asked[3:5]),
        {asked[5]},
    ]
    assert found[0].question in asked[:3]


def test_a_cluster_says_who_asked_when_and_why() -> None:
    rows = [
        gap("Do you rent out tables?", 1, user="ann"),
        gap("do you rent out tables", 2, user="ann", why=RATED),
        gap("Do you rent tables?", 3, user="bob", language="en"),
    ]
    (one,) = cluster(rows)
    assert (one.count, one.customers, one.languages) == (3, 2, ("en",))
    assert one.why == {RATED: 1, UNANSWERED: 2}
    assert (one.since, one.last) == (rows[0].at, rows[2].at)


def test_the_order_does_not_matter() -> None:
    words = [
        "rent",
        "table",
        "engrave",
        "gift",
        "paint",
        "wall",
        "lamp",
        "repair",
        "glass",
        "bulk",
        "school",
        "wedding",
    ]
    rng = random.Random(5)
    rows = [gap("do you " + " ".join(rng.sample(words, 3)), n) for n in range(120)]
    first = [[row.id for row in one.members] for one in cluster(rows)]
    rng.shuffle(rows)
    assert [[row.id for row in one.members] for one in cluster(rows)] == first


def test_chains_do_not_end_in_one_heap() -> None:
    chain = ["a b c d", "b c d e", "c d e f", "d e f g", "e f g h", "f g h i", "g h i j"]
    chain = [" ".join(f"word{letter}" for letter in text.split()) for text in chain]
    assert len(group(chain)) > 1


def test_languages_are_kept_apart_unless_vectors_join_them() -> None:
    rows = [gap("Tische mieten", 1, language="de"), gap("Tische mieten", 2, language="nl")]
    assert len(cluster(rows)) == 2
    assert len(cluster(rows, [[1.0, 0.0], [1.0, 0.0]])) == 1


def test_vectors_join_what_words_do_not() -> None:
    rows = [gap("Is there parking?", 1), gap("Where do I leave my car?", 2), gap("Any jobs?", 3)]
    vectors = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
    assert len(cluster(rows)) == 3
    assert [one.count for one in cluster(rows, vectors)] == [2, 1]


@pytest.mark.parametrize("questions", [[], ["?"], ["?", "!", "…"], ["", ""], ["the", "do you"]])
def test_questions_without_words(questions: list[str]) -> None:
    found = cluster([gap(question or " ", n) for n, question in enumerate(questions)])
    assert sum(one.count for one in found) == len(questions)


def test_thousands_of_gaps_take_seconds() -> None:
    rng = random.Random(1)
    topics = [f"thing{n} {word}" for n in range(60) for word in ("rent", "repair", "paint")]
    ends = ["please", "for my house", "at the store", "next week", "in blue", ""]
    rows = [
        gap(f"can you {rng.choice(topics)} {rng.choice(ends)} {rng.choice(ends)}", n)
        for n in range(4000)
    ]
    start = time.process_time()
    found = cluster(rows)
    assert time.process_time() - start < 20
    assert sum(one.count for one in found) == 4000
    assert len(found) < 1500


async def test_closing_a_cluster(store: AsyncStore) -> None:
    rows = [gap("Do you rent tables?", 1), gap("do you rent tables", 2), gap("Any jobs?", 3)]
    await store.insert_new(rows)
    found = cluster(await open_gaps(store))
    assert await close(store, found[0]) == 2
    assert await close(store, found[0]) == 0
    assert [row.question for row in await open_gaps(store)] == ["Any jobs?"]


# How people answered.


async def test_what_people_wrote_afterwards_is_the_resolution(store: AsyncStore) -> None:
    row = gap("Do you rent tables?", 10, user="ann")
    await store.insert_new(
        [
            row,
            gap("Any jobs?", 300, user="ann"),
            message(row.id, "Do you rent tables?", 10, user="ann", name="Ann Doe"),
            told("Before.", 5, user="ann"),
            told("Hi Ann, we rent tables for £20 a day.", 20, user="ann"),
            told("Write to ann@example.com.", 21, user="ann"),
            told("A reply of the bot.", 22, user="ann", agent="", turn=row.id),
            told("To somebody else.", 23, user="bob"),
            told("About jobs.", 301, user="ann"),
            Case(id=row.id, conversation=row.conversation, status=RESOLVED, topic="human",
                 resolution="Told Ann the price", at=NOON + timedelta(minutes=10)),
        ]
    )  # fmt: skip
    (found,) = await resolutions(store, [row], redact)
    assert found.said == ("Hi [name], we rent tables for £20 a day.", "Write to [email].")
    assert found.noted == "Told [name] the price"


async def test_a_gap_nobody_answered_has_no_resolution(store: AsyncStore) -> None:
    row = gap("Do you rent tables?")
    await store.insert_new([row, told("Much later.", 60 * 24 * 30, user="u1")])
    assert await resolutions(store, [row], redact) == []


# Drafts.


def three() -> tuple[Cluster, list[Resolution]]:
    rows = [gap("do you rent out tables?", n) for n in (1, 2, 3)]
    said = [
        (
            "Hi [name], thanks for writing! We rent tables for £20 a day.",
            "You pick them up in the store.",
        ),
        ("We rent tables for £20 a day. Your order [order] is on its way.",),
        ("We rent tables for £25 a day.", "Chairs are not for rent.", "Anything else?"),
    ]
    (one,) = cluster(rows)
    return one, [Resolution(row.id, texts) for row, texts in zip(rows, said, strict=True)]


def test_a_draft_says_what_agents_said_most() -> None:
    made = draft(*three())
    article = parse_article(front_matter(made, "en") + made.body, "gap")
    assert (article.title, article.audience, article.tags) == (
        "Do you rent out tables?", AGENTS, ("draft",),
    )  # fmt: skip
    above, _, below = made.body.partition("## To check")
    assert above.rstrip().endswith("We rent tables for £20 a day.")
    assert "Asked 3 times in 3 conversations" in above
    assert "“We rent tables for £20 a day.” or “We rent tables for £25 a day.”?" in below
    assert "- TO CHECK: Chairs are not for rent. (said in one conversation)" in below
    for gone in ("[name]", "[order]", "thanks", "Anything"):
        assert gone not in made.body


def test_a_draft_without_an_answer_says_so() -> None:
    made = draft(three()[0], [])
    assert "No person has answered this yet" in made.body


class Model:
    """A model that gives one answer, and remembers what it was asked."""

    available = True

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[Ask] = []

    async def ask(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        if self.text is None:
            raise NoModel("none")
        return Reply(self.text, "m", 1, 1, 0.0, 1)

    async def close(self) -> None:
        pass


async def written(text: str | None) -> tuple[Any, Model]:
    model = Model(text)
    prompt = load_prompt("draft_article", ROOT / "data" / "prompts")

    def render(**values: str) -> str:
        return prompt.fill(company="Larkfield", **values)

    one, told = three()
    made = await drafted(one, told, by_model(model, render, prompt.tokens, date(2026, 3, 2)))
    return made, model


async def test_a_model_writes_the_draft() -> None:
    answer = {
        "title": "Renting tables",
        "body": "£20 a day.",
        "tags": [],
        "checks": ["£20 or £25?"],
    }
    made, model = await written(f"Here it is: {json.dumps(answer)}")
    assert made.title == "Renting tables"
    assert made.audience == AGENTS
    assert "£20 a day.\n\n## To check\n\n- TO CHECK: £20 or £25?" in made.body
    sent = model.asked[0].messages[-1].text
    assert "We rent tables for £25 a day." in sent
    assert "do you rent out tables?" in sent


@pytest.mark.parametrize(
    "text", [None, "", "I cannot.", "{}", '{"body": 5}', '{"body": " "}', "{["]
)
async def test_a_model_that_fails_leaves_the_extractive_draft(text: str | None) -> None:
    made, _ = await written(text)
    assert made == draft(*three())


# Cases.


def case(n: int, **fields: Any) -> Case:
    values = {
        "id": f"line:shop:{n}",
        "conversation": f"line:shop:u{n}",
        "status": RESOLVED,
        "topic": "human",
        "summary": "Wants tables for a wedding",
        "resolution": "Rented six tables",
        "at": NOON,
        "resolved": NOON + timedelta(hours=1),
    }
    return Case(**{**values, **fields})


async def test_resolved_cases_become_articles_for_agents(store: AsyncStore, tmp_path: Path) -> None:
    await store.insert_new(
        [
            case(1),
            message("line:shop:1", "Tables for ann@example.com?", 0, user="u1", name="Ann"),
            told("Ann, we have six.", 5, user="u1"),
            told("After the end.", 120, user="u1"),
            case(2, status="open"),
            case(3, resolution="", summary=""),
        ]
    )
    target = tmp_path / "imported"
    done = await import_cases(store, Writer(target), redact)
    (name,) = done.written
    text = (target / name).read_text()
    article = parse_article(text, "case")
    assert (article.title, article.audience) == ("Wants tables for a wedding", AGENTS)
    assert article.updated == date(2026, 3, 1)
    assert "> Tables for [email]?" in text
    assert "[name], we have six." in text
    assert "After the end." not in text
    assert "u1" not in name
    assert [p for p in done.problems if "resolved without a word" in p]
    again = await import_cases(store, Writer(target), redact)
    assert (again.written, again.skipped) == ([], [name])
