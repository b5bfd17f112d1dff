"""A text as blocks between blank lines, and hard-wrapped blocks as paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise


@dataclass(slots=True)
class Block:
    """Lines without a blank one between them, and how many blank lines stand before them."""

    lines: list[str]
    gap: int

    def text(self) -> str:
        """Its lines as one string."""
        return "\n".join(self.lines)


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
