"""Plain text as sections, paragraphs and sentences, with exact offsets.

In: an article's text and, where the dump gave them, its section headings. Out: spans ``[start, end)`` into that text;
nothing is copied or normalised, so that a sentence can be found again by its offsets. Linear in the text whatever it
holds: a megabyte without a full stop is one sentence, and a text without letters has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Words before a full stop that do not end a sentence, in lower case and without the stop: titles, units, months and
# Latin abbreviations of encyclopedic prose, written down by hand.
ABBREVIATIONS = frozenset(
    (  # noqa: SIM905 (a list of words reads better as words)
        "adj adm al approx art ave b bp brig bros c ca capt cent cf ch chap cmdr co col comdr cpl d dept "
        "det dr ed eds eng esp est etc excl ex fig figs fl fr ft gen gov hon hr i.e e.g illus inc incl "
        "insp int jr kg km lb lit lt ltd maj mm mme mlle mr mrs ms mt mts nos op orig oz p pl pp pres "
        "prof pt pts publ pub r rep rev rr sc sen ser sgt sp spp sq sr st ste supt syn trans transl univ "
        "var viz vol vols vs u.s u.k u.n d.c n.y jan feb mar apr jun jul aug sep sept oct nov dec "
    ).split()
)
# After these the full stop is an abbreviation only where a number follows ("No. 5", "Art. 3").
BEFORE_NUMBER = frozenset({"no", "nr", "art", "fig", "sec", "para", "op", "vol", "ch", "pp", "ca"})

_END = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”’»)\]]{0,3}(?=\s)"  # stops of most scripts with a following space, closing marks included
    r"|(?<=[a-z0-9)][a-z0-9)])[.!?](?=[A-Z][a-z ])"  # "ended.The next": a reference that stood between was cut
    r"|[。！？｡]+[\"'”’»)\]」』）]{0,3}"  # ideographic stops need no space
    r"|(?<![।॥؟۔።᙮])[।॥؟۔።᙮]++(?=\s|$)"
)
_NEXT = re.compile(r"\s*[\"'“‘«(\[]{0,3}")
_WORD_BEFORE = re.compile(r"(?:\w|[.'’-])+$")
_LINE = re.compile(r"[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_LETTER = re.compile(r"[^\W_]")
# Plain-text corpora mark a heading by a short line that ends in a full stop alone.
HEADING_CHARACTERS = 80
HEADING_WORDS = 10
WINDOW = 24  # characters before a full stop in which an abbreviation is looked for


@dataclass(slots=True)
class Segments:
    """An article as spans: headings, and sentences with the numbers of their paragraph and section."""

    starts: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    paragraphs: list[int] = field(default_factory=list[int])
    sections: list[int] = field(default_factory=list[int])
    headings: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Heading ``i`` opens section ``i + 1``; section 0 is the lead."""

    def __len__(self) -> int:
        return len(self.starts)


def segment(text: str, sections: Sequence[Mapping[str, Any]] = (), title: str = "", plain: bool = False) -> Segments:
    """The headings, paragraphs and sentences of a text; in a plain one, short lines with a stop are headings.

    >>> spans = segment("Dr. A. B. Smith came. He saw it.\\n\\nThen he left.")
    >>> list(zip(spans.starts, spans.ends, spans.paragraphs))
    [(0, 21, 0), (22, 32, 0), (34, 47, 1)]
    """
    found = Segments()
    known = {int(section["start"]): str(section["title"]) for section in sections}
    section = paragraph = 0
    for line in _LINE.finditer(text):
        start, end = _strip(text, line.start(), line.end())
        if start == end:
            continue
        if _is_heading(text, start, end, line.start(), known, title if plain else None):
            section += 1
            found.headings.append((start, end))
            continue
        if line.start() in known:
            # the heading itself was left out of the text: an empty heading keeps the numbers in step
            section += 1
            found.headings.append((start, start))
        count = len(found)
        for first, last in split_sentences(text, start, end):
            found.starts.append(first)
            found.ends.append(last)
            found.paragraphs.append(paragraph)
            found.sections.append(section)
        paragraph += len(found) > count
    return found


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def _is_heading(text: str, start: int, end: int, line: int, known: Mapping[int, str], title: str | None) -> bool:
    """A heading by the dump's own sections, else a short line with nothing but a closing full stop, or the title."""
    if end - start > max(HEADING_CHARACTERS, len(title or "")):
        return False
    shown = text[start:end]
    if known:
        heading = known.get(line, known.get(start))
        return heading is not None and shown.strip("= ").rstrip(".") == heading.strip().rstrip(".")
    if title is None or (start == 0 and shown == title):
        return title is not None
    if end + 1 >= len(text):
        return False
    body = shown[:-1]
    return (
        shown.endswith(".")
        and not body.endswith(("..", "!", "?", '"', "”", ")"))
        and ". " not in body
        and body.count(" ") < HEADING_WORDS
        and _is_titled(body)
    )


# A short line with one of these words is a sentence, not a heading.
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|may|will|does|did|became|it|he|she|they|there|this|that|see)\b",
    re.IGNORECASE,
)


def _is_titled(body: str) -> bool:
    return bool(_LETTER.search(body)) and not _VERB.search(body)


def split_sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of one paragraph ``text[start:end]`` as spans, without the white space between them.

    >>> split_sentences("He met J. F. Stone at 5 p.m. in St. Ives. Later he left.", 0, 56)
    [(0, 41), (42, 56)]
    """
    spans: list[tuple[int, int]] = []
    first = start
    for match in _END.finditer(text, start, end):
        stop = match.end()
        if stop >= end:
            break
        if not _ends_sentence(text, first, match.start(), stop, end):
            continue
        spans.append((first, stop))
        opening = _NEXT.match(text, stop, end)
        first = stop + len(text[stop : opening.end()]) - len(text[stop : opening.end()].lstrip()) if opening else stop
    if first < end:
        spans.append((first, end))
    return [
        (a, b) for a, b in spans if _LETTER.search(text, a, b) or any(ch.isdigit() for ch in text[a : min(b, a + 64)])
    ]


def _ends_sentence(text: str, first: int, dot: int, stop: int, end: int) -> bool:
    """Whether the mark at ``dot`` closes a sentence, by the word before it and the letter after it."""
    opening = _NEXT.match(text, stop, end)
    after = opening.end() if opening else stop
    if after >= end:
        return True
    following = text[after]
    if following.islower() or following in ",;:)]":
        return False
    if text[dot] != "." or (stop - dot > 1 and text[dot + 1] != "."):
        return not (stop - dot > 1 and text[dot] == "." and _is_abbreviated(text, first, dot, following))
    return not _is_abbreviated(text, first, dot, following)


def _is_abbreviated(text: str, first: int, dot: int, following: str) -> bool:
    before = _WORD_BEFORE.search(text, max(first, dot - WINDOW), dot)
    if not before:
        return False
    word = before.group().lstrip("'’-.")
    if not word:
        return False
    lower = word.lower()
    if lower in BEFORE_NUMBER and following.isdigit():
        return True
    if len(word) == 1 and word.islower():
        return following.isdigit()  # "(d. 1865)"; a formula's "x." before a capital ends
    if len(word) == 1 and word.isalpha():
        return word.isupper() and not (
            before.start() > first + 1 and text[before.start() - 2 : before.start()] in ("n ", "s ")
        )
    if len(word) <= 5 and "." in word and all(len(part) <= 1 for part in word.split(".")):
        return not (
            word[0].islower() and lower not in ("i.e", "e.g")
        )  # U.S. and J.F. go on, "p.m." before a capital ends
    return lower in ABBREVIATIONS
