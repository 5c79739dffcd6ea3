"""What the bot did with its tools, as operators and agents see it."""

from __future__ import annotations

from bot.desk.handoff import case_of
from bot.desk.people import People
from bot.desk.routing_file import load_routing
from bot.desk.slack.card import card_of
from bot.dialogue.why import explain, explain_page
from bot.message import Inbound, Text
from bot.store.conversations import Conversation
from bot.store.messages import to_message
from bot.turn import Turns
from bot.why_command import lines_of
from tests.kit.build import address
from tests.kit.channel import CAN
from tests.within_rules.conftest import ROOT, Desk
from tests.within_rules.test_paid_once import begun


async def test_why_and_the_case_card_show_the_steps(desk: Desk) -> None:
    await desk.order("1044")
    await begun(desk.store, address())
    turns = Turns(desk.store, desk.brain, lambda channel: CAN, turn_seconds=20.0)
    row = to_message(Inbound(address(), "m1", Text("please refund 80.00 pounds of order 1044")))
    await desk.store.insert(row)
    lease = await desk.store.get(Conversation, address().key)
    assert lease is not None
    turn = await turns.take(row, lease)
    told = list(lines_of(await explain(desk.store, turn.id, root=ROOT)))
    heard = [line for line in told if line.startswith("understood")]
    assert heard[0].split()[1:5] == ["refund_request,", "taken", "as", "question"]
    steps = [line for line in told if line.startswith("tool ")]
    assert "refund (number 1044" in steps[0]
    assert "person, wants £80.00 back for order 1044, above the limit of £50.00" in steps[-1]
    page = await explain_page(desk.store, address().key, root=ROOT)
    assert [tool.verdict for tool in page.turns[0].tools] == ["read", "person"]
    case = case_of(turn, turn.decision["handoff"], "")
    card = await card_of(desk.store, case, People(()), load_routing(ROOT / "data/routing.yml"), [])
    assert card.why.startswith("wants £80.00 back for order 1044, above the limit of £50.00")
    assert card.did[0] == "refund (order 1044, £80.00), for a person"
    # The last words may be a code; what is wanted is more than that.
    assert card.wish.startswith("£80.00 back for order 1044")
