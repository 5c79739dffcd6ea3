"""The forms of the shop: what they take, what becomes of it, and who is passed on."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.address import ActionChangeAddress, ValidateAddressForm
from actions.agents import Agent, as_agent
from actions.backends import orders, returns
from actions.backends.orders import CANCELLED, PLACED, Order, OrdersBackend
from actions.backends.returns import Return
from actions.cancel import ActionCancelOrder, ValidateCancelForm
from actions.forms import FILLED, ActionLeaveForm, ActionOtherOrder, Patient
from actions.passing_on import (
    ActionComplain,
    ActionRequestData,
    ActionSendInvoice,
    ValidateComplaintForm,
    ValidateDataForm,
)
from actions.problems import ActionReportProblem, ValidateProblemForm
from actions.returning import ActionRegisterExchange, ActionRegisterReturn, ValidateReturnForm
from bot.message import utcnow
from bot.store import Store, open_store
from bot.store.sqlite import SqliteStore


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of the test's own, with the demonstration orders."""
    url = f"sqlite:{tmp_path / 'bot.db'}"
    monkeypatch.setenv("FRONTDESK_STORE_URL", url)
    # A folder of the same name may have been another test's.
    monkeypatch.setattr("actions.backends._open", {})
    orders()
    returns()
    return open_store(url)


def tracker(
    slots: dict[str, Any],
    text: str = "",
    *,
    form: str = "",
    intent: str = "",
    metadata: dict[str, Any] | None = None,
    message: str = "telegram:shop:7",
) -> Tracker:
    heard = {
        "text": text,
        "intent": {"name": intent},
        "metadata": metadata or {},
        "message_id": message,
    }
    loop = {"name": form} if form else {}
    return Tracker("telegram:shop:1", slots, heard, [], False, None, loop, "action_listen")


def run(action: Action, where: Tracker) -> tuple[list[str], dict[str, Any], CollectingDispatcher]:
    """Run an action; return the responses, the slots that it sets, and all that was said."""
    dispatcher = CollectingDispatcher()
    done = action.run(dispatcher, where, {})
    events = asyncio.run(done) if asyncio.iscoroutine(done) else done
    slots = {e["name"]: e["value"] for e in events if e["event"] == "slot"}
    return [m["response"] for m in dispatcher.messages], slots, dispatcher


def asked(form: Patient, slots: dict[str, Any], domain_slots: list[str]) -> list[str]:
    """Return which slots a form asks for, as things are."""
    return asyncio.run(
        form.required_slots(domain_slots, CollectingDispatcher(), tracker(slots), {})
    )


@pytest.mark.parametrize(
    ("number", "confirmed", "said", "topic"),
    [
        ("1047", True, "utter_cancel_passed_on", "cancel"),
        ("1047", False, "utter_cancel_kept", None),
        ("1043", True, "utter_cancel_too_late", None),
        ("1044", True, "utter_cancel_too_late", None),
        ("1048", True, "utter_cancel_already", None),
        ("9999", True, "utter_order_not_found", None),
    ],
)
def test_a_customer_cannot_cancel_alone(
    shop: Store, number: str, confirmed: bool, said: str, topic: str | None
) -> None:
    responses, slots, _ = run(
        ActionCancelOrder(), tracker({"order_number": number, "confirmed": confirmed})
    )
    assert responses == [said]
    assert (slots.get("handoff") or {}).get("topic") == topic
    assert (slots["order_number"], slots["confirmed"]) == (None, None)
    assert shop.count(Order, {"status": CANCELLED}) == 1


def test_an_agent_cancels_once_and_only_what_is_not_packed(shop: Store) -> None:
    for number, ok in (("1047", True), ("1047", True), ("1043", False), ("9999", False)):
        with as_agent(Agent("anna", f"deed{number}")) as metadata:
            responses, slots, _ = run(
                ActionCancelOrder(), tracker({"order_number": number}, metadata=metadata)
            )
        assert slots["outcome"]["ok"] is ok
        assert responses == (["utter_cancel_done"] if ok else [])
    order = shop.get(Order, "1047")
    assert order is not None
    assert (order.status, order.cancelled_by) == (CANCELLED, "deed1047")
    assert OrdersBackend(shop).cancel("another", "1047") == "it was cancelled before"


