"""The index of a model's answers for stage ``dates``.

The stage reads the files that ``deepred date-llm`` wrote (``dates.answers``) like any other input: a line counts for
the article whose title and opening it was given for, and for no later wording.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from deepred.asking.answer_file import read_lines
from deepred.asking.replies import ANSWERED
from deepred.base.errors import FaultError
from deepred.dating.by_model.date_answers import Answer, article_key
from deepred.run.stage import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_UNREADABLE = 0.1
"""Share of unreadable lines above which a file is no file of answers."""
OUTCOMES = "held-out articles by outcome"
"""Tally of the lines on articles that measure the model."""
KEYS, LINES = "join-answers.npy", "join-answers.jsonl"


@dataclass(frozen=True)
class IndexAnswers:
    """The only shard of indexing answers: their files; a later line on the same article counts."""

    files: tuple[Path, ...]


def index_answers(argument: IndexAnswers, folder: Path) -> Counts:
    """Write the answered lines as one file and the sorted hashes of their articles with each line's place."""
    import numpy as np

    counts = Counts()
    articles, places = array("q"), array("q")
    place = 0
    with (folder / LINES).open("wb") as out:
        for path in argument.files:
            for record in _checked(path, counts):
                line = orjson.dumps(record) + b"\n"
                articles.append(_number(record["article"]))
                places.append(place)
                out.write(line)
                place += len(line)
    keys = np.stack([np.array(articles, np.int64), np.array(places, np.int64)], axis=1)
    keys = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
    latest = np.append(keys[1:, 0] != keys[:-1, 0], np.ones(min(len(keys), 1), bool))
    keys = keys[latest]
    np.save(folder / KEYS, keys)
    counts.add("answers", len(keys))
    return counts


def _checked(path: Path, counts: Counts) -> Iterator[dict[str, Any]]:
    """The valid answers of a file; the rest is counted, and a file that is mostly unreadable is a fault."""
    lines = bad = 0
    for record in read_lines(path):
        lines += 1
        if record is None or not {"article", "outcome", "model"} <= record.keys():
            bad += 1
            counts.drop("answer unreadable")
            continue
        if record.get("holdout"):
            counts.tally(OUTCOMES, record["outcome"])
        if record["outcome"] != ANSWERED:
            continue
        try:
            Answer.model_validate(record.get("answer"))
            _number(record["article"])
        except (ValidationError, ValueError, TypeError):
            counts.drop("answer invalid")
            continue
        yield record
    if bad > max(1, MAX_UNREADABLE * lines):
        raise FaultError(
            f"{path}: {bad:,} of {lines:,} lines are no answers", "name a file that deepred date-llm wrote"
        )


def _number(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key), "big", signed=True)


class Answers:
    """The answers that stage ``dates`` may use, found by article in the mapped arrays of a folder."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self.keys: NDArray[np.int64] = np.load(folder / KEYS, mmap_mode="r")
        self.path = folder / LINES

    def find(self, title: str, text: str) -> tuple[Answer, dict[str, Any]] | None:
        """The answer on an article and its whole record, or None where there is none for this wording."""
        import numpy as np

        if not len(self.keys):
            return None
        key = _number(article_key(title, text))
        place = int(np.searchsorted(self.keys[:, 0], key))
        if place == len(self.keys) or self.keys[place, 0] != key:
            return None
        with self.path.open("rb") as file:
            file.seek(int(self.keys[place, 1]))
            record: dict[str, Any] = orjson.loads(file.readline())
        return Answer.model_validate(record["answer"]), record
