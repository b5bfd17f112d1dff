"""Answers from one version: the law of ``as_of`` (``contract.py``) put over a store and a search engine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import orjson

from deepred.base.days import Day
from deepred.serve.index.contract import LATER, BadQueryError, Mode, NotFoundError
from deepred.serve.index.embeddings import Embedder
from deepred.serve.index.index_records import (
    Article,
    Event,
    Evidence,
    Link,
    Paragraph,
    Result,
    SearchAnswer,
    Section,
    Sentence,
    WhyAnswer,
    YearAnswer,
)
from deepred.serve.index.query import Engine, Filters, Hit, check_page, read_query
from deepred.serve.index.snippets import make_snippet
from deepred.serve.index.store import Row, Store
from deepred.serve.index.told_from import NEVER

CANDIDATES = 200
"""Units of each ranking that are joined."""
RANK_CONSTANT = 60
"""Of reciprocal rank fusion, as in Cormack, Clarke and Büttcher (2009)."""
LATEST_YEAR = 100_000
ATTRIBUTED = ("page_id", "title", "source", "revision_id", "timestamp", "origin", "author", "licence")
"""Columns of an article that it is told with as they are."""


@dataclass(frozen=True)
class Reader:
    """One version of an index."""

    cutoff: Day
    keep_straddling: bool
    store: Store
    engine: Engine
    embedder: Embedder | None

    def applied(self, as_of: Day | None) -> Day:
        """The day that an ``as_of`` stands for."""
        return self.cutoff if as_of is None else min(as_of, self.cutoff)

    def search(
        self,
        query: str,
        as_of: Day | None = None,
        after: Day | None = None,
        classes: tuple[str, ...] = (),
        sources: tuple[str, ...] = (),
        mode: Mode = "hybrid",
        page: int = 1,
        size: int = 10,
    ) -> SearchAnswer:
        """See ``contract.Index``."""
        check_page(mode, page, size)
        words = read_query(query)
        filters = Filters(self.applied(as_of), after, classes, sources)
        first = (page - 1) * size
        if mode == "semantic" and self.embedder is None:
            raise BadQueryError("this index has no embeddings", "deepred index RUN.toml --embeddings lsa makes them")
        if mode == "bm25" or self.embedder is None:
            hits, total = self.engine.find_words(words, filters, first, size)
        else:
            ranked = self.engine.find_nearest(self.embedder.query(words.text), filters, CANDIDATES)
            if mode == "hybrid":
                found, _ = self.engine.find_words(words, filters, 0, CANDIDATES)
                ranked = fuse(found, ranked)
            hits, total = ranked[first : first + size], len(ranked)
        wanted = words.all
        results: list[Result] = []
        for hit, unit in zip(hits, self.engine.show(hits)):
            snippet, spans = make_snippet(unit.text, wanted)
            place = (unit.page_id, unit.number, unit.title, unit.section)
            about = (unit.first_known, unit.kind, unit.source)
            results.append(Result(*place, snippet, spans, *about, round(hit.score, 6)))
        more = first + size < total and len(hits) == size and (page + 1) * size <= 1_000
        following = page + 1 if more else None
        return SearchAnswer(query, filters.as_of, mode, tuple(results), total, page, size, following)

    def article(self, page: int | str, as_of: Day | None, cut: bool) -> Article:
        """See ``contract.Index``."""
        row, redirect = self._find(page, as_of, cut)
        day = self.cutoff if cut else self.applied(as_of)
        links = self.store.links(row["page_id"]) if row["source"] == "wikipedia" else []
        links_by_start = _Links(links)
        headings: list[list[Any]] = orjson.loads(row["headings"])
        paragraphs: list[Paragraph] = []
        count = 0
        for found in self.store.paragraphs(row["page_id"]):
            count += len(found["spans"])
            told = _tell(row["text"], found["spans"], day, cut, links_by_start)
            if told:
                paragraphs.append(Paragraph(found["number"], found["section"], told))
        shown = sum(sentence.kept for paragraph in paragraphs for sentence in paragraph.sentences)
        sections = {paragraph.section for paragraph in paragraphs}
        titles = [
            Section(number, level, title if cut or own < day else "")
            for number, (level, title, own) in enumerate(headings, 1)
            if number in sections
        ]
        return Article(
            **{name: row[name] for name in ATTRIBUTED},
            redirected_from=redirect,
            as_of=day,
            dates=self._why(row, redirect, self.applied(as_of), paragraphs, cut),
            sections=tuple(titles),
            paragraphs=tuple(paragraphs),
            modified=shown < count,
        )

    def why(self, page: int | str, as_of: Day | None, cut: bool) -> WhyAnswer:
        """See ``contract.Index``."""
        return self.article(page, as_of, cut).dates

    def _find(self, page: int | str, as_of: Day | None, cut: bool) -> tuple[Row, str]:
        found = self.store.article(page)
        if found is None or (not cut and found[0]["day"] >= self.applied(as_of)):
            shown = str(page)[:80].encode("utf-8", "replace").decode()
            raise NotFoundError(f"no article {shown!r} was known by then", "search finds those that were")
        return found

    def _why(self, row: Row, redirect: str, day: Day, paragraphs: list[Paragraph], cut: bool) -> WhyAnswer:
        sentences = [sentence for paragraph in paragraphs for sentence in paragraph.sentences]
        dropped: dict[str, int] = {}
        for sentence in sentences:
            if not sentence.kept:
                dropped[sentence.reason] = dropped.get(sentence.reason, 0) + 1
        evidence = [Evidence(**found) for found in orjson.loads(row["evidence"])]
        if not cut:
            evidence = [found for found in evidence if self._is_told(found.first, found.last, day)]
        end_told = cut or row["last"] is None or row["last"] < day
        return WhyAnswer(
            page_id=row["page_id"],
            title=row["title"],
            redirected_from=redirect,
            as_of=day,
            kind=row["kind"],
            reason=row["reason"] if end_told else row["reason"].partition("; ")[0],
            first=row["first"] if cut or row["first"] is None or row["first"] < day else None,
            last=row["last"] if end_told else None,
            first_known=row["first_known"],
            ended=bool(row["ended"]) and end_told,
            evidence=tuple(evidence),
            kept=sum(sentence.kept for sentence in sentences),
            dropped=dropped,
        )

    def _is_told(self, first: Day | None, last: Day | None, day: Day) -> bool:
        bounds = [bound for bound in (first, last) if bound is not None]
        return not bounds or (min(bounds) if self.keep_straddling else max(bounds)) < day

    def year(self, year: int, as_of: Day | None, page: int, size: int) -> YearAnswer:
        """See ``contract.Index``."""
        check_page("bm25", page, size)
        day, first = self.applied(as_of), (page - 1) * size
        rows, total = self.store.events(year, day, first, size) if abs(year) <= LATEST_YEAR else ([], 0)
        following = page + 1 if first + size < total else None
        return YearAnswer(year, day, tuple(Event(**row) for row in rows), total, page, size, following)

    def random(self, as_of: Day | None, seed: int | None) -> Article:
        """See ``contract.Index``."""
        rank = (random.Random(seed) if seed is not None else random.SystemRandom()).randrange(2**62)
        page = self.store.random(rank, self.applied(as_of), "wikipedia")
        if page is None:
            raise NotFoundError("no article was known by then", "ask as of a later day")
        return self.article(page, as_of, False)


class _Links:
    """Links of an article, by the sentence they stand in."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.place = 0

    def inside(self, start: int, end: int) -> tuple[Link, ...]:
        """The links of a sentence; sentences are asked for in order."""
        while self.place < len(self.rows) and self.rows[self.place]["start"] < start:
            self.place += 1
        found: list[Link] = []
        while self.place < len(self.rows) and self.rows[self.place]["start"] < end:
            row = self.rows[self.place]
            if row["end"] <= end:
                found.append(Link(row["start"] - start, row["end"] - start, row["target"]))
            self.place += 1
        return tuple(found)


