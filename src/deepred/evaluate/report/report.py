"""Stage ``report``: everything a run measured as one HTML page, Markdown and JSON, with what reproduces it.

In: every finished folder of the run with its manifest. Out: ``report.html`` (self-contained: no external request),
``report.md``, ``report.json``. Nothing is measured here but the arms' gains over the floor, family by family; a part of
the road that a run leaves out is left out of the page too, and what cannot be concluded is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from deepred.base.days import Day, format_day, year_of
from deepred.base.files import write_json, write_text
from deepred.evaluate.arms import Arm, arm_figures, place, read_arms, stated_gain
from deepred.evaluate.bits_by_year import twin_minus_model
from deepred.evaluate.choices import read_families
from deepred.evaluate.effective_cutoff import SIGNIFICANCE
from deepred.evaluate.report import plots
from deepred.evaluate.report.conclusions import conclude
from deepred.evaluate.report.figures import PAGES
from deepred.evaluate.report.finished_model import finished_parts, finished_tables
from deepred.evaluate.report.twins_plots import doses_plot
from deepred.evaluate.trace.trace import exposure_by_era, leaks
from deepred.evaluate.twins import Pool, Training, dose_response, placebo
from deepred.run.config import Report
from deepred.run.stage import MANIFEST, Counts, Work

T = TypeVar("T")

SAMPLES = 8
"""Kept and dropped sentences shown of each; all are in the passages' own samples."""


def write_report(
    *, outputs: dict[str, Path], config: Report, cutoff: Day, out: Path, work: Work, name: str = ""
) -> Counts:
    """Write the page, its Markdown and its JSON."""
    manifests = read_manifests(outputs)
    final = out.with_name(out.name.removesuffix(".partial"))
    report = gather(outputs, manifests, cutoff, config.title or name or "Deep Red", final)
    report |= finished_parts(outputs, report)
    drawn = draw_plots(outputs, report, cutoff)
    samples = read_samples(outputs)
    write_json(out / "report.json", report)
    shown = {"report": report, "finished": finished_tables(report), "plots": drawn, "samples": samples}
    write_text(out / "report.md", PAGES.get_template("report.md").render(shown))
    write_text(out / "report.html", PAGES.get_template("run.html").render(shown, significance=SIGNIFICANCE))
    counts = Counts()
    counts.add("stages", len(manifests))
    counts.add("arms", len(report["arms"]))
    counts.notes |= {"headline": report["headline"], "finding": report["finding"], "html": report["html"]}
    work.report(counts, 1, 1)
    return counts


