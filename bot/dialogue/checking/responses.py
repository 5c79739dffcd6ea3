"""What is wrong with responses: nothing said, buttons that lead nowhere, unfilled variables."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from bot.dialogue.checking import names
from bot.dialogue.checking.code import Code
from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, lacking, near
from bot.dialogue.checking.reading import Map, Node, Seq, Text, text_of
from bot.dialogue.checking.shapes import found

# As Rasa fills them in, rasa/core/nlg/interpolator.py
_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}")
_FILLED = re.compile(r"\{([^\n{}]+?)\}")
_PAYLOAD = re.compile(r"/(?P<intent>[^{@\s]+)\s*(?P<json>\{.*\})?\s*", re.DOTALL)


def check_responses(
    domain: Domain, code: Code, channels: Collection[str], findings: Findings
) -> None:
    """Check every variation of every response."""
    for name, variations in domain.variations.items():
        check = _Check(name, domain, code, channels, findings)
        for variation in variations:
            check.variation(variation)
        if variations and all(v.get("channel") for v in variations):
            what = f"{name} says something on some channels alone"
            right = "add a variation without 'channel:' for the others"
            findings.warn(domain.responses[name], "channel", what, right)


class _Check:
    def __init__(
        self,
        name: str,
        domain: Domain,
        code: Code,
        channels: Collection[str],
        findings: Findings,
    ) -> None:
        self.name = name
        self.domain = domain
        self.code = code
        self.channels = channels
        self.findings = findings

    def variation(self, one: Map) -> None:
        for key, pair in one.pairs.items():
            if key not in names.RESPONSE_KEYS:
                what = f"response {self.name} has the unknown key {key}"
                self.findings.error(pair.at, "key", what, near(key, names.RESPONSE_KEYS))
        self.text(one)
        channel = one.get("channel")
        if isinstance(channel, Text) and channel.value not in self.channels:
            what = f"response {self.name} is for the unknown channel {text_of(channel)}"
            self.findings.error(channel.at, "channel", what, near(text_of(channel), self.channels))
        for key in ("buttons", "quick_replies"):
            node = one.get(key)
            if node is not None and not isinstance(node, Seq):
                self.findings.error(node.at, "button", f"{key} of {self.name} are no list")
            elif isinstance(node, Seq):
                if not one.get("text"):
                    what = f"response {self.name} has {key} and no text"
                    self.findings.error(node.at, "response", what, "add 'text:'")
                for item in node.items:
                    self.button(item)
        for node in (one.get("custom"), one.get("elements"), one.get("attachment")):
            self.payloads(node)
        self.conditions(one.get("condition"))
        self.variables(one)

    def text(self, one: Map) -> None:
        for key in ("text", "image"):
            pair = one.pairs.get(key)
            if pair is None:
                continue
            if not isinstance(pair.value, Text):
                what = f"{key} of response {self.name} is no text"
                self.findings.error(pair.at, "response", what, "put it in quotes")
            elif pair.value.null or not pair.value.value.strip():
                what = f"{key} of response {self.name} is empty"
                self.findings.error(pair.at, "response", what, "say something or take it out")
            elif pair.value.kind != "str":
                what = f"{key} of response {self.name} is {found(pair.value)}, no text"
                self.findings.error(pair.at, "response", what, "put it in quotes")
        if not any(key in one.pairs for key in names.RESPONSE_CONTENT):
            what = f"a variation of response {self.name} has no text"
            self.findings.error(one.at, "response", what, "add '- text: \"…\"'")

    def button(self, item: Node) -> None:
        if not isinstance(item, Map):
            what, right = f"a button of {self.name} is no mapping", "give it a title and a payload"
            self.findings.error(item.at, "button", what, right)
            return
        for key, pair in item.pairs.items():
            if key not in names.BUTTON_KEYS:
                what = f"a button of {self.name} has the unknown key {key}"
                self.findings.error(pair.at, "key", what, near(key, names.BUTTON_KEYS))
        if not item.get("title"):
            self.findings.error(item.at, "button", f"a button of {self.name} has no title")
        if not item.get("payload") and not item.get("url"):
            what = f"a button of {self.name} has neither payload nor url"
            self.findings.error(item.at, "button", what, "as in 'payload: /intent'")
        self.payloads(item)

    def payloads(self, node: Node | None) -> None:
        if isinstance(node, Seq):
            for item in node.items:
                self.payloads(item)
        elif isinstance(node, Map):
            for key, pair in node.pairs.items():
                if key == "payload" and text_of(pair.value).startswith("/"):
                    self.payload(text_of(pair.value), pair.value)
                elif not isinstance(pair.value, Text):
                    self.payloads(pair.value)

    def payload(self, said: str, node: Node) -> None:
        match = _PAYLOAD.fullmatch(said)
        if match is None:
            what = f"a button of {self.name} has a payload that is no command"
            self.findings.error(node.at, "payload", what, 'should be /intent{"entity": "value"}')
            return
        intent = match["intent"]
        if not self.domain.known_intent(intent) and not _VARIABLE.search(said.split('"')[0]):
            what = f"a button of {self.name} says /{intent}, which is no intent"
            self.findings.error(
                node.at, "payload", what, lacking(intent, self.domain.intents, "intents")
            )
        if not match["json"]:
            return
        try:
            values = json.loads(_VARIABLE.sub("0", match["json"]))
        except ValueError:
            what = f"a button of {self.name} has entities that are no JSON"
            self.findings.error(node.at, "payload", what, 'should be /intent{"entity": "value"}')
            return
        for entity in values:
            if entity not in self.domain.entities:
                what = f"a button of {self.name} sets {entity}, which is no entity"
                self.findings.error(
                    node.at, "payload", what, lacking(entity, self.domain.entities, "entities")
                )

    def conditions(self, node: Node | None) -> None:
        for item in node.items if isinstance(node, Seq) else ():
            if not isinstance(item, Map):
                self.findings.error(
                    item.at, "response", f"a condition of {self.name} is no mapping"
                )
                continue
            for key, pair in item.pairs.items():
                if key not in names.CONDITION_KEYS:
                    what = f"a condition of {self.name} has the unknown key {key}"
                    self.findings.error(pair.at, "key", what, near(key, names.CONDITION_KEYS))
            slot = text_of(item.get("name"))
            if slot not in self.domain.slots and slot not in names.SLOTS:
                what = f"a condition of {self.name} is about {slot or 'nothing'}, which is no slot"
                self.findings.error(
                    item.at, "unknown slot", what, lacking(slot, self.domain.slots, "slots")
                )

    def variables(self, one: Map) -> None:
        known = {*self.domain.slots, *self.code.keywords, *self.code.words}
        for key, pair in one.pairs.items():
            if key in ("channel", "condition", "metadata", "id"):
                continue
            for text in _texts(pair.value):
                self.braces(text)
                for name in _VARIABLE.findall(text.value):
                    if name not in known and self.code.there:
                        at = next((p for line, p in text.lines() if f"{{{name}}}" in line), text.at)
                        what = f"response {self.name} has {{{name}}}, which nothing fills in"
                        right = near(name, self.domain.slots).replace("known:", "slots:")
                        right = right or "should be the name of a slot"
                        self.findings.warn(at, "variable", what, right)

    def braces(self, text: Text) -> None:
        """Tell of braces that end the turn in which Rasa would say them, or show all slots."""
        said = text.value
        if "{" not in said and "}" not in said:
            return
        try:
            filled = _FILLED.sub(r"{0[\1]}", said).format(_Anything())
            if "0[" in filled:
                said.format({})
            right = "{}" not in said.replace("{{}}", "")
        except (ValueError, IndexError, KeyError):
            right = False
        if not right:
            what = f"response {self.name} has a {{ or }} that belongs to no {{variable}}"
            self.findings.error(text.at, "variable", what, "write {{ or }} for one that is seen")


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _texts(node: Node) -> Iterator[Text]:
    if isinstance(node, Text):
        if not node.value.startswith("/"):
            yield node
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _texts(item)
    else:
        for pair in node.pairs.values():
            yield from _texts(pair.value)
