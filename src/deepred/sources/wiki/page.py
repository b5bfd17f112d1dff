"""A ``<page>`` element of a MediaWiki dump as a record: title, ids, redirect and the text of its newest revision."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from deepred.sources.wiki.elements import Element, attributes_of, iterate_elements, one_line_ends, unescape


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a dump, its newest revision only; ``redirect`` is None where no element says that it is one."""

    id: int
    title: str
    namespace: int | None
    redirect: str | None
    revision_id: int
    timestamp: str
    model: str
    text: str
    older: int = 0
    """Revisions of the page in the same element that are older."""

    @property
    def time(self) -> int:
        """When its revision was saved, in UTC: 20200102030405, 0 where that is not said."""
        return read_time(self.timestamp)


@dataclass(frozen=True, slots=True)
class Oversized:
    """A page element that was too long to be read."""

    offset: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A page element of which no page can be made: ``malformed``, ``not_utf8``, or ``no_text`` (a stub)."""

    offset: int
    reason: str


Item = Page | Oversized | Malformed
_TITLE = re.compile(rb"<(?:[\w.-]+:)?title(?:\s[^<>]*+)?>([^<]*+)")
_PLAIN = re.compile(
    rb"<page>\s*+<title>(?P<title>[^<\r\n]++)</title>\s*+<ns>(?P<ns>-?\d++)</ns>\s*+<id>(?P<id>\d++)</id>\s*+"
    rb"(?P<redirect><redirect title=\"(?P<target>[^\"<]*+)\" />\s*+)?+(?:<restrictions>[^<]*+</restrictions>\s*+)?+"
    rb"<revision>\s*+<id>(?P<revision>\d++)</id>\s*+(?:<parentid>\d++</parentid>\s*+)?+"
    rb"<timestamp>(?P<time>[\d:TZ-]++)</timestamp>\s*+"
    rb"<contributor(?: deleted=\"deleted\" />|>\s*+"
    rb"(?:<(?:username|ip|id)>[^<]*+</(?:username|ip|id)>\s*+)*+</contributor>)\s*+"
    rb"(?:<minor ?/>\s*+)?+(?:<comment(?:>[^<]*+</comment>| deleted=\"deleted\" />)\s*+)?+"
    rb"(?:<origin>\d++</origin>\s*+)?+<model>(?P<model>[\w./-]++)</model>\s*+<format>[^<]*+</format>\s*+"
    rb"<text(?: [\w:]++=\"[^\"<>]*+\")*+>(?P<text>[^<]*+)</text>\s*+"
    rb"(?:<sha1>\w*+</sha1>\s*+)?+</revision>\s*+</page>"
)
"""A page of one revision as Wikimedia writes it, which is read at once; any other is read by its elements."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def title_of(element: bytes) -> str:
    """The title in a page element, even a cut one; empty where it holds none."""
    match = _TITLE.search(element)
    return unescape(match[1].decode("utf-8", "replace")).strip() if match else ""


def read_time(timestamp: str) -> int:
    """A time of XML Schema as a number that grows with it: ``read_time("2020-01-02T03:04:05Z") == 20200102030405``.

    0 where it is no time; a time without a zone is in UTC.
    """
    if _STAMP.fullmatch(timestamp):
        return int(re.sub(r"\D", "", timestamp))
    try:
        time = datetime.fromisoformat(timestamp)
    except ValueError:
        return 0
    return int((time.astimezone(UTC) if time.tzinfo else time).strftime("%Y%m%d%H%M%S"))


def _number(digits: bytes) -> int:
    """A number that fits into 64 bits, as tables hold it. Raises ValueError for any other."""
    number = int(digits)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} has more than 64 bits")
    return number


def is_newer(time: int, revision: int, than_time: int, than_revision: int) -> bool:
    """Whether a revision is newer than another: by time, by number where the times are equal or one is not known."""
    if time and than_time and time != than_time:
        return time > than_time
    return revision > than_revision


