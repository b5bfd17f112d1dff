"""The text of a Project Gutenberg file without what was added to it, reflowed into paragraphs.

Bytes come in; the author's words go out: no licence, small print, credits, transcriber's notes, illustration markers or
page numbers. Hard-wrapped lines become one line a paragraph, while verse, drama, tables and headings keep their lines.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

START = re.compile(
    r"^[ \t]*\*{3}[ \t]*START OF (?:THE|THIS) PROJECT GUTENBERG[^*]{0,400}\*{3}[^\n]*$", re.MULTILINE | re.IGNORECASE
)
END = re.compile(
    r"^[ \t]*(?:\*{3}[ \t]*END OF (?:THE|THIS) PROJECT GUTENBERG|"
    r"(?:This is the )?End of (?:the |this )?Project Gutenberg|End of (?:the |this )?(?:Etext|E-text|ebook)\b)",
    re.MULTILINE | re.IGNORECASE,
)
SMALL_PRINT = re.compile(r"^[^\n]*\*END[^\n]{0,12}SMALL PRINT[^\n]*$", re.MULTILINE | re.IGNORECASE)
FIELD = re.compile(
    r"^(Title|Author|Translator|Editor|Illustrator|Release Date|Language|Original publication):[ \t]*(.*)$",
    re.IGNORECASE,
)
PERMISSION = re.compile(r"this is a \W{0,3}copyrighted\W{1,3}project gutenberg", re.IGNORECASE)
"""What stands in the header of the few e-books that are distributed by permission."""
NUMBER = re.compile(r"\[(?:e-?book|e-?text)[ ]?#[ ]?(\d+)\]|\[Etext[ #]+(\d+)\]", re.IGNORECASE)

BOILERPLATE = re.compile(
    r"project gutenberg|gutenberg[- ]tm|\be-?texts?\b|\be-?books?\b|distributed proofread|\bpgdp\b|transcriber|"
    r"redactor.s note|small print!|plain vanilla|https?://|\bwww\.|@\w+\.(?:com|org|edu|net)",
    re.IGNORECASE,
)
"""Words that no book before electronic texts has; a paragraph that holds one was added to it."""

HINTS = (
    "gutenberg",
    "text",
    "book",
    "proofread",
    "pgdp",
    "transcriber",
    "redactor",
    "small print",
    "vanilla",
    "http",
    "www",
    "@",
)
"""One of these is in every match of ``BOILERPLATE``; plain searches for them cost a tenth of it."""

CREDIT = re.compile(
    r"^[\[(]?\s*(?:produced by|(?:this )?(?:e-?text|e-?book|file|text) (?:was )?(?:prepared|produced|scanned|"
    r"created|typed)|(?:text )?scanned (?:and|by)|"
    r"transcribed (?:by|from)|prepared by|proofed by|typed (?:in )?by|digitized by|"
    r"html version|note: (?:images|project)|images of the original|\(?this (?:file|book) was produced|"
    r"(?:first|last) (?:posted|updated)|character set encoding|release date|posting date|edition: \d)",
    re.IGNORECASE,
)
NOTE_HEADING = re.compile(
    r"^\W*(?:transcriber.?s?.? notes?|redactor.?s note|e-?text editor.?s? note|note from the transcriber|"
    r"information about this e-?text edition|typographical errors corrected|notes? on (?:the|this) e-?text)\b",
    re.IGNORECASE,
)
BRACKETED_NOTE = re.compile(r"\[\s*(?:_?transcriber|_?redactor|e-?text|proofreader|note from the trans)", re.IGNORECASE)
MARKER = re.compile(
    r"\[\s*_?(?:illustration|frontispiece|blank page|page intentionally|colophon|decoration|"
    r"decorative|cover|map of|music|ornament)",
    re.IGNORECASE,
)
PAGE_MARK = re.compile(r"\{(?:p\. ?|pg ?)?\d{1,4}\}|\[(?:pg\.?|page|p\.)\s*[\dxivlc]{1,6}\]", re.IGNORECASE)
LONE_NUMBER = re.compile(r"^[ \t]*(?:-[ ]?)?(\d{1,4})(?:[ ]?-)?[ \t]*$", re.MULTILINE)
IMPRINT = re.compile(
    r"no part of this (?:publication|book|work) may be|all rights (?:whatsoever )?(?:are )?reserved|"
    r"printed in (?:the )?u",
    re.I,
)
EMPHASIS = re.compile(r"_(?:(?<!\w_)(?=[^\s_])|(?<=[^\s_]_)(?!\w))")
"""An underscore that opens or closes emphasis, which may span paragraphs; "Mr. ____" and "x_1" keep theirs."""

OLD_HEADER = 40_000
"""Characters in which a header without a marker ends; the longest small print seen takes 14,000."""
FRONT = 40
"""Paragraphs at either end in which a credit or a note may stand; none of 66 books looked at had one later."""
LONGEST_NOTE = 20_000
"""Characters that a bracketed note may hold; a longer one is an unclosed bracket and only its first line is dropped."""
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
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\ufeff", "")


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
    body = cut_brackets(body, BRACKETED_NOTE, "transcriber-note", removed, notes)
    body = cut_brackets(body, MARKER, "illustration", removed, [])
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


def header_fields(text: str) -> dict[str, str]:
    """The header's ``Title:``, ``Author:`` and the like, continued lines joined, in lower-case keys."""
    fields: dict[str, str] = {}
    start = START.search(text[:40_000])
    last = ""
    for line in text[: start.start() if start else 12_000].split("\n"):
        match = FIELD.match(line)
        if match:
            last = match[1].lower()
            if last in fields:
                last = ""
                continue
            fields[last] = match[2].strip()
        elif last and line[:1] in " \t" and line.strip():
            fields[last] += " " + line.strip()
        else:
            last = ""
    return fields


