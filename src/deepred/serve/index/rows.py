"""From finished stage outputs to the rows of an index: one part (a file of articles) in, a few Parquet files out.

Out: ``articles``, ``paragraphs``, ``links``, ``events`` for the store, ``units`` for the search engine. What is told as
of which day is decided here once; stores and engines only compare numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from deepred.base.days import Day, year_of
from deepred.base.tables import read_rows
from deepred.corpus.licences import GENERATED_LICENCE, INVENTED, WIKI, WIKIPEDIA_LICENCE
from deepred.filter.use.drops import SHORT
from deepred.run.stage import Counts
from deepred.serve.index import index_tables
from deepred.serve.index.told_from import NEVER, Calendar, paragraph_units
from deepred.sources.years.topics import DIED
from deepred.text.dates.find import find_dates
from deepred.text.sentences import segment

WIKIPEDIA, BOOKS = "wikipedia", "books"


@dataclass(frozen=True)
class Inputs:
    """Finished folders of a run, and what they were built for; picklable, for the workers."""

    articles: Path
    dates: Path
    emergence: Path
    classes: Path
    passages: Path
    topics: Path | None
    books: Path | None
    cutoff: Day
    straddling: str

    def parts(self) -> list[str]:
        """The names of the parts: one a file of articles, then one a file of books."""
        names = [path.stem for path in sorted(self.articles.glob("articles-*.parquet"))]
        if self.books is not None:
            names += [path.stem for path in sorted(self.books.glob("documents-*.parquet"))]
        return names


def prepare_part(argument: tuple[Inputs, str], folder: Path) -> Counts:
    """Write the rows of one part."""
    inputs, part = argument
    writer = _Writer(folder, part)
    if part.startswith("documents-"):
        _read_books(inputs, part, writer)
    else:
        calendar = Calendar.load(inputs.emergence, inputs.cutoff, inputs.straddling)
        _read_articles(inputs, part.removeprefix("articles-"), calendar, writer)
    writer.close()
    return writer.counts


class _Writer:
    """Rows of all tables of a part, written in batches; the files appear when it is closed."""

    def __init__(self, folder: Path, part: str) -> None:
        import pyarrow.parquet as pq

        self.counts = Counts()
        self.schemas = index_tables.arrow_schemas()
        self.paths = {name: folder / f"{name}-{part}.parquet" for name in self.schemas}
        self.open = {
            name: pq.ParquetWriter(path, self.schemas[name], compression="zstd") for name, path in self.paths.items()
        }
        self.pending: dict[str, list[dict[str, Any]]] = {name: [] for name in self.schemas}

    def add(self, table: str, row: dict[str, Any]) -> None:
        """A row more."""
        self.pending[table].append(row)
        self.counts.add(table)
        if len(self.pending[table]) >= index_tables.BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        import pyarrow as pa

        if self.pending[table]:
            self.open[table].write_table(pa.Table.from_pylist(self.pending[table], schema=self.schemas[table]))
            self.pending[table] = []

    def close(self) -> None:
        """Write what is left."""
        for table, file in self.open.items():
            self._flush(table)
            file.close()


def _read_articles(inputs: Inputs, name: str, calendar: Calendar, writer: _Writer) -> None:
    """The articles of a file with the rows of the other stages, which follow the same order."""
    dates = {row["page_id"]: row for row in read_rows(inputs.dates, f"dates-{name}.parquet")}
    classes = {row["page_id"]: row for row in read_rows(inputs.classes, f"classes-{name}.parquet")}
    kept = _Following(read_rows(inputs.passages, f"passages-{name}.parquet", ["page_id", "spans"]))
    dropped = _Following(read_rows(inputs.passages, f"dropped-{name}.parquet"))
    sentences = read_rows(inputs.emergence, f"sentences-{name}.parquet")
    for article, row in zip(read_rows(inputs.articles, f"articles-{name}.parquet"), sentences, strict=True):
        page = article["page_id"]
        passage = kept.take(page)
        drops = {drop["start"]: drop for drop in dropped.take(page)}
        _add_article(article, row, dates[page], classes[page], bool(passage), drops, calendar, writer)
    for redirect in read_rows(inputs.articles, f"redirects-{name}.parquet"):
        writer.add("redirects", redirect)
    if inputs.topics is not None:
        for event in read_rows(inputs.topics, f"events-{name}.parquet"):
            writer.add("events", _event_row(event, calendar))


class _Following:
    """Rows in the order of the articles, of which an article may have none or several."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self.rows = rows
        self.next = next(rows, None)

    def take(self, page: int) -> list[dict[str, Any]]:
        """The rows of the article that is next."""
        found: list[dict[str, Any]] = []
        while self.next is not None and self.next["page_id"] == page:
            found.append(self.next)
            self.next = next(self.rows, None)
        return found


