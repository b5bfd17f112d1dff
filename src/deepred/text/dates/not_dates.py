"""Numbers that look like years and are none: quantities, identifiers, titles, pages, models, street numbers.

The words stand in ``not_dates.toml``; here is how they are looked for around a number.
"""

from __future__ import annotations

import re
from typing import Any

from deepred.base.files import shipped_table

_TABLE: dict[str, Any] = shipped_table("deepred.text.dates", "not_dates.toml")
_REACH = 48
"""Characters before a number that are looked at."""
_FOLLOWING = 40
"""Characters after it."""


def _words(name: str) -> frozenset[str]:
    return frozenset(_TABLE[name].split())


def _alternatives(name: str) -> str:
    return str(_TABLE[name]).replace("\n", "")


_NUMBERED, _MEASURED, _MODELS = _words("numbered"), _words("measured"), _words("models")
_CURRENCIES, _WORKS, _NAMED_BY_YEAR = _words("currencies"), _words("works"), _words("named_by_year")
_TITLES: tuple[str, ...] = tuple(_TABLE["titles"])

_SIGNS = "$£€¥₹#№§@+<>±×*^=~"
_LINKS = ("of", "is", "was", "at", "about", "around", "nearly", "over")
_COMPOUND = frozenset(["pre", "post", "mid", "early", "late", "circa", "ante", "Pre", "Post", "Mid", "Early", "Late"])
_AFTER = re.compile(
    rf"(?:\s?[%‰°˚º′″]|[.,]\d|:\d|[-–]?\s?(?:{_alternatives('units')})(?![\w])|\s?[×x]\s?\d|[²³]"
    r"|(?![a-d][;,)\]])[A-Za-z_]"
    r"|-(?!born|built|based|model|era|style|vintage|present|released|founded|published|made|set|season|type|dated|to-|edition"
    r"|only)[a-z]"
    r"|\s?/\s?(?:km|s|h|kg)\b|\s(?:and|or)\s(?:[\d,.]+)\s?(?:km|m|ft|kg|mm|cm)\b)"
)
_THINGS = re.compile(
    r"\s(?:different\s|other\s|known\s|new\s|more\s|additional\s|(?:[a-z]+ed|[a-z]+ing|[a-z]+ic|[a-z]+al|[a-z]+an)\s)?"
    rf"(?:{_alternatives('counted')})\b"
)
_PLURAL = re.compile(
    r"\s(?!(?:was|is|has|as|its|his|this|always|across|previous|thus|plus|versus|besides|perhaps|sometimes|unless|does)\b)"
    r"[a-z]{3,}s\b"
)
_OF_THEM = re.compile(r"\sof\s(?:them|the|these|those|which|whom|his|her|their|its)\b")
_IN_YEAR = re.compile(r"\sin\s(?:the\s)?(?:year\s)?[12]\d{3}\b(?!\s?[–-])")
_STREET = re.compile(r"\s(?:[A-Z][\w.’'-]*\s){1,3}(?:Avenue|Street|Road|Boulevard|Drive|Lane|Ave|St|Blvd)\b")
_TITLE_COLON = re.compile(r": (?:A|An|The) [A-Z]")
_AMOUNT = re.compile(
    r"\b(?:over|(?:more|less|fewer|greater|larger|higher) than|at least|nearly|almost|up to|exceed(?:ed|ing|s)?|"
    r"as (?:many|much) as|some|only|another|totall?ing|total of|"
    r"sold|scored|produced|employ(?:s|ed|ing)?|contain(?:s|ed|ing)?|have|has|had|"
    r"estimated|average of|maximum of|minimum of|(?:all|these|those|first|last|next|top|every) ?(?:of )?(?:the )?)\s\Z",
    re.IGNORECASE,
)
_CHANGE = (
    r"\b(?:rose|risen|grew|grown|increas(?:e|ed|es|ing)|fell|fallen|dropp?(?:ed)?|declin(?:e|ed)|decreas(?:e|ed)|reduced|expanded"
    r"|swelled|ranging|ranges?|varied|varies|varying)\s"
)
_CHANGED_TO = re.compile(_CHANGE + r"(?:from\s[\d,]+\s)?to\s\Z")
_CHANGED_FROM = re.compile(_CHANGE + r"from\s\Z")
_ODDS = re.compile(r"\b(?:about|roughly|approximately|some|chance of|odds of|probability of|every)\s(?:one|1)\sin\s\Z")
_ONE_IN = re.compile(r"\b(?:one|1)\sin\s\Z")
_DATING = re.compile(
    r"\b(?:in|since|until|till|by|from|during|before|after|between|circa|of|for|the|through|early|mid|late|to|year|and|"
    r"his|her|their|its|a|an|this|that|born|died|late|around|about)[\s-]+\Z",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"\b(?:in|since|until|till|by|from|during|before|after)(?:\s+(?:about|around|circa))?\s+\Z", re.I
)
_LOWER_NOUN = re.compile(
    r"\s(?!(?:and|the|when|as|he|she|it|they|we|to|in|at|by|on|for|with|but|or|until|after|before|while|who|which|that|was|is|"
    r"were|are|had|has|have|did|his|her|their|its|a|an|of|from|under|because|where|there|this|these|not|also|then|"
    r"if|so|into|over|through|during|than|both)\b)[a-z]"
)
_OWNED_NAME = re.compile(r"(?:\b(?:[Aa]n?|[Ii]ts|[Hh]is|[Hh]er|[Tt]heir|[Nn]ew)|['’]s)\s(?P<name>[A-Z][\w’'-]+)\s\Z")
_THE_NAME = re.compile(
    r"(?<!\bat )(?<!\bfor )(?<!\bin )(?<!\bto )(?<!\bduring )(?<!\bafter )\b[Tt]he\s(?P<name>[A-Z][\w’'-]+)\s\Z"
)
_ENDS_NAME = re.compile(r"\s(?:is|was|were|are|has|had|can|could|would|uses?|used)\b|[,.;]")


