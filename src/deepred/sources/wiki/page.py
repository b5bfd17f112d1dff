"""A ``<page>`` element of a MediaWiki dump as a record: title, ids, redirect and the text of its last revision.

Text is escaped in a dump, so the bytes of a tag are always a tag; entities other than XML's own five and character
numbers are never expanded, because no XML parser is involved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a dump, its latest revision only; ``redirect`` is None where no element says that it is one."""

    id: int
    title: str
    namespace: int | None
    redirect: str | None
    revision_id: int
    timestamp: str
    model: str
    text: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """A page element that was too long to be read."""

    offset: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A page element that lacks a title or an id, or is not UTF-8."""

    offset: int
    reason: str


Item = Page | Oversized | Malformed


def title_of(element: bytes) -> str:
    """The title in a page element, even a cut one; empty where it holds none."""
    return unescape(_between(element, b"<title>", b"</title>").decode("utf-8", "replace"))


def parse_page(element: bytes, offset: int) -> Item:
    """The page in a ``<page>`` element, by its last revision; attributes and unknown elements do not matter."""
    revision = element.rfind(b"<revision>")
    head = element[:revision] if revision >= 0 else element
    body = element[revision:] if revision >= 0 else b""
    number = _between(head, b"<id>", b"</id>")
    try:
        title = unescape(_between(head, b"<title>", b"</title>").decode("utf-8"))
        namespace = _between(head, b"<ns>", b"</ns>")
        if not title or not number.isdigit():
            return Malformed(offset, "malformed")
        return Page(
            id=int(number),
            title=title,
            namespace=int(namespace) if namespace else None,
            redirect=_redirect(head),
            revision_id=int(_between(body, b"<id>", b"</id>") or 0),
            timestamp=_between(body, b"<timestamp>", b"</timestamp>").decode("ascii"),
            model=_between(body, b"<model>", b"</model>").decode("ascii"),
            text=unescape(_text(body).decode("utf-8")),
        )
    except UnicodeDecodeError:
        return Malformed(offset, "not_utf8")
    except ValueError:
        return Malformed(offset, "malformed")


def _between(data: bytes, opening: bytes, closing: bytes) -> bytes:
    first = data.find(opening)
    if first < 0:
        return b""
    last = data.find(closing, first)
    return data[first + len(opening) : last] if last >= 0 else b""


def _text(revision: bytes) -> bytes:
    """The content of the text element; empty where it is ``<text ... />``. Raises ValueError where it is not closed."""
    first = revision.find(b"<text")
    opened = revision.find(b">", first)
    if first < 0 or opened < 0 or revision[opened - 1 : opened] == b"/":
        return b""
    return revision[opened + 1 : revision.index(b"</text>", opened)]


def _redirect(head: bytes) -> str | None:
    first = head.find(b"<redirect")
    if first < 0:
        return None
    element = head[first : head.find(b">", first)].decode("utf-8")
    title = re.search(r'title="([^"]*)"', element)
    return unescape(title[1]) if title else ""


_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_NUMERIC = re.compile(r"#(?:(\d{1,7})|x([0-9A-Fa-f]{1,6}))")


def unescape(text: str) -> str:
    """XML text without its escapes, once: ``unescape("a &lt; b &amp;nbsp;") == "a < b &nbsp;"``."""
    first, *pieces = text.split("&")
    if not pieces:
        return text
    parts = [first]
    add = parts.append
    for piece in pieces:  # one pass for all of them, not one for each of the five
        name, end, after = piece.partition(";")
        character = _NAMED.get(name) if end else None
        add(_unescape_odd(name, end) if character is None else character)
        add(after)
    return "".join(parts)


def _unescape_odd(name: str, end: str) -> str:
    """The character of a number, U+FFFD where there is none of that number; anything else as it is written."""
    match = _NUMERIC.fullmatch(name) if end else None
    if match is None:
        return f"&{name}{end}"
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
