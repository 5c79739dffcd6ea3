"""What every store does, on each of them."""

from __future__ import annotations

import itertools
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from mongoengine import Document, ListField, StringField, ValidationError
from mongoengine.errors import FieldDoesNotExist

from bot.message import utcnow
from bot.store.contract import Store
from bot.store.conversations import Conversation
from bot.store.dead_letters import RECEIVE, DeadLetter
from bot.store.errors import Duplicate, Unindexed
from bot.store.fields import RawField
from bot.store.messages import DONE, PENDING, Message
from bot.store.turns import Turn
from tests.kit.samples import NOON, Named, Numbered, Sample, at, ids, sample


def fill(store: Store, **columns: list[Any]) -> None:
    """Insert samples "0", "1", ... with these values in order."""
    names = list(columns)
    for n, values in enumerate(zip(*columns.values(), strict=True)):
        fields = {k: v for k, v in zip(names, values, strict=True) if v is not None}
        store.insert(sample(str(n), **fields))


# Documents go in and come back.


def test_a_document_comes_back_as_it_went_in(store: Store) -> None:
    written = sample(
        "a",
        text="naïve 日本語 🙂 \x00 end",
        number=-(2**63),
        ratio=0.1,
        flag=False,
        when=datetime(1931, 5, 6, 7, 8, 9, 123000, tzinfo=timezone.utc),
        ref=ObjectId("65e0c2d0a1b2c3d4e5f60718"),
        kept="renamed",
        raw={"big": 2**63 - 1, "list": [1, "two", None, {"deep": NOON}], "none": None, "": "empty"},
        data=bytes(range(256)),
    )
    store.insert(written)
    read = store.get(Sample, "a")
    assert read is not None
    assert read.to_mongo() == written.to_mongo()
    assert bytes(read.data) == bytes(range(256))
    assert read.raw["list"][3]["deep"].utcoffset() == timedelta(0)


def test_keys_within_a_raw_field_may_hold_dots_and_dollars(store: Store) -> None:
    raw = {"a.b": 1, "$set": {"$inc": {"x.y": [{"$": "."}]}}}
    store.insert(sample("a", raw=raw))
    assert store.get(Sample, "a").raw == raw
    changed = store.change(Sample, {"id": "a"}, set={"raw": {"$x": raw}})
    assert changed.raw == {"$x": raw}
    store.put(sample("a", raw={"n": raw}))
    assert store.get(Sample, "a").raw == {"n": raw}


@pytest.mark.parametrize(
    "when",
    [
        datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=timezone.utc),
        datetime(1970, 1, 1, tzinfo=timezone.utc),
        datetime(1, 1, 1, tzinfo=timezone.utc),
        datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=timezone.utc),
    ],
)
def test_times_are_kept_as_utc_with_milliseconds(store: Store, when: datetime) -> None:
    store.insert(sample("a", when=when))
    read = store.get(Sample, "a").when
    assert read == when
    assert read.utcoffset() == timedelta(0)
    assert ids(store.find(Sample, {"when": when})) == ["a"]
    assert ids(store.find(Sample, {"when": {"$gte": when, "$lte": when}})) == ["a"]


