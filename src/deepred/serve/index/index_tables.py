"""The tables of an index, once for Arrow (bulk load) and once for SQLAlchemy (queries): the same on every database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, SmallInteger, String, Table

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 2_000
"""Rows written or loaded at a time."""
UNKNOWN = -(2**31)
"""``units.known`` of an article without a first-known day: no ``after`` finds it."""


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    """Name and kind of columns: ``_columns("page_id long, title text")``."""
    return tuple((name, kind) for name, kind in (column.split() for column in text.split(", ")))


COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "articles": _columns(
        "page_id long, title text, source text, revision_id long, timestamp text, origin text, author text, "
        "licence text, kind text, reason text, first int, last int, first_known int, ended small, evidence text, "
        "text text, headings text, day int, rank long"
    ),
    "paragraphs": _columns("page_id long, number int, section int, spans text"),
    "links": _columns("page_id long, start int, end int, target text"),
    "redirects": _columns("title text, target text"),
    "events": _columns("year int, first int, last int, kind text, text text, page_id long, day int"),
}
"""Tables of the store: name and kind of every column.

``day`` is that from which a row is told (``told_from.py``), ``evidence``, ``headings`` and ``spans`` are JSON, ``rank``
is an even draw from the page id by which a random article is found.
"""

UNITS = _columns(
    "page_id long, number int, title text, section text, text text, day int, until int, known int, "
    "first_known int, kind text, source text"
)
"""Columns of the units that the search engine is loaded from (``told_from.paragraph_units``)."""

KEYS = {
    "articles": (("page_id",), ("title",), ("rank",)),
    "paragraphs": (("page_id", "number"),),
    "links": (("page_id",),),
    "redirects": (("title",),),
    "events": (("year", "day"),),
}
"""Indexes, made after the load."""


def arrow_schemas() -> dict[str, pa.Schema]:
    """The Arrow schema of every table, and of ``units``."""
    import pyarrow as pa

    kinds = {"long": pa.int64(), "int": pa.int32(), "small": pa.int16(), "text": pa.string()}
    everything = {**COLUMNS, "units": UNITS}
    return {table: pa.schema([(name, kinds[kind]) for name, kind in columns]) for table, columns in everything.items()}


def sql_tables(schema: str | None) -> tuple[MetaData, dict[str, Table]]:
    """The SQLAlchemy tables in a schema; ``loaded`` notes which parts are in, in the transaction that loads them."""
    kinds = {"long": BigInteger, "int": Integer, "small": SmallInteger, "text": String}
    metadata = MetaData(schema=schema)
    tables = {
        name: Table(name, metadata, *(Column(column, kinds[kind]()) for column, kind in columns))
        for name, columns in COLUMNS.items()
    }
    tables["loaded"] = Table("loaded", metadata, Column("name", String, primary_key=True))
    return metadata, tables


def sql_indexes(tables: dict[str, Table]) -> list[Index]:
    """The indexes of the tables."""
    return [
        Index(f"{name}_{'_'.join(columns)}", *(tables[name].c[column] for column in columns))
        for name, keys in KEYS.items()
        for columns in keys
    ]


def rank(page_id: int) -> int:
    """An even draw in [0, 2**62) from a page id."""
    return int.from_bytes(hashlib.blake2b(str(page_id).encode(), digest_size=8).digest(), "big") >> 2
