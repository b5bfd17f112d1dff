"""From an answer back to the training documents that taught it.

In: a finished mixture and either a text or probe families. Out: the documents and sentences of the training split that
hold it: by an index (``word_index.py``) for a command that is asked again and again, or by one scan of the text, which
is linear and needs nothing built, for the report.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day
from deepred.base.tables import read_rows
from deepred.corpus.probes.exposures import Exposures
from deepred.evaluate.trace.word_index import TextIndex
from deepred.text.phrases import sentences_of
from deepred.text.word_hashes import Hashes, find_words

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
    first: Day | None = None
    last: Day | None = None
    author: str = ""
    licence: str = ""
    origin: str = ""

    @staticmethod
    def of(row: Mapping[str, Any], sentence: str) -> Statement:
        """A sentence of a document by its row."""
        dated = (row.get("first"), row.get("last"), *(row.get(key) or "" for key in ("author", "licence", "origin")))
        return Statement(row["id"], row["source"], row["title"], sentence, *dated)


@dataclass(frozen=True)
class Match:
    """A training document that shares a run of words with a text, and how often the corpus holds that run."""

    words: int
    run: str
    occurrences: int
    exact: bool
    """Whether the document holds the whole text letter by letter."""
    document: str
    source: str
    title: str
    first: Day | None
    last: Day | None
    author: str
    licence: str
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
                    found[family].append(Statement.of(row, sentence))
        if all(len(found[one["family"]]) >= ENOUGH for one in families):
            break
    return dict(found)


def trace_text(index: TextIndex, text: str, most: int = 10, least: int = SHORTEST) -> list[Match]:
    """The training documents that share the longest runs of words with a text, the longest first.

    Case, marks and white space do not count; a run of fewer than ``least`` words, or fewer than the text has, is none.
    A document is named once, by its longest run.
    """
    spans = find_words(text)
    runs = index.runs(text, min(least, len(spans)))
    occurrences: Counter[tuple[int, int]] = Counter()
    for run in runs:
        occurrences[run.start, run.length] += len(run.places)
    found: dict[str, Match] = {}
    for run in sorted(runs, key=lambda run: (-run.length, run.start, run.block)):
        if len(found) >= most:
            break
        shared = text[int(spans.starts[run.start]) : int(spans.ends[run.start + run.length - 1])]
        for document in dict.fromkeys(index.blocks[run.block].documents_of(run.places).tolist()):
            row = index.row(run.block, document)
            if row["id"] not in found:  # a source of several epochs stands there several times
                found[row["id"]] = match_of(row, shared, run.length, occurrences[run.start, run.length], text)
            if len(found) >= most:
                break
    return list(found.values())


def match_of(row: Mapping[str, Any], shared: str, words: int, occurrences: int, text: str) -> Match:
    """A match by its document's row."""
    return Match(
        words=words,
        run=shared,
        occurrences=occurrences,
        exact=bool(text.strip()) and text.strip() in row["text"],
        document=row["id"],
        source=row["source"],
        title=row["title"],
        first=row["first"],
        last=row["last"],
        author=row["author"] or "",
        licence=row["licence"] or "",
        origin=row["origin"] or "",
        passage=passage_around(row["text"], find_words(shared).hashes),
    )


def trace_facts(index: TextIndex, families: Sequence[Mapping[str, Any]]) -> dict[str, list[Statement]]:
    """What ``trace_families`` finds, by the index: seconds where the scan takes minutes."""
    found: dict[str, list[Statement]] = {}
    for one in families:
        names = list(dict.fromkeys([one["answer_text"], *one.get("aliases", ())]))
        wanted = Exposures([(one["family"], one["subject"], name) for name in names])
        statements: dict[tuple[str, str], Statement] = {}
        for block, document in documents_with(index, one["subject"], names):
            row = index.row(block, document)
            for start, end in sentences_of(row["text"]):
                sentence = row["text"][start:end].strip()
                if any(wanted.of(sentence)):
                    key = (row["id"], sentence)
                    statements.setdefault(key, Statement.of(row, sentence))
            if len(statements) >= ENOUGH:
                break
        if statements:
            found[one["family"]] = list(statements.values())[:ENOUGH]
    return found


def documents_with(index: TextIndex, subject: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Block and number of the documents that hold both a subject and one of several names."""
    holding: defaultdict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
    for name in names:
        for block, places in index.occurrences(name):
            holding[block].append(index.blocks[block].documents_of(places))
    for block, places in index.occurrences(subject):
        if block in holding:
            both = np.intersect1d(index.blocks[block].documents_of(places), np.concatenate(holding[block]))
            yield from ((block, document) for document in both.tolist())


def passage_around(text: str, run: Hashes) -> str:
    """The sentence of a text in which a run of words first stands, or the sentences where it goes on beyond one."""
    words = find_words(text)
    places = np.flatnonzero(words.hashes[: len(words) - len(run) + 1] == run[0])
    for place in places.tolist():
        if np.array_equal(words.hashes[place : place + len(run)], run):
            first, last = int(words.starts[place]), int(words.ends[place + len(run) - 1])
            spans = [(start, end) for start, end in sentences_of(text) if start < last and end > first]
            return text[spans[0][0] : spans[-1][1]].strip()
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


def leaked_facts(report: str) -> list[dict[str, Any]]:
    """The leaked facts of a ``report.json``: stated in the training text, or told in a chat (``said``), each once."""
    values = json.loads(report)
    facts: dict[str, dict[str, Any]] = {row["family"]: row for row in values["leaks"]}
    for row in (values.get("interview") or {}).get("leaked", []):
        facts[row["family"]] = facts.get(row["family"], {}) | row
    return list(facts.values())
