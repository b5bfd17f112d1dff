"""Stage ``classes``: an article's dates and the cutoff to its class, with the reason.

O: all that dates the subject lies before the cutoff, and it has ended. N: it was first known on or after the cutoff.
S: it was known before, and lives, survives or ended after. U: undated, unless nearly all its dated sentences are late,
which makes it N. Law: DESIGN, "The cutoff, exactly".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepred.base.days import Day, Interval, Side
from deepred.base.tables import class_schema, read_rows, write_rows
from deepred.dating.evidence import ESTIMATE, PERIOD, format_end, format_interval
from deepred.filter.class_coverage import count_article, write_coverage
from deepred.run.config import Classes
from deepred.run.stage import Counts

if TYPE_CHECKING:
    from deepred.run.stage import Work

Class = Literal["O", "N", "S", "U"]

FEWEST_SENTENCES = 5
"""Dated sentences below which their late share says nothing."""


@dataclass(frozen=True)
class ClassPart:
    """One shard: a file of dates, where the articles' dated sentences are, and the cutoff."""

    path: Path
    years: Path | None
    cutoff: Day
    straddling: str
    late_share: float


def classify_articles(
    *,
    articles: Path,
    dates: Path,
    emergence: Path,
    config: Classes,
    cutoff: Day,
    straddling: str,
    out: Path,
    work: Work,
) -> Counts:
    """Write ``classes-*.parquet``, a row an article in the order of the dates (``tables.class_schema``), and what
    they cover, ``coverage.json``.
    """
    years = emergence / "article_years.parquet"
    found = years if years.exists() else None
    shards = [
        (path.stem, ClassPart(path, found, cutoff, straddling, config.late_share))
        for path in sorted(dates.glob("dates-*.parquet"))
    ]
    counts = work.map_shards(classify_part, shards, out)
    write_coverage(counts, cutoff, out)
    return counts


def classify_part(argument: ClassPart, folder: Path) -> Counts:
    """Write the classes of one file of dates."""
    counts = Counts()
    pages = [row["page_id"] for row in read_rows(argument.path.parent, argument.path.name, ["page_id"])]
    shares = late_shares(argument.years, set(pages), argument.cutoff, argument.straddling)
    name = argument.path.name.replace("dates-", "classes-", 1)
    write_rows(folder / name, _rows(argument, shares, counts), class_schema())
    return counts


def _rows(argument: ClassPart, shares: dict[int, tuple[int, int]], counts: Counts) -> Iterator[dict[str, Any]]:
    for row in read_rows(argument.path.parent, argument.path.name):
        late, dated = shares.get(row["page_id"], (0, 0))
        share = late / dated if dated >= FEWEST_SENTENCES else None
        label, reason = classify(row, share, argument.cutoff, argument.straddling, argument.late_share)
        counts.add("documents")
        count_article(counts, label, row["evidence"][0]["source"] if row["evidence"] else "", row["first_known"])
        yield {"page_id": row["page_id"], "title": row["title"], "class": label, "reason": reason}


def classify(
    row: Mapping[str, Any], late_share: float | None, cutoff: Day, straddling: str, most_late: float
) -> tuple[Class, str]:
    """The class of an article and why; ``late_share`` is that of its dated sentences, None where it has too few.

    A dated row's first evidence decides what it was first known by (see ``dating.dates``).
    """
    known: Day | None = row["first_known"]
    if known is None:
        if late_share is not None and late_share >= most_late:
            return "N", f"undated; late share {late_share:.2f}"
        return "U", "undated" if late_share is None else f"undated; late share {late_share:.2f}"
    deciding: Mapping[str, Any] = row["evidence"][0]
    last_known: Day = known if deciding["kind"] == PERIOD or deciding["last"] is None else deciding["last"]
    when = Interval(known, max(known, last_known))
    said = f"first known {format_interval(when.first, when.last)} ({deciding['kind']}, {deciding['source']})"
    if _is_late(when.side(cutoff), straddling):
        return "N", said
    if deciding["kind"] == ESTIMATE and late_share is not None and late_share >= most_late:
        return "N", f"{said}; late share {late_share:.2f}"
    if not row["ended"]:
        return "S", f"{said}; no end attested"
    end = Interval(min(known, row["last"]), row["last"])
    last = f"ended {format_end(row['last'])}"
    if _is_late(end.side(cutoff), straddling):
        return "S", f"{said}; {last}"
    return "O", f"{said}; {last}"


def _is_late(side: Side, straddling: str) -> bool:
    return side == "after" or (side == "straddling" and straddling == "drop")


def late_shares(path: Path | None, pages: set[int], cutoff: Day, straddling: str) -> dict[int, tuple[int, int]]:
    """Late and all dated sentences of the pages, from the years that ``emergence`` found in them."""
    if path is None:
        return {}
    shares: dict[int, tuple[int, int]] = {}
    for row in read_rows(path.parent, path.name, ["page_id", "years"]):
        if row["page_id"] in pages:
            years = row["years"]
            late = sum(_is_late(Interval.of(year).side(cutoff), straddling) for year in years)
            shares[row["page_id"]] = (late, len(years))
    return shares
