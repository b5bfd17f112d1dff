"""What an answer in plain words says about a fact: names, aliases, numbers and dates found in it, and not denied.

In: a reply and what it is compared with. Out: whether the reply asserts it. Names are compared without case, accents,
marks, titles and articles; numbers without separators; dates as intervals, however they are written. A name that the
reply denies ("it was not Armstrong") is not asserted; one that it hedges ("I do not know much, but Armstrong …") is.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from deepred.base.days import Interval
from deepred.text.dates.find import find_dates

WORD = re.compile(r"\w+")
LISTS: dict[str, Any] = tomllib.loads((files("deepred.evaluate") / "reply_matching.toml").read_text(encoding="utf-8"))
ARTICLES, TITLES, NOT_SURNAMES, NEGATORS, KNOWING, COMMON = (
    frozenset(LISTS[name].split()) for name in ("articles", "titles", "not_surnames", "negators", "knowing", "common")
)
SMALL: list[str] = LISTS["numbers"].split()
MIDDLE_NAMES = 2
"""Words that may stand between a first name and a surname."""
REACH = 5
"""Words before a name in which a "not" still denies it."""
REPLACED = (("rather", "than"), ("instead", "of"), ("other", "than"))
CLAUSE = re.compile(r"[.;:!?()\n]|,\s+(?=but\b)|\bbut\b|\bhowever\b|\bthough\b|\balthough\b|\byet\b", re.IGNORECASE)
DENIED_AFTER = re.compile(
    r"^\W*(?:was|is|were|are|did|does|do|has|had|have|could|would|can)?(?:n['’]t|\s{1,3}not\b|\s{1,3}never\b|\s{1,3}no\b)(?!\s{1,3}(?:only|just|merely))",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:[,\u00a0\u202f\u2009 ']\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])\d+(?:\.\d+)?(?!\w)")
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
YEAR = re.compile(r"(?<![\w.])[12]\d{3}(?!\w)")


@dataclass(frozen=True)
class Word:
    """A folded word of a text and where it stands."""

    text: str
    start: int
    end: int
    capital: bool
    dotted: bool = False
    """Whether a full stop follows an initial."""


def fold(text: str) -> str:
    """A text in lower case without accents: ``fold("Éa") == "ea"``."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).casefold()


def words_of(text: str) -> list[Word]:
    """The words of a text, the "s" of a genitive left out, initials in a row as one: "J. R. R." is "jrr"."""
    found: list[Word] = []
    for match in WORD.finditer(text):
        word = fold(match.group())
        before = text[match.start() - 1 : match.start()]
        if word == "s" and before in {"'", "’"}:
            continue
        dotted = text[match.end() : match.end() + 1] == "."
        initial = len(word) == 1 and word.isalpha() and match.group().isupper()
        last = found[-1] if found else None
        if initial and last and last.text.isalpha() and _initials(text, last) and match.start() - last.end <= 2:
            found[-1] = Word(last.text + word, last.start, match.end(), True, dotted)
            continue
        found.append(Word(word, match.start(), match.end(), match.group()[:1].isupper(), initial and dotted))
    return found


