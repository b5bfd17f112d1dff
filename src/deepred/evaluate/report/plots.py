"""Plots as inline SVG: the same figures give the same bytes, colours follow the page's light or dark scheme.

Text stays text (it scales, prints and can be searched). Colours are sentinels that become CSS variables; arms differ
by colour and by a label at their own line, before and after by the marker's shape, so that no reader needs the colour.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

INK, MUTED, GRID, PAPER, BEFORE, AFTER, BAR = (f"#{n:02x}{n:02x}{n:02x}" for n in range(1, 8))
ARMS = {
    "filtered": "#0a0a01",
    "unfiltered": "#0a0a02",
    "article": "#0a0a03",
    "continued": "#0a0a04",
    "floor": "#0a0a05",
    "dosed": "#0a0a06",
}
VARIABLES = {
    INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", PAPER: "var(--paper)",
    BEFORE: "var(--before)", AFTER: "var(--after)", BAR: "var(--bar)",
    **{colour: f"var(--{arm})" for arm, colour in ARMS.items()},
}  # fmt: skip

LIGHT = {
    INK: "#1d1b19", MUTED: "#6b6661", GRID: "#e6e2dc", PAPER: "#fbfaf8", BEFORE: "#0067a5", AFTER: "#c04a00",
    BAR: "#8d857c", "#0a0a01": "#a3201d", "#0a0a02": "#0067a5", "#0a0a03": "#8a5a00", "#0a0a04": "#6d3f9c",
    "#0a0a05": "#6b6661", "#0a0a06": "#17663a",
}  # fmt: skip
"""The page's light colours, for pictures that follow no scheme."""

WIDTH = 9.2
"""Inches of a full-width plot; the page scales it down on narrow screens."""


def draw(paint: Callable[[Any], None], height: float, width: float = WIDTH, alt: str = "") -> str:
    """An SVG that ``paint`` draws on a figure of the given inches, with a description for those who do not see it."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(settings()):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return inline(buffer.getvalue(), alt)


def draw_png(paint: Callable[[Any], None], height: float, target: Any, width: float = WIDTH) -> None:
    """The same as a PNG with the light scheme's colours, written into a binary file."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    with matplotlib.rc_context(settings()):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        figure.set_facecolor(LIGHT[PAPER])
        for artist in figure.findobj():
            for name in ("color", "markeredgecolor", "markerfacecolor", "edgecolor", "facecolor"):
                try:
                    shown = to_hex(getattr(artist, f"get_{name}")())
                except (AttributeError, ValueError, TypeError):
                    continue  # an artist without such a colour, or with several
                if shown in LIGHT:
                    getattr(artist, f"set_{name}")(LIGHT[shown])
        figure.savefig(target, format="png", dpi=150, metadata={"Software": None})


