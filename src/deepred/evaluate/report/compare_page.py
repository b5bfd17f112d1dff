"""Several finished runs side by side: what each model knows before and after its cutoff, as a page, a table and JSON.

In: the ``report.json`` of each. Out: rows of the same figures that their own reports state; nothing is measured anew,
and what their probes or cutoffs make incomparable is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError
from deepred.base.given import read_object
from deepred.evaluate.report.figures import PAGES, cutoff_text, gain_text, share
from deepred.evaluate.report.plots import models_plot

MEND = "name a run file, or the report.json of a finished run"

FIGURES = ("before", "after")


def read_report(path: Path) -> dict[str, Any]:
    """A run's ``report.json``; anything else is a UserError."""
    try:
        report = read_object(path, MEND)
    except UserError as error:
        raise UserError(f"{path} is no report: {error.message}", MEND) from None
    if not {"name", "cutoff", "arms"} <= set(report):
        raise UserError(f"{path} is no report of a run", MEND)
    try:
        compare_reports([report])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path} is no report of a run: {type(error).__name__} {error}", MEND) from None
    return report


def compare_reports(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The filtered arm of every report as a row, under names that tell them apart, and what keeps them apart."""
    names = distinct([str(report["name"]) for report in reports])
    models = [row(name, report) for name, report in zip(names, reports, strict=True)]
    return {"models": models, "caveats": caveats(models)}


def distinct(names: Sequence[str]) -> list[str]:
    """Names with a number where several are alike: ``distinct(["a", "b", "a"]) == ["a (1)", "b", "a (2)"]``."""
    seen: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(f"{name} ({seen[name]})" if names.count(name) > 1 else name)
    return found


def row(name: str, report: dict[str, Any]) -> dict[str, Any]:
    """One model's figures."""
    arm = report["arms"].get("filtered", {})
    trained = report.get("pretrain", {}).get("filtered", {}).get("numbers", {})
    missing: dict[str, Any] = {"gain": None, "reason": "not measured"}
    return {
        "name": name,
        "cutoff": report["cutoff"],
        "verdict": report.get("verdict"),
        **{era: report[era] for era in FIGURES},
        **{f"gain_{era}": arm.get("gain", {}).get(era, missing) for era in FIGURES},
        "leak_ratio": arm.get("leak_ratio", {"ratio": None, "reason": "not measured"}),
        "effective_cutoff": arm.get("effective_cutoff", {"year": None, "reason": "not measured"}),
        "parameters": trained.get("parameters"),
        "tokens": trained.get("tokens"),
        "probes": report.get("probes", {}).get("notes", {}).get("hash", ""),
        "html": report.get("html"),
    }


def caveats(models: Sequence[dict[str, Any]]) -> list[str]:
    """Why figures of different rows may not be subtracted from each other."""
    found: list[str] = []
    if len({model["probes"] for model in models}) > 1:
        found.append("The models were asked different lists of facts: compare gains over their own floors, not shares.")
    if len({model["cutoff"] for model in models}) > 1:
        found.append("Their cutoffs differ: before and after mean different years in each row.")
    if len({model["tokens"] for model in models}) > 1:
        found.append("They trained on different numbers of tokens.")
    if any(model["gain_before"]["gain"] is None for model in models):
        found.append("Where no gain is given, what was guessed is not told from what was known.")
    return found


def compare_page(compared: dict[str, Any]) -> str:
    """The comparison as one self-contained page."""
    return PAGES.get_template("compare.html").render(compared, svg=models_plot(compared["models"]))


def compare_lines(compared: dict[str, Any]) -> list[str]:
    """The comparison for a terminal, two lines a model, then the caveats."""
    lines: list[str] = []
    for model in compared["models"]:
        lines.append(f"{model['name']}  cutoff {model['cutoff']}")
        lines.append(f"  before {share(model['before'])}, after {share(model['after'])}")
        lines += [f"  gain {era} {gain_text(model[f'gain_{era}'])}" for era in FIGURES]
        lines.append(f"  effective cutoff {cutoff_text(model['effective_cutoff'])}")
    return lines + compared["caveats"]
