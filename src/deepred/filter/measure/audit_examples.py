"""The audit of instruction examples and of augmented text: what late sentences a teacher's own words would teach.

In: the folder of the stage ``examples`` (JSONL of conversations) or ``augment`` (documents), and the tables of
``emergence``. Out: the same sheet, evidence and bound as for kept passages (``audit.py``), over the sentences of the
answers or documents; strata are the kinds of examples, or the forms of documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from deepred.base.days import Day
from deepred.base.draws import rank_of
from deepred.base.errors import FaultError
from deepred.base.tables import read_rows
from deepred.filter.emergence import TITLES, describe_article
from deepred.filter.first_known import KnownDays
from deepred.filter.judge import load_horizon
from deepred.filter.measure.audit import EXAMPLES, places_of
from deepred.filter.measure.label_sheet import sheet_row
from deepred.filter.sentence_evidence import Horizon, gather_evidence

SPLITS = ("train.jsonl", "validation.jsonl")


def sample_examples(
    examples: Path, emergence: Path, cutoff: Day, seed: int, size: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A sample of the sentences of answers, spread over the kinds, and the evidence found in all of them."""
    return _sample(_answers(examples), emergence, cutoff, seed, size)


def sample_augmented(
    augment: Path, emergence: Path, cutoff: Day, seed: int, size: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A sample of the sentences of rewritten pieces, spread over their forms, and the evidence in all of them."""
    columns = ["title", "text", "origin"]
    texts = (
        (row["title"], row["origin"].partition(" ")[0], row["title"], row["text"].partition("\n\n")[2])
        for row in read_rows(augment, "documents-*.parquet", columns)
    )
    return _sample(texts, emergence, cutoff, seed, size)


def _sample(
    texts: Iterator[tuple[str, str, str, str]], emergence: Path, cutoff: Day, seed: int, size: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The sample of texts, each with its subject, its stratum, and what stands before it."""
    horizon = load_horizon(emergence, cutoff, "drop")
    titles = KnownDays.load(emergence / TITLES)
    sentences: Counter[str] = Counter()
    found: Counter[str] = Counter()
    shown: dict[str, list[dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    for number, (subject, kind, question, answer) in enumerate(texts):
        for start, end, marks in _look_at(subject, answer, horizon, titles):
            sentences[kind] += 1
            text = f"{question}\n\n{answer}"
            shift = len(question) + 2
            row = sheet_row(subject, text, shift + start, shift + end, kind)
            rows.append(row | {"rank": rank_of(seed, "audit", number, start)})
            for name in marks:
                found[name] += 1
                if len(shown.setdefault(name, [])) < EXAMPLES:
                    shown[name].append({"title": subject, "sentence": row["sentence"][:1000]})
    counts = {kind: sentences[kind] for kind in sorted(sentences)}
    sample: list[dict[str, Any]] = []
    for kind, places in places_of(counts, size).items():
        ranked = sorted((row for row in rows if row["stratum"] == kind), key=lambda row: row["rank"])
        sample += ranked[:places]
    return sample, {"sentences": counts, "evidence": dict(found), "examples": shown}


def _answers(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Subject, kind, question and answer of every turn."""
    for name in SPLITS:
        path = folder / name
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                row = orjson.loads(line)
                subject, kind = str(row["provenance"]["subject"]), str(row["kind"])
                turns = [(str(message["role"]), str(message["content"])) for message in row["messages"]]
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise FaultError(f"{path}, line {number}: no example ({error!r})", "run the stage again") from None
            question = ""
            for role, content in turns:
                if role == "assistant":
                    yield subject, kind, question, content
                elif role == "user":
                    question = content


def _look_at(subject: str, answer: str, horizon: Horizon, titles: KnownDays) -> Iterator[tuple[int, int, list[str]]]:
    """The sentences of an answer as spans, each with the names of the evidence against it."""
    article = {"page_id": 0, "title": subject, "text": answer, "revision_id": 1}
    row, _, _ = describe_article(article, titles)
    segments, evidence = gather_evidence(article, row, horizon)
    marks = {
        "later years": evidence.late_date,
        "later names": evidence.late_name,
        "emergent terms": evidence.emergent,
    }
    for i, (start, end) in enumerate(zip(segments.starts, segments.ends)):
        yield start, end, [name for name, flags in marks.items() if flags[i]]
