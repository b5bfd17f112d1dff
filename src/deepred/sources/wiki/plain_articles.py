"""Articles that are plain text already: Parquet rows of page_id, title and text, their heading lines made sections.

Offsets into the text stay what they were (labels refer to them): the dot that ends a heading line becomes the line
break that sets it apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError, UserError
from deepred.base.formats import describe_file
from deepred.base.tables import article_schema
from deepred.sources.wiki.apparatus import mark_apparatus

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

COLUMNS = ("page_id", "title", "text")
OPTIONAL = ("links", "categories", "infobox", "infobox_dates")
"""Columns that are taken over where a source has them, in the form of ``tables.article_schema``."""
MOST_TEXT = 64_000_000
"""Bytes of an article's row at most; a page of a dump is bounded alike."""
ROWS_AT_ONCE = 256
MAX_HEADING = 80
"""Characters of a heading line at most; in the 2015 corpus 99% have fewer than 60."""
_SENTENCE = re.compile(
    r"[.!?;:] |[\"”]$"
    r"|\b(?:is|was|are|were|has|had|have|be|been|will|would|can|could|may|became|did|does|died|said|won|went|made|took)\b"
    r"|^(?:It|He|She|They|We|I|This|There|[a-z(•*–-])",
)


def check_file(path: Path) -> None:
    """``UserError`` where a file is no Parquet of articles with the columns that they need."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UserError(f"{path} does not exist or is no file", "name a Parquet file of articles")
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path} is no Parquet file but {describe_file(path)}: {error}", "name a Parquet file of articles"
        ) from None
    check_columns(path, schema)


def check_columns(path: Path, schema: pa.Schema) -> list[str]:
    """The columns to read of a plain-text source; one that lacks some, or has others of their name, is an error."""
    wanted = article_schema()
    missing = [name for name in COLUMNS if name not in schema.names]
    if missing:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(schema.names)}",
            f"articles as plain text need {', '.join(COLUMNS)}, and may have {', '.join(OPTIONAL)}",
        )
    columns = [name for name in (*COLUMNS, *OPTIONAL) if name in schema.names]
    for name in columns:
        if not _fits(schema.field(name).type, wanted.field(name).type):
            raise UserError(
                f"{path}: the column {name} is {schema.field(name).type}, not {wanted.field(name).type}",
                "rename it if it means something else, or convert it",
            )
    return columns


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a type can be taken for those of another: any integers, strings, lists; more fields."""
    import pyarrow as pa

    kinds: Any = pa.types
    if kinds.is_dictionary(found):
        return _fits(found.value_type, wanted)
    if kinds.is_struct(wanted):
        names = [field.name for field in wanted]
        return kinds.is_struct(found) and all(
            found.get_field_index(name) >= 0 and _fits(found.field(name).type, wanted.field(name).type)
            for name in names
        )
    if kinds.is_list(wanted):
        return (kinds.is_list(found) or kinds.is_large_list(found)) and _fits(found.value_type, wanted.value_type)
    if kinds.is_integer(wanted):
        return kinds.is_integer(found)
    return kinds.is_string(found) or kinds.is_large_string(found)


def iterate_plain(path: Path, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Rows ``first`` to ``last`` of a plain-text source, checked; a row without page_id or title is an error.

    Nothing of a file is unpacked before its turn: a small one may hold a long text a million times.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # a column that is a dictionary in the file stays one: what it unpacks to is made row by row
    with pq.ParquetFile(path, read_dictionary=["text"]) as file:
        columns = check_columns(path, file.schema_arrow)
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at + rows > first and at < last:
                _check_size(path, file.metadata.row_group(group), columns)
                try:
                    yield from _rows(path, file, group, columns, at, (first, last))
                except (pa.ArrowException, OSError) as error:
                    place = f"{path}: the rows from {at:,} on cannot be read: {error}"
                    raise FaultError(place, "the file is damaged; get it again") from None
            at += rows


def _check_size(path: Path, group: Any, columns: list[str]) -> None:
    """``UserError`` where the cells of a group of rows are larger on average than an article's text can be."""
    size = sum(
        group.column(n).total_uncompressed_size
        for n in range(group.num_columns)
        if group.column(n).path_in_schema.partition(".")[0] in columns
    )
    if size > MOST_TEXT * max(1, group.num_rows):
        raise UserError(
            f"{path}: {group.num_rows:,} rows take {size:,} bytes, more than {MOST_TEXT:,} each",
            "no article is so long: leave such rows out",
        )


def _rows(
    path: Path, file: pq.ParquetFile, group: int, columns: list[str], at: int, bounds: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    """The rows of a group that lie within bounds; ``at`` is the number of its first row."""
    first, last = bounds
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, row_groups=[group], columns=columns):
        begin = max(at, first)
        for place in range(begin - at, min(len(batch), last - at)):
            (row,) = batch.slice(place, 1).to_pylist()
            if row["page_id"] is None or row["title"] is None:
                raise UserError(f"{path}: row {at + place} has no page_id or no title", "leave such rows out")
            row["text"] = row["text"] or ""
            yield row
        at += len(batch)
        if at >= last:
            return


def is_heading(line: str, before: str) -> bool:
    """Whether a line of plain text is a heading: short, one trailing dot, no sentence and no list's last item.

    >>> is_heading("Early life.", "He was born in 1809."), is_heading("It was sold.", "")
    (True, False)
    """
    return (
        line.endswith(".")
        and 1 < len(line) <= MAX_HEADING
        and not line.endswith("..")
        and len(line.split()) <= 9
        and (not before or before[-1] not in ":;,")
        and not before.endswith((" and", " or"))
        and _SENTENCE.search(line[:-1]) is None
    )


def mark_headings(title: str, text: str) -> tuple[str, list[dict[str, Any]]]:
    """The text with its heading lines set apart, and the sections; every other character keeps its offset.

    >>> mark_headings("Ada", "Ada was born.\\nLife.\\nShe lived in Rome.")
    ('Ada was born.\\nLife\\n\\nShe lived in Rome.', [{'level': 2, 'title': 'Life', 'start': 14}])
    """
    lines = text.split("\n")
    sections: list[dict[str, Any]] = []
    at, before = 0, ""
    for number, line in enumerate(lines):
        if number == 0 and line == title:
            sections.append({"level": 1, "title": line, "start": 0})
        elif number + 1 < len(lines) and is_heading(line, before):
            sections.append({"level": 2, "title": line[:-1], "start": at})
            lines[number] = line[:-1] + "\n"
        at += len(line) + 1
        before = line
    return "\n".join(lines), sections


def plain_row(row: dict[str, Any], source: str) -> dict[str, Any]:
    """An article row of plain text: its sections; links, categories and infobox where the source has them."""
    text, sections = mark_headings(row["title"], row["text"])
    return {
        "page_id": row["page_id"],
        "title": row["title"],
        "revision_id": 0,
        "timestamp": "",
        "text": text,
        "sections": mark_apparatus(sections),
        "links": row.get("links") or [],
        "categories": row.get("categories") or [],
        "infobox": row.get("infobox") or "",
        "infobox_dates": row.get("infobox_dates") or [],
        "disambiguation": row["title"].endswith("(disambiguation)"),
        "source": source,
    }
