"""What stories do not cover: answered from the company's own articles, or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, Literal

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.handoff import handed
from actions.remembered import lines_for_model
from actions.resolving.action import instead, resolve
from actions.senses import seen_in
from bot.knowledge.answering import About, Answer, Answering
from bot.knowledge.opening import open_answering
from bot.knowledge.service import answering_or
from bot.llm.masking import parts_of_name, redact
from bot.message import Address
from bot.perception.escalation_file import load_escalation
from bot.store.gaps import RATED, UNANSWERED

#: Characters of an answer that customers read on each channel.
LIMITS = {"sms": 300, "messenger": 600}
_LIMIT = 900
#: The bot's own words and the customer's that are read with a question, in messages.
_PAST = 6
#: After this many questions in a row without an answer a person is fetched unasked.
_MISSES = 2
#: Characters of a question that are kept: every turn that is carried along has one.
_KEPT = 240
#: For how long a question leans on the one before it, in seconds.
_RECENT = 600.0
_NONE_OF_THESE = {"de": "Keiner davon"}
#: Fewer words than this are no question that somebody should write an article about.
_WORDS = 2


def _make() -> Answering:
    """Make what answers where no worker has: under ``rasa run actions`` and ``rasa shell``."""
    from bot.settings import load
    from connectors import CHANNELS, connector_class

    settings = load(channels=CHANNELS, schema_of=lambda channel: connector_class(channel).Account)
    return open_answering(settings)


class ActionAnswer(Action):
    """Answers a question from the articles, and says which; fetches a person where need be."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Have a model resolve it that may act, or answer from the articles."""
        answering = answering_or(_make)
        events = await resolve(dispatcher, tracker, domain, answering, _past(tracker))
        if events is None:
            events = await instead(dispatcher, tracker)
        if events is not None:
            return events
        return await self.from_articles(dispatcher, tracker, domain)

    async def from_articles(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
        subject: str = "",
    ) -> list[dict[str, Any]]:
        """Say the answer or that there is none; note how, for the turn and the next question.

        `subject` is what “it” in the question stands for.
        """
        question = str(tracker.latest_message.get("text") or "").strip()
        before = tracker.get_slot("answered") or {}
        seen = (tracker.latest_message.get("metadata") or {}).get("perception") or {}
        language = str(seen.get("language") or "en")
        if question.startswith("/") and " " not in question:
            # Something done, for which the domain has no intent.
            dispatcher.utter_message(response=_in(domain, "utter_fallback", language))
            return []
        about = _about(tracker, before, language)
        question = f"{subject}: {question}" if subject else question
        answer = await answering_or(_make).answer(question, about)
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        if answer.how == "unclear" and intent == "question":
            # No article has any of its words, yet it is a question.
            answer = replace(answer, how="none", gap=UNANSWERED)
        if answer.escalate:
            return _escalated(dispatcher, tracker, answer, language)
        note = _note(answer, question, about, _now(tracker), before)
        if answer.how in ("model", "quote"):
            _say(dispatcher, domain, answer, language)
            return [SlotSet("answered", note)]
        if answer.how == "offer":
            note["offered"] = [[source.article, source.title] for source in answer.sources]
            note["offered_for"] = note["question"]
            _say_offer(dispatcher, domain, note["offered"], language)
            return [SlotSet("answered", note)]
        if intent == "out_of_scope" or not any(c.isalnum() for c in question):
            # For a second joke that the bot does not know, or a thumb, nobody is to be fetched.
            note["misses"] = 0
        elif _in_a_row(tracker, before):
            note["misses"] += int(before.get("misses") or 0)
        if note["misses"] >= _MISSES or seen.get("frustrated"):
            dispatcher.utter_message(response=_in(domain, "utter_no_answer_handoff", language))
            why = "frustrated" if seen.get("frustrated") else f"{note['misses']} without answer"
            # The person's answer is one: after it, counting begins anew.
            told = SlotSet("answered", {**note, "misses": 0})
            return [told, *handed(tracker, "unanswered", why, "normal")]
        if answer.how == "unclear":
            dispatcher.utter_message(response=_in(domain, "utter_fallback", language))
            return [SlotSet("answered", note)]
        dispatcher.utter_message(response=_in(domain, "utter_no_answer", language))
        return [SlotSet("answered", note)]


