"""XML elements of a dump, as they end: the name without its prefix, attributes, and text that is still escaped.

Whatever is well-formed is read alike: either kind of quotes, white space in tags, prefixes, comments, CDATA. No XML
parser is involved, so that document types are passed over and no entity but XML's own five is ever expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"<(?:"
    rb"(?:[\w.-]+:)?(?P<name>[\w.-]+)(?P<attributes>(?:[^<>\"'/]++|/(?!>)|\"[^\"<]*+\"|'[^'<]*+')*+)(?P<empty>/)?+>"
    rb"(?P<text>[^<]*+)(?(empty)|(?:</(?:[\w.-]+:)?(?P<own>[\w.-]+)\s*>(?P<outside>[^<]*+))?+)"
    rb"|/(?:[\w.-]+:)?(?P<closed>[\w.-]+)\s*>(?P<after>[^<]*+)"
    rb"|!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)(?P<behind>[^<]*+)"
    rb"|(?:!--.*?(?:-->|\Z)|\?.*?(?:\?>|\Z)|!(?!--|\[CDATA\[)[^<>]*+>)(?P<beside>[^<]*+)"
    rb")",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(?<![\w.-])(?:[\w.-]++:)?+([\w.-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")


class ElementError(ValueError):
    """What is no well-formed element: an end that belongs to another, text between elements."""


class Element(NamedTuple):
    """An element that has ended; one with elements in it has no text of its own."""

    parent: bytes
    name: bytes
    attributes: bytes
    text: bytes
    empty: bool
    """Whether it is written as one tag: ``<text />``."""


def iterate_elements(data: bytes) -> Iterator[Element]:
    """The elements of some XML in the order of their ends; what is cut off at the end of the data is left out.

    Raises ElementError for an end without its beginning and for text beside elements.
    """
    parents: list[tuple[bytes, bytes]] = [(b"", b"")]
    held = b""  # text of the innermost open element
    for match in _TOKEN.finditer(data):
        name, attributes, empty, text, own, outside, closed, after, cdata, behind, beside = match.groups()
        if name is not None:
            _check_blank(held)
            held = b""
            if own is not None:
                if own != name:
                    raise ElementError(f"<{name.decode()}> ends as </{own.decode()}>")
                yield Element(parents[-1][0], name, attributes, text, False)
                _check_blank(outside)
            elif empty:
                yield Element(parents[-1][0], name, attributes, b"", True)
                _check_blank(text)
            else:
                parents.append((name, attributes))
                held = text
        elif closed is not None:
            name, attributes = parents.pop()
            if closed != name:
                raise ElementError(f"<{name.decode()}> ends as </{closed.decode()}>")
            yield Element(parents[-1][0], name, attributes, held, False)
            held = b""
            _check_blank(after)
        elif cdata is not None:
            held += cdata.replace(b"&", b"&amp;") + behind
        else:
            held += beside


def _check_blank(text: bytes) -> None:
    if text and not text.isspace():
        raise ElementError("text stands beside an element")


def attributes_of(written: bytes) -> dict[str, str]:
    """The attributes of a tag by name, without prefixes: ``attributes_of(b" a='1'") == {"a": "1"}``."""
    found = _ATTRIBUTE.findall(written.decode("utf-8"))
    return {name: unescape(double or single) for name, double, single in found}


_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_NUMERIC = re.compile(r"#(?:0*(\d{1,7})|[xX]0*([0-9A-Fa-f]{1,6}))")


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


def one_line_ends(text: str) -> str:
    r"""Text whose lines end as MediaWiki keeps them: ``one_line_ends("a\r\nb\rc") == "a\nb\nc"``."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
