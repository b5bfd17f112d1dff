"""The Parquet tables that stages exchange: the schema of every folder, written and read in streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.files import replaced

if TYPE_CHECKING:
    import pyarrow as pa


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
