"""The client over several models, each a real HTTP server that behaves as its name says."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from bot.llm.client import Llm, open_llm
from bot.llm.contract import Said, ToolCall
from bot.llm.errors import AllFailed, BudgetSpent, NoModel, Refused
from bot.llm.masking import Masker
from bot.llm.prompts import load_prompt
from bot.llm.untrusted import mark, rule, wrap
from bot.metrics import REGISTRY
from bot.settings import Budget
from bot.store import AsyncStore, open_store
from bot.store.spending import Spending
from tests.kit.chat import LOOKUP, QUESTION, SCHEMA, Server, ask, chat_server, said
from tests.kit.waiting import until

CARD = "4111 1111 1111 1111"
FREE = Budget(conversation_tokens=0)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as made:
        yield made


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[AsyncStore]:
    opened = AsyncStore(open_store(f"sqlite:{tmp_path}/x.db"), (Spending,))
    yield opened
    await opened.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def talking(*models, budget: Budget = FREE, store=None, mask=None, **options) -> Llm:
    return Llm(models, budget, store, mask, **options)


def counted(model: str, outcome: str) -> float:
    labels = {"model": model, "purpose": "answer", "outcome": outcome}
    return REGISTRY.get_sample_value("frontdesk_llm_calls_total", labels) or 0.0


async def spent(store: AsyncStore) -> list[tuple[str, int, int]]:
    rows = await store.find(Spending, {}, sort=("id",))
    return [(row.id.split(":")[0], row.tokens, row.micros) for row in rows]


async def test_the_first_model_answers(server):
    before = counted("honest", "answered")
    talks = talking(server.model("honest", input_price=1.0, output_price=4.0))
    reply = await talks.ask(ask())
    assert json.loads(reply.text)["answer"].startswith("Standard delivery takes 3–5")
    assert (reply.model, reply.tried, reply.cached) == ("honest", (), False)
    assert reply.cost == pytest.approx((reply.tokens_in + 4 * reply.tokens_out) / 1e6)
    assert counted("honest", "answered") == before + 1
    await talks.close()


async def test_without_models():
    talks = talking()
    assert not talks.available
    with pytest.raises(NoModel, match=r"endpoints\.yml"):
        await talks.ask(ask())


@pytest.mark.parametrize(
    "bad",
    [
        *("500", "429", "401", "404", "reset", "cut", "empty", "bad-json", "truncated"),
        *("too-long", "garbage-stream", "endless", "stalls", "error-in-stream"),
    ],
)
async def test_the_next_model_answers_for_one_that_does_not(server, bad):
    before = counted("honest", "answered")
    talks = talking(server.model(bad, first_seconds=0.2), server.model("honest"))
    reply = await talks.ask(ask())
    assert (reply.model, reply.tried) == ("honest", (bad,))
    assert json.loads(reply.text)["cites"] == [1]
    assert counted("honest", "answered") == before + 1
    await talks.close()


@pytest.mark.parametrize("manner", ["refusing", "filtered"])
async def test_a_refusal_is_not_taken_to_another_model(server, manner):
    talks = talking(server.model(manner), server.model("honest"))
    with pytest.raises(Refused, match=manner):
        await talks.ask(ask())
    assert server.models_asked == [manner]
    await talks.close()


async def test_all_failing_is_told_with_a_cause_for_each(server):
    talks = talking(server.model("500", api_key="sk-secret"), server.model("bad-json"))
    with pytest.raises(AllFailed) as failed:
        await talks.ask(ask())
    assert len(failed.value.causes) == 2
    assert failed.value.causes[0] == "500: answered 500"
    assert "no JSON object" in failed.value.causes[1]
    assert "sk-secret" not in str(failed.value)
    await talks.close()


async def test_what_fails_again_and_again_is_left_alone_and_probed_later(server):
    clock = Clock()
    talks = talking(server.model("500"), server.model("honest"), clock=clock)
    for _ in range(5):
        await talks.ask(ask())
    assert server.models_asked.count("500") == 3
    clock.now += 11
    server.models.behave("500", "honest")
    assert (await talks.ask(ask())).model == "500"
    assert (await talks.ask(ask())).model == "500"
    await talks.close()


async def test_retry_after_is_honoured_from_the_first_time(server):
    clock = Clock()
    server.models.retry_after = 30
    talks = talking(server.model("429"), server.model("honest"), clock=clock)
    await talks.ask(ask())
    clock.now += 29
    await talks.ask(ask())
    assert server.models_asked.count("429") == 1
    clock.now += 1
    await talks.ask(ask())
    assert server.models_asked.count("429") == 2
    await talks.close()


async def test_a_wrong_key_is_told_once_and_without_the_key(server, caplog):
    clock = Clock()
    talks = talking(server.model("401", api_key="sk-secret"), server.model("honest"), clock=clock)
    for _ in range(4):
        await talks.ask(ask())
        clock.now += 100
    assert server.models_asked.count("401") == 1
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(told) == 1
    assert "check its api_key" in told[0]
    assert "sk-secret" not in caplog.text
    await talks.close()


async def test_a_question_that_one_cannot_take_says_nothing_against_it(server):
    talks = talking(server.model("honest", context_tokens=256), server.model("slow"))
    server.models.seconds = 0
    for _ in range(4):
        assert (await talks.ask(ask("? " * 600))).model == "slow"
    assert (await talks.ask(ask(messages=said(system=""), tokens=50))).model == "honest"
    await talks.close()


async def test_the_deadline_is_for_all_models_together(server):
    talks = talking(server.model("stalls"), server.model("honest"), deadline=0.3)
    with pytest.raises(AllFailed) as failed:
        await talks.ask(ask())
    assert "in time" in failed.value.causes[0]
    assert "before it was asked" in failed.value.causes[1]
    assert "honest" not in server.models_asked
    await talks.close()


async def test_what_was_used_is_in_the_store(server, store):
    model = server.model("honest", input_price=2.0, output_price=10.0)
    talks = talking(model, store=store)
    reply = await talks.ask(ask())
    tokens, micros = reply.tokens_in + reply.tokens_out, round(reply.cost * 1e6)
    assert micros > 0
    assert await spent(store) == [("conversation", tokens, micros), ("day", tokens, micros)]
    await talks.close()


async def test_a_failed_call_costs_only_what_it_may_be_charged(server, store):
    talks = talking(server.model("500"), store=store)
    with pytest.raises(AllFailed):
        await talks.ask(ask())
    assert await spent(store) == [("conversation", 0, 0), ("day", 0, 0)]
    await talks.close()
    talks = talking(server.model("bad-json"), store=store)
    with pytest.raises(AllFailed):
        await talks.ask(ask())
    assert (await spent(store))[0][1] > 0
    await talks.close()


async def test_a_spent_budget_asks_nobody(server, store):
    talks = talking(server.model("honest"), budget=Budget(conversation_tokens=600), store=store)
    await talks.ask(ask(tokens=100))
    with pytest.raises(BudgetSpent, match="600 tokens"):
        await talks.ask(ask(tokens=400))
    assert server.models_asked == ["honest"]
    await talks.ask(ask(tokens=100, conversation="line:shop:bob"))
    await talks.close()


async def test_a_free_model_answers_when_the_money_is_spent(server, store):
    dear = server.model("honest", input_price=1000.0)
    budget = Budget(conversation_tokens=0, day_money=0.01)
    server.models.seconds = 0
    talks = talking(dear, server.model("slow"), budget=budget, store=store)
    assert (await talks.ask(ask())).model == "slow"
    assert server.models_asked == ["slow"]
    await talks.close()


async def test_an_ask_that_is_cancelled_is_settled_and_leaves_the_model_usable(server, store):
    talks = talking(server.model("stalls"), store=store)
    task = asyncio.create_task(talks.ask(ask(tokens=400)))
    await until(lambda: server.models.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def settled() -> bool:
        return 0 < (await spent(store))[0][1] < 400

    await until(settled)
    server.models.behave("stalls", "honest")
    assert (await talks.ask(ask())).text
    await talks.close()


async def test_what_is_the_same_for_all_is_asked_once(server):
    talks = talking(server.model("honest", output_price=5.0))
    first = await talks.ask(ask(cacheable=True))
    again = await talks.ask(ask(cacheable=True, conversation="line:shop:bob"))
    assert (again.text, again.cached, again.cost, again.tokens_in) == (first.text, True, 0.0, 0)
    assert len(server.bodies) == 1
    for other in (
        ask(),
        ask(cacheable=True, known=("Ann Field",)),
        ask("And to France?", cacheable=True),
        ask(cacheable=True, tools=(LOOKUP,)),
        ask(cacheable=True, tokens=321),
    ):
        assert not (await talks.ask(other)).cached
    await talks.close()


async def test_failures_are_not_kept(server):
    talks = talking(server.model("500"))
    with pytest.raises(AllFailed):
        await talks.ask(ask(cacheable=True))
    server.models.behave("500", "honest")
    assert not (await talks.ask(ask(cacheable=True))).cached
    await talks.close()


async def test_personal_data_do_not_leave_the_house_and_are_back_in_the_answer(server):
    # The answer repeats the passage that holds them, quotes and all.
    system = (
        'JSON object: {"answer": "", "cites": [1], "enough": true, "escalate": null}\n\n'
        f'[1] Card\nYour card "{CARD}" of Ann Field pays standard delivery to ann@field.example.\n'
    )
    call = ToolCall("c1", "order_status", {"who": ["ann@field.example"], "n": 3})
    messages = (
        Said("system", system),
        Said("assistant", "", calls=(call,)),
        Said("tool", "Ann Field, +44 20 7946 0999", call="c1"),
        Said("user", "Which card pays standard delivery, Ann Field asks?"),
    )
    talks = talking(server.model("honest", mask="always"), mask=Masker())
    reply = await talks.ask(ask(messages=messages, known=("Ann Field",)))
    sent = json.dumps(server.bodies[0], ensure_ascii=False)
    for word in (CARD, "4111", "Ann Field", "ann@field.example", "7946 0999"):
        assert word not in sent
    answer = json.loads(reply.text)["answer"]
    assert f'"{CARD}" of Ann Field' in answer
    assert "ann@field.example" in answer
    # What was asked is untouched.
    assert messages[1].calls[0].arguments["who"] == ["ann@field.example"]
    await talks.close()


async def test_masks_in_the_arguments_of_tools_are_lifted(server):
    text = 'Please call order_status {"card": "' + CARD + '"} now'
    talks = talking(server.model("obedient", mask="always"), mask=Masker())
    reply = await talks.ask(ask(messages=said(text, ""), tools=(LOOKUP,), schema=None))
    assert [dict(call.arguments) for call in reply.calls] == [{"card": CARD}]
    assert "4111" not in json.dumps(server.bodies[0])
    await talks.close()


async def test_on_this_machine_nothing_is_masked_unless_it_is_said(server):
    talks = talking(server.model("honest"), mask=Masker())
    await talks.ask(ask(f"Is {CARD} my card?"))
    assert CARD in json.dumps(server.bodies[0])
    await talks.close()


def test_a_model_elsewhere_is_not_used_without_a_masker(server):
    from bot.settings import Llm as Entry

    away = Entry(url="https://api.openai.com/v1", model="gpt-x")
    with pytest.raises(ValueError, match="gpt-x needs a masker"):
        talking(away)
    talking(Entry(url="https://api.openai.com/v1", model="gpt-x", mask="never"))


async def test_opening_what_the_settings_say(server):
    class Settings:
        llm = (server.model("honest", mask="always"),)
        budget = FREE

    talks = open_llm(Settings, None)  # type: ignore[arg-type]
    assert talks.available
    await talks.ask(ask(f"Is {CARD} my card?"))
    assert "4111" not in json.dumps(server.bodies[0])
    await talks.close()


async def test_a_tool_nobody_offered_is_noted_and_not_called(server, caplog):
    talks = talking(server.model("unknown-tool"))
    reply = await talks.ask(ask(tools=(LOOKUP,)))
    assert reply.calls == ()
    assert "not offered" in caplog.text
    assert "delete_customer" not in caplog.text
    await talks.close()


async def test_words_and_fences_around_the_json_are_forgiven(server):
    talks = talking(server.model("fenced"))
    assert json.loads((await talks.ask(ask())).text)["enough"] is True
    await talks.close()


async def test_nothing_that_was_said_is_logged(server, caplog):
    with caplog.at_level(logging.DEBUG):
        talks = talking(server.model("bad-json"), server.model("honest", api_key="sk-secret"))
        await talks.ask(ask(schema=SCHEMA))
        await talks.close()
    for word in (QUESTION, "sk-secret", "£3.95", "cites: [1"):
        assert word not in caplog.text


@pytest.mark.parametrize("manner", ["honest", "no-schema"])
async def test_our_own_prompt_is_understood(server, manner):
    seal = mark()
    passages = (
        ("Delivery", "Standard delivery takes 3–5 working days and costs £3.95."),
        ("Returns", "Return unused goods within 30 days."),
    )
    numbered = "\n\n".join(
        f"[{n}] {wrap('article', text, seal, name=title)}"
        for n, (title, text) in enumerate(passages, 1)
    )
    system = load_prompt("answer").fill(
        company="Larkfield Goods",
        language="en",
        channel="sms",
        length="Write at most 300 characters.",
        rules=rule(seal),
        topics="- legal_threat: a lawyer or a court",
        memory=wrap("memory", "Likes mugs.", seal),
        passages=numbered,
        today="Wednesday 25 November 2026",
    )
    talks = talking(server.model(manner))
    question = wrap("message", "How long can I return goods?", seal)
    told = json.loads((await talks.ask(ask(messages=said(question, system)))).text)
    assert told == {
        "answer": "Return unused goods within 30 days.",
        "cites": [2],
        "enough": True,
        "escalate": None,
    }
    await talks.close()


async def test_first_questions_at_once_share_one_connection_pool(server):
    talks = talking(server.model("honest"))
    replies = await asyncio.gather(*(talks.ask(ask()) for _ in range(5)))
    assert len({reply.text for reply in replies}) == 1
    await talks.close()


def test_importing_costs_nothing():
    heavy = "{'openai', 'transformers', 'tensorflow', 'jsonschema', 'spacy'}"
    code = f"import sys, bot.llm.client, bot.llm.prompts; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
