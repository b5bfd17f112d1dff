"""Why an article is in the corpus, or not: its dates, its class, their evidence, and what the sentence filter kept.

Reads the finished folders of ``articles`` (redirects), ``dates``, ``classes`` and ``passages``; each is searched by a
Parquet filter, so that millions of rows are scanned without becoming Python objects.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import format_day
from deepred.base.errors import UserError
from deepred.dating.evidence import format_evidence, format_interval

NEAREST = 5
"""Titles suggested where none matches."""
LIKENESS = 0.6
"""Similarity (difflib) from which a title is suggested."""
PREFIX = 3
"""First letters that a suggestion shares with what was typed: comparing with all titles takes minutes."""
MOST_CANDIDATES = 20_000
"""Titles compared at most, those of the most similar length: a third of a second."""
MOST_STEPS = 3
"""Redirects followed one after the other."""


@dataclass(frozen=True)
class Folders:
    """Finished stages of a run; ``passages`` may be missing."""

    articles: Path
    dates: Path
    classes: Path
    passages: Path | None = None


def explain_article(title: str, folders: Folders) -> dict[str, Any]:
    """All that is known of an article by its title or a redirect to it, as JSON.

    ``UserError`` with the nearest titles where there is none.
    """
    found, redirect = _find(title.strip(), folders)
    name = found["title"]
    part = Path(found["__filename"]).name.removeprefix("classes-")
    dates = folders.dates / f"dates-{part}"
    rows = _search([dates], "page_id", found["page_id"])
    if not rows:
        raise UserError(f"{dates} has no row for {name}", "run the stages dates and classes again")
    dated = rows[0]
    return {
        "title": name,
        "redirect": redirect,
        "page_id": found["page_id"],
        **{key: dated[key] for key in ("first", "last", "first_known", "ended")},
        "class": found["class"],
        "reason": found["reason"],
        "evidence": [row | {"confidence": round(row["confidence"], 4)} for row in dated["evidence"]],
        "sentences": _sentences(folders.passages, part, found["page_id"]) if folders.passages else None,
    }


def _find(asked: str, folders: Folders) -> tuple[dict[str, Any], str]:
    """The row of the title's class, and the redirect that led to it, empty where none did."""
    classes = sorted(folders.classes.glob("classes-*.parquet"))
    redirects = sorted(folders.articles.glob("redirects-*.parquet"))
    spaced = asked.replace("_", " ")
    for typed in dict.fromkeys([asked, spaced, spaced[:1].upper() + spaced[1:]]):
        row, name = _follow(typed, classes, redirects)
        if row is not None:
            return row, "" if name == typed else typed
        if name != typed:
            raise UserError(
                f"{typed!r} redirects to {name!r}, which this run does not have", "a part of a dump lacks articles"
            )
    near = nearest_titles(spaced, classes + redirects)
    hint = (
        f"near it: {', '.join(near)}" if near else "titles are spelled as in the encyclopedia: deepred show lists some"
    )
    raise UserError(f"no article and no redirect is called {asked!r}", hint)


def _follow(name: str, classes: list[Path], redirects: list[Path]) -> tuple[dict[str, Any] | None, str]:
    """The row of a title or of what it redirects to, None where there is none, and the title that was reached."""
    for _ in range(MOST_STEPS):
        if rows := _search(classes, "title", name):
            return rows[0], name
        led = _search(redirects, "title", name)
        if not led:
            break
        name = str(led[0]["target"]).partition("#")[0]
    return None, name


def _search(paths: list[Path], column: str, value: Any) -> list[dict[str, Any]]:
    """The rows in which a column has a value, each with the file that it stands in.

    The other columns are decoded only of files that hold such a row, which halves the time over millions of rows.
    """
    import pyarrow.dataset as ds

    if not paths:
        return []
    wanted: Any = ds.field(column) == value
    everything: Any = ds.dataset([str(path) for path in paths], format="parquet")
    hits = everything.to_table(columns=["__filename"], filter=wanted)["__filename"].to_pylist()
    if not hits:
        return []
    data: Any = ds.dataset(sorted(set(hits)), format="parquet")
    return data.to_table(columns=[*data.schema.names, "__filename"], filter=wanted).to_pylist()


def nearest_titles(asked: str, paths: list[Path]) -> list[str]:
    """The most similar titles among those that begin with the same letters, whatever their case."""
    import pyarrow.compute
    import pyarrow.dataset as ds

    if not paths or not asked:
        return []
    compute: Any = pyarrow.compute
    starts = compute.starts_with(compute.field("title"), asked[:PREFIX], ignore_case=True)
    candidates: list[str] = []
    for kind in {path.name.split("-")[0]: None for path in paths}:
        data: Any = ds.dataset([str(path) for path in paths if path.name.startswith(kind)], format="parquet")
        candidates += data.to_table(columns=["title"], filter=starts)["title"].to_pylist()
    candidates.sort(key=lambda title: abs(len(title) - len(asked)))
    folded = {title.casefold(): title for title in reversed(candidates[:MOST_CANDIDATES])}
    near = difflib.get_close_matches(asked.casefold(), folded, n=NEAREST, cutoff=LIKENESS)
    return [folded[title] for title in near]


def _sentences(passages: Path, part: str, page_id: int) -> dict[str, Any]:
    """Sentences of an article kept, and dropped by reason."""
    kept = _search([passages / f"passages-{part}"], "page_id", page_id)
    dropped = _search([passages / f"dropped-{part}"], "page_id", page_id)
    reasons = Counter(str(row["reason"]) for row in dropped)
    return {
        "kept": sum(len(row["spans"]) for row in kept),
        "dropped": dict(reasons.most_common()),
        "in_corpus": bool(kept),
    }


def format_explanation(found: Mapping[str, Any]) -> Iterator[str]:
    """What ``explain_article`` found, in lines for people."""
    yield found["title"] + (f"   (redirected from {found['redirect']})" if found["redirect"] else "")
    yield f"class        {found['class']}: {found['reason']}"
    known = found["first_known"]
    yield f"interval     {format_interval(found['first'], found['last'])}{', ended' if found['ended'] else ''}"
    yield f"known from   {'unknown' if known is None else format_day(known)}"
    if sentences := found["sentences"]:
        yield f"sentences    {_told(sentences)}"
    yield "evidence     " + (
        "none" if not found["evidence"] else "(kind, date, source, confidence, note; deciding first)"
    )
    yield from (f"  {line}" for line in format_evidence(found["evidence"]))


def _told(sentences: Mapping[str, Any]) -> str:
    reasons: Mapping[str, int] = sentences["dropped"]
    said = f"{sentences['kept']:,} kept, {sum(reasons.values()):,} dropped"
    said += f" ({', '.join(f'{reason} {count:,}' for reason, count in reasons.items())})" if reasons else ""
    return said if sentences["in_corpus"] else f"{said}; the article is not in the corpus"
