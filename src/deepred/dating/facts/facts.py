"""Stage ``facts``: Wikidata's dumps and YAGO to dated facts about the subjects of a wiki's articles.

Three steps, each by shards and flat in memory. *Read*: the lines of a dump, JSON (``entities.py``) or truthy N-Triples
(``ntriples.py``), give dated claims, and QID and title of every entity with an article. *Index*: the pairs of QID and
title become sorted arrays on disk (``titles.py``), which all workers map. *Join*: each claim's item gets its title
from there, and so does the entity of a triple, whose sitelink may lie in another shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import UserError
from deepred.base.formats import describe_unpacked
from deepred.base.tables import fact_schema, write_columns
from deepred.dating.facts.dump_lines import DamageError, Part, iterate_lines, split_dump
from deepred.dating.facts.entities import EntityReader, Row
from deepred.dating.facts.ntriples import TripleReader
from deepred.dating.facts.titles import IndexPart, Titles, index_titles, title_schema
from deepred.dating.facts.yago import YagoPart, check_dated, check_yago, read_yago
from deepred.run.config import Facts
from deepred.run.stage import Counts

if TYPE_CHECKING:
    import pyarrow as pa

    from deepred.run.stage import Work

DAMAGED = "damaged or cut off"
ROWS = 20_000
"""Claims joined at a time."""


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
    own: range
    """Shards whose entities count as its own: itself for JSON, those of all triples for triples."""
    reason: str
    """Why facts of other entities are left out."""
    folder: Path


def extract_facts(
    *, config: Facts, sources: dict[str, list[Path]], out: Path, work: Work, world: Path | None = None
) -> Counts:
    """Write ``facts-*.parquet`` from Wikidata dumps and YAGO files; see ``tables.fact_schema``.

    Raises UserError where more than ``config.max_unreadable`` of a source cannot be read.
    """
    parts = [part for path in sources.get("wikidata", []) for part in split_dump(path)]
    parts.sort(key=lambda part: part.form == "triples")  # of an entity met in both, the statements with precision win
    first = sum(part.form != "triples" for part in parts)
    reads = [(f"read-{n:05d}", ReadPart(part, n, config.wiki)) for n, part in enumerate(parts)]
    counts = work.map_shards(read_part, reads, out)
    check_readable(
        f"Wikidata ({', '.join(sorted({str(part.path) for part in parts})[:3])})",
        counts,
        config.max_unreadable,
        sum(part.end - part.start for part in parts),
    )
    titles = [out / f"titles-{n:05d}.parquet" for n in range(len(parts))]
    counts.merge(work.map_shards(index_titles, [("index", IndexPart(titles))], out))
    if first < len(parts) and not counts.numbers["titles"]:
        raise UserError(
            f"the triples hold no sitelink to {config.wiki}, so that no date can be joined with an article",
            "give the JSON dump, or the sitelinks (schema:about) as a further N-Triples file",
        )
    joins = [JoinPart(n, range(n, n + 1), "fact of a duplicate", out) for n in range(first)]
    triples = range(first, len(parts))
    joins += [JoinPart(n, triples, "fact of no article", out) for n in triples]
    counts.merge(work.map_shards(join_part, [(f"join-{join.number:05d}", join) for join in joins], out))
    check_found(sources.get("wikidata", []), config.wiki, counts)
    for path in sources.get("yago", []):
        check_yago(path)
    yago = [(f"yago-{n:05d}", YagoPart(path, n, config.wiki, out)) for n, path in enumerate(sources.get("yago", []))]
    read = work.map_shards(read_yago, yago, out)
    check_readable("YAGO", read, config.max_unreadable)
    check_dated(sources.get("yago", []), config.wiki, read)
    counts.merge(read)
    for pattern in ("claims-*", "titles-*", "join-*"):  # every shard that needs them is recorded as done
        for path in sorted(out.glob(pattern)):
            path.unlink()
    return counts


def check_found(paths: Sequence[Path], wiki: str, counts: Counts) -> None:
    """``UserError`` where a dump holds records, and no entity of them has an article in the wiki."""
    if not paths or counts.numbers["titles"]:
        return
    names = ", ".join(f"{path} ({describe_unpacked(path)})" for path in paths[:3])
    raise UserError(
        f"no entity with an article in {wiki} among {counts.numbers['records']:,} records of {names}",
        "facts.wikidata takes Wikidata's JSON dump or truthy N-Triples with sitelinks; check facts.wiki too",
    )


def check_readable(source: str, counts: Counts, most: float, size: int = 0) -> None:
    """Raise UserError where the share of malformed records, or of lost bytes, of a source is above ``most``."""
    bad, good = counts.drops["malformed"] + counts.drops[DAMAGED], counts.numbers["records"]
    lost = counts.numbers["bytes lost"]
    if bad > most * (bad + good) or lost > most * size:
        first = counts.notes.get("first damage") or counts.notes.get("first malformed", "")
        raise UserError(
            f"{source} is mostly unreadable: {bad:,} of {bad + good:,} records, {lost:,} bytes; the first: {first}",
            "download it again, check that it is what facts names it, or raise facts.max_unreadable",
        )


def read_part(argument: ReadPart, folder: Path) -> Counts:
    """Write ``claims-N.parquet`` (facts without the titles of their items) and ``titles-N.parquet`` of a part."""
    counts = Counts()
    reader = (TripleReader if argument.part.form == "triples" else EntityReader)(argument.wiki, counts)
    rows = read_facts(argument.part, reader, counts)
    write_columns(folder / f"claims-{argument.number:05d}.parquet", rows, fact_schema())
    write_columns(folder / f"titles-{argument.number:05d}.parquet", reader.names, title_schema())
    return counts


def read_facts(part: Part, reader: EntityReader | TripleReader, counts: Counts) -> Iterator[Row]:
    """The facts of a part; where it is damaged, those before."""
    try:
        for block in iterate_lines(part):
            yield from reader.read(block)
    except DamageError as error:
        counts.drop(DAMAGED)
        counts.add("bytes lost", error.lost)
        counts.notes.setdefault("first damage", str(error))


def join_part(argument: JoinPart, folder: Path) -> Counts:
    """Write ``facts-wikidata-N.parquet``: the claims of a part with their titles, those of duplicates left out."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    titles = Titles(argument.folder)
    counts = Counts()
    target = folder / f"facts-wikidata-{argument.number:05d}.parquet"
    claims = argument.folder / f"claims-{argument.number:05d}.parquet"
    with pq.ParquetFile(claims) as file, pq.ParquetWriter(target, fact_schema(), compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=ROWS):
            table = pa.Table.from_batches([batch])
            shards = titles.shards_of(_numbers(table["entity"]))
            kept = (shards >= argument.own.start) & (shards < argument.own.stop)
            if not kept.all():
                counts.drop(argument.reason, int((~kept).sum()))
                table = table.filter(pa.array(np.asarray(kept)))
            for name, column in (("title", "entity"), ("value_title", "value")):
                values = pa.array(titles.find(_numbers(table[column])), pa.string())
                place = table.schema.get_field_index(name)
                table = table.set_column(place, table.schema.field(place), values)
            writer.write_table(table)
    return counts


def _numbers(column: pa.ChunkedArray) -> Any:
    """The numbers of QIDs, -1 for what is none (empty, properties, lexemes)."""
    import numpy as np

    return np.fromiter((int(value[1:]) if value[:1] == "Q" else -1 for value in column.to_pylist()), dtype=np.int64)
