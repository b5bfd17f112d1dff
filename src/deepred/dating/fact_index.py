"""All facts of a run by the article they date: sorted, memory-mapped arrays that every worker shares.

A fact's title is hashed; a redirect's title counts as the title that it leads to (two steps at most). 32 bytes a fact
on disk; building holds the hashes and their order in memory, 16 bytes a fact.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deepred.base.days import Day
from deepred.dating.facts.titles import hash_title, hash_titles
from deepred.run.stage import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

CODED = ("property", "qualifier", "source", "rank")
"""Columns kept as numbers of a vocabulary."""
PREFIX = "join-"
BATCH = 65_536


class Fact(NamedTuple):
    """A dated fact about an article's subject."""

    property: str
    qualifier: str
    source: str
    rank: str
    first: Day
    last: Day


@dataclass(frozen=True)
class IndexFacts:
    """The only shard of indexing: where facts and redirects lie."""

    facts: Path
    articles: Path


def index_facts(argument: IndexFacts, folder: Path) -> Counts:
    """Write the arrays ``join-*.npy`` and their vocabulary; counts facts and those joined through a redirect."""
    import numpy as np
    import pyarrow.parquet as pq

    counts = Counts()
    sources, targets = _redirects(argument.articles)
    files = sorted(argument.facts.glob("facts-*.parquet"))
    total = sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    keys = np.zeros(total, np.int64)
    numbers = np.zeros((total, 2), np.int32)
    codes = np.zeros((total, len(CODED)), np.int16)
    words: list[dict[str, int]] = [{} for _ in CODED]
    place = 0
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH, columns=["title", "first", "last", *CODED]):
                size = batch.num_rows
                span = slice(place, place + size)
                keys[span] = hash_titles(batch["title"].to_pylist())
                numbers[span, 0] = batch["first"].to_numpy()
                numbers[span, 1] = batch["last"].to_numpy()
                for column, name in enumerate(CODED):
                    known = words[column]
                    codes[span, column] = [known.setdefault(word, len(known)) for word in batch[name].to_pylist()]
                place += size
    counts.add("facts", total)
    counts.add("facts of redirects", _follow(keys, sources, targets))
    _follow(keys, sources, targets)  # a redirect to a redirect
    order = np.argsort(keys, kind="stable")
    np.save(folder / f"{PREFIX}keys.npy", keys[order])
    np.save(folder / f"{PREFIX}numbers.npy", numbers[order])
    np.save(folder / f"{PREFIX}codes.npy", codes[order])
    (folder / f"{PREFIX}words.json").write_text(json.dumps([list(known) for known in words]), encoding="utf-8")
    return counts


def _redirects(articles: Path) -> tuple[Integers, Integers]:
    """Hashes of redirects and of what they lead to, sorted by the first."""
    import numpy as np
    import pyarrow.parquet as pq

    sources = [np.zeros(0, np.int64)]
    targets = [np.zeros(0, np.int64)]
    for path in sorted(articles.glob("redirects-*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH, columns=["title", "target"]):
                sources.append(hash_titles(batch["title"].to_pylist()))
                targets.append(hash_titles(title.partition("#")[0] for title in batch["target"].to_pylist()))
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.argsort(source, kind="stable")
    return source[order], target[order]


def _follow(keys: Integers, sources: Integers, targets: Integers) -> int:
    """Replace the keys that are redirects by their targets; returns how many were."""
    import numpy as np

    if not len(sources) or not len(keys):
        return 0
    places = np.minimum(np.searchsorted(sources, keys), len(sources) - 1)
    hits = sources[places] == keys
    keys[hits] = targets[places[hits]]
    return int(hits.sum())


class FactIndex:
    """The facts of a title, from the arrays of a folder."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        def load(name: str) -> Any:
            return np.load(folder / f"{PREFIX}{name}.npy", mmap_mode="r")

        self.keys, self.numbers, self.codes = load("keys"), load("numbers"), load("codes")
        self.words: list[list[str]] = json.loads((folder / f"{PREFIX}words.json").read_text(encoding="utf-8"))

    def find(self, title: str) -> list[Fact]:
        """The facts about the subject of an article, in the order of their files."""
        import numpy as np

        key = hash_title(title)
        low, high = np.searchsorted(self.keys, key), np.searchsorted(self.keys, key, side="right")
        return [self._fact(place) for place in range(int(low), int(high))]

    def _fact(self, place: int) -> Fact:
        property, qualifier, source, rank = (self.words[n][int(code)] for n, code in enumerate(self.codes[place]))
        return Fact(property, qualifier, source, rank, int(self.numbers[place, 0]), int(self.numbers[place, 1]))
