"""Questions from real dated facts: claims of Wikidata with a date, and the years that date an article.

The templates are data (``from_facts.toml``). A claim is first known on the latest of three days: its own date, and the
days from which its subject and its answer could have been named in an encyclopedia; a fact whose day may lie on either
side of the cutoff is dropped. The stream is sampled by hash, so memory does not grow with the corpus.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepred.base.days import Day, Interval, year_of
from deepred.base.draws import rank_of
from deepred.base.files import shipped_table
from deepred.base.tables import read_rows
from deepred.corpus.probes.families import Era, Question
from deepred.run.stage import Counts

SPARE = 4
"""Candidates kept for each family wanted: claims fall away when their dates are joined, and options need a pool."""

BEGINS = {"P580", "P585"}
"""Qualifiers that say when a claim begins to hold: start time, point in time."""

YEAR = 9
"""Wikidata's precision of a year; a coarser date does not say when a fact became known."""

SURE = 0.75
"""Confidence of a date's source from which its year is asked for: a wrong date would count a right answer as wrong."""

NOT_A_SUBJECT = re.compile(r"\d+s?( BCE?)?$|\d+(st|nd|rd|th) century|(List|Outline|Timeline|Index) of ")
"""Titles of years, centuries and lists: their dates are not those of a life or a work."""

PARENTHESES = re.compile(r" \([^()]*\)$")


@dataclass(frozen=True)
class Template:
    """How a property, or a kind of date, is asked for."""

    name: str
    relation: str
    object_type: str
    prompts: tuple[str, ...]
    neutral: tuple[str, ...]
    cloze: tuple[str, str]
    """A statement with the answer's place open in it, and the same without its subject."""

    def question(self, family: str, subject: str, answer: str, year: int, known: Day, era: Era) -> Question:
        """The question about a subject whose claim holds from a year."""
        shown = displayed(subject)
        return Question(
            family=family,
            kind="statement",
            era=era,
            known=known,
            relation=self.relation,
            subject=shown,
            answer=displayed(answer),
            object_type=self.object_type,
            prompts=tuple(prompt.format(subject=shown, year=year) for prompt in self.prompts),
            neutral=tuple(neutral.format(year=year) for neutral in self.neutral),
            cloze=(self.cloze[0].format(subject=shown, year=year), self.cloze[1].format(year=year)),
        )


@dataclass(frozen=True)
class Claim:
    """A dated claim before its subject's and answer's own dates are known."""

    entity: str
    template: str
    title: str
    value_title: str
    first: Day
    last: Day

    @property
    def family(self) -> str:
        """The claim's name: ``Q937 P26 Elsa Einstein 1919``."""
        return f"{self.entity} {self.template} {self.value_title} {year_of(self.first)}"


class Sample:
    """The items with the smallest ranks of a stream, per group: the same whatever the order of the stream."""

    def __init__(self, most: int, seed: int) -> None:
        self.most = most
        self.seed = seed
        self.groups: defaultdict[Any, list[tuple[int, str, Any]]] = defaultdict(list)

    def add(self, group: Any, name: str, item: Any) -> None:
        """Offer an item of a group under a unique name."""
        heap, entry = self.groups[group], (-rank_of(self.seed, name), name, item)
        if len(heap) < self.most:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    def items(self) -> Iterator[Any]:
        """All items kept, in the order of their groups and names."""
        for group in sorted(self.groups):
            for _, _, item in sorted(self.groups[group], key=lambda entry: entry[1]):
                yield item


def displayed(title: str) -> str:
    """A title without its disambiguation: ``displayed("Mercury (planet)") == "Mercury"``."""
    return PARENTHESES.sub("", title)


def load_templates(section: str) -> dict[str, Template]:
    """The templates of a section of ``from_facts.toml`` (``claim`` or ``date``), by property or kind."""
    key = "property" if section == "claim" else "kind"
    return {
        values[key]: Template(
            values[key],
            values.get("relation", f"year of {values[key]}"),
            values.get("object_type", "year"),
            tuple(values["prompts"]),
            tuple(values["neutral"]),
            (values["cloze"][0], values["cloze"][1]),
        )
        for values in shipped_table("deepred.corpus.probes", "from_facts.toml")[section]
    }


def era_of(first: Day, last: Day, named: Day, cutoff: Day) -> Era | None:
    """The era of a fact dated ``first`` to ``last`` whose names were known from ``named``; None where it may be either.

    >>> era_of(19550101, 19551231, 19800101, 19690720)
    'after'
    """
    side = Interval(max(first, named), max(last, named)).side(cutoff)
    return None if side == "straddling" else side


