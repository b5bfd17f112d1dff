"""Parts of which pages are made: the document with its style, sections, tables, figures with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

from deepred.evaluate.conclusions import percent, points

SHARES = ("accuracy", "mass")
"""Figures shown as shares; others are differences, in points."""


def document(title: str, body: Sequence[str]) -> str:
    """A whole page with its style inside; empty parts are left out."""
    style = resources.files("deepred.evaluate").joinpath("page.css").read_text(encoding="utf-8")
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
