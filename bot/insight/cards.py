"""What stands in the boxes of a picture: names, a line of what is said, and where more is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.dialogue.checking.reading import Map, text_of
from bot.insight.boxes import Box, Picture
from bot.insight.designed import Designed, asked_by
from bot.insight.drawing import Card, Line, Row, draw
from bot.insight.flow import (
    ACTION,
    BACK,
    BUTTON,
    CHECKPOINT,
    DONE,
    FORM,
    INTENT,
    LEAVE,
    RESPONSE,
    SAYS,
)
from bot.insight.topics import Topic

#: So many alternatives stand in a box.
_MOST_ROWS = 14
# Of the ways from topic to topic; more of them are no picture.
_MOST_LEADS = 100
_MARK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
_BEHIND = {BUTTON: "a button", SAYS: "said by the code or form"}


def svg_of(picture: Picture, designed: Designed, show: str, label: str) -> str:
    """Return a picture as SVG; `show` is its address, as in ``intent:greet``."""
    lines = [
        Line(start, end, kind, _why(kind, told, designed))
        for (start, end), (kind, told) in picture.edges.items()
    ]
    return draw([_Writer(designed, show).card(box) for box in picture.boxes], lines, show, label)


def svg_of_topics(topics: dict[str, Topic]) -> str:
    """Return which topic leads to which; those that hang together with none are left out,
    and of very many ways the least used."""
    strongest = sorted(
        (
            (count, name, other)
            for name, one in topics.items()
            for other, count in one.leads.items()
        ),
        key=lambda lead: (-lead[0], lead[1:]),
    )[:_MOST_LEADS]
    leads = {(name, other): count for count, name, other in strongest}
    linked = {name for pair in leads for name in pair}
    order = {name: n for n, name in enumerate(n for n in topics if n in linked)}
    cards = [
        Card(
            ("topic",),
            "topic",
            [Row(name, show=f"topic:{name}"), Row(counts(topics[name]), "text")],
        )
        for name in order
    ]
    lines = [
        Line(order[name], order[other], "then", f"{count} ways from {name} to {other}")
        for (name, other), count in leads.items()
    ]
    return draw(cards, lines, "", "Which topic leads to which") if cards else ""


def counts(topic: Topic) -> str:
    """Return how much there is of a topic, in words."""
    said = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in (
            (len(topic.intents), "intent", "intents"),
            (topic.rules, "rule", "rules"),
            (topic.stories, "story", "stories"),
        )
        if count
    ]
    return ", ".join(said)


def unmarked(example: str) -> str:
    """Return an example without the marks of its entities."""
    return _MARK.sub(r"\1", example)


def texts_of(variation: Map) -> str:
    """Return the words of a variation; of another kind of message, what it is."""
    text = text_of(variation.get("text"))
    if text:
        return text
    custom = variation.get("custom")
    if isinstance(custom, Map):
        said = text_of(custom.get("text")) or text_of(custom.get("caption"))
        kind = text_of(custom.get("type")) or text_of(custom.get("kind"))
        return f"({kind or 'custom'}) {said}".strip()
    return "(picture)" if variation.get("image") else ""


def _why(kind: str, told: frozenset[int], designed: Designed) -> str:
    if kind in _BEHIND:
        return _BEHIND[kind]
    named = [f"{designed.told[n].kind}: {designed.told[n].name}" for n in sorted(told)]
    more = [f"and {len(named) - 6} more"] if len(named) > 6 else []
    return "\n".join([*named[:6], *more])


class _Writer:
    def __init__(self, designed: Designed, show: str) -> None:
        self.designed = designed
        self.show = show
        self.domain = designed.domain

    def card(self, box: Box) -> Card:
        styles = [box.kind]
        if box.focus:
            styles.append("focus")
        if box.opens:
            styles.append("opens")
        card: Card = getattr(self, f"of_{box.kind}")(box)
        if any(not self.known(box.kind, name) for name in box.names):
            styles.append("unknown")
            card.kind += " · not in the domain"
        card.styles = tuple(styles)
        card.rows += self.more(box)
        return card

    def known(self, kind: str, name: str) -> bool:
        if kind == INTENT:
            return self.domain.known_intent(name) or " " in name
        if kind in (ACTION, RESPONSE):
            return self.domain.known_action(name) or " " in name
        return kind not in (FORM, BACK, LEAVE, DONE) or name in self.domain.forms

    def more(self, box: Box) -> Iterable[Row]:
        """Say what goes on beyond the picture, and lead there."""
        about = f"{box.kind}:{box.names[0]}" if box.names else ""
        if about == self.show or box.kind not in (INTENT, ACTION, RESPONSE, FORM, CHECKPOINT):
            return
        said = [
            f"{n} more {word}" for n, word in ((box.before, "before"), (box.after, "after")) if n
        ]
        if said:
            text = "… " + ", ".join(said)
            yield (
                Row(text, "more", show=about, title="Follow")
                if len(box.names) == 1
                else Row(text, "text")
            )

    def rows(self, box: Box, kind: str) -> list[Row]:
        shown = box.names
        if len(shown) > _MOST_ROWS:
            # Those that were asked for stay.
            shown = tuple(sorted(shown, key=lambda n: n not in box.focus)[: _MOST_ROWS - 1])
        rows = [
            Row(n, about=f"{kind}:{n}", title=self.title(kind, n), marked=n in box.focus)
            for n in shown
        ]
        if len(shown) < len(box.names):
            rest = [n for n in box.names if n not in shown]
            rows.append(Row(f"and {len(rest)} more", "text", title="\n".join(rest)))
        return rows

    def title(self, kind: str, name: str) -> str:
        if kind == INTENT:
            found = self.designed.nlu.examples.get(name, ())[:4]
            return "\n".join([name, *(f"“{unmarked(text)}”" for text, _ in found)])
        if kind == RESPONSE:
            said = [texts_of(one) for one in self.domain.variations.get(name, ())[:1]]
            return "\n".join([name, *said])
        return name

    def of_intent(self, box: Box) -> Card:
        if box.opens:
            card = Card((), "button" if len(box.names) == 1 else "buttons")
            for name, title in list(zip(box.names, box.buttons, strict=True))[:_MOST_ROWS]:
                row = Row(name, about=f"{INTENT}:{name}", title=self.title(INTENT, name))
                card.rows += [row, Row(f"“{title}”", "text")]
            return card
        card = Card((), "customer" if len(box.names) == 1 else "customer, one of")
        card.rows = self.rows(box, INTENT)
        if len(box.names) == 1 and box.root:
            examples = self.designed.nlu.examples.get(box.names[0])
            if examples:
                card.rows.append(Row(f"“{unmarked(examples[0][0])}”", "text"))
        if box.details:
            with_ = [one if " " in one else f"with {one}" for one in box.details]
            card.rows.append(Row(", ".join(with_), "text"))
        if box.buttons:
            titles = " ".join(f"“{title}”" for title in box.buttons[:2])
            rest = " …" if len(box.buttons) > 2 else ""
            card.rows.append(Row(f"button {titles}{rest}", "text"))
        return card

    def of_words(self, box: Box) -> Card:
        return Card((), "customer says", [Row(f"“{name}”", title=name) for name in box.names])

    def of_response(self, box: Box) -> Card:
        if len(box.names) > 1:
            return Card((), "may say", self.rows(box, RESPONSE))
        card = Card((), "bot says", self.rows(box, RESPONSE))
        variations = self.domain.variations.get(box.names[0])
        if variations:
            card.rows.append(Row(texts_of(variations[0]), "text", title=texts_of(variations[0])))
        return card

    def of_action(self, box: Box) -> Card:
        card = Card((), "code", self.rows(box, ACTION))
        says = self.designed.spoken.says.get(box.names[0], ())
        if says:
            word = "response" if len(says) == 1 else "responses"
            card.rows.append(Row(f"may say {len(says)} {word}", "text", title="\n".join(says)))
        return card

    def of_form(self, box: Box) -> Card:
        if len(box.names) > 1:
            return Card((), "within one of these forms", self.rows(box, FORM))
        card = Card((), "form, asks until it knows", self.rows(box, FORM))
        form = self.domain.forms.get(box.names[0])
        for slot, _ in form.slots if form else ():
            asked = asked_by(self.domain, box.names[0], slot)
            kind = RESPONSE if asked.startswith("utter_") else ACTION
            about = f"{kind}:{asked}" if asked else f"slot:{slot}"
            title = self.title(kind, asked) if asked else "nothing asks for it"
            card.rows.append(Row(f"↻ {slot}", "slot", about=about, title=title))
        return card

    def of_slots(self, box: Box) -> Card:
        rows = [Row(one, "text", about=f"slot:{box.names[0]}") for one in box.details]
        return Card((), "if" if len(rows) == 1 else "if one of", rows)

    def of_checkpoint(self, box: Box) -> Card:
        return Card((), "checkpoint", self.rows(box, CHECKPOINT))

    def of_start(self, box: Box) -> Card:
        return Card((), "", [Row("a conversation begins", "text")])

    def of_done(self, box: Box) -> Card:
        return Card((), "", [Row("all is known", "text", title=f"of {box.names[0]}")])

    def of_back(self, box: Box) -> Card:
        if len(box.names) > 1:
            return Card((), "", [Row("↩ back to the form", "text", title="\n".join(box.names))])
        return Card((), "", [self.chip(f"↩ back to {box.names[0]}", box.names[0])])

    def of_leave(self, box: Box) -> Card:
        return Card((), "", [self.chip(f"ends {n}", n) for n in box.names])

    def chip(self, text: str, form: str) -> Row:
        return Row(text, "text", about=f"{FORM}:{form}", title=form)
