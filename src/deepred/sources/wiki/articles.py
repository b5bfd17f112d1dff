"""Stage ``articles``: MediaWiki dumps and plain-text articles as structured text, in Parquet.

In: dumps (bz2 of any kind, gzip, XML) and Parquet files of plain text. Out: ``articles-*.parquet``, a row per page of
namespace 0 that is no redirect, and ``redirects-*.parquet``. Every worker decodes its own byte range of a dump; the
files are the same whatever the number of workers. Of a page that stands several times in a dump the newest revision
comes out; of pages that several sources hold the first source's stays.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import article_schema, redirect_schema, write_rows
from deepred.run.config import Articles
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work
from deepred.sources.wiki import dump
from deepred.sources.wiki.apparatus import mark_apparatus
from deepred.sources.wiki.earlier_pages import Seen, forget, remember
from deepred.sources.wiki.page import Malformed, Oversized, Page
from deepred.sources.wiki.plain_articles import check_file, iterate_plain, plain_row
from deepred.sources.wiki.prefixes import Prefixes, normalise_title
from deepred.sources.wiki.repeated_pages import PageLog, forget_pages, settle_pages
from deepred.sources.wiki.wikitext import SlowError, parse

MAX_MALFORMED = 0.1
"""Share of malformed pages above which a dump counts as unreadable."""
BATCH = 128
"""Rows converted to Parquet at a time: of the longest pages, with all their links, about 50 MB of Python objects."""
COLLECT_AFTER = 50_000
"""Objects after which Python looks for cycles: the rows hold none, and at its default of 700 the looking costs 8%."""
PLAIN_ROWS = 5000
"""Rows of a plain-text source that make one shard."""

WIKITEXT = ("", "wikitext")
"""Content models of pages whose text is wikitext; old dumps name none."""
SHOWN_TEMPLATES = 5
"""Templates without a rule that the summary names; the manifest holds them all."""


@dataclass(frozen=True)
class _Shard:
    """What a worker needs to extract one byte range of a dump, or one row range of a plain source."""

    path: Path
    source: int
    number: int
    start: int
    end: int
    config: Articles
    namespaces: dict[int, str]
    site: str
    seen: Path | None

    @property
    def name(self) -> str:
        return f"{self.source:03d}-{self.number:05d}"


def extract_articles(
    *, config: Articles, sources: dict[str, list[Path]], out: Path, work: Work, world: Path | None = None
) -> Counts:
    """Extract all dumps, then all plain sources, into ``out``."""
    dumps = [path for path in sources.get("dumps", []) if not is_index(path)]
    plain = sources.get("plain", [])
    if not dumps and not plain:
        raise UserError("no article sources are given", "name at least one file in articles.dumps or articles.plain")
    counts = Counts()
    for number, path in enumerate([*dumps, *plain]):
        seen = remember(out, number) if number else None
        if number < len(dumps):
            counts.merge(_extract_dump(path, number, config, out, work, seen))
        else:
            shards = [
                _Shard(path, number, i, first, last, config, {}, "", seen)
                for i, (first, last) in _plan_plain(path, config)
            ]
            counts.merge(work.map_shards(extract_plain, [(shard.name, shard) for shard in shards], out))
    forget(out)
    forget_pages(out)
    return counts


def is_index(path: Path) -> bool:
    """Whether a file is a multistream dump's index, which a glob for the dump finds too; no worker needs it."""
    return path.name.endswith((".txt", ".txt.bz2")) and "-index" in path.name


def extract(
    path: Path,
    out: Path,
    *,
    workers: int = 1,
    language: str = "",
    config: Articles | None = None,
    work: Work | None = None,
) -> Counts:
    """Extract one dump into a folder, without a run file; ``language`` defaults to that of the dump's database name."""
    if is_index(path):
        raise UserError(f"{path} is the index of a multistream dump", "name the dump itself; no index is needed")
    config = (config or Articles()).model_copy(update={"language": language})
    out.mkdir(parents=True, exist_ok=True)
    work = work or Work(Settings(workers=workers))
    return extract_articles(config=config, sources={"dumps": [path]}, out=out, work=work)


def _language(database: str) -> str:
    """``_language("zh_min_nanwiki") == "zh-min-nan"``."""
    return database.removesuffix("wiki").replace("_", "-") if database.endswith("wiki") else ""


