"""The filter's curve: how much text stays at every threshold, and how many late sentences stay with it.

In: a trial as ``score`` takes it. Out: a row per threshold with the shares of ``score.FIGURES`` and their intervals,
the presets marked; as a picture the kept share of the text against the residual.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deepred.base.days import format_day
from deepred.base.errors import UserError
from deepred.filter.measure.score import FIGURES, Tally, Trial, describe, try_filter
from deepred.filter.sentence_model import load_calibration
from deepred.run.stage import Work

LOWEST, HIGHEST, POINTS = 0.01, 0.98, 21
"""Thresholds of the curve, evenly spaced in log odds; whole articles are decided on at each of them."""


def thresholds_of(presets: Mapping[str, float]) -> list[float]:
    """The thresholds of a curve, rising, the presets' among them."""
    odds = np.linspace(np.log(LOWEST / (1 - LOWEST)), np.log(HIGHEST / (1 - HIGHEST)), POINTS)
    return sorted({round(float(value), 4) for value in 1 / (1 + np.exp(-odds))} | set(presets.values()))


def draw_curve(trial: Trial, base: Path, work: Work) -> dict[str, Any]:
    """The figures of a filter at every threshold, with the names of presets at theirs."""
    presets = load_calibration().presets
    thresholds = tuple(thresholds_of(presets))
    verdicts, weights, learned = try_filter(trial, thresholds, base, work)
    tally = Tally.of(verdicts, weights, trial.seed)
    everything = np.ones(len(verdicts))
    points: list[dict[str, Any]] = []
    for place, threshold in enumerate(thresholds):
        names = [name for name, value in presets.items() if value == threshold]
        points.append(
            {"threshold": threshold, "preset": names[0] if names else None}
            | tally.figures(tally.dropped(place), everything)
        )
    about = describe(trial, learned)
    return {"points": points} | {key: about[key] for key in ("cutoff", "model", "learned", "labels", "strata")}


def choose_point(curve: Mapping[str, Any], max_residual: float) -> dict[str, Any]:
    """The point that keeps most text with at most so many late sentences among those kept, by its estimate.

    ``UserError`` where no threshold keeps to it. Labels that a point was chosen on flatter it: others will show more.
    """
    points = [p for p in curve["points"] if p["residual"]["value"] is not None]
    within = [p for p in points if p["residual"]["value"] <= max_residual and p["kept"]["value"] > 0]
    if not within:
        least = min((p["residual"]["value"] for p in points), default=1.0)
        raise UserError(f"no threshold leaves at most {max_residual:.1%} late sentences", f"the least is {least:.1%}")
    return max(within, key=lambda point: point["kept"]["value"])


def curve_rows(curve: Mapping[str, Any]) -> list[list[str]]:
    """The curve as rows for people: threshold, preset, then every figure as a percentage."""
    return [
        [f"{point['threshold']:.3f}", point["preset"] or ""]
        + ["–" if point[name]["value"] is None else f"{point[name]['value']:.1%}" for name in FIGURES]
        for point in curve["points"]
    ]


def plot_curve(curve: Mapping[str, Any], path: Path) -> None:
    """Draw kept text against late sentences left, with intervals and the presets, into an image file.

    ``UserError`` where no curve can be drawn, because nothing is kept at any threshold.
    """
    from deepred.filter.class_coverage import check_plot

    points = [point for point in curve["points"] if point["residual"]["value"] is not None]
    if not points:
        raise UserError("nothing is kept at any threshold: there is no curve")
    figure = check_plot(path)
    axes = figure.add_subplot()
    residual = [100 * point["residual"]["value"] for point in points]
    kept = [100 * point["kept"]["value"] for point in points]
    low = [100 * point["residual"]["low"] for point in points]
    high = [100 * point["residual"]["high"] for point in points]
    axes.fill_betweenx(kept, low, high, color="#c8d4e3", linewidth=0, label="95% interval, over articles")
    axes.plot(residual, kept, color="#1f4e79", linewidth=1.8, marker="o", markersize=3, label="every threshold")
    for point in points:
        if point["preset"]:
            place = (100 * point["residual"]["value"], 100 * point["kept"]["value"])
            axes.plot(*place, marker="o", markersize=9, color="#b22222")
            axes.annotate(
                f"{point['preset']} ({point['threshold']:g})", place, xytext=(10, -12), textcoords="offset points"
            )
    axes.set_xlabel("late sentences among those kept, % (natural mix)")
    axes.set_ylabel("text kept, % of characters (natural mix)")
    axes.set_title(f"{curve['labels']}, cutoff {format_day(curve['cutoff'])}", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=150)
