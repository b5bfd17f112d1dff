"""The text of a Project Gutenberg file without what was added to it, reflowed into paragraphs.

Bytes come in; the author's words go out: no licence, small print, credits, transcriber's notes, illustration markers or
page numbers. Hard-wrapped lines become one line a paragraph, while verse, drama, tables and headings keep their lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from deepred.sources.books.additions import SHEET, cut_additions, note_brackets
from deepred.sources.books.licence_markers import OLD_HEADER, cut_licence, header_fields
from deepred.sources.books.text_blocks import Block, reflow, split_blocks, wrap_width

PERMISSION = re.compile(r"this is a \W{0,3}copyrighted\W{1,3}project gutenberg", re.IGNORECASE)
"""What stands in the header of the few e-books that are distributed by permission."""
NUMBER = re.compile(r"\[(?:e-?book|e-?text)[ ]?#[ ]?(\d{1,9})\]|\[Etext[ #]{1,9}(\d{1,9})\]", re.IGNORECASE)

MARKER = re.compile(
    r"\[\s*_?(?:illustration|frontispiece|blank page|page intentionally|colophon|decoration|"
    r"decorative|cover\b|map of|music(?:al notation|[:\]])|ornament)",
    re.IGNORECASE,
)
PAGE_MARK = re.compile(r"\{(?:p\. ?|pg ?)?\d{1,4}\}|\[(?:pg\.?|page|p\.)\s*[\dxivlc]{1,6}\]", re.IGNORECASE)
LONE_NUMBER = re.compile(r"^[ \t]*(?:-[ ]?)?(\d{1,4})(?:[ ]?-)?[ \t]*$", re.MULTILINE)
IMPRINT = re.compile(
    r"no part of this (?:publication|book|work) may be|all rights (?:whatsoever )?(?:are )?reserved|"
    r"printed in (?:the )?u(?:nited|\.? ?s\b)",
    re.IGNORECASE,
)
EMPHASIS = re.compile(r"_(?:(?<!\w_)(?=[^\s_])|(?<=[^\s_]_)(?!\w))")
"""An underscore that opens or closes emphasis, which may span paragraphs; "Mr. ____" and "x_1" keep theirs."""

FRONT = 40
"""Paragraphs of the title page and what surrounds it."""
LONGEST_NOTE = 20_000
"""Characters that a bracketed note may hold; a longer one is an unclosed bracket: its first line is dropped,
of a note its paragraph."""
LONGEST_IMPRINT = 8
"""Lines of an imprint; a longer block is a page of the work."""
BRACKETS = {"[": "]", "{": "}", "(": ")"}
PAGE_NUMBERS = 30
"""Rising lone numbers from which they are pages: chapters are rarely numbered that far by a bare figure."""


@dataclass(slots=True)
class BookText:
    """A cleaned book: the file's own header fields, its text, and what was taken out, by reason."""

    fields: dict[str, str]
    number: int | None
    text: str
    front: str
    """The first page or two of the book, line by line, from which a title page's year is read."""
    notes: str = ""
    """The transcriber's notes and credits that were removed: they may name the edition that was copied."""
    removed: Counter[str] = field(default_factory=Counter[str])
    copyrighted: bool = False
    """Whether the file says that it is distributed by permission, not free."""


def decode(data: bytes) -> str | None:
    """The file's text with ``\\n`` line ends, whatever its encoding; None where the bytes are no text.

    >>> decode(b"caf\\xe9\\r\\n"), decode(b"\\xef\\xbb\\xbfcaf\\xc3\\xa9")
    ('café\\n', 'café')
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    elif b"\0" in data:
        return None
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    for line_end in ("\r\r\n", "\r\n", "\r", "\f"):
        text = text.replace(line_end, "\n")
    return text.replace("\ufeff", "")


def header_number(text: str) -> int | None:
    """The e-book's number as its header states it: ``[EBook #545]`` gives 545."""
    match = NUMBER.search(text[:20_000])
    return int(match[1] or match[2]) if match else None


def clean_book(text: str) -> BookText:
    """A book's own text from a decoded file; see the module."""
    removed: Counter[str] = Counter()
    fields = header_fields(text)
    number = header_number(text)
    by_permission = PERMISSION.search(" ".join(text[:OLD_HEADER].split())) is not None
    body = cut_licence(text, removed)
    notes: list[str] = []
    body, sheets = SHEET.subn("", body)
    removed["licence"] += sheets
    body = cut_brackets(body, note_brackets(body), "transcriber-note", removed, notes)
    body = cut_brackets(body, (match.start() for match in MARKER.finditer(body)), "illustration", removed)
    body, marks = PAGE_MARK.subn("", body)
    removed["page-number"] += marks
    body = cut_page_numbers(body, removed)
    body = EMPHASIS.sub("", body)
    blocks = cut_additions(split_blocks(body), removed, notes)
    front = "\n\n".join("\n".join(block.lines) for block in blocks[:FRONT])
    blocks = [block for index, block in enumerate(blocks) if not _is_imprint(block, index, removed)]
    width = wrap_width([block.lines for block in blocks])
    text = "\n\n".join(reflow(block.lines, width) for block in blocks)
    return BookText(fields, number, text, front, "\n".join(notes), removed, by_permission)


def cut_brackets(
    text: str, starts: Iterable[int], reason: str, removed: Counter[str], notes: list[str] | None = None
) -> str:
    """The text without the brackets that open at ``starts``, nested ones included; linear.

    What is cut is added to ``notes``. A bracket that never closes ends with its line, a note with its paragraph.
    """
    parts: list[str] = []
    at = 0
    for start in starts:
        if start < at:
            continue
        parts.append(text[at:start])
        at = _closing(text, start, "\n" if notes is None else "\n\n")
        if notes is not None:
            notes.append(text[start:at])
        removed[reason] += 1
    parts.append(text[at:])
    return "".join(parts)


def _closing(text: str, start: int, without_end: str) -> int:
    opening, closing = text[start], BRACKETS[text[start]]
    depth = 0
    for match in re.compile(rf"[\{opening}\{closing}]").finditer(text, start, start + LONGEST_NOTE):
        depth += 1 if match[0] == opening else -1
        if depth == 0:
            return match.end()
    end = text.find(without_end, start)
    return end if end >= 0 else len(text)


def cut_page_numbers(text: str, removed: Counter[str]) -> str:
    """The text without lone page numbers, where the book has them: many, and nearly always rising."""
    numbers = [int(match[1]) for match in LONE_NUMBER.finditer(text)]
    rising = sum(0 < second - first <= 10 for first, second in pairwise(numbers))
    if len(numbers) < PAGE_NUMBERS or rising < 0.8 * (len(numbers) - 1):
        return text
    removed["page-number"] += len(numbers)
    return LONE_NUMBER.sub("", text)


def _is_imprint(block: Block, index: int, removed: Counter[str]) -> bool:
    if index < FRONT and len(block.lines) <= LONGEST_IMPRINT and IMPRINT.search("\n".join(block.lines)):
        removed["imprint"] += 1
        return True
    return False
