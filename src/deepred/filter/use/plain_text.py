"""Any text without what could only be written after a cutoff: a stream in, the kept text and every verdict out.

A line is a paragraph. Text is judged in blocks of some thousand characters, so that a sentence is judged by its
neighbours and memory stays flat however long the stream; what is no sentence (rules, blank lines) passes unchanged, and
a text of which nothing is dropped comes out as it went in.

    from deepred.filter.use.plain_text import filter_text
    filter_text("Salt is good. It closed in 1987.").text
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from deepred.base.days import Day
from deepred.filter.decision import KEPT, REASONS
from deepred.filter.emergence import describe_article
from deepred.filter.judge import Judge

BLOCK = 1 << 15
"""Characters judged together, about: the length of a long article, whose sentences lend each other context."""
LONGEST = 1 << 20
"""Characters of a line that are judged together at most; a longer one is cut after a sentence or a space."""
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence, whether it is kept, the reason for which it is not (empty where it is), and how likely it is late."""

    text: str
    kept: bool
    reason: str
    probability: float


@dataclass(frozen=True, slots=True)
class Filtered:
    """A block of text without its dropped sentences, and the verdicts on all of them in order."""

    text: str
    verdicts: list[Verdict]


def filter_text(text: str, judge: Judge | None = None, cutoff: Day = 19690720, title: str = "") -> Filtered:
    """A text without what could only be written from the cutoff on, with the verdict on every sentence.

    ``judge`` comes from ``Judge.load`` and holds a cutoff of its own; without one later dates alone decide, and what
    leans on the sentences that they drop. ``title`` names what the text is about, where that is known.

    >>> filter_text("Salt is good. It closed in 1987.\\n").text
    'Salt is good.\\n'
    """
    judge = judge or Judge.by_dates_alone(cutoff, "drop")
    # with a revision nothing is taken for a heading: only a corpus of articles marks these by a lone full stop
    article: dict[str, Any] = {"page_id": 0, "title": title, "text": text, "revision_id": 1}
    row, _, _ = describe_article(article, judge.titles)
    segments, decision = judge.judge(article, row | {"fold": 0}, "U")
    verdicts = [
        Verdict(text[start:end], reason == KEPT, REASONS[reason], round(float(probability), 4))
        for start, end, reason, probability in zip(
            segments.starts, segments.ends, decision.reasons.tolist(), decision.probability
        )
    ]
    spans = zip(segments.starts, segments.ends, verdicts)
    return Filtered(without(text, [(start, end) for start, end, verdict in spans if not verdict.kept]), verdicts)


def filter_stream(read: Callable[[int], str], judge: Judge) -> Iterator[Filtered]:
    """The blocks of a stream, each as ``filter_text`` leaves it; ``read(n)`` gives at most n characters, "" at its end.

    >>> import io
    >>> stream = io.StringIO("Salt is good.\\nIt closed in 1987.\\n")
    >>> [block.text for block in filter_stream(stream.read, Judge.by_dates_alone(19690720, "drop"))]
    ['Salt is good.\\n']
    """
    for block in read_blocks(read):
        yield filter_text(block, judge)


def read_blocks(read: Callable[[int], str]) -> Iterator[str]:
    """A stream as blocks that end with a paragraph; together they are the stream.

    >>> import io
    >>> list(read_blocks(io.StringIO("One.\\n\\nTwo.").read))
    ['One.\\n\\nTwo.']
    """
    held = ""
    while chunk := read(CHUNK):
        held += chunk
        start = 0
        while len(held) - start >= BLOCK and (end := _block_end(held, start)):
            yield held[start:end]
            start = end
        held = held[start:]
    if held:
        yield held


def _block_end(text: str, start: int) -> int:
    """Where a block that begins at ``start`` ends; 0 where more must be read first to tell."""
    for mark in ("\n\n", "\n"):
        place = text.rfind(mark, start, start + BLOCK)
        if place >= 0:
            return place + len(mark)
    place = text.find("\n", start + BLOCK)
    if 0 <= place < start + LONGEST:
        return place + 1
    if len(text) - start < LONGEST:
        return 0
    for mark in (". ", " "):
        place = text.rfind(mark, start, start + LONGEST)
        if place >= 0:
            return place + len(mark)
    return start + LONGEST


def without(text: str, spans: list[tuple[int, int]]) -> str:
    r"""A text without some sentences, the space after each, and the lines that held nothing else.

    >>> without("One. Two. Three.\nFour.\n", [(5, 9), (17, 22)])
    'One. Three.\n'
    """
    if not spans:
        return text
    starts = [start for start, _ in spans]
    parts: list[str] = []
    first = 0
    for line in text.splitlines(keepends=True):
        last = first + len(line)
        cut = spans[bisect_left(starts, first) : bisect_left(starts, last)]
        parts.append(_cut_line(text, first, last, cut) if cut else line)
        first = last
    return "".join(parts)


def _cut_line(text: str, first: int, last: int, cut: list[tuple[int, int]]) -> str:
    line = text[first:last]
    ending = line[len(line.splitlines()[0]) :]
    parts: list[str] = []
    at, body = first, last - len(ending)
    for start, end in cut:
        parts.append(text[at:start])
        at = min(end, body)
        while at < body and text[at] in " \t":
            at += 1
    rest = text[at:body]
    kept = "".join([*parts, rest]) if rest else "".join(parts).rstrip(" \t")
    return kept + ending if kept.strip() else ""
