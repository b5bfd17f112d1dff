"""The comparison of several trainings as a page, Markdown, JSON and a picture: the same figures in four forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepred.base.files import write_bytes, write_json, write_text
from deepred.evaluate.report.figures import PAGES, gain, gain_text, share
from deepred.evaluate.report.plots import bits_plot
from deepred.evaluate.report.twins_plots import doses_plot, gains_plot, picture
from deepred.evaluate.statistics import KNOWS, NEGLIGIBLE


def write_twins(compared: dict[str, Any], folder: Path) -> None:
    """Write all four forms; each appears complete or not at all."""
    write_json(folder / "twins.json", compared)
    write_text(folder / "twins.md", twins_markdown(compared))
    write_text(folder / "twins.html", twins_html(compared))
    write_bytes(folder / "twins.png", picture(compared))


def findings(compared: dict[str, Any]) -> list[str]:
    """What the comparison shows, a sentence an arm, none of which claims more than its interval."""
    arms, lines = compared["arms"], list[str]()
    filtered = arms.get("filtered", {})
    if filtered.get("gain_before", {}).get("gain") is None:
        reason = filtered.get("gain_before", {}).get("reason", "the filtered arm or its floor was not measured")
        return [f"Nothing can be concluded: {reason}."]
    before, after = filtered["gain_before"], filtered["gain_after"]
    if before["low"] <= KNOWS:
        lines.append(f"The filtered model gains {gain(before)} before the cutoff: it knows too little to judge by.")
    else:
        lines.append(f"The filtered model gains {gain(before)} over the floor before the cutoff, {late(after)}")
    for name, what in (
        ("unfiltered", "Trained on everything, the same model gains"),
        ("article", "Filtered by whole articles, it gains"),
        ("continued", "The unfiltered model, trained on with the filtered text, gains"),
    ):
        figure = arms.get(name, {}).get("gain_after", {})
        if figure.get("gain") is not None:
            lines.append(f"{what} {gain(figure)} after it.")
    seen = compared["dose_response"].get("smallest_seen")
    if compared["doses"]:
        lines.append(
            f"Of later facts put back on purpose, it sees those read {seen} times in the whole training, and more."
            if seen
            else "Of later facts put back on purpose it sees none, whatever their dose."
        )
    return lines


def late(after: dict[str, Any]) -> str:
    """The gain after the cutoff in words: a leak, too little to matter, or not decided."""
    unseen = f"a gain below {100 * after['detectable']:.0f} points would probably have gone unseen"
    if after["low"] > 0:
        return f"and {gain(after)} after it: a leak."
    small = "no leak was found" if after["high"] < NEGLIGIBLE else "neither a leak nor its absence is shown"
    return f"and {gain(after)} after it: {small}; {unseen}."


def doubts(compared: dict[str, Any]) -> list[str]:
    """What the figures do not show."""
    seeds = compared["seeds"]
    worlds = "one generated world" if len(seeds) == 1 else f"{len(seeds)} generated worlds"
    times = "once" if len(seeds) == 1 else f"{len(seeds)} times"
    named = f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"
    trained = (
        f"Every arm was trained once in each of {worlds} ({named}): the figures show that the method works there, not "
        "how much of real text slips through."
        if compared["generated"]
        else f"Every arm was trained {times} on the same text ({named}); its facts are one list."
    )
    return [
        trained,
        "Intervals draw facts (those with the same answer together) and take the trainings as they are.",
        "A placebo cutoff is a year that no filter used: a fall there would be the evaluation's own doing.",
    ]


def twins_html(compared: dict[str, Any]) -> str:
    """The page."""
    year, month, _ = (int(part) for part in compared["cutoff"].rsplit(" ", 1)[-1].split("-")[-3:])
    plots = {
        "gains": gains_plot(compared),
        "doses": doses_plot(compared),
        "bits": bits_plot(compared["bits_per_byte"], year + month / 12),
    }
    return PAGES.get_template("twins.html").render(
        compared=compared, plots=plots, findings=findings(compared), open=doubts(compared)
    )


def twins_markdown(compared: dict[str, Any]) -> str:
    """The comparison in Markdown."""
    return PAGES.get_template("twins.md").render(
        compared=compared, arms=arm_lines(compared), findings=findings(compared), open=doubts(compared)
    )


def arm_lines(compared: dict[str, Any]) -> list[tuple[str, ...]]:
    """A line of text an arm."""
    return [
        (
            name,
            *(share(arm[era]) for era in ("before", "after")),
            *(gain_text(arm.get(f"gain_{era}")) for era in ("before", "after")),
        )
        for name, arm in compared["arms"].items()
    ]