def settings() -> dict[Any, Any]:
    """How all plots look."""
    return {
        "svg.hashsalt": "deepred", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11,
        "axes.edgecolor": MUTED, "axes.labelcolor": MUTED, "axes.spines.top": False, "axes.spines.right": False,
        "axes.linewidth": 0.8, "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK, "axes.titlecolor": INK,
        "axes.facecolor": "none", "figure.facecolor": "none", "savefig.facecolor": "none",
        "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    }  # fmt: skip


def inline(svg: str, alt: str) -> str:
    """The SVG for a page: no XML head, its own size only as a ratio, colours as CSS variables, a description."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"font: ([^;\"]*?)(\d+(?:\.\d+)?px) [^;\"]*", r"font: \1\2 var(--font)", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)


def arms_plot(arms: Mapping[str, Mapping[str, Any]]) -> str:
    """Accuracy before and after the cutoff of every arm, with intervals and the line of chance."""
    names = list(arms)

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        chance = next(iter(arms.values()))["chance"]
        if chance is not None:
            axes.axvline(100 * chance, color=MUTED, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
            axes.annotate(
                f"chance {100 * chance:.0f}%", (100 * chance, -0.62), color=MUTED, ha="center", va="bottom", fontsize=10
            )
        for row, name in enumerate(names):
            for era, colour, marker, shift in (("before", BEFORE, "o", -0.17), ("after", AFTER, "D", 0.17)):
                figure_of = arms[name][era]
                if figure_of["accuracy"] is None:
                    axes.annotate(
                        f"{era}: {figure_of['reason']}",
                        (102, row + shift),
                        color=MUTED,
                        va="center",
                        fontsize=10,
                        annotation_clip=False,
                    )
                    continue
                value, low, high = (100 * figure_of[key] for key in ("accuracy", "low", "high"))
                axes.plot([low, high], [row + shift] * 2, color=colour, linewidth=2.4, solid_capstyle="butt")
                axes.plot([value], [row + shift], marker, color=colour, markersize=8, markeredgecolor=PAPER)
                axes.annotate(
                    f"{era} {value:.0f}%", (102, row + shift), color=colour, va="center", fontsize=10,
                    fontweight="bold", annotation_clip=False,
                )  # fmt: skip
        axes.set(xlim=(0, 100), ylim=(len(names) - 0.45, -0.65), xlabel="families answered right, %")
        axes.set_yticks(range(len(names)), names, color=INK, fontsize=11)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)

    return draw(
        paint, 0.75 + 0.72 * len(names), alt="Accuracy before and after the cutoff for every arm, with intervals"
    )


def models_plot(models: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy before and after each model's own cutoff."""
    shown = {model["name"]: {era: model[era] for era in ("before", "after")} | {"chance": None} for model in models}
    return arms_plot(shown) if shown else ""


def decades_plot(arms: Mapping[str, Mapping[str, Any]], cutoff_year: float) -> str:
    """Accuracy by the decade in which facts were first knowable, one panel an arm, with the cutoff's line."""
    shown = [(name, [row for row in arms[name]["by_decade"] if row["accuracy"] is not None]) for name in arms]
    shown = [(name, rows) for name, rows in shown if rows]
    if not shown:
        return ""
    decades = [row["decade"] for _, rows in shown for row in rows]

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for panel, (name, rows) in zip(panels, shown):
            colour = ARMS.get(name, INK)
            panel.axhline(100 * arms[name]["chance"], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
            panel.axvline(cutoff_year, color=INK, linewidth=1.2)
            for era, marker in (("before", "o"), ("after", "D")):
                points = [row for row in rows if row["era"] == era]
                x = [middle(row, cutoff_year) for row in points]
                y = [100 * row["accuracy"] for row in points]
                panel.vlines(
                    x,
                    [100 * row["low"] for row in points],
                    [100 * row["high"] for row in points],
                    color=colour,
                    linewidth=1.6,
                )
                panel.plot(x, y, marker=marker, color=colour, linewidth=1, markersize=5.5, markeredgecolor=PAPER)
            panel.set_title(name, color=colour)
            panel.set(ylim=(0, 102), xlim=(min(decades) - 2, max(decades) + 12))
            panel.grid(axis="y", color=GRID, linewidth=0.8)
            panel.set_axisbelow(True)
            panel.annotate(
                "cutoff",
                (cutoff_year, 1),
                xytext=(-3, 0),
                textcoords="offset points",
                ha="right",
                fontsize=9,
                color=INK,
            )
        panels[0].set_ylabel("families right, %")
        figure.supxlabel("year in which a fact could first be known", color=MUTED, fontsize=11)

    return draw(paint, 3.0, alt="Accuracy by the decade in which a fact was first knowable, for every arm")


def bits_plot(bits: Mapping[str, Any], cutoff_year: float) -> str:
    """Twin minus model in bits per byte by decade, with the cutoff's line."""
    rows = [row for row in bits.get("by_decade", []) if row["difference"] is not None]
    if not rows:
        return ""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        places = [row["decade"] + 5 for row in rows]
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
        axes.axvline(cutoff_year, color=INK, linewidth=1.2)
        axes.vlines(places, [row["low"] for row in rows], [row["high"] for row in rows], color=BAR, linewidth=2)
        axes.plot(places, [row["difference"] for row in rows], "o-", color=BAR, linewidth=1, markeredgecolor=PAPER)
        axes.set(xlabel="year of what the sentences tell", ylabel="bits per byte")
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.annotate(
            "cutoff", (cutoff_year, 1), xycoords=("data", "axes fraction"), xytext=(-3, -10),
            textcoords="offset points", ha="right", fontsize=9, color=INK,
        )  # fmt: skip

    return draw(paint, 2.4, alt="Bits per byte by decade, the unfiltered twin minus the filtered model")


def middle(row: Mapping[str, Any], cutoff_year: float) -> float:
    """The middle of a decade, or of its part on the row's side of the cutoff."""
    first, last = float(row["decade"]), float(row["decade"] + 10)
    if row["era"] == "before":
        last = min(last, max(first, cutoff_year))
    else:
        first = max(first, min(last, cutoff_year))
    return (first + last) / 2


def loss_plot(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Training (thin) and validation loss (dots) of every arm over the tokens read."""
    shown = {name: lines for name, lines in curves.items() if any("loss" in line for line in lines)}
    if not shown:
        return ""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        ends: list[tuple[float, str]] = []
        furthest = 0.0
        for name, lines in shown.items():
            colour = ARMS.get(name, INK)
            steps = [line for line in lines if "loss" in line]
            tokens = [line["tokens"] for line in steps]
            losses = smooth([line["loss"] for line in steps])
            axes.plot(tokens, losses, color=colour, linewidth=1.3)
            held = [(line["tokens"], line["validation"]) for line in lines if line.get("validation") is not None]
            axes.plot(
                [x for x, _ in held], [y for _, y in held], "o", color=colour, markersize=4, markeredgecolor=PAPER
            )
            ends.append((held[-1][1] if held else losses[-1], name))
            furthest = max(furthest, tokens[-1])
        span = axes.get_ylim()[1] - axes.get_ylim()[0]
        for y, (value, name) in zip(spread([value for value, _ in sorted(ends)], span / 16), sorted(ends)):
            axes.annotate(
                f"{name} {value:.2f}", (furthest, y), xytext=(6, 0), textcoords="offset points", va="center",
                color=ARMS.get(name, INK), fontsize=10, fontweight="bold", annotation_clip=False,
            )  # fmt: skip
        axes.set(xlabel="tokens read", ylabel="loss, nats a token", xlim=(0, furthest))
        axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)

    return draw(paint, 2.9, alt="Loss of every arm over the tokens read")


def smooth(values: Sequence[float], weight: float = 0.9) -> list[float]:
    """An exponential moving average without the bias of its beginning, so that single batches do not hide the trend."""
    average, total, found = 0.0, 0.0, list[float]()
    for value in values:
        average, total = weight * average + value, weight * total + 1
        found.append(average / total)
    return found


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Ascending places at least ``gap`` apart near ascending values: ``spread([1.0, 1.1], 0.5) == [1.0, 1.5]``."""
    placed: list[float] = []
    for value in values:
        placed.append(max(value, placed[-1] + gap) if placed else value)
    return placed


def bars_plot(numbers: Mapping[str, int], unit: str, most: int = 12) -> str:
    """Horizontal bars of counts, the largest first, each with its number and share."""
    rows = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))[:most]
    total = sum(numbers.values())
    if not total:
        return ""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.barh(range(len(rows)), [number for _, number in rows], color=BAR, height=0.62)
        for place, (_, number) in enumerate(rows):
            axes.annotate(
                f"{number:,} ({100 * number / total:.0f}%)", (number, place), xytext=(6, 0), textcoords="offset points",
                va="center", fontsize=10, color=INK, annotation_clip=False,
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), [name for name, _ in rows], color=INK)
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, max(number for _, number in rows) * 1.18), xlabel=unit)
        axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    return draw(paint, 0.7 + 0.34 * len(rows), alt=f"Counts by name: {unit}")


def short_number(value: float) -> str:
    """A number for an axis: ``short_number(400_000) == "400k"``, ``short_number(1_500_000) == "1.5M"``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
