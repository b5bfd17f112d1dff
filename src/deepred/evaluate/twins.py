"""The arms of several trainings side by side: pooled figures, doses, placebo cutoffs, and what they allow to be said.

In: for every seed the folders of its evaluated arms. Out: one JSON object (``compare_arms``), which the page and the
command show. Nothing here trains; ``deepred.evaluate.train_twins`` builds what is missing first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from deepred.base.days import Day, format_day, year_of
from deepred.corpus.doses import read_doses
from deepred.evaluate.arms import Arm, place, read_arms
from deepred.evaluate.bits_by_year import twin_minus_model
from deepred.evaluate.choices import ERAS, read_families
from deepred.evaluate.pooling import (
    Point,
    adjusted,
    contrast,
    fall_year,
    mean_figure,
    minus,
    of_era,
    quantile_years,
)
from deepred.evaluate.statistics import KNOWS, Resampling
from deepred.evaluate.trace.trace import exposure_by_era
from deepred.run.stage import MANIFEST

PARTS = 4
"""Parts into which placebo cutoffs split the families of an era."""

SIGNIFICANT = 0.05
"""Holm-adjusted p value below which a dose counts as seen."""

DIFFERENCES = (("unfiltered", "filtered"), ("article", "filtered"), ("continued", "filtered"))
"""Pairs of arms whose difference after the cutoff is stated."""


@dataclass(frozen=True)
class Training:
    """One seed: its evaluated arms, what was planted, and how often each arm read what."""

    seed: int
    arms: dict[str, Arm]
    clusters: dict[str, str]
    """The answer of every family: facts that share one are drawn together."""
    doses: dict[str, int]
    exposures: dict[str, dict[str, dict[str, Any]]]
    read: dict[str, dict[str, Any]]
    """Per arm, tokens and epochs of its pre-training, and seconds."""

    @staticmethod
    def of(seed: int, outputs: Mapping[str, Path]) -> Training:
        """The training whose folders are given by ``stage`` or ``stage@arm``."""
        families = read_families(outputs["probes"])
        exposures = {
            name.partition("@")[2]: exposure_by_era(folder, families)
            for name, folder in outputs.items()
            if name.startswith("mixture@")
        }
        return Training(
            seed,
            read_arms(dict(outputs)),
            {family["family"]: family["answer_text"] for family in families},
            read_doses(outputs["doses"]) if "doses" in outputs else {},
            exposures,
            {name.partition("@")[2]: training_of(folder) for name, folder in outputs.items() if "pretrain@" in name},
        )

    def points(self, arm: str, blind: bool = False) -> list[Point]:
        """The scores of an arm, or those of the choice that it makes by the answer alone."""
        stratum = f"seed {self.seed}"
        return [
            Point(
                stratum,
                self.clusters[answer.family],
                answer.family,
                answer.era,
                answer.year,
                answer.blind_score if blind else answer.score,
            )
            for answer in self.arms[arm].answers
        ]


def training_of(pretrain: Path) -> dict[str, Any]:
    """Tokens, epochs, parameters and seconds of a finished pre-training."""
    manifest = json.loads((pretrain / MANIFEST).read_text(encoding="utf-8"))
    counts = manifest["counts"]
    return {
        "tokens": counts["numbers"].get("tokens"),
        "parameters": counts["numbers"].get("parameters"),
        "epochs": counts["notes"].get("epochs"),
        "learning_rate": manifest["config"].get("learning_rate"),
        "seconds": manifest["seconds"],
    }


@dataclass(frozen=True)
class Pool:
    """All trainings of a run, pooled."""

    trainings: Sequence[Training]
    generated: bool
    """Whether every seed is a world of its own."""
    how: Resampling
    cutoff: Day

    def names(self) -> list[str]:
        """The arms that every training has, in the order shown."""
        shared = set[str].intersection(*(set(one.arms) for one in self.trainings))
        return sorted(shared, key=place)

    def points(self, arm: str, blind: bool = False) -> list[Point]:
        """The scores of an arm in all trainings, or those of its answer-only choices."""
        found = [point for one in self.trainings for point in one.points(arm, blind)]
        return found if self.generated else pooled_by_family(found)

    def gains(self, arm: str) -> list[Point]:
        """The scores of an arm beyond what its own trainings score blind: floor or answer alone, whichever is more."""
        if "floor" not in self.names():
            return []
        points, floor, alone = self.points(arm), self.points("floor"), self.points(arm, blind=True)
        found: list[Point] = []
        for era in ERAS:
            below = max((of_era(floor, era), of_era(alone, era)), key=mean_score)
            found += minus(of_era(points, era), below)
        return found

    def bits(self) -> dict[str, Any]:
        """Bits per byte by year, the unfiltered twin minus the filtered model; empty where either is missing."""
        if not {"filtered", "unfiltered"} <= set(self.names()):
            return {}
        model, twin = (
            [replace(bit, name=f"{one.seed} {bit.name}") for one in self.trainings for bit in one.arms[arm].bits]
            for arm in ("filtered", "unfiltered")
        )
        return twin_minus_model(model, twin, self.cutoff, self.how) if model and twin else {}


def mean_score(points: Sequence[Point]) -> float:
    """The mean score of points; 0 without any."""
    return sum(point.score for point in points) / max(1, len(points))


def pooled_by_family(points: Sequence[Point]) -> list[Point]:
    """One point a fact, the mean over its trainings: the seeds' answers to one fact are no further facts."""
    by_family: dict[str, list[Point]] = {}
    for point in points:
        by_family.setdefault(point.family, []).append(point)
    return [
        Point("all", one[0].cluster, family, one[0].era, one[0].year, sum(p.score for p in one) / len(one))
        for family, one in by_family.items()
    ]