def test_of_many_that_cancel_at_once_one_has_done_it(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "many.db") for _ in range(5)]
    OrdersBackend(stores[0]).prepare()
    stores[0].insert(Order(id="1", customer="a", items=[], status=PLACED, placed=utcnow()))
    start, done = threading.Barrier(5), []

    def cancel(n: int) -> None:
        start.wait()
        done.append(OrdersBackend(stores[n]).cancel(f"d{n}", "1"))

    threads = [threading.Thread(target=cancel, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["", *["it was cancelled before"] * 4]
    for store in stores:
        store.close()


def test_a_new_address_is_for_a_person_and_only_until_the_order_is_packed(shop: Store) -> None:
    wanted = ["order_number", "new_address"]
    assert asked(ValidateAddressForm(), {"order_number": "1047"}, wanted) == wanted
    assert asked(ValidateAddressForm(), {"order_number": "1042"}, wanted) == ["order_number"]
    # The order's number is no postcode.
    told = {"order_number": "1047", "new_address": "1047: 9 Park Lane, York"}
    assert "postcode" in asked(ValidateAddressForm(), told, [*wanted, "postcode"])
    address = "22 Baker Street, London NW1 6XE"
    responses, slots, _ = run(
        ActionChangeAddress(), tracker({"order_number": "1047", "new_address": address})
    )
    assert responses == ["utter_address_passed_on"]
    assert address in slots["handoff"]["why"]
    assert slots["new_address"] is None
    for number, said in (
        ("1043", "utter_address_too_late"),
        ("1044", "utter_address_delivered"),
        ("1048", "utter_order_cancelled_already"),
    ):
        responses, slots, _ = run(ActionChangeAddress(), tracker({"order_number": number}))
        assert responses == [said]
        assert "handoff" not in slots


@pytest.mark.parametrize(
    ("problem", "number", "said", "passed_on"),
    [
        ("late", "1042", ["utter_order_shipped", "utter_not_overdue"], False),
        ("late", "1046", ["utter_order_delayed", "utter_not_overdue"], False),
        ("late", "1048", ["utter_order_cancelled"], False),
        ("late", "1044", ["utter_order_delivered", "utter_search_passed_on"], True),
        ("lost", "1044", ["utter_search_passed_on"], True),
        ("lost", "1045", ["utter_order_out_for_delivery", "utter_not_overdue"], False),
        ("damaged", "1051", ["utter_problem_passed_on"], True),
        ("faulty", "1044", ["utter_problem_passed_on"], True),
        ("missing", "9999", ["utter_order_not_found"], False),
    ],
)
def test_a_problem_is_explained_or_passed_on(
    shop: Store, problem: str, number: str, said: list[str], passed_on: bool
) -> None:
    slots = {"problem": problem, "order_number": number, "problem_details": "the lid"}
    responses, after, _ = run(ActionReportProblem(), tracker(slots))
    assert responses == said
    assert ("handoff" in after) is passed_on
    assert after["problem"] is None
    if passed_on:
        assert "the lid" in after["handoff"]["why"]


def test_an_overdue_parcel_is_searched_for(shop: Store) -> None:
    shop.change(Order, {"id": "1042"}, set={"eta": utcnow() - timedelta(days=3)})
    responses, after, _ = run(
        ActionReportProblem(), tracker({"problem": "late", "order_number": "1042"})
    )
    assert responses == ["utter_search_passed_on"]
    assert after["handoff"]["topic"] == "delivery"


def test_what_is_not_there_is_not_asked_to_be_described() -> None:
    wanted = ["order_number", "problem_details"]
    assert asked(ValidateProblemForm(), {"problem": "late"}, wanted) == ["order_number"]
    assert asked(ValidateProblemForm(), {"problem": "damaged"}, wanted) == wanted


def test_a_return_is_noted_once_a_message(shop: Store) -> None:
    slots = {"order_number": "1044", "return_item": "two mugs", "return_reason": "too small"}
    for _ in range(2):
        responses, after, said = run(ActionRegisterReturn(), tracker(slots))
        assert responses == ["utter_return_noted"]
        assert said.messages[0]["reference"] == "R1044"
        why = "return R1044: two mugs; because: too small; identity not proven"
        assert after["handoff"]["why"].startswith(why)
    run(ActionRegisterReturn(), tracker(slots, message="telegram:shop:8"))
    assert [row.what for row in returns().of("1044")] == ["two mugs", "two mugs"]


@pytest.mark.parametrize(
    ("days", "back", "exchange"),
    [
        (29, "utter_return_noted", "utter_exchange_noted"),
        (31, "utter_return_noted_late", "utter_return_too_late"),
        (46, "utter_return_too_late", "utter_return_too_late"),
    ],
)
def test_how_long_things_can_come_back(shop: Store, days: int, back: str, exchange: str) -> None:
    shop.change(Order, {"id": "1044"}, set={"delivered": utcnow() - timedelta(days=days)})
    slots = {"order_number": "1044", "return_item": "a", "exchange_for": "b"}
    assert run(ActionRegisterReturn(), tracker(slots))[0] == [back]
    assert run(ActionRegisterExchange(), tracker(slots, message="t:s:9"))[0] == [exchange]
    wanted = ["order_number", "return_item", "return_reason"]
    ask = asked(ValidateReturnForm(), {"order_number": "1044"}, wanted)
    assert ask == (["order_number"] if days > 45 else wanted)


def test_what_has_not_come_cannot_go_back(shop: Store) -> None:
    for number, said in (
        ("1042", "utter_return_not_yet"),
        ("1048", "utter_order_cancelled_already"),
        ("9999", "utter_order_not_found"),
    ):
        assert run(ActionRegisterReturn(), tracker({"order_number": number}))[0] == [said]
    assert shop.count(Return, {}) == 0


def test_nobody_gets_data_or_an_invoice_from_the_bot(shop: Store) -> None:
    slots = {"order_number": "1044", "email": "ann@field.example", "data_wish": "deletion"}
    responses, after, _ = run(ActionSendInvoice(), tracker(slots))
    assert responses == ["utter_invoice_passed_on"]
    why = "wants the invoice of order 1044 sent to ann@field.example; identity not proven"
    assert after["handoff"]["why"].startswith(why)
    responses, after, _ = run(ActionRequestData(), tracker(slots))
    assert responses == ["utter_deletion_passed_on"]
    assert (after["handoff"]["topic"], after["email"]) == ("data", None)
    responses, after, _ = run(ActionRequestData(), tracker({**slots, "data_wish": "copy"}))
    assert responses == ["utter_data_passed_on"]


def test_a_complaint_is_passed_on_in_its_own_words() -> None:
    slots = {"complaint": "the driver shouted", "contact": "ann@field.example"}
    _, after, _ = run(ActionComplain(), tracker(slots, form="complaint_form"))
    why = "complains: the driver shouted (to be answered: ann@field.example)"
    assert after["handoff"] == {"topic": "complaint", "why": why, "priority": "high"}
    assert after["requested_slot"] is None


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("here", "this chat"),
        ("mail ann@field.example please", "ann@field.example"),
        ("07700 900123", "07700900123"),
        ("dunno", None),
    ],
)
def test_where_to_answer_a_complaint(said: str, taken: str | None) -> None:
    dispatcher = CollectingDispatcher()
    form = ValidateComplaintForm()
    assert form.validate_contact(said, dispatcher, tracker({}), {}) == {"contact": taken}
    assert len(dispatcher.messages) == (taken is None)


