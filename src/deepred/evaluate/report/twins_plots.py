"""Charts of the twins: gains of all arms, and the response to doses; as SVG for the page and as a PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from deepred.evaluate.report.figures import points
from deepred.evaluate.report.plots import AFTER, ARMS, BEFORE, GRID, INK, MUTED, PAPER, draw, draw_png

ERAS = (("before", BEFORE, "o", -0.17), ("after", AFTER, "D", 0.17))


def gains_plot(compared: Mapping[str, Any]) -> str:
    """Gains over the floor before and after the cutoff, all arms."""
    rows = shown(compared)
    if not rows:
        return ""
    return draw(
        lambda figure: paint_gains(figure.add_subplot(), rows),
        0.75 + 0.66 * len(rows),
        alt="Gain over the floor before and after the cutoff of every arm, with intervals",
    )


def doses_plot(compared: Mapping[str, Any]) -> str:
    """Gain over the floor by the number of times that a later fact was read."""
    rows = [row for row in compared["doses"] if row["gain"] is not None]
    if not rows:
        return ""
    return draw(
        lambda figure: paint_doses(figure.add_subplot(), rows),
        2.6,
        alt="Gain over the floor by the number of times that a later fact was put back",
    )


def picture(compared: Mapping[str, Any]) -> bytes:
    """Both charts as one PNG."""
    rows = shown(compared)
    doses = [row for row in compared["doses"] if row["gain"] is not None]

    def paint(figure: Any) -> None:
        heights = [0.75 + 0.66 * max(1, len(rows)), *([2.6] if doses else [])]
        panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        paint_gains(panels[0], rows)
        panels[0].set_title(f"{compared['name']}: knowledge beyond the floor, cutoff {compared['cutoff']}")
        if doses:
            paint_doses(panels[1], doses)
            panels[1].set_title("later facts put back on purpose")

    buffer = io.BytesIO()
    draw_png(paint, 0.9 + 0.66 * max(1, len(rows)) + (2.8 if doses else 0), buffer)
    return buffer.getvalue()


def shown(compared: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The arms that have a gain over the floor."""
    return [
        (name, arm)
        for name, arm in compared["arms"].items()
        if arm.get("gain_before", {}).get("gain") is not None and arm["gain_after"]["gain"] is not None
    ]


def paint_gains(axes: Any, rows: list[tuple[str, Mapping[str, Any]]]) -> None:
    """A line for each arm and era, with its interval and its value."""
    axes.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    for row, (_, arm) in enumerate(rows):
        for era, colour, marker, shift in ERAS:
            value, low, high = (100 * arm[f"gain_{era}"][key] for key in ("gain", "low", "high"))
            axes.plot([low, high], [row + shift] * 2, color=colour, linewidth=2.4, solid_capstyle="butt")
            axes.plot([value], [row + shift], marker, color=colour, markersize=8, markeredgecolor=PAPER)
            axes.annotate(
                f"{era} {points(value / 100)}", (1.01, row + shift), xycoords=("axes fraction", "data"), color=colour,
                va="center", fontsize=10, fontweight="bold", annotation_clip=False,
            )  # fmt: skip
    axes.set(ylim=(len(rows) - 0.45, -0.55), xlabel="gain over the floor, points (dashes: none)")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], color=INK, fontsize=11)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def paint_doses(axes: Any, rows: list[Mapping[str, Any]]) -> None:
    """The response to each dose with its interval, evenly spaced."""
    colour = ARMS["dosed"]
    places = range(len(rows))
    axes.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    axes.vlines(places, [100 * r["low"] for r in rows], [100 * r["high"] for r in rows], color=colour, linewidth=2)
    axes.plot(places, [100 * r["gain"] for r in rows], "o-", color=colour, linewidth=1, markeredgecolor=PAPER)
    axes.set_xticks(places, [str(row["dose"]) for row in rows])
    axes.set(xlabel="times that a later fact was read", ylabel="gain, points")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
