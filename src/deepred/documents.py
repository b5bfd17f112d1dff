"""The records that stages exchange: signed days, intervals, and the Parquet schemas of every folder.

A *day* is one signed integer, ``year * 10000 + month * 100 + day`` with astronomical years (1 BCE is year 0, 44 BCE
is -43), so that days of any era compare as numbers and read as dates: 20 July 1969 is 19690720.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepred.files import replaced

if TYPE_CHECKING:
    import pyarrow as pa

Day = int
"""``year * 10000 + month * 100 + day``, astronomical years, proleptic Gregorian."""

DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""English month names, January first: written out, because those of ``calendar`` follow the locale."""

Side = Literal["before", "after", "straddling"]


def day(year: int, month: int = 1, day: int = 1) -> Day:
    """The day as one comparable number: ``day(1969, 7, 20) == 19690720``, ``day(-43, 3, 15) == -429685``."""
    return year * 10000 + month * 100 + day


def year_of(value: Day) -> int:
    """The astronomical year of a day: ``year_of(19690720) == 1969``, ``year_of(-429685) == -43``."""
    return value // 10000


def month_of(value: Day) -> int:
    """The month (1-12) of a day."""
    return value % 10000 // 100


def is_leap(year: int) -> bool:
    """Whether a proleptic Gregorian year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    """The number of days in a month: ``month_length(1969, 2) == 28``."""
    return 29 if month == 2 and is_leap(year) else DAYS_IN_MONTH[month - 1]


def from_date(value: date) -> Day:
    """A ``datetime.date`` as a day."""
    return day(value.year, value.month, value.day)


def format_day(value: Day) -> str:
    """A day as people read it: ``format_day(19690720) == "1969-07-20"``, ``format_day(-429685) == "44 BCE-03-15"``."""
    year, month, number = value // 10000, value % 10000 // 100, value % 100
    shown = f"{year:04d}" if year > 0 else f"{1 - year} BCE"
    return f"{shown}-{month:02d}-{number:02d}"


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """All days from ``first`` to ``last``, both included: "July 1969" is ``Interval(19690701, 19690731)``."""

    first: Day
    last: Day

    def side(self, cutoff: Day) -> Side:
        """Where the interval lies: wholly before the cutoff, wholly on or after it, or across it.

        >>> Interval(19690719, 19690719).side(19690720)
        'before'
        """
        if self.last < cutoff:
            return "before"
        return "after" if self.first >= cutoff else "straddling"

    @staticmethod
    def of(year: int, month: int | None = None, number: int | None = None) -> Interval:
        """The interval that a year, a month or a day covers.

        >>> Interval.of(1969, 2)
        Interval(first=19690201, last=19690228)
        """
        if month is None:
            return Interval(day(year), day(year, 12, 31))
        if number is None:
            return Interval(day(year, month, 1), day(year, month, month_length(year, month)))
        return Interval(day(year, month, number), day(year, month, number))


def article_schema() -> pa.Schema:
    """``articles-*.parquet``: a row per page of namespace 0 that is no redirect; offsets count characters."""
    import pyarrow as pa

    infobox_date = pa.struct(
        [("key", pa.string()), ("value", pa.string()), ("first", pa.int32()), ("last", pa.int32())]
    )
    return pa.schema(
        [
            ("page_id", pa.int64()),
            ("title", pa.string()),
            ("revision_id", pa.int64()),
            ("timestamp", pa.string()),
            ("text", pa.string()),
            ("sections", pa.list_(pa.struct([("level", pa.int8()), ("title", pa.string()), ("start", pa.int32())]))),
            ("links", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("target", pa.string())]))),
            ("categories", pa.list_(pa.string())),
            ("infobox", pa.string()),
            ("infobox_dates", pa.list_(infobox_date)),
            ("disambiguation", pa.bool_()),
            ("source", pa.string()),
        ]
    )


def redirect_schema() -> pa.Schema:
    """``redirects-*.parquet``: a redirect's title and the title that it leads to."""
    import pyarrow as pa

    return pa.schema([("title", pa.string()), ("target", pa.string())])