def test_after_two_answers_that_cannot_be_taken_a_person_is_offered() -> None:
    slots: dict[str, Any] = {"requested_slot": "email"}
    form, buttons = ValidateDataForm(), []
    domain = {"forms": {"data_form": {"required_slots": ["email"]}}}
    for text in ("qwertz", "ann at field", "ann@field.example"):
        where = tracker(slots, text, form="data_form")
        where.events.append({"event": "slot", "name": "email", "value": text})
        where.slots["email"] = text
        dispatcher = CollectingDispatcher()
        for event in asyncio.run(form.get_validation_events(dispatcher, where, domain)):
            slots[event["name"]] = event["value"]
        buttons.append([b["payload"] for m in dispatcher.messages for b in m["buttons"]])
    assert buttons == [[], ["/human"], []]
    assert (slots["email"], slots["attempts"]) == ("ann@field.example", None)


def test_who_leaves_a_form_leaves_nothing_behind() -> None:
    slots = {**dict.fromkeys(FILLED, "x"), "order_number": "1042", "product": "Stoneware mug"}
    responses, after, _ = run(ActionLeaveForm(), tracker(slots, intent="stop"))
    assert responses == ["utter_form_stopped"]
    assert after == dict.fromkeys([*FILLED, "order_number"])
    assert run(ActionLeaveForm(), tracker({}, intent="goodbye"))[0] == ["utter_goodbye"]


def test_an_order_that_does_not_exist_is_not_taken(shop: Store) -> None:
    dispatcher = CollectingDispatcher()
    form = ValidateCancelForm()
    where = tracker({}, "9999")
    taken = asyncio.run(form.validate_order_number("9999", dispatcher, where, {}))
    assert taken == {"order_number": None}
    assert [m["response"] for m in dispatcher.messages] == ["utter_order_not_found"]


def test_the_other_order_is_asked_for_unless_its_number_was_told() -> None:
    assert run(ActionOtherOrder(), tracker({"order_number": "1042"}))[:2] == (
        *(["utter_other_order"], {"order_number": None, "last_order": None}),
    )
    where = tracker({"order_number": "1043"})
    where.latest_message["entities"] = [{"entity": "order_number", "value": "1043"}]
    assert run(ActionOtherOrder(), where)[:2] == ([], {})