def read_manifests(outputs: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """The manifest of every folder."""
    return {key: json.loads((folder / MANIFEST).read_text(encoding="utf-8")) for key, folder in outputs.items()}


def gather(
    outputs: dict[str, Path], manifests: dict[str, dict[str, Any]], cutoff: Day, name: str, final: Path
) -> dict[str, Any]:
    """The report as plain JSON; ``before`` … ``gain`` are those of the filtered arm, ``arms`` holds all of them."""
    answered = read_arms(outputs)
    arms = arm_figures(answered)
    counts = {key: manifest["counts"] for key, manifest in manifests.items()}
    exposures = exposures_of(outputs)
    conclusion = conclude(arms, exposures, cutoff, generated="world" in outputs)
    first = arms.get("filtered", {})
    missing = {"accuracy": None, "low": None, "high": None, "families": 0, "reason": "not evaluated"}
    return {
        "name": name,
        "cutoff": format_day(cutoff),
        "verdict": conclusion.verdict,
        "headline": conclusion.headline,
        "finding": conclusion.finding,
        "open": [*conclusion.open, *training_of(by_arm(manifests, "pretrain"))],
        **{key: first.get(key, missing) for key in ("before", "after")},
        "chance": first.get("chance"),
        "gain": first.get("gain", {}),
        "leak_ratio": first.get("leak_ratio", {}),
        "effective_cutoff": first.get("effective_cutoff", {}),
        **{arm: {era: values[era] for era in ("before", "after")} for arm, values in arms.items() if arm != "filtered"},
        "arms": arms,
        "bits_per_byte": bits_of(answered, cutoff),
        **doses_of(outputs, answered, cutoff),
        "exposures": exposures,
        "leaks": leaks_of(outputs, answered),
        "stated_gain": stated_of(outputs, answered),
        "gguf": chat_file(outputs),
        "html": str(final / "report.html"),
        "audit": audit_of(outputs, manifests),
        "probes": counts.get("probes", {}),
        "mixture": by_arm(counts, "mixture"),
        "pretrain": by_arm(counts, "pretrain"),
        "passages": by_arm(counts, "passages"),
        "gates": counts.get("gguf", {}).get("notes", {}).get("gates", []),
        "stages": [stage_row(manifest) for manifest in manifests.values()],
        "sources": sources_of(manifests),
        "reproduce": reproduction(manifests),
    }


def bits_of(arms: dict[str, Arm], cutoff: Day) -> dict[str, Any]:
    """Bits per byte by year, the unfiltered twin minus the filtered model; empty where either scored no sentence."""
    model, twin = (arms[name].bits if name in arms else [] for name in ("filtered", "unfiltered"))
    return twin_minus_model(model, twin, cutoff, arms["filtered"].resampling) if model and twin else {}


def doses_of(outputs: dict[str, Path], arms: dict[str, Arm], cutoff: Day) -> dict[str, Any]:
    """The dose response, where the run has the arm that measures it, and the falls at placebo cutoffs."""
    if not {"filtered", "floor"} <= set(arms) or "probes" not in outputs:
        return {"doses": [], "placebo": []}
    seed = arms["filtered"].resampling.seed
    pool = Pool([Training.of(seed, outputs)], "world" in outputs, arms["filtered"].resampling, cutoff)
    return {**dose_response(pool), "placebo": placebo(pool)}


def by_arm(values: Mapping[str, T], stage: str) -> dict[str, T]:
    """A stage's values by arm, in the order in which arms are shown; keys are ``stage`` or ``stage@arm``."""
    found = {key.partition("@")[2] or "filtered": value for key, value in values.items() if key.split("@")[0] == stage}
    return {arm: found[arm] for arm in sorted(found, key=place)}


def training_of(manifests: Mapping[str, dict[str, Any]]) -> list[str]:
    """How long the filtered arm trained, in a sentence: a reader must not take a few minutes for a real training."""
    manifest = manifests.get("filtered", {})
    numbers = manifest.get("counts", {}).get("numbers", {})
    if not {"tokens", "parameters"} <= set(numbers):
        return []
    spent = f"{numbers['tokens']:,} tokens in {manifest['seconds'] / 60:.1f} minutes"
    return [f"The filtered arm has {numbers['parameters']:,} parameters, and trained on {spent}."]


def stage_row(manifest: dict[str, Any]) -> dict[str, Any]:
    """A stage in a line: method, what it counted, and how long it took."""
    counts = manifest["counts"]
    return {
        "name": manifest["stage"],
        "arm": manifest["arm"],
        "method": manifest["method"],
        "seconds": manifest["seconds"],
        "documents": counts["numbers"].get("documents"),
        "drops": counts["drops"],
        "numbers": counts["numbers"],
        "key": manifest["key"],
        "output": manifest.get("output", ""),
    }


def exposures_of(outputs: dict[str, Path]) -> dict[str, Any]:
    """Per arm and era how often the training text states the probed facts; empty without probes."""
    if "probes" not in outputs:
        return {}
    families = read_families(outputs["probes"])
    found = {arm: exposure_by_era(mixture, families) for arm, mixture in by_arm(outputs, "mixture").items()}
    return {arm: values for arm, values in found.items() if values}


def leaks_of(outputs: dict[str, Path], arms: dict[str, Arm]) -> list[dict[str, Any]]:
    """Later facts that the filtered arm's training text states, with the sentences and the model's score."""
    mixture = by_arm(outputs, "mixture").get("filtered")
    if mixture is None or "probes" not in outputs:
        return []
    scores = arms["filtered"].scores("after") if "filtered" in arms else {}
    return leaks(mixture, read_families(outputs["probes"]), scores)


def stated_of(outputs: dict[str, Path], arms: dict[str, Arm]) -> dict[str, Any]:
    """The filtered arm's gain on the later facts that its text still states; empty where that was not counted."""
    path = by_arm(outputs, "mixture").get("filtered", Path()) / "exposures.json"
    if "filtered" not in arms or not path.is_file():
        return {}
    counted: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    stated = {family for family, times in counted.items() if times}
    return stated_gain(arms["filtered"], arms.get("floor"), stated).to_json("gain")


def audit_of(outputs: dict[str, Path], manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the audit of kept sentences says; ``status`` is ``missing`` where there was none."""
    if "audit" not in outputs:
        return {"status": "missing"}
    path = outputs["audit"] / "audit.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return {"status": "unknown", **manifests["audit"]["counts"]["notes"]}


def chat_file(outputs: dict[str, Path]) -> str | None:
    """The GGUF that ``deepred chat`` opens, or None where the run made none."""
    folder = outputs.get("gguf")
    if folder is None:
        return None
    return str(folder / json.loads((folder / "chat.json").read_text(encoding="utf-8"))["file"])


def sources_of(manifests: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every file from outside once, with its checksum and the stages that read it."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in manifests.values():
        for source in manifest["sources"]:
            row = found.setdefault(source["sha256"], {**source, "stages": []})
            if manifest["stage"] not in row["stages"]:
                row["stages"].append(manifest["stage"])
    return sorted(found.values(), key=lambda row: row["path"])


def reproduction(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Everything needed to make the run again: configuration, seeds, program, packages, machine."""
    last = next(reversed(manifests.values()), {})
    return {
        "config": {manifest["stage"]: manifest["config"] for manifest in manifests.values() if manifest["config"]},
        "reads": {
            key: value
            for manifest in manifests.values()
            for key, value in manifest.get("reads", {}).items()
            if key != "arm"
        },
        "commits": sorted({manifest["commit"] for manifest in manifests.values() if manifest.get("commit")}),
        "packages": last.get("packages", {}),
        "hardware": last.get("hardware", {}),
        "outputs": {key: manifest.get("output", "") for key, manifest in manifests.items()},
    }


def draw_plots(outputs: dict[str, Path], report: dict[str, Any], cutoff: Day) -> dict[str, str]:
    """The page's plots by name; one that has nothing to show is an empty string."""
    curves = {arm: read_lines(path / "curves.jsonl") for arm, path in by_arm(outputs, "pretrain").items()}
    drops = report["passages"].get("filtered", {}).get("drops", {})
    return {
        "arms": plots.arms_plot(report["arms"]) if report["arms"] else "",
        "decades": plots.decades_plot(report["arms"], year_of(cutoff) + cutoff // 100 % 100 / 12),
        "bits": plots.bits_plot(report["bits_per_byte"], year_of(cutoff) + cutoff // 100 % 100 / 12),
        "loss": plots.loss_plot(curves),
        "drops": plots.bars_plot(drops, "sentences dropped"),
        "doses": doses_plot(report),
    }


def read_samples(outputs: dict[str, Path]) -> list[dict[str, Any]]:
    """A few kept and dropped sentences of the filtered arm, spread over the reasons."""
    folder = outputs.get("passages@filtered") or outputs.get("passages")
    rows = read_lines(folder / "samples.jsonl") if folder else []
    kept = [row for row in rows if not row["reason"]][:SAMPLES]
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["reason"]:
            by_reason.setdefault(row["reason"], []).append(row)
    turns = [(turn, reason, row) for reason, members in by_reason.items() for turn, row in enumerate(members)]
    turns.sort(key=lambda turn: turn[:2])
    return kept + [row for _, _, row in turns[:SAMPLES]]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