def test_times_are_cut_to_milliseconds_and_turned_to_utc(store: Store) -> None:
    east = timezone(timedelta(hours=5, minutes=45))
    store.insert(sample("a", when=datetime(1960, 1, 1, 3, 0, 0, 999999, tzinfo=east)))
    expected = datetime(1959, 12, 31, 21, 15, 0, 999000, tzinfo=timezone.utc)
    assert store.get(Sample, "a").when == expected
    assert store.count(Sample, {"when": expected}) == 1
    microseconds_away = datetime(1959, 12, 31, 21, 15, 0, 999001, tzinfo=timezone.utc)
    assert store.count(Sample, {"when": microseconds_away}) == 1


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2024, 1, 1)
    with pytest.raises(ValidationError):
        store.insert(sample("a", when=naive))
    store.insert(sample("b"))
    with pytest.raises(ValidationError):
        store.find(Sample, {"when": {"$lt": naive}})
    with pytest.raises(ValidationError):
        store.change(Sample, {"id": "b"}, set={"when": naive})
    assert store.count(Sample, {}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 2**63},
        {"raw": {"n": 2**64}},
        {"raw": {"s": "\ud800"}},
        {"raw": {1: "number as key"}},
        {"raw": {"nul\x00": 1}},
        {"raw": {"object": object()}},
        {"raw": {"huge": "x" * (16 * 1024 * 1024)}},
        {"ratio": float("nan")},
        {"color": "blue"},
        {"text": 5},
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    store: Store, fields: dict[str, Any]
) -> None:
    bad = sample("bad")
    for name, value in fields.items():
        setattr(bad, name, value)
    for verb in (store.insert, store.put, lambda d: store.insert_new([sample("good"), d])):
        with pytest.raises(ValidationError):
            verb(bad)
    assert store.count(Sample, {}) == 0


def test_a_required_field_is_required(store: Store) -> None:
    with pytest.raises(ValidationError):
        store.insert(Turn(id="m1", conversation="c", at=NOON))


def test_an_id_is_needed_and_made_where_it_is_an_object_id(store: Store) -> None:
    with pytest.raises(ValidationError):
        store.insert(Sample(text="without"))
    named = Named(id=None, text="with")
    store.insert(named)
    assert isinstance(named.id, ObjectId)
    assert store.get(Named, named.id).text == "with"
    assert store.get(Named, str(named.id)).text == "with"


def test_ids_may_be_numbers(store: Store) -> None:
    for n in (10, 9, -1):
        store.insert(Numbered(id=n, text="x"))
    assert store.get(Numbered, 9).id == 9
    assert ids(store.find(Numbered, {"id": {"$gt": -1}}, sort=["id"])) == [9, 10]


@pytest.mark.parametrize("id", ["missing", "", None, "\ud800", "nul\x00", 5, object()])
def test_an_id_that_is_not_there_or_cannot_be_finds_nothing(store: Store, id: Any) -> None:
    store.insert(sample("a"))
    assert store.get(Sample, id) is None
    assert store.get(Named, id) is None


# Inserting.


def test_a_second_insert_of_an_id_is_a_duplicate_and_changes_nothing(store: Store) -> None:
    store.insert(sample("a", text="first"))
    with pytest.raises(Duplicate):
        store.insert(sample("a", text="second", email="other@example.com", room="other"))
    assert store.get(Sample, "a").text == "first"


def test_unique_keys_hold_on_insert(store: Store) -> None:
    store.insert(sample("a", email="one@example.com", room="r", seat=1))
    with pytest.raises(Duplicate):
        store.insert(sample("b", email="one@example.com"))
    with pytest.raises(Duplicate):
        store.insert(sample("b", room="r", seat=1))
    store.insert(sample("b", room="r", seat=2))
    assert store.count(Sample, {}) == 2


def test_to_a_unique_key_a_missing_field_is_a_value_like_any_other(store: Store) -> None:
    store.insert(sample("a", email=None, room="r"))
    with pytest.raises(Duplicate):
        store.insert(sample("b", email=None))
    with pytest.raises(Duplicate):
        store.insert(sample("b", room="r"))
    store.insert(sample("b", room=None))
    with pytest.raises(Duplicate):
        store.insert(sample("c", room=None))


def test_a_duplicate_does_not_tell_the_value(store: Store) -> None:
    store.insert(sample("a", email="secret@example.com"))
    for again in (sample("a"), sample("b", email="secret@example.com")):
        with pytest.raises(Duplicate) as caught:
            store.insert(again)
        assert "secret" not in str(caught.value)
        assert "secret" not in str(caught.value.__cause__)


