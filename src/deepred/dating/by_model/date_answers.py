"""A model's answer on an article's dates: what it may say, for which wording, and what it is worth as evidence."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deepred.base.days import Interval
from deepred.dating.evidence import ALIVE, Evidence

OPENING_CHARACTERS = 1200
"""Text of an article that a model is given: two or three paragraphs, about 300 tokens."""
CONFIDENCE = {"low": 0.1, "medium": 0.25, "high": 0.4}
"""A model's word about itself, as confidence: below every other source, whatever it says."""

Year = Annotated[int, Field(ge=-9999, le=2100)]


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
