"""A model's answers about doubtful sentences, as the stage ``passages`` takes them.

In: files that ``deepred filter look`` wrote (JSONL with ``hash``, ``label`` and ``cutoff``; the form of a labelled
sheet, so that a sheet labelled by people may be named too). Out: ``answers-hashes.npy`` and ``answers-late.npy`` beside
the fitted model, which every shard maps into memory; an answered sentence has the probability that its label says.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.asking.answer_file import read_lines
from deepred.base.days import Day, format_day
from deepred.base.errors import UserError
from deepred.base.files import replaced
from deepred.filter.judge import Weighed
from deepred.run.stage import Counts

LATE, CLEAN, AMBIGUOUS = "P", "C", "A"
"""Labels of a sentence: from the cutoff or later, possible before it, unclear."""
LONGEST_SENTENCE = 2000
"""Characters of a sentence that are shown to who labels it."""
MARKS = (">>>", "<<<")
"""What the sentence stands between in its context."""
HASHES, LABELS = "answers-hashes.npy", "answers-late.npy"
SAID_LATE, SAID_CLEAN = 0.99, 0.01
"""Probability of an answered sentence: past every preset's threshold, short of certainty."""


def sentence_hash(title: str, sentence: str) -> str:
    """What labels are joined by: it depends on the sentence and its article, not on offsets, runs or cutoffs."""
    text = f"{title}\n{' '.join(sentence.split())}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def index_answers(paths: list[Path], cutoff: Day, out: Path) -> int:
    """Write the answers for this cutoff as sorted arrays, and return how many lines are for another one.

    A sentence that two answers contradict, or whose answer is A, is left to the filter.
    """
    labels: dict[str, str] = {}
    others: Counter[str] = Counter()
    day = format_day(cutoff)
    for path in paths:
        for key, label, given in _read_rows(path):
            if given not in ("", day):
                others[given] += 1
            elif label:
                labels[key] = label if labels.get(key, label) == label else AMBIGUOUS
    decided = sorted(key for key, label in labels.items() if label in (LATE, CLEAN))
    _save(out / HASHES, np.array(decided, "S24"))
    _save(out / LABELS, np.array([labels[key] == LATE for key in decided], np.bool_))
    return others.total()


def _read_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Hash, label and cutoff of every line; the label is empty where a model gave none."""
    if not path.is_file():
        raise UserError(f"{path} does not exist or is no file", "name a file that `deepred filter look` wrote")
    for number, row in enumerate(read_lines(path), 1):
        if row is None or not isinstance(row.get("hash"), str) or not row["hash"].isascii() or "label" not in row:
            mend = "`deepred filter look` cuts a torn last line off when it goes on"
            raise UserError(f"{path}, line {number}: not a row with hash and label", mend)
        if row["label"] not in (LATE, CLEAN, AMBIGUOUS, ""):
            raise UserError(
                f"{path}, line {number}: label {row['label']!r}", "use P (late), C (clean) or A (ambiguous)"
            )
        yield row["hash"], row["label"], str(row.get("cutoff") or "")


def _save(path: Path, values: npt.NDArray[Any]) -> None:
    with replaced(path) as partial, partial.open("wb") as file:
        np.save(file, values)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of a run, sorted by the hash of their sentence."""

    hashes: npt.NDArray[np.bytes_]
    late: npt.NDArray[np.bool_]

    @staticmethod
    def load(folder: Path) -> Answered | None:
        """What ``index_answers`` wrote into a folder, or None where nothing was answered."""
        if not (folder / HASHES).exists():
            return None
        return Answered(np.load(folder / HASHES, mmap_mode="r"), np.load(folder / LABELS, mmap_mode="r"))

    def apply(self, article: dict[str, Any], weighed: Weighed, counts: Counts) -> Weighed:
        """The article with the probabilities that its answers say, each counted; direct evidence still comes first."""
        segments = weighed.segments
        if weighed.probability is None or not len(self.hashes) or not len(segments):
            return weighed
        text, title = article["text"], article["title"]
        keys = [sentence_hash(title, text[start:end]) for start, end in zip(segments.starts, segments.ends)]
        wanted = np.array(keys, "S24")
        places = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        found = np.flatnonzero(self.hashes[places] == wanted)
        probability = weighed.probability.copy()
        for i in found.tolist():
            late = bool(self.late[places[i]])
            probability[i] = SAID_LATE if late else SAID_CLEAN
            counts.tally("answers", LATE if late else CLEAN)
        return replace(weighed, probability=probability)
