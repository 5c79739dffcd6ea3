"""The stand-ins of shops refuse what the real ones refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actions.backends import shopify_read
from bot.sandbox import credentials, graphql, shopify
from bot.sandbox.graphql import GraphQLWrong
from bot.sandbox.server import Sandbox
from tests.kit.shops import Place, place

SHOPIFY = {"X-Shopify-Access-Token": shopify.TOKEN}
WOO = aiohttp.BasicAuth("ck_sandbox", "cs_sandbox")
URL = "/shopify/admin/api/2026-04/graphql.json"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as made:
        yield made


@pytest.fixture
async def http(at: Place) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(at.url) as session:
        yield session


async def asked(http: aiohttp.ClientSession, query: str, **variables: Any) -> dict[str, Any]:
    body = {"query": query, "variables": variables}
    async with http.post(URL, json=body, headers=SHOPIFY) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


def code(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize(
    ("headers", "url", "status"),
    [
        ({}, URL, 401),
        ({"X-Shopify-Access-Token": "other"}, URL, 401),
        (SHOPIFY, URL.replace("2026-04", "2019-04"), 404),
        (SHOPIFY, URL, 400),
    ],
)
async def test_shopify_refuses_requests(
    http: aiohttp.ClientSession, headers: dict[str, str], url: str, status: int
) -> None:
    async with http.post(url, data="{}", headers=headers) as answer:
        assert answer.status == status
        assert "errors" in await answer.json()


REFUND = shopify_read.REFUND
ORDER = "gid://shopify/Order/{}"


@pytest.mark.parametrize(
    ("query", "variables", "wanted"),
    [
        ("{ shop { name } }", {}, "parseError"),
        ("query { shop { title } }", {}, "undefinedField"),
        ("query { shop }", {}, "selectionMismatch"),
        ("query { shop { name { first } } }", {}, "selectionMismatch"),
        ("query { orders(first: 500) { nodes { id } } }", {}, "BAD_REQUEST"),
        ("query { orders(first: 2, limit: 1) { nodes { id } } }", {}, "argumentNotAccepted"),
        ("query q($n: Int!) { orders(first: $n) { nodes { id } } }", {}, "INVALID_VARIABLE"),
        ("query { orders(first: $n) { nodes { id } } }", {}, "variableNotDefined"),
        (
            "query { orders(first: 250) { nodes { lineItems(first: 50) { nodes { title } } } } }",
            {},
            "MAX_COST_EXCEEDED",
        ),
        (REFUND.replace("@idempotent(key: $key)", ""), {"input": {}, "key": "k"}, "BAD_REQUEST"),
        (REFUND, {"input": {"orderId": "1042"}, "key": "k"}, "INVALID_VARIABLE"),
        (REFUND, {"input": {"amount": "1"}, "key": "k"}, "INVALID_VARIABLE"),
    ],
)
async def test_shopify_refuses_what_it_does_not_know(
    http: aiohttp.ClientSession, query: str, variables: dict[str, Any], wanted: str
) -> None:
    assert code(await asked(http, query, **variables)) == wanted


async def test_shopify_remembers_keys(at: Place, http: aiohttp.ClientSession) -> None:
    sale = at.shops.books.sales["1044"]
    part = {
        "orderId": ORDER.format(sale.id),
        "parentId": f"gid://shopify/OrderTransaction/{sale.id + 5_000_000}",
        "gateway": "shopify_payments",
        "kind": "REFUND",
        "amount": "10.00",
    }
    given = {"orderId": ORDER.format(sale.id), "note": "x", "transactions": [part]}

    first = await asked(http, REFUND, input=given, key="k")
    again = await asked(http, REFUND, input=given, key="k")
    other = await asked(http, REFUND, input={**given, "note": "y"}, key="k")
    much = {**given, "transactions": [{**part, "amount": "100.00"}]}
    over = await asked(http, REFUND, input=much, key="k2")

    assert first["data"] == again["data"]
    assert code(other) == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert over["data"]["refundCreate"]["userErrors"][0]["field"] == ["transactions"]
    assert [back.minor for back in sale.back] == [1000]
    # A day later the key is forgotten, and the same is another refund.
    at.shops.shopify.clock = lambda: asyncio.get_running_loop().time() + 90_000.0
    await asked(http, REFUND, input=given, key="k")
    assert [back.minor for back in sale.back] == [1000, 1000]


async def test_shopify_has_a_leaky_bucket(at: Place, http: aiohttp.ClientSession) -> None:
    at.shops.shopify.points = at.shops.shopify._level = 4.0
    at.shops.shopify.restore = 0.0
    query = "query { orders(first: 3) { nodes { id } } }"

    first, second = await asked(http, query), await asked(http, query)

    assert len(first["data"]["orders"]["nodes"]) == 3
    assert code(second) == "THROTTLED"
    assert second["extensions"]["cost"]["throttleStatus"]["restoreRate"] == 0.0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "wanted"),
    [
        ("GET", "/orders/9999", None, 404, "woocommerce_rest_shop_order_invalid_id"),
        ("GET", "/orders?per_page=500", None, 400, "rest_invalid_param"),
        ("GET", "/orders?status=lost", None, 400, "rest_invalid_param"),
        ("PUT", "/orders/1047", {"status": "void"}, 400, "rest_invalid_param"),
        ("PUT", "/orders/1047", {"shipping": {"street": "x"}}, 400, "rest_invalid_param"),
        ("POST", "/orders/1044/refunds", {"amount": 10}, 400, "rest_invalid_param"),
        (
            "POST",
            "/orders/1044/refunds",
            {"amount": "72.01"},
            500,
            "woocommerce_rest_cannot_create_order_refund",
        ),
        ("POST", "/orders/1044/notes", {}, 400, "rest_missing_callback_param"),
    ],
)
async def test_woocommerce_refuses(
    http: aiohttp.ClientSession, method: str, path: str, body: Any, status: int, wanted: str
) -> None:
    url = f"/woocommerce/wp-json/wc/v3{path}"
    async with http.request(method, url, json=body) as answer:
        assert answer.status == 401
    async with http.request(method, url, json=body, auth=WOO) as answer:
        assert (answer.status, (await answer.json())["code"]) == (status, wanted)


async def test_woocommerce_pages(http: aiohttp.ClientSession) -> None:
    url = "/woocommerce/wp-json/wc/v3/orders?per_page=5&page=3"
    async with http.get(url, auth=WOO) as answer:
        assert len(await answer.json()) == 2
        assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("12", "3")


async def test_what_shops_know_is_shown_and_left_out(
    at: Place, http: aiohttp.ClientSession
) -> None:
    async with http.post("/control/shops", json={"shop": "rest"}) as answer:
        assert answer.status == 400
    async with http.post("/control/shops", json={"shop": "shop", "hidden": ["ship"]}) as answer:
        assert answer.status == 200
    async with http.get("/control/shops") as answer:
        assert len((await answer.json())["sales"]) == 12
    assert (await at.shop("rest").find("1042")).missing == ("address",)


async def test_the_sandbox_has_the_shops(tmp_path: Path) -> None:
    gateway = "http://127.0.0.1:9"
    sandbox = Sandbox(credentials.ensure(tmp_path, gateway, gateway), gateway, port=0)
    url = await sandbox.start()
    fault = {"channel": "shopify", "kind": "500", "count": 1}
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/control/faults", json=fault) as answer:
            assert answer.status == 200
        body = {"query": "query { shop { name } }"}
        for status in (500, 200):
            async with session.post(URL, json=body, headers=SHOPIFY) as answer:
                assert answer.status == status
    await sandbox.close()


SENT = ("ORDERS", "CANCEL", "UPDATE", "REFUND", "CUSTOMER", "INVITE", "INVOICE", "SHOP")


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_is_graphql(name: str) -> None:
    query = getattr(shopify_read, name)

    # By the reference parser, where it is installed, and by ours.
    real = pytest.importorskip("graphql")
    assert len(real.parse(query).definitions) == 1
    with pytest.raises(GraphQLWrong):
        graphql.read(query + "}", {})
