"""The comparison of several trainings as a page, Markdown, JSON and a picture: the same figures in four forms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from deepred.base.files import write_bytes, write_json, write_text
from deepred.evaluate.report.conclusions import gain, percent, points
from deepred.evaluate.report.figures import (
    accuracy_text,
    arm_cell,
    cutoff_text,
    details,
    document,
    eras_text,
    figure_cell,
    gain_text,
    markdown_table,
    section,
    table,
)
from deepred.evaluate.report.plots import bits_plot
from deepred.evaluate.report.twins_plots import doses_plot, gains_plot, picture
from deepred.evaluate.statistics import KNOWS, NEGLIGIBLE

SHOWS = {
    "filtered": "the filtered text",
    "unfiltered": "all of the text",
    "article": "whole articles, kept or dropped by class",
    "continued": "the unfiltered model, trained on with the filtered text",
    "dosed": "the filtered text with later facts put back",
    "floor": "the filtered text without the facts asked about",
}
"""What each arm is trained on, in the words of the table."""


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
    title = f"{compared['name']}: twins, cutoff {compared['cutoff']}"
    lines = findings(compared)
    notes = "".join(f"<li>{escape(line)}</li>" for line in doubts(compared))
    body = [
        f'<header><p class="eyebrow">{escape(title)}</p><h1>{escape(lines[0])}</h1>'
        + "".join(f'<p class="finding">{escape(line)}</p>' for line in lines[1:])
        + "</header>",
        f"<figure>{gains_plot(compared)}</figure>",
        f"<aside><h2>What this does not show</h2><ul>{notes}</ul></aside>",
        arms_section(compared),
        doses_section(compared),
        bits_section(compared),
        placebo_section(compared),
        seeds_section(compared),
        section("Figures", "", details("As JSON", f"<pre>{escape(json.dumps(compared, indent=1))}</pre>")),
    ]
    return document(title, body)


def arms_section(compared: dict[str, Any]) -> str:
    """All arms: what they read, accuracies and gains, and the differences between them."""
    rows = [
        [
            arm_cell(name),
            escape(SHOWS.get(name, "")),
            *(figure_cell(arm[era]) for era in ("before", "after")),
            *(figure_cell(arm.get(f"gain_{era}"), "gain") for era in ("before", "after")),
            "<br>".join(reading(training) for training in arm["training"]),
        ]
        for name, arm in compared["arms"].items()
    ]
    between = [
        [escape(name.replace("_", " ")), figure_cell(figure, "difference")]
        for name, figure in compared["differences"].items()
    ]
    head = ("arm", "trained on", "before", "after", "gain before", "gain after", "read in each training")
    found = compared["effective_cutoff"]
    note = (
        f"The filtered arm’s effective cutoff is {cutoff_text(found)}: the year in which its gain over the floor falls "
        "most, found without being told the cutoff."
        if found["year"] is not None
        else f"No effective cutoff is given for the filtered arm: {found['reason']}."
    )
    return section(
        "The arms",
        f"Chance is {percent(compared['chance'])}. Gains are over the floor of the same training, in points.",
        table(head, rows, ("", "", "n", "n", "n", "n", "n")),
        f'<p class="note">{escape(note)}</p>',
        "<h3>Differences after the cutoff</h3>" + table(("arms", "points"), between, ("", "n")) if between else "",
    )


def reading(training: dict[str, Any]) -> str:
    """Tokens and epochs of a training in small type."""
    if not training.get("tokens"):
        return "–"
    epochs = f", {training['epochs']:g} epochs" if training.get("epochs") is not None else ""
    return f"<small>{training['tokens']:,} tokens{epochs}</small>"


def doses_section(compared: dict[str, Any]) -> str:
    """The response to facts put back."""
    if not compared["doses"]:
        return ""
    rows = [
        [
            str(row["dose"]),
            str(row["families"]),
            figure_cell(row, "gain"),
            f"{row['p_adjusted']:.3f}",
            "yes" if row["seen"] else "no",
        ]
        for row in compared["doses"]
    ]
    lead = (
        "Later facts, put back into the filtered text so that each is read so many times in the whole training, and "
        "their gain over the floor model. A dose is seen where the Holm-adjusted p value is below 0.05."
    )
    plot = doses_plot(compared)
    head = ("times read", "facts", "gain", "adjusted p", "seen")
    return section(
        "The smallest leak that would be seen",
        lead,
        f"<figure>{plot}</figure>" if plot else "",
        table(head, rows, ("n", "n", "n", "n", "")),
    )


def bits_section(compared: dict[str, Any]) -> str:
    """Bits per byte by year against the twin."""
    bits = compared["bits_per_byte"]
    if not bits:
        return ""
    year, month, _ = (int(part) for part in compared["cutoff"].rsplit(" ", 1)[-1].split("-")[-3:])
    lead = (
        "What the unfiltered twin needs beyond the filtered model for dated sentences; below zero the twin has seen "
        f"what the filter took out. Year of the steepest fall: {cutoff_year(bits['changepoint'])}."
    )
    plot = bits_plot(bits, year + month / 12)
    return section("Text by year", lead, f"<figure>{plot}</figure>", f'<p class="note">{escape(eras_text(bits))}</p>')


def cutoff_year(found: dict[str, Any]) -> str:
    """A changepoint's year with its interval, or why there is none."""
    if found["year"] is None:
        return str(found["reason"])
    return f"{found['year']:.0f} [{found['low']:.0f}, {found['high']:.0f}]"


