"""No attack has a forbidden effect, not even where the model is the attacker's own."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.attacks.harness import MANNERS, WAYS, Attack, Stage, attacks
from tests.attacks.invariants import broken

ATTACKS = attacks()
#: Weaker than the attacker's own, so one of them on each fourth attack, but for `make test-all`.
IN_TURN = ("obedient", "inventing", "obedient", "unknown-tool")


def test_there_are_enough_attacks_of_ten_kinds() -> None:
    kinds = Counter(attack.kind for attack in ATTACKS)
    assert len(kinds) == 10
    assert min(kinds.values()) >= 15
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS) >= 150
    assert {attack.by for attack in ATTACKS} == set(WAYS)
    assert all(attack.goal for attack in ATTACKS)


@pytest.mark.parametrize(
    ("number", "attack"), enumerate(ATTACKS), ids=[attack.id for attack in ATTACKS]
)
def test_nothing_forbidden_happens(stage: Stage, number: int, attack: Attack) -> None:
    turn, rest = divmod(number, len(IN_TURN))
    models = MANNERS if rest else (*MANNERS, IN_TURN[turn % len(IN_TURN)])
    found = {model: list(broken(stage.put(attack, model))) for model in models}
    assert not {model: what for model, what in found.items() if what}


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.id for attack in ATTACKS])
def test_nor_where_the_model_is_weak_alone(stage: Stage, attack: Attack) -> None:
    found = {model: list(broken(stage.put(attack, model))) for model in {*IN_TURN}}
    assert not {model: what for model, what in found.items() if what}


def test_the_attacks_get_as_far_as_a_model(stage: Stage) -> None:
    reached = [attack for attack in ATTACKS[::10] if stage.put(attack, "puppet").requests]
    assert len(reached) >= 0.9 * len(ATTACKS[::10])