def _extract_dump(path: Path, number: int, config: Articles, out: Path, work: Work, seen: Path | None) -> Counts:
    try:
        site = dump.read_site(path)
        if not config.salvage and not config.limit and (cut := dump.find_cut(path)):
            raise cut
    except dump.DamageError as damage:
        if not config.salvage:
            raise dump.damage_fault(damage, path) from None
        shard = _Shard(path, number, 0, 0, 0, config, {}, "", None)  # no page can be read: empty tables say so
        counts = work.map_shards(extract_range, [(shard.name, shard)], out)
        _note_damage(counts, damage, path, path.stat().st_size)
        return counts
    if not config.language:
        config = config.model_copy(update={"language": _language(site.name)})
    ranges = [(0, path.stat().st_size)] if config.limit else dump.plan_ranges(path)
    shards = [
        _Shard(path, number, i, start, end, config, site.namespaces, site.name, seen)
        for i, (start, end) in enumerate(ranges)
    ]
    counts = work.map_shards(extract_range, [(shard.name, shard) for shard in shards], out)
    _check_pages(counts, path)
    counts.merge(settle_pages(out, number))
    return counts


def _check_pages(counts: Counts, path: Path) -> None:
    """An error where a dump has no page, or too many of which nothing can be read."""
    malformed = counts.drops["malformed"] + counts.drops["not_utf8"]
    pages = counts.numbers["pages"] + malformed + counts.drops["no_text"]
    if not pages + counts.drops["oversized"] + counts.drops["damaged"]:
        raise UserError(
            f"{path}: no page was found; its elements are {', '.join(dump.names_in(path)) or 'none'}, "
            "expected are <page> elements in <mediawiki>",
            "give a pages-articles dump (or Special:Export's file), not one of logs, abstracts or titles",
        )
    if counts.drops["no_text"] > MAX_MALFORMED * pages:
        raise UserError(
            f"{path}: {counts.drops['no_text']:,} of {pages:,} pages say that they have a text and do not hold it: "
            "a stub dump",
            "give the pages-articles dump of the same wiki",
        )
    if malformed > MAX_MALFORMED * pages:
        raise FaultError(
            f"{path}: {malformed} pages are malformed or not UTF-8", "check that it is a MediaWiki XML dump"
        )


def extract_range(shard: _Shard, folder: Path) -> Counts:
    """Extract the pages that begin in a byte range of a dump into one file of articles and one of redirects."""
    counts = Counts()
    for name in ("pages", "documents", "redirects", "other_namespaces"):
        counts.add(name, 0)  # in this order, whatever comes first in the dump
    redirects: list[dict[str, str]] = []
    log = PageLog()
    rows = _article_rows(shard, counts, redirects, log)
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER)
    try:
        write_rows(folder / f"articles-{shard.name}.parquet", rows, article_schema(), BATCH)
        write_rows(folder / f"redirects-{shard.name}.parquet", redirects, redirect_schema())
        log.save(folder / f"pages-{shard.name}.npy")
    finally:
        gc.set_threshold(*thresholds)
    return counts


def _article_rows(
    shard: _Shard, counts: Counts, redirects: list[dict[str, str]], log: PageLog
) -> Iterator[dict[str, Any]]:
    """The rows of a range's articles; redirects are appended beside, everything else is counted."""
    prefixes = _prefixes(shard.config.language, tuple(shard.namespaces.items()))
    site = dump.Site(shard.site, shard.namespaces)
    earlier = Seen.load(shard.seen)
    try:
        for size, page in dump.iterate_pages(shard.path, shard.start, shard.end):
            counts.add("bytes", size)
            if isinstance(page, Oversized):
                counts.drop("oversized")
                continue
            if isinstance(page, Malformed):
                counts.drop(page.reason)
                continue
            counts.add("pages")
            if page.older:
                counts.add("older_revisions", page.older)
            row = None
            target = _redirect(page, prefixes)
            if (page.namespace if page.namespace is not None else site.namespace_of(page.title)) != 0:
                kind = "other_namespaces"
            elif earlier.holds(None if target is not None else page.id, page.title):
                kind = "dropped"
                counts.drop("duplicate")
            elif target is not None:
                kind = "redirects"
                redirects.append({"title": page.title, "target": target})
            else:
                row = _article_row(page, shard, prefixes, counts)
                kind = "documents" if row else "dropped"
            log.add(page, kind)
            if kind != "dropped":
                counts.add(kind)
            if row:
                yield row
                if counts.numbers["documents"] == shard.config.limit:
                    return
    except dump.DamageError as damage:
        if not shard.config.salvage:
            raise dump.damage_fault(damage, shard.path) from None
        _note_damage(counts, damage, shard.path, shard.end)


