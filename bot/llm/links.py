"""Links in what a model wrote: found however they are dressed up, and told from foreign ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from bot.llm.masking.surface import surface

_WEB = ("http", "https")
_SCHEMES = (
    "javascript|data|vbscript|tel|sms|smsto|mailto|callto|skype|whatsapp|viber|tg|file|blob|intent|"
    "market|facetime|geo|magnet|about|chrome|view-source|itms-services|ms-\\w+|fb-messenger|bitcoin"
)
_END = r"[^\s<>\"'\[\]{}|^`]"
_MARKDOWN = re.compile(
    r"!?\[(?P<label>(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,400})\]"
    r"\(\s{0,9}<?(?P<to>[^()\s>]{0,2000}(?:\([^()\s]{0,200}\)[^()\s>]{0,500}){0,3})[^()]{0,200}\)"
)
_REFERENCE = re.compile(r"^[ ]{0,3}\[[^\]\n]+\]:\s*<?(?P<to>\S+?)>?(?=\s|$)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"\b(?:href|src|action)\s*=\s*[\"']?(?P<to>[^\"'\s>]+)", re.IGNORECASE)
_ANY_SCHEME = re.compile(
    rf"(?<![\w])(?:(?:https?|hxxps?|ftp) ?: ?|[a-z][a-z0-9+.\-]{{1,20}}:)(?:[/\\] ?){{1,3}}{_END}+",
    re.IGNORECASE,
)
_NO_SLASHES = re.compile(rf"(?<![\w])(?:{_SCHEMES})\s?:(?!\s){_END}+", re.IGNORECASE)
_RELATIVE = re.compile(rf"(?<![\w:/\\])[/\\]{{2}}(?=[\w\-]+\.){_END}+")
_BARE = re.compile(
    rf"(?<![\w@.\-/])(?:{_END}{{1,60}}@)?(?:[\w\-]{{1,63}}\.){{1,6}}(?P<top>xn--[a-z0-9\-]+|"
    rf"[^\W\d_]{{2,24}})"
    rf"\.?(?![\w\-])(?::\d{{1,5}})?(?P<path>[/\\?#]{_END}*)?",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    rf"(?<![\w@.\-/])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{1,5}}|[/\\?#]){_END}*", re.IGNORECASE
)
_FILES = frozenset(
    re.findall(
        r"\w+", "pdf png jpg jpeg gif webp svg txt doc docx xls csv html json xml yml ogg mp3"
    )
)
# A sentence that begins without a space after the last one: "by post.It arrives".
_WORDS = frozenset(
    re.findall(
        r"\w+", "It In Is No To At So Be Do My Me As Am Us By If On Or We He An Es La Le De Si"
    )
)
_TRAILING = ".,;:!?)*_~…"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands from `start` to `end` (exclusive) of a text.

    `url` is where it leads, `scheme` "" when it has none, `host` in lower case and
    punycode, "" when there is none. `label` is what a Markdown link shows, else "".
    """

    text: str
    start: int
    end: int
    url: str
    scheme: str
    host: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A link that must not be sent, and why."""

    link: Link
    why: str


def links(text: str) -> list[Link]:
    """Return the links of a text, in order; mail addresses are links too."""
    seen = surface(text)
    out: list[Link] = []
    taken: list[tuple[int, int]] = []
    for start, end, target, label in _places(seen.text):
        if end <= start or any(s < end and start < e for s, e in taken):
            continue
        taken.append((start, end))
        begin, stop = seen.span(start, end)
        scheme, host = _parts(target)
        out.append(Link(text[begin:stop], begin, stop, target, scheme, host, label))
    return sorted(out, key=lambda link: link.start)


def foreign(text: str, sources: Sequence[str] = (), domains: Collection[str] = ()) -> list[Foreign]:
    """Return the links of `text` that neither stand in `sources` nor lead to `domains`.

    A domain covers itself and what is below it. Of the sources a page counts as it is
    written there, and its host alone; a page that only begins alike does not.
    """
    keys: set[str] = set()
    hosts: set[str] = set()
    for source in sources:
        for link in links(source):
            keys.add(_key(link))
            if link.scheme in ("", *_WEB):
                hosts.add(link.host)
    ours = {_host(domain) for domain in domains} - {""}
    out = []
    for link in links(text):
        why = _why(link, keys, hosts, ours, sources)
        if not why and link.label:
            # What is shown must not name another place than the one it leads to.
            named = {inner.host for inner in links(link.label)} - {link.host, ""}
            why = f"it shows {min(named)} and leads to {link.host}" if named else ""
        if why:
            out.append(Foreign(link, why))
    return out


def strip(text: str, sources: Sequence[str] = (), domains: Collection[str] = ()) -> str:
    """Return `text` without its foreign links; of a Markdown link the label stays."""
    for _ in range(8):
        found = foreign(text, sources, domains)
        if not found:
            return text
        parts, at = [], 0
        for bad in found:
            label = "" if links(bad.link.label) else bad.link.label
            # A space keeps what stood around the link from becoming another.
            parts += [text[at : bad.link.start], label or " "]
            at = bad.link.end
        text = re.sub(r"[ ]{2,}", " ", "".join([*parts, text[at:]])).strip()
    return re.sub(r"[^\w\s]", " ", text)


def _places(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end, target and label of all that may be a link, the surest first."""
    for match in _MARKDOWN.finditer(text):
        yield match.start(), match.end(), match["to"], match["label"]
    for pattern in (_REFERENCE, _ATTRIBUTE):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), match["to"], ""
    for pattern in (_ANY_SCHEME, _NO_SLASHES, _RELATIVE, _NUMERIC):
        for match in pattern.finditer(text):
            yield _trimmed(match)
    for match in _BARE.finditer(text):
        top, path = match["top"], match["path"]
        plain = not path and "@" not in match.group() and match.group()[:4].lower() != "www."
        if plain and (top.lower() in _FILES or top in _WORDS or (top.istitle() and len(top) > 6)):
            continue
        yield _trimmed(match)