def _initials(text: str, word: Word) -> bool:
    letters = [c for c in text[word.start : word.end] if c.isalpha()]
    return all(c.isupper() for c in letters) and (len(letters) == 1 or "." in text[word.start : word.end])


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words by which a name is compared: without its parenthesis, articles and titles."""
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", name) or name
    words = [word.text for word in words_of(bare)]
    kept = [word for word in words if word not in ARTICLES and word not in TITLES]
    return tuple(kept or words)


def find_name(name: str, text: Sequence[Word], person: bool) -> Iterator[tuple[int, int]]:
    """Where a name stands among words: first and last word. A person also by surname, or with middle names."""
    wanted = name_words(name)
    if not wanted:
        return
    size = len(wanted)
    texts = [word.text for word in text]
    for at in range(len(texts) - size + 1):
        if tuple(texts[at : at + size]) == wanted:
            yield at, at + size - 1
    if person and 2 <= size <= 4 and wanted[0] not in NOT_SURNAMES:
        yield from _surname(wanted, text)


def _surname(wanted: tuple[str, ...], text: Sequence[Word]) -> Iterator[tuple[int, int]]:
    for at, word in enumerate(text):
        if word.text != wanted[-1] or len(wanted[-1]) < 3 or not word.capital:
            continue
        before = at
        while before > 0 and at - before <= MIDDLE_NAMES and _belongs(text[before - 1], text[before]):
            before -= 1
        given = [one.text for one in text[before:at]]
        # a surname alone, or with this person's own first name or its initial; another first name is another person
        if not given or wanted[0] in given or given[0] in {wanted[0][0], "".join(w[0] for w in wanted[:-1])}:
            yield (before if given else at), at


def _belongs(word: Word, following: Word) -> bool:
    """Whether a word may be the first name of the one after it: a capital, and nothing but a space between."""
    return (
        word.capital and following.start - word.end == 1 + word.dotted and word.text not in ARTICLES | TITLES | COMMON
    )


def is_denied(text: str, words: Sequence[Word], first: int, last: int) -> bool:
    """Whether the clause in which words stand denies them.

    >>> text = "It was not Armstrong but Aldrin."
    >>> words = words_of(text)
    >>> is_denied(text, words, 3, 3), is_denied(text, words, 5, 5)
    (True, False)
    """
    breaks = [match.end() for match in CLAUSE.finditer(text, 0, words[first].start)]
    opening = breaks[-1] if breaks else 0
    before = [place for place in range(max(0, first - REACH), first) if words[place].start >= opening]
    texts = [words[place].text for place in before]
    for number, word in enumerate(texts):
        contracted = word == "t" and number > 0 and texts[number - 1].endswith("n")
        if (word in NEGATORS or contracted) and not KNOWING & set(texts[number + 1 :]):
            return True
        if tuple(texts[number : number + 2]) in REPLACED and number + 2 >= len(texts) - 1:
            return texts[number - 1 : number] != ["none"]
    return bool(DENIED_AFTER.match(text[words[last].end :]))


def asserts_name(reply: str, names: Sequence[str], person: bool) -> bool:
    """Whether a reply names one of several names and does not deny it."""
    words = words_of(reply)
    return any(
        not is_denied(reply, words, first, last) for name in names for first, last in find_name(name, words, person)
    )


def numbers_in(text: str) -> list[tuple[float, int, int]]:
    """The numbers of a text with their spans: ``1,200`` and ``1 200`` and ``1.2 thousand`` are one number."""
    found: list[tuple[float, int, int]] = []
    for match in NUMBER.finditer(text):
        value = float(re.sub(r"[^\d.]", "", match.group()))
        scale = WORD.match(text, match.end() + 1)
        factor = SCALES.get(scale.group().lower(), 1.0) if scale else 1.0
        found.append((value * factor, match.start(), match.end()))
    for match in WORD.finditer(text):
        if match.group().lower() in SMALL:
            found.append((float(SMALL.index(match.group().lower())), match.start(), match.end()))
    return found


def answer_date(answer: str) -> Interval | None:
    """The interval of an answer that is a date and nothing else; None for any other answer."""
    spans = find_dates(answer)
    if len(spans) == 1 and not WORD.search(answer[: spans[0].start] + answer[spans[0].end :]):
        return spans[0].interval
    return None


def answer_number(answer: str) -> float | None:
    """The value of an answer that is a number, alone or with a unit; None for any other answer."""
    found = numbers_in(answer)
    if len(found) != 1 or answer_date(answer) is not None:
        return None
    rest = answer[: found[0][1]] + answer[found[0][2] :]
    return found[0][0] if len(WORD.findall(rest)) <= 1 else None


def asserts(reply: str, names: Sequence[str], person: bool) -> bool:
    """Whether a reply asserts an answer: its name or an alias, its number, or a date that lies within it."""
    words = words_of(reply)

    def stands(start: int, end: int) -> bool:
        inside = [place for place, word in enumerate(words) if word.start < end and word.end > start]
        return not inside or not is_denied(reply, words, inside[0], inside[-1])

    for name in names:
        if (wanted := answer_date(name)) is not None:
            dates = [(span.start, span.end, span.interval) for span in find_dates(reply)]
            dates += [(m.start(), m.end(), Interval.of(int(m.group()))) for m in YEAR.finditer(reply)]
            if any(wanted.first <= d.first and d.last <= wanted.last and stands(a, b) for a, b, d in dates):
                return True
            continue
        number = answer_number(name)
        if number is not None and any(value == number and stands(a, b) for value, a, b in numbers_in(reply)):
            return True
    return asserts_name(reply, [name for name in names if answer_date(name) is None], person)
