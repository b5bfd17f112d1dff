"""MediaWiki XML dumps as pages: decoding by ranges, splitting at page elements, and the site's namespaces.

A dump is cut into byte ranges of the file as it lies on disk; whoever reads a range decodes it alone and yields the
pages whose ``<page>`` begins there, so that no page is read twice or missed. Text is escaped in a dump, so the bytes
``<page>`` are always an element; entities and document types are never expanded, because no XML parser is involved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from deepred.base.errors import FaultError, UserError
from deepred.sources.wiki.bzip2 import BlockError, ends_whole, iterate_blocks
from deepred.sources.wiki.gzip import JunkError, iterate_gzip
from deepred.sources.wiki.page import Item, Oversized, Page, parse_page, title_of, unescape

Kind = Literal["bz2", "gz", "xml"]

RANGE_BYTES = {"bz2": 12_000_000, "gz": 1 << 62, "xml": 50_000_000}
"""Bytes of a file that make one shard: about 50 MB of XML each; gzip can only be read from its start, in one."""
READ_BYTES = 1 << 20
MAX_PAGE_BYTES = 64_000_000
"""A page element longer than this is dropped: MediaWiki's own limit for a page's text is 2 MB."""
TAIL_BYTES = 1 << 16
"""``</mediawiki>`` is looked for in as many last bytes of an XML file: junk may follow it."""
HEAD_BYTES = 4_000_000
"""The siteinfo of a dump lies in its first few kilobytes; further than this nobody looks."""


class DamageError(Exception):
    """Where a dump stops making sense: byte offset in the file and the last page before it that was whole."""

    def __init__(self, offset: int, after: str, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.after = after
        self.reason = reason

    def describe(self, path: Path) -> str:
        """The damage as a line for people: file, reason, byte and page."""
        place = f"after page {self.after!r}" if self.after else "before the first page"
        return f"{path}: {self.reason} at byte {self.offset:,}, {place}"


@dataclass(frozen=True)
class Site:
    """What a dump says of its wiki: database name, and namespace names by number (empty for old or cut dumps)."""

    name: str = ""
    namespaces: dict[int, str] = field(default_factory=dict[int, str])

    def namespace_of(self, title: str) -> int:
        """The namespace that a title's prefix names; for dumps that predate the ``<ns>`` element.

        >>> Site("enwiki", {0: "", 14: "Category"}).namespace_of("2001: A Space Odyssey")
        0
        """
        prefix, colon, _ = title.partition(":")
        return next((key for key, name in self.namespaces.items() if name and name == prefix), 0) if colon else 0


def kind_of(path: Path) -> Kind:
    """How a dump is compressed, by its first bytes; a format that cannot be read is an error that says what to do."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise UserError(f"dump {path} does not exist", "check articles.dumps in the run file") from None
    if head.startswith(b"BZh"):
        return "bz2"
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"7z\xbc\xaf\x27\x1c"):
        raise UserError(f"{path} is a 7z archive, which cannot be read in parts", "use the .bz2 dump of the same wiki")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "xml"
    if not head:
        raise UserError(f"{path} is empty", "download it again")
    shown = head[:16].decode("latin-1")
    raise UserError(
        f"{path} is no MediaWiki dump: it begins with {shown!r} at byte 0", "give a .xml, .xml.gz or .xml.bz2 dump"
    )


