"""Every sentence that the filter dropped, with its text, reason and probability: streamed from a run's folders.

In: the finished folders of ``articles``, ``emergence`` (where sentences lie) and ``passages``. A sentence that was kept
in an article of which too little was left for the corpus is listed too, with the reason ``short``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepred.base.tables import read_rows
from deepred.filter.decision import REASONS
from deepred.filter.passages import read_pairs
from deepred.sources.wiki.prefixes import fold_title

SHORT = "short"
ALL_REASONS = (*REASONS[1:], SHORT)


def list_drops(
    articles: Path, emergence: Path, passages: Path, *, reason: str | None = None, title: str | None = None
) -> Iterator[dict[str, Any]]:
    """The dropped sentences in the order of the articles, those of one reason or of one article where it is named."""
    wanted = fold_title(title) if title else None
    for path in sorted(articles.glob("articles-*.parquet")):
        name = path.stem.removeprefix("articles-")
        kept = read_rows(passages, f"passages-{name}.parquet", ["page_id"])
        dropped = read_rows(passages, f"dropped-{name}.parquet")
        next_kept, next_dropped = next(kept, None), next(dropped, None)
        for article, row in read_pairs(path, emergence):
            page = article["page_id"]
            rows: list[dict[str, Any]] = []
            while next_dropped is not None and next_dropped["page_id"] == page:
                rows.append(next_dropped)
                next_dropped = next(dropped, None)
            if next_kept is not None and next_kept["page_id"] == page:
                next_kept = next(kept, None)
            else:
                rows = _with_short(rows, row)
            if wanted is None or fold_title(article["title"]) == wanted:
                yield from (_shown(article, found) for found in rows if reason in (None, found["reason"]))


def _with_short(rows: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """All sentences of an article that is not in the corpus: those that the filter kept were dropped as too little."""
    listed = {found["start"] for found in rows}
    short = [
        {"start": start, "end": end, "reason": SHORT, "probability": None}
        for start, end in zip(row["start"], row["end"])
        if start not in listed
    ]
    return sorted(rows + short, key=lambda found: found["start"])


def _shown(article: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    probability = row["probability"]
    return {
        "page_id": article["page_id"],
        "title": article["title"],
        "start": row["start"],
        "end": row["end"],
        "reason": row["reason"],
        "probability": None if probability is None else round(probability, 4),
        "text": article["text"][row["start"] : row["end"]],
    }
