"""Texts on which tokenizers have been seen to differ: scripts, white space, digits, code, emoji, special tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence

SEED = 1969
LONGEST = 80
"""Characters of a piece of real text at most."""

FRAGMENTS: tuple[str, ...] = (
    # words, contractions, capitals, punctuation
    "Hello, world!", "don't we'll I've she'd", "'s 'S", "ALL CAPS", "CamelCaseWord", "end.", "A.B.C.", "—", "…",
    "“quoted”", "№ 7", "½", "№", "~", "@", "\\", "O-O-O#", "1. e4 e5 2. Nf3 Nc6", "naïve café", "ð", "e\u0301",
    # white space
    " ", "  ", "   leading", "trailing   ", "a  b   c", "\n", "\n\n", "\n \n", "\t\ttabs", "\r\n", "\xa0nbsp",
    "\u2003em", "\u200bzero", "\u3000wide", " \n\t mixed \r\n",
    # digits
    "1969", "0", "007", "3.14159", "12,345,678", "0x7F", "1e-9", "$100", "50%", "#1", "٣٤٥", "१२३", "Ⅷ", "²³",
    # code
    "x=y+z;", "{[()]}", "snake_case", "C++", "def f(x):\n    return x * 2\n", "<div class=\"a\">&nbsp;</div>",
    "SELECT * FROM t WHERE a!='b';", "http://a.b/c?d=e&f=%20", "if(a&&b||!c){++i;}", "/* */ // #",
    # scripts
    "Москва, 19 июля", "Ελλάδα", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "สวัสดีชาวโลก", "北京你好",
    "東京オリンピック", "안녕하세요", "გამარჯობა", "Բարեւ", "ሰላም", "ᚠᛇᚻ", "Tiếng Việt", "İstanbul ığ", "ß ẞ ﬁ",
    # emoji and signs beyond the first plane
    "🚀", "\U0001f469\u200d\U0001f680", "👍🏽", "🇫🇷", "♟♞♝", "𝔘𝔫𝔦", "😀😀", "❤\ufe0f",
)  # fmt: skip


def varied_strings(texts: Sequence[str], special: Sequence[str], count: int) -> list[str]:
    """Deterministic strings of odd fragments, pieces of real text and, in every fifth string, special tokens."""
    chance = random.Random(SEED)
    strings = list(FRAGMENTS[:count])
    while len(strings) < count:
        parts = [chance.choice(FRAGMENTS) for _ in range(chance.randint(1, 4))]
        if texts:
            text = chance.choice(texts)
            start = chance.randrange(max(1, len(text)))
            parts.insert(chance.randint(0, len(parts)), text[start : start + chance.randint(1, LONGEST)])
        if special and len(strings) % 5 == 0:
            parts.insert(chance.randint(0, len(parts)), chance.choice(special))
        strings.append(chance.choice(("", " ", "\n")).join(parts))
    return strings