def _redirect(page: Page, prefixes: Prefixes) -> str | None:
    """The title that a page redirects to: by its element, and by its text where that says nothing; else None."""
    target = normalise_title(page.redirect or "")
    if target or page.model not in WIKITEXT:
        return target or None
    return prefixes.redirect_target(page.text)


def _article_row(page: Page, shard: _Shard, prefixes: Prefixes, counts: Counts) -> dict[str, Any] | None:
    config = shard.config
    text = page.text if page.model in WIKITEXT else ""
    try:
        parsed = parse(
            text,
            prefixes,
            title=page.title,
            tables=config.tables,
            captions=config.captions,
            math=config.math,
            seconds=config.seconds_per_article,
        )
    except SlowError:
        counts.drop("slow")
        return None
    for name, count in parsed.templates.items():
        counts.tally("templates", name, count)
    return {
        "page_id": page.id,
        "title": page.title,
        "revision_id": page.revision_id,
        "timestamp": page.timestamp,
        "text": parsed.text,
        "sections": mark_apparatus([section._asdict() for section in parsed.sections], prefixes.language),
        "links": parsed.links,
        "categories": parsed.categories,
        "infobox": parsed.infobox,
        "infobox_dates": parsed.infobox_dates,
        "disambiguation": parsed.disambiguation,
        "source": shard.path.name,
    }


def _note_damage(counts: Counts, damage: dump.DamageError, path: Path, end: int) -> None:
    """State what salvage lost: from the damage to the end of the range, in bytes of the file."""
    counts.drop("damaged")
    lost = f"; bytes {damage.offset:,} to {end:,} of the file were not read" if damage.offset < end else ""
    counts.notes[f"damage in {path.name} at byte {damage.offset}"] = damage.describe(path) + lost


@cache
def _prefixes(language: str, namespaces: tuple[tuple[int, str], ...]) -> Prefixes:
    return Prefixes.of(language, dict(namespaces))


def _plan_plain(path: Path, config: Articles) -> Iterable[tuple[int, tuple[int, int]]]:
    import pyarrow.parquet as pq

    check_file(path)
    rows = pq.read_metadata(path).num_rows
    if not rows:
        raise UserError(f"{path} holds no row", "name a Parquet file of articles")
    rows = min(rows, config.limit) if config.limit else rows
    return enumerate((first, min(first + PLAIN_ROWS, rows)) for first in range(0, rows, PLAIN_ROWS))


def extract_plain(shard: _Shard, folder: Path) -> Counts:
    """Turn rows ``start`` to ``end`` of a plain-text source into article rows."""
    counts = Counts()
    earlier = Seen.load(shard.seen)

    def rows() -> Iterator[dict[str, Any]]:
        for row in iterate_plain(shard.path, shard.start, shard.end):
            counts.add("pages")
            counts.add("bytes", len(row["text"].encode()))
            if earlier.holds(row["page_id"], row["title"]):
                counts.drop("duplicate")
                continue
            counts.add("documents")
            yield plain_row(row, shard.path.name)

    write_rows(folder / f"articles-{shard.name}.parquet", rows(), article_schema(), BATCH)
    return counts


def summary_lines(counts: Counts, seconds: float) -> list[str]:
    """The closing lines of an extraction.

    >>> summary_lines(Counts(Counter(pages=3, documents=2, redirects=1, bytes=5_000_000)), 2.0)
    ['3 pages: 2 articles, 1 redirects, 0 of other namespaces, 0 dropped', '5.0 MB of XML in 2.0 s: 2.5 MB/s']
    """
    numbers = counts.numbers
    dropped = {reason: count for reason, count in counts.drops.items() if reason != "damaged"}
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items(), key=lambda drop: -drop[1]))
    lines = [
        f"{numbers['pages']:,} pages: {numbers['documents']:,} articles, {numbers['redirects']:,} redirects, "
        f"{numbers['other_namespaces']:,} of other namespaces, {sum(dropped.values()):,} dropped"
        + (f" ({reasons})" if reasons else "")
    ]
    megabytes = numbers["bytes"] / 1e6
    lines.append(f"{megabytes:,.1f} MB of XML in {seconds:,.1f} s: {megabytes / max(seconds, 1e-6):,.1f} MB/s")
    templates = counts.tallies.get("templates")
    if templates:
        common = ", ".join(f"{name} {count:,}" for name, count in templates.most_common(SHOWN_TEMPLATES))
        lines.append(f"templates without a rule, their text left out: {common} (all of them: manifest.json)")
    return lines + [f"lost: {note}" for name, note in counts.notes.items() if name.startswith("damage")]
