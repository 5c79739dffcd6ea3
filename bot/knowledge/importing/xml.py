"""XML that strangers wrote, read without the ways it has of doing harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from bot.knowledge.importing.errors import ForbiddenXml, TooBig, Unreadable

_DEEPEST = 100

Start = Callable[[str, "dict[str, str]"], Any]
End = Callable[[str], Any]


def read_xml(data: bytes, name: str, start: Start, end: End, text: Callable[[str], Any]) -> None:
    """Call `start`, `end` and `text` for the elements of a document, names with namespace.

    Raises ForbiddenXml for any document type (it is what entities are declared in), TooBig
    for deep nesting, Unreadable for what is not well-formed; the text names the line.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def forbid(*_: Any) -> Any:
        raise ForbiddenXml(
            f"{name}:{parser.CurrentLineNumber}: declares a document type or an entity; "
            "files without <!DOCTYPE are read"
        )

    def began(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise TooBig(f"{name}: elements are nested more than {_DEEPEST} deep")
        start(tag, attributes)

    def ended(tag: str) -> None:
        nonlocal depth
        depth -= 1
        end(tag)

    parser.StartDoctypeDeclHandler = forbid
    parser.EntityDeclHandler = forbid
    parser.ExternalEntityRefHandler = forbid
    parser.StartElementHandler = began
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unreadable(
            f"{name}:{error.lineno}: is not well-formed XML ({expat.ErrorString(error.code)})"
        ) from error
    except (LookupError, ValueError) as error:
        raise Unreadable(f"{name}: its encoding cannot be read") from error


def refuse_document_types(data: bytes, name: str) -> None:
    """Raise ForbiddenXml when an XML document declares a document type. See `read_xml`."""
    read_xml(data, name, lambda *_: None, lambda _: None, lambda _: None)