class ActionShowArticle(Action):
    """Quotes an article that was offered and that the customer has chosen."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_show_article"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say what the article has to say of the question for which it was offered."""
        before = tracker.get_slot("answered") or {}
        language = str(before.get("language") or "en")
        entities = tracker.latest_message.get("entities") or []
        chosen = next((str(e["value"]) for e in entities if e.get("entity") == "article"), "")
        offered = {str(id): str(title) for id, title in before.get("offered") or ()}
        if chosen not in offered:
            dispatcher.utter_message(response=_in(domain, "utter_fallback", language))
            return []
        question = str(before.get("offered_for") or "")
        about = _about(tracker, before, language)
        answer = await answering_or(_make).from_article(chosen, offered[chosen], question, about)
        if answer.how == "none":
            dispatcher.utter_message(response=_in(domain, "utter_no_answer", language))
        else:
            _say(dispatcher, domain, answer, language)
        note = _note(answer, question, about, _now(tracker), before)
        return [SlotSet("answered", note)]


class ActionAnswerMissed(Action):
    """The answer did not help: that is a gap, and maybe a person's."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_answer_missed"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Note which question was answered badly, and offer a person."""
        before = tracker.get_slot("answered") or {}
        seen = (tracker.latest_message.get("metadata") or {}).get("perception") or {}
        language = str(seen.get("language") or "en")
        if before.get("how") in ("none", "unclear"):
            # There was no answer, and this is the "no" to a person.
            dispatcher.utter_message(response=_in(domain, "utter_as_you_like", language))
            return []
        dispatcher.utter_message(response=_in(domain, "utter_answer_missed", language))
        if not before.get("question") or before.get("how") == "missed":
            return []
        gap: dict[str, Any] = {
            "why": RATED,
            "nearest": list(before.get("sources") or []),
        }
        note = {**before, "how": "missed", "gap": gap}
        return [SlotSet("answered", note)]


class ActionAnswerAffirmed(Action):
    """The customer says yes to what `ActionAnswer` said; what that means depends on it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_answer_affirmed"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Fetch the person that was offered, ask which article is meant, or be glad."""
        before = tracker.get_slot("answered") or {}
        language = str(before.get("language") or "en")
        how = before.get("how")
        if how == "none":
            dispatcher.utter_message(response=_in(domain, "utter_handoff", language))
            return handed(tracker, "unanswered", "wanted a person for it", "normal")
        if how == "offer":
            _say_offer(dispatcher, domain, before.get("offered") or [], language)
        else:
            response = "utter_which" if how == "unclear" else "utter_glad"
            dispatcher.utter_message(response=_in(domain, response, language))
        return []


def _say(
    dispatcher: CollectingDispatcher, domain: dict[str, Any], answer: Answer, language: str
) -> None:
    source = answer.sources[0]
    dispatcher.utter_message(
        response=_in(domain, f"utter_answer_{answer.how}", language),
        answer=answer.text,
        title=source.title,
        link=f" ({source.url})" if source.url else "",
    )


def _say_offer(
    dispatcher: CollectingDispatcher,
    domain: dict[str, Any],
    offered: list[list[str]],
    language: str,
) -> None:
    none = {"title": _NONE_OF_THESE.get(language, "None of these"), "payload": "/answer_missed"}
    dispatcher.utter_message(
        response=_in(domain, "utter_answer_offer", language),
        buttons=[*(_offer(article, title) for article, title in offered), none],
    )


def _offer(article: str, title: str) -> dict[str, str]:
    return {"title": title, "payload": f"/show_article{json.dumps({'article': article})}"}


