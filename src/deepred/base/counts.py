"""What a stage counts: numbers, drops by reason, tallies and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counts:
    """What a stage counted: numbers, drops by reason, tallies (a table of names), and notes for people and reports."""

    numbers: Counter[str] = field(default_factory=Counter[str])
    drops: Counter[str] = field(default_factory=Counter[str])
    tallies: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, name: str, n: int = 1) -> None:
        """Count n of something (``documents`` and ``bytes`` drive the progress display)."""
        self.numbers[name] += n

    def drop(self, reason: str, n: int = 1) -> None:
        """Count n dropped records under a named reason."""
        self.drops[reason] += n

    def tally(self, table: str, name: str, n: int = 1) -> None:
        """Count n of a name in a table, such as dropped templates by name."""
        self.tallies.setdefault(table, Counter())[name] += n

    def merge(self, other: Counts) -> None:
        """Add another's counts; its notes replace ours of the same name."""
        self.numbers.update(other.numbers)
        self.drops.update(other.drops)
        for table, names in other.tallies.items():
            self.tallies.setdefault(table, Counter()).update(names)
        self.notes.update(other.notes)

    def to_json(self, most: int = 200) -> dict[str, Any]:
        """As plain JSON; tallies keep their ``most`` most common names."""
        tallies = {table: dict(names.most_common(most)) for table, names in sorted(self.tallies.items())}
        return {"numbers": dict(self.numbers), "drops": dict(self.drops), "tallies": tallies, "notes": self.notes}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Counts:
        """The counts that ``to_json`` wrote."""
        tallies = {table: Counter(names) for table, names in values["tallies"].items()}
        return Counts(Counter(values["numbers"]), Counter(values["drops"]), tallies, dict(values["notes"]))
