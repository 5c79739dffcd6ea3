"""What traffic used: counted once, whoever counts, however often, and whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.insight import tally as t
from bot.insight.coverage import Coverage
from bot.insight.rollup import BACK, KEEP, Rollup, piece
from bot.insight.tally import Tally
from bot.message import utcnow
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.documents import DOCUMENTS
from bot.store.turns import Turn
from bot.store.usage import DAY, MARK, SLICE, Usage, UsageMark
from tests.kit.designs import sound_project
from tests.kit.stores import KINDS, store_of_kind
from tests.kit.traffic import HELLO, NUMBER, ORDER, PERSON, STOP, UNSURE, traffic
from tests.kit.waiting import until

NOON = datetime(2026, 11, 20, 12, 3, tzinfo=timezone.utc)
OTHER = "sms:shop:447700900999"


@pytest.fixture(params=KINDS)
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncStore]:
    store = store_of_kind(request.param, tmp_path, DOCUMENTS)
    yield store
    await store.close()


async def counted(store: AsyncStore, root: Path, now: datetime) -> Rollup:
    rollup = Rollup(store, Limits(), root)
    while await rollup.look(now):
        pass
    return rollup


async def everything(store: AsyncStore) -> dict[tuple[str, str], int]:
    """The counts of all that is kept."""
    tally = Tally()
    for row in await store.find(Usage, {}):
        tally.merge(row.rows)
    return {key: numbers[t.COUNT] for key, numbers in tally.found.items()}


async def test_a_conversation_counts_what_it_used(store: AsyncStore, tmp_path: Path) -> None:
    root = sound_project(tmp_path / "shop")
    await traffic(store, NOON, HELLO, ORDER, NUMBER)
    await traffic(store, NOON, HELLO, STOP, UNSURE, PERSON, key=OTHER)
    await counted(store, root, NOON + timedelta(hours=1))
    found = await everything(store)
    assert found[t.TURNS, ""] == 7
    assert found[t.NEW, ""] == 2
    assert {name: n for (kind, name), n in found.items() if kind == t.RULE} == {
        "Hello": 2,
        "An order is asked for": 1,
        "The number is known": 1,
    }
    assert {name: n for (kind, name), n in found.items() if kind == t.STORY} == {
        "Hello and stop": 1
    }
    assert {name: n for (kind, name), n in found.items() if kind == t.RESPONSE} == {
        "utter_greet": 2,
        "utter_ask_number": 1,
        "utter_found_one": 1,
    }
    assert found[t.ACTION, "order_form"] == 2
    assert {name: n for (kind, name), n in found.items() if kind == t.BY} == {
        "rule": 4,
        "story": 1,
        t.FALLBACK: 1,
        t.HANDED: 1,
    }
    assert {name: n for (kind, name), n in found.items() if kind == t.CHANNEL} == {
        "whatsapp": 3,
        "sms": 4,
    }
    assert found[t.LANGUAGE, "en"] == 7


async def test_what_was_pressed_says_nothing_of_confidence(
    store: AsyncStore, tmp_path: Path
) -> None:
    await traffic(store, NOON, ORDER, STOP, UNSURE, PERSON)
    await counted(store, tmp_path, NOON + timedelta(hours=1))
    (row,) = await store.find(Usage, {"span": SLICE, "day": "2026-11-20"})
    found = Tally(row.rows).of(t.INTENT)
    assert (found["stop"][t.COUNT], found["stop"][t.WRITTEN], found["stop"][t.SURE]) == (2, 1, 700)
    # Nearest was a greeting, and not near enough.
    assert found["greet"] == [0, 0, 0, 0, 1]
    assert found["nlu_fallback"][t.LAST] == int((NOON.timestamp() + 40) * 1000)


@pytest.mark.parametrize("dies_at", range(1, 11))
async def test_a_worker_that_dies_anywhere_leaves_nothing_counted_twice(
    either: AsyncStore, tmp_path: Path, dies_at: int
) -> None:
    """`dies_at` is the write that does not happen any more."""
    late = datetime(2026, 11, 20, 23, 51, tzinfo=timezone.utc)
    await traffic(either, NOON, HELLO, HELLO)
    await traffic(either, late, HELLO, STOP, key=OTHER)
    now = late + timedelta(minutes=30)
    dying = Dying(either, dies_at)
    with pytest.raises(StoreDown):
        await counted(dying, tmp_path, now)  # type: ignore[arg-type]
    # Another takes over; this process lives, so what it holds is its own to take.
    await counted(either, tmp_path, now + timedelta(minutes=5))
    assert (await everything(either))[t.TURNS, ""] == 4
    rows = await either.find(Usage, {})
    assert [(row.span, row.day) for row in rows] == [(DAY, "2026-11-20")]
    mark = await either.get(UsageMark, MARK)
    assert mark is not None
    assert mark.upto == piece(now + timedelta(minutes=3))


class Dying:
    """A store whose process dies at a certain write."""

    def __init__(self, store: AsyncStore, dies_at: int) -> None:
        self._store = store
        self._left = dies_at

    def lives(self) -> None:
        self._left = 1_000_000

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if name not in ("put", "insert_new", "change", "delete"):
            return real

        async def write(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise StoreDown("dead")
            result = await real(*args, **kwargs)
            if self._left == 0:
                raise StoreDown("died right after it")
            return result

        return write


async def test_only_one_counts_and_another_takes_over_when_it_is_gone(
    store: AsyncStore, tmp_path: Path
) -> None:
    await traffic(store, NOON, HELLO)
    now = NOON + timedelta(hours=1)
    far = UsageMark(
        id=MARK,
        upto=piece(NOON),
        owner="other-host/1/1",
        until=now + timedelta(seconds=30),
    )
    await store.insert(far)
    rollup = Rollup(store, Limits(), tmp_path)
    assert not await rollup.look(now)
    assert await store.count(Usage, {}) == 0
    await rollup.look(now + timedelta(minutes=1))
    assert (await everything(store))[t.TURNS, ""] == 1


async def test_what_is_not_over_yet_is_left_for_later(store: AsyncStore, tmp_path: Path) -> None:
    await traffic(store, NOON, HELLO)
    # 12:03 is over at 12:10; what was taken then may be in the store two minutes later.
    rollup = await counted(store, tmp_path, NOON.replace(minute=11, second=59))
    assert await store.count(Usage, {}) == 0
    assert not await rollup.look(NOON.replace(minute=12))
    assert await store.count(Usage, {}) == 1


async def test_idle_workers_ask_the_store_once(store: AsyncStore, tmp_path: Path) -> None:
    asked: list[str] = []
    now = NOON + timedelta(hours=1)
    await counted(store, tmp_path, now)

    class Watched:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(store, name)

    assert not await Rollup(Watched(), Limits(), tmp_path).look(now)  # type: ignore[arg-type]
    assert asked == ["get"]


async def test_a_turn_that_is_broken_keeps_no_other_from_being_counted(
    store: AsyncStore, tmp_path: Path
) -> None:
    (first,) = await traffic(store, NOON, HELLO)
    await traffic(store, NOON, HELLO, key=OTHER)
    await store.change(Turn, {"id": first}, set={"events": [7], "decision": {}})
    await counted(store, tmp_path, NOON + timedelta(hours=1))
    assert (await everything(store))[t.TURNS, ""] == 1


async def test_old_counts_go_and_counting_begins_a_month_back(
    store: AsyncStore, tmp_path: Path
) -> None:
    now = utcnow()
    await store.insert(Usage(id="day:old", span=DAY, day="2020-01-01", at=now - KEEP * 2, rows=[]))
    await traffic(store, now - BACK * 2, HELLO)
    await traffic(store, now - timedelta(days=3), HELLO, key=OTHER)
    await counted(store, tmp_path, now)
    assert (await everything(store))[t.TURNS, ""] == 1
    assert await store.get(Usage, "day:old") is None


async def test_coverage_tells_used_and_never_used_with_places(
    either: AsyncStore, tmp_path: Path
) -> None:
    root = sound_project(tmp_path / "shop")
    now = utcnow()
    await traffic(either, now - timedelta(days=2), HELLO, ORDER, NUMBER)
    await counted(either, root, now)
    # Nobody has counted this yet; who asks sees it all the same.
    await traffic(either, now - timedelta(seconds=40), HELLO, PERSON, key=OTHER)
    coverage = Coverage(either, root)
    found = await coverage.read(30)
    assert (found["turns"], found["conversations"], found["behind"]) == (5, 2, False)
    intents = {one["name"]: one for one in found["intents"]}
    assert [one["count"] for one in (intents["greet"], intents["order"])] == [2, 2]
    assert intents["order"]["mean"] == 0.7
    assert intents["greet"]["place"] == "domain.yml:3"
    rules = {one["name"]: (one["count"], one["place"]) for one in found["rules"]}
    assert rules["The customer stops"][0] == 0
    assert rules["Hello"] == (2, "data/rules/all.yml:3")
    assert [one["count"] for one in found["stories"]] == [0]
    assert [(one["name"], one["count"]) for one in found["forms"]] == [("order_form", 2)]
    assert [(one["name"], one["count"]) for one in found["actions"]] == [("action_look", 1)]
    assert sum(day[1] for day in found["daily"]) == 5
    assert sum(day[2] for day in found["daily"]) == 1
    today = await coverage.read(1)
    # Unless it is midnight.
    assert today["turns"] in (0, 1, 2)
    assert (await coverage.read(7))["turns"] == 5


async def test_a_rule_that_was_renamed_is_told_as_gone(store: AsyncStore, tmp_path: Path) -> None:
    root = sound_project(tmp_path / "shop")
    now = utcnow()
    await traffic(store, now - timedelta(days=1), HELLO)
    await counted(store, root, now)
    rules = root / "data/rules/all.yml"
    rules.write_text(rules.read_text().replace("rule: Hello", "rule: Good day"))
    found = {one["name"]: one for one in (await Coverage(store, root).read(30))["rules"]}
    assert (found["Hello"]["known"], found["Hello"]["count"]) == (False, 1)
    assert (found["Good day"]["known"], found["Good day"]["count"]) == (True, 0)


async def test_a_worker_without_files_says_what_it_could_not_know(
    store: AsyncStore, tmp_path: Path
) -> None:
    await traffic(store, utcnow() - timedelta(days=1), HELLO, STOP, UNSURE)
    await counted(store, tmp_path / "nothing", utcnow())
    found = await Coverage(store, sound_project(tmp_path / "shop")).read(7)
    assert found["blind"] == 3
    assert found["by"] == [["fallback", 1], ["rule", 1], ["story", 1]]
    assert {one["count"] for one in found["rules"]} == {0}


async def test_a_gateway_without_files_says_so(store: AsyncStore, tmp_path: Path) -> None:
    await traffic(store, utcnow(), HELLO)
    found = await Coverage(store, tmp_path).read(1)
    assert (found["files"], found["blind"]) == (False, 1)
    assert found["intents"][0]["name"] == "greet"
    assert (await Coverage(store, tmp_path).read(1))["counted"] is None


async def test_it_goes_round_by_itself_and_survives_a_store_that_fails(
    store: AsyncStore, tmp_path: Path
) -> None:
    await traffic(store, utcnow() - timedelta(hours=3), HELLO)
    await traffic(store, utcnow() - timedelta(hours=1), HELLO, key=OTHER)
    limits = Limits(poll_seconds=0.02)
    dying = Dying(store, 2)
    rollup = Rollup(dying, limits, tmp_path, pace=0.05)  # type: ignore[arg-type]
    running = asyncio.create_task(rollup.run())
    for _ in range(3):
        await asyncio.sleep(0.05)
        dying.lives()

    async def counted_both() -> bool:
        return (await everything(store)).get((t.TURNS, "")) == 2

    await until(counted_both, pause=0.02)
    await rollup.stop()
    await running
