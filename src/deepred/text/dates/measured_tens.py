"""Tens that are no decade: ages ("in his late 70s"), temperatures ("highs in the 80s"), speeds, scores, rounds of golf.

The words stand in ``not_dates.toml``. Only what speaks of a measure makes tens one: else they are a decade.
"""

from __future__ import annotations

import re

from deepred.base.files import shipped_table
from deepred.text.dates.parts import PART

_TABLE = shipped_table("deepred.text.dates", "not_dates.toml")
_REACH = 100
"""Characters before tens that are looked at."""
_LONGEST_CHAIN, _CHAIN_REACH = 4, 40
"""Tens before tens ("their 20s, 30s and 40s"), and the characters that one of these takes up."""


def _alternatives(name: str) -> str:
    return str(_TABLE[name]).replace("\n", "")


TENS_WORD = r"(?:twen|thir|for|fif|six|seven|eigh|nine)ties"
_TENS = rf"(?:['’‘]?\d0['’]?s?|{TENS_WORD}|teens)"
_LEVEL = "lower|low|upper|high|middle|mid"
_SCALE = rf"(?:(?:very\s)?(?:{_LEVEL}|{PART})(?:[-\s]to[-\s](?:{_LEVEL}|late))?[-\s])"
_CHAIN = re.compile(
    rf"(?<![\w.,]){_SCALE}?{_TENS}(?:,|,?\s(?:and|or|to|through)|\s?[–-])\s?(?:(?:in|into)\s)?(?:the\s)?{_SCALE}?\Z",
    re.IGNORECASE,
)
"""Tens before these: what they are, these are too ("in their 20s and 30s")."""
_ON_SCALE = re.compile(r"\b(?:low|lower|high|upper)(?:[-\s](?:to|and)[-\s](?:the\s)?|[-\s])\Z", re.IGNORECASE)
_OWNED = re.compile(r"\b(?:his|her|their|my|our|your|one['’]s)\s(?:own\s)?\Z", re.IGNORECASE)
WORK_OF_A_DECADE = re.compile(rf"\s(?:[\w-]+\s)?(?:{_alternatives('works_of_a_decade')})\b")
_NOUN = rf"\b(?:{_alternatives('measures')})\b"
_STATE = rf"(?:{_alternatives('states')})"
_MOVE = rf"(?:{_alternatives('moves')})(?:\s(?:down|up|back))?"
_BESIDE = r"(?:in|at|around|near|about|above|below|between)"
_BEFORE = re.compile(
    rf"{_NOUN}\s(?:\w+ly\s|often\s)?{_BESIDE}\s(?:about\s)?(?:the\s)?{_SCALE}?\Z"
    rf"|{_NOUN}[^.;!?\n]{{0,60}}\s{_STATE}\s(?:\w+ly\s|often\s|well\s)*+(?:(?:{_BESIDE}|from)\s)?(?:about\s)?(?:the\s)?{_SCALE}?\Z"
    rf"|{_NOUN}[^.;!?\n]{{0,60}}\s(?:into|above|below|(?:from\sthe\s[^.;!?\n]{{0,30}}|{_MOVE})\sto)\s(?:the\s)?{_SCALE}?\Z",
    re.IGNORECASE,
)
_IT_GETS = re.compile(
    rf"\b[Ii]t\s(?:\w+\s){{0,2}}(?:{_MOVE}|gets?|got|reach(?:es|ed)?|hits?)\s(?:in)?(?:to\s)?the\s{_SCALE}?\Z"
)
_GOLF = re.compile(
    r"\b(?:[Hh]e|[Ss]he|[Tt]hey|who|[A-Z][a-z]+)\s(?:\w+ly\s|also\s|once\s|twice\s|never\s)?(?:shot|shoots|fired|carded)\s"
    r"(?:(?:\w+\s)?rounds?\s|twice\s|\w+ly\s)?in\sthe\s\Z"
)
_AFTER = re.compile(rf"(?:,?\s(?:and|or|to)\s(?:the\s)?{_TENS})?(?:{_alternatives('after_measures')})")


def is_measure(text: str, start: int, end: int, *, apostrophe: bool = False) -> bool:
    """Whether the tens ``text[start:end]``, their modifiers included, are an age, a temperature, a speed, a score.

    With an apostrophe ("'80s") only an owner speaks against a decade.

    >>> is_measure("He climbed it in his late 70s.", 21, 29), is_measure("music of the late 70s", 13, 21)
    (True, False)
    """
    before = text[max(0, start - _REACH) : start]
    if not apostrophe and _AFTER.match(text, end):
        return True
    for _ in range(_LONGEST_CHAIN):
        chained = _CHAIN.search(before, max(0, len(before) - _CHAIN_REACH))
        if chained is None:
            break
        before = before[: chained.start()]
    if _OWNED.search(before):
        return WORK_OF_A_DECADE.match(text, end) is None
    if apostrophe:
        return False
    return bool(_ON_SCALE.search(before)) or bool(
        _BEFORE.search(before) or _GOLF.search(before) or _IT_GETS.search(before)
    )
