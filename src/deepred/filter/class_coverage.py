"""What the classes cover: articles by the source that dated them, by decade of first known, each split by class.

Stage ``classes`` writes it as ``coverage.json``; ``deepred show`` prints its tables and ``deepred classify --plot``
draws its decades.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepred.base.days import Day, format_day, year_of
from deepred.base.errors import UserError
from deepred.base.files import write_json
from deepred.run.stage import Counts

COVERAGE = "coverage.json"
CLASSES = ("O", "S", "N", "U")
MEANINGS = {"O": "before the cutoff", "S": "spans it", "N": "new", "U": "undated"}
UNDATED = "undated"
NO_SOURCE, OWN_YEARS = "none", "late share"
"""What decides where no source dates an article: nothing, or the years that its own sentences speak of."""

_ERAS = ((500, "before 500"), (1500, "500 to 1499"), (1800, "1500 to 1799"), (1900, "1800 to 1899"))
"""Decades before these years are shown together: they hold few articles each."""
_COLOURS = {"O": "#0072b2", "S": "#e69f00", "N": "#d55e00"}
"""Three colours of the palette of Okabe and Ito (2008), which all kinds of colour vision tell apart."""
YEARS_BEFORE = 140
"""Years before the cutoff from which each decade has a bar; with all centuries before, they were too thin to read."""
SMALLEST_END = 0.005
"""Share of the bars' articles that may lie beyond the last bar."""
_SOURCES, _DECADES = "class {} by source", "class {} by decade"

Table = dict[str, dict[str, int]]
"""Counts by row and class."""


def count_article(counts: Counts, label: str, source: str, first_known: Day | None) -> None:
    """Count an article by its class, the source of the row that decided it, and the decade of its first known."""
    decade = UNDATED if first_known is None else str(year_of(first_known) // 10 * 10)
    counts.tally("classes", label)
    undated = OWN_YEARS if label == "N" else NO_SOURCE
    counts.tally(_SOURCES.format(label), undated if first_known is None else source)
    counts.tally(_DECADES.format(label), decade)


def write_coverage(counts: Counts, cutoff: Day, out: Path) -> None:
    """Move the tables of ``count_article`` out of the counts, which are for people, into ``coverage.json``."""
    classes = counts.tallies.get("classes", {})
    decades = _take(counts, _DECADES)
    values = {
        "cutoff": format_day(cutoff),
        "articles": sum(classes.values()),
        "classes": {label: classes.get(label, 0) for label in CLASSES},
        "by_source": dict(sorted(_take(counts, _SOURCES).items(), key=lambda row: (-sum(row[1].values()), row[0]))),
        "by_decade": dict(sorted(decades.items(), key=lambda row: _year(row[0]))),
        "by_era": by_era(decades),
    }
    write_json(out / COVERAGE, values)


def _take(counts: Counts, name: str) -> Table:
    """The tallies of a name, one for each class, as a table by row and class; they leave the counts."""
    columns = {label: counts.tallies.pop(name.format(label), {}) for label in CLASSES}
    rows = {row for column in columns.values() for row in column}
    return {row: {label: columns[label].get(row, 0) for label in CLASSES} for row in rows}


def _year(decade: str) -> int:
    """The first year of a decade's name; what is undated comes last."""
    return int(decade) if decade != UNDATED else 1_000_000


def by_era(decades: Mapping[str, Mapping[str, int]]) -> Table:
    """Decades with the early ones merged, so that the table fits a screen.

    >>> list(by_era({"1920": {"O": 1}, "1210": {"O": 2}, "-50": {"O": 1}, "1340": {"O": 3}}).items())
    [('before 500', {'O': 1}), ('500 to 1499', {'O': 5}), ('1920s', {'O': 1})]
    """
    eras: Table = {}
    for decade, row in sorted(decades.items(), key=lambda item: _year(item[0])):
        name = decade if decade == UNDATED else next((era for end, era in _ERAS if int(decade) < end), f"{decade}s")
        total = eras.setdefault(name, dict.fromkeys(row, 0))
        for label, count in row.items():
            total[label] += count
    return eras


def plot_coverage(coverage: Mapping[str, Any], path: Path) -> None:
    """Draw articles by decade of first known, stacked by class, into an image file (PNG, SVG or PDF, by its suffix).

    Bars begin ``YEARS_BEFORE`` the cutoff; the title says how many articles lie outside them or are undated.
    """
    figure = check_plot(path)
    cutoff = str(coverage["cutoff"])
    years, rows = _bars(coverage["by_decade"], (int(cutoff[:4]) - YEARS_BEFORE) // 10 * 10)
    axes = figure.add_subplot()
    base = [0] * len(rows)
    for label, colour in _COLOURS.items():
        heights = [row.get(label, 0) for row in rows]
        axes.bar(years, heights, 8.6, base, align="edge", color=colour, label=f"{label}  {MEANINGS[label]}")
        base = [low + height for low, height in zip(base, heights)]
    place = int(cutoff[:4]) + (int(cutoff[5:7]) - 1) / 12
    if years[0] <= place <= years[-1] + 10:
        axes.axvline(place, color="#222222", linewidth=1.2, linestyle=(0, (4, 3)), label=f"cutoff {cutoff}")
    axes.set_xticks([year + 4.3 for year in years], [f"{year}s" for year in years], rotation=45)
    axes.set_xlim(years[0] - 3, years[-1] + 12)
    axes.set_ylabel("articles")
    axes.set_xlabel("decade from which the subject was known")
    axes.set_title(_title(coverage, years), loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.grid(True, color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=150)


def check_plot(path: Path) -> Any:
    """An empty figure; ``UserError`` where an image cannot be drawn to a path, said before any work is done for it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    kinds = figure.canvas.get_supported_filetypes()
    if path.suffix[1:] not in kinds or not path.parent.is_dir() or path.is_dir():
        raise UserError(f"cannot draw {path}", f"name a file (.png, .svg, .pdf) in a folder that exists: {path.parent}")
    return figure


def _bars(decades: Mapping[str, Mapping[str, int]], first: int) -> tuple[list[int], list[Mapping[str, int]]]:
    """The decades that have a bar, without gaps, and their counts; articles on years to come are too few to see."""
    dated = {int(decade): row for decade, row in decades.items() if decade != UNDATED}
    shown = {year: row for year, row in dated.items() if year >= first}
    left, last = sum(sum(row.values()) for row in shown.values()) * SMALLEST_END, first
    for year in sorted(shown, reverse=True):
        left -= sum(shown[year].values())
        if left < 0:
            last = year
            break
    years = list(range(first, last + 10, 10))
    return years, [shown.get(year, {}) for year in years]


def _title(coverage: Mapping[str, Any], years: list[int]) -> str:
    totals = {name: sum(row.values()) for name, row in coverage["by_decade"].items()}
    dated = {int(name): total for name, total in totals.items() if name != UNDATED}
    early = sum(total for year, total in dated.items() if year < years[0])
    late = sum(total for year, total in dated.items() if year > years[-1])
    said = f"{early:,} known before {years[0]}, {late:,} after {years[-1] + 9}, {totals.get(UNDATED, 0):,} undated"
    return f"{coverage['articles']:,} articles (not shown: {said})"
