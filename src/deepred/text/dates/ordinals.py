"""Ordinals in words up to the thirty-first: of days and centuries."""

from __future__ import annotations

_ONES = "first second third fourth fifth sixth seventh eighth ninth"
_TEENS = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
_TENS = {"twent": 20, "thirt": 30}

ORDINALS: dict[str, int] = {word: number for number, word in enumerate(f"{_ONES} {_TEENS}".split(), 1)} | {
    stem + "ieth": number for stem, number in _TENS.items()
}
"""The ordinals of one word, in lower case."""

ORDINAL = rf"(?:(?:twent|thirt)y[-\s](?:{_ONES.replace(' ', '|')})|{'|'.join(sorted(ORDINALS, key=len, reverse=True))})"
"""An ordinal as a regular expression, to be used without regard to case."""


def ordinal(text: str) -> int:
    """The number of an ordinal that ``ORDINAL`` matches: ``ordinal("Twenty-first") == 21``."""
    words = text.lower().replace("-", " ").split()
    tens = sum(_TENS[word[:-1]] for word in words[:-1])
    return tens + ORDINALS[words[-1]]
