"""The live progress display: stage, documents a second, MB a second, time left, drops by reason."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from deepred.run.stage import Counts, Progress

LINE_SECONDS = 15.0
"""Without a terminal, seconds between two lines about the same stage."""


class Board:
    """The live lines at the bottom of a terminal, one for each stage that is at work."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.lines: list[Display] = []
        self.live: Live | None = None

    def add(self, line: Display) -> None:
        """Show a line."""
        self.lines.append(line)
        if self.live is None and self.console.is_terminal:
            self.live = Live(get_renderable=self._draw, console=self.console, transient=True, refresh_per_second=5)
            self.live.start()

    def remove(self, line: Display) -> None:
        """Take a line away; after the last the terminal is as it was."""
        if line in self.lines:
            self.lines.remove(line)
        if not self.lines and self.live is not None:
            self.live.stop()
            self.live = None

    def _draw(self) -> Group:
        return Group(*(line.draw() for line in self.lines))


class Display(Progress):
    """A line per finished stage, and live lines below; without a terminal, plain lines."""

    def __init__(self, console: Console, board: Board | None = None, label: str = "") -> None:
        self.console = console
        self.board = board or Board(console)
        self.label = label
        self.stage = self.arm = self.note = ""
        self.counts = Counts()
        self.done, self.total = 0, None
        self.started = self.printed = time.monotonic()
        self.spinner = Spinner("dots")

    def line(self, label: str = "") -> Display:
        """Another line of the same display; its label stands with the arm of every stage."""
        return Display(self.console, self.board, label)

    def start(self, stage: str, arm: str, total: int | None) -> None:
        """Begin a stage."""
        self.stage, self.arm, self.note = stage, arm, ""
        self.counts, self.done, self.total = Counts(), 0, total
        self.started = self.printed = time.monotonic()
        self.board.add(self)

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        """Take what a stage reports; drawn a few times a second."""
        self.counts, self.done, self.total, self.note = counts, done, total, note
        now = time.monotonic()
        if self.board.live is None and now - self.printed > LINE_SECONDS:
            self.printed = now
            self.console.print(f"  … {self._title()}  {escape(self._figures())}", highlight=False, soft_wrap=True)

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        """End a stage; state is ``done``, ``there`` or ``stopped``."""
        self.board.remove(self)
        mark = {"done": "[green]✓[/]", "there": "[dim]·[/]"}.get(state, "[red]✗[/]")
        figures = "already there" if state == "there" else f"{seconds:7.1f} s  {summary(counts or self.counts)}"
        self.console.print(f"{mark} {self._title():<24} {escape(figures)}", highlight=False, soft_wrap=True)

    @contextmanager
    def shown(self, stage: str) -> Generator[None]:
        """Show work that is no stage of a run."""
        self.start(stage, "", None)
        state = "stopped"
        try:
            yield
            state = "done"
        finally:
            self.finish(state, time.monotonic() - self.started, None)

    def draw(self) -> Table:
        """The live line."""
        table = Table.grid(padding=(0, 1))
        table.add_row(self.spinner, Text(f"{self._title():<24}"), Text(self._figures()))
        return table

    def _title(self) -> str:
        told = ", ".join(filter(None, (self.arm, self.label)))
        return f"{self.stage} ({told})" if told else self.stage

    def _figures(self) -> str:
        elapsed = max(time.monotonic() - self.started, 1e-6)
        parts = [f"{elapsed:6.0f} s"]
        documents, size = self.counts.numbers["documents"], self.counts.numbers["bytes"]
        if documents:
            parts.append(f"{documents:,} documents, {documents / elapsed:,.0f}/s")
        if size:
            parts.append(f"{size / 1e6 / elapsed:,.1f} MB/s")
        if self.total:
            parts.append(f"{self.done:,}/{self.total:,}")
            if 0 < self.done < self.total:
                parts.append(f"{elapsed / self.done * (self.total - self.done):,.0f} s left")
        if self.note:
            parts.append(self.note)
        drops = drops_line(self.counts)
        return "  ".join([*parts, drops] if drops else parts)


def summary(counts: Counts) -> str:
    """Counts in a line: the first numbers, then the drops."""
    numbers = [f"{value:,} {name}" for name, value in list(counts.numbers.items())[:4] if name != "bytes"]
    drops = drops_line(counts)
    return "  ".join([", ".join(numbers), drops] if drops else [", ".join(numbers)])


def drops_line(counts: Counts, most: int = 4) -> str:
    """The most common drops: ``dropped: date 1,204, link 310``."""
    common = [(reason, count) for reason, count in counts.drops.most_common(most) if count]
    return "dropped: " + ", ".join(f"{reason} {count:,}" for reason, count in common) if common else ""