def cut_licence(text: str, removed: Counter[str]) -> str:
    """The text between the markers; without them, what follows the small print or boilerplate."""
    # the small print of old files stands before the book or after it; only the marker says which
    begins = START.search(text) or SMALL_PRINT.search(text, 0, OLD_HEADER)
    begin = begins.end() if begins else _after_boilerplate(text)
    # from the start marker on: a licence in the header may itself speak of the end of an e-text
    end = END.search(text, begin)
    removed["header"] += begin > 0
    removed["licence"] += end is not None
    return text[begin : end.start() if end else len(text)]


def _after_boilerplate(text: str) -> int:
    begin = 0
    for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text[:OLD_HEADER]):
        if speaks_of_etexts(match[0]) or CREDIT.match(match[0]) or FIELD.match(match[0]):
            begin = match.end()
    return begin


def speaks_of_etexts(paragraph: str) -> bool:
    """Whether a paragraph holds words that only an electronic edition has."""
    lower = paragraph.lower()
    return any(hint in lower for hint in HINTS) and bool(BOILERPLATE.search(paragraph))


def cut_brackets(text: str, opening: re.Pattern[str], reason: str, removed: Counter[str], notes: list[str]) -> str:
    """The text without the bracketed notes that begin like ``opening``, nested brackets included; linear."""
    parts: list[str] = []
    at = 0
    for match in opening.finditer(text):
        if match.start() < at:
            continue
        parts.append(text[at : match.start()])
        at = _closing(text, match.start())
        notes.append(text[match.start() : at])
        removed[reason] += 1
    parts.append(text[at:])
    return "".join(parts)


def _closing(text: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"[\[\]]").finditer(text, start, start + LONGEST_NOTE):
        depth += 1 if match[0] == "[" else -1
        if depth == 0:
            return match.end()
    newline = text.find("\n", start)
    return newline if newline >= 0 else len(text)


