"""Boxes stand in columns, never over each other, and lines pass between them."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from bot.insight.layers import Layout, Spot, crossings, place


def overlap(one: Spot, other: Spot) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def check(layout: Layout) -> None:
    assert not any(overlap(a, b) for a, b in combinations(layout.spots, 2))
    for spot in layout.spots:
        assert spot.x >= 0
        assert spot.y >= -0.001
        assert spot.x + spot.width <= layout.width + 0.001
        assert spot.y + spot.height <= layout.height + 0.001


def test_a_chain_is_a_straight_line_to_the_right() -> None:
    layout = place([(100, 40)] * 4, [(0, 1), (1, 2), (2, 3)])
    check(layout)
    assert [spot.y for spot in layout.spots] == [0, 0, 0, 0]
    lefts = [spot.x for spot in layout.spots]
    assert lefts == sorted(set(lefts))
    assert layout.lines[0, 1][0] == (100, 20)
    assert layout.lines[0, 1][-1] == (lefts[1], 20)


def test_lines_that_need_not_cross_do_not() -> None:
    # As given, both pairs would cross.
    layout = place([(50, 20)] * 6, [(0, 4), (1, 3), (5, 0), (5, 1)])
    check(layout)
    tops = [spot.y for spot in layout.spots]
    assert (tops[0] < tops[1]) == (tops[4] < tops[3])
    assert crossings([(0, 1), (1, 0)]) == 1
    assert crossings([(0, 0), (1, 1), (2, 0)]) == 1
    assert crossings([(0, 1), (0, 2), (1, 2)]) == 0


def test_a_circle_leads_back() -> None:
    layout = place([(50, 20)] * 3, [(0, 1), (1, 2), (2, 0), (1, 1)])
    check(layout)
    assert layout.spots[0].x < layout.spots[1].x < layout.spots[2].x
    back = layout.lines[2, 0]
    assert back[0][0] > back[-1][0]
    assert (1, 1) not in layout.lines


def test_a_long_line_passes_no_box() -> None:
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    layout = place([(80, 60)] * 4, edges)
    check(layout)
    for x, y in layout.lines[0, 3][1:-1]:
        for spot in layout.spots[1:3]:
            within = spot.x <= x <= spot.x + spot.width
            assert not (within and spot.y < y < spot.y + spot.height)


@pytest.mark.parametrize("seed", range(6))
def test_no_graph_makes_boxes_overlap(seed: int) -> None:
    chance = random.Random(seed)
    count = 40
    sizes = [(chance.uniform(40, 240), chance.uniform(20, 200)) for _ in range(count)]
    edges = [(chance.randrange(count), chance.randrange(count)) for _ in range(20 + 15 * seed)]
    layout = place(sizes, edges)
    check(layout)
    assert layout.lines.keys() == {(a, b) for a, b in edges if a != b}
    assert place(sizes, edges) == layout


def test_nothing_is_no_picture() -> None:
    assert place([], []) == Layout()
