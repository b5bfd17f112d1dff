"""The page elements in the bytes of a dump, wherever the pieces that they come in happen to end.

Text is escaped in a dump, so the bytes of a tag are a tag, but in comments and CDATA, which are passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepred.sources.wiki.page import Oversized, title_of

MAX_PAGE_BYTES = 64_000_000
"""A page element longer than this is dropped: MediaWiki's own limit for a page's text is 2 MB."""
LONGEST_MARK = 80
"""Bytes of the beginning of a tag by which it is known, its prefix included."""
_MARK = re.compile(
    rb"<(?:(?P<end>/?)(?:[\w.-]{1,64}+:)?+(?:(?P<page>page)(?=[\s/>])|mediawiki(?=[\s>]))|(?P<open>!--|!\[CDATA\[))"
)
_CLOSING = {b"!--": b"-->", b"![CDATA[": b"]]>"}


class SplitError(ValueError):
    """Bytes of which no pages can be made: a page in a page, a comment without an end."""


class Splitter:
    """Bytes go in piece by piece, page elements come out; ``own`` counts the first bytes in which a page may begin."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0  # where to look on
        self._begin = -1  # where the open page begins, -1 outside one
        self._own = 0
        self.ended = False
        """Whether the end of the root element was the last of note."""

    @property
    def inside(self) -> bool:
        """Whether a page is open."""
        return self._begin >= 0

    def where(self) -> str:
        """The open page as words for an error; empty outside one."""
        return f" inside page {title_of(self._buffer[self._begin :])!r}" if self.inside else ""

    def add(self, piece: bytes, own: int) -> None:
        """Take the next piece, the first ``own`` bytes of which belong to the range that is read."""
        kept = self._begin if self.inside else self._at
        self._own = max(0, len(self._buffer) - kept + own if own else self._own - kept)
        self._buffer = self._buffer[kept:] + piece
        self._at -= kept
        self._begin = 0 if self.inside else -1

    def is_done(self) -> bool:
        """Whether no page can begin in the own bytes any more, whatever follows."""
        return not self.inside and b"<" not in self._buffer[self._at : self._own]

    def elements(self) -> Iterator[bytes | Oversized]:
        """The page elements that end in what was added. Raises SplitError."""
        buffer = self._buffer
        waiting = False
        while match := _MARK.search(buffer, self._at):
            if not self.inside and match.start() >= self._own:
                self._at = max(self._at, self._own)
                break
            closed = buffer.find(_CLOSING.get(match["open"], b">"), match.end())
            if closed < 0:
                self._at, waiting = match.start(), True
                break
            self._at = closed + (1 if match["open"] is None else 3)
            if match["page"] is None:
                self.ended = self.ended or bool(match["end"])
            elif not match["end"]:
                if self.inside:
                    raise SplitError(f"page {title_of(buffer[self._begin : match.start()])!r} is not closed")
                self._begin, self.ended = match.start(), False
                if buffer[closed - 1 : closed] == b"/":
                    yield self._taken()
            elif self.inside:
                yield self._taken()
        else:
            last = buffer.rfind(b"<", max(self._at, len(buffer) - LONGEST_MARK))
            self._at = last if last >= 0 else len(buffer)
        if self.inside and len(buffer) - self._begin > MAX_PAGE_BYTES:
            self._begin = -1
            yield Oversized(0)
        elif waiting and len(buffer) - self._at > MAX_PAGE_BYTES:
            raise SplitError(f"{buffer[self._at : self._at + 9].decode(errors='replace')!r} is not closed")

    def _taken(self) -> bytes:
        element = self._buffer[self._begin : self._at]
        self._begin = -1
        return element
