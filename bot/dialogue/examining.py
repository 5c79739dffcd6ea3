"""How well a model does on held-out messages and on the stories under ``tests/stories``.

Heavy: imported by `bot.dialogue.child` alone. Messages are understood as in a worker;
stories are followed by ``rasa test``'s own machinery.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from rasa.core import test as core
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.shared.core.constants import ACTION_UNLIKELY_INTENT_NAME
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.dialogue.processor import Processor

_AT_ONCE = 256
_PAIRS = 12
_BINS = 10
# What is kept of a model's mistakes: so many messages in all and of a pair, so long.
_CAUSES, _OF_A_PAIR, _LONG = 300, 8, 200
_UNSURE = "nlu_fallback"
_DATE = "date"
#: What these predict was written down by a designer; everything else is a guess.
_KNOW = ("RulePolicy", "MemoizationPolicy", "AugmentedMemoizationPolicy")


def examine(model: Path, held_out: str | None, stories: str | None) -> dict[str, Any]:
    """Return how a model does: what `bot.dialogue.comparing.Exam` reads.

    ``intents`` is ``{name: [f1, precision, recall, examples]}``; ``wrong`` a list of
    ``(text, intent, predicted)``; ``stories`` is ``{title: reason of failure or ""}``;
    ``unseen`` a list of ``(title, action, policy)`` that no rule or training story knew.
    ``matrix`` has a row ``[intent, predicted, messages]`` for each pair that occurred.
    ``confidence`` are messages by tenths of the confidence in the nearest intent: rightly
    understood, wrongly, and those for which it was not enough.
    """
    processor = Processor(
        model,
        tracker_store=None,
        lock_store=InMemoryLockStore(),
        generator=TemplatedNaturalLanguageGenerator({}),
    )
    exam: dict[str, Any] = {"examples": 0, "right": 0, "intents": {}, "wrong": []}
    exam.update({"entities": [0, 0], "stories": {}, "unseen": [], "matrix": []})
    exam["confidence"] = [[0] * _BINS for _ in range(3)]
    if held_out:
        _understanding(processor, load_data(held_out), exam)
    if stories:
        asyncio.run(_stories(processor, stories, exam))
    return exam


def causes(wrong: list[tuple[str, str, str]], data: TrainingData) -> list[dict[str, Any]]:
    """Return the confusions, the commonest first: ``{intent, predicted, count, messages}``.

    Each message is ``{text, example, other, like}``: the two training examples that are nearest
    to it, by the letters they share, one of the intent that was meant and one of that which
    was understood; `like` is how near the second is, 0 to 1. Of very many the rarest are left
    out, so that the whole stays small.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    examples = [e for e in data.intent_examples if e.get("text")]
    if not wrong or not examples:
        return []
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    matrix = vectorizer.fit_transform([str(e.get("text")) for e in examples])
    of: dict[str, list[int]] = {}
    for n, example in enumerate(examples):
        of.setdefault(str(example.get("intent")), []).append(n)

    def nearest(near: Any, intent: str) -> tuple[str, float]:
        if intent not in of:
            return "", 0.0
        best = max(of[intent], key=lambda n: near[n])
        return str(examples[best].get("text"))[:_LONG], float(near[best])

    told, left = [], _CAUSES
    counted = Counter((intent, predicted) for _, intent, predicted in wrong)
    for (intent, predicted), count in counted.most_common():
        if left <= 0:
            break
        texts = [t for t, i, p in wrong if (i, p) == (intent, predicted)][: min(_OF_A_PAIR, left)]
        left -= len(texts)
        messages = []
        for text in texts:
            near = (matrix @ vectorizer.transform([text]).T).toarray().ravel()
            (other, like), (example, _) = nearest(near, predicted), nearest(near, intent)
            found = {"text": text[:_LONG], "example": example, "other": other}
            messages.append({**found, "like": round(like, 3)})
        # The clearest case first: what was understood is nearest to what was said.
        messages.sort(key=lambda one: -float(str(one["like"])))
        told.append(
            {"intent": intent, "predicted": predicted, "count": count, "messages": messages}
        )
    return told


