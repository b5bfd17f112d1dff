"""A page that stands several times in a dump comes out once, by its newest revision, however far apart its copies are.

Workers cannot know of each other's pages: each writes down the pages of its range (``pages-*.npy``), and when all are
done the rows of older copies are taken out of their files. Dumps are sorted by page, so that mostly a look at the
numbers shows that none is there twice. All can be done again after a kill, with the same counts.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deepred.base.files import replaced
from deepred.run.stage import Counts
from deepred.sources.wiki.page import Page, is_newer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

KINDS = ("documents", "redirects", "other_namespaces", "dropped")
"""What became of a page: a row of ``articles-*``, one of ``redirects-*``, or none."""
FILES = {"documents": "articles", "redirects": "redirects"}
_COLUMNS = 4


class PageLog:
    """The pages of a range in their order: number, time and number of the revision, and what became of each."""

    def __init__(self) -> None:
        self._values = array("q")

    def add(self, page: Page, kind: str) -> None:
        """Note a page."""
        self._values.extend((page.id, page.time, page.revision_id, KINDS.index(kind)))

    def save(self, path: Path) -> None:
        """Write them as an array of int64 with a row a page."""
        import numpy as np

        np.save(path, np.array(self._values, dtype=np.int64).reshape(-1, _COLUMNS))


class _Copy(NamedTuple):
    """A page where it stands: file of the log, what became of it, and its place among those of its kind."""

    file: int
    kind: str
    place: int
    time: int
    revision: int


def settle_pages(out: Path, source: int) -> Counts:
    """Take older copies of a source's pages out of its files; counts (negative) rows, and drops by reason."""
    import numpy as np

    paths = sorted(out.glob(f"pages-{source:03d}-*.npy"))
    logs: list[Any] = [np.load(path, mmap_mode="r") for path in paths]
    counts = Counts()
    repeated = _repeated(logs)
    if not len(repeated):
        return counts
    winners: dict[int, _Copy] = {}
    losers: list[_Copy] = []
    for number, copy in _copies(logs, repeated):
        best = winners.get(number)
        if best is None or is_newer(copy.time, copy.revision, best.time, best.revision):
            best, copy = copy, best
            winners[number] = best
        if copy is not None:
            losers.append(copy)
    for copy in losers:
        if copy.kind != "dropped":
            counts.add(copy.kind, -1)
            counts.drop("older_copy")
    for kind, name in FILES.items():
        for file, path in enumerate(paths):
            if places := [copy.place for copy in losers if (copy.file, copy.kind) == (file, kind)]:
                rows = int((logs[file][:, 3] == KINDS.index(kind)).sum())
                _remove_rows(path.with_name(f"{name}-{path.stem.removeprefix('pages-')}.parquet"), places, rows)
    return counts


def forget_pages(out: Path) -> None:
    """Remove what the workers wrote down."""
    for path in out.glob("pages-*.npy"):
        path.unlink()


def _repeated(logs: list[Any]) -> Integers:
    """The numbers that occur more than once."""
    import numpy as np

    nothing = np.zeros(0, np.int64)
    last = -1
    for log in logs:
        numbers = log[:, 0]
        if len(numbers) and (numbers[0] <= last or (np.diff(numbers) <= 0).any()):
            break
        last = int(numbers[-1]) if len(numbers) else last
    else:
        return nothing
    numbers = np.sort(np.concatenate([nothing, *(log[:, 0] for log in logs)]))
    return np.unique(numbers[1:][numbers[1:] == numbers[:-1]])


def _copies(logs: list[Any], wanted: Integers) -> Iterator[tuple[int, _Copy]]:
    """Every copy of the wanted pages with its page's number, in the order of the dump."""
    import numpy as np

    for file, log in enumerate(logs):
        kinds = np.array(log[:, 3])
        places = np.zeros(len(kinds), np.int64)
        for kind in range(len(KINDS)):
            places[kinds == kind] = np.arange((kinds == kind).sum())
        for row in np.flatnonzero(np.isin(log[:, 0], wanted)).tolist():
            number, time, revision, kind = (int(value) for value in log[row])
            yield number, _Copy(file, KINDS[kind], int(places[row]), time, revision)


def _remove_rows(path: Path, places: list[int], rows: int) -> None:
    """Write a Parquet file anew without some of its ``rows``; one that has fewer has been through this already."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    if table.num_rows != rows:
        return
    kept = np.ones(rows, dtype=bool)
    kept[places] = False
    with replaced(path) as partial:
        pq.write_table(table.filter(pa.array(kept)), partial, compression="zstd")