def placebo_section(compared: dict[str, Any]) -> str:
    """Falls at cutoffs that were never applied."""
    if not compared["placebo"]:
        return ""
    rows = [
        [
            arm_cell(row["arm"]),
            f"{int(row['year'])}" + (" (the cutoff)" if row["applied"] else ""),
            figure_cell(row, "fall"),
            points(row["detectable"]) if row.get("detectable") is not None else "–",
        ]
        for row in compared["placebo"]
    ]
    lead = "By how much the gain over the floor is lower from a year on. Only the cutoff itself should show a fall."
    return section("Placebo cutoffs", lead, table(("arm", "year", "fall", "detectable"), rows, ("", "n", "n", "n")))


def seeds_section(compared: dict[str, Any]) -> str:
    """Every training on its own."""
    rows = [
        [
            str(one["seed"]),
            arm_cell(name),
            *(figure_cell(arm[era]) for era in ("before", "after")),
            *(figure_cell(arm.get(f"gain_{era}"), "gain") for era in ("before", "after")),
        ]
        for one in compared["by_seed"]
        for name, arm in one["arms"].items()
    ]
    head = ("seed", "arm", "before", "after", "gain before", "gain after")
    return section("Each training", "", table(head, rows, ("n", "", "n", "n", "n", "n")))


def twins_markdown(compared: dict[str, Any]) -> str:
    """The comparison in Markdown."""
    doses: Sequence[dict[str, Any]] = compared["doses"]
    parts = [
        f"# {compared['name']}: twins, cutoff {compared['cutoff']}, seeds {', '.join(map(str, compared['seeds']))}",
        "\n\n".join(findings(compared)),
        markdown_table(("arm", "before", "after", "gain before", "gain after"), arm_lines(compared)),
        f"Chance is {percent(compared['chance'])}. Effective cutoff: {cutoff_text(compared['effective_cutoff'])}.",
        markdown_table(
            ("times read", "facts", "gain", "adjusted p", "seen"),
            [
                (str(row["dose"]), str(row["families"]), gain_text(row), f"{row['p_adjusted']:.3f}", str(row["seen"]))
                for row in doses
            ],
        )
        if doses
        else "",
        "## What this does not show",
        "\n".join(f"- {line}" for line in doubts(compared)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def arm_lines(compared: dict[str, Any]) -> list[tuple[str, ...]]:
    """A line of text an arm."""
    return [
        (
            name,
            *(accuracy_text(arm[era]) for era in ("before", "after")),
            *(gain_text(arm.get(f"gain_{era}")) for era in ("before", "after")),
        )
        for name, arm in compared["arms"].items()
    ]