def is_false_friend(text: str, start: int, end: int, *, follows: bool = True) -> bool:
    """Whether the bare number ``text[start:end]`` is a quantity, an identifier or a title and no year.

    ``follows`` is whether what stands after it speaks of it; not so for the first year of a pair.

    >>> is_false_friend("He lived in room 1984.", 17, 21)
    True
    """
    before = text[max(0, start - _REACH) : start]
    if stands_after_name(text, start):
        return True
    if not follows:
        return bool(_CHANGED_FROM.search(before))
    if _AFTER.match(text, end):
        return True
    following = text[end : end + _FOLLOWING]
    if text.startswith(_TITLES, start):
        return True
    if following[:1] in (":", " ") and (_begins_title(text, start, end) or _STREET.match(following)):
        return not _PREPOSITION.search(before)
    if before.endswith(" ") and _is_model(before, following):
        return True
    return _is_quantity(text[start:end], before, following)


def stands_after_name(text: str, start: int) -> bool:
    """Whether what a number follows makes it no date: a sign, "No.", "population of", "Boeing", "pre-" excepted."""
    before = text[max(0, start - _REACH) : start]
    if not before:
        return False
    last = before[-1]
    if last in "-–/:.,":
        return _is_continued(before)
    if last in _SIGNS:
        return last != "*"
    if not last.isspace():
        return False
    words = before.split()[-2:]
    if not words:
        return False
    word = words[-1]
    if word[-1] in _SIGNS:
        return word != "*" and word[-1] not in "+<>=~"
    bare = word.strip('(.,;:[“"').lower()
    if word[-1] in ",;":
        return False
    if bare in _NUMBERED or bare in _MEASURED or word.strip("(") in _MODELS:
        return True
    if word.isdigit():
        return not (len(word) == 4 and word[0] in "12")
    if bare in _CURRENCIES and (word[-1] == "." or word.isupper()) and bare.upper() != "A":
        return True
    if bare in _LINKS and len(words) == 2 and words[0].strip("(,").lower() in (*_MEASURED, "page", "pages"):
        return True
    return (bare == "about" and before.endswith("population of about ")) or word in _WORKS


def is_counted(text: str, end: int) -> bool:
    """Whether units, or things in the plural, follow a number that ends there: "two thousand and three men"."""
    return any(pattern.match(text, end) for pattern in (_AFTER, _THINGS, _PLURAL))


def _is_continued(before: str) -> bool:
    """Whether a number goes on after "-", "–", "/", ":" or ".": "MIL-1553", "10:1969", but "pre-1969", "b.1950"."""
    stem = before[:-1]
    if not stem or stem[-1].isspace():
        return False
    if before[-1] in ":.,":
        return stem[-1].isdigit()
    if before[-1] == "/":
        return stem[-1].isalnum()
    return stem[-1].isalnum() and stem.split()[-1].strip("(") not in _COMPOUND


def _begins_title(text: str, start: int, end: int) -> bool:
    """Whether a name may begin with the number: "1999: A Novel", but not at a line's start, where a list has years."""
    line_start = start == 0 or text[start - 1] == "\n" or text[max(0, start - 2) : start] in ("* ", "• ")
    return not line_start and _TITLE_COLON.match(text, end) is not None


def _is_model(before: str, following: str) -> bool:
    """Whether the number ends a name: "a Fenzor 2004", but not "the Companies Act 1862"."""
    if (found := _OWNED_NAME.search(before)) and found["name"] not in _NAMED_BY_YEAR:
        return True
    found = _THE_NAME.search(before)
    return bool(found) and found["name"] not in _NAMED_BY_YEAR and bool(_ENDS_NAME.match(following))


def _is_quantity(number: str, before: str, following: str) -> bool:
    """Whether the words around a number count something with it."""
    if _ODDS.search(before) or _CHANGED_TO.search(before):
        return True
    if not following.startswith(" "):
        return False
    dated = _PREPOSITION.search(before) and not _ONE_IN.search(before)
    if _THINGS.match(following):
        counted = not dated and not before.endswith((" the ", "The "))
        return counted or bool(_CHANGED_FROM.search(before))
    if not dated and (_OF_THEM.match(following) or _IN_YEAR.match(following)):
        return not _DATING.search(before)
    if _AMOUNT.search(before) and _LOWER_NOUN.match(following):
        return True
    is_round = number[-2:] in ("00", "50") and before[-1:] != "-"
    return is_round and bool(_PLURAL.match(following)) and not _DATING.search(before)
