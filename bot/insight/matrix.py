"""Which intents a model takes for which, as `bot train` found on the held-out messages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.nlu import bare
from bot.dialogue.checking.written import Written, nlu_of, written
from bot.store import AsyncStore
from bot.store.models import FAILED, IN_USE, POINTER, RETIRED, ModelInUse, StoredModel

_MODELS = 40


class NoSuchModel(LookupError):
    """The store knows no model of that name."""


class Matrices:
    """The models' confusions. `root` is the project's folder."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._store = store
        self._root = root

    async def read(self, model: str = "", against: str = "") -> dict[str, Any]:
        """Return the models there are, and one's confusions: without a name, of the one in use.

        `measured` is None for a model of which only the totals are known, or nothing; else its
        `intents` are in an order in which those that are confused stand together, `cells` are
        ``[row, column, messages]`` of them, meant by understood. `changes` compare it with the
        model `against`. Raises NoSuchModel, StoreDown.
        """
        pointer = await self._store.get(ModelInUse, POINTER)
        models = await self._store.find(StoredModel, {}, sort=("-created",), limit=_MODELS)
        in_use = str(pointer.model) if pointer else ""
        known = {str(one.id): one for one in models}
        for name in filter(None, (model, against, in_use)):
            if name not in known:
                found = await self._store.get(StoredModel, name)
                if found is not None:
                    known[name] = found
                elif name != in_use:
                    raise NoSuchModel(f"{name}: the store knows no such model")
        shown = model or (in_use if in_use in known else next(iter(known), ""))
        listed = [_listed(one, in_use) for one in known.values()]
        if not shown:
            return {"models": [], "model": "", "measured": None, "changes": None}
        places = await asyncio.to_thread(places_of, self._root)
        report = known[shown].report or {}
        return {
            "models": listed,
            "model": shown,
            "measured": measured(report, places) if report.get("matrix") else None,
            "changes": changes(report, known[against].report or {}) if against else None,
        }


