"""Which pages earlier sources hold: ids and hashed titles, sorted and memory-mapped.

A worker of a full English Wikipedia so carries a few megabytes of mapped pages, not a dictionary of seven million.
"""

from __future__ import annotations

import hashlib
import shutil
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepred.base.tables import read_rows

if TYPE_CHECKING:
    import numpy as np

SEEN = ".seen"
"""Folder inside the stage's output while the stage runs."""


def _title_hash(title: str) -> int:
    return int.from_bytes(hashlib.blake2b(title.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Seen:
    """The pages of all earlier sources."""

    ids: np.ndarray | None
    titles: np.ndarray | None

    @staticmethod
    def load(folder: Path | None) -> Seen:
        """The pages of a folder that ``remember`` wrote; none where there is no folder."""
        if folder is None:
            return Seen(None, None)
        import numpy as np

        return Seen(np.load(folder / "ids.npy", mmap_mode="r"), np.load(folder / "titles.npy", mmap_mode="r"))

    def holds(self, page_id: int | None, title: str) -> bool:
        """Whether an earlier source has the page."""
        if self.ids is None or self.titles is None:
            return False
        return (page_id is not None and _contains(self.ids, page_id)) or _contains(self.titles, _title_hash(title))


def _contains(sorted_values: np.ndarray, value: int) -> bool:
    at = int(sorted_values.searchsorted(sorted_values.dtype.type(value)))
    return at < len(sorted_values) and int(sorted_values[at]) == value


def remember(out: Path, before: int) -> Path:
    """Write the ids and titles of all sources numbered below ``before`` where workers can map them."""
    import numpy as np

    folder = out / SEEN / f"{before:03d}"
    folder.mkdir(parents=True, exist_ok=True)
    ids, titles = array("q"), array("Q")  # 8 bytes a page, not the 32 of a list's numbers
    for source in range(before):
        for row in read_rows(out, f"articles-{source:03d}-*.parquet", ["page_id", "title"]):
            ids.append(row["page_id"])
            titles.append(_title_hash(row["title"]))
        redirects = read_rows(out, f"redirects-{source:03d}-*.parquet", ["title"])
        titles.extend(_title_hash(row["title"]) for row in redirects)
    np.save(folder / "ids.npy", np.unique(np.array(ids, dtype=np.int64)))
    np.save(folder / "titles.npy", np.unique(np.array(titles, dtype=np.uint64)))
    return folder


def forget(out: Path) -> None:
    """Remove what ``remember`` wrote."""
    shutil.rmtree(out / SEEN, ignore_errors=True)
