"""Credits and transcriber's notes: a book's blocks come in, those that its electronic edition added are taken out.

What an addition looks like stands in ``additions.toml``. A paragraph that merely holds a word of theirs stays: what is
in doubt is the author's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from deepred.base.files import shipped_table
from deepred.sources.books.text_blocks import Block

BOILERPLATE = re.compile(
    r"project gutenberg|gutenberg[- ]tm|project runeberg|\be-?texts?\b|\be-?books?\b|distributed proofread|\bpgdp\b|"
    r"legal small print|small print!\W{0,3}statement|plain vanilla (?:ascii|electronic|text)|https?://|\bwww\.|"
    r"\w@[a-z][\w-]{1,40}\.[a-z]{2}",
    re.IGNORECASE,
)
"""Words that no book before electronic texts has; a paragraph that holds one was added to it."""

HINTS = ("gutenberg", "runeberg", "text", "book", "proofread", "pgdp", "small print", "vanilla", "http", "www", "@")
"""One of these is in every match of ``BOILERPLATE``; plain searches for them cost a tenth of it."""

HEADING_HINT = re.compile(
    "not[aei]|noot|merk|märk|mærk|trans|trasc|tn|redac|text|edit|zeilen|change|correct|typo|hinweis|lecteur|"
    "huomaut|kommentar"
)
"""One of these is in the first words of every heading of a note; most blocks hold none and are not folded."""

MARKS = " \t|*+#=~-_.:[({"
"""What may stand before the first letter of a note."""

SHEET = re.compile(r"<<\s*this electronic[^<>]{0,2000}>>", re.IGNORECASE)
"""A notice that some files repeat on every page."""
BRACKET = re.compile(r"\[|^[ \t]*[({]", re.MULTILINE)
CHANGE = re.compile(r"\S(?: = |\s{1,9}=\s|\s?[-=]>\s?|\s?→\s?| {3,40})\S")
"""A line of a list of changes or of a key: two sides with a sign or a gap between them."""
RULE = re.compile(r"\s*(?:[+|*#:]?[-=*_~#+.]{5,}[+|*#:]?|\+[-+=]{3,}\+)\s*")
DASHES = str.maketrans("–—→", "-->")
WORK_HEADING = re.compile(
    r"\W*(?:chapter|book|part|canto|act|scene|volume|letter|section|preface|introduction|foreword|contents|prologue|"
    r"kapitel|chapitre|cap[ií]tulo|capitolo|hoofdstuk|teil|tome)\b|\W*(?:\d{1,3}|[ivxlc]{1,7})\W*$",
    re.IGNORECASE,
)
EDGE = 40
"""Paragraphs at either end in which a credit or a note may stand; none of 66 books looked at had one later."""
OUTER_EDGE = 12
"""Paragraphs at either end in which a line of names may be a credit."""
LONGEST_PROSE = 12
"""Paragraphs of a note that say nothing of the edition, before a wide gap ends it."""
HINTS_OF_A_NOTE = 2
"""Different words of a note that a paragraph needs which no word of its own gives away."""
LONGEST_BOX = 40
"""Paragraphs of a box."""
LONGEST_RULED = 8
"""Paragraphs between two lines that are no box."""
WIDE = 3
"""Blank lines that part a note from the work."""


def speaks_of_etexts(paragraph: str) -> bool:
    """Whether a paragraph holds words that only an electronic edition has."""
    lower = paragraph.lower()
    return any(hint in lower for hint in HINTS) and bool(BOILERPLATE.search(paragraph))


@dataclass(frozen=True, slots=True)
class Words:
    """The patterns of ``additions.toml``."""

    heading: re.Pattern[str]
    weak: re.Pattern[str]
    note: re.Pattern[str]
    hint: re.Pattern[str]
    lone: re.Pattern[str]
    credit: re.Pattern[str]
    made: re.Pattern[str]
    work: re.Pattern[str]
    plain: frozenset[str]


@cache
def words() -> Words:
    """The words by which additions are known, over folded text."""
    table = shipped_table("deepred.sources.books", "additions.toml")
    either = {name: "|".join(form for forms in kind.values() for form in forms) for name, kind in table.items()}
    return Words(
        heading=re.compile(rf"(?:{either['headings']})(?![a-z0-9])"),
        weak=re.compile(rf"(?:{either['weak_headings']})"),
        note=re.compile(either["notes"]),
        hint=re.compile(f"{either['notes']}|{either['note_hints']}"),
        lone=re.compile(either["lone"]),
        credit=re.compile(rf"(?:{either['credits']})(?![a-z0-9])"),
        made=re.compile(either["made"]),
        work=re.compile(either["work"]),
        plain=frozenset(table["plain"]["any"]),
    )


def fold(text: str) -> str:
    """Lower case without accents, apostrophes, marks of boxes and emphasis at a line's ends, in single spaces.

    >>> fold("| _TRANSCRIBER’S  Note_: |")
    'transcribers note:'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(DASHES)).encode("ascii", "ignore").decode()
    lines = text.lower().replace("'", "").replace("`", "").replace("_", "").split("\n")
    return " ".join(" ".join(line.strip(" \t|*+#=~") for line in lines).split())


