"""The distributor's header, licence and end lines of a Project Gutenberg file, of any year since 1991.

A file opens with a START marker, with the end of its "small print", or with neither. It closes with an END marker, the
small print or the licence. A line "End of the Project Gutenberg Etext ..." closes it only if the licence follows: where
several etexts were joined, it stands between them and the work goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from deepred.sources.books.additions import is_credit, speaks_of_etexts

_PROJECT = r"(?:the |this |an? )?(?:copyrighted )?(?:proje[ck]t|projet|proyecto|progetto|projec?to)[ ]gutenberg"
_END_WORD = r"(?:end|ende|einde|fin|fine|fim|slut)\b[^\n]{0,40}?[ ]" + _PROJECT
MARK = re.compile(
    r"^[ \t]*+(?:"
    r"(?P<start>(?:\*{2,}[ \t]*(?:START|BEGINNING)|(?-i:START))[ ]OF[ ]"
    + _PROJECT
    # a long title is wrapped: the stars that close the marker stand on a later line of the same paragraph
    + r"(?:(?:[^*\n]|\n(?![ \t]*\n)){0,400}\*{2,})?[^\n]*)"
    r"|(?P<end>\*{2,}[ \t]*(?:END|ENDE)[ ](?:OF|DIESES)[ ]" + _PROJECT + r"[^\n]*)"
    r"|(?P<licence>\*{2,}[ \t]*START:[ ]FULL[ ]LICEN[SC]E[^\n]*)"
    r"|(?P<print_start>\*{2,}[ ]?START\*{0,3}[ ]?THE[ ]SMALL[ ]PRINT[^\n]*)"
    r"|(?P<print_end>[^\n]*\*END[^\n]{0,12}SMALL[ ]PRINT[^\n]*|\[\W?Small[ ]Print\W?[ ]V[^\n]*)"
    r"|(?P<phrase>(?:this is |here )?(?:the )?(?:" + _END_WORD + r"|"
    r"end of (?:the |this )?(?:project gutenberg )?(?:etext|e-text|ebook)\b|ende dieses (?:etextes|e-?books?)\b)[^\n]*)"
    r")",
    re.MULTILINE | re.IGNORECASE,
)
"""Where the distributor's words and the work meet; the name of the group says how."""
LICENCE_WORDS = re.compile(
    r"updated editions? will|should be named|licen[sc]e|small print|redistribut|copyright laws|\btrademark",
    re.IGNORECASE,
)
FIELD = re.compile(
    r"^(Title|Author|Translator|Editor|Illustrator|Release Date|Language|Original publication|Credits):[ \t]*+(.*)$",
    re.IGNORECASE,
)
PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")

OLD_HEADER = 40_000
"""Characters in which a header without a marker ends; the longest small print seen takes 14,000."""
LONGEST_SMALL_PRINT = 20_000
"""Characters between the two markers of the small print."""
HEADER_GAP = 6
"""Paragraphs in a row that say nothing of etexts and yet stand in a header without markers."""
AFTER_END = 4
"""Paragraphs after a line "End of ..." among which the licence shows, if it follows."""


def start_of_text(text: str) -> int | None:
    """Where the text after the START marker begins; None without one."""
    for mark in MARK.finditer(text):
        if mark["start"]:
            return mark.end()
    return None


def header_fields(text: str) -> dict[str, str]:
    """The header's ``Title:``, ``Author:`` and the like, continued lines joined, in lower-case keys."""
    fields: dict[str, str] = {}
    start = start_of_text(text[:OLD_HEADER])
    last = ""
    for line in text[: start if start is not None else 12_000].split("\n"):
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
    """The work alone: what stands between the markers, or after the header's last words where there are none."""
    marks = list(MARK.finditer(text))
    begin = _first_word(text, marks)
    removed["header"] += begin > 0
    parts: list[str] = []
    inside = True
    for index, mark in enumerate(marks):
        if mark.start() < begin or not (inside or _opens(mark)):
            continue
        following = marks[index + 1].start() if index + 1 < len(marks) else len(text)
        if inside:
            parts.append(text[begin : mark.start()])
        closes = _closes(mark, text, following, marks[index + 1 :])
        if closes or mark["phrase"]:
            removed["licence" if closes else "end-line"] += 1
        inside = not closes
        begin = _end_of_phrase(text, mark) if mark["phrase"] else mark.end()
    if inside:
        parts.append(text[begin:])
    return "".join(parts)


def _opens(mark: re.Match[str]) -> bool:
    return mark["start"] is not None or mark["print_end"] is not None


def _first_word(text: str, marks: list[re.Match[str]]) -> int:
    """Where the work begins. A licence in the header may itself speak of the end of an etext: START has the say."""
    for mark in marks:
        if mark["start"]:
            return mark.end()
    for mark in marks:
        # the small print of old files stands before the book or after it
        if mark["print_end"] and mark.start() < OLD_HEADER and not _after_a_work(text, marks, mark):
            return mark.end()
    ends = (mark.start() for mark in marks if not _opens(mark))
    return _after_boilerplate(text[: min(OLD_HEADER, next(ends, len(text)))])


def _after_a_work(text: str, marks: list[re.Match[str]], small_print: re.Match[str]) -> bool:
    """Whether the small print stands behind the work, which a line "End of ..." has closed."""
    ends = [mark.start() for mark in marks if mark.start() < small_print.start() and (mark["phrase"] or mark["end"])]
    return bool(ends) and len(text[small_print.end() :].strip()) < ends[-1]


def _after_boilerplate(text: str) -> int:
    """Where a header without markers ends: its paragraphs speak of etexts, but for a few in a row."""
    end = silent = 0
    for match in PARAGRAPH.finditer(text):
        if speaks_of_etexts(match[0]) or is_credit(match[0].split("\n")) or FIELD.match(match[0]):
            end, silent = match.end(), 0
            continue
        silent += 1
        if silent > HEADER_GAP:
            break
    return end


def _closes(mark: re.Match[str], text: str, following: int, later: list[re.Match[str]]) -> bool:
    """Whether the distributor's words follow a mark, and not the work."""
    if mark["licence"] or (mark["end"] and not any(other["end"] for other in later)):
        return True
    if mark["print_start"]:
        return any(other["print_end"] and other.start() - mark.start() < LONGEST_SMALL_PRINT for other in later[:3])
    if mark["phrase"] or mark["end"]:
        after = _paragraphs(text, _end_of_phrase(text, mark), following, AFTER_END)
        return any(speaks_of_etexts(paragraph) or LICENCE_WORDS.search(paragraph) for paragraph in after)
    return False


def _paragraphs(text: str, start: int, end: int, most: int) -> Iterator[str]:
    for number, match in enumerate(PARAGRAPH.finditer(text, start, end)):
        if number == most:
            return
        yield match[0]


def _end_of_phrase(text: str, mark: re.Match[str]) -> int:
    """The end of a line "End of ..." and of the one or two lines on which its title goes on."""
    paragraph = PARAGRAPH.match(text, mark.start())
    lines = paragraph[0].count("\n") + 1 if paragraph else 1
    return paragraph.end() if paragraph and lines <= 3 else mark.end()