def compare_arms(pool: Pool, name: str) -> dict[str, Any]:
    """Everything that several trainings show, as plain JSON (see docs/evaluation.md for its keys)."""
    first = pool.trainings[0]
    arms = {arm: arm_figures(pool, arm) for arm in pool.names()}
    late = arms.get("filtered", {}).get("gain_after", {})
    filtered = pool.gains("filtered") if {"filtered", "floor"} <= set(arms) else []
    return {
        "name": name,
        "cutoff": format_day(pool.cutoff),
        "generated": pool.generated,
        "seeds": [one.seed for one in pool.trainings],
        "chance": first.arms[pool.names()[0]].results["chance"],
        "probes": sorted({str(arm.results["probes"]) for one in pool.trainings for arm in one.arms.values()}),
        "arms": arms,
        "differences": differences(pool),
        **dose_response(pool),
        "minimum_detectable_effect": late.get("detectable"),
        "effective_cutoff": effective(filtered, arms, pool.how),
        "placebo": placebo(pool),
        "bits_per_byte": pool.bits(),
        "by_seed": [seed_figures(pool, one) for one in pool.trainings],
        "confidence": pool.how.confidence,
    }


def arm_figures(pool: Pool, arm: str) -> dict[str, Any]:
    """An arm's pooled accuracy and gain over the floor by era, and what it read."""
    points = pool.points(arm)
    shown: dict[str, Any] = {era: mean_figure(of_era(points, era), pool.how, share=True).to_json() for era in ERAS}
    if arm != "floor" and "floor" in pool.names():
        gained = pool.gains(arm)
        shown |= {f"gain_{era}": mean_figure(of_era(gained, era), pool.how).to_json("gain") for era in ERAS}
    shown["late_mass"] = [one.arms[arm].results.get("late_mass", {}).get("mass") for one in pool.trainings]
    shown["training"] = [one.read.get(arm, {}) for one in pool.trainings]
    shown["exposures"] = [one.exposures.get(arm, {}) for one in pool.trainings]
    return shown


