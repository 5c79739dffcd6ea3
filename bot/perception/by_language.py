"""Mappings in designers' files whose keys are languages."""

from __future__ import annotations

import re

from bot.settings.nodes import Broken, Entry, Table, is_null
from bot.settings.validate import Validator, kind_of

#: A language as files name it: ISO 639-1.
LANGUAGE = re.compile(r"[a-z]{2}")


class ByLanguage(Validator):
    """Checks a file with such mappings."""

    def languages(self, entry: Entry | None, path: str) -> list[tuple[str, Entry]]:
        """Return the entries of a mapping whose keys are languages."""
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return []
        if not isinstance(entry.node, Table):
            what = f"{path} is {kind_of(entry.node)}"
            self.tell(entry.origin, what, "should be a mapping by language, as in 'en: …'")
            return []
        good = []
        for code, value in entry.node.entries.items():
            if LANGUAGE.fullmatch(code):
                good.append((code, value))
            else:
                right = "should be two letters, as in 'en'"
                self.tell(value.origin, f"{path} has a key that is no language code", right)
        return good
