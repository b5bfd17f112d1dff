"""Articles that are plain text already: Parquet rows of page_id, title and text, their heading lines made sections.

Offsets into the text stay what they were (labels refer to them): the dot that ends a heading line becomes the line
break that sets it apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepred.errors import UserError

COLUMNS = ("page_id", "title", "text")
MAX_HEADING = 80
"""Characters of a heading line at most; in the 2015 corpus 99% have fewer than 60."""
_SENTENCE = re.compile(
    r"[.!?;:] |[\"”]$"
    r"|\b(?:is|was|are|were|has|had|have|be|been|will|would|can|could|may|became|did|does|died|said|won|went|made|took)\b"
    r"|^(?:It|He|She|They|We|I|This|There|[a-z(•*–-])",
)


def iterate_plain(path: Path, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Rows ``first`` to ``last`` of a plain-text source; a source without the columns is an error that names them."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise UserError(
                f"{path} lacks the columns {', '.join(missing)}", f"articles.plain wants {', '.join(COLUMNS)}"
            )
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at + rows > first and at < last:
                table = file.read_row_group(group, columns=list(COLUMNS)).slice(
                    max(0, first - at), last - max(at, first)
                )
                for batch in table.to_batches(max_chunksize=256):
                    yield from batch.to_pylist()
            at += rows


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
    """An article row of plain text: sections, no links, no categories."""
    text, sections = mark_headings(row["title"], row["text"])
    return {
        "page_id": row["page_id"],
        "title": row["title"],
        "revision_id": 0,
        "timestamp": "",
        "text": text,
        "sections": sections,
        "links": [],
        "categories": [],
        "infobox": "",
        "infobox_dates": [],
        "disambiguation": row["title"].endswith("(disambiguation)"),
        "source": source,
    }
