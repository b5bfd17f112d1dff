"""Stage ``emergence``: when words, names and titles begin to occur, learned from dated sentences; knows no cutoff.

In: articles with their links, and their dates. Out:

- ``sentences-*.parquet``: every article as spans of sentences with the dates, those they carry on from the text before
  them, and the links' days;
- ``terms.parquet``: for every hashed word and pair of names the dated sentences that hold it, by year;
- ``titles.days`` and ``names.days``: the day from which a title or a name can have been written;
- ``article_years.parquet``: the years of every article's dated sentences.

One dictionary serves every cutoff. The table of terms has a fixed number of buckets (``2 ** buckets``, eight bytes a
bucket and year that occurs), so memory is bounded however large the corpus is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepred.base.days import year_of
from deepred.base.errors import FaultError
from deepred.base.tables import read_rows, schema_of, write_rows
from deepred.filter.first_known import MISSING, KnownDays, hash_name, hash_title, read_names, read_titles
from deepred.filter.term_years import Terms, count_terms, merge_counts
from deepred.run.config import Emergence
from deepred.run.stage import Counts, Work
from deepred.text.dates.carried import carry_dates
from deepred.text.dates.find import DateSpan, Precision, find_dates
from deepred.text.sentences import Segments, segment
from deepred.text.word_hashes import find_words

if TYPE_CHECKING:
    import pyarrow as pa

TITLES, NAMES, TERMS, YEARS = "titles.days", "names.days", "terms.parquet", "article_years.parquet"


def sentence_schema() -> pa.Schema:
    """``sentences-*.parquet``: an article as spans; row ``i`` of a file belongs to row ``i`` of the articles' file."""
    return schema_of(
        "page_id: int64; fold: int8; start end paragraph section heading_start heading_end apparatus: int32*; "
        "date_start date_end date_first date_last date_precision link_start link_end link_known: int32*; "
        "carried_start carried_first carried_last: int32*; carried_named: bool*"
    )


def learn_emergence(*, articles: Path, dates: Path, config: Emergence, seed: int, out: Path, work: Work) -> Counts:
    """Read every article once, in shards, and merge what the shards counted."""
    files = sorted(articles.glob("articles-*.parquet"))
    if not files:
        raise FaultError(f"{articles} holds no articles", "run the stage articles again")
    titles = out / TITLES
    if not titles.exists():
        read_titles(dates, articles).save(titles)
    shards = [(path.stem, (str(path), str(titles), config.buckets, config.folds, seed)) for path in files]
    counts = work.map_shards(_read_shard, shards, out)
    if not (out / NAMES).exists():
        read_names(dates, articles, KnownDays.load(titles), _read_anchor_days(out)).save(out / NAMES)
    _merge_terms(out, [path.stem for path in files], config)
    years = out / YEARS
    if not years.exists():
        write_rows(years, read_rows(out, "years-*.parquet"), _years_schema())
    for path in [*out.glob("years-*.parquet"), *out.glob("anchors-*.npy"), *out.glob("terms-*.npy")]:
        path.unlink()
    return counts


def _years_schema() -> pa.Schema:
    return schema_of("page_id: int64; years: int32*")


def _read_anchor_days(out: Path) -> KnownDays:
    tables = [np.load(path) for path in sorted(out.glob("anchors-*.npy"))]
    values = np.concatenate([*tables, np.zeros((0, 2), np.uint64)])
    return KnownDays.earliest(values[:, 0], values[:, 1].astype(np.int64).astype(np.int32))


def _merge_terms(out: Path, stems: list[str], config: Emergence) -> None:
    if (out / TERMS).exists():
        return
    merged = (np.zeros(0, np.int64), np.zeros(0, np.int64))
    for stem in stems:
        keys, numbers = np.load(out / f"terms-{stem}.npy")
        merged = merge_counts(merged, (keys, numbers))
    Terms.of(merged, config.buckets, config.min_count).save(out / TERMS)


