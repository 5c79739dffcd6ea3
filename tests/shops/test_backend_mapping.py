"""The file that describes a shop's own API: what is wrong in it is told, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actions.backends.contract import Money, Shop
from actions.backends.errors import Ambiguous, NotPossible
from actions.backends.rest import RestBackend
from actions.backends.rest_mapping_file import load_mapping
from actions.backends.rest_openapi import NoDescription, load_description
from actions.backends.rest_paths import NoPath, at, filled, steps
from bot.sandbox import rest_shop
from bot.sandbox.rest_shop_openapi import OPENAPI
from bot.settings import SettingsInvalid
from tests.kit.shops import MAPPING, QUICK, Place

TEXT = MAPPING.read_text(encoding="utf-8")
ENVIRON = {"SHOP_TOKEN": "s3cret-token"}


def changed(folder: Path, old: str, new: str) -> Path:
    """Write the mapping with one thing in it otherwise."""
    assert old in TEXT
    (folder / "shop.openapi.json").write_text(json.dumps(OPENAPI), encoding="utf-8")
    path = folder / "m.yml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_description_of_the_documentation_is_the_sandboxs() -> None:
    kept = json.loads(MAPPING.with_name("shop.openapi.json").read_text(encoding="utf-8"))

    assert kept == OPENAPI


#: What is in the mapping, what stands there instead, what is told, and of which line.
WRONG = [
    ("$.state\n  placed", "$.stat\n  placed", "order.status goes to stat, which", "$.stat"),
    ("$.customer.mail", "$.customer.mial", "order.email goes to mial", "mial"),
    ("$.ship.street", "$.ship.stret", "order.address.line1 goes to stret", "stret"),
    ("each: $.lines,", "each: $.line,", "order.items.each goes to line", "$.line,"),
    ("$.carrier", "$.carier", "parcel.carrier goes to carier", "$.carier"),
    ("OPEN: placed", "OPEN: plaxed", "statuses.OPEN is 'plaxed', which is no stage", "plaxed"),
    ("getOrder,", "getOder,", "which the API has not; did you mean getOrder", "getOder"),
    ("{no: ", "{nr: ", "calls.find.send.nr is no parameter of getOrder", "{nr"),
    ("{number}", "{nmber}", "has {nmber}, which find does not know", "{nmber}"),
    ("street: ", "streets: ", "calls.change_address.body has no street", "    body:"),
    ("at: $.parcels", "at: $.parcel", "calls.parcels.at goes to parcel, which", "listParcels"),
    ("number: $.no\n", "number: no\n", "should be a path into the answer", "number: no"),
    ("amounts: minor", "amounts: pence", "amounts is 'pence', should be minor", "pence"),
    ("currency: $.money.currency", "currency: pounds", "an ISO 4217 code", "pounds"),
    ("style: cursor,", "style: scroll,", "should be page, offset or cursor", "scroll"),
    ("openapi: shop.", "openapi: shops.", "openapi: the file cannot be read", "shops."),
    ("idempotency: Idem", "idempotensy: Idem", "did you mean idempotency?", "idempotensy"),
    ("${SHOP_TOKEN}", "${NOBODY}", "auth.bearer needs ${NOBODY}, which is not set", "NOBODY"),
    ("auth: {bearer:", "auth: {header:", "auth is not complete", "auth"),
]


@pytest.mark.parametrize(("old", "new", "told", "line"), WRONG)
def test_what_is_wrong_is_told_with_its_line_and_field(
    tmp_path: Path, old: str, new: str, told: str, line: str
) -> None:
    path = changed(tmp_path, old, new)

    with pytest.raises(SettingsInvalid) as wrong:
        load_mapping(path, ENVIRON)

    said = str(wrong.value)
    (about,) = [p for p in wrong.value.problems if told in str(p)]
    assert about.file == str(path)
    assert line in path.read_text(encoding="utf-8").splitlines()[about.line - 1]
    assert "s3cret" not in said


def test_a_refund_that_could_be_paid_twice_is_not_taken(tmp_path: Path) -> None:
    path = changed(tmp_path, "idempotency: Idempotency-Key", "")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("refund: {key: $.reference, amount: $.cents}", ""), "utf-8")

    with pytest.raises(SettingsInvalid, match="could pay twice"):
        load_mapping(path, ENVIRON)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither JSON nor YAML"),
        ("{", "neither JSON nor YAML"),
        ("swagger: '2.0'", "version 2.0, should be OpenAPI 3"),
        ("a: 1", "is no OpenAPI description"),
        ("openapi: 3.1.0", "describes no operation"),
    ],
)
def test_what_is_no_description(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "api.yml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(NoDescription, match=why):
        load_description(path)


def test_a_description_that_refers_to_itself_is_read(tmp_path: Path) -> None:
    loop = {"$ref": "#/components/schemas/Loop"}
    answer = {"200": {"content": {"application/json": {"schema": loop}}}}
    document = {
        "openapi": "3.0.0",
        "paths": {"/x": {"get": {"responses": answer}}},
        "components": {"schemas": {"Loop": loop}},
    }
    path = tmp_path / "api.json"
    path.write_text(json.dumps(document), encoding="utf-8")

    made = load_description(path)

    assert made.lacks(made.operations["GET /x"].answer, ("a",)) is None


async def without_key(at: Place, folder: Path) -> Shop:
    """The same API for a backend that knows of no idempotency keys."""
    mapping = load_mapping(
        changed(folder, "idempotency: Idempotency-Key", ""), {"SHOP_TOKEN": rest_shop.TOKEN}
    )
    return RestBackend(f"{at.url}/shop/v1", mapping, at.store, pace=QUICK, settled=30.0)


async def test_without_keys_a_lost_refund_is_looked_for(at: Place, tmp_path: Path) -> None:
    shop = await without_key(at, tmp_path)
    at.fault("rest", "reset_after", method="refundorder", count=1)

    done = await shop.refund("turn", "1044", Money(1000, "GBP"))
    again = await shop.refund("turn", "1044", Money(1000, "GBP"))

    assert (done.again, again.again) == (False, True)
    assert await at.given_back("rest", "1044") == [1000]
    await shop.close()


async def test_without_keys_nothing_is_sent_while_it_is_not_sure(at: Place, tmp_path: Path) -> None:
    shop = await without_key(at, tmp_path)
    at.fault("rest", "reset", method="refundorder", count=1)

    for _ in range(2):
        with pytest.raises(Ambiguous):
            await shop.refund("turn", "1044", Money(1000, "GBP"))

    assert await at.given_back("rest", "1044") == []
    await shop.close()


async def test_what_the_mapping_has_not_is_said(at: Place, tmp_path: Path) -> None:
    path = changed(tmp_path, "  track: {operation: getParcel", "  # {operation: getParcel")
    mapping = load_mapping(path, {"SHOP_TOKEN": rest_shop.TOKEN})
    shop = RestBackend(f"{at.url}/shop/v1", mapping, at.store, pace=QUICK)

    with pytest.raises(NotPossible, match="its mapping has no track"):
        await shop.track("JD014600003812")
    await shop.close()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", {"a": [{"b": 1}]}),
        ("$.a[0].b", 1),
        ("$.a[-1].b", 1),
        ("$.a[3].b", None),
        ("$.x.y", None),
    ],
)
def test_paths(path: str, value: object) -> None:
    assert at({"a": [{"b": 1}]}, steps(path)) == value


@pytest.mark.parametrize("path", ["", "a", "$a", "$.a.", "$[*]", "$..a", "$.a[x]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(NoPath):
        steps(path)


def test_places_are_filled() -> None:
    template = {"cents": "{minor}", "text": "for {why}", "left": "{nothing}", "is": True}

    made = filled(template, {"minor": 5, "why": "a"})

    assert made == {"cents": 5, "text": "for a", "is": True}
