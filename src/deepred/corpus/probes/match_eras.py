"""Before and after made alike: families paired within a relation by length and by how often their names occur.

In: families of both eras and the articles. Out: as many of each era, so that a difference between them is not one of
longer statements or rarer names. What finds no partner is dropped, and counted.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepred.base.tables import read_rows
from deepred.corpus.probes.families import Family
from deepred.text.phrases import Phrases, names_of

FAR = 1.0
"""Distance beyond which two families are no pair: twice as frequent names and 30 characters more, or the like."""

CHARACTERS = 60.0
"""Characters of difference that weigh as much as a factor of e^2 in frequency."""


def name_counts(articles: Path, families: Sequence[Family]) -> Counter[str]:
    """How many articles hold each family's subject or answer."""
    names = sorted({name for family in families for name in (family.subject, family.answer_text) if name})
    phrases = Phrases(names, names_of)
    counts: Counter[str] = Counter()
    for row in read_rows(articles, "articles-*.parquet", ["text"]):
        counts.update(names[number] for number in phrases.numbers_in(row["text"]))
    return counts


def matched(families: Sequence[Family], counts: Mapping[str, int]) -> list[Family]:
    """The families that have a partner in the other era: same kind and relation, like length and frequency."""
    groups: defaultdict[tuple[str, str], dict[str, list[Family]]] = defaultdict(lambda: {"before": [], "after": []})
    for family in families:
        groups[family.kind, family.relation][family.era].append(family)
    chosen: set[str] = set()
    for eras in groups.values():
        free = {one.family: measure(one, counts) for one in eras["before"]}
        for family in eras["after"]:
            length, frequency = measure(family, counts)
            near = min(
                (
                    (abs(length - size) / CHARACTERS + abs(frequency - often) / 2, name)
                    for name, (size, often) in free.items()
                ),
                default=(math.inf, ""),
            )
            if near[0] <= FAR:
                chosen |= {family.family, near[1]}
                del free[near[1]]
    return [family for family in families if family.family in chosen]


def measure(family: Family, counts: Mapping[str, int]) -> tuple[float, float]:
    """Characters of a family's statements, and the logarithm of how often its rarer name occurs."""
    length = sum(len(item.prompt) for item in family.items) / max(1, len(family.items)) + len(family.answer_text)
    rarest = min((counts.get(name, 0) for name in (family.subject, family.answer_text) if name), default=0)
    return length, math.log1p(rarest)