def _add_article(
    article: dict[str, Any],
    row: dict[str, Any],
    dated: dict[str, Any],
    classed: dict[str, Any],
    is_in_corpus: bool,
    drops: dict[int, dict[str, Any]],
    calendar: Calendar,
    writer: _Writer,
) -> None:
    base = calendar.article_day(dated)
    days, heading_days = calendar.sentence_days(article, row, base)
    spans: list[list[Any]] = []
    for start, end, day in zip(row["start"], row["end"], days):
        drop = drops.get(start)
        reason = drop["reason"] if drop else ("" if is_in_corpus else SHORT)
        chance = round(drop["probability"], 4) if drop and drop["probability"] is not None else None
        spans.append([start, end, day, reason, chance])
    headings = _headings(article, row, heading_days)
    subject = {
        "page_id": article["page_id"],
        "title": article["title"],
        "source": WIKIPEDIA,
        "revision_id": article["revision_id"] or 0,
        "timestamp": article["timestamp"] or "",
        "origin": article["source"] or "",
        "author": "",
        "licence": _licence(article["source"] or ""),
        "kind": classed["class"],
        "reason": classed["reason"],
        "first": dated["first"],
        "last": dated["last"],
        "first_known": dated["first_known"],
        "ended": int(bool(dated["ended"])),
        "evidence": orjson.dumps([_rounded(found) for found in dated["evidence"]]).decode(),
    }
    _add_text(
        subject, article["text"], base, spans, row["paragraph"], row["section"], headings, calendar.cutoff, writer
    )
    for link in article["links"] or []:
        writer.add("links", {"page_id": article["page_id"], **link})


def _licence(source: str) -> str:
    match = WIKI.match(source)
    return GENERATED_LICENCE if match and match[1] == INVENTED else WIKIPEDIA_LICENCE


def _rounded(evidence: dict[str, Any]) -> dict[str, Any]:
    return evidence | {"confidence": round(evidence["confidence"], 4)}


def _headings(article: dict[str, Any], row: dict[str, Any], days: list[Day]) -> list[list[Any]]:
    """Level, title and day of every heading, in order."""
    levels = {section["start"]: section["level"] for section in article["sections"] or []}
    return [
        [levels.get(start, 2), article["text"][start:end].strip("= ").rstrip("."), day]
        for start, end, day in zip(row["heading_start"], row["heading_end"], days)
    ]


def _add_text(
    subject: dict[str, Any],
    text: str,
    base: Day,
    spans: list[list[Any]],
    paragraphs: list[int],
    sections: list[int],
    headings: list[list[Any]],
    cutoff: Day,
    writer: _Writer,
) -> None:
    """The rows of an article or book: itself, its paragraphs, and its units of search."""
    told = min((day for _, _, day, reason, _ in spans if not reason), default=NEVER)
    row = subject | {"text": text, "headings": orjson.dumps(headings).decode(), "day": max(base, told)}
    writer.add("articles", row | {"rank": index_tables.rank(subject["page_id"])})
    first = 0
    for last in range(1, len(spans) + 1):
        if last < len(spans) and paragraphs[last] == paragraphs[first]:
            continue
        number, section = paragraphs[first], sections[first]
        group = spans[first:last]
        written = orjson.dumps(group).decode()
        writer.add(
            "paragraphs", {"page_id": subject["page_id"], "number": number, "section": section, "spans": written}
        )
        heading = headings[section - 1] if section else [0, "", base]
        for unit in paragraph_units(text, group, cutoff):
            section_title = heading[1] if heading[2] <= unit["day"] else ""
            writer.add("units", unit | _unit_subject(subject) | {"number": number, "section": section_title})
        first = last


def _unit_subject(subject: dict[str, Any]) -> dict[str, Any]:
    known = subject["first_known"]
    named = {name: subject[name] for name in ("page_id", "title", "kind", "source", "first_known")}
    return named | {"known": index_tables.UNKNOWN if known is None else known}


def _event_row(event: dict[str, Any], calendar: Calendar) -> dict[str, Any]:
    """An event with the day from which it is told: its own end, the dates in it and the days of what it links to.

    A birth was news only once the person was known: without a dated link or a death in its line it is never told.
    """
    text = event["text"]
    days = [event["first"] if calendar.keep_straddling else event["last"]]
    days += [span.interval.first if calendar.keep_straddling else span.interval.last for span in find_dates(text)]
    linked = [day for title in event["links"] if (day := calendar.title_day(title)) is not None]
    if event["kind"] == "birth" and not linked and not DIED.search(text):
        days.append(NEVER)
    row = {name: event[name] for name in ("first", "last", "kind", "text", "page_id")}
    return row | {"year": year_of(event["first"]), "day": max(days + linked)}


def _read_books(inputs: Inputs, part: str, writer: _Writer) -> None:
    """Books, which were admitted whole: every sentence has the day of the first publication."""
    assert inputs.books is not None
    before = 0
    for path in sorted(inputs.books.glob("documents-*.parquet")):
        if path.stem == part:
            break
        before += sum(1 for _ in read_rows(inputs.books, path.name, ["id"]))
    keep = inputs.straddling == "keep"
    for number, book in enumerate(read_rows(inputs.books, f"{part}.parquet"), before + 1):
        published: Day | None = book["first"] if keep else book["last"]
        base = inputs.cutoff - 1 if published is None else published
        segments = segment(book["text"], (), book["title"], plain=True)
        spans: list[list[Any]] = [[start, end, base, "", None] for start, end in zip(segments.starts, segments.ends)]
        headings: list[list[Any]] = [[2, book["text"][start:end].rstrip("."), base] for start, end in segments.headings]
        subject = {
            "page_id": -number,
            "title": book["title"],
            "source": BOOKS,
            "revision_id": 0,
            "timestamp": "",
            "origin": book["origin"],
            "author": book["author"] or "",
            "licence": book["licence"] or "",
            "kind": "",
            "reason": "first published before the cutoff",
            "first": book["first"],
            "last": book["last"],
            "first_known": book["first"],
            "ended": 1,
            "evidence": "[]",
        }
        _add_text(
            subject, book["text"], base, spans, segments.paragraphs, segments.sections, headings, inputs.cutoff, writer
        )
