"""What is told of messages that a real brain has answered in real turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.consent import load_rules
from bot.desk.watch import Watch
from bot.dialogue.why import Explanation, NoSuchMessage, explain, last_messages
from bot.dialogue.why.matching import sources_of
from bot.message import Choice, Content, Inbound, Media, Profile, Text, utcnow
from bot.perception.escalation_file import load_escalation
from bot.store import AsyncStore
from bot.store.conversations import BOT, Conversation
from bot.store.documents import DOCUMENTS
from bot.store.messages import DONE, Message, to_message
from bot.turn import Turns
from bot.why_command import lines_of
from connectors import CHANNELS
from tests.dialogue.conftest import ROOT
from tests.kit.build import address
from tests.kit.channel import CAN
from tests.kit.stores import store_of_kind

if TYPE_CHECKING:
    from bot.dialogue.brain import Brain


class Customer:
    """Writes to a bot whose turns are taken at once."""

    def __init__(self, store: AsyncStore, brain: Any, watch: Watch | None = None) -> None:
        self.store = store
        self.key = address("tom").key
        self.turns = Turns(
            store,
            brain,
            lambda channel: CAN,
            turn_seconds=30,
            rules=load_rules(ROOT / "data" / "consent.yml", channels=CHANNELS),
            watch=watch,
        )
        self.said = 0

    async def write(self, what: str | Content) -> str:
        """Return the message's id."""
        self.said += 1
        content = Text(what) if isinstance(what, str) else what
        inbound = Inbound(
            address("tom"),
            f"m{self.said}",
            content,
            order=self.said,
            profile=Profile("Tom Lindqvist"),
        )
        row = to_message(inbound)
        await self.store.insert(row)
        now = utcnow()
        lease = Conversation(
            id=self.key, holder=BOT, lease_until=now, created=now, last_in=now, language="en"
        )
        await self.store.insert_new([lease])
        held = await self.store.get(Conversation, self.key)
        assert held is not None
        await self.turns.take(row, held)
        return str(row.id)

    async def why(self, what: str | Content, **options: Any) -> Explanation:
        return await explain(self.store, await self.write(what), root=ROOT, **options)


@pytest.fixture
async def customer(brain: Brain, tmp_path: Path) -> AsyncIterator[Customer]:
    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    yield Customer(store, brain)
    await store.close()


def line_of(name: str, file: str) -> str:
    """``file:line`` of the line that begins so."""
    lines = (ROOT / file).read_text("utf-8").splitlines()
    return f"{file}:{next(n for n, li in enumerate(lines, 1) if li.strip().startswith(name))}"


async def test_a_rule_and_its_response_are_named_with_their_lines(customer: Customer) -> None:
    told = await customer.why("thanks a lot")
    assert (told.by, told.said, told.ranking[0].intent) == ("bot", "thanks a lot", "thank")
    assert len(told.ranking) == 3
    assert told.ranking[0].confidence > told.ranking[1].confidence
    (step,) = told.steps
    assert (step.action, step.policy, step.confidence) == ("utter_you_are_welcome", "RulePolicy", 1)
    assert step.place.startswith("data/rules/smalltalk.yml:")
    file, _, line = step.place.partition(":")
    rule = (ROOT / file).read_text("utf-8").splitlines()[int(line) - 1]
    assert step.source == f"rule {rule.split('rule: ')[1]!r}"
    assert step.responses == (
        ("utter_you_are_welcome", line_of("utter_you_are_welcome:", "domain.yml")),
    )
    assert told.model
    assert told.took_ms > 0
    assert [reply.status for reply in told.replies] == ["queued"]


async def test_what_a_form_does_is_told_step_by_step(customer: Customer) -> None:
    asked = await customer.why("where is my order?")
    assert [(s.action, s.source) for s in asked.steps] == [
        ("order_form", "rule 'Order status is asked for'")
    ]
    assert asked.steps[0].responses[0][0] == "utter_ask_order_number"
    told = await customer.why("1042")
    assert [(s.action, s.source) for s in told.steps] == [
        ("order_form", "the form order_form goes on"),
        ("action_order_status", "rule 'The order number is known'"),
        ("utter_ask_solved", "rule 'The order number is known'"),
    ]
    assert [(e.name, e.value, e.by) for e in told.entities] == [
        ("order_number", "1042", "SpacyMatchers")
    ]
    assert "'value': '1042'" in told.slots.pop("last_order")
    assert told.slots == {"order_number": "nothing", "requested_slot": "nothing"}
    yes = await customer.why(Choice("/affirm", "Yes"))
    assert yes.steps[0].source == "rule 'The answer about the order was what the customer wanted'"


async def test_in_a_form_the_rule_with_its_condition_is_the_one(customer: Customer) -> None:
    await customer.write("where is my order?")
    told = await customer.why(Choice("/stop", "Stop"))
    assert told.steps[0].source == "rule 'The search for an order is stopped (stop)'"
    again = await customer.why(Choice("/stop", "Stop"))
    assert again.steps[0].source == "rule 'There is nothing to stop'"