def test_insert_new_skips_what_is_there(store: Store) -> None:
    store.insert(sample("b", text="old"))
    batch = [sample(i, text="new") for i in ("a", "b", "c", "c", "a", "d")]
    assert store.insert_new(batch) == [True, False, True, False, False, True]
    assert ids(store.find(Sample, {}, sort=["id"])) == ["a", "b", "c", "d"]
    assert store.get(Sample, "b").text == "old"
    assert store.insert_new([]) == []


def test_insert_new_takes_documents_of_several_classes(store: Store) -> None:
    assert store.insert_new([sample("a"), Numbered(id=1), sample("a"), Numbered(id=1)]) == [
        True,
        True,
        False,
        False,
    ]


def test_insert_new_does_not_pass_over_another_unique_key(store: Store) -> None:
    store.insert(sample("a", email="one@example.com"))
    with pytest.raises(Duplicate):
        store.insert_new([sample("b"), sample("c", email="one@example.com"), sample("d")])
    assert store.get(Sample, "c") is None
    assert store.get(Sample, "d") is None
    # Repeating the call without it does no harm, whatever of it had been stored.
    store.insert_new([sample("b"), sample("d")])
    assert ids(store.find(Sample, {}, sort=["id"])) == ["a", "b", "d"]


def test_put_inserts_and_replaces_whole(store: Store) -> None:
    store.put(sample("a", text="one", number=1))
    store.put(sample("a", text="two", flag=True))
    read = store.get(Sample, "a")
    assert (read.text, read.number, read.flag) == ("two", None, True)
    assert store.count(Sample, {"number": 1}) == 0
    assert store.count(Sample, {"text": "two"}) == 1
    store.insert(sample("b", email="b@example.com"))
    with pytest.raises(Duplicate):
        store.put(sample("a", email="b@example.com"))
    assert store.get(Sample, "a").text == "two"


# Finding.

OPERATORS: list[tuple[str, Any, list[str]]] = [
    ("number", 2, ["2"]),
    ("number", None, ["4"]),
    ("number", {"$eq": 2}, ["2"]),
    ("number", {"$ne": 2}, ["0", "1", "3", "4"]),
    ("number", {"$ne": None}, ["0", "1", "2", "3"]),
    ("number", {"$lt": 2}, ["0", "1"]),
    ("number", {"$lte": 2}, ["0", "1", "2"]),
    ("number", {"$gt": 2}, ["3"]),
    ("number", {"$gte": 2}, ["2", "3"]),
    ("number", {"$gt": 0, "$lt": 3}, ["1", "2"]),
    ("number", {"$gt": 3, "$lt": 0}, []),
    ("number", {"$in": [0, 3, 77]}, ["0", "3"]),
    ("number", {"$in": [0, None]}, ["0", "4"]),
    ("number", {"$in": [None]}, ["4"]),
    ("number", {"$in": []}, []),
    ("number", {"$in": [0, 1, 2], "$ne": 1}, ["0", "2"]),
    ("text", "b", ["1"]),
    ("text", {"$gt": "B"}, ["0", "1", "2", "3"]),
    ("text", {"$gte": "c"}, ["2", "3"]),
    ("text", {"$in": ("a", "é")}, ["0", "3"]),
    ("ratio", {"$gt": 1}, ["2", "3"]),
    ("ratio", {"$lte": 1.0}, ["0", "1"]),
    ("flag", True, ["1", "3"]),
    ("flag", False, ["0", "2"]),
    ("flag", {"$ne": True}, ["0", "2", "4"]),
    ("when", at(1), ["1"]),
    ("when", {"$lt": at(1.5)}, ["0", "1"]),
    ("when", {"$gte": at(1), "$lt": at(3)}, ["1", "2"]),
    ("when", None, ["4"]),
    ("ref", ObjectId(b"000000000002"), ["2"]),
    ("ref", str(ObjectId(b"000000000002")), ["2"]),
    ("ref", {"$gt": ObjectId(b"000000000001")}, ["2", "3"]),
    ("kept", {"$in": ["k0", "k1"]}, ["0", "1"]),
    ("id", "3", ["3"]),
    ("id", {"$in": ["1", "9"]}, ["1"]),
    ("id", {"$gte": "3"}, ["3", "4"]),
]