def fold_of(page_id: int, folds: int, seed: int) -> int:
    """The fold of an article: a function of its page id and the seed alone, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}:{page_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % folds


def _read_shard(argument: tuple[str, str, int, int, int], folder: Path) -> Counts:
    source, titles_file, buckets, folds, seed = argument
    path = Path(source)
    titles = KnownDays.load(Path(titles_file))
    counts = Counts()
    years: list[dict[str, Any]] = []
    tables: list[tuple[Any, Any]] = []
    anchors: set[tuple[int, int]] = set()

    def rows() -> Iterator[dict[str, Any]]:
        for article in read_rows(
            path.parent, path.name, ["page_id", "title", "revision_id", "text", "sections", "links"]
        ):
            row, segments, found = describe_article(article, titles)
            row["fold"] = fold_of(article["page_id"], folds, seed)
            anchors.update(_read_anchors(article, row["link_known"]))
            known = sentence_years(segments, found)
            years.append({"page_id": article["page_id"], "years": [year for year in known if year is not None]})
            tables.append(count_terms(find_words(article["text"]), segments, known, buckets))
            if len(tables) >= 256:
                _fold_tables(tables)
            counts.add("documents")
            counts.add("bytes", len(article["text"]))
            counts.add("sentences", len(segments))
            counts.add("dated sentences", len(years[-1]["years"]))
            yield row

    write_rows(folder / f"sentences-{path.stem.removeprefix('articles-')}.parquet", rows(), sentence_schema())
    write_rows(folder / f"years-{path.stem}.parquet", years, _years_schema())
    _fold_tables(tables)
    np.save(folder / f"terms-{path.stem}.npy", np.stack(tables[0]) if tables else np.zeros((2, 0), np.int64))
    pairs = np.array(sorted(anchors), dtype=object).reshape(-1, 2)
    values = np.array([value for value, _ in pairs], np.uint64)
    days = np.array([day for _, day in pairs], np.int64).astype(np.uint64)
    np.save(folder / f"anchors-{path.stem}.npy", np.stack([values, days], axis=1))
    return counts


def _fold_tables(tables: list[tuple[Any, Any]]) -> None:
    """Merge the tables of many articles into one, so that a shard's memory does not grow with its articles."""
    if tables:
        keys = np.concatenate([keys for keys, _ in tables])
        numbers = np.concatenate([numbers for _, numbers in tables])
        tables[:] = [merge_counts((keys, numbers), (keys[:0], numbers[:0]))]


def describe_article(
    article: dict[str, Any], titles: KnownDays
) -> tuple[dict[str, Any], Segments, list[list[DateSpan]]]:
    """An article's row of ``sentences-*.parquet`` (without its fold), its segments, and the dates of every sentence."""
    text = article["text"]
    segments = segment(text, article.get("sections") or (), article["title"], not article.get("revision_id"))
    spans = find_dates(text)
    links = article.get("links") or []
    carried = [one for one in carry_dates(text, spans) if one.firm]
    known = titles.look_up(np.array([hash_title(link["target"]) for link in links], np.uint64))
    row: dict[str, Any] = {
        "page_id": article["page_id"],
        "start": segments.starts,
        "end": segments.ends,
        "paragraph": segments.paragraphs,
        "section": segments.sections,
        "heading_start": [start for start, _ in segments.headings],
        "heading_end": [end for _, end in segments.headings],
        "apparatus": _apparatus(article.get("sections") or (), segments),
        "date_start": [span.start for span in spans],
        "date_end": [span.end for span in spans],
        "date_first": [span.interval.first for span in spans],
        "date_last": [span.interval.last for span in spans],
        "date_precision": [int(span.precision) for span in spans],
        "link_start": [link["start"] for link in links],
        "link_end": [link["end"] for link in links],
        "link_known": known.tolist(),
        "carried_start": [one.start for one in carried],
        "carried_first": [one.interval.first for one in carried],
        "carried_last": [one.interval.last for one in carried],
        "carried_named": [one.named for one in carried],
    }
    return row, segments, _by_sentence(segments, spans)


def _apparatus(sections: Sequence[dict[str, Any]], segments: Segments) -> list[int]:
    """The numbers of the sections that extraction marked as apparatus."""
    marked = {section["start"] for section in sections if section.get("apparatus")}
    return [number for number, (start, _) in enumerate(segments.headings, 1) if start in marked]


def _by_sentence(segments: Segments, spans: list[DateSpan]) -> list[list[DateSpan]]:
    found: list[list[DateSpan]] = [[] for _ in segments.starts]
    if found and spans:
        places = np.searchsorted(np.array(segments.starts), [span.start for span in spans], "right") - 1
        for span, place in zip(spans, places.tolist()):
            if place >= 0 and span.start < segments.ends[place]:
                found[place].append(span)
    return found


def sentence_years(segments: Segments, dates: list[list[DateSpan]]) -> list[int | None]:
    """The year from which each sentence can have been written by its own dates, or None where it has none.

    The latest date decides, and a decade by its first year; centuries say too little.
    """
    return [
        max((year_of(span.interval.first) for span in found if span.precision >= Precision.DECADE), default=None)
        for found in dates
    ]


def _read_anchors(article: dict[str, Any], known: list[int]) -> Iterator[tuple[int, int]]:
    """The names by which an article links to others, with the days of these; only what is written like a name."""
    text = article["text"]
    for link, day in zip(article.get("links") or [], known):
        if day == MISSING:
            continue
        anchor = text[link["start"] : link["end"]]
        words = anchor.split()
        if words and all(word[0].isupper() for word in (words[0], words[-1])):
            value = hash_name(anchor)
            if value is not None:
                yield value, day