def plan_ranges(path: Path) -> list[tuple[int, int]]:
    """The byte ranges of a dump, one per shard: a function of the file alone."""
    size = path.stat().st_size
    step = RANGE_BYTES[kind_of(path)]
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def iterate_pieces(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Decoded bytes from a byte of the file on, each piece with the byte of the file it begins in."""
    kind = kind_of(path)
    with path.open("rb") as file:
        if kind == "bz2":
            yield from iterate_blocks(file, start)
            return
        if kind == "gz":
            yield from _gzip_pieces(file)
            return
        file.seek(start)
        at = start
        while piece := file.read(READ_BYTES):
            yield at, piece
            at += len(piece)


def _gzip_pieces(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    try:
        yield from iterate_gzip(file)
    except JunkError:
        return  # behind a whole dump


def read_site(path: Path) -> Site:
    """The wiki's name and namespaces from a dump's head; an empty Site where it has none. UTF-16 is an error."""
    head = b""
    try:
        for _, piece in iterate_pieces(path, 0):
            head += piece
            if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head[:16]:
                raise DamageError(0, "", "the XML is UTF-16, not UTF-8,")
            if b"</siteinfo>" in head or b"<page>" in head or len(head) > HEAD_BYTES:
                break
    except BlockError as error:
        raise DamageError(error.offset, "", error.reason) from None
    if b"<mediawiki" not in head[:HEAD_BYTES] and b"<page>" not in head:
        raise UserError(
            f"{path} is no MediaWiki dump: no <mediawiki> element from byte 0 on", "give a pages-articles dump"
        )
    info = head.partition(b"</siteinfo>")[0].decode("utf-8", "replace")
    names = re.findall(r'<namespace key="(-?\d+)"[^>]*?(?:/>|>([^<]*)</namespace>)', info)
    name = re.search(r"<dbname>([^<]*)</dbname>", info)
    return Site(name[1] if name else "", {int(key): unescape(text) for key, text in names})


def find_cut(path: Path) -> DamageError | None:
    """The damage of a file that plainly lacks its end, or None: a cut download is found before hours of work.

    Looks at the last bytes; only where they are odd is the last range read, which tells junk after a whole dump (no
    damage) from a cut and names the page. A gzip file cannot be judged without reading all of it.
    """
    kind, size = kind_of(path), path.stat().st_size
    with path.open("rb") as file:
        if kind == "gz" or (kind == "bz2" and ends_whole(file, size)):
            return None
        file.seek(max(0, size - TAIL_BYTES))
        if kind == "xml" and b"</mediawiki>" in file.read():
            return None
    try:
        for _ in iterate_pages(path, *plan_ranges(path)[-1]):
            pass
    except DamageError as damage:
        return damage
    return None


def iterate_pages(path: Path, start: int, end: int) -> Iterator[tuple[int, Item]]:
    """The pages that begin in bytes ``start`` to ``end`` of a dump, each with the length of its XML.

    Raises DamageError where the dump is damaged; what was yielded before is whole. A dump that stops without
    ``</mediawiki>`` is damaged too: more pages may have followed.
    """
    last = ""
    for offset, element in _split(path, start, end):
        if isinstance(element, Oversized):
            yield 0, element
            continue
        if isinstance(element, DamageError):
            element.after = last or _title_before(path, start)
            raise element
        item = parse_page(element, offset)
        if isinstance(item, Page):
            last = item.title
        yield len(element), item


def _title_before(path: Path, start: int) -> str:
    """The title of the last whole page before a range's first byte; empty where there is none."""
    step = RANGE_BYTES[kind_of(path)]
    title = ""
    while start > 0 and not title:
        first = max(0, start - step)
        try:
            for _, item in iterate_pages(path, first, start):
                title = item.title if isinstance(item, Page) else title
        except DamageError as damage:
            return damage.after
        start = first
    return title


def _split(path: Path, start: int, end: int) -> Iterator[tuple[int, bytes | Oversized | DamageError]]:
    """The page elements that begin in a range; a damage is the last thing yielded.

    ``own`` counts the bytes at the head of the buffer that belong to the range; what follows them is read only to
    complete a page that began in them.
    """
    buffer, own, searched, offset = b"", 0, 0, start
    plain = kind_of(path) == "xml"
    ended, empty = False, True  # a range in which no piece begins has nothing to say of the dump's end
    pieces = iterate_pieces(path, start)
    while True:
        begin = buffer.find(b"<page>", searched)
        while 0 <= begin < own:
            ended = False
            close = buffer.find(b"</page>", begin)
            if close < 0:
                break
            if buffer.find(b"<page>", begin + 6, close) >= 0:
                yield offset, DamageError(offset, "", f"page {title_of(buffer[begin:close])!r} is not closed")
                return
            yield offset, buffer[begin : close + 7]
            searched = close + 7
            begin = buffer.find(b"<page>", searched)
        inside = 0 <= begin < own
        if offset >= end and not inside and (begin >= 0 or b"<" not in buffer[max(searched, own - 6) : own]):
            return
        ended = ended or buffer.find(b"</mediawiki>", searched) >= 0
        kept = begin if inside else max(searched, len(buffer) - 16)
        if inside and len(buffer) - begin > MAX_PAGE_BYTES:
            yield offset, Oversized(offset)
            kept = len(buffer) - 6
        buffer, own, searched = buffer[kept:], max(0, own - kept), 0
        where = f" inside page {title_of(buffer)!r}" if inside else ""
        try:
            offset, piece = next(pieces)
        except StopIteration:
            if inside or not (ended or empty):
                size = path.stat().st_size
                yield size, DamageError(size, "", f"the dump ends{where} without </mediawiki>")
            return
        except BlockError as error:
            if inside or error.offset < end:  # else the next range states it
                yield error.offset, DamageError(error.offset, "", error.reason + where)
            return
        if offset < end:
            empty = False
            own = len(buffer) + (min(len(piece), end - offset) if plain else len(piece))
        buffer += piece


def damage_fault(damage: DamageError, path: Path) -> FaultError:
    """The error that a user sees for a damaged dump."""
    mend = "download it again, or keep the whole pages before the damage with articles.salvage = true (--salvage)"
    if "UTF-16" in damage.reason:
        mend = "convert it first: iconv -f UTF-16 -t UTF-8"
    return FaultError(damage.describe(path), mend)