def confusions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the commonest of what `causes` found, each with its clearest message."""
    return [
        {
            **{key: one[key] for key in ("intent", "predicted", "count")},
            **{key: one["messages"][0][key] for key in ("text", "example", "other")},
        }
        for one in found[:_PAIRS]
    ]


def _understanding(processor: Processor, data: TrainingData, exam: dict[str, Any]) -> None:
    examples = [e for e in data.intent_examples if e.get("text")]
    target = processor.graph_runner.before(str(processor.model_metadata.nlu_target))
    meant: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    entities, marked = [0, 0], False
    for start in range(0, len(examples), _AT_ONCE):
        part = examples[start : start + _AT_ONCE]
        results = processor.graph_runner.run(
            inputs={
                PLACEHOLDER_MESSAGE: [UserMessage(str(e.get("text"))) for e in part],
                PLACEHOLDER_TRACKER: DialogueStateTracker("test", processor.domain.slots),
            },
            targets=[target],
        )
        for example, message in zip(part, results[target], strict=True):
            told = message.as_dict(only_output_properties=True)
            intent = str(example.get("intent"))
            got = str((told.get("intent") or {}).get("name"))
            meant[intent] += 1
            predicted[got] += 1
            pairs[intent, got] += 1
            _sure(told, intent, exam["confidence"])
            if got == intent:
                right[intent] += 1
            else:
                exam["wrong"].append((str(example.get("text")), intent, got))
            wanted, seen = _entities(example.get("entities")), _entities(told.get("entities"))
            marked = marked or bool(wanted)
            entities[0] += len(wanted & seen)
            entities[1] += len(wanted | seen)
    exam["examples"], exam["right"] = sum(meant.values()), sum(right.values())
    exam["matrix"] = [[intent, got, count] for (intent, got), count in sorted(pairs.items())]
    # A file in which no entity is marked says nothing of how well they are found.
    exam["entities"] = entities if marked else [0, 0]
    for intent, count in sorted(meant.items()):
        precision = right[intent] / predicted[intent] if predicted[intent] else 0.0
        recall = right[intent] / count
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        exam["intents"][intent] = [round(v, 4) for v in (f1, precision, recall)] + [count]


def _sure(told: dict[str, Any], intent: str, bins: list[list[int]]) -> None:
    """Count a message by how sure the model was of its nearest intent."""
    got = told.get("intent") or {}
    ranking = [one for one in told.get("intent_ranking") or [got] if one["name"] != _UNSURE]
    first = (ranking or [got])[0]
    # Understood as something, that is what counts; not sure enough, what was nearest.
    unsure = got.get("name") == _UNSURE and intent != _UNSURE
    kind = 2 if unsure else int(got.get("name") != intent)
    sure = float((first if unsure else got).get("confidence") or 0.0)
    bins[kind][min(_BINS - 1, max(0, int(sure * _BINS)))] += 1


def _entities(found: Any) -> set[tuple[str, Any, Any]]:
    return {(e["entity"], e.get("start"), e.get("end")) for e in found or ()}


async def _stories(processor: Processor, folder: str, exam: dict[str, Any]) -> None:
    agent = Agent(domain=processor.domain)
    agent.processor = processor
    trackers = core._create_data_generator(
        folder, agent, use_conversation_test_files=True
    ).generate_story_trackers()
    for tracker in trackers:
        title = str(tracker.sender_id)
        try:
            await _date(processor, tracker)
            told, after, actions, _ = await core._predict_tracker_actions(
                tracker, agent, use_e2e=True
            )
        except Exception as error:
            # A story of today may be beyond the domain of the model in use.
            exam["stories"][title] = f"cannot be followed: {type(error).__name__}"
            continue
        wrong = told.check_prediction_target_mismatch()
        exam["stories"][title] = (_first_wrong(after) or "went otherwise") if wrong else ""
        for action in actions:
            name, policy = action["predicted"], action["policy"]
            if name == ACTION_UNLIKELY_INTENT_NAME or not (policy or "").endswith(_KNOW):
                exam["unseen"].append((title, action["action"], policy or "no policy"))


async def _date(processor: Processor, tracker: DialogueStateTracker) -> None:
    """Make ``[today](date)`` of a story the day that it is on the day of the test."""
    for event in tracker.events:
        if not isinstance(event, UserUttered) or not event.text:
            continue
        words = {
            (mark["start"], mark["end"]): mark
            for mark in event.entities
            if mark["entity"] == _DATE and mark["value"] == event.text[mark["start"] : mark["end"]]
        }
        if words:
            parsed = await processor.parse_message(UserMessage(event.text))
            for found in parsed["entities"]:
                mark = words.get((found["start"], found["end"]))
                if mark and found["entity"] == _DATE:
                    mark["value"] = found["value"]


def _first_wrong(tracker: DialogueStateTracker) -> str:
    for event in tracker.events:
        if isinstance(event, core.WronglyClassifiedUserUtterance):
            meant, got = event.intent["name"], event.predicted_intent
            if meant != got:
                unsure = " (nothing for sure)" if got == _UNSURE else ""
                return f"{event.text!r} was understood as {got}{unsure}, not {meant}"
            return f"other entities were found in {event.text!r}"
        if isinstance(event, core.WronglyPredictedAction):
            return (
                f"did {event.action_name_prediction}, not {event.action_name or event.action_text}"
            )
    return ""
