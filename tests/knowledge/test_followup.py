"""Which questions need the one before them."""

from __future__ import annotations

import pytest

from bot.knowledge.followup import is_followup


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("And for Spain?", "en"),
        ("what about the large ones", "en"),
        ("how much is it", "en"),
        ("Express?", "en"),
        ("und wie lange dauert das", "de"),
        ("¿y para Noruega cuánto cuesta?", "es"),
        ("a ile kosztuje dostawa do Norwegii", "pl"),
        ("e quanto custa para a Suíça", "pt-BR"),
    ],
)
def test_questions_that_lean_on_another(question: str, language: str) -> None:
    assert is_followup(question, language)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        # Each has a word that means "and" or "this" in another language.
        ("Do you deliver to Norway?", "en"),
        ("A mug arrived broken, what now?", "en"),
        ("O que acontece se eu perder o talão?", "pt"),
        ("Is there a student discount?", "en"),
        ("Wie lange habe ich Zeit zum Umtauschen?", "de"),
        ("what is the warranty on a set of knives that I bought on sale", "en"),
        ("quelque chose dans une langue inconnue", "xx"),
    ],
)
def test_questions_of_their_own(question: str, language: str) -> None:
    assert not is_followup(question, language)