def _trimmed(match: re.Match[str]) -> tuple[int, int, str, str]:
    found = match.group()
    kept = found.rstrip(_TRAILING)
    if "(" in kept and found[len(kept) : len(kept) + 1] == ")":
        kept += ")"
    return match.start(), match.start() + len(kept), kept, ""


def _parts(target: str) -> tuple[str, str]:
    """Return scheme and host of a link's target, as a browser would take them."""
    target = re.sub(r"\s", "", unquote(target)).replace("\\", "/")
    head = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):(?!\d{1,5}(?:/|$))", target)
    scheme = head.group(1).lower() if head else ""
    rest = target[head.end() :] if head else target
    if scheme == "mailto":
        return scheme, _host(rest.split("?")[0].rpartition("@")[2])
    if scheme and scheme not in _WEB and not rest.startswith("//"):
        return scheme, ""
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    if not scheme and "@" in authority and "/" not in target.strip("/"):
        scheme = "mailto"
    return scheme, _host(authority.rpartition("@")[2])


def _host(name: str) -> str:
    import idna

    name = re.sub(r":\d*$", "", name.strip()).strip(".").lower()
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return name


def _key(link: Link) -> str:
    """Return what is the same for links that lead to the same place."""
    target = re.sub(r"\s", "", link.url).replace("\\", "/")
    if link.scheme == "tel":
        return "tel:" + re.sub(r"\D", "", target)
    if link.scheme == "mailto":
        return "mailto:" + re.sub(r"^mailto:", "", target, flags=re.IGNORECASE).lower()
    if link.scheme not in ("", *_WEB):
        return target
    rest = re.sub(r"^[A-Za-z][A-Za-z0-9+.\-]*:", "", target) if link.scheme else target
    rest = rest.lstrip("/")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path = rest[len(authority) :].split("#")[0].rstrip("/")
    port = re.search(r":(\d+)$", authority)
    at = "@" if "@" in authority else ""
    return f"{at}{link.host}{port.group() if port else ''}{path}"


def _why(
    link: Link, keys: set[str], hosts: set[str], ours: set[str], sources: Sequence[str]
) -> str:
    key = _key(link)
    if link.scheme in ("javascript", "data", "vbscript", "file", "blob"):
        return f"{link.scheme}: is never sent"
    if key.startswith("@"):
        return "a name stands before its host"
    if key in keys:
        return ""
    if link.scheme == "tel":
        digits = key[4:].lstrip("0")
        known = len(digits) >= 6 and any(
            digits in re.sub(r"[^0-9]", "", surface(source).text) for source in sources
        )
        return "" if known else "the number is in no source"
    if link.scheme not in ("", "mailto", *_WEB):
        return f"{link.scheme}: is in no source"
    if not link.host:
        return "it leads nowhere that can be told"
    if link.scheme != "mailto" and re.search(r":(?!(?:80|443)$)\d+$", key.split("/")[0]):
        return "its port is in no source"
    if any(link.host == domain or link.host.endswith(f".{domain}") for domain in ours):
        return ""
    if link.scheme != "mailto" and link.host in hosts and key == link.host:
        return ""
    return f"{link.host} is no domain of ours and the link is in no source"