@dataclass(slots=True)
class _Revision:
    """The fields of a revision, still escaped."""

    fields: dict[bytes, Element]
    id: int
    timestamp: str
    time: int

    @staticmethod
    def of(fields: dict[bytes, Element]) -> _Revision:
        stamp = unescape(_value(fields, b"timestamp").decode("ascii"))
        return _Revision(fields, _number(_value(fields, b"id") or b"0"), stamp, read_time(stamp))

    def is_newer(self, other: _Revision | None) -> bool:
        return other is None or is_newer(self.time, self.id, other.time, other.id)


_EMPTY = Element(b"", b"", b"", b"", True)


def _value(fields: dict[bytes, Element], name: bytes) -> bytes:
    return fields.get(name, _EMPTY).text.strip()


def parse_page(element: bytes, offset: int, encoding: Callable[[], str] = lambda: "utf-8") -> Item:
    """The page in a ``<page>`` element, by its newest revision; order, attributes and unknown elements do not matter.

    ``encoding`` is asked for the file's declared encoding where the element is not UTF-8.
    """
    try:
        try:
            return _page_in(element, offset)
        except UnicodeDecodeError:
            return _page_in(element.decode(encoding()).encode("utf-8"), offset)
    except UnicodeDecodeError:
        return Malformed(offset, "not_utf8")
    except ValueError:
        return Malformed(offset, "malformed")


def _page_in(element: bytes, offset: int) -> Item:
    match = _PLAIN.fullmatch(element)
    if match is None:
        return page_by_elements(element, offset)
    title, target = unescape(match["title"].decode("utf-8")).strip(), unescape((match["target"] or b"").decode("utf-8"))
    if not title:
        return Malformed(offset, "malformed")
    return Page(
        id=_number(match["id"]),
        title=title,
        namespace=_number(match["ns"]),
        redirect=target if match["redirect"] else None,
        revision_id=_number(match["revision"]),
        timestamp=match["time"].decode("ascii"),
        model=match["model"].decode("ascii"),
        text=one_line_ends(unescape(match["text"].decode("utf-8"))),
    )


def page_by_elements(element: bytes, offset: int) -> Item:
    """The page in a ``<page>`` element of any form. Raises ValueError where it is not well-formed, or not UTF-8."""
    fields: dict[bytes, Element] = {}
    revision: dict[bytes, Element] = {}
    newest: _Revision | None = None
    older = -1
    ended = False
    for part in iterate_elements(element):
        if part.parent == b"revision":
            revision.setdefault(part.name, part)
        elif part.parent == b"page":
            if part.name == b"revision":
                found = _Revision.of(revision)
                newest = found if found.is_newer(newest) else newest
                older += 1
                revision = {}
            else:
                fields.setdefault(part.name, part)
        ended = part.name == b"page"
    title = one_line_ends(unescape(_value(fields, b"title").decode("utf-8"))).replace("\n", " ").strip()
    number = _value(fields, b"id")
    if not ended or not title or not number.isdigit():
        return Malformed(offset, "malformed")
    shown = newest or _Revision.of({})
    text = shown.fields.get(b"text", _EMPTY)
    if _is_stub(text):
        return Malformed(offset, "no_text")
    namespace = _value(fields, b"ns")
    redirect = fields.get(b"redirect")
    return Page(
        id=_number(number),
        title=title,
        namespace=_number(namespace) if namespace else None,
        redirect=attributes_of(redirect.attributes).get("title", "") if redirect else None,
        revision_id=shown.id,
        timestamp=shown.timestamp,
        model=_value(shown.fields, b"model").decode("ascii"),
        text=one_line_ends(unescape(text.text.decode("utf-8"))),
        older=max(0, older),
    )


def _is_stub(text: Element) -> bool:
    """Whether an element says that there is a text, and does not hold it, though nobody has deleted it."""
    if not text.empty or not text.attributes:
        return False
    said = attributes_of(text.attributes)
    return "deleted" not in said and said.get("bytes", "0").strip("0") != ""