@pytest.mark.parametrize(("field", "wanted", "found"), OPERATORS)
def test_operators(store: Store, field: str, wanted: Any, found: list[str]) -> None:
    fill(
        store,
        number=[0, 1, 2, 3, None],
        text=["a", "b", "c", "é", None],
        ratio=[-1.5, 1.0, 1.5, 1e300, None],
        flag=[False, True, False, True, None],
        when=[at(0), at(1), at(2), at(3), None],
        ref=[ObjectId(f"{n:012}".encode()) for n in range(4)] + [None],
        kept=["k0", "k1", "k2", "k3", None],
    )
    assert ids(store.find(Sample, {field: wanted}, sort=["id"])) == found
    assert store.count(Sample, {field: wanted}) == len(found)
    assert store.delete(Sample, {field: wanted}) == len(found)
    assert store.count(Sample, {}) == 5 - len(found)


def test_all_conditions_of_a_filter_must_hold(store: Store) -> None:
    fill(store, number=[1, 1, 2, 2], flag=[True, False, True, None])
    assert ids(store.find(Sample, {"number": 1, "flag": True})) == ["0"]
    assert ids(store.find(Sample, {"number": {"$gt": 0}, "flag": None})) == ["3"]
    assert len(store.find(Sample, {})) == 4


def test_sorting_puts_what_is_missing_first_and_descending_last(store: Store) -> None:
    fill(store, number=[3, None, -1, 2], when=[None, at(1), at(3), at(2)])
    assert ids(store.find(Sample, {}, sort=["number"])) == ["1", "2", "3", "0"]
    assert ids(store.find(Sample, {}, sort=["-number"])) == ["0", "3", "2", "1"]
    assert ids(store.find(Sample, {}, sort=["-when"])) == ["2", "3", "1", "0"]
    assert ids(store.find(Sample, {}, sort=["-id"])) == ["3", "2", "1", "0"]


def test_text_sorts_by_code_points(store: Store) -> None:
    texts = ["b", "a", "B", "", "aa", "é", "\uffff", "🙂", "a\x00b"]
    fill(store, text=texts)
    found = [found.text for found in store.find(Sample, {}, sort=["text"])]
    assert found == sorted(texts)


def test_later_sort_fields_settle_the_ties_of_earlier_ones(store: Store) -> None:
    fill(
        store,
        number=[1, 1, 2, 2, 1],
        when=[at(1), at(2), at(1), at(2), at(3)],
    )
    assert ids(store.find(Sample, {}, sort=["number", "-when"])) == ["4", "1", "0", "3", "2"]
    assert ids(store.find(Sample, {}, sort=["-number", "when"])) == ["2", "3", "0", "1", "4"]
    tied = ids(store.find(Sample, {}, sort=["number"]))
    assert set(tied[:3]) == {"0", "1", "4"}
    assert set(tied[3:]) == {"2", "3"}
    assert ids(store.find(Sample, {}, sort=["number", "id"])) == ["0", "1", "4", "2", "3"]


def test_limit_and_skip_cut_a_page_out(store: Store) -> None:
    fill(store, number=list(range(7)))
    assert ids(store.find(Sample, {}, sort=["number"], limit=2)) == ["0", "1"]
    assert ids(store.find(Sample, {}, sort=["number"], limit=2, skip=3)) == ["3", "4"]
    assert ids(store.find(Sample, {}, sort=["number"], skip=5)) == ["5", "6"]
    assert store.find(Sample, {}, sort=["number"], skip=7) == []
    assert len(store.find(Sample, {}, limit=0)) == 7
    for window in ({"limit": -1}, {"skip": -1}):
        with pytest.raises(ValueError, match="negative"):
            store.find(Sample, {}, **window)


