"""Stage ``facts``: Wikidata's JSON dump and YAGO to dated facts about the subjects of a wiki's articles.

Three steps, each by shards and flat in memory. *Read*: every entity line that holds the wiki's sitelink (found in the
bytes, before any JSON is parsed) gives its QID and title, and, where it holds a date, its dated claims. *Index*: the
pairs of QID and title become sorted arrays on disk (``titles.py``), which all workers map. *Join*: each claim's item
gets its title from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from deepred.config import Facts
from deepred.dating.claims import dated_claims, statements_of
from deepred.dating.entities import Part, iterate_blocks_of_lines, split_dump
from deepred.dating.statements import DATED, IrregularError, dated_statements
from deepred.dating.titles import IndexPart, Titles, index_titles, losers_of, title_schema
from deepred.dating.yago import YagoPart, read_yago
from deepred.documents import fact_schema
from deepred.errors import UserError
from deepred.stage import Counts

if TYPE_CHECKING:
    import pyarrow as pa

    from deepred.stage import Work

HEAD_BYTES = 400
"""Bytes of a line in which an entity's own id stands, before any other."""
OPENING_BRACE = ord("{")
ROWS = 20_000
"""Rows written at a time."""
_ID = re.compile(rb'"id"\s*:\s*"Q(\d+)"')
Row = tuple[Any, ...]


@dataclass(frozen=True)
class ReadPart:
    """One shard of reading: a part of a dump, for a wiki."""

    part: Part
    number: int
    wiki: str


@dataclass(frozen=True)
class JoinPart:
    """One shard of joining: the claims that a shard of reading left in a folder."""

    number: int
    folder: Path


def extract_facts(
    *, config: Facts, sources: dict[str, list[Path]], out: Path, work: Work, world: Path | None = None
) -> Counts:
    """Write ``facts-*.parquet`` from Wikidata dumps and YAGO files; see ``documents.fact_schema``.

    Raises UserError where more than ``config.max_unreadable`` of a source's entities cannot be read.
    """
    parts = [part for path in sources.get("wikidata", []) for part in split_dump(path)]
    reads = [(f"read-{n:05d}", ReadPart(part, n, config.wiki)) for n, part in enumerate(parts)]
    counts = work.map_shards(read_part, reads, out)
    check_readable("Wikidata", counts, config.max_unreadable)
    titles = [out / f"titles-{n:05d}.parquet" for n in range(len(parts))]
    counts.merge(work.map_shards(index_titles, [("index", IndexPart(titles))], out))
    joins = [(f"join-{n:05d}", JoinPart(n, out)) for n in range(len(parts))]
    counts.merge(work.map_shards(join_part, joins, out))
    yago = [(f"yago-{n:05d}", YagoPart(path, n, config.wiki, out)) for n, path in enumerate(sources.get("yago", []))]
    read = work.map_shards(read_yago, yago, out)
    check_readable("YAGO", read, config.max_unreadable)
    counts.merge(read)
    for pattern in ("claims-*", "titles-*", "join-*"):  # every shard that needs them is recorded as done
        for path in sorted(out.glob(pattern)):
            path.unlink()
    return counts


def check_readable(source: str, counts: Counts, most: float) -> None:
    """Raise UserError where the share of malformed records of a source is above ``most``."""
    bad, good = counts.drops["malformed"], counts.numbers["records"]
    if bad > most * (bad + good):
        first = counts.notes.get("first malformed", "")
        raise UserError(
            f"{bad:,} of {bad + good:,} records of {source} cannot be read; the first: {first}",
            "check that the file is what facts names it, or raise facts.max_unreadable",
        )


def read_part(argument: ReadPart, folder: Path) -> Counts:
    """Write ``claims-N.parquet`` (facts without the titles of their items) and ``titles-N.parquet`` of a part."""
    counts = Counts()
    names: list[Row] = []
    rows = _entity_rows(argument, names, counts)
    write_columns(folder / f"claims-{argument.number:05d}.parquet", rows, fact_schema())
    write_columns(folder / f"titles-{argument.number:05d}.parquet", names, title_schema())
    return counts


def write_columns(path: Path, rows: Iterable[Row], schema: pa.Schema) -> None:
    """Stream rows, as tuples in the order of a schema, into a Parquet file; it appears complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = path.with_name(path.name + ".tmp")
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
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
    partial.replace(path)


def _entity_rows(argument: ReadPart, names: list[Row], counts: Counts) -> Iterator[Row]:
    """The facts of a part's entities; their QIDs and titles are added to ``names``."""
    site = b'"' + argument.wiki.encode() + b'"'
    sitelink = re.compile(re.escape(site) + rb'\s*:\s*\{[^{}]*?"title"\s*:\s*("(?:[^"\\]|\\.)*")')
    whole = argument.part.kind == "document"
    for block in iterate_blocks_of_lines(argument.part):
        counts.add("bytes", len(block))
        lines = [block] if whole else list(lines_with(block, site))
        if not whole:
            _count_skipped(argument, block, len(lines), counts)
        for line in lines:
            try:
                yield from _line_facts(line, None if whole else sitelink, argument.wiki, names, counts)
            except (ValueError, KeyError, TypeError, AttributeError):
                _malformed(argument, line, counts)


