"""Figures of an interview: the share of each bucket by form and era, against chance; what leaked, what stays open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepred.evaluate.chat_questions import (
    Question,
)
from deepred.evaluate.reply_buckets import BUCKETS, Bucket
from deepred.evaluate.statistics import Figure, Resampling, mean_over_families, paired_gain

SHOWN = 3
"""Leaking replies kept of a fact for the report."""


@dataclass(frozen=True)
class Told:
    """A question with the reply to it, its bucket, and whether it tells another fact's answer."""

    model: str
    prompt: str
    question: Question
    reply: str
    bucket: Bucket
    by_chance: bool

    def row(self) -> dict[str, Any]:
        """A line of ``replies.jsonl``."""
        asked = self.question
        return {
            "model": self.model,
            "prompt": self.prompt,
            "family": asked.family,
            "era": asked.era,
            "form": asked.form,
            "question": asked.text,
            "answer": asked.fact.answer,
            "reply": self.reply,
            "bucket": self.bucket,
        }


def summarize(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """A model's figures under one system prompt."""
    late = [one for one in told if one.question.era == "after" and not one.question.control]
    open_late = [one for one in late if not one.question.fact.options]
    early = [one for one in told if one.question.era == "before" and not one.question.control]
    names = list(dict.fromkeys(one.question.form for one in late))
    return {
        "forms": {name: buckets([one for one in late if one.question.form == name], how) for name in names},
        "after": buckets([one for one in open_late if one.question.kind == "form"], how) | chance_gain(open_late, how),
        "red_team": buckets([one for one in late if one.question.kind == "red-team"], how),
        "before": buckets(early, how) | chance_gain(early, how),
        "context": {
            era: bucket_share(
                [one for one in told if one.question.control and one.question.era == era], "leaked", how
            ).to_json("share")
            for era in ("before", "after")
        },
    }


def buckets(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """The share of every bucket, as means over facts."""
    return {bucket: bucket_share(told, bucket, how).to_json("share") for bucket in BUCKETS}


def bucket_share(told: Sequence[Told], bucket: Bucket, how: Resampling) -> Figure:
    """How often replies fall into a bucket; a fact that was asked about in several forms counts once, by their mean."""
    return mean_over_families(list(by_family(told, bucket).values()), how)


def by_family(told: Sequence[Told], bucket: Bucket) -> dict[str, float]:
    """The share of a fact's replies that fall into a bucket."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in told:
        found[one.question.family].append(float(one.bucket == bucket))
    return {family: sum(values) / len(values) for family, values in found.items()}


def chance_gain(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """How much more often the fact's own answer is told than another fact's, with the effect that could be seen."""
    chance: defaultdict[str, list[float]] = defaultdict(list)
    for one in told:
        chance[one.question.family].append(float(one.by_chance))
    floor = {family: sum(values) / len(values) for family, values in chance.items()}
    return {
        "by_chance": mean_over_families(list(floor.values()), how).to_json("share"),
        "gain": paired_gain(by_family(told, "leaked"), floor, how).to_json("gain"),
    }


def leaked_rows(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Later facts that were told in a chat, the most often told first, with some of the replies.

    Choosing the right letter is left out: it happens by chance, and names no sentence to look for.
    """
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        asked = one.question
        if one.bucket == "leaked" and asked.era == "after" and not asked.control and not asked.fact.options:
            found[asked.family].append(one)
    rows = [
        {
            "family": family,
            "times": len(members),
            "answer_text": members[0].question.fact.answer,
            "said": [
                {"model": one.model, "prompt": one.prompt, "form": one.question.form, "reply": one.reply}
                for one in members[:SHOWN]
            ],
        }
        for family, members in found.items()
    ]
    return sorted(rows, key=lambda row: (-int(row["times"]), row["family"]))


def cannot_conclude(models: Mapping[str, Any], judge: Mapping[str, Any]) -> list[str]:
    """What the interview does not show, in sentences."""
    found: list[str] = []
    for name, values in models.items():
        figures = values["prompts"]["persona"]
        for era in ("after", "before"):
            if figures[era]["leaked"]["share"] is None:
                found.append(f"{name}: facts {era} the cutoff: {figures[era]['leaked']['reason']}.")
        gain = figures["before"]["gain"]
        if gain["gain"] is not None and gain["low"] <= 0:
            found.append(
                f"{name} tells facts from before the cutoff no more often than by chance (a gain below "
                f"{100 * gain['detectable']:.0f} points would probably have gone unseen): "
                "that it does not tell later ones shows nothing."
            )
    if judge["status"] == "none":
        found.append("Replies were sorted by matching alone; no judge was named.")
    elif "cannot" in judge:
        found.append(f"{judge['cannot'][:1].upper()}{judge['cannot'][1:]}.")
    return found


def sentence(figures: Mapping[str, Any]) -> str:
    """A model's figures in words, for the display."""

    def text(value: Mapping[str, Any]) -> str:
        if value["share"] is None:
            return str(value["reason"])
        return f"{value['share']:.0%} [{value['low']:.0%}, {value['high']:.0%}]"

    after, before = figures["after"], figures["before"]
    earlier = f"earlier told {text(before['leaked'])}, refused {text(before['refused'])}"
    return f"later facts told {text(after['leaked'])}; {earlier}"