def measured(report: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """Return the confusions of a report, with the places of its texts as files are now."""
    rows = [(str(meant), str(got), int(count)) for meant, got, count in report["matrix"]]
    intents = in_order(rows)
    at = {name: n for n, name in enumerate(intents)}
    right = sum(count for meant, got, count in rows if meant == got)
    causes = []
    for one in report.get("causes") or ():
        meant, got = str(one["intent"]), str(one["predicted"])
        messages = [
            {
                "text": said["text"],
                "place": places.held_out.get((meant, said["text"]), ""),
                "example": said["example"],
                "example_place": places.examples.get((meant, said["example"]), ""),
                "other": said["other"],
                "other_place": places.examples.get((got, said["other"]), ""),
            }
            for said in one["messages"]
        ]
        causes.append({"cell": [at[meant], at[got]], "count": one["count"], "messages": messages})
    return {
        "intents": intents,
        "cells": [[at[meant], at[got], count] for meant, got, count in rows],
        "examples": sum(count for *_, count in rows),
        "right": right,
        "scores": [
            {**score, "place": places.intents.get(str(score["name"]), "")} for score in scores(rows)
        ],
        "confidence": report.get("confidence") or [],
        "causes": causes,
        "files": bool(places.intents),
    }


def scores(rows: Sequence[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Return of each intent ``{name, precision, recall, f1, messages}``, the worst first.

    Precision is None for one that was never understood, as is recall for one never meant.
    """
    meant: dict[str, int] = {}
    got: dict[str, int] = {}
    right: dict[str, int] = {}
    for intent, predicted, count in rows:
        meant[intent] = meant.get(intent, 0) + count
        got[predicted] = got.get(predicted, 0) + count
        if intent == predicted:
            right[intent] = right.get(intent, 0) + count
    found = []
    for name in sorted({*meant, *got}):
        hits = right.get(name, 0)
        precision = hits / got[name] if got.get(name) else None
        recall = hits / meant[name] if meant.get(name) else None
        both = meant.get(name, 0) + got.get(name, 0)
        found.append(
            {
                "name": name,
                "precision": precision,
                "recall": recall,
                "f1": 2 * hits / both,
                "messages": meant.get(name, 0),
            }
        )
    return sorted(found, key=lambda one: (one["f1"], str(one["name"])))


def in_order(rows: Sequence[tuple[str, str, int]]) -> list[str]:
    """Return all intents so that those that are confused with each other stand together.

    Beginning with the strongest confusion, groups are joined at the ends that belong together;
    the groups with most confusion come first, what is never confused last, by name.
    """
    names = sorted({name for meant, got, _ in rows for name in (meant, got)})
    drawn: dict[tuple[str, str], int] = {}
    for meant, got, count in rows:
        if meant != got:
            pair = (min(meant, got), max(meant, got))
            drawn[pair] = drawn.get(pair, 0) + count
    group = {name: [name] for name in names}
    for (one, other), _ in sorted(drawn.items(), key=lambda item: (-item[1], item[0])):
        left, right = group[one], group[other]
        if left is right:
            continue
        if left.index(one) < len(left) / 2 and left[-1] != one:
            left.reverse()
        if right.index(other) >= len(right) / 2 and right[0] != other:
            right.reverse()
        left += right
        for name in right:
            group[name] = left
    weight = dict.fromkeys(names, 0)
    for (one, other), count in drawn.items():
        weight[one] += count
        weight[other] += count
    groups = {id(members): members for members in group.values()}.values()
    ordered = sorted(groups, key=lambda m: (-sum(weight[name] for name in m), m[0]))
    return [name for members in ordered for name in members]


def changes(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two reports: what got better and worse, intents by F1 and pairs by messages.

    `alike` tells whether both were measured on as many messages of each intent; if not, they were
    not measured on the same file. Of what was not measured nothing is told.
    """
    after, before = new.get("intents") or {}, old.get("intents") or {}
    intents = [
        {
            "name": name,
            "before": before[name][0],
            "after": after[name][0],
            "messages": after[name][1],
        }
        for name in sorted({*after} & {*before})
        if abs(after[name][0] - before[name][0]) >= 0.0005
    ]
    pairs = None
    if new.get("matrix") and old.get("matrix"):
        now, was = _wrong(new["matrix"]), _wrong(old["matrix"])
        pairs = [
            {"intent": pair[0], "predicted": pair[1], "before": was.get(pair, 0), "after": n}
            for pair in sorted({*now, *was})
            if (n := now.get(pair, 0)) != was.get(pair, 0)
        ]
    return {
        "alike": {n: v[1] for n, v in after.items()} == {n: v[1] for n, v in before.items()},
        "measured": bool(after and before),
        "accuracy": [old.get("accuracy"), new.get("accuracy")],
        "f1": [old.get("f1"), new.get("f1")],
        "intents": sorted(intents, key=lambda one: one["after"] - one["before"]),
        "pairs": pairs,
        "added": sorted({*after} - {*before}),
        "removed": sorted({*before} - {*after}),
    }


def _wrong(rows: Sequence[Sequence[Any]]) -> dict[tuple[str, str], int]:
    return {(str(a), str(b)): int(n) for a, b, n in rows if a != b}


def _listed(model: StoredModel, in_use: str) -> dict[str, Any]:
    report = model.report or {}
    status = str(model.status)
    if model.id == in_use:
        status = status if status == FAILED else IN_USE
    elif status == IN_USE:
        status = RETIRED
    return {
        "id": str(model.id),
        "at": int(model.created.timestamp() * 1000),
        "status": status,
        "accuracy": report.get("accuracy"),
        "examples": report.get("examples") or 0,
        "measured": bool(report.get("matrix")),
    }


class Places:
    """Where examples are in the files: by intent and text without marks, ``file:line``."""

    def __init__(self) -> None:
        self.examples: dict[tuple[str, str], str] = {}
        self.held_out: dict[tuple[str, str], str] = {}
        self.intents: dict[str, str] = {}


def places_of(root: Path) -> Places:
    """Return where the examples below `root` are now."""
    return written(root).made(_places)


def _places(project: Written) -> Places:
    places = Places()
    held_out = nlu_of(project.held_out, project.domain, Findings())
    for nlu, into in ((project.nlu, places.examples), (held_out, places.held_out)):
        for intent, lines in nlu.examples.items():
            for text, at in lines:
                into.setdefault((intent, bare(text)), f"{at.file}:{at.line}")
    for intent, at in project.nlu.first.items():
        places.intents[intent] = f"{at.file}:{at.line}"
    return places
