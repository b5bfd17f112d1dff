"""Grammatical minimal pairs, generated: what any model of English must prefer, whatever it knows.

In: ``grammar.toml`` and a seed. Out: pairs of sentences that differ in one point, as many of each phenomenon, in words
of no era. A model is right where it finds the grammatical sentence likelier as a whole (Warstadt et al. 2020, BLiMP).
"""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from deepred.evaluate.choices import TIE, Scorer
from deepred.evaluate.statistics import Resampling, mean_over_families

CHANCE = 0.5


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences of which only the first is grammatical."""

    phenomenon: str
    good: str
    bad: str


def make_pairs(each: int, seed: int) -> list[MinimalPair]:
    """At most ``each`` distinct pairs of every phenomenon, fewer where its words do not give so many."""
    values = tomllib.loads((files("deepred.evaluate") / "grammar.toml").read_text(encoding="utf-8"))
    found: list[MinimalPair] = []
    for row in values["phenomenon"]:
        chance = random.Random(f"{seed} {row['name']}")
        made: dict[str, MinimalPair] = {}
        for _ in range(20 * each):
            words = draw_words(values, chance)
            pair = MinimalPair(row["name"], row["good"].format(**words), row["bad"].format(**words))
            made.setdefault(pair.good, pair)
            if len(made) == each:
                break
        found += made.values()
    return found


def draw_words(values: dict[str, Any], chance: random.Random) -> dict[str, str]:
    """One draw of words for every placeholder; the second noun is another than the first."""
    rows = {name: [one.split() for one in values[name].split(",")] for name in ("nouns", "people", "verbs")}
    lists = {name: [one.strip() for one in values[name].split(",")] for name in ("adjectives", "prepositions")}
    (n, ns), (m, ms) = chance.sample(rows["nouns"], 2)
    man, men, himself = chance.choice(rows["people"])
    v, vs, ved, ven = chance.choice(rows["verbs"])
    herself = "herself" if himself == "himself" else "himself"
    return {
        "n": n, "ns": ns, "m": m, "ms": ms, "man": man, "men": men, "himself": himself, "herself": herself,
        "v": v, "vs": vs, "ved": ved, "ven": ven, "a": chance.choice(lists["adjectives"]),
        "p": chance.choice(lists["prepositions"]),
        **{name: chance.choice(values[name].split(",")).strip() for name in ("vowel", "consonant")},
    }  # fmt: skip


def judge_pairs(pairs: Sequence[MinimalPair], score: Scorer) -> list[float]:
    """1 for each pair whose grammatical sentence is likelier, 0 for the other, ½ for a tie."""
    scores = score([("", sentence) for pair in pairs for sentence in (pair.good, pair.bad)])
    differences = [good - bad for good, bad in zip(scores[::2], scores[1::2])]
    return [0.5 if abs(difference) <= TIE else float(difference > 0) for difference in differences]


def summarize_pairs(pairs: Sequence[MinimalPair], right: Sequence[float], how: Resampling) -> dict[str, Any]:
    """Accuracy over all pairs and by phenomenon; every phenomenon weighs the same."""
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for pair, value in zip(pairs, right):
        groups[pair.phenomenon].append(value)
    return {
        **mean_over_families(list(right), how).to_json(),
        "phenomena": {name: mean_over_families(values, how).to_json() for name, values in groups.items()},
    }
