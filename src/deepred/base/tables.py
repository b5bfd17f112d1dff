"""The Parquet tables that stages exchange: the schema of every folder, written and read in streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.files import replaced

if TYPE_CHECKING:
    import pyarrow as pa


def schema_of(columns: str, **rows: str) -> pa.Schema:
    """A schema as a line that tells it: names, then their type; ``*`` for a list; ``rows`` tells the lists of rows.

    >>> schema_of("id title: string; tags: string*; links: rows", links="start end: int32").names
    ['id', 'title', 'tags', 'links']
    """
    import pyarrow as pa

    def kind_of(name: str, kind: str) -> pa.DataType:
        if kind == "rows":
            return pa.list_(pa.struct(list(schema_of(rows[name]))))
        return pa.list_(kind_of(name, kind[:-1])) if kind.endswith("*") else pa.type_for_alias(kind)

    groups = (group.partition(":") for group in columns.split(";"))
    return pa.schema([(name, kind_of(name, kind.strip())) for names, _, kind in groups for name in names.split()])


def article_schema() -> pa.Schema:
    """``articles-*.parquet``: a row per page of namespace 0 that is no redirect; offsets count characters."""
    return schema_of(
        "page_id: int64; title: string; revision_id: int64; timestamp text: string; sections links: rows; "
        "categories: string*; infobox: string; infobox_dates: rows; disambiguation: bool; source: string",
        sections="level: int8; title: string; start: int32; apparatus: bool",
        links="start end: int32; target: string",
        infobox_dates="key value: string; first last: int32",
    )


def redirect_schema() -> pa.Schema:
    """``redirects-*.parquet``: a redirect's title and the title that it leads to."""
    return schema_of("title target: string")


def fact_schema() -> pa.Schema:
    """``facts-*.parquet``: a dated claim about an entity; ``precision`` is Wikidata's (6 millennium … 9 year, 11 day).

    ``first`` and ``last`` are the interval; ``qualifier`` is the property of a date that qualifies an item-valued claim
    (P585 point in time, P580 start, P582 end) or empty where the claim's own value is the date; ``value`` is the item
    (QID) of such a claim; ``title`` and ``value_title`` are sitelinks to the run's wiki, empty where there is none.
    """
    return schema_of(
        "entity title property qualifier value value_title: string; first last: int32; precision: int8; "
        "rank calendar source: string"
    )


def date_schema() -> pa.Schema:
    """``dates-*.parquet``: what dates an article; no class, so that one dating serves every cutoff.

    ``first``..``last`` is the subject's own interval (``last`` null while it survives, both null when undated),
    ``first_known`` the day from which an encyclopedia could have named it, ``ended`` whether an end is attested
    (death, dissolution, a point in time), ``evidence`` the dated rows that say so, the deciding ones first: ``kind`` is
    birth, death, start, end, publication, point, …, ``source`` wikidata, yago, category, infobox, lead or llm.
    """
    return schema_of(
        "page_id: int64; title: string; first last first_known: int32; ended: bool; evidence: rows",
        evidence="kind: string; first last: int32; source: string; confidence: float32; note: string",
    )


def class_schema() -> pa.Schema:
    """``classes-*.parquet``: O before, N new, S spanning or U undated, relative to the cutoff, with the reason."""
    return schema_of("page_id: int64; title class reason: string")


def passage_schema() -> pa.Schema:
    """``passages-*.parquet``: the kept text of an article and the kept sentences' spans in the article's own text."""
    return schema_of("page_id: int64; title class text: string; spans: rows", spans="start end: int32")


def dropped_schema() -> pa.Schema:
    """``dropped-*.parquet``: every dropped sentence as a span of the article's ``text``, its reason and probability."""
    return schema_of("page_id: int64; start end: int32; reason: string; probability: float32")


def document_schema() -> pa.Schema:
    """``documents-*.parquet`` and the mixture: any training document with its interval, licence and origin.

    ``source`` is wikipedia, books, chess, topics or canaries (planted); ``first``..``last`` is when the text was first
    published or the game played (null for an encyclopedia's passages); ``origin`` is a link or a file name.
    """
    return schema_of("id source title text: string; first last: int32; author licence origin: string")


def write_rows(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema, batch: int = 4096) -> int:
    """Stream rows into one zstd Parquet file; returns their number. The file appears complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, waiting = 0, iter(rows)
    with replaced(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        while pending := list(islice(waiting, batch)):
            count += len(pending)
            writer.write_table(pa.Table.from_pylist(pending, schema=schema))
            pending.clear()  # before the next are read: rows may be large
    return count


def write_columns(path: Path, rows: Iterable[tuple[Any, ...]], schema: pa.Schema, batch: int = 20_000) -> None:
    """The same for rows that are tuples in the order of the schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting = iter(rows)
    with replaced(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        while pending := list(islice(waiting, batch)):
            pairs = zip(zip(*pending, strict=True), schema, strict=True)
            columns = [pa.array(column, field.type) for column, field in pairs]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            pending.clear()


def read_rows(
    folder: Path, pattern: str, columns: list[str] | None = None, batch: int = 1024
) -> Iterator[dict[str, Any]]:
    """Every row of a folder's Parquet files that match a pattern, in the order of file names; flat in memory."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob(pattern)):
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=batch, columns=columns):
                yield from part.to_pylist()