def fact_schema() -> pa.Schema:
    """``facts-*.parquet``: a dated claim about an entity; ``precision`` is Wikidata's (6 millennium … 9 year, 11 day).

    ``first`` and ``last`` are the interval; ``qualifier`` is the property of a date that qualifies an item-valued claim
    (P585 point in time, P580 start, P582 end) or empty where the claim's own value is the date; ``value`` is the item
    (QID) of such a claim; ``title`` and ``value_title`` are sitelinks to the run's wiki, empty where there is none.
    """
    import pyarrow as pa

    return pa.schema(
        [
            ("entity", pa.string()),
            ("title", pa.string()),
            ("property", pa.string()),
            ("qualifier", pa.string()),
            ("value", pa.string()),
            ("value_title", pa.string()),
            ("first", pa.int32()),
            ("last", pa.int32()),
            ("precision", pa.int8()),
            ("rank", pa.string()),
            ("calendar", pa.string()),
            ("source", pa.string()),
        ]
    )


def date_schema() -> pa.Schema:
    """``dates-*.parquet``: what dates an article; no class, so that one dating serves every cutoff.

    ``first``..``last`` is the subject's own interval (``last`` null while it survives, both null when undated),
    ``first_known`` the day from which an encyclopedia could have named it, ``ended`` whether an end is attested
    (death, dissolution, a point in time), ``evidence`` the dated rows that say so, the deciding ones first.
    """
    import pyarrow as pa

    evidence = pa.struct(
        [
            ("kind", pa.string()),  # birth, death, start, end, publication, point, …
            ("first", pa.int32()),
            ("last", pa.int32()),
            ("source", pa.string()),  # wikidata, yago, category, infobox, lead, llm
            ("confidence", pa.float32()),
            ("note", pa.string()),
        ]
    )
    return pa.schema(
        [
            ("page_id", pa.int64()),
            ("title", pa.string()),
            ("first", pa.int32()),
            ("last", pa.int32()),
            ("first_known", pa.int32()),
            ("ended", pa.bool_()),
            ("evidence", pa.list_(evidence)),
        ]
    )


def class_schema() -> pa.Schema:
    """``classes-*.parquet``: O before, N new, S spanning or U undated, relative to the cutoff, with the reason."""
    import pyarrow as pa

    return pa.schema([("page_id", pa.int64()), ("title", pa.string()), ("class", pa.string()), ("reason", pa.string())])


def passage_schema() -> pa.Schema:
    """``passages-*.parquet``: the kept text of an article and the kept sentences' spans in the article's own text."""
    import pyarrow as pa

    return pa.schema(
        [
            ("page_id", pa.int64()),
            ("title", pa.string()),
            ("class", pa.string()),
            ("text", pa.string()),
            ("spans", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))),
        ]
    )


def dropped_schema() -> pa.Schema:
    """``dropped-*.parquet``: every dropped sentence as a span of the article's ``text``, its reason and probability."""
    import pyarrow as pa

    return pa.schema(
        [
            ("page_id", pa.int64()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("reason", pa.string()),
            ("probability", pa.float32()),
        ]
    )


def document_schema() -> pa.Schema:
    """``documents-*.parquet`` and the mixture: any training document with its interval, licence and origin.

    ``source`` is wikipedia, books, chess, topics or canaries (planted); ``first``..``last`` is when the text was first
    published or the game played (null for an encyclopedia's passages); ``origin`` is a link or a file name.
    """
    import pyarrow as pa

    return pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("title", pa.string()),
            ("text", pa.string()),
            ("first", pa.int32()),
            ("last", pa.int32()),
            ("author", pa.string()),
            ("licence", pa.string()),
            ("origin", pa.string()),
        ]
    )


def write_rows(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema, batch: int = 4096) -> int:
    """Stream rows into one zstd Parquet file; returns their number. The file appears complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    with replaced(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        pending: list[dict[str, Any]] = []
        for row in rows:
            pending.append(row)
            count += 1
            if len(pending) >= batch:
                writer.write_table(pa.Table.from_pylist(pending, schema=schema))
                pending = []
        if pending:
            writer.write_table(pa.Table.from_pylist(pending, schema=schema))
    return count


def read_rows(
    folder: Path, pattern: str, columns: list[str] | None = None, batch: int = 1024
) -> Iterator[dict[str, Any]]:
    """Every row of a folder's Parquet files that match a pattern, in the order of file names; flat in memory."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob(pattern)):
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=batch, columns=columns):
                yield from part.to_pylist()
