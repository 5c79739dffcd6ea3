"""A web page as an article: its main content, none of what stands around it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bot.knowledge.importing.draft import Draft, day, one_line, tidy, title_of_name
from bot.knowledge.importing.errors import NoText, TooBig, Unreadable

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

#: Elements that are never an article's words.
_NEVER = (
    "script", "style", "noscript", "template", "nav", "footer", "aside", "form", "button",
    "iframe", "object", "embed", "svg", "canvas", "dialog", "select", "input", "textarea",
)  # fmt: skip
_ROLES = {"navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu"}
#: Marks of consent banners, as words of an id or class, and makers of them.
_CONSENT = re.compile(r"(cookie|consent|gdpr|privacy)", re.I)
_BANNER = re.compile(r"(banner|bar|notice|popup|modal|overlay|dialog|consent|layer)", re.I)
_MAKERS = re.compile(r"(onetrust|cookiebot|usercentrics|didomi|trustarc|osano|iubenda|quantcast)")
_AROUND = re.compile(
    r"(^|[-_])(breadcrumbs?|skip-?link|skip-to-content|share-buttons|social-share|newsletter-signup"
    r"|sidebar|related-(articles|posts)|back-to-top|pagination|site-(header|footer)|navbar)($|[-_])"
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LINK_SCHEMES = ("http", "https", "mailto", "tel")
#: Elements nested deeper than this are not a page that anyone wrote.
_DEEPEST = 150
_MODIFIED = (
    "article:modified_time",
    "og:updated_time",
    "last-modified",
    "dcterms.modified",
    "date",
)


def from_html(data: bytes | str, name: str) -> Draft:
    """Make an article of a page. `name` is its file's, for the title when it has none.

    The encoding is the one the page declares. Links are absolute where the page says its
    own address (a canonical link, ``og:url`` or a base) and left relative otherwise.
    Raises NoText, TooBig, Unreadable.
    """
    from bs4 import BeautifulSoup

    if isinstance(data, bytes) and data[:5] in (b"%PDF-", b"\x89PNG\r"):
        raise Unreadable(f"{name}: is no HTML, whatever its name says")
    if not data.strip():
        raise NoText(f"{name}: is empty")
    # What it has to say is told below, with the page's name.
    logging.getLogger("bs4.dammit").setLevel(logging.ERROR)
    soup = BeautifulSoup(data, "html.parser")
    _refuse_depth(soup, name)
    url, base = _addresses(soup)
    language = _language(soup)
    updated = next(filter(None, (day(_meta(soup, key)) for key in _MODIFIED)), None)
    named = _title(soup)
    if soup.title is not None:
        soup.title.decompose()
    _strip(soup)
    main = _main(soup)
    title = _heading(main, named) or named or title_of_name(name.rpartition(".")[0] or name)
    images = _without_images(main)
    _links(main, base)
    body = tidy(_markdown(main))
    if not re.search(r"\w", body):
        raise NoText(f"{name}: no words are left outside navigation, header and footer")
    notes = [f"{images} {'image' if images == 1 else 'images'} left out"] if images else []
    if soup.contains_replacement_characters:
        notes.append("some characters are not of its encoding and were lost")
    return Draft(one_line(title), body, language, url, updated, notes=tuple(notes))


def _refuse_depth(soup: BeautifulSoup, name: str) -> None:
    stack: list[tuple[Tag, int]] = [(soup, 0)]
    while stack:
        tag, depth = stack.pop()
        if depth > _DEEPEST:
            raise TooBig(f"{name}: elements are nested more than {_DEEPEST} deep")
        stack.extend((child, depth + 1) for child in tag.find_all(True, recursive=False))


def _meta(soup: BeautifulSoup, key: str) -> str:
    for attribute in ("property", "name", "http-equiv"):
        found = soup.select_one(f'meta[{attribute}="{key}" i]')
        if found is not None:
            return str(found.get("content") or "")
    return ""


def _addresses(soup: BeautifulSoup) -> tuple[str, str]:
    """Return where customers read the page, and what its links are relative to; "" for unknown."""
    link = soup.select_one('link[rel~="canonical" i]')
    said = str(link.get("href") or "") if link is not None else _meta(soup, "og:url")
    url = web_address(said)
    tag = soup.select_one("base[href]")
    base = urljoin(url, str(tag["href"]).strip()) if tag is not None else url
    return url, web_address(base)


def web_address(url: str) -> str:
    """Return the address of a page that anyone can open, "" for any other."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        return ""
    return url if fine and not re.search(r"\s", url) else ""


