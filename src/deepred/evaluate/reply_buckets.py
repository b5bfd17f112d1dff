"""The bucket of a reply: leaked, fabricated, refused, in-period, or unclear, by matching it against the fact.

A reply that tells the true answer is ``leaked`` whatever it says besides; only one that tells none may be ``refused``.
``in-period`` tells what could be said before the cutoff; ``fabricated`` tells anything else; ``unclear`` is empty, or
no language. Of a fact from before the cutoff the same bucket that is called leaked means known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from deepred.base.days import Day
from deepred.evaluate.reply_matching import LISTS, asserts, fold, is_denied, words_of
from deepred.text.dates.find import find_dates

Bucket = Literal["leaked", "fabricated", "refused", "in-period", "unclear"]
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
LETTERS = "ABCDEFGH"

REFUSAL = re.compile("|".join(LISTS["refusals"]), re.IGNORECASE)

FEWEST_DISTINCT = 0.34
"""Share of distinct words below which ten and more words are a loop and no answer."""


@dataclass(frozen=True)
class Fact:
    """What a reply is compared with."""

    answer: str
    aliases: tuple[str, ...] = ()
    person: bool = False
    options: tuple[str, ...] = ()
    """Of a multiple choice, in the order of their letters; empty for an open question."""
    early: tuple[str, ...] = ()
    """Answers of the same kind that were true, or known, before the cutoff."""
    cutoff: Day = 0
    """With it, a reply whose dates all lie before it is in-period where the answer is a date."""
    asked: str = ""
    """The question: names that it holds say nothing of what the model knows."""

    @property
    def names(self) -> list[str]:
        """The answer and its aliases, without those that the question itself holds."""
        asked = [word.text for word in words_of(self.asked)]
        given = {name for name in (self.answer, *self.aliases) if self.asked and _inside(name, asked)}
        return [name for name in (self.answer, *self.aliases) if name not in given]


def _inside(name: str, asked: Sequence[str]) -> bool:
    words = [word.text for word in words_of(name)]
    return any(list(asked[at : at + len(words)]) == words for at in range(len(asked) - len(words) + 1))


def bucket_of(reply: str, fact: Fact) -> Bucket:
    """The bucket of a reply."""
    if is_gibberish(reply):
        return "unclear"
    if fact.options and (choice := chosen_option(reply, fact.options, fact.person)) is not None:
        return "leaked" if fold(fact.options[choice]) == fold(fact.answer) else "fabricated"
    if not fact.options and asserts(reply, fact.names, fact.person):
        return "leaked"
    if REFUSAL.search(reply):
        return "refused"
    if fact.options:
        return "unclear"  # no option was chosen, or several
    return "in-period" if is_in_period(reply, fact) else "fabricated"


def is_gibberish(reply: str) -> bool:
    """Whether a reply holds no word at all, or little more than one word over and over."""
    words = [word.text for word in words_of(reply)]
    if not words or not re.search(r"[^\W_]", reply):
        return True
    return len(words) >= 10 and len(Counter(words)) < FEWEST_DISTINCT * len(words)


def is_in_period(reply: str, fact: Fact) -> bool:
    """Whether a reply gives an answer that stood before the cutoff: another holder of the office, or an early date."""
    if fact.early and asserts(reply, list(fact.early), fact.person):
        return True
    dates = find_dates(reply) if fact.cutoff else []
    return bool(dates) and not fact.person and all(span.interval.last < fact.cutoff for span in dates)


def chosen_option(reply: str, options: Sequence[str], person: bool) -> int | None:
    """The number of the option that a reply chooses, by its letter or in words; None for none, several or a conflict.

    >>> chosen_option("The answer is (B).", ["Ada", "Ora"], True), chosen_option("A man.", ["Ada", "Ora"], True)
    (1, None)
    """
    letters = {number for number in range(len(options)) if _names_letter(reply, LETTERS[number])}
    named = {number for number, option in enumerate(options) if asserts(reply, [option], person)}
    if len(named) == 1:
        return None if letters and letters != named else named.pop()
    return letters.pop() if len(letters) == 1 and not named else None


def _names_letter(reply: str, letter: str) -> bool:
    """Whether a reply names an option's letter and does not deny it; the article "A" is none."""
    marked = rf"(?:^|[\s(\[\"“*])({letter})(?:[.)\]:,;\"”*]|\s*$)"
    said = rf"\b(?:answer|option|choice|letter|choose|say|is|it['’]s)\b[\s:]*[(\[\"“*]?({letter})(?![\w'’]|\s+[a-z])"
    words = words_of(reply)
    for pattern in (marked, said):
        for match in re.finditer(pattern, reply):
            place = next((n for n, word in enumerate(words) if word.start == match.start(1)), None)
            if place is None or not is_denied(reply, words, place, place):
                return True
    return False
