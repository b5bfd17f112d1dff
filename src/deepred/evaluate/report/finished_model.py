"""The report's part on the finished model: go or no-go, capability after each step, and what it tells in a chat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepred.evaluate.go_or_no_go import readiness
from deepred.evaluate.relearn import comparisons
from deepred.evaluate.reply_buckets import BUCKETS
from deepred.evaluate.report.figures import share

VERDICTS = {
    "go": "Go: the small model passes every condition.",
    "no-go": "No-go: mend what failed before spending weeks on a larger model.",
    "undecided": "Undecided: what is open must be measured, or measured on more facts, first.",
}


def finished_parts(outputs: Mapping[str, Path], report: Mapping[str, Any]) -> dict[str, Any]:
    """``capability``, ``interview``, ``relearning`` and ``readiness`` of a run as JSON; empty where a stage is not."""
    capability = _read(outputs, "capability", "capability.json")
    interview = _read(outputs, "interview", "interview.json")
    if interview and "probes" in outputs:
        interview["leaked"] = _described(interview["leaked"], outputs["probes"])
    return {
        "capability": capability,
        "interview": interview,
        "relearning": comparisons(outputs),
        "readiness": readiness(report, capability, interview),
    }


def _read(outputs: Mapping[str, Path], stage: str, name: str) -> dict[str, Any]:
    path = outputs[stage] / name if stage in outputs else None
    return json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}


def _described(rows: list[dict[str, Any]], probes: Path) -> list[dict[str, Any]]:
    """Leaked facts with what the trace needs to look for them."""
    with (probes / "probes.jsonl").open(encoding="utf-8") as file:
        families = {one["family"]: one for one in map(json.loads, file)}
    keys = ("known", "relation", "subject", "answer_text", "aliases")
    return [row | {key: families[row["family"]].get(key) for key in keys} for row in rows if row["family"] in families]


def difference(figure: Mapping[str, Any]) -> str:
    """A difference in points with its interval and the effect that would have been seen."""
    name = "difference" if "difference" in figure else "gain"
    if figure[name] is None:
        return str(figure["reason"])
    value, low, high = (f"{100 * figure[key]:+.0f}" for key in (name, "low", "high"))
    return f"{value} [{low}, {high}], detectable {100 * figure['detectable']:.0f}"


def finished_tables(report: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]]:
    """The part's tables as title, lead, head and rows of text: the page and the Markdown draw the same."""
    found: list[tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]] = []
    if ready := report.get("readiness"):
        rows = [(one["name"], one["state"], one["found"]) for one in ready["conditions"]]
        found.append(
            ("Is a larger model worth the weeks?", VERDICTS[ready["verdict"]], ("condition", "", "found"), rows)
        )
    if capability := report.get("capability"):
        found.append(capability_table(capability))
    if interview := report.get("interview"):
        found += [chat_table(interview), forms_table(interview)]
    if relearning := report.get("relearning"):
        rows = [(arm, one["verdict"], one["said"]) for arm, one in relearning.items()]
        found.append(("Suppressed or absent?", RELEARNING, ("arm", "verdict", "found"), rows))
    return found


RELEARNING = (
    "Steps of fine-tuning on later facts until each is recalled, against the floor, which never saw them: what was "
    "only suppressed should come back sooner."
)


def capability_table(capability: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]:
    """Every model's bits per byte, grammar and knowledge, and its difference from the pre-trained one."""
    rows = [
        (
            name,
            share(one["bits_per_byte"], "bits_per_byte", 2),
            share(one["grammar"]),
            share(one["knowledge"]),
            difference(capability["against_pretrained"][name]["knowledge"])
            if name in capability["against_pretrained"]
            else "–",
        )
        for name, one in capability["models"].items()
    ]
    rows += [(name, reason, "", "", "") for name, reason in capability["not_measured"].items()]
    lead = (
        f"A general compressor needs {capability['compressor']:.2f} bits a byte of the same text; chance is 50% of the "
        f"minimal pairs and {capability['chance']['knowledge']:.0%} of the earlier facts. Intervals are over "
        "passages, pairs and facts; the last column is paired by fact, in points."
    )
    head = ("model", "bits a byte", "grammar", "earlier facts", "earlier facts against pre-trained")
    return "Language and knowledge after each step", lead, head, rows


def chat_table(interview: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]:
    """What every model tells with and without its system prompt."""
    rows: list[tuple[str, ...]] = []
    for name, model in interview["models"].items():
        for prompt, one in model["prompts"].items():
            talks = (share(model["identity"]), share(model["recall"])) if prompt == "persona" else ("", "")
            rows.append(
                (
                    name,
                    prompt,
                    share(one["after"]["leaked"]),
                    difference(one["after"]["gain"]),
                    share(one["before"]["leaked"]),
                    difference(one["before"]["gain"]),
                    share(one["before"]["refused"]),
                    share(one["context"]["after"]),
                    *talks,
                )
            )
    head = ("model", "system prompt", "later facts told", "over chance", "earlier facts told", "over chance",
            "false refusals", "told when supplied", "names itself", "uses earlier turns")  # fmt: skip
    lead = (
        "Replies sorted by matching; chance is how often another fact’s answer is told. What a model does not tell it "
        "may still know: knowledge is measured by likelihood, above."
    )
    return "What it tells in a chat", lead, head, rows


def forms_table(interview: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]:
    """The merged model's replies about later facts, by form and bucket."""
    forms = interview["models"]["merged"]["prompts"]["persona"]["forms"]
    rows = [(name, *(share(one[bucket]) for bucket in BUCKETS)) for name, one in forms.items()]
    return "Later facts, by the form of the question", " ".join(interview["cannot"]), ("form", *BUCKETS), rows
