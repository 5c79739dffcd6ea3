"""Placing boxes in columns from left to right, with few crossings and none over another.

After Sugiyama, Tagawa, Toda (1981): edges that close a circle are turned round, each box gets a
column, long edges get a free place in every column that they pass, the order within columns
follows the neighbours' mean, and heights are the best that this order allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

#: Pixels between columns, between boxes of a column, and between parts that do not hang together.
COLUMN_GAP, ROW_GAP, PART_GAP = 56.0, 16.0, 26.0
_LANE = 6.0
_ORDERINGS = 12
_SETTLINGS = 10
_WORK = 20_000
# A long edge is rather straight than short.
_STRAIGHT = 4.0

Edge = tuple[int, int]


@dataclass(frozen=True)
class Spot:
    """Where a box is: its left upper corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Layout:
    """Spots by number; for each edge the points that it passes, from its start to its end."""

    spots: list[Spot] = field(default_factory=list)
    lines: dict[Edge, list[tuple[float, float]]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


def place(sizes: Sequence[tuple[float, float]], edges: Iterable[Edge]) -> Layout:
    """Place boxes of these sizes (width, height; pixels). Edges from a box to itself are left out.

    The same input gives the same picture; boxes that come first are further up where it is free.
    """
    links = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1]]
    layout = Layout(spots=[Spot(0.0, 0.0, *size) for size in sizes])
    top = 0.0
    for part in _parts(len(sizes), links):
        inside = set(part)
        drawn = _Part(sizes, part, [edge for edge in links if edge[0] in inside])
        drawn.place(layout, top)
        top = layout.height + PART_GAP
    return layout


def crossings(edges: Iterable[tuple[float, float]]) -> int:
    """Count how often straight lines from a place on the left to one on the right cross."""
    rights = [right for _, right in sorted(edges)]
    places = {right: n for n, right in enumerate(sorted(set(rights)), 1)}
    tree = [0] * (len(places) + 1)
    count = 0
    for met, right in enumerate(rights):
        at, below = places[right], 0
        while at:
            below += tree[at]
            at -= at & -at
        count += met - below
        at = places[right]
        while at < len(tree):
            tree[at] += 1
            at += at & -at
    return count


def _parts(count: int, edges: Sequence[Edge]) -> list[list[int]]:
    """Return what hangs together, by its first box."""
    head = list(range(count))

    def of(n: int) -> int:
        while head[n] != n:
            head[n] = head[head[n]]
            n = head[n]
        return n

    for start, end in edges:
        first, second = sorted((of(start), of(end)))
        head[second] = first
    parts: dict[int, list[int]] = {}
    for n in range(count):
        parts.setdefault(of(n), []).append(n)
    return list(parts.values())


