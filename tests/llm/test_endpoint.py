"""One endpoint, over real HTTP, against models that behave in every way there is."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from bot.llm.contract import Said, ToolCall
from bot.llm.endpoint import Endpoint, is_here
from bot.llm.engine import Declined, Misconfigured, ModelFailed, Unfit, Unusable, Unwell
from bot.settings import Llm
from tests.kit.chat import LOOKUP, SCHEMA, TRACK, Server, chat_server, request
from tests.kit.http import Answer, provider


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as made:
        yield made


async def answer(server: Server, manner: str, times: int = 1, /, **values):
    settings = {k: values.pop(k) for k in ("first_seconds", "api_key") if k in values}
    endpoint = Endpoint(server.model(manner, **settings))
    try:
        for _ in range(times):
            got = await endpoint.complete(request(**values))
        return got
    finally:
        await endpoint.close()


async def test_an_answer_is_streamed_and_what_it_used_is_told(server):
    got = await answer(server, "honest", schema=SCHEMA, api_key="sk-1")
    said = json.loads(got.text)
    assert (said["cites"], said["enough"]) == ([1], True)
    assert "£3.95" in said["answer"]
    assert got.tokens_in > 50
    assert got.tokens_out > 5
    (asked,) = server.models.asked
    assert asked.authorization == "Bearer sk-1"
    assert asked.body["stream"] is True
    assert asked.body["max_tokens"] == 200
    assert asked.body["temperature"] == 0
    assert asked.body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert asked.body["response_format"]["json_schema"]["strict"] is True


async def test_the_environments_key_goes_to_nobody(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-elses")
    await answer(server, "honest")
    assert "somebody" not in server.models.asked[0].authorization


async def test_the_query_of_its_address_goes_with_every_question():
    asked = {"object": "list", "data": [{"id": "m", "object": "model"}]}
    async with provider([Answer(asked), Answer({}, 401)]) as server:
        endpoint = Endpoint(Llm(url=f"{server.url}/v1?api-version=preview", model="m"))
        assert await endpoint.models(5.0) == ("m",)
        with pytest.raises(Misconfigured):
            await endpoint.complete(request())
        await endpoint.close()
    assert [(r.path, r.query) for r in server.requests] == [
        ("/v1/models", {"api-version": "preview"}),
        ("/v1/chat/completions", {"api-version": "preview"}),
    ]


@pytest.mark.parametrize(
    ("manner", "kind", "text"),
    [
        ("401", Misconfigured, "api_key"),
        ("404", Misconfigured, "url and model"),
        ("429", Unwell, "429"),
        ("500", Unwell, "500"),
        ("reset", Unwell, "cannot be reached"),
        ("cut", Unwell, ""),
        ("error-in-stream", Unwell, "in the midst"),
        ("too-long", Unfit, "too long"),
        ("refusing", Declined, "refused"),
        ("filtered", Declined, "content filter"),
        ("truncated", Unusable, "within 200 tokens"),
        ("empty", Unusable, "empty"),
        ("endless", Unusable, "ran on past"),
        ("garbage-stream", Unusable, "no chat stream"),
    ],
)
async def test_failures_are_told_apart(server, manner, kind, text):
    with pytest.raises(ModelFailed, match=text) as failed:
        await answer(server, manner, schema=SCHEMA, api_key="sk-secret")
    assert type(failed.value) is kind
    assert "sk-secret" not in str(failed.value)
    assert "delivery" not in str(failed.value).lower()


async def test_a_stream_that_stalls_is_given_up(server):
    with pytest.raises(Unwell, match="in time") as failed:
        await answer(server, "stalls", first_seconds=0.1)
    assert failed.value.spent[0] > 0


async def test_the_whole_time_ends_an_answer_that_had_begun(server):
    endless = server.model("endless")
    endpoint = Endpoint(endless)
    with pytest.raises(Unwell, match="in time") as failed:
        await endpoint.complete(request(seconds=0.3, tokens=10_000_000))
    assert failed.value.spent[1] > 0
    await endpoint.close()


async def test_a_slow_answer_is_waited_for(server):
    server.models.seconds = 0.2
    assert (await answer(server, "slow", first_seconds=5)).text


async def test_an_answer_that_has_ended_is_not_kept_waiting_for_its_stream(server, monkeypatch):
    monkeypatch.setattr("bot.llm.endpoint._USAGE_SECONDS", 0.05)
    got = await answer(server, "lingering", schema=SCHEMA)
    assert json.loads(got.text)["enough"] is True
    assert got.tokens_out > 0


async def test_retry_after_is_told(server):
    server.models.retry_after = 7
    with pytest.raises(Unwell) as failed:
        await answer(server, "429")
    assert failed.value.after == 7.0


async def test_free_text_that_was_cut_is_still_a_text(server):
    got = await answer(server, "truncated")
    assert got.text
    assert got.truncated


async def test_where_usage_is_not_told_it_is_guessed(server):
    got = await answer(server, "no-usage")
    assert got.tokens_in > 50
    assert got.tokens_out > 0


@pytest.mark.parametrize(
    ("manner", "formats"),
    [
        ("no-schema", ["json_schema", "json_object", None, None]),
        ("json-object", ["json_schema", "json_object", "json_object"]),
    ],
)
async def test_what_an_endpoint_refuses_is_left_out_from_then_on(server, manner, formats):
    got = await answer(server, manner, 2, schema=SCHEMA)
    assert json.loads(got.text)["cites"] == [1]
    sent = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert sent == formats
    # The model is told in words instead.
    assert '"escalate"' in server.bodies[-1]["messages"][0]["content"].rpartition("JSON schema")[2]


async def test_endpoints_without_stream_options_are_asked_without(server):
    got = await answer(server, "no-stream-options", 2)
    assert got.tokens_in > 50
    assert ["stream_options" in body for body in server.bodies] == [True, False, False]


async def test_newer_models_are_asked_in_the_newer_way(server):
    await answer(server, "new", 2, tokens=50)
    last = server.bodies[-1]
    assert last["max_completion_tokens"] == 50
    assert "max_tokens" not in last
    assert "temperature" not in last
    assert len(server.bodies) == 4


async def test_a_refusal_of_another_cause_changes_nothing_for_later():
    bad = Answer({"error": {"message": "no"}}, status=400)
    async with provider([bad] * 4) as host:
        from bot.settings import Llm

        endpoint = Endpoint(Llm(url=host.url, model="m"))
        with pytest.raises(Unfit, match="400"):
            await endpoint.complete(request(schema=SCHEMA))
        assert endpoint._manners.format == "json_schema"
        await endpoint.close()


async def test_a_redirection_is_not_followed():
    away = Answer("", status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"})
    async with provider([away]) as host:
        from bot.settings import Llm

        endpoint = Endpoint(Llm(url=host.url, model="m", api_key="k"))
        with pytest.raises(Misconfigured, match="check its url"):
            await endpoint.complete(request())
        await endpoint.close()


async def test_nobody_there():
    from bot.settings import Llm

    endpoint = Endpoint(Llm(url="http://127.0.0.1:1/v1", model="m"))
    with pytest.raises(Unwell, match="cannot be reached"):
        await endpoint.complete(request())
    await endpoint.close()
    await endpoint.close()


async def test_thoughts_are_not_part_of_an_answer(server):
    got = await answer(server, "fenced")
    assert got.text.startswith("Here it is")


async def test_tool_calls_are_put_together_even_with_one_index_for_all(server):
    got = await answer(server, "two-tools", tools=(LOOKUP, TRACK))
    assert [(call.name, dict(call.arguments)) for call in got.calls] == [
        ("order_status", {"number": 0}),
        ("track_parcel", {"number": 1}),
    ]
    assert len({call.id for call in got.calls}) == 2


async def test_a_tool_that_was_not_offered_is_not_called(server):
    got = await answer(server, "unknown-tool", tools=(LOOKUP,))
    assert got.calls == ()
    assert got.text
    assert got.notes == ("asked for a tool that is not offered",)


async def test_what_tools_returned_is_sent_as_the_protocol_wants(server):
    call = ToolCall("c1", "order_status", {"number": "4711"})
    messages = (
        Said("system", "s"),
        Said("user", "Where is it?"),
        Said("assistant", "", calls=(call,)),
        Said("tool", "on its way", call="c1"),
    )
    await answer(server, "honest", messages=messages, tools=(LOOKUP,))
    sent = server.bodies[0]["messages"]
    assert sent[2]["tool_calls"][0]["function"]["arguments"] == '{"number": "4711"}'
    assert (sent[3]["role"], sent[3]["tool_call_id"]) == ("tool", "c1")


async def test_nothing_that_was_said_is_logged(server, caplog):
    with caplog.at_level(logging.DEBUG):
        await answer(server, "honest", schema=SCHEMA, api_key="sk-secret")
        with pytest.raises(Misconfigured):
            await answer(server, "401", api_key="sk-secret")
    for word in ("sk-secret", "standard delivery", "3.95"):
        assert word not in caplog.text


@pytest.mark.parametrize("moment", range(8))
async def test_an_ask_that_is_cancelled_ends_at_once_whenever_it_is(server, moment):
    endpoint = Endpoint(server.model("stalls"))
    task = asyncio.create_task(endpoint.complete(request()))
    while not server.models.asked:
        await asyncio.sleep(0)
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await endpoint.close()


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("local:", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://localhost.evil.example/v1", False),
        ("http://10.0.0.5/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_what_is_on_this_machine(url, here):
    assert is_here(url) is here
