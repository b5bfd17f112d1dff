"""Files of a model's answers: one line of JSON a decision, on the disk before the next question is asked.

A kill so loses what was under way and nothing else; the line that it tore is told from the others by its missing end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import orjson

from deepred.base.errors import UserError, system_fault
from deepred.base.given import iterate_lines


def read_lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The records of a file of answers in their order; None for a line cut off by a kill, or damaged."""
    for line in iterate_lines(path, "name a file of answers (JSONL)"):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        yield record if isinstance(record, dict) and line.endswith(b"\n") else None


class AnswerFile:
    """A file of answers that grows: what it holds by key, and durable appending."""

    def __init__(self, file: FileIO, subject: str, known: set[str], torn: int) -> None:
        self._file = file
        self._subject = subject
        self.known = known
        """What is decided: the hash of the request and the key of what it was asked about, in one string."""
        self.torn = torn
        """Lines found that are no records."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a decision; when this returns, it is on the disk."""
        try:
            line = memoryview(orjson.dumps(record) + b"\n")
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise system_fault(error, "the answers", Path(self._file.name)) or error from error
        self.known.add(f"{record['request']}{record[self._subject]}")


@contextmanager
def open_answers(path: Path, subject: str = "article") -> Generator[AnswerFile]:
    """A file of answers to append to, made where it is missing; a last line that a kill has torn is cut off.

    ``subject`` names the field with the key of what was asked about. ``UserError`` while another process writes it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+b", buffering=0)  # what could not be written must not be tried again at the end
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


def _cut_last_line(file: FileIO) -> None:
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
