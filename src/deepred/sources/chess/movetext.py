"""Movetext: raw text comes in, the words of the main line go out; comments, variations and glyphs are passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator

RESULTS = frozenset(("1-0", "0-1", "1/2-1/2", "*"))

TOKEN = re.compile(
    r"""\{[^}]*+\}?+             # a comment, to the end where it is never closed
    |;[^\n]*+                    # a comment to the end of the line
    |\[[^][\n]*+\]               # a command of a program outside a comment
    |<[^<>\n]*+>                 # what the standard reserves
    |\$\d*+                      # a glyph
    |\d++(?:[.…]|(?=[A-Za-z]))   # the number of a move
    |(
        [()*]
        |(?:[KQRBNP]?[a-h]?[1-8]?[x:–-]?[a-h][1-8]|[Oo0][–-][Oo0](?:[–-][Oo0])?)
            (?=\d{1,3}[.…]|1-0|0-1|1/2)  # a move to which the next number or the result is joined
        |[^\s(){}\[\]<>;,.…!?$*+#]++(?:\.p\.)?+[+#]*+
    )""",
    re.VERBOSE,
)
LOOKS_LIKE_A_MOVE = re.compile(
    r"""[a-h]\d                                       # a square
    |--|Z0|@@|^0000$                                  # no move at all
    |^[KQRBN]?[a-h]?[1-8]?[x:][a-h]$                  # a capture without its rank, or without "x"
    |^(?:ab|b[ac]|c[bd]|d[ce]|e[df]|f[eg]|g[fh]|hg)$
    |O[–-]O|^(?:o[–-]o|0[–-]0|[Oo]{2,3}\W*$)           # castling""",
    re.VERBOSE,
)
"""What is in a word that must not be passed over: without it the moves behind would be another's."""


def main_line(text: str) -> Iterator[str]:
    """The moves and results of the main line, and other words that may be meant as a move.

    >>> list(main_line("1. e4! {best} e5 (1... c5 2. Nf3) 2. Nf3 $14 Novelty Sf6 1-0"))
    ['e4', 'e5', 'Nf3', 'Sf6', '1-0']
    """
    depth = 0
    for word in TOKEN.findall(text):
        if not word:
            continue
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(0, depth - 1)
        elif not depth and (word in RESULTS or LOOKS_LIKE_A_MOVE.search(word)):
            yield word
