"""What training writes down: ``curves.jsonl`` without a clock, ``logs/speed.jsonl`` with one.

A line of the curves is a step (loss, gradient norm, rate) or a validation (loss over all and by source, bits per byte,
a sample of text). Lines after the checkpoint that a run goes on from are cut off and written again.
"""

from __future__ import annotations

import csv
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from deepred.base.files import replaced

COLUMNS: tuple[str, ...] = ("step", "tokens", "loss", "norm", "rate", "validation", "bits_per_byte")


class Curves:
    """``curves.jsonl`` from a byte position on; where another process writes it, what is written is remembered only."""

    def __init__(self, path: Path, position: int, writes: bool = True) -> None:
        if writes:
            path.touch()
            with path.open("r+b") as file:
                file.truncate(position)
        self._validations: list[tuple[float, float]] = []
        self._losses: list[float] = []
        if position:
            with path.open("rb") as file:
                for line in file.read(position).splitlines():
                    self._remember(json.loads(line))
        self._file = path.open("a", encoding="utf-8", newline="\n") if writes else None

    def __enter__(self) -> Curves:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            self._file.close()

    def write(self, line: dict[str, Any]) -> None:
        """Append one line."""
        if self._file:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._remember(line)

    def position(self) -> int:
        """The length of the file so far, in bytes, all of it handed to the system."""
        if not self._file:
            return 0
        self._file.flush()
        return self._file.tell()

    def _remember(self, line: dict[str, Any]) -> None:
        if "loss" in line:
            self._losses.append(line["loss"])
        elif "validation" in line and self._losses:
            self._validations.append((line["validation"], sum(self._losses) / len(self._losses)))
            self._losses = []

    def overfits(self, patience: int) -> bool:
        """Whether validation rose, while the training loss fell, each of the last ``patience`` times."""
        last = self._validations[-patience - 1 :]
        if not patience or len(last) <= patience:
            return False
        pairs = pairwise(last)
        return all(now[0] > before[0] and now[1] < before[1] for before, now in pairs)


def read_curves(path: Path) -> list[dict[str, Any]]:
    """The lines of a ``curves.jsonl``."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_csv(path: Path) -> None:
    """``curves.csv`` beside a ``curves.jsonl``, for spreadsheets."""
    with replaced(path.with_suffix(".csv")) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(read_curves(path))


class Clock:
    """``logs/speed.jsonl``: how fast training goes, in tokens and in floating-point operations a second."""

    def __init__(self, path: Path, start: int, step_tokens: int, flops_per_token: float) -> None:
        path.parent.mkdir(exist_ok=True)
        self._path = path
        self._step_tokens = step_tokens
        self._flops = flops_per_token
        self._last = (start, time.perf_counter())

    def go_on(self) -> None:
        """Leave out what has passed since the last tick: a validation, a checkpoint."""
        self._last = (self._last[0], time.perf_counter())

    def tick(self, step: int, memory: int, peak: float) -> dict[str, Any]:
        """Note the speed since the last tick, the share of ``peak`` operations a second (0: unknown) and the memory."""
        now = time.perf_counter()
        before, then = self._last
        rate = (step - before) * self._step_tokens / max(now - then, 1e-9)
        self._last = (step, now)
        line = {"step": step, "seconds": now - then, "tokens_per_second": rate, "teraflops": rate * self._flops / 1e12}
        if peak:
            line["mfu"] = rate * self._flops / peak
        line["memory"] = memory
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line
