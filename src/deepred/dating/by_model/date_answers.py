"""A model's answer on an article's dates: what it may say, for which wording, what it is worth, and where it is found.

Stage ``dates`` reads the files that ``deepred date-llm`` wrote (``dates.answers``) like any other input: a line counts
for the article whose title and opening it was given for, and for no later wording.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deepred.asking.answer_file import read_lines
from deepred.asking.replies import ANSWERED
from deepred.base.days import Interval
from deepred.base.errors import FaultError
from deepred.dating.evidence import ALIVE, Evidence
from deepred.run.stage import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPENING_CHARACTERS = 1200
"""Text of an article that a model is given: two or three paragraphs, about 300 tokens."""
CONFIDENCE = {"low": 0.1, "medium": 0.25, "high": 0.4}
"""A model's word about itself, as confidence: below every other source, whatever it says."""

Year = Annotated[int, Field(ge=-9999, le=2100)]

MAX_UNREADABLE = 0.1
"""Share of unreadable lines above which a file is no file of answers."""
OUTCOMES = "held-out articles by outcome"
"""Tally of the lines on articles that measure the model."""
KEYS, LINES = "join-answers.npy", "join-answers.jsonl"


class Answer(BaseModel):
    """What a model says of an article's subject; years before Christ are negative (-44 is 44 BC)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    known: bool = Field(description="false if you cannot date the subject at all; then every year is null")
    kind: Literal["person", "work", "event", "organisation", "place", "invention", "idea", "other"]
    first: Year | None = Field(description="year of birth, founding, publication, or in which it began")
    last: Year | None = Field(
        description="year of death, closing, or in which it ended; null if it lasts or is unknown"
    )
    alive: bool = Field(description="whether the person still lives, or the thing still exists or goes on")
    first_known: Year | None = Field(description="year from which an encyclopedia could have had this article")
    confidence: Literal["low", "medium", "high"]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        years = [year for year in (self.first, self.first_known, self.last) if year is not None]
        if 0 in years:
            raise ValueError("there is no year 0")
        if self.known and self.first_known is None and self.first is None:
            raise ValueError("known, but neither first nor first_known is given")
        if self.first is not None and any(year < self.first for year in years):
            raise ValueError("a year before the first")
        if self.alive and self.last is not None:
            raise ValueError("both alive and ended")
        return self

    @property
    def year(self) -> int | None:
        """The astronomical year of first known; for all but a person its beginning stands in for it."""
        known = self.first_known if self.first_known is not None or self.kind == "person" else self.first
        return None if known is None else _astronomical(known)


def _astronomical(year: int) -> int:
    return year if year > 0 else year + 1


def opening(text: str) -> str:
    """The beginning of an article as a model is given it: whole words, ``OPENING_CHARACTERS`` at most."""
    text = text[: OPENING_CHARACTERS + 1]
    return (text[: text.rfind(" ")] if len(text) > OPENING_CHARACTERS and " " in text else text).strip()


def article_key(title: str, text: str) -> str:
    """What an answer was given for: the hash of title and opening, 16 hexadecimal digits."""
    return hashlib.blake2b(f"{title}\n{opening(text)}".encode(), digest_size=8).hexdigest()


_KINDS = {
    "person": ("birth", "death"),
    "work": ("publication", None),
    "event": ("point", "point"),
    "invention": ("discovery", "end"),
}
"""Kinds of evidence of a subject's first and last year; of all others ``start`` and ``end``."""