@pytest.mark.parametrize("field", ["unindexed", "raw", "nonsense", "raw.key", "$where", "k"])
def test_a_field_without_an_index_is_refused_everywhere(store: Store, field: str) -> None:
    for ask in (
        lambda: store.find(Sample, {field: "x"}),
        lambda: store.find(Sample, {"id": "a", field: None}),
        lambda: store.find(Sample, {}, sort=[field]),
        lambda: store.find(Sample, {}, sort=["-" + field]),
        lambda: store.count(Sample, {field: "x"}),
        lambda: store.delete(Sample, {field: "x"}),
        lambda: store.change(Sample, {field: "x"}, set={"text": "y"}),
        lambda: store.claim(Sample, {}, sort=[field], set={"text": "y"}),
    ):
        with pytest.raises(Unindexed):
            ask()


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ({"number": {}}, ValueError),
        ({"number": {"$regex": "x"}}, ValueError),
        ({"number": {"plain": 1}}, ValueError),
        ({"number": {"$in": 5}}, ValueError),
        ({"text": {"$in": "abc"}}, ValueError),
        ({"number": {"$in": list(range(10_001))}}, ValueError),
        ({"number": {"$lt": None}}, ValueError),
        ({"number": "many"}, ValidationError),
        ({"number": 2**63}, ValidationError),
        ({"number": {"$in": [1, "many"]}}, ValidationError),
        ({"text": 5}, ValidationError),
        ({"text": {"$gt": ["a"]}}, ValidationError),
        ({"text": "\ud800"}, ValidationError),
        ({"ratio": float("nan")}, ValidationError),
        ({"ref": "no object id"}, ValidationError),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    store: Store, where: dict[str, Any], error: type[Exception]
) -> None:
    store.insert(sample("a"))
    with pytest.raises(error):
        store.find(Sample, where)
    with pytest.raises(error):
        store.delete(Sample, where)
    assert store.count(Sample, {}) == 1


# Changing.


def test_change_sets_unsets_adds_and_raises_at_once(store: Store) -> None:
    store.insert(sample("a", text="x", number=5, ratio=1.5, kept="old", unindexed="gone", seat=7))
    changed = store.change(
        Sample,
        {"id": "a", "number": 5},
        set={"text": "y", "kept": "new", "raw": {"n": 1}},
        unset=["unindexed"],
        inc={"number": -7, "ratio": 0.25},
        max={"seat": 9, "when": at(3)},
    )
    assert changed is not None
    assert (changed.text, changed.kept, changed.unindexed) == ("y", "new", None)
    assert (changed.number, changed.ratio, changed.seat, changed.when) == (-2, 1.75, 9, at(3))
    assert changed.to_mongo() == store.get(Sample, "a").to_mongo()
    # The indexes have followed.
    where = {"text": "y", "number": -2, "ratio": 1.75, "kept": "new", "when": at(3)}
    assert ids(store.find(Sample, where)) == ["a"]
    assert store.find(Sample, {"text": "x"}) == []


def test_change_does_nothing_without_a_match(store: Store) -> None:
    store.insert(sample("a", number=1))
    assert store.change(Sample, {"id": "a", "number": 2}, set={"text": "no"}) is None
    assert store.change(Sample, {"id": "b"}, set={"text": "no"}) is None
    assert store.get(Sample, "a").text is None


def test_change_touches_one_document_only(store: Store) -> None:
    fill(store, number=[1, 1, 1])
    assert store.change(Sample, {"number": 1}, set={"number": 2}) is not None
    assert store.count(Sample, {"number": 1}) == 2


def test_adding_to_nothing_and_raising_nothing(store: Store) -> None:
    store.insert(sample("a"))
    changed = store.change(Sample, {"id": "a"}, inc={"number": 3}, max={"ratio": -2.0})
    assert (changed.number, changed.ratio) == (3, -2.0)
    changed = store.change(Sample, {"id": "a"}, max={"ratio": -3.0, "when": at(1)})
    assert (changed.ratio, changed.when) == (-2.0, at(1))
    changed = store.change(Sample, {"id": "a"}, max={"when": at(0)})
    assert changed.when == at(1)