def _language(soup: BeautifulSoup) -> str:
    tag = soup.select_one("html")
    said = (str(tag.get("lang") or tag.get("xml:lang") or "") if tag is not None else "") or _meta(
        soup, "content-language"
    )
    found = re.match(r"[A-Za-z]{2}(?![A-Za-z])", said.strip())
    return found[0].lower() if found else ""


def _title(soup: BeautifulSoup) -> str:
    """Return the page's title without the name of the site behind it."""
    title = one_line(soup.title.get_text()) if soup.title is not None else ""
    site = one_line(_meta(soup, "og:site_name"))
    parts = re.split(r"\s+[|–—·•»:-]\s+", title)
    if len(parts) > 1 and (not site or parts[-1].casefold() == site.casefold()):
        return title[: title.rindex(parts[-1])].rstrip(" |–—·•»:-")
    return title


def _strip(soup: BeautifulSoup) -> None:
    from bs4 import Comment

    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    everything = len(soup.get_text())
    for tag in soup.find_all(True):
        if not tag.decomposed and _is_around(tag, everything):
            tag.decompose()


def _is_around(tag: Tag, everything: int) -> bool:
    if tag.name in ("html", "body", "main", *_HEADINGS):
        return False
    if tag.name in _NEVER or str(tag.get("role") or "").lower() in _ROLES:
        return True
    if tag.name == "header":
        # An article's own header holds its heading.
        return tag.find_parent(["article", "main"]) is None
    if tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    if _HIDDEN.search(str(tag.get("style") or "").lower()):
        return True
    classes = tag.get("class") or []
    names = [str(tag.get("id") or ""), *(classes if isinstance(classes, list) else [classes])]
    marks = " ".join(names)
    consent = _MAKERS.search(marks.lower()) or (_CONSENT.search(marks) and _BANNER.search(marks))
    around = any(_AROUND.search(name.lower()) for name in names)
    # What wraps most of the page is the page, whatever it is called.
    return bool(consent or around) and len(tag.get_text()) * 2 < everything


def _main(soup: BeautifulSoup) -> Tag:
    for selector in ("main", "[role=main]"):
        found = soup.select(selector)
        if found:
            return max(found, key=lambda tag: len(tag.get_text()))
    articles = soup.select("article")
    if len(articles) == 1:
        return articles[0]
    for name in ("content", "main-content", "main", "article-body", "page-content"):
        marked = soup.select_one(f"#{name}, .{name}")
        if marked is not None and len(marked.get_text()) * 2 > len(soup.get_text()):
            return marked
    return soup.body or soup


def _heading(main: Tag, named: str) -> str:
    """Take the heading of the whole page out of it and return its words."""
    tops = main.find_all("h1")
    if len(tops) == 1 or (tops and one_line(tops[0].get_text()) == named):
        title = one_line(tops[0].get_text(" "))
        tops[0].decompose()
        return title
    return ""


def _without_images(main: Tag) -> int:
    count = 0
    for tag in main.find_all(["img", "picture", "video", "audio", "figure"]):
        if tag.decomposed:
            continue
        if tag.name == "figure":
            continue
        count += tag.get("alt") != ""
        tag.decompose()
    return count


def _links(main: Tag, base: str) -> None:
    for link in main.find_all("a"):
        href = str(link.get("href") or "").strip()
        joined = href
        try:
            scheme = urlsplit(href).scheme
            if base and not scheme and not href.startswith("#"):
                joined = urljoin(base, href)
                scheme = urlsplit(joined).scheme
        except ValueError:
            link.unwrap()
            continue
        words = one_line(link.get_text())
        if not href or not words or (scheme and scheme.lower() not in _LINK_SCHEMES):
            link.unwrap()
            continue
        if href.startswith("#") and words in ("#", "¶", "§", "🔗"):
            link.decompose()
            continue
        link.attrs = {"href": joined.replace(" ", "%20").replace(")", "%29").replace("(", "%28")}


def _markdown(main: Tag) -> str:
    from markdownify import MarkdownConverter

    # Headings begin below the title.
    least = min((int(tag.name[1]) for tag in main.find_all(_HEADINGS)), default=2)
    for tag in main.find_all(_HEADINGS):
        tag.name = f"h{min(6, int(tag.name[1]) - least + 2)}"
    converter = MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        autolinks=False,
        escape_underscores=False,
        escape_misc=False,
        table_infer_header=True,
    )
    return str(converter.convert_soup(main))
