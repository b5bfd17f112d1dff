"""Modern introductions to old books: cut, because they are modern text under an old book's date.

A section headed as an introduction is modern when it speaks of the author by name, as somebody else would, and names a
year after the book's own. An author's preface stays, and so does a contemporary's.
"""

from __future__ import annotations

import re

HEADING = re.compile(
    r"\W*(?:(?:an? |the )?(?:new |modern |critical |general |historical |editor.?s |publisher.?s )?"
    r"(?:introduction|introductory note|foreword|afterword|preface|note on the text)(?: (?:to|by) .{3,60})?"
    r"|about the author|(?:editor|publisher).?s note|biographical note)\W*$",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(1[4-9]\d\d|20\d\d)\b")
LONGEST = 120
"""Paragraphs of the longest introduction; a section without an end is the book, and stays."""
NAMED = 2
"""Times that it must name the author."""


def cut_modern_introductions(text: str, author: str, year: int) -> tuple[str, int]:
    """The text without introductions that were written after ``year`` about ``author``, and how many were cut.

    >>> book = "INTRODUCTION\\n\\nVerne wrote it; Verne died. In 1961 it was filmed.\\n\\nCHAPTER I\\n\\nA."
    >>> cut_modern_introductions(book, "Jules Verne", 1900)
    ('CHAPTER I\\n\\nA.', 1)
    """
    paragraphs = text.split("\n\n")
    surname = _surname(author)
    kept: list[str] = []
    at = cut = 0
    while at < len(paragraphs):
        end = _section_end(paragraphs, at) if surname and HEADING.match(paragraphs[at]) else None
        if end is not None and _is_modern("\n".join(paragraphs[at:end]), surname, year):
            at, cut = end, cut + 1
            continue
        kept.append(paragraphs[at])
        at += 1
    return "\n\n".join(kept), cut


def _surname(author: str) -> str:
    surname, comma, _ = author.partition(",")
    words = re.findall(r"[\w'’-]+", re.sub(r"\([^)]*\)", "", surname))
    return " ".join(words) if comma else (words[-1] if words else "")


def _section_end(paragraphs: list[str], start: int) -> int | None:
    """Where the next heading stands, once the section has had a paragraph of prose."""
    prose = False
    for index in range(start + 1, min(len(paragraphs), start + LONGEST)):
        paragraph = paragraphs[index]
        heading = len(paragraph) < 80 and not paragraph.rstrip("”\"'").endswith((".", "?", "!", ",", ";", ":"))
        if prose and (heading or re.match(r"(?:chapter|book|part|canto|act|scene)\b", paragraph, re.IGNORECASE)):
            # a signature and its place close an introduction, they do not begin the book
            after = paragraphs[index + 1] if index + 1 < len(paragraphs) else ""
            if paragraph.isupper() or len(after) > 80 or paragraph.lower().startswith(("chapter", "book", "part")):
                return index
        prose = prose or len(paragraph) > 80 or paragraph.endswith(".")
    return None


def _is_modern(section: str, surname: str, year: int) -> bool:
    named = len(re.findall(rf"\b{re.escape(surname)}\b", section, re.IGNORECASE))
    return named >= NAMED and any(int(found) > year for found in YEAR.findall(section))