def cut_page_numbers(text: str, removed: Counter[str]) -> str:
    """The text without lone page numbers, where the book has them: many, and nearly always rising."""
    numbers = [int(match[1]) for match in LONE_NUMBER.finditer(text)]
    rising = sum(0 < second - first <= 10 for first, second in pairwise(numbers))
    if len(numbers) < PAGE_NUMBERS or rising < 0.8 * (len(numbers) - 1):
        return text
    removed["page-number"] += len(numbers)
    return LONE_NUMBER.sub("", text)


@dataclass(slots=True)
class Block:
    """Lines without a blank one between them, and how many blank lines stand before them."""

    lines: list[str]
    gap: int


def split_blocks(text: str) -> list[Block]:
    """The text as blocks between blank lines."""
    blocks: list[Block] = []
    gap = 0
    current: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            current.append(line.expandtabs(4).rstrip())
            continue
        if current:
            blocks.append(Block(current, gap))
            current, gap = [], 0
        gap += 1
    return blocks


def cut_additions(blocks: list[Block], removed: Counter[str], notes: list[str]) -> list[Block]:
    """The blocks without credits, transcriber's notes and anything that speaks of electronic texts."""
    kept: list[Block] = []
    last = len(blocks)
    note = False
    for index, block in enumerate(blocks):
        text = "\n".join(block.lines)
        edge = index < FRONT or index >= last - FRONT
        if NOTE_HEADING.match(text):
            note = True
            removed["transcriber-note"] += 1
            notes.append(text)
            continue
        if note and edge and not _ends_note(blocks, index):
            removed["transcriber-note"] += 1
            notes.append(text)
            continue
        note = False
        # "cover" alone is what is left of a picture in files that were made from HTML
        if speaks_of_etexts(text) or (edge and (CREDIT.match(text) or text.strip().lower() == "cover")):
            removed["credit"] += 1
            notes.append(text)
            continue
        kept.append(block)
    return kept


def _ends_note(blocks: list[Block], index: int) -> bool:
    """A front note ends at a wide gap that does not follow its heading; one at the back never ends."""
    if index >= len(blocks) - FRONT and index >= FRONT:
        return False
    heading = len(blocks[index - 1].lines) == 1 and bool(NOTE_HEADING.match(blocks[index - 1].lines[0]))
    return blocks[index].gap >= 3 and not heading


def _is_imprint(block: Block, index: int, removed: Counter[str]) -> bool:
    if index < FRONT and IMPRINT.search("\n".join(block.lines)):
        removed["imprint"] += 1
        return True
    return False


def wrap_width(paragraphs: list[list[str]]) -> int:
    """The column at which a book's lines are wrapped: 95% of the lines within paragraphs are no longer."""
    lengths = sorted(len(line) for lines in paragraphs if len(lines) > 2 for line in lines[:-1])
    return lengths[int(len(lengths) * 0.95)] if lengths else 72


def reflow(lines: list[str], width: int) -> str:
    """A wrapped paragraph as one line; verse, drama, headings and tables as they stand.

    A break is a wrap if the next line's first word would not have fitted.

    >>> reflow(["The quick brown fox jumps", "over the lazy dog."], 27)
    'The quick brown fox jumps over the lazy dog.'
    >>> reflow(["  Tyger Tyger,", "  burning bright"], 70)
    'Tyger Tyger,\\nburning bright'
    """
    if len(lines) == 1:
        return " ".join(lines[0].split())
    wraps = sum(len(line) + 1 + len(after.split(None, 1)[0]) > 0.85 * width for line, after in pairwise(lines))
    table = sum("   " in line.strip() for line in lines) > len(lines) / 3
    if table or wraps < 0.75 * (len(lines) - 1):
        indent = min(len(line) - len(line.lstrip()) for line in lines)
        return "\n".join(line[indent:] for line in lines)
    text = " ".join(" ".join(lines).split())
    return re.sub(r"--[ ](?=\w)", "--", text)
