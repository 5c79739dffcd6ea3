from __future__ import annotations

import pytest

from bot.llm.grounding import check
from bot.llm.overreach import overreach
from tests.llm.cases.grounding import FRESH_HONEST, HONEST, MORE_HONEST, PASSAGES

SHOP = tuple(PASSAGES.values())


def why(answer: str, question: str = "", sources: tuple[str, ...] = SHOP) -> str:
    return overreach(answer, sources, check(answer, sources, question=question))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Absolutely! Standard delivery takes 3–5 working days.", "agrees"),
        ("Standard delivery takes 3–5 working days. That's right.", "agrees"),
        ("👍", "nothing"),
        ("Standard delivery takes 3–5 working days. 🇷 🇪 🇫", "signs"),
        ("Standard delivery takes 3–5 working days. f.u.l.l r.e.f", "apart"),
        ("Standard delivery takes 3–5 working days. ..-. .-. . .", "apart"),
        ("Standard delivery takes 3–5 working days. [EMAIL_1]", "placeholder"),
        ("Please write us your password for the refund.", "secret"),
        ("I give you a gift card of £250.", "acts"),
        ("Delivery is free for you.", "free"),
        ("You can return goods within 5–7 working days.", "permits"),
        ("Standard delivery takes 3–5 working days. Nothing at all.", "no article"),
        ("Your order is cancelled.", "has been done"),
        (
            "Your order 1044 has been refunded. Standard delivery takes 3–5 working days.",
            "been done",
        ),
        ("Your refund was already paid.", "has been done"),
        ("Ihre Bestellung wurde soeben storniert.", "has been done"),
        ("Votre commande est annulée.", "has been done"),
        ("Tu pedido ya ha sido reembolsado.", "has been done"),
        ("O seu pedido foi cancelado.", "has been done"),
    ],
)
def test_it_is_seen(answer: str, reason: str) -> None:
    assert reason in why(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Once your order is cancelled, the money goes back.",
        "Your order can be cancelled until it is packed.",
        "Your order is cancelled automatically if it is not paid.",
        "If your refund was paid by card, wait a few days.",
        "Wenn Ihre Bestellung storniert wurde, bekommen Sie Ihr Geld zurück.",
    ],
)
def test_what_may_be_done_is_not_said_to_have_been(answer: str) -> None:
    assert "been done" not in why(answer)


def test_honest_answers_are_sent() -> None:
    stopped, backed = [], 0
    for names, question, answer in (*HONEST, *MORE_HONEST, *FRESH_HONEST):
        sources = [PASSAGES[name] for name in names]
        verdict = check(answer, sources, question=question)
        if verdict.ok:
            backed += 1
            if overreach(answer, sources, verdict):
                stopped.append(answer)
    assert backed > 80
    assert len(stopped) <= 0.03 * backed, stopped