def differences(pool: Pool) -> dict[str, dict[str, Any]]:
    """How far arms lie apart after the cutoff: ``unfiltered_minus_filtered`` and the like."""
    names = pool.names()
    return {
        f"{one}_minus_{other}": mean_figure(
            of_era(minus(pool.points(one), pool.points(other)), "after"), pool.how
        ).to_json("difference")
        for one, other in DIFFERENCES
        if one in names and other in names
    }


def dose_response(pool: Pool) -> dict[str, Any]:
    """The gain of the facts planted at each dose, the smallest dose seen, and whether more is more.

    Over the floor model alone: what the dosed model chooses by the answer alone are the answers that were planted most,
    so that choice scores high at high doses and below chance at none, and is no floor for one dose.
    """
    if not {"dosed", "floor"} <= set(pool.names()):
        return {"doses": [], "dose_response": {}}
    gained = minus(of_era(pool.points("dosed"), "after"), of_era(pool.points("floor"), "after"))
    dose_of = {
        (f"seed {one.seed}" if pool.generated else "all", family): dose
        for one in pool.trainings
        for family, dose in one.doses.items()
    }
    levels = sorted(set(dose_of.values()))
    samples = [[p for p in gained if dose_of.get((p.stratum, p.family)) == level] for level in levels]
    rows: list[dict[str, Any]] = []
    for level, points, p_value in zip(levels, samples, adjusted(samples, pool.how), strict=True):
        figure = mean_figure(points, pool.how).to_json("gain")
        rows.append({"dose": level, **figure, "p_adjusted": round(p_value, 4), "seen": p_value < SIGNIFICANT})
    values = [row["gain"] for row in rows if row["dose"] >= 4 and row["gain"] is not None]
    response = {
        "smallest_seen": next((row["dose"] for row in rows if row["seen"] and row["dose"] > 0), None),
        "monotone_from_4": len(values) > 1 and all(a < b for a, b in pairwise(values)),
        "epochs": [one.read.get("dosed", {}).get("epochs") for one in pool.trainings],
    }
    return {"doses": rows, "dose_response": response}


def effective(filtered: Sequence[Point], arms: Mapping[str, Any], how: Resampling) -> dict[str, Any]:
    """The year in which the filtered arm's gain falls most; none where it knows too little for a fall to mean much."""
    known = arms.get("filtered", {}).get("gain_before", {}).get("low")
    if known is None or known <= KNOWS:
        return {"year": None, "low": None, "high": None, "reason": "knows too little"}
    return fall_year(filtered, how).to_json()


def placebo(pool: Pool) -> list[dict[str, Any]]:
    """Falls at cutoffs that were never applied, where there should be none, beside the fall at the true one.

    Facts of one side of the true cutoff alone are split at years that part them evenly; the unfiltered arm, whose
    text has no cutoff, is split at the true one too.
    """
    if "floor" not in pool.names():
        return []
    true = year_of(pool.cutoff) + (pool.cutoff // 100 % 100 - 1) / 12
    rows: list[dict[str, Any]] = []
    for arm, eras in (("filtered", ("before",)), ("unfiltered", ERAS)):
        if arm not in pool.names():
            continue
        gained = pool.gains(arm)
        splits = [(year, of_era(gained, era)) for era in eras for year in quantile_years(of_era(gained, era), PARTS)]
        for year, points in [*splits, (true, gained)]:
            fall = contrast(points, lambda point, year=year: point.year < year, pool.how)
            applied = arm == "filtered" and year == true
            rows.append({"arm": arm, "year": round(year, 2), "applied": applied, **fall.to_json("fall")})
    return rows


def seed_figures(pool: Pool, training: Training) -> dict[str, Any]:
    """One seed's own figures, so that a reader sees how far trainings differ."""
    alone = Pool([training], pool.generated, pool.how, pool.cutoff)
    return {
        "seed": training.seed,
        "arms": {
            arm: {key: value for key, value in arm_figures(alone, arm).items() if key in ERAS or "gain" in key}
            for arm in alone.names()
        },
    }
