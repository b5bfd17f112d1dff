"""What a conversation must not be, each problem by its name: too short, marked up, copied, refused, out of thin air.

Whether it says what was not known yet is the sentence filter's to tell (``filter/use/short_texts.py``), not a list of
words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHORT, ARTEFACT, CUT, COPIED, REFUSAL, UNGROUNDED = "short", "artefact", "cut off", "copied", "refusal", "not grounded"
LEAST_WORDS = 3
"""Words of a teacher's answer below which it teaches no voice."""
CONTENT = 5
"""Letters from which a word carries content, unless it is a name or a number; most shorter ones are function words."""
STEM = 6
"""Letters by which two forms of a word are compared, after their endings: ``invention`` and ``invented`` are one."""
_ENDING = re.compile(r"(?<=[^\W\d_]{4})(?:ings?|ed|ions?|ers?|es|s|ly)$")

_MARKUP = re.compile(
    r"```|\*\*|__|^#{1,6} |^[ \t]*+[-*•] |</?[A-Za-z][^<>]*+>|\{\{|\[\[|\[\d+\]|\]\(|https?://|www\.|<\||\|>",
    re.MULTILINE,
)
_ROLE = re.compile(
    r"^[ \t]*+(?:user|assistant|system|human|ai|bot|question|answer|q|a)[ \t]*+:", re.IGNORECASE | re.MULTILINE
)
_MACHINE = re.compile(
    r"\bas an? (?:AI|artificial intelligence)\b|\blanguage model\b|\b(?:training|knowledge) (?:data|cut-?off)\b"
    r"|\b(?:the|this|that|your) (?:passage|text|excerpt|article|source|document|snippet|context)"
    r"(?: (?:above|below|provided|given))?\b(?= (?:say|state|mention|describ|explain|tell|do|above|provid|given|is a))"
    r"|\b(?:according to|based on|from|in) the (?:passage|text|excerpt|article|snippet|provided|given)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|unable|not able|afraid)|I apologi[sz]e|I (?:can(?:not|'t)|won't|will not|do not|don't)"
    r" (?:help|assist|answer|provide|comply|fulfil|discuss|know|have (?:any |enough )?information))\b"
    r"|\b(?:no|not enough|insufficient) information (?:is |was )?(?:available|given|provided)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"""[.!?…]["'”’»)\]]*$""")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True)
class Limits:
    """How close to its source an answer must stay, and how far from it."""

    max_copied: int
    min_grounded: float


@cache
def word_list(name: str) -> frozenset[str]:
    """A list of ``templates/words.toml``."""
    path = Path(__file__).parent / "templates" / "words.toml"
    return frozenset(tomllib.loads(path.read_text(encoding="utf-8"))[name].split())


def words_of(text: str) -> list[str]:
    """The words of a text, small: ``words_of("Who's there? Two.") == ["who's", "there", "two"]``."""
    return [match.group().casefold() for match in _WORD.finditer(text)]


def find_artefact(text: str) -> str:
    """What in a text no one would say: markup, a role's name, talk of being a model or of a passage; empty for none.

    >>> find_artefact("According to the passage, salt is good."), find_artefact("Salt is good.")
    ('According to the passage', '')
    """
    found = _MARKUP.search(text) or _ROLE.search(text) or _MACHINE.search(text)
    return found.group().strip() if found else ""


def is_cut_off(text: str) -> bool:
    """Whether a text does not end as a sentence does: ``is_cut_off("He came and")``."""
    return not _ENDS.search(text.rstrip())


def find_refusal(text: str) -> str:
    """The words by which an answer refuses; empty where it does not."""
    found = _REFUSAL.search(text)
    return found.group() if found else ""


def find_copy(text: str, source: str, most: int) -> str:
    """More than ``most`` words in a row that a text has from its source; empty where there are none.

    >>> find_copy("It is said that salt is good for all", "Salt is good for all men", 4)
    'salt is good for all'
    """
    words, given, size = words_of(text), words_of(source), most + 1
    runs = {tuple(given[i : i + size]) for i in range(len(given) - size + 1)}
    return next(
        (" ".join(words[i : i + size]) for i in range(len(words) - size + 1) if tuple(words[i : i + size]) in runs), ""
    )


def stem(word: str) -> str:
    """A small word without its ending, in English: ``stem("tending") == stem("tended") == "tend"``."""
    return _ENDING.sub("", word)[:STEM]


def content_words(text: str) -> set[str]:
    """The stems of the words that carry a text's content, and its numbers as they stand.

    >>> sorted(content_words("The invention of 1880 was hardly made by Bel."))
    ['1880', 'bel', 'hardly', 'invent']
    """
    found: set[str] = set()
    common = word_list("common")
    opening = True
    for match in _WORD.finditer(text):
        word = match.group()
        small = word.casefold()
        named = word[0].isupper() and not opening
        opening = text[match.end() : match.end() + 1] in {".", "!", "?"}
        if word.isdigit():
            found.add(word)
        elif small not in common and (len(small) >= CONTENT or (named and len(small) > 1)):
            found.add(stem(small))
    return found


def find_ungrounded(text: str, source: str, voice: AbstractSet[str], least: float) -> str:
    """What an answer says that its source does not: a number, or too many content words; empty where it is grounded.

    ``voice`` are the stems that the persona itself lends; they count on neither side.
    """
    given = content_words(source) | {stem(word) for word in words_of(source)} | set(words_of(source))
    said = content_words(text) - voice
    strange = said - given
    numbers = sorted(word for word in strange if word.isdigit() and len(word) > 1)
    if numbers:
        return numbers[0]
    if said and 1 - len(strange) / len(said) < least:
        return ", ".join(sorted(strange)[:5])
    return ""


def find_problem(
    turns: Sequence[tuple[str, str]], source: str, voice: AbstractSet[str], limits: Limits
) -> tuple[str, str]:
    """The name of what is wrong with a taught conversation and the words that show it; both empty for nothing."""
    asked = "\n".join(user for user, _ in turns)
    for user, answer in turns:
        if len(words_of(answer)) < LEAST_WORDS or not words_of(user):
            return SHORT, answer or user
        if shown := find_artefact(answer) or find_artefact(user):
            return ARTEFACT, shown
        if is_cut_off(answer):
            return CUT, answer[-40:]
        if shown := find_refusal(answer):
            return REFUSAL, shown
        if shown := find_copy(answer, source, limits.max_copied):
            return COPIED, shown
        if shown := find_ungrounded(answer, f"{source}\n{asked}", voice, limits.min_grounded):
            return UNGROUNDED, shown
    return "", ""
