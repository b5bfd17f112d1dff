"""From an answer back to the training documents that taught it.

In: a finished mixture and either a text or probe families. Out: the documents and sentences of the training split that
hold it. Everything is read once from the shards' own Parquet files, in a scan that is linear in the text: seconds for
a small corpus, minutes for a gigabyte; there is no index to build or to fall out of step with the text.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from deepred.corpus.exposures import Exposures
from deepred.corpus.phrases import sentences_of, words_of
from deepred.documents import read_rows

TRAIN = "train-*.parquet"
COLUMNS = ["id", "source", "title", "text", "origin"]

ENOUGH = 3
"""Statements shown of a fact: one shows the leak, three whether it is one document's or many's."""

SHORTEST = 4
"""Words that a text and a document must share in one run to be called a trace: shorter runs are common phrases."""


@dataclass(frozen=True)
class Statement:
    """A training sentence that states a fact, and its document."""

    document: str
    source: str
    title: str
    sentence: str


@dataclass(frozen=True)
class Match:
    """A training document that shares a run of words with a text."""

    words: int
    document: str
    source: str
    title: str
    origin: str
    passage: str


def trace_families(mixture: Path, families: Sequence[Mapping[str, Any]]) -> dict[str, list[Statement]]:
    """For each family the first sentences of the training text that name both its subject and its answer.

    At most ``ENOUGH`` a family; the scan ends as soon as every family has them.
    """
    wanted = Exposures([(one["family"], one["subject"], one["answer_text"]) for one in families])
    found: defaultdict[str, list[Statement]] = defaultdict(list)
    for row in read_rows(mixture, TRAIN, COLUMNS):
        if not any(wanted.of(row["text"])):
            continue
        for start, end in sentences_of(row["text"]):
            sentence = row["text"][start:end].strip()
            for family in wanted.of(sentence):
                if len(found[family]) < ENOUGH:
                    found[family].append(Statement(row["id"], row["source"], row["title"], sentence))
        if all(len(found[one["family"]]) >= ENOUGH for one in families):
            break
    return dict(found)


def trace_text(mixture: Path, text: str, most: int = 10) -> list[Match]:
    """The training documents that share the longest run of words with a text, the longest first.

    Case, marks and white space do not count; a document that shares fewer than ``SHORTEST`` words in a row, or fewer
    than the text has, is no match.
    """
    wanted = words_of(text)
    least = min(SHORTEST, len(wanted))
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(wanted):
        places[word].append(place)
    best: list[tuple[int, int, Match]] = []
    for order, row in enumerate(read_rows(mixture, TRAIN, COLUMNS)):
        length, end = longest_run(words_of(row["text"]), places)
        if length and length >= least:
            passage = passage_around(row["text"], wanted[end - length : end])
            match = Match(length, row["id"], row["source"], row["title"], row["origin"] or "", passage)
            push = heapq.heappush if len(best) < most else heapq.heappushpop
            push(best, (length, -order, match))  # of equal runs the earlier document stays
    return [match for _, _, match in sorted(best, reverse=True, key=lambda entry: entry[:2])]


def longest_run(words: Sequence[str], places: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    """The length of the longest run of words shared with a text, and where it ends in that text.

    >>> longest_run(["the", "red", "moon", "rose"], {"a": [0], "red": [1], "moon": [2]})
    (2, 3)
    """
    longest, end = 0, 0
    running: dict[int, int] = {}
    for word in words:
        running = {place: running.get(place - 1, 0) + 1 for place in places.get(word, ())}
        for place, length in running.items():
            if length > longest:
                longest, end = length, place + 1
    return longest, end


def passage_around(text: str, words: Sequence[str]) -> str:
    """The sentence of a text in which a run of words begins."""
    for start, end in sentences_of(text):
        if longest_run(words_of(text[start:end]), {word: [n] for n, word in enumerate(words)})[0] >= min(len(words), 2):
            return text[start:end].strip()
    return ""


def exposure_by_era(mixture: Path, families: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """How often an arm's training text states the probed facts of each era: what it could have learned them from.

    Empty where the mixture recorded no exposures. ``stated`` counts facts with at least one sentence that names both
    subject and answer.
    """
    path = mixture / "exposures.json"
    if not path.is_file():
        return {}
    exposures: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    shown: dict[str, dict[str, Any]] = {}
    for era in ("before", "after"):
        numbers = [exposures.get(one["family"], 0) for one in families if one["era"] == era]
        shown[era] = {
            "families": len(numbers),
            "stated": sum(number > 0 for number in numbers),
            "statements": sum(numbers),
            "median": median(numbers) if numbers else None,
        }
    return shown


def leaks(
    mixture: Path, families: Sequence[Mapping[str, Any]], scores: Mapping[str, float], most: int = 20
) -> list[dict[str, Any]]:
    """Later facts that the training text states all the same, the most often stated first, with their sentences."""
    path = mixture / "exposures.json"
    exposures: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    stated = [one for one in families if one["era"] == "after" and exposures.get(one["family"], 0)]
    stated.sort(key=lambda one: (-exposures[one["family"]], one["family"]))
    chosen = stated[:most]
    traces = trace_families(mixture, chosen) if chosen else {}
    return [
        {
            **{key: one[key] for key in ("family", "known", "relation", "subject", "answer_text")},
            "statements": exposures[one["family"]],
            "score": scores.get(one["family"]),
            "traces": [asdict(statement) for statement in traces.get(one["family"], [])],
        }
        for one in chosen
    ]