def answer_evidence(answer: Answer, model: str) -> list[Evidence]:
    """An answer as evidence of the source ``llm``, none where the model did not know.

    >>> said = {"known": True, "kind": "idea", "first": None, "last": None, "alive": True, "first_known": 1905}
    >>> answer = Answer.model_validate(said | {"confidence": "high"})
    >>> [(row.kind, row.first, row.source) for row in answer_evidence(answer, "m")]
    [('event', 19050101, 'llm'), ('alive', None, 'llm')]
    """
    if not answer.known:
        return []
    begin, end = _KINDS.get(answer.kind, ("start", "end"))
    note = f"{model}, confidence {answer.confidence}"
    confidence = CONFIDENCE[answer.confidence]

    def row(kind: str, year: int, last: int | None = None, known: bool = True) -> Evidence:
        days = Interval.of(_astronomical(year))
        until = Interval.of(_astronomical(last)).last if last is not None else days.last
        return Evidence(kind, days.first, until, "llm", confidence, note, known)

    rows: list[Evidence] = []
    if answer.first_known is not None:
        rows.append(row("event", answer.first_known))
    if answer.first is not None:
        known = answer.kind != "person" and answer.first_known is None
        rows.append(row(begin, answer.first, answer.last if begin == end else None, known))
    if answer.last is not None and end is not None and begin != end:
        rows.append(row(end, answer.last, known=answer.kind == "person"))
    if answer.alive:
        rows.append(Evidence(ALIVE, None, None, "llm", confidence, note))
    return rows


@dataclass(frozen=True)
class IndexAnswers:
    """The only shard of indexing answers: their files; a later line on the same article counts."""

    files: tuple[Path, ...]


def index_answers(argument: IndexAnswers, folder: Path) -> Counts:
    """Write the answered lines as one file and the sorted hashes of their articles with each line's place."""
    import numpy as np

    counts = Counts()
    articles, places = array("q"), array("q")
    place = 0
    with (folder / LINES).open("wb") as out:
        for path in argument.files:
            for record in _checked(path, counts):
                line = orjson.dumps(record) + b"\n"
                articles.append(_number(record["article"]))
                places.append(place)
                out.write(line)
                place += len(line)
    keys = np.stack([np.array(articles, np.int64), np.array(places, np.int64)], axis=1)
    keys = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
    latest = np.append(keys[1:, 0] != keys[:-1, 0], np.ones(min(len(keys), 1), bool))
    keys = keys[latest]
    np.save(folder / KEYS, keys)
    counts.add("answers", len(keys))
    return counts


def _checked(path: Path, counts: Counts) -> Iterator[dict[str, Any]]:
    """The valid answers of a file; the rest is counted, and a file that is mostly unreadable is a fault."""
    lines = bad = 0
    for record in read_lines(path):
        lines += 1
        if record is None or not {"article", "outcome", "model"} <= record.keys():
            bad += 1
            counts.drop("answer unreadable")
            continue
        if record.get("holdout"):
            counts.tally(OUTCOMES, record["outcome"])
        if record["outcome"] != ANSWERED:
            continue
        try:
            Answer.model_validate(record.get("answer"))
            _number(record["article"])
        except (ValidationError, ValueError, TypeError):
            counts.drop("answer invalid")
            continue
        yield record
    if bad > max(1, MAX_UNREADABLE * lines):
        raise FaultError(
            f"{path}: {bad:,} of {lines:,} lines are no answers", "name a file that deepred date-llm wrote"
        )


def _number(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key), "big", signed=True)


class Answers:
    """The answers that stage ``dates`` may use, found by article in the mapped arrays of a folder."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self.keys: NDArray[np.int64] = np.load(folder / KEYS, mmap_mode="r")
        self.path = folder / LINES

    def find(self, title: str, text: str) -> tuple[Answer, dict[str, Any]] | None:
        """The answer on an article and its whole record, or None where there is none for this wording."""
        import numpy as np

        if not len(self.keys):
            return None
        key = _number(article_key(title, text))
        place = int(np.searchsorted(self.keys[:, 0], key))
        if place == len(self.keys) or self.keys[place, 0] != key:
            return None
        with self.path.open("rb") as file:
            file.seek(int(self.keys[place, 1]))
            record: dict[str, Any] = orjson.loads(file.readline())
        return Answer.model_validate(record["answer"]), record
