"""Parts of the graph that one looks at: a topic, one rule or story, or what is around a thing."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from bot.insight.boxes import CUSTOMERS, Box, Cut, Picture
from bot.insight.designed import Designed, asked_by
from bot.insight.flow import ACTION, BUTTON, CHECKPOINT, FORM, INTENT, RESPONSE, SAYS
from bot.insight.topics import topics_of

#: A thing that is in more places than this is shown with what is next to it, not with all.
_MANY = 8
_NEAR = 2
#: So many points of the graph are gathered for one picture, before alike ones become one.
MOST = 150
#: What can be looked at, and the kinds of nodes that stand for it.
_KINDS = {
    "intent": (INTENT,),
    "response": (RESPONSE,),
    "action": (ACTION,),
    "form": (FORM,),
    "checkpoint": (CHECKPOINT,),
}


class Unknown(Exception):
    """There is nothing of this kind and name."""


def view(designed: Designed, kind: str, name: str) -> Picture:
    """Return what to look at for a topic, rule, story, intent, response, action, form, checkpoint.

    Raises Unknown for what is not in the files.
    """
    if kind == "topic":
        topics = topics_of(designed)
        if name not in topics:
            raise Unknown(f"there is no file of rules, stories or examples called {name}")
        told = topics[name].told
        return _of_told(designed, told) if told else _of_intents(designed, topics[name].intents)
    if kind in ("rule", "story"):
        told = [n for n, one in enumerate(designed.told) if (one.kind, one.name) == (kind, name)]
        if not told:
            raise Unknown(f"there is no {kind} of this name any more")
        return _of_told(designed, told)
    if kind not in _KINDS:
        raise Unknown(
            "only topics, rules, stories, intents, responses, actions and forms are shown"
        )
    return _around(designed, kind, name)


def _of_told(designed: Designed, told: Collection[int]) -> Picture:
    flow, wanted = designed.flow, set(told)
    steps: dict[int, list[int]] = {n: [] for n in told}
    for number, node in enumerate(flow.nodes):
        for n in node.told & wanted:
            steps[n].append(number)
    chosen: dict[int, None] = {}
    shown = 0
    for n in told:
        if shown and len(chosen) + len(steps[n]) > MOST:
            break
        chosen |= dict.fromkeys(steps[n][:MOST])
        shown += 1
    cut = Cut(designed, chosen, lambda edge: bool(flow.edges[edge][1] & wanted))
    picture = cut.picture()
    if shown < len(told):
        picture.notes.append(
            f"This is more than one picture holds: the first {shown} of {len(told)} rules and "
            "stories are shown. Look at one of the others, or at an intent, instead."
        )
    return picture


def _of_intents(designed: Designed, intents: Collection[str]) -> Picture:
    """Return what follows intents whose file has no rules."""
    starts = [n for name in intents for n in designed.flow.having((INTENT,), name)]
    starts = [n for n in starts if designed.flow.nodes[n].root]
    following = [other for n in starts for other in designed.flow.after.get(n, ())]
    cut = Cut(designed, dict.fromkeys([*starts, *following][:MOST]), lambda edge: True)
    known = {name for n in starts for name in designed.flow.nodes[n].names}
    for name in intents:
        if name not in known:
            cut.add(Box(INTENT, (name,), root=True))
    picture = cut.picture()
    picture.notes.append("The file has examples alone; rules for its intents are in other files.")
    return picture


def _around(designed: Designed, kind: str, name: str) -> Picture:
    flow = designed.flow
    centres = flow.having(_KINDS[kind], name)
    extra: list[tuple[Box, list[int], str]] = []
    domain = designed.domain
    if kind == "response":
        saying = [action for action, said in designed.spoken.says.items() if name in said]
        by = [n for action in saying for n in flow.having((ACTION,), action)]
        loose = [a for a in saying if not flow.having((ACTION,), a)]
        asking = [
            n
            for form, one in domain.forms.items()
            if any(asked_by(domain, form, slot) == name for slot, _ in one.slots)
            for n in flow.having((FORM,), form)
        ]
        known = name in domain.responses
        centre = Box(RESPONSE, (name,), focus=frozenset([name]))
        if by or asking or loose or (known and not centres):
            extra.append((centre, [*by, *asking], SAYS))
        return _gathered(designed, centres, name, [*by, *asking], extra, loose, known)
    known = name in {
        "intent": {*domain.intents, *designed.nlu.first},
        "action": {*domain.actions, *designed.spoken.at},
        "form": domain.forms,
    }.get(kind, ())
    if not centres and known:
        extra.append((Box(_KINDS[kind][0], (name,), focus=frozenset([name])), [], SAYS))
    return _gathered(designed, centres, name, [], extra, [], known)


def _gathered(
    designed: Designed,
    centres: list[int],
    name: str,
    sources: list[int],
    extra: list[tuple[Box, list[int], str]],
    loose: list[str],
    known: bool,
) -> Picture:
    if not centres and not extra and not known:
        raise Unknown(f"nothing is called {name}")
    chosen, ahead, left = _gather(designed, centres, sources)
    cut = Cut(
        designed, chosen, lambda edge: True, frozenset([name]), frozenset(centres), frozenset(ahead)
    )
    for box, before, kind in extra:
        number = cut.add(box)
        for n in before:
            if n in cut.number:
                cut.link(cut.number[n], number, kind)
        for action in loose:
            cut.link(cut.add(Box(ACTION, (action,))), number, kind)
    if len(designed.spoken.says.get(name, ())) and centres:
        says = cut.add(Box(RESPONSE, designed.spoken.says[name]))
        for n in centres:
            if n in cut.number:
                cut.link(cut.number[n], says, SAYS)
    picture = cut.picture()
    if left:
        picture.notes.append(
            f"{left} more steps are further away than this picture reaches; "
            "follow a box to see them."
        )
    if not centres and not sources and not loose:
        picture.notes.append("No rule or story has it, and no action is known to say it.")
    return picture


def _gather(
    designed: Designed, centres: list[int], sources: list[int]
) -> tuple[list[int], set[int], int]:
    """Return what comes before and after, which of it after, and how much was left out."""
    flow = designed.flow
    chosen = dict.fromkeys(centres)
    far = MOST if len(centres) + len(sources) <= _MANY else _NEAR
    todo: deque[tuple[int, bool, int]] = deque()
    for n in centres:
        todo += [(n, True, 0), (n, False, 0)]
    for n in sources:
        chosen.setdefault(n)
        todo.append((n, False, 1))
    seen: set[tuple[int, bool]] = set()
    left: set[int] = set()
    while todo:
        at, forward, distance = todo.popleft()
        if (at, forward) in seen or distance >= far:
            continue
        seen.add((at, forward))
        node = flow.nodes[at]
        for other in (flow.after if forward else flow.before).get(at, ()):
            kind = flow.edges[(at, other) if forward else (other, at)][0]
            if kind == BUTTON and (forward or distance):
                continue
            if other not in chosen and len(chosen) >= MOST:
                left.add(other)
                continue
            chosen.setdefault(other)
            # A form in which something may be said is where that happens, however it began.
            within = flow.nodes[other].kind == FORM and node.kind in CUSTOMERS and not forward
            if kind != BUTTON and not within:
                todo.append((other, forward, distance + 1))
    ahead = {n for n, forward in seen if forward}
    return list(chosen), ahead, len(left)