def _note(
    answer: Answer, question: str, about: About, at: float, before: dict[str, Any]
) -> dict[str, Any]:
    # What nobody can make sense of is not worth keeping.
    asked = "" if answer.how == "unclear" else redact(answer.question, about.known)[:_KEPT]
    note: dict[str, Any] = {
        "how": answer.how,
        "question": asked,
        "base": redact(answer.base, about.known)[:_KEPT],
        "language": about.language,
        "sources": [source.passage for source in answer.sources],
        "confidence": round(answer.confidence, 3),
        "why": list(answer.why),
        "misses": int(answer.how in ("none", "unclear")),
        "at": at,
    }
    if before.get("offered"):
        # Its buttons are still to be seen, and another of them may be pressed.
        note["offered"] = before["offered"]
        note["offered_for"] = before.get("offered_for") or ""
    if answer.gap and len(question.split()) >= _WORDS:
        note["gap"] = {
            "why": answer.gap,
            "nearest": list(answer.nearest),
        }
    return note


def _escalated(
    dispatcher: CollectingDispatcher, tracker: Tracker, answer: Answer, language: str
) -> list[dict[str, Any]]:
    matter = load_escalation().by_topic(answer.escalate, language, "the model said so")
    if matter is None:
        dispatcher.utter_message(response="utter_handoff")
        return handed(tracker, answer.escalate, "the model said so", "high")
    if matter.says:
        dispatcher.utter_message(text=matter.says)
    return handed(tracker, matter.topic, matter.why, matter.priority)


def _about(tracker: Tracker, before: dict[str, Any], language: str) -> About:
    channel = _channel(tracker)
    metadata = tracker.latest_message.get("metadata") or {}
    return About(
        conversation=str(tracker.sender_id),
        channel=channel,
        language=language,
        limit=LIMITS.get(channel, _LIMIT),
        past=tuple(_past(tracker)),
        previous=str(before.get("base") or "") if _leans(tracker, before) else "",
        known=parts_of_name(metadata.get("name")),
        memory="\n".join(lines_for_model(tracker)),
        seen=seen_in(metadata),
    )


def _channel(tracker: Tracker) -> str:
    try:
        return Address.parse(str(tracker.sender_id)).channel
    except ValueError:
        return ""


def _past(tracker: Tracker) -> list[tuple[Literal["user", "assistant"], str]]:
    said: list[tuple[Literal["user", "assistant"], str]] = []
    for event in tracker.events:
        text = str(event.get("text") or "")
        if not text or text.startswith("/"):
            continue
        if event.get("event") == "user":
            said.append(("user", text))
        elif event.get("event") == "bot":
            said.append(("assistant", text))
    # The question itself comes apart from what was before.
    last = max((n for n, (role, _) in enumerate(said) if role == "user"), default=len(said))
    return said[:last][-_PAST:]


def _leans(tracker: Tracker, before: dict[str, Any]) -> bool:
    """Tell whether there is a question before this one that it may lean on."""
    return before.get("how") in ("model", "quote", "offer", "none") and _recent(tracker, before)


def _recent(tracker: Tracker, before: dict[str, Any]) -> bool:
    """Tell whether the last question is recent enough for this one to lean on it."""
    return _now(tracker) - float(before.get("at") or 0) <= _RECENT


def _in_a_row(tracker: Tracker, before: dict[str, Any]) -> bool:
    """Tell whether the message right before this one was the last question, and is recent."""
    stamps = [float(e.get("timestamp") or 0) for e in tracker.events if e.get("event") == "user"]
    asked = float(before.get("at") or 0)
    return _recent(tracker, before) and (len(stamps) < 2 or abs(stamps[-2] - asked) < 0.001)


def _now(tracker: Tracker) -> float:
    """Return when the message came, in seconds since 1970."""
    stamps = [e.get("timestamp") for e in tracker.events if e.get("event") == "user"]
    return float(next((stamp for stamp in reversed(stamps) if stamp), None) or time.time())


def _in(domain: dict[str, Any], response: str, language: str) -> str:
    """Return the name of a response in the customer's language where designers wrote one."""
    own = f"{response}_{language}"
    return own if own in (domain.get("responses") or {}) else response
