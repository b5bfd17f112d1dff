"""Parts of which pages are made: the document with its style, sections, tables, figures with intervals; as text too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

from deepred.evaluate.report.conclusions import gain, percent, points, share

SHARES = ("accuracy", "mass")
"""Figures shown as shares; others are differences, in points."""


def document(title: str, body: Sequence[str]) -> str:
    """A whole page with its style inside; empty parts are left out."""
    style = resources.files("deepred.evaluate.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(title: str, lead: str, *parts: str) -> str:
    """A section with its heading, a sentence that says what is seen, and its parts."""
    shown = "\n".join(part for part in parts if part)
    return (
        f"<section>\n<h2>{escape(title)}</h2>\n" + (f"<p>{escape(lead)}</p>\n" if lead else "") + f"{shown}\n</section>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], classes: Sequence[str] = ()) -> str:
    """A table of cells that are HTML already; ``classes`` names each column's alignment (``n`` for numbers)."""
    kinds = [f' class="{kind}"' if kind else "" for kind in [*classes, *[""] * (len(head) - len(classes))]]
    top_row = "".join(f"<th{kind}>{escape(cell)}</th>" for cell, kind in zip(head, kinds))
    lines = ["<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds)) + "</tr>" for row in rows]
    return f'<div class="scroll"><table><thead><tr>{top_row}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def details(summary: str, content: str) -> str:
    """Something that opens on demand."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def figure_cell(figure: dict[str, Any] | None, name: str = "accuracy") -> str:
    """A figure with its interval in small type, or its reason."""
    if figure is None:
        return "–"
    if figure[name] is None:
        return f'<span class="none">{escape(figure["reason"])}</span>'
    form = percent if name in SHARES else points
    return f"<b>{form(figure[name])}</b> <small>[{form(figure['low'])}, {form(figure['high'])}]</small>"


def percent_or_dash(figure: dict[str, Any]) -> str:
    """A percentage without its interval, or a dash."""
    return "–" if figure["accuracy"] is None else percent(figure["accuracy"])


def arm_cell(arm: str) -> str:
    """An arm's name in its colour."""
    return f'<span class="arm {escape(arm)}">{escape(arm)}</span>'


def decimal(value: float | None) -> str:
    """A number to three places, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def eras_text(bits: dict[str, Any]) -> str:
    """The difference before and after the cutoff in words."""
    parts = [
        f"{era} the cutoff {bits[era]['difference']:+.3f} [{bits[era]['low']:+.3f}, {bits[era]['high']:+.3f}]"
        if bits[era]["difference"] is not None
        else f"{era} the cutoff {bits[era]['reason']}"
        for era in ("before", "after")
    ]
    text = f"Twin minus model, bits per byte: {'; '.join(parts)}. Intervals are over sentences."
    return text.replace(" -", " −").replace("[-", "[−")


def arm_rows(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """The figures of each arm as text: accuracies, gains over the floor, effective cutoff."""
    return [
        (name, accuracy_text(arm["before"]), accuracy_text(arm["after"]),
         gain_text(arm.get("gain", {}).get("before")), gain_text(arm.get("gain", {}).get("after")),
         cutoff_text(arm["effective_cutoff"]))
        for name, arm in report["arms"].items()
    ]  # fmt: skip


def accuracy_text(figure: dict[str, Any]) -> str:
    """An accuracy with its interval, or why there is none."""
    return share(figure) if figure["accuracy"] is not None else figure["reason"]


def gain_text(figure: dict[str, Any] | None) -> str:
    """A gain with its interval and the effect that could have been seen, or why there is none."""
    if figure is None:
        return "–"
    if figure["gain"] is None:
        return figure["reason"]
    return f"{gain(figure)}, detectable {points(figure['detectable'])}"


def cutoff_text(found: dict[str, Any]) -> str:
    """The effective cutoff with its interval and by how much knowledge falls there, or why there is none."""
    if found["year"] is None:
        return found["reason"]
    fall = points(found["level_after"] - found["level_before"])
    return f"{found['year']:.0f} [{found['low']:.0f}, {found['high']:.0f}], {fall} points"


def number(value: float | None) -> str:
    """A count with separators; nothing for None."""
    return "" if value is None else f"{value:,}"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
