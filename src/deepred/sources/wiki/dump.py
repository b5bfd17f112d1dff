"""MediaWiki XML dumps as pages: decoding by ranges, splitting at page elements, and the site's namespaces.

A dump is cut into byte ranges of the file as it lies on disk; whoever reads a range decodes it alone and yields the
pages whose ``<page>`` begins there, so that no page is read twice or missed. Comments and CDATA may hold what looks
like a page: a dump that has them in its first bytes, as Wikimedia's never do, is one range.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal

from deepred.base.errors import FaultError, UserError
from deepred.base.formats import describe_bytes
from deepred.sources.wiki.bzip2 import BlockError, ends_whole, iterate_blocks
from deepred.sources.wiki.elements import ElementError, attributes_of, iterate_elements, unescape
from deepred.sources.wiki.gzip import JunkError, iterate_gzip
from deepred.sources.wiki.page import Item, Oversized, Page, parse_page
from deepred.sources.wiki.page_splitter import LONGEST_MARK, SplitError, Splitter

Kind = Literal["bz2", "gz", "xml"]

RANGE_BYTES = {"bz2": 12_000_000, "gz": 1 << 62, "xml": 50_000_000}
"""Bytes of a file that make one shard: about 50 MB of XML each; gzip can only be read from its start, in one."""
READ_BYTES = 1 << 20
TAIL_BYTES = 1 << 16
"""``</mediawiki>`` is looked for in as many last bytes of an XML file: junk may follow it."""
HEAD_BYTES = 4_000_000
"""The siteinfo of a dump lies in its first few kilobytes; further than this nobody looks."""
_ROOT = re.compile(rb"<(?:[\w.-]{1,64}+:)?+mediawiki(?=[\s>])")
_ROOT_END = re.compile(rb"</(?:[\w.-]{1,64}+:)?+mediawiki\s*+>")
_HEAD_END = re.compile(rb"</(?:[\w.-]{1,64}+:)?+siteinfo\s*+>|<(?:[\w.-]{1,64}+:)?+page[\s/>]")
_NAME = re.compile(rb"<([A-Za-z_][\w.:-]{0,64})")
SHOWN_NAMES = 8
_ENCODING = re.compile(rb"<\?xml[^<>]{0,200}?encoding\s*=\s*[\"']([\w.-]{1,40})[\"']")


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
            head = file.read(HEAD_BYTES >> 8)
    except FileNotFoundError:
        raise UserError(f"dump {path} does not exist", "check articles.dumps in the run file") from None
    except OSError as error:
        raise UserError(f"dump {path} cannot be read: {error.strerror}", "name a file") from None
    if head.startswith(b"BZh"):
        return "bz2"
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "xml"
    if not head:
        raise UserError(f"{path} is empty", "download it again")
    raise UserError(
        f"{path} is no MediaWiki dump but {describe_bytes(head)}",
        "give a .xml, .xml.gz or .xml.bz2 dump (pages-articles)",
    )


def plan_ranges(path: Path) -> list[tuple[int, int]]:
    """The byte ranges of a dump, one per shard: a function of the file alone."""
    size = path.stat().st_size
    step = size if _hides_tags(path) else RANGE_BYTES[kind_of(path)]
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def _hides_tags(path: Path) -> bool:
    """Whether the first bytes hold comments or CDATA, in which a tag is none: a range must not begin in them."""
    head = read_head(path)
    return b"<![CDATA[" in head or b"<!--" in head


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


def read_head(path: Path) -> bytes:
    """A dump's first decoded bytes, with its siteinfo or its first page's tag. UTF-16 and damage are DamageErrors."""
    head = b""
    try:
        for _, piece in iterate_pieces(path, 0):
            head += piece
            if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head[:16]:
                raise DamageError(0, "", "the XML is UTF-16, not UTF-8,")
            if len(head) > HEAD_BYTES or _HEAD_END.search(head):
                break
    except BlockError as error:
        if not head:
            raise DamageError(error.offset, "", error.reason) from None
    return head[: HEAD_BYTES + READ_BYTES]


def read_site(path: Path) -> Site:
    """The wiki's name and namespaces from a dump's head; an empty Site where it has none. UTF-16 is an error."""
    head = read_head(path)
    end, root = _HEAD_END.search(head), _ROOT.search(head)
    if root is None and end is None:
        raise UserError(
            f"{path} is no MediaWiki dump but {describe_bytes(head)}: no <mediawiki> and no <page> element",
            "give a pages-articles dump",
        )
    name, namespaces = "", dict[int, str]()
    try:
        for element in iterate_elements(head[root.start() if root else 0 : end.end() if end else len(head)]):
            text = unescape(element.text.decode("utf-8", "replace")).strip()
            if element.name == b"dbname":
                name = text
            elif element.name == b"namespace":
                namespaces[int(attributes_of(element.attributes)["key"])] = text
    except (ElementError, KeyError, ValueError) as error:
        raise FaultError(f"{path}: its siteinfo cannot be read: {error}", "check that it is well-formed XML") from None
    return Site(name, namespaces)


def names_in(path: Path) -> list[str]:
    """The names of the first elements of a file, each once, for an error."""
    return [name.decode() for name in dict.fromkeys(_NAME.findall(read_head(path)))][:SHOWN_NAMES]


def encoding_of(path: Path) -> str:
    """The encoding that a dump declares, for pages that are not UTF-8; UTF-8 where it declares none that can be."""
    match = _ENCODING.match(read_head(path).removeprefix(codecs.BOM_UTF8).lstrip())
    try:
        name = codecs.lookup(match[1].decode()).name if match else "utf-8"
    except LookupError:
        return "utf-8"
    return "utf-8" if name.startswith(("utf-16", "utf-32")) else name


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
        if kind == "xml" and _ROOT_END.search(file.read()):
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
    encoding = cache(lambda: encoding_of(path))
    for offset, element in _split(path, start, end):
        if isinstance(element, Oversized):
            yield 0, element
            continue
        if isinstance(element, DamageError):
            element.after = last or _title_before(path, start)
            raise element
        item = parse_page(element, offset, encoding)
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
    """The page elements that begin in a range; a damage is the last thing yielded."""
    splitter, offset = Splitter(), start
    plain = kind_of(path) == "xml"
    empty, found = True, False  # a range in which no piece begins has nothing to say of the dump's end
    try:
        for offset, piece in iterate_pieces(path, start):
            own = 0
            if offset < end:
                empty = False
                own = min(len(piece), end - offset) if plain else len(piece)
            splitter.add(piece, own)
            for element in splitter.elements():
                found = True
                yield offset, element
            if (offset + len(piece) > end if plain else offset >= end) and splitter.is_done():
                return
    except SplitError as error:
        yield offset, DamageError(offset, "", str(error))
    except BlockError as error:
        if splitter.inside or error.offset < end:  # else the next range states it
            yield error.offset, DamageError(error.offset, "", error.reason + splitter.where())
    else:
        size = path.stat().st_size
        if splitter.inside or not (splitter.ended or empty or _ROOT.search(read_head(path)) is None):
            if start and not found and not splitter.inside:  # the end may be cut in two by the range's beginning
                before = max(0, start - max(RANGE_BYTES[kind_of(path)], LONGEST_MARK))
                yield from ((at, item) for at, item in _split(path, before, size) if isinstance(item, DamageError))
                return
            reason = f"the dump ends{splitter.where()} without </mediawiki>"
            yield size, DamageError(size, "", reason)


def damage_fault(damage: DamageError, path: Path) -> FaultError:
    """The error that a user sees for a damaged dump."""
    mend = "download it again, or keep the whole pages before the damage with articles.salvage = true (--salvage)"
    if "UTF-16" in damage.reason:
        mend = "convert it first: iconv -f UTF-16 -t UTF-8"
    return FaultError(damage.describe(path), mend)
