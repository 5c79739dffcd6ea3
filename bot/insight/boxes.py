"""Nodes of the graph as the boxes of a picture, those that are alike made one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from bot.insight.designed import Designed
from bot.insight.flow import BACK, BUTTON, FORM, INTENT, THEN, WORDS

#: Kinds of boxes that are the customer's.
CUSTOMERS = (INTENT, WORDS)


@dataclass
class Box:
    """A point of the picture. `names` are alternatives.

    `opens` says that it stands for another beginning, drawn elsewhere; `focus` are the names that
    were asked for; `before` and `after` count what is not in the picture.
    """

    kind: str
    names: tuple[str, ...]
    details: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    root: bool = False
    opens: bool = False
    focus: frozenset[str] = frozenset()
    before: int = 0
    after: int = 0
    told: frozenset[int] = frozenset()


@dataclass
class Picture:
    """Boxes, edges between them with their kind and what tells them, and notes for people."""

    boxes: list[Box] = field(default_factory=list)
    edges: dict[tuple[int, int], tuple[str, frozenset[int]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Cut:
    """The chosen nodes of the graph as boxes.

    Edges that are not `wanted` are counted, not drawn. `centres` are nodes that were asked for,
    by the names in `focus`; only what is `ahead` of them shows what its buttons say (None: all do).
    """

    def __init__(
        self,
        designed: Designed,
        chosen: Iterable[int],
        wanted: Callable[[tuple[int, int]], bool],
        focus: frozenset[str] = frozenset(),
        centres: frozenset[int] = frozenset(),
        ahead: frozenset[int] | None = None,
    ) -> None:
        self.designed = designed
        flow = self.flow = designed.flow
        self.boxes: dict[int, Box] = {}
        self.edges: dict[tuple[int, int], tuple[str, frozenset[int]]] = {}
        self.after: dict[int, list[tuple[int, str]]] = {}
        self.before: dict[int, list[tuple[int, str]]] = {}
        self.number: dict[int, int] = {}
        self.focused = bool(focus)
        for n in sorted(chosen):
            node = flow.nodes[n]
            names, details = node.names, node.details
            marked = focus & set(names) if n in centres else frozenset()
            if marked and len(names) > 1:
                names, details = tuple(marked), (*details, "as one of several")
            self.number[n] = self.add(
                Box(
                    node.kind,
                    names,
                    details,
                    tuple(node.buttons),
                    root=node.root,
                    focus=frozenset(marked),
                    told=frozenset(node.told),
                )
            )
        for n, box in list(self.number.items()):
            for other in flow.after.get(n, ()):
                kind, told = flow.edges[n, other]
                if other in self.number and (kind == BUTTON or wanted((n, other))):
                    self.link(box, self.number[other], kind, frozenset(told))
                elif kind == BUTTON and (ahead is None or n in ahead):
                    self.link(box, self.add(self.opening(n, other)), BUTTON)
                else:
                    self.boxes[box].after += 1
            self.boxes[box].before = sum(
                1
                for other in flow.before.get(n, ())
                if other not in self.number
                or not (flow.edges[other, n][0] == BUTTON or wanted((other, n)))
            )

    def opening(self, response: int, intent: int) -> Box:
        """Return what stands for an intent that buttons say and that is not in the picture."""
        names = self.flow.nodes[intent].names
        pressed = [
            button
            for response_name in self.flow.nodes[response].names
            for button in self.designed.buttons.get(response_name, ())
            if button.intent in names
        ]
        titles: dict[str, str] = {}
        for button in pressed:
            titles.setdefault(button.intent, button.title)
        return Box(INTENT, tuple(titles), buttons=tuple(titles.values()), opens=True)

    def add(self, box: Box) -> int:
        """Add a box and return its number."""
        number = len(self.boxes)
        self.boxes[number] = box
        return number

    def link(self, start: int, end: int, kind: str, told: frozenset[int] = frozenset()) -> None:
        """Add an edge between two boxes, or one more that tells of it."""
        before = self.edges.get((start, end), (kind, frozenset()))
        self.edges[start, end] = (kind if before[0] != THEN else THEN, before[1] | told)

    def picture(self) -> Picture:
        """Make one of what is alike, and return the boxes that are left."""
        merged = True
        while merged:
            merged = self.merge(self.alike, lambda box: True)
            merged = self.merge(self.either, lambda box: box.kind in CUSTOMERS) or merged
        order = {n: i for i, n in enumerate(self.boxes)}
        edges = {(order[a], order[b]): how for (a, b), how in self.edges.items()}
        return Picture(list(self.boxes.values()), edges)

    def alike(self, n: int) -> Hashable:
        """Two of the same after which the same follows are one."""
        box = self.boxes[n]
        names: Hashable = () if box.kind == BACK else box.names
        if box.kind == FORM and self.focused and not box.focus and not self.before.get(n):
            # Forms in which a thing may be said, as seen from it.
            names = ()
        same = (box.kind, names, box.details, box.buttons, box.opens, self.goes_on(box))
        return *same, frozenset(map(self.shape, self.after.get(n, ()))), n if box.opens else 0

    def shape(self, following: tuple[int, str]) -> Hashable:
        """Return what follows; buttons that lead out of the picture are the same with each."""
        box = self.boxes[following[0]]
        return (box.names, box.buttons) if box.opens else following

    def goes_on(self, box: Box) -> bool:
        """Tell whether boxes differ by what they lead to beyond the picture.

        Seen from a thing, it matters less what else its neighbours lead to.
        """
        return bool(box.after) and not self.focused

    def either(self, n: int) -> Hashable:
        """Customers' words that come from and lead to the same are alternatives."""
        box = self.boxes[n]
        before = frozenset(self.before.get(n, ()))
        if box.opens:
            return before
        same = (box.kind, box.details, box.root, box.buttons, bool(box.focus), self.goes_on(box))
        return *same, before, frozenset(self.after.get(n, ()))

    def merge(self, key: Callable[[int], Hashable], wanted: Callable[[Box], bool]) -> bool:
        """Make one box of those `wanted` that have the same key; tell whether there were any."""
        self.after, self.before = {}, {}
        for (start, end), (kind, _) in self.edges.items():
            self.after.setdefault(start, []).append((end, kind))
            self.before.setdefault(end, []).append((start, kind))
        groups: dict[Hashable, list[int]] = {}
        for n, box in self.boxes.items():
            if wanted(box):
                groups.setdefault(key(n), []).append(n)
        into = {n: group[0] for group in groups.values() for n in group[1:]}
        if not into:
            return False
        for n, first in into.items():
            self.boxes[first] = _joined(self.boxes[first], self.boxes.pop(n))
        edges, self.edges = self.edges, {}
        for (start, end), (kind, told) in edges.items():
            self.link(into.get(start, start), into.get(end, end), kind, told)
        return True


def _joined(kept: Box, gone: Box) -> Box:
    names, buttons = _once(kept.names, gone.names), kept.buttons
    if kept.opens:
        # A title stands beside each name.
        pairs = dict(zip((*kept.names, *gone.names), (*kept.buttons, *gone.buttons), strict=True))
        names, buttons = tuple(pairs), tuple(pairs.values())
    return Box(
        kept.kind,
        names,
        kept.details,
        buttons,
        root=kept.root,
        opens=kept.opens,
        focus=kept.focus | gone.focus,
        before=max(kept.before, gone.before),
        after=max(kept.after, gone.after),
        told=kept.told | gone.told,
    )


def _once(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