def lines_with(block: bytes, needle: bytes) -> Iterator[bytes]:
    """The lines of a block that hold a needle, without white space and commas around them.

    The bytes between are only scanned for the needle: most entities have no article in one wiki.
    """
    place = block.find(needle)
    while place >= 0:
        end = block.find(b"\n", place)
        yield block[block.rfind(b"\n", 0, place) + 1 : end].strip().rstrip(b",")
        place = block.find(needle, end)


def _count_skipped(argument: ReadPart, block: bytes, read: int, counts: Counts) -> None:
    """Count the lines of a block that were not read: entities without article, and what does not begin as one."""
    site = b'"' + argument.wiki.encode() + b'"'
    skipped, start = -read, 0
    while start < len(block):  # looking for single newlines is the fastest scan there is
        end = block.find(b"\n", start)
        if block[start] == OPENING_BRACE:
            skipped += 1
        else:
            line = block[start:end].strip()
            if site in line:
                skipped += 1
            elif line not in (b"", b"[", b"]"):
                _malformed(argument, line, counts)
        start = end + 1
    counts.add("records", skipped)
    if skipped:
        counts.drop("no article in this wiki", skipped)


def _line_facts(
    line: bytes, sitelink: re.Pattern[bytes] | None, wiki: str, names: list[Row], counts: Counts
) -> Iterator[Row]:
    """The facts of one line; without a pattern, or where it does not fit, the line is parsed as a whole."""
    import orjson

    found = sitelink.search(line) if sitelink else None
    qid = _ID.search(line[:HEAD_BYTES])
    if found is None or qid is None:
        for entity in entities_of(line):
            yield from _entity_facts(entity, wiki, names, counts)
            counts.add("records")
        return
    if line[:1] != b"{" or line[-1:] != b"}":
        raise ValueError("no JSON object")
    statements = _statements(line) if DATED in line else []
    yield from _facts(int(qid[1]), orjson.loads(found[1]), statements, names, counts)
    counts.add("records")


def _statements(line: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The statements that may hold dates, from the bytes where they lie as in a dump, else by parsing it all."""
    try:
        return dated_statements(line)
    except IrregularError:
        (entity,) = entities_of(line)
        return list(statements_of(entity))


def _malformed(argument: ReadPart, line: bytes, counts: Counts) -> None:
    counts.drop("malformed")
    counts.notes.setdefault("first malformed", f"{argument.part.path}: {line[:60].decode(errors='replace')}")


def entities_of(line: bytes) -> Iterator[dict[str, Any]]:
    """The entities of a JSON document: one, or several as the API and KGTK write them.

    >>> [entity["id"] for entity in entities_of(b'{"entities": {"Q42": {"claims": {}}}}')]
    ['Q42']
    """
    import orjson

    value = cast("dict[str, Any]", orjson.loads(line))
    if "id" in value and ("claims" in value or "labels" in value):
        yield value
        return
    for key, entity in cast("dict[str, dict[str, Any]]", value.get("entities", value)).items():
        yield {"id": key, **entity}


def _entity_facts(entity: dict[str, Any], wiki: str, names: list[Row], counts: Counts) -> Iterator[Row]:
    """The facts of a parsed entity, if it has an article in a wiki."""
    link = (entity.get("sitelinks") or {}).get(wiki)
    name: str = entity["id"]
    if not link or name[:1] != "Q":
        counts.drop("no article in this wiki")
        return
    yield from _facts(int(name[1:]), link["title"], list(statements_of(entity)), names, counts)


def _facts(
    qid: int, title: str, statements: list[tuple[str, dict[str, Any]]], names: list[Row], counts: Counts
) -> Iterator[Row]:
    """The facts that an entity's statements hold; its QID and title are added to ``names``."""
    claims = list(dated_claims(statements, counts))
    names.append((qid, title))
    counts.add("dated entities" if claims else "undated entities")
    for claim in claims:
        counts.add("facts")
        counts.tally("properties", claim.property)
        yield (
            f"Q{qid}", title, claim.property, claim.qualifier, claim.value, "",
            claim.interval.first, claim.interval.last, claim.precision, claim.rank, claim.calendar, "wikidata",
        )  # fmt: skip


def join_part(argument: JoinPart, folder: Path) -> Counts:
    """Write ``facts-wikidata-N.parquet``: the claims of a part with the titles of their items, duplicates left out."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    titles = Titles(argument.folder)
    losers = losers_of(argument.folder, argument.number)
    counts = Counts()
    target = folder / f"facts-wikidata-{argument.number:05d}.parquet"
    claims = argument.folder / f"claims-{argument.number:05d}.parquet"
    with pq.ParquetFile(claims) as file, pq.ParquetWriter(target, fact_schema(), compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=ROWS):
            table = pa.Table.from_batches([batch])
            if len(losers):
                kept = ~np.isin(_numbers(table["entity"]), losers)
                counts.drop("fact of a duplicate", int((~kept).sum()))
                table = table.filter(pa.array(kept))
            values = titles.find(_numbers(table["value"]))
            place = table.schema.get_field_index("value_title")
            writer.write_table(table.set_column(place, table.schema.field(place), pa.array(values, pa.string())))
    return counts


def _numbers(column: pa.ChunkedArray) -> Any:
    """The numbers of QIDs, -1 for what is none (empty, properties, lexemes)."""
    import numpy as np

    return np.fromiter((int(value[1:]) if value[:1] == "Q" else -1 for value in column.to_pylist()), dtype=np.int64)
