"""Which shop is asked: endpoints.yml, opening, and `bot check`."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from actions.backends import demo, opening
from actions.backends.contract import Money
from actions.backends.demo import DemoShop
from bot.check import check
from bot.data_files import wrong_files
from bot.sandbox import rest_shop, shopify, woocommerce
from bot.settings import Backend, SettingsInvalid, load, load_backends
from bot.store import AsyncStore, open_store
from tests.kit.shops import MAPPING, Place

SHOPIFY = "{kind: shopify, url: 'https://larkfield.myshopify.com', token: ${SHOP_TOKEN}}"


def written(folder: Path, backends: str) -> Path:
    (folder / "endpoints.yml").write_text(f"backends:\n{backends}", encoding="utf-8")
    return folder


def test_a_shop_and_its_parts_are_set(tmp_path: Path) -> None:
    written(tmp_path, f"  shop: {SHOPIFY}\n  orders: {{kind: demo}}\n")

    made = load_backends(environ={"SHOP_TOKEN": "t0ken-of-shop"}, cwd=tmp_path)

    assert made["orders"] == Backend("demo")
    assert made["shop"].token == "t0ken-of-shop"
    assert "t0ken" not in repr(made)
    whole = load(
        channels=(), schema_of=lambda c: Backend, environ={"SHOP_TOKEN": "t"}, cwd=tmp_path
    )
    assert whole.backends["shop"].url == "https://larkfield.myshopify.com"


def test_the_environment_sets_one_field(tmp_path: Path) -> None:
    written(tmp_path, "  shop: {kind: demo}\n")
    environ = {
        "FRONTDESK__BACKENDS__SHOP__KIND": "shopify",
        "FRONTDESK__BACKENDS__SHOP__URL": "https://x.example",
        "FRONTDESK__BACKENDS__SHOP__TOKEN": "t",
    }

    assert load_backends(environ=environ, cwd=tmp_path)["shop"].kind == "shopify"


@pytest.mark.parametrize(
    ("backends", "told"),
    [
        ("  shop: {kind: magento}\n", "endpoints.yml:2: backends.shop.kind is 'magento', should"),
        ("  order: {kind: demo}\n", "endpoints.yml:2: backends.order is not a known key; did you"),
        ("  shop: {kind: shopify}\n", "backends.shop: kind shopify needs a url"),
        ("  shop: {kind: shopify, url: 'https://x.example'}\n", "kind shopify needs a token"),
        ("  shop: {kind: rest, url: 'https://x.example'}\n", "kind rest needs a mapping"),
        ("  shop: {kind: demo, key: k}\n", "key is nothing that kind demo has"),
        ("  shop: {kind: demo, tokn: k}\n", "did you mean token?"),
        ("  shop: {kind: demo, delivered_after_days: 3}\n", "is nothing that kind demo has"),
        (
            "  shop: {kind: shopify, url: 'http://x.example', token: s3cret}\n",
            "url should be https://…, its credentials are sent with each request",
        ),
        (
            "  shop: {kind: woocommerce, url: 'https://u:p@x.example', key: a, secret: b}\n",
            "no user",
        ),
        (
            "  shop: {kind: shopify, url: 'https://x.example', token: t, version: '2026-02'}\n",
            "should be one of Shopify's, as in 2026-04",
        ),
        ("  shop: {kind: shopify, url: 'https://x.example', token: ${NOPE}}\n", "${NOPE}, which"),
        ("  - shop\n", "backends is a list, should be a mapping"),
        ("  shop: demo\n", "backends.shop is text, should be a mapping with kind"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, backends: str, told: str) -> None:
    with pytest.raises(SettingsInvalid) as wrong:
        load_backends(environ={}, cwd=written(tmp_path, backends))

    assert told in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


async def test_without_any_it_is_the_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")
    monkeypatch.chdir(tmp_path)
    opening.configure({})

    shop = await opening.shop()

    assert isinstance(shop, DemoShop)
    assert (await shop.find("1042")).status == "shipped"
    assert await opening.shop() is shop
    await opening.close()
    # Many turns at once have one shop.
    many = await asyncio.gather(*(opening.shop() for _ in range(3)))
    assert len({id(one) for one in many}) == 1
    assert many[0] is not shop
    assert (await many[0].find("1042")).status == "shipped"
    await opening.close()


def settings_of(at: Place) -> dict[str, Backend]:
    site = f"{at.url}/woocommerce"
    return {
        "shop": Backend("shopify", url=f"{at.url}/shopify", token=shopify.TOKEN),
        "accounts": Backend(
            "woocommerce", url=site, key=woocommerce.KEY, secret=woocommerce.SECRET
        ),
        "shipments": Backend("demo"),
    }


async def test_parts_are_asked_where_they_are(at: Place) -> None:
    shop = await opening.opened(settings_of(at), at.store)

    assert shop.name.count("127.0.0.1") == 2
    assert (await shop.find("1042")).id.startswith("gid://shopify/Order/")
    assert (await shop.account("amara.osei@example.com")).id == ""
    assert [p.order for p in await shop.of_order("1042")] == ["1042"]
    assert (await shop.refund("turn", "1044", Money(100, "GBP"))).money.minor == 100
    assert "12 orders" in await shop.ask()
    await shop.close()


async def test_the_check_asks_every_backend(at: Place, tmp_path: Path) -> None:
    folder = Path("docs/backends").absolute()
    text = (
        f"  shop: {{kind: rest, url: '{at.url}/shop/v1', mapping: {folder}/shop.mapping.yml}}\n"
        f"  orders: {{kind: shopify, url: '{at.url}/shopify', token: {shopify.TOKEN}}}\n"
        f"  accounts: {{kind: shopify, url: '{at.url}/shopify', token: s3cret-wrong}}\n"
    )
    written(tmp_path, text)
    environ = {"SHOP_TOKEN": rest_shop.TOKEN}
    out = io.StringIO()

    def run() -> int:
        return check(
            lambda: load(channels=(), schema_of=lambda c: Backend, environ=environ, cwd=tmp_path),
            online=True,
            root=tmp_path,
            out=out,
            err=out,
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_TOKEN", rest_shop.TOKEN)
        patch.setattr("bot.check.wrong_files", lambda *args: [])
        status = await asyncio.to_thread(run)

    said = out.getvalue()
    assert status == 1, said
    assert "backend   orders: shopify at 127.0.0.1:" in said
    assert "ok        backend shop: the shop at 127.0.0.1 answers" in said
    assert "ok        backend orders: Shopify at 127.0.0.1, GBP" in said
    assert "failed    backend accounts: Shopify at 127.0.0.1: its credentials were refused" in said
    assert "s3cret" not in said


async def test_the_store_of_the_demonstration_is_the_bots(tmp_path: Path) -> None:
    store = AsyncStore(open_store(f"sqlite:{tmp_path / 'bot.db'}"), demo.DOCUMENTS)
    shop = await opening.opened({}, store, seed=True)

    assert "12 orders" in await shop.ask()
    await store.close()


def test_nothing_is_started_with_a_wrong_mapping(tmp_path: Path) -> None:
    text = MAPPING.read_text(encoding="utf-8")
    (tmp_path / "m.yml").write_text(text.replace("getOrder", "getOder"), encoding="utf-8")
    (tmp_path / "shop.openapi.json").write_bytes(
        MAPPING.with_name("shop.openapi.json").read_bytes()
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_TOKEN", "t")
        wrong = wrong_files(Path(), mappings=[str(tmp_path / "m.yml")])

    (line,) = wrong
    assert "calls.find.operation is 'getOder', which the API has not" in line
