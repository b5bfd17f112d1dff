"""Files of a model's answers: durable appending, and their index for stage ``dates``.

``deepred date-llm`` appends one line of JSON a decision and syncs it to the disk before it asks on, so that a kill
loses what was under way and nothing else. Stage ``dates`` reads finished files of such lines (``dates.answers``) like
any other input: a line counts for the article whose title and opening it was given for, and for no later wording.
"""

from __future__ import annotations

import fcntl
import os
from array import array
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
from pydantic import ValidationError

from deepred.dating.answers import Answer, article_key
from deepred.dating.replies import ANSWERED
from deepred.errors import FaultError, UserError
from deepred.stage import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_UNREADABLE = 0.1
"""Share of unreadable lines above which a file is no file of answers."""
OUTCOMES = "held-out articles by outcome"
"""Tally of the lines on articles that measure the model."""
KEYS, LINES = "join-answers.npy", "join-answers.jsonl"


def read_lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The records of a file of answers in their order; None for a line cut off by a kill, or damaged."""
    with path.open("rb") as file:
        for line in file:
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                record = None
            yield record if isinstance(record, dict) and line.endswith(b"\n") else None


class AnswerFile:
    """A file of answers that grows: what it holds by key, and durable appending."""

    def __init__(self, file: BinaryIO, subject: str, known: set[str], torn: int) -> None:
        self._file = file
        self._subject = subject
        self.known = known
        """What is decided: the hash of the request and the key of what it was asked about, in one string."""
        self.torn = torn
        """Lines found that are no records."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a decision; when this returns, it is on the disk."""
        self._file.write(orjson.dumps(record) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.known.add(f"{record['request']}{record[self._subject]}")


@contextmanager
def open_answers(path: Path, subject: str = "article") -> Generator[AnswerFile]:
    """A file of answers to append to, made where it is missing; a last line that a kill has torn is cut off.

    ``subject`` names the field with the key of what was asked about. ``UserError`` while another process writes it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+b")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}", "name a file in a folder of yours") from None
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{path} is being written by another process", "wait for it, or name another file"
            ) from None
        records = list[str]()
        torn = 0
        for record in read_lines(path):
            if record is None:
                torn += 1
            else:
                records.append(f"{record.get('request')}{record.get(subject)}")
        _cut_last_line(file)
        yield AnswerFile(file, subject, set(records), torn)


def _cut_last_line(file: BinaryIO) -> None:
    """Truncate to the last line break, so that the next record does not continue a torn line."""
    size = file.seek(0, os.SEEK_END)
    while size:
        start = max(0, size - 65_536)
        file.seek(start)
        place = file.read(size - start).rfind(b"\n")
        if place >= 0:
            size = start + place + 1
            break
        size = start
    file.truncate(size)


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