class _Part:
    """Boxes that hang together. Numbers from `self.real` on are places that long edges pass."""

    def __init__(
        self, sizes: Sequence[tuple[float, float]], boxes: list[int], edges: list[Edge]
    ) -> None:
        self.boxes = boxes
        self.edges = edges
        self.real = len(boxes)
        self.heights = [sizes[n][1] for n in boxes]
        self.widths = [sizes[n][0] for n in boxes]
        number = {n: i for i, n in enumerate(boxes)}
        self.directed = self.forward([(number[a], number[b]) for a, b in edges])
        self.rank = self.ranked()
        self.chains: list[list[int]] = []
        self.links: list[Edge] = []
        for start, end in self.directed:
            self.chain(start, end)
        self.columns: list[list[int]] = [[] for _ in range(max(self.rank) + 1)]
        self.after: list[list[int]] = [[] for _ in self.rank]
        self.before: list[list[int]] = [[] for _ in self.rank]
        for start, end in self.links:
            self.after[start].append(end)
            self.before[end].append(start)

    def forward(self, edges: list[Edge]) -> list[Edge]:
        """Return the edges, those that lead back turned round."""
        after: list[list[int]] = [[] for _ in range(self.real)]
        incoming = [0] * self.real
        for start, end in edges:
            after[start].append(end)
            incoming[end] += 1
        state = [0] * self.real
        back: set[Edge] = set()
        for first in sorted(range(self.real), key=lambda n: (incoming[n] > 0, n)):
            if state[first]:
                continue
            state[first] = 1
            stack = [(first, iter(after[first]))]
            while stack:
                at, following = stack[-1]
                for end in following:
                    if state[end] == 1:
                        back.add((at, end))
                    elif state[end] == 0:
                        state[end] = 1
                        stack.append((end, iter(after[end])))
                        break
                else:
                    state[at] = 2
                    stack.pop()
        return [(b, a) if (a, b) in back else (a, b) for a, b in edges]

    def ranked(self) -> list[int]:
        """Return columns: each box right of all before it, near to what follows."""
        after: list[list[int]] = [[] for _ in range(self.real)]
        waiting = [0] * self.real
        for start, end in self.directed:
            after[start].append(end)
            waiting[end] += 1
        rank = [0] * self.real
        order = [n for n in range(self.real) if not waiting[n]]
        for at in order:
            for end in after[at]:
                rank[end] = max(rank[end], rank[at] + 1)
                waiting[end] -= 1
                if not waiting[end]:
                    order.append(end)
        incoming = {end for _, end in self.directed}
        for at in reversed(order):
            if at not in incoming and after[at]:
                rank[at] = min(rank[end] for end in after[at]) - 1
        lowest = min(rank)
        return [one - lowest for one in rank]

    def chain(self, start: int, end: int) -> None:
        chain = [start]
        for rank in range(self.rank[start] + 1, self.rank[end]):
            self.rank.append(rank)
            self.heights.append(_LANE)
            self.widths.append(0.0)
            chain.append(len(self.rank) - 1)
        chain.append(end)
        self.chains.append(chain)
        self.links += list(pairwise(chain))

    def order(self) -> None:
        """Set the order within columns by which the fewest lines cross."""
        seen: set[int] = set()
        incoming = {end for _, end in self.links}
        for first in sorted(range(len(self.rank)), key=lambda n: (n in incoming, n)):
            stack = [first]
            while stack:
                at = stack.pop()
                if at in seen:
                    continue
                seen.add(at)
                self.columns[self.rank[at]].append(at)
                stack += reversed(self.after[at])
        best, fewest = [list(column) for column in self.columns], self.crossed()
        for sweep in range(self.turns(_ORDERINGS)):
            if not fewest:
                break
            down = sweep % 2 == 0
            columns = self.columns if down else self.columns[::-1]
            for last, column in pairwise(columns):
                self.sort(column, last, self.before if down else self.after)
            crossed = self.crossed()
            if crossed < fewest:
                best, fewest = [list(column) for column in self.columns], crossed
        self.columns = best

    def turns(self, most: int) -> int:
        """Return how often to try: a tangle of thousands of lines is none the clearer for it."""
        return max(2, min(most, _WORK // len(self.rank)))

    def sort(self, column: list[int], last: list[int], neighbours: list[list[int]]) -> None:
        """Order a column by its neighbours in the one that was ordered last."""
        place = _places(last) | {n: at for n, at in _places(column).items() if not neighbours[n]}
        wanted = {
            n: sum(place[o] for o in neighbours[n]) / len(neighbours[n])
            if neighbours[n]
            else place[n]
            for n in column
        }
        column.sort(key=lambda n: wanted[n])

    def crossed(self) -> int:
        place: dict[int, float] = {}
        for column in self.columns:
            place |= _places(column)
        gaps: dict[int, list[tuple[float, float]]] = {}
        for start, end in self.links:
            gaps.setdefault(self.rank[start], []).append((place[start], place[end]))
        return sum(crossings(gap) for gap in gaps.values())

    def settle(self) -> list[float]:
        """Return the middles' heights."""
        middle = [0.0] * len(self.rank)
        for column in self.columns:
            for n, offset in zip(column, self.offsets(column), strict=True):
                middle[n] = offset
        turns = self.turns(_SETTLINGS)
        for turn in range(turns):
            down = turn % 2 == 0
            for column in self.columns if down else self.columns[::-1]:
                wanted, weights = [], []
                for n in column:
                    near = self.before[n] if down else self.after[n]
                    # In the last turns both sides count, that a box stands between them.
                    if turn >= turns - 4 or not near:
                        near = [*self.before[n], *self.after[n]]
                    wanted.append(sum(middle[o] for o in near) / len(near) if near else middle[n])
                    weights.append(_STRAIGHT if n >= self.real else 1.0)
                for n, at in zip(
                    column, _apart(wanted, weights, self.offsets(column)), strict=True
                ):
                    middle[n] = at
        return middle

    def offsets(self, column: list[int]) -> list[float]:
        """Return the middles' heights when all stand as close as they may."""
        found, bottom = [], 0.0
        for n in column:
            found.append(bottom + self.heights[n] / 2)
            bottom += self.heights[n] + ROW_GAP
        return found

    def place(self, layout: Layout, top: float) -> None:
        """Add this part to the layout, from the height `top` on."""
        self.order()
        middle = self.settle()
        highest = min(at - self.heights[n] / 2 for n, at in enumerate(middle))
        middle = [at - highest + top for at in middle]
        widths = [max(self.widths[n] for n in column) for column in self.columns]
        lefts, left = [], 0.0
        for width in widths:
            lefts.append(left)
            left += width + COLUMN_GAP
        layout.width = max(layout.width, left - COLUMN_GAP)
        for i, n in enumerate(self.boxes):
            y = middle[i] - self.heights[i] / 2
            layout.spots[n] = Spot(lefts[self.rank[i]], y, self.widths[i], self.heights[i])
        layout.height = max(at + self.heights[n] / 2 for n, at in enumerate(middle))
        for edge, chain in zip(self.edges, self.chains, strict=True):
            points: list[tuple[float, float]] = []
            for n in chain:
                left = lefts[self.rank[n]]
                if n != chain[0]:
                    points.append((left, middle[n]))
                if n != chain[-1]:
                    # A line turns between the columns, never beside a narrow box of one.
                    rights = [left + self.widths[n]] if n < self.real else []
                    points += [(x, middle[n]) for x in (*rights, left + widths[self.rank[n]])]
            turned = self.boxes[chain[0]] != edge[0]
            layout.lines[edge] = points[::-1] if turned else points


def _places(column: Sequence[int]) -> dict[int, float]:
    """Return where each stands in its column, from 0 to 1."""
    return {n: (i + 0.5) / len(column) for i, n in enumerate(column)}


def _apart(wanted: list[float], weights: list[float], offsets: list[float]) -> list[float]:
    """Return the places nearest to what is wanted that keep the order and the distances.

    Least squares under an order: neighbours that would be too close become one block.
    """
    blocks: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, mass, number = blocks.pop()
            mean = (mean * total + other * mass) / (total + mass)
            total, count = total + mass, count + number
        blocks.append((mean, total, count))
    found = [mean for mean, _, count in blocks for _ in range(count)]
    return [at + offset for at, offset in zip(found, offsets, strict=True)]
