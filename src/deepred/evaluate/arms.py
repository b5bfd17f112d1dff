"""The arms of a run side by side: each one's figures, and its gain over the floor, family by family."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.evaluate.choices import ERAS, Answer, read_answers
from deepred.evaluate.statistics import Figure, Resampling, leak_ratio, paired_gain, too_few

ORDER = ("filtered", "unfiltered", "article", "continued", "floor")
"""Arms in the order in which they are shown: the product first, the floor last."""


@dataclass(frozen=True)
class Arm:
    """An evaluated arm: the results that it wrote and every family's answer."""

    name: str
    results: dict[str, Any]
    answers: list[Answer]

    def scores(self, era: str) -> dict[str, float]:
        """The score of every family of an era."""
        return {answer.family: answer.score for answer in self.answers if answer.era == era}

    @property
    def resampling(self) -> Resampling:
        """How the arm's own intervals were made."""
        return Resampling(**self.results["resampling"])


def read_arms(outputs: dict[str, Path]) -> dict[str, Arm]:
    """The evaluated arms among a run's folders (``evaluate`` or ``evaluate@arm``), in the order of ``ORDER``."""
    found: dict[str, Arm] = {}
    for name, folder in outputs.items():
        stage, _, arm = name.partition("@")
        if stage == "evaluate":
            results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            found[arm or "filtered"] = Arm(arm or "filtered", results, read_answers(folder / "items.jsonl"))
    return {name: found[name] for name in sorted(found, key=lambda name: (name not in ORDER, *place(name)))}


def place(name: str) -> tuple[int, str]:
    """Where an arm stands in the order shown; unknown ones come after the known, by name."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def gains(arm: Arm, floor: Arm | None) -> dict[str, Figure]:
    """The arm's gain over the floor by era: the mean difference in accuracy over the same families."""
    if floor is None:
        return {era: Figure(None, None, None, 0, "no floor arm in this run") for era in ERAS}
    if floor.results["probes"] != arm.results["probes"]:
        return {era: Figure(None, None, None, 0, "the floor answered another list of probes") for era in ERAS}
    return {era: paired_gain(arm.scores(era), floor.scores(era), arm.resampling) for era in ERAS}


def ratio(arm: Arm, floor: Arm | None) -> Figure:
    """The leak ratio: gain after the cutoff over gain before it; null where nothing is known before it."""
    if floor is None or floor.results["probes"] != arm.results["probes"]:
        return too_few(0)
    differences = [
        [score - floor.scores(era)[family] for family, score in sorted(arm.scores(era).items())] for era in ERAS
    ]
    return leak_ratio(differences[0], differences[1], arm.resampling)


def arm_figures(arms: dict[str, Arm]) -> dict[str, dict[str, Any]]:
    """Everything the report shows of each arm, as plain JSON."""
    floor = arms.get("floor")
    shown: dict[str, dict[str, Any]] = {}
    for name, arm in arms.items():
        keys = ("before", "after", "chance", "answer_only", "effective_cutoff", "by_decade", "by_relation")
        values = {key: arm.results[key] for key in keys}
        if name != "floor":
            values["gain"] = {era: gain.to_json("gain") for era, gain in gains(arm, floor).items()}
            values["leak_ratio"] = ratio(arm, floor).to_json("ratio")
        shown[name] = values
    return shown
