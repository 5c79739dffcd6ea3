"""Why something was not imported. Texts name no customer and hold no customer's words."""

from __future__ import annotations


class ImportFailed(Exception):
    """A source gives no article; the text says why, and what would be right."""


class TooBig(ImportFailed):
    """A source, or what it unpacks to, is larger than is read."""


class Unreadable(ImportFailed):
    """A source is not of the kind its name says, or is broken."""


class Encrypted(ImportFailed):
    """A PDF asks for a password."""


class NoText(ImportFailed):
    """A source holds no words: a scan, an empty page."""


class ForbiddenXml(ImportFailed):
    """An XML file declares a document type: entities may unpack without bound, or read files."""


class OutsideFolder(ImportFailed):
    """A name leads out of the folder that is imported."""