def claim_questions(
    articles: Path, dates: Path, facts: Path, most: int, cutoff: Day, seed: int, counts: Counts
) -> list[Question]:
    """Questions from dated claims and dated articles, at most a few times ``most`` of each relation and era.

    Counts what is dropped: ``straddling``, ``undated`` (nobody knows when it was first known), ``no_article`` (subject
    or answer is no title of the corpus).
    """
    templates = load_templates("claim")
    claims = sample_claims(facts, templates, most * SPARE, cutoff, seed)
    titles = {title for claim in claims for title in (claim.title, claim.value_title)}
    present = {row["title"] for row in read_rows(articles, "articles-*.parquet", ["title"]) if row["title"] in titles}
    known = {
        row["title"]: row["first_known"]
        for row in read_rows(dates, "dates-*.parquet", ["title", "first_known"])
        if row["title"] in present
    }
    right = true_answers(facts, claims)
    questions: list[Question] = []
    for claim in claims:
        if not {claim.title, claim.value_title} <= present:
            counts.drop("no_article")
            continue
        named = [known.get(claim.title), known.get(claim.value_title)]
        era = era_of(
            claim.first, claim.last, max((day for day in named if day is not None), default=claim.first), cutoff
        )
        if era is None:
            counts.drop("straddling")
            continue
        day = max([claim.first, *(day for day in named if day is not None)])
        template = templates[claim.template]
        question = template.question(claim.family, claim.title, claim.value_title, year_of(claim.first), day, era)
        others = frozenset(displayed(title) for title in right[claim.entity, claim.template])
        questions.append(replace(question, true_answers=others))
    return questions + date_questions(dates, most * SPARE, cutoff, seed, counts)


def sample_claims(facts: Path, templates: dict[str, Template], most: int, cutoff: Day, seed: int) -> list[Claim]:
    """At most ``most`` claims of each property and side of the cutoff whose subject and value have articles."""
    sample = Sample(most, seed)
    columns = ["entity", "title", "property", "qualifier", "value_title", "first", "last", "precision", "rank"]
    for row in read_rows(facts, "facts-*.parquet", columns):
        if (
            row["property"] not in templates
            or row["qualifier"] not in BEGINS
            or not (row["title"] and row["value_title"])
            or row["precision"] < YEAR
            or row["rank"] == "deprecated"
        ):
            continue
        claim = Claim(row["entity"], row["property"], row["title"], row["value_title"], row["first"], row["last"])
        side = Interval(claim.first, claim.last).side(cutoff)
        sample.add((claim.template, side), claim.family, claim)
    return list({claim.family: claim for claim in sample.items()}.values())


def true_answers(facts: Path, claims: list[Claim]) -> dict[tuple[str, str], set[str]]:
    """For each claim's entity and property every value that is stated of it, dated or not."""
    right: dict[tuple[str, str], set[str]] = {(claim.entity, claim.template): set() for claim in claims}
    for row in read_rows(facts, "facts-*.parquet", ["entity", "property", "value_title"]):
        titles = right.get((row["entity"], row["property"]))
        if titles is not None and row["value_title"]:
            titles.add(row["value_title"])
    return right


def date_questions(dates: Path, most: int, cutoff: Day, seed: int, counts: Counts) -> list[Question]:
    """Questions for the year of a birth, a death or a publication, with the day from which it could be known."""
    templates = load_templates("date")
    sample = Sample(most, seed)
    for row in read_rows(dates, "dates-*.parquet", ["title", "first_known", "evidence"]):
        if NOT_A_SUBJECT.match(row["title"]):
            continue
        asked: set[str] = set()
        for evidence in row["evidence"] or []:
            kind, first, last = evidence["kind"], evidence["first"], evidence["last"]
            if kind not in templates or kind in asked or first is None or last is None:
                continue
            asked.add(kind)  # the deciding row of a kind comes first
            if evidence["confidence"] < SURE:
                counts.drop("unsure")
            elif year_of(first) != year_of(last) or year_of(first) < 1:
                counts.drop("imprecise")
            elif row["first_known"] is None:
                counts.drop("undated")
            elif (era := era_of(first, last, row["first_known"], cutoff)) is None:
                counts.drop("straddling")
            else:
                year, day = year_of(first), max(first, row["first_known"])
                family = f"{kind} {row['title']}"
                question = templates[kind].question(family, row["title"], str(year), year, day, era)
                sample.add((kind, era), family, question)
    return list(sample.items())
