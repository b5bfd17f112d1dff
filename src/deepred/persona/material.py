"""What examples are made from: sampled subjects, their kept text, and the facts that may be asked about them."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.dating.dates import find_dates
from deepred.documents import Day, Interval, read_rows, year_of
from deepred.persona.teacher import displayed, fact_wordings, in_words
from deepred.stage import Counts

OVERSAMPLE = 3
"""Candidates drawn for each example wanted; most drops are facts whose value the kept text does not name."""

Passage = dict[str, Any]


@dataclass(frozen=True)
class Sampled:
    """What the examples are made from: sampled passages by title, and what dates their subjects and values."""

    passages: dict[str, Passage]
    facts: list[dict[str, Any]]
    first_known: dict[str, Day | None]


def sample_sources(passages: Path, dates: Path, facts: Path, count: int, seed: int, counts: Counts) -> Sampled:
    """Draw subjects by a hash of their title, then read only the facts and dates that concern them."""
    columns = ["page_id", "title", "text"]
    rows = read_rows(passages, "passages-*.parquet", columns)
    ranked = ((rank(seed, row["title"]), row["title"], row) for row in rows)
    chosen = {title: row for _, title, row in heapq.nsmallest(OVERSAMPLE * count, ranked, key=lambda item: item[:2])}
    claims = [row for row in read_rows(facts, "facts-*.parquet") if row["title"] in chosen]
    wanted = set(chosen) | {row["value_title"] for row in claims if row["value_title"]}
    known = {
        row["title"]: row["first_known"]
        for row in read_rows(dates, "dates-*.parquet", ["title", "first_known"])
        if row["title"] in wanted
    }
    counts.add("subjects", len(chosen))
    counts.add("facts", len(claims))
    return Sampled(chosen, claims, known)


def rank(seed: int, text: str) -> bytes:
    """A sort key that puts texts in an order of the seed, whatever order they come in."""
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()


def reject_fact(fact: dict[str, Any], sampled: Sampled, cutoff: Day) -> str:
    """Why a fact makes no example, empty where it makes one.

    Only what the kept text itself says may be asked: a fact that the model never read teaches it to invent.
    """
    if fact_wordings(fact) is None:
        return "no wording"
    if fact["last"] >= cutoff:
        return "after cutoff"
    if fact["rank"] == "deprecated":
        return "deprecated"
    titles = [fact["title"], *([fact["value_title"]] if fact["value"] else [])]
    if not all(titles):
        return "no title"
    for title in titles:
        known = sampled.first_known.get(title)
        if known is not None and known >= cutoff:
            return "subject after cutoff"
    if not fact["value"] and not in_words(Interval(fact["first"], fact["last"]), fact["precision"]):
        return "imprecise"
    return "" if is_grounded(fact, sampled.passages) else "not in the kept text"


def is_grounded(fact: dict[str, Any], passages: dict[str, Passage]) -> bool:
    """Whether the kept text of the subject names the value (or the year), or the value's own kept text the subject."""
    title, text = displayed(fact["title"]), passages[fact["title"]]["text"]
    if not fact["value"]:
        return str(abs(year_of(fact["first"]))) in text
    value = displayed(fact["value_title"])
    other = passages.get(fact["value_title"])
    return value in text or (other is not None and title in other["text"])


def says_after(text: str, cutoff: Day) -> bool:
    """Whether a text names a date that does not lie wholly before the cutoff."""
    return any(span.interval.side(cutoff) != "before" for span in find_dates(text))