def test_setting_none_takes_a_field_away(store: Store) -> None:
    store.insert(sample("a", text="x"))
    changed = store.change(Sample, {"id": "a"}, set={"text": None, "number": 1})
    assert changed.text is None
    assert "text" not in store.get(Sample, "a").to_mongo()
    assert store.count(Sample, {"text": None}) == 1


def test_unique_keys_hold_on_change(store: Store) -> None:
    store.insert(sample("a", room="r", seat=1))
    store.insert(sample("b", room="r", seat=2))
    with pytest.raises(Duplicate):
        store.change(Sample, {"id": "b"}, set={"email": "a@example.com"})
    with pytest.raises(Duplicate):
        store.change(Sample, {"id": "b"}, inc={"seat": -1})
    store.change(Sample, {"id": "a"}, unset=["seat"])
    with pytest.raises(Duplicate):
        store.claim(Sample, {"id": "b"}, sort=["id"], set={"seat": None})
    assert store.get(Sample, "b").seat == 2
    assert store.change(Sample, {"id": "b"}, inc={"seat": -1}).seat == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, ValueError),
        ({"set": {}}, ValueError),
        ({"set": {"id": "b"}}, ValueError),
        ({"unset": ["id"]}, ValueError),
        ({"set": {"number": 1}, "inc": {"number": 1}}, ValueError),
        ({"set": {"text": "x"}, "unset": ["text"]}, ValueError),
        ({"set": {"nonsense": 1}}, FieldDoesNotExist),
        ({"set": {"raw.key": 1}}, FieldDoesNotExist),
        ({"set": {"$inc": {"number": 1}}}, FieldDoesNotExist),
        ({"unset": ["nonsense"]}, FieldDoesNotExist),
        ({"set": {"number": "many"}}, ValidationError),
        ({"set": {"color": "blue"}}, ValidationError),
        ({"set": {"must": None}}, ValidationError),
        ({"unset": ["must"]}, ValidationError),
        ({"inc": {"text": 1}}, ValidationError),
        ({"inc": {"number": "1"}}, ValidationError),
        ({"inc": {"number": 0.5}}, ValidationError),
        ({"max": {"raw": {}}}, ValidationError),
        ({"set": {"raw": {"n": 2**64}}}, ValidationError),
        ({"set": {"ratio": float("nan")}}, ValidationError),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    store: Store, change: dict[str, Any], error: type[Exception]
) -> None:
    store.insert(sample("a", number=1))
    before = store.get(Sample, "a").to_mongo()
    with pytest.raises(error):
        store.change(Sample, {"id": "a"}, **change)
    assert store.get(Sample, "a").to_mongo() == before


def test_claim_takes_the_first_in_the_order_asked_for(store: Store) -> None:
    fill(store, number=[3, 1, 2], text=["job", "job", "job"], when=[at(1), at(3), at(2)])
    job: dict[str, Any] = {"text": "job"}

    def claim(*sort: str) -> Any:
        return store.claim(Sample, job, sort=sort, set={"text": "taken"}, inc={"number": 10})

    taken = claim("number")
    assert (taken.id, taken.text, taken.number) == ("1", "taken", 11)
    assert claim("-when").id == "2"
    assert claim("id").id == "0"
    assert claim("id") is None
    assert store.count(Sample, {"text": "taken", "number": {"$gt": 10}}) == 3


def needs_atomic_updates(store: Store) -> None:
    if "//mock/" in repr(store):
        pytest.skip("mongomock's find_one_and_update is not atomic between threads")


