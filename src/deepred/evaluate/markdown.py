"""The report as Markdown: the headline, the arms, the stages; for a terminal or a model card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepred.evaluate import finished
from deepred.evaluate.conclusions import gain, points, share


def write_markdown(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    parts = [
        f"# {report['name']}: knowledge before and after {report['cutoff']}",
        report["headline"],
        report["finding"],
        table(("arm", "before", "after", "gain before", "gain after", "effective cutoff"), arm_rows(report)),
        f"Chance is {report['chance']:.0%}. Brackets are intervals over families (facts)." if report["chance"] else "",
        *finished.finished_markdown(report),
        "## What this does not show",
        "\n".join(f"- {line}" for line in report["open"]),
        "## Files",
        "\n".join(
            f"- {name}: {value}"
            for name, value in (
                ("GGUF", f"`{report['gguf']}`"),
                ("Page", f"`{report['html']}`"),
                ("Audit of kept sentences", report["audit"]["status"]),
            )
        ),
        "## Stages",
        table(
            ("stage", "arm", "method", "documents", "dropped", "seconds"),
            [
                (
                    row["name"],
                    row["arm"],
                    row["method"],
                    number(row["documents"]),
                    number(sum(row["drops"].values())),
                    f"{row['seconds']:.1f}",
                )
                for row in report["stages"]
            ],
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def stage_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A stage's line."""
    dropped = number(sum(row["drops"].values()))
    return (row["name"], row["arm"], row["method"], number(row["documents"]), dropped, f"{row['seconds']:.1f}")


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


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