def opening_of(lines: list[str]) -> str:
    """The folded first words of a block, from its first letter on, below a rule; empty where they head no note."""
    begun = "".join(lines[:4]).lstrip(MARKS)[:60].lower()
    if not HEADING_HINT.search(begun):
        return ""
    told = [line for line in lines[:4] if not RULE.fullmatch(line)]
    return re.sub(r"^[^a-z0-9]+", "", fold("\n".join(told)[:400]))


def heading_of(lines: list[str]) -> str:
    """``"bare"`` for a heading of a note and for what announces a list, ``"note"`` for a whole note, else ``""``."""
    opening = opening_of(lines)
    match = words().heading.match(opening)
    if not match:
        return ""
    rest = opening[match.end() :]
    alone = sum(bool(re.search(r"\w", line)) for line in lines) == 1
    if alone and not rest.strip(" .:;,-*=+|#~[](){}"):
        return "bare"
    if alone and len(opening) <= 60 and not opening.endswith((".", ",", ";")) and ":" not in opening:
        return "bare"
    if opening.endswith(":") and len(lines) <= 4:
        return "bare"
    # "Transcribers' notes are seldom trusted, said the monk" is a sentence of the work
    own_line = words().heading.fullmatch(opening_of(lines[: _first_told(lines) + 1]).rstrip(" .:;-])}"))
    return "note" if own_line or re.match(r"\s*[:.;\])}]|\s*-|\s+i have", rest) or "i have" in match[0] else ""


def _first_told(lines: list[str]) -> int:
    return next((index for index, line in enumerate(lines) if re.search(r"\w", line)), 0)


def note_brackets(text: str) -> Iterator[int]:
    """Where the notes in brackets begin: square ones anywhere, others at the beginning of a line."""
    for match in BRACKET.finditer(text):
        start = match.end() - 1
        opening = re.sub(r"^[^a-z0-9]+", "", fold(text[start : start + 120]))
        found = words().heading.match(opening)
        if (found and re.match(r"\s*(?:[:.;,\-\])}]|$)", opening[found.end() :])) or re.match("e-?text", opening):
            yield start


def is_credit(lines: list[str], beside: bool = False) -> bool:
    """Whether a block names who made the file: it begins so, and goes on with names or with how it was made.

    What anybody may say, a thank-you above all, needs words of the making, or another credit ``beside`` it.
    """
    opening = re.sub(r"^[^a-z0-9]+", "", fold("\n".join(lines)))
    match = words().credit.match(opening)
    if not match or len(opening) > 1200:
        return False
    common = re.search("thank|image", match[0]) is not None
    if words().made.search(opening if common else opening[match.end() :]):
        return True
    if (common and not beside) or words().work.search(opening):
        return False
    told = " ".join(lines)
    begun = re.search(r"\b(?:by|from|von|par|por|da|thanks(?: are due| go)?(?: to)?)\b:?", told, re.IGNORECASE)
    names = re.findall(r"[^\W\d_][\w'’.-]*", told[begun.end() :] if begun else told)
    unknown = [name for name in names if name[0].islower() and name.rstrip(".'’-").lower() not in words().plain]
    named = any(name[0].isupper() for name in names) and len(unknown) <= len(names) // 12
    return named or not names


def cut_additions(blocks: list[Block], removed: Counter[str], notes: list[str]) -> list[Block]:
    """The blocks without credits, transcriber's notes and anything that speaks of electronic texts."""
    kept: list[Block] = []
    last = len(blocks)
    at = 0
    credited = False
    while at < last:
        end = _note_end(blocks, at) if heading_of(blocks[at].lines) else _weak_note_end(blocks, at)
        if end > at:
            removed["transcriber-note"] += end - at
            notes.extend(block.text() for block in blocks[at:end])
            if kept and _is_rule(kept[-1]) and (end == last or _ends_in_rule(blocks[end - 1])):
                kept.pop()
            at = end
            continue
        block = blocks[at]
        credited = _is_addition(block, min(at, last - 1 - at), credited)
        if credited:
            removed["credit"] += 1
            notes.append(block.text())
        else:
            kept.append(block)
        at += 1
    return kept


def _is_addition(block: Block, from_edge: int, beside: bool) -> bool:
    text = block.text()
    if speaks_of_etexts(text):
        return True
    if from_edge >= EDGE:
        return False
    if words().lone.match(re.sub(r"^[^a-z0-9]+", "", fold(text))):
        return True
    return from_edge < OUTER_EDGE and is_credit(block.lines, beside)


