"""An article in portions that a model's context can hold: by section, bounded in tokens, with a cursor to go on.

A portion ends between sentences; only a sentence that is longer than a whole portion is cut. Tokens are counted as
``TOKEN_BYTES`` bytes of UTF-8 each, which is more than tokenizers need for most scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deepred.base.days import Day
from deepred.serve.index.index_records import Article, Section

TOKEN_BYTES = 3
"""English has more than four bytes a token; few scripts have fewer than three."""
CURSOR = re.compile(r"(-?\d{1,10})\.(\d{1,6})\.(\d{1,9})\.(\d{1,9})")


class CursorError(ValueError):
    """A cursor or section that this article does not have."""


@dataclass(frozen=True)
class Cursor:
    """Where the next portion begins; valid for the same article as of the same day."""

    as_of: Day
    section: int
    """The section that was asked for; 0: all of the article."""
    sentence: int
    offset: int

    def text(self) -> str:
        """As it goes over the wire."""
        return f"{self.as_of}.{self.section}.{self.sentence}.{self.offset}"

    @staticmethod
    def parse(text: str, as_of: Day) -> Cursor:
        """The cursor that a text stands for."""
        match = CURSOR.fullmatch(text)
        if match is None:
            raise CursorError("the cursor is not one that this server gave")
        cursor = Cursor(*(int(part) for part in match.groups()))
        if cursor.as_of != as_of:
            raise CursorError("the cursor belongs to another as_of: begin again without it")
        return cursor


@dataclass(frozen=True)
class Portion:
    """A part of an article's text."""

    text: str
    tokens: int
    next: Cursor | None


@dataclass(frozen=True)
class Piece:
    """A sentence with what stands before it when it is not the first of a portion."""

    text: str
    lead: str
    heading: str
    """The headings that begin here, to be written before it, one a line."""


def read_portion(article: Article, cursor: Cursor, tokens: int) -> Portion:
    """The text from a cursor on, of at most so many tokens."""
    pieces = list(_pieces(article, cursor.section))
    if cursor.sentence >= len(pieces) and cursor.sentence > 0:
        raise CursorError("the cursor is beyond the end")
    room = tokens * TOKEN_BYTES
    written: list[str] = []
    offset = cursor.offset
    for index in range(cursor.sentence, len(pieces)):
        piece = pieces[index]
        before = f"{piece.heading}\n\n" if piece.heading and not offset else ""
        joint = ("\n\n" if before else piece.lead) if written else ""
        text = joint + before + piece.text[offset:]
        size = len(text.encode())
        if size > room and written:
            return _portion(written, Cursor(cursor.as_of, cursor.section, index, offset))
        if size > room:
            part = text.encode()[:room].decode("utf-8", "ignore")
            done = offset + max(len(part) - len(joint + before), 1)
            return _portion([part], Cursor(cursor.as_of, cursor.section, index, done))
        written.append(text)
        room -= size
        offset = 0
    return _portion(written, None)


def _portion(written: list[str], following: Cursor | None) -> Portion:
    text = "".join(written)
    return Portion(text, count_tokens(text), following)


def count_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    return -(-len(text.encode()) // TOKEN_BYTES)


def _pieces(article: Article, section: int) -> Iterator[Piece]:
    """The sentences of a section and those below it, or of the whole article."""
    wanted = None if section == 0 else {part.number for part in below(article.sections, section)}
    titles = {part.number: part for part in article.sections}
    shown = 0
    for paragraph in article.paragraphs:
        if wanted is not None and paragraph.section not in wanted:
            continue
        headings = [titles[number] for number in range(shown + 1, paragraph.section + 1) if number in titles]
        if wanted is not None:
            headings = [part for part in headings if part.number in wanted]
        shown = max(shown, paragraph.section)
        heading = "\n\n".join(f"{'#' * max(part.level, 2)} {part.title}" for part in headings if part.title)
        for number, sentence in enumerate(paragraph.sentences):
            yield Piece(sentence.text, "\n\n" if number == 0 else " ", heading if number == 0 else "")


def below(sections: tuple[Section, ...], number: int) -> list[Section]:
    """A section and its subsections."""
    found: list[Section] = []
    for part in sections:
        if part.number == number:
            found.append(part)
        elif found and part.number > number:
            if part.level <= found[0].level:
                break
            found.append(part)
    return found


def find_section(article: Article, name: str) -> int:
    """The number of a section by its number or title; 0, the whole article, for an empty name."""
    asked = name.strip()
    if not asked:
        return 0
    for part in article.sections:
        if part.title.casefold() == asked.casefold():
            return part.number
    if asked.isdecimal() and len(asked) < 10 and any(part.number == int(asked) for part in article.sections):
        return int(asked)
    titles = ", ".join(part.title for part in article.sections[:40] if part.title)
    raise CursorError(f"there is no such section; there are: {titles[:1000] or 'none'}")
