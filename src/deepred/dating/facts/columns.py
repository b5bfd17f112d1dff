"""Rows of facts into Parquet by columns, as tuples in the order of a schema."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deepred.base.files import replaced
from deepred.dating.facts.entities import Row

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 20_000
"""Rows written at a time."""


def write_columns(path: Path, rows: Iterable[Row], schema: pa.Schema) -> None:
    """Stream rows, as tuples in the order of a schema, into a Parquet file; it appears complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replaced(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        pending: list[Row] = []

        def flush() -> None:
            if pending:
                columns = [
                    pa.array(column, field.type)
                    for column, field in zip(zip(*pending, strict=True), schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
                pending.clear()

        for row in rows:
            pending.append(row)
            if len(pending) >= ROWS:
                flush()
        flush()