def _note_end(blocks: list[Block], start: int) -> int:
    """The index after the last block of the note that ``blocks[start]`` heads."""
    boxed = _box_end(blocks, start)
    if boxed:
        return boxed
    last = len(blocks)
    bare = heading_of(blocks[start].lines) == "bare"
    at = start + 1
    if bare and at < last and not _is_title(blocks[at]):
        at += 1  # what stands below a bare heading is the note
    while at < last and blocks[at].gap < WIDE and _is_of_a_note(blocks[at]):
        at += 1
    return _prose_end(blocks, start, at) if bare else at


def _weak_note_end(blocks: list[Block], start: int) -> int:
    """The same for a block headed only "Note:", which at either end may be about the edition; else ``start``."""
    opening = opening_of(blocks[start].lines)
    if min(start, len(blocks) - 1 - start) >= OUTER_EDGE or not words().weak.match(opening):
        return start
    end = start + 1 + (words().weak.fullmatch(opening) is not None)
    told = fold("\n".join(block.text() for block in blocks[start:end]))
    return end if _hints(told) >= HINTS_OF_A_NOTE else start


def _prose_end(blocks: list[Block], start: int, at: int) -> int:
    """Where a note with paragraphs of prose ends: at a wide gap or the end of the file, if these are near."""
    if _at_the_back(blocks, start, at):
        return len(blocks)
    for end in range(at, min(at + LONGEST_PROSE, len(blocks) - 1)):
        if blocks[end].gap >= WIDE and end > start + 1:
            return end
        signature = end > at and blocks[end + 1].gap >= WIDE
        if blocks[end].gap > 1 or (_is_title(blocks[end]) and not signature):
            return at
    return at


def _at_the_back(blocks: list[Block], start: int, at: int) -> bool:
    """Whether a note goes on to the end of the file: it stands apart, or only short lines follow, as it quotes them."""
    rest = blocks[at:]
    if start <= len(blocks) // 2 or len(rest) > LONGEST_PROSE:
        return False
    if any(block.gap >= WIDE or _is_title(block) for block in rest):
        return False
    return blocks[start].gap >= WIDE or all(len(block.lines) <= 2 for block in rest)


def _box_end(blocks: list[Block], start: int) -> int:
    """The index after a box around the note, 0 where it has none: its lower rule is like the upper one."""
    block = blocks[start]
    boxed = bool(RULE.fullmatch(block.lines[0]))
    if boxed and len(block.lines) > 1 and RULE.fullmatch(block.lines[-1]):
        return start + 1
    if not boxed and not (start and _is_rule(blocks[start - 1])):
        return 0
    upper = (block if boxed else blocks[start - 1]).lines[0].strip()
    # between two lines that may as well part the work's chapters little is taken for a note
    for end in range(start, min(start + (LONGEST_BOX if boxed else LONGEST_RULED), len(blocks))):
        if (end > start or len(block.lines) > 1) and blocks[end].lines[-1].strip() == upper:
            return end + 1
        if end > start and _is_title(blocks[end]):
            return 0
    return 0


def _is_rule(block: Block) -> bool:
    return len(block.lines) == 1 and bool(RULE.fullmatch(block.lines[0]))


def _ends_in_rule(block: Block) -> bool:
    return bool(RULE.fullmatch(block.lines[-1]))


def _is_of_a_note(block: Block) -> bool:
    """Whether a block beside a note's heading speaks of the edition: words of a note, a list of changes, a key."""
    if _is_title(block):
        return False
    text = block.text()
    told = fold(text)
    hints = HINTS_OF_A_NOTE + (len(block.lines) > 2)
    if words().note.search(told) or _hints(told) >= hints or speaks_of_etexts(text):
        return True
    return sum(bool(CHANGE.search(line)) for line in block.lines) * 2 >= len(block.lines)


def _hints(told: str) -> int:
    return len({match[0] for match in words().hint.finditer(told)})


def _is_title(block: Block) -> bool:
    """Whether a block is a line of a title page or a heading: short, in capitals or with no end of a sentence."""
    text = " ".join(block.text().split())
    if len(block.lines) > 3 or len(text) > 90:
        return False
    if WORK_HEADING.match(text) and not _hints(fold(text)):
        return True
    if re.search(r"\d|[=→\[\]]|->| {3}", block.text()):
        return False
    letters: list[str] = re.findall(r"[^\W\d_]+", text)
    if not letters:
        return False
    capital = sum(word[0].isupper() for word in letters)
    return text.isupper() or (
        not text.rstrip("_\"'”*").endswith((".", ":", ";", ",", "?", "!")) and capital * 2 >= len(letters)
    )