async def test_an_answer_from_an_article_has_its_sources_and_reasons(customer: Customer) -> None:
    told = await customer.why("how long do I have to return something I do not like?")
    assert told.answered is not None
    assert told.answered.how in ("quote", "offer")
    assert told.answered.sources
    assert told.answered.why
    assert told.steps[0].action == "action_topic"


async def test_personal_data_is_masked_unless_it_is_asked_for(customer: Customer) -> None:
    words = "thanks, write to tom.l@example.com or Tom Lindqvist"
    told = await customer.why(words)
    assert "tom.l@example.com" not in repr(told)
    assert "Lindqvist" not in repr(told)
    raw = await explain(customer.store, told.message, root=ROOT, raw=True)
    assert raw.said == words


async def test_a_wish_not_to_be_written_to_is_told(customer: Customer) -> None:
    told = await customer.why("STOP")
    assert told.by == "customer"
    assert told.consent.startswith("opted out")
    assert told.steps == ()


async def test_a_picture_is_told_by_its_kind(customer: Customer) -> None:
    told = await customer.why(Media("image", url="https://shop.example/a.png"))
    assert told.said == "[image]"
    assert told.steps[0].source == "rule 'A picture'"


async def test_what_is_sensitive_is_told_with_what_gave_it_away(
    brain: Brain, tmp_path: Path
) -> None:
    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    from bot.desk.opening import open_watch
    from bot.desk.routing_file import load_routing
    from bot.settings import load
    from connectors import connector_class

    settings = load(
        channels=CHANNELS,
        schema_of=lambda channel: connector_class(channel).Account,
        environ={},
        cwd=ROOT,
        var=tmp_path,
    )
    assert load_escalation(ROOT / "data" / "escalation.yml").topics
    routing = load_routing(ROOT / settings.desk.routing)
    customer = Customer(store, brain, open_watch(settings, store, routing))
    told = await customer.why("I will sue you, my lawyer writes tomorrow")
    assert told.seen is not None
    assert (told.seen.language, told.seen.sensitive) == ("en", "legal")
    assert "lawyer" in told.seen.sensitive_why or "sue" in told.seen.sensitive_why
    assert told.handed is not None
    assert told.handed.topic == "legal"
    assert told.steps == ()
    assert any(line.startswith("sensitive   legal: ") for line in lines_of(told))
    await store.close()


async def test_a_failure_is_told_with_its_place(failing: Brain, tmp_path: Path) -> None:
    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    customer = Customer(store, failing)
    told = await customer.why("when are you open?")
    assert told.failure.startswith("action_opening_hours: ")
    assert "failing_actions.py" in told.detail
    assert "\n".join(lines_of(told)).count("failed") == 1
    await store.close()


async def test_a_reply_is_explained_by_what_it_answers(customer: Customer) -> None:
    told = await customer.why("thanks")
    assert (await explain(customer.store, told.replies[0].id, root=ROOT)).message == told.message


async def test_messages_without_a_turn_say_why(customer: Customer) -> None:
    first = await customer.write("thanks")
    waiting = to_message(Inbound(address("tom"), "m9", Text("and?"), order=9))
    part = to_message(Inbound(address("tom"), "m10", Text("more"), order=10))
    await customer.store.insert_new([waiting, part])
    assert (
        await explain(customer.store, waiting.id, root=ROOT)
    ).note == "has not been answered yet"
    await customer.store.change(Message, {"id": part.id}, set={"status": DONE})
    assert (await explain(customer.store, part.id, root=ROOT)).note == "had no turn"
    with pytest.raises(NoSuchMessage, match="no such message"):
        await explain(customer.store, "telegram:shop:nothing", root=ROOT)
    assert await last_messages(customer.store, customer.key, 5) == [first]


async def test_the_lines_hold_everything_and_nothing_for_a_terminal(customer: Customer) -> None:
    told = await customer.why("thanks\x1b[31m a lot")
    lines = list(lines_of(told))
    assert not any("\x1b" in line for line in lines)
    names = {line.split()[0] for line in lines}
    assert {
        "message",
        "said",
        "understood",
        "or",
        "did",
        "because",
        "reply",
        "time",
        "model",
    } <= names


def test_files_are_read_again_only_when_they_changed(tmp_path: Path) -> None:
    from tests.kit.designs import sound_project

    root = sound_project(tmp_path)
    first = sources_of(root)
    assert sources_of(root) is first
    rules = root / "data/rules/all.yml"
    rules.write_text(rules.read_text().replace("rule: Hello", "rule: Good day"))
    found = sources_of(root).of("utter_greet", "RulePolicy", ["intent greet"], "")
    assert found is not None
    assert (found.name, found.place) == ("rule 'Good day'", "data/rules/all.yml:3")
    learned = first.of("utter_greet", "TEDPolicy", ["intent greet"], "")
    assert learned is None
    story = first.of(
        "utter_stopped",
        "AugmentedMemoizationPolicy",
        ["intent greet", "action utter_greet", "intent stop"],
        "",
    )
    assert story is not None
    assert story.name == "story 'Hello and stop'"
