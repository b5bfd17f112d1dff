"""The arms of a run side by side: each one's figures, and its gain over the floor, family by family."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepred.evaluate.bits_by_year import Bits
from deepred.evaluate.choices import ERAS, Answer, headline, read_answers
from deepred.evaluate.effective_cutoff import Changepoint, effective_cutoff
from deepred.evaluate.statistics import (
    KNOWS,
    MIN_FAMILIES,
    Figure,
    Resampling,
    chance_of_no_gain,
    holm,
    leak_ratio,
    paired_gain,
    too_few,
)
from deepred.run.arm_names import ARMS


@dataclass(frozen=True)
class Arm:
    """An evaluated arm: the results that it wrote and every family's answer."""

    name: str
    results: dict[str, Any]
    answers: list[Answer]
    bits: list[Bits] = field(default_factory=list[Bits])

    def scores(self, era: str) -> dict[str, float]:
        """The score of every family of an era."""
        return {answer.family: answer.score for answer in self.answers if answer.era == era}

    @property
    def resampling(self) -> Resampling:
        """How the arm's own intervals were made."""
        return Resampling(**self.results["resampling"])


def read_arms(outputs: dict[str, Path]) -> dict[str, Arm]:
    """The evaluated arms among a run's folders (``evaluate`` or ``evaluate@arm``), in the order of ``ARMS``."""
    found: dict[str, Arm] = {}
    for name, folder in outputs.items():
        stage, _, arm = name.partition("@")
        if stage == "evaluate":
            results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            answers, bits = headline(read_answers(folder / "items.jsonl")), read_bits(folder / "sentences.jsonl")
            found[arm or "filtered"] = Arm(arm or "filtered", results, answers, bits)
    return {name: found[name] for name in sorted(found, key=place)}


def read_bits(path: Path) -> list[Bits]:
    """The dated sentences that an evaluation scored; none where it scored none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return [Bits(**json.loads(line)) for line in file]


def place(name: str) -> tuple[int, str]:
    """Where an arm stands in the order shown; unknown ones come after the known, by name."""
    return (ARMS.index(name) if name in ARMS else len(ARMS), name)


def blind_floor(arm: Arm, floor: Arm, era: str) -> tuple[dict[str, float], str]:
    """What is scored without knowing the facts, family by family: by the floor model, or by the answer alone.

    Whichever is right more often, so that neither a lucky name nor a common answer counts as knowledge.
    """
    below = floor.scores(era)
    blind = {answer.family: answer.blind_score for answer in arm.answers if answer.era == era}
    if blind and sum(blind.values()) / len(blind) > sum(below.values()) / max(1, len(below)):
        return blind, "answer-only scoring"
    return below, "floor"


def gains(arm: Arm, floor: Arm | None) -> dict[str, Figure]:
    """The arm's gain over the blind floor by era: the mean difference in accuracy over the same families."""
    if floor is None:
        return {era: Figure(None, None, None, 0, "no floor arm in this run") for era in ERAS}
    if floor.results["probes"] != arm.results["probes"]:
        return {era: Figure(None, None, None, 0, "the floor answered another list of probes") for era in ERAS}
    return {era: paired_gain(arm.scores(era), blind_floor(arm, floor, era)[0], arm.resampling) for era in ERAS}


def stated_gain(arm: Arm, floor: Arm | None, stated: Collection[str]) -> Figure:
    """The gain after the cutoff on those facts alone that the training text still states: a small leak shows there."""
    if floor is None or floor.results["probes"] != arm.results["probes"]:
        return too_few(0)
    below, _ = blind_floor(arm, floor, "after")
    return paired_gain({f: score for f, score in arm.scores("after").items() if f in stated}, below, arm.resampling)


def fall(arm: Arm, floor: Arm | None) -> dict[str, Any]:
    """The effective cutoff of what the arm knows beyond the floor; none where it surely knows nothing beyond it.

    Options drawn from a few years have a shape of their own at the ends of the record, which a model that knows nothing
    can fall over; taking the floor's score from each family's takes that out.
    """
    if floor is None or floor.results["probes"] != arm.results["probes"]:
        return arm.results["effective_cutoff"]
    known = gains(arm, floor)["before"]
    if known.low is None or known.low <= KNOWS:
        return Changepoint(None, None, None, reason="knows too little").to_json()
    below = {answer.family: answer.score for answer in floor.answers}
    answers = [answer for answer in arm.answers if answer.family in below]
    beyond = [answer.score - below[answer.family] for answer in answers]
    return effective_cutoff([answer.year for answer in answers], beyond, arm.resampling).to_json()


def ratio(arm: Arm, floor: Arm | None) -> Figure:
    """The leak ratio: gain after the cutoff over gain before it; null where nothing is known before it."""
    if floor is None or floor.results["probes"] != arm.results["probes"]:
        return too_few(0)
    differences = [
        [score - below[family] for family, score in sorted(arm.scores(era).items())]
        for era, below in ((era, blind_floor(arm, floor, era)[0]) for era in ERAS)
    ]
    return leak_ratio(differences[0], differences[1], arm.resampling)


def late_relations(arm: Arm, floor: Arm | None) -> list[dict[str, Any]]:
    """Gain over the floor after the cutoff by relation, with p values adjusted (Holm) for looking at all of them."""
    if floor is None or floor.results["probes"] != arm.results["probes"]:
        return []
    late, below = arm.scores("after"), floor.scores("after")
    members: defaultdict[str, list[str]] = defaultdict(list)
    for answer in arm.answers:
        if answer.family in late and answer.family in below:
            members[answer.relation].append(answer.family)
    relations = sorted(relation for relation, families in members.items() if len(families) >= MIN_FAMILIES)
    gained = [paired_gain(pick(late, members[one]), pick(below, members[one]), arm.resampling) for one in relations]
    raw = [chance_of_no_gain([late[f] - below[f] for f in members[one]], arm.resampling) for one in relations]
    return [
        {"relation": one, **gain.to_json("gain"), "p": round(p, 4), "p_adjusted": round(adjusted, 4)}
        for one, gain, p, adjusted in zip(relations, gained, raw, holm(raw))
    ]


def pick(scores: dict[str, float], families: list[str]) -> dict[str, float]:
    """The scores of some families."""
    return {family: scores[family] for family in families}


def arm_figures(arms: dict[str, Arm]) -> dict[str, dict[str, Any]]:
    """Everything the report shows of each arm, as plain JSON."""
    floor = arms.get("floor")
    shown: dict[str, dict[str, Any]] = {}
    for name, arm in arms.items():
        keys = ("before", "after", "chance", "answer_only", "by_decade", "by_relation")
        values = {key: arm.results[key] for key in keys}
        values |= {key: arm.results[key] for key in ("bits_by_decade", "late_mass", "by_kind") if arm.results.get(key)}
        if name == "floor":
            values["effective_cutoff"] = Changepoint(None, None, None, reason="–").to_json()
        else:
            values["effective_cutoff"] = fall(arm, floor)
            values["gain"] = {
                era: gain.to_json("gain") | ({"over": blind_floor(arm, floor, era)[1]} if floor else {})
                for era, gain in gains(arm, floor).items()
            }
            values["leak_ratio"] = ratio(arm, floor).to_json("ratio")
            values["late_relations"] = late_relations(arm, floor)
        shown[name] = values
    return shown
