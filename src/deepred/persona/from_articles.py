"""What the built-in teacher's examples are made from: sampled subjects, their kept text, the facts that may be asked.

Beside it the origin of every article used: its revision and licence.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, Interval, year_of
from deepred.base.tables import read_rows
from deepred.corpus.licences import GENERATED_LICENCE, INVENTED, WIKI, WIKIPEDIA_LICENCE
from deepred.persona.model_teacher.pieces import WIKIPEDIA, rank
from deepred.persona.templates_teacher import displayed, fact_wordings, in_words
from deepred.run.stage import Counts
from deepred.text.dates.find import find_dates

OVERSAMPLE = 3
"""Candidates drawn for each example wanted; most drops are facts whose value the kept text does not name."""

YEAR_PAGE = re.compile(r"(?:AD )?(\d{1,4}(?: BC)?)")
Passage = dict[str, Any]


@dataclass(frozen=True)
class Sampled:
    """What the examples are made from: sampled passages by title, and what dates their subjects and values."""

    passages: dict[str, Passage]
    facts: list[dict[str, Any]]
    first_known: dict[str, Day | None]


def sample_sources(passages: Path, dates: Path, facts: Path, count: int, seed: int, counts: Counts) -> Sampled:
    """Draw subjects by a hash of their title, then read only the facts and dates that concern them."""
    columns = ["page_id", "title", "class", "text"]
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


def sample_documents(folder: Path | None, count: int, seed: int, characters: int = 0) -> list[dict[str, Any]]:
    """Documents of ``books``, ``chess`` or ``topics`` in an order drawn by the seed; none where the stage is left out.

    Of a text longer than ``characters`` (0: any length) a part of that length is kept, so that memory is bounded.
    """
    if folder is None:
        return []
    rows = (_shortened(row, characters) for row in read_rows(folder, "documents-*.parquet", batch=64))
    ranked = ((rank(seed, row["id"]), row["id"], row) for row in rows)
    return [row for _, _, row in heapq.nsmallest(count, ranked, key=lambda item: item[:2])]


def _shortened(row: dict[str, Any], most: int) -> dict[str, Any]:
    text = row["text"]
    if not most or len(text) <= most:
        return row
    start = text.find("\n\n", (len(text) - most) // 2) + 2  # the middle: no title page, no licence
    return row | {"text": text[start : start + most]}


def read_origins(articles: Path, pages: set[int]) -> dict[int, dict[str, Any]]:
    """Revision and licence of the articles with these page ids."""
    found: dict[int, dict[str, Any]] = {}
    for row in read_rows(articles, "articles-*.parquet", ["page_id", "revision_id", "source"]):
        if row["page_id"] in pages:
            wiki = WIKI.match(row["source"] or "")
            invented = wiki is not None and wiki[1] == INVENTED
            licence = GENERATED_LICENCE if invented else WIKIPEDIA_LICENCE
            found[row["page_id"]] = {"revision": row["revision_id"], "licence": licence}
    return found


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
    return "" if grounding(fact, sampled.passages) else "not in the kept text"


def grounding(fact: dict[str, Any], passages: dict[str, Passage]) -> Passage | None:
    """The passage that tells a fact: the subject's, where it names the value (or the year), else the value's own."""
    title, passage = displayed(fact["title"]), passages[fact["title"]]
    if not fact["value"]:
        return passage if str(abs(year_of(fact["first"]))) in passage["text"] else None
    if displayed(fact["value_title"]) in passage["text"]:
        return passage
    other = passages.get(fact["value_title"])
    return other if other is not None and title in other["text"] else None


def document_of(document: str, title: str) -> str:
    """By which document an example is split: its own, but a year's article goes with the chronicle of that year."""
    year = YEAR_PAGE.fullmatch(title) if document.startswith(f"{WIKIPEDIA}:") else None
    return f"topic:{year[1]}" if year else document


def says_after(text: str, cutoff: Day, keep_straddling: bool = False) -> bool:
    """Whether a text names a date that does not lie before the cutoff, nor across it where such dates are kept."""
    early = ("before", "straddling") if keep_straddling else ("before",)
    return any(span.interval.side(cutoff) not in early for span in find_dates(text))