def test_of_many_threads_each_job_is_claimed_by_one(store: Store) -> None:
    needs_atomic_updates(store)
    store.insert_new([sample(f"{n:03}", number=n, text="job") for n in range(120)])
    claimed: list[str] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while job := store.claim(Sample, {"text": "job"}, sort=["number"], set={"text": "x"}):
                claimed.append(job.id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(claimed) == [f"{n:03}" for n in range(120)]


def test_a_compare_and_set_is_won_by_one(store: Store) -> None:
    needs_atomic_updates(store)
    store.insert(sample("a", number=0))
    won: list[int] = []

    def race(me: int) -> None:
        for n in range(20):
            if store.change(Sample, {"id": "a", "number": n}, inc={"number": 1}):
                won.append(n)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = store.get(Sample, "a").number
    assert sorted(won) == list(range(final))


# Deleting, and the rest.


def test_delete_tells_how_many_and_takes_all_with_an_empty_filter(store: Store) -> None:
    store.insert_new([sample(f"{n:04}", number=n % 3) for n in range(1203)])
    assert store.delete(Sample, {"number": 0}) == 401
    assert store.delete(Sample, {"number": 0}) == 0
    assert store.delete(Sample, {"id": {"$lt": "0002"}}) == 1
    assert store.delete(Sample, {}) == 801
    assert store.count(Sample, {}) == 0


def test_ensure_may_be_repeated(store: Store) -> None:
    store.insert(sample("a"))
    store.ensure(Sample)
    store.ensure(Sample, Numbered)
    assert store.count(Sample, {}) == 1


def test_a_collection_is_usable_without_ensure(store: Store) -> None:
    class Stray(Document):
        id = StringField(primary_key=True)
        meta = {"collection": "strays", "auto_create_index": False}

    assert store.find(Stray, {}) == []
    store.insert(Stray(id="a"))
    assert ids(store.find(Stray, {})) == ["a"]


def test_ensure_reports_a_unique_index_that_does_not_hold(store: Store) -> None:
    class Loose(Document):
        id = StringField(primary_key=True)
        text = StringField()
        meta = {"collection": "strict", "auto_create_index": False}

    class Strict(Document):
        id = StringField(primary_key=True)
        text = StringField(unique=True)
        meta = {"collection": "strict", "auto_create_index": False}

    store.insert(Loose(id="a", text="same"))
    store.insert(Loose(id="b", text="same"))
    with pytest.raises(Duplicate):
        store.ensure(Strict)


def _indexed(field: Any, index: Any) -> type[Document]:
    meta = {"collection": "odd", "auto_create_index": False, "indexes": [index]}
    attributes = {"id": StringField(primary_key=True), "field": field, "meta": meta}
    made: type[Document] = type("Odd", (Document,), attributes)
    return made


@pytest.mark.parametrize(
    "index_and_field",
    [
        ("field", ListField(StringField())),
        ("field", RawField()),
        ("#field", StringField()),
        ("$field", StringField()),
        ({"fields": ["field"], "sparse": True, "unique": True}, StringField()),
        ({"fields": ["field"], "expireAfterSeconds": 5}, StringField()),
    ],
)
def test_indexes_beyond_the_plain_subset_are_refused(
    store: Store, index_and_field: tuple[Any, Any]
) -> None:
    index, field = index_and_field
    with pytest.raises(TypeError):
        store.ensure(_indexed(field, index))


def test_documents_of_a_newer_version_can_be_read_and_changed(store: Store) -> None:
    class Newer(Document):
        id = StringField(primary_key=True)
        text = StringField()
        added = StringField()
        meta = {"collection": "versions", "auto_create_index": False, "indexes": ["added"]}

    class Older(Document):
        id = StringField(primary_key=True)
        text = StringField()
        meta = {"collection": "versions", "auto_create_index": False, "indexes": ["text"]}

    store.insert(Newer(id="a", text="x", added="kept"))
    assert store.find(Older, {"text": "x"})[0].text == "x"
    assert store.change(Older, {"id": "a"}, set={"text": "y"}).text == "y"
    (read,) = store.find(Newer, {"added": "kept"})
    assert (read.text, read.added) == ("y", "kept")


def test_ping_answers_and_close_may_be_repeated(store: Store) -> None:
    store.ping()
    store.close()
    store.close()


# The documents of the real schema.


def test_a_message_goes_through_its_life(store: Store) -> None:
    store.ensure(Message)
    now = utcnow()
    store.insert(
        Message(
            id="telegram:shop:42",
            direction="in",
            conversation="telegram:shop:7",
            channel="telegram",
            account="shop",
            provider_id="42",
            status=PENDING,
            content={"kind": "text", "text": "where is my parcel? 📦"},
            arrived=1_700_000_000_000_000,
            sent=now,
            due=now,
        )
    )
    due = {"direction": "in", "status": PENDING, "due": {"$lte": now}}
    taken = store.claim(
        Message, due, sort=["due", "arrived"], set={"owner": "w1"}, inc={"attempts": 1}
    )
    assert (taken.owner, taken.attempts, taken.sent) == ("w1", 1, now)
    done = store.change(Message, {"id": taken.id, "status": PENDING}, set={"status": DONE})
    assert done.content["text"].endswith("📦")
    assert store.change(Message, {"id": taken.id, "status": PENDING}, set={"status": DONE}) is None
    assert store.find(Message, {"channel": "telegram", "account": "shop", "provider_id": "42"})


def test_a_conversation_is_leased_to_one_worker(store: Store) -> None:
    store.ensure(Conversation)
    store.insert(Conversation(id="telegram:shop:7", lease_until=at(0), created=at(0)))
    free = {"id": "telegram:shop:7", "lease_until": {"$lte": at(1)}}
    mine = {"lease_owner": "w1", "lease_until": at(2)}
    leased = store.change(Conversation, free, set=mine, inc={"lease_epoch": 1})
    assert (leased.lease_owner, leased.lease_epoch, leased.holder) == ("w1", 1, "bot")
    assert store.change(Conversation, free, set=mine, inc={"lease_epoch": 1}) is None
    later = store.change(Conversation, {"id": leased.id}, max={"last_in": at(5)})
    assert later.last_in == at(5)
    with pytest.raises(ValidationError):
        store.change(Conversation, {"id": leased.id}, set={"holder": "nobody"})


def test_two_turns_never_share_a_place_in_a_conversation(store: Store) -> None:
    store.ensure(Turn)

    def turn(id: str, conversation: str, seq: int) -> Turn:
        events = [{"event": "user", "text": "hi", "parse_data": {"intent": {"name": "greet"}}}]
        return Turn(id=id, conversation=conversation, seq=seq, at=NOON, events=events, state={})

    store.insert(turn("m1", "c", 1))
    with pytest.raises(Duplicate):
        store.insert(turn("m2", "c", 1))
    with pytest.raises(Duplicate):
        store.insert(turn("m1", "d", 1))
    store.insert(turn("m2", "c", 2))
    store.insert(turn("m3", "d", 1))
    (last,) = store.find(Turn, {"conversation": "c"}, sort=["-seq"], limit=1)
    assert (last.id, last.events[0]["parse_data"]) == ("m2", {"intent": {"name": "greet"}})


def test_a_dead_letter_keeps_the_request_whole(store: Store) -> None:
    store.ensure(DeadLetter)
    body = b'{"broken": \xff\x00\xfe'
    for minute, stage in itertools.product((0, 1), (RECEIVE,)):
        store.insert(
            DeadLetter(
                stage=stage,
                channel="telegram",
                account="shop",
                reason="not JSON",
                body=body,
                headers={"Content-Type": "application/json", "X.Dotted": "$1"},
                at=at(minute),
            )
        )
    newest = store.find(DeadLetter, {"stage": RECEIVE}, sort=["-at"])[0]
    assert (newest.at, bytes(newest.body)) == (at(1), body)
    assert newest.headers["X.Dotted"] == "$1"
    replayed = store.change(DeadLetter, {"id": newest.id}, set={"replayed": at(2)})
    assert replayed.replayed == at(2)
    assert store.delete(DeadLetter, {"at": {"$lt": at(1)}}) == 1
