"""Messages that the providers have approved, for agents to send when the window is closed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.message import Template, clean

#: Where a parameter goes, ``{1}`` the first.
PLACE = re.compile(r"\{([0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Approved:
    """A template of one channel, as the provider knows it.

    `language` is the provider's code. `text` is what it says, with ``{1}`` where the first
    parameter goes; `parameters` tell agents what belongs there.
    """

    name: str
    channel: str
    language: str
    category: Literal["utility", "marketing", "authentication"]
    text: str
    parameters: tuple[str, ...] = ()

    def filled(self, parameters: Sequence[str]) -> Template:
        """Return the message. Raises ValueError, in words for the agent, for wrong parameters."""
        # WhatsApp takes no line breaks, tabs or rows of spaces in them (error 132018).
        given = tuple(" ".join(clean(str(p)).split()) for p in parameters)
        if len(given) != len(self.parameters):
            wanted = ", ".join(self.parameters) or "nothing"
            raise ValueError(f"The template {self.name} wants {wanted}.")
        for name, value in zip(self.parameters, given, strict=True):
            if not value:
                raise ValueError(f"The template {self.name} lacks {name}.")
        text = PLACE.sub(lambda found: given[int(found[1]) - 1], self.text)
        return Template(self.name, self.language, given, category=self.category, text=text)


def chosen(
    templates: Sequence[Approved], name: str, channel: str, language: str
) -> Approved | None:
    """Return the template of a name on a channel, in `language` if there is one in it."""
    found = [t for t in templates if t.name == name and t.channel == channel]
    spoken = language.split("-")[0].split("_")[0].lower()
    for template in found:
        if spoken and template.language.split("_")[0].lower() == spoken:
            return template
    return found[0] if found else None