def _tell(text: str, spans: list[list[Any]], day: Day, cut: bool, links: _Links) -> tuple[Sentence, ...]:
    """The sentences of a paragraph that are told by a day; in a record all of them, marked."""
    told: list[Sentence] = []
    for start, end, own, reason, probability in spans:
        said = reason or ("" if own < day else LATER)
        inside = links.inside(start, end)
        if not said or cut:
            shown = None if own == NEVER else own
            told.append(Sentence(start, end, text[start:end], not said, said, probability, shown, inside))
    return tuple(told)


def fuse(*rankings: list[Hit]) -> list[Hit]:
    """Reciprocal rank fusion: the sum over rankings of 1 / (60 + rank); ties by the unit's number.

    >>> [hit.unit for hit in fuse([Hit(1, 9.0), Hit(2, 8.0)], [Hit(2, 0.9), Hit(3, 0.8)])]
    [2, 1, 3]
    """
    scores: dict[int, float] = {}
    shown: dict[int, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            scores[hit.unit] = scores.get(hit.unit, 0.0) + 1 / (RANK_CONSTANT + rank)
            shown.setdefault(hit.unit, hit)
    order = sorted(scores, key=lambda unit: (-scores[unit], unit))
    return [Hit(unit, scores[unit], shown[unit].shown) for unit in order]
