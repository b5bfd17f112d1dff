"""QID to title for every entity with an article, as sorted arrays on disk that workers map and share.

``join-qids.npy`` holds the QIDs in order, ``join-shards.npy`` the shard from which each comes, ``join-starts.npy``
where its title begins in ``join-titles.bin``. Two entities that claim one title, or one entity met twice, are settled
here: the lower QID, the first file, win. Joins by title compare 64-bit numbers in sorted arrays, not strings in
dictionaries: among 20 million titles two share a number with a chance of about 1 in 100,000.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.tables import schema_of
from deepred.run.stage import Counts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

QIDS, SHARDS, STARTS, TITLES = "join-qids.npy", "join-shards.npy", "join-starts.npy", "join-titles.bin"


def hash_title(title: str) -> int:
    """A title's number, the same in every process and on every machine."""
    return int.from_bytes(blake2b(title.encode(), digest_size=8).digest(), "little", signed=True)


def hash_titles(titles: Iterable[str]) -> NDArray[np.int64]:
    """The numbers of titles, in their order."""
    import numpy as np

    return np.fromiter((hash_title(title) for title in titles), dtype=np.int64)


def title_schema() -> pa.Schema:
    """``titles-*.parquet``: the number of a QID and the title of its article."""
    return schema_of("qid: int64; title: string")


@dataclass(frozen=True)
class IndexPart:
    """The only shard of indexing: all title files, numbered as they are listed."""

    files: list[Path]


def index_titles(part: IndexPart, folder: Path) -> Counts:
    """Write the sorted arrays of all title files; counts titles, and what is duplicate."""
    import numpy as np
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in part.files]
    qids = np.concatenate([np.zeros(0, np.int64), *(table["qid"].to_numpy() for table in tables)])
    shards = np.concatenate([np.zeros(0, np.int64), *(np.full(len(t), n, np.int64) for n, t in enumerate(tables))])
    keys = np.concatenate([np.zeros(0, np.int64), *(hash_titles(table["title"].to_pylist()) for table in tables)])
    order = np.lexsort((shards, qids))
    again = _repeats(qids[order])
    chosen = order[~again]
    by_title = chosen[np.lexsort((qids[chosen], keys[chosen]))]
    shared = _repeats(keys[by_title])
    kept = np.sort(by_title[~shared])
    kept = kept[np.argsort(qids[kept], kind="stable")]
    counts = Counts()
    counts.add("titles", len(kept))
    counts.drop("duplicate entity", int(again.sum()))
    counts.drop("duplicate sitelink", int(shared.sum()))
    np.save(folder / QIDS, qids[kept])
    np.save(folder / SHARDS, shards[kept])
    _write_titles(tables, kept, folder)
    return counts


def _repeats(values: Integers) -> NDArray[np.bool_]:
    import numpy as np

    same = np.zeros(len(values), dtype=bool)
    same[1:] = values[1:] == values[:-1]
    return same


def _write_titles(tables: list[pa.Table], kept: Integers, folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.chunked_array([chunk for table in tables for chunk in table["title"].chunks], type=pa.string())
    titles = column.cast(pa.large_string()).take(pa.array(kept))
    lengths = pc.call_function("binary_length", [titles]).to_numpy()
    np.save(folder / STARTS, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]))
    with (folder / TITLES).open("wb") as file:
        for title in titles:
            file.write(title.as_py().encode())


class Titles:
    """The titles of QIDs, read from the mapped arrays of a folder."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self.qids: Any = np.load(folder / QIDS, mmap_mode="r")
        self.shards: Any = np.load(folder / SHARDS, mmap_mode="r")
        self.starts: Any = np.load(folder / STARTS, mmap_mode="r")
        path = folder / TITLES
        self.bytes: Any = np.memmap(path, mode="r", dtype=np.uint8) if path.stat().st_size else np.zeros(0, np.uint8)

    def find(self, qids: Integers) -> list[str]:
        """The title of every QID, empty where it has no article."""
        return [self._title(place) if place >= 0 else "" for place in self._places(qids).tolist()]

    def shards_of(self, qids: Integers) -> Integers:
        """The shard of reading from which the title of every QID comes, -1 where it has none."""
        import numpy as np

        places = self._places(qids)
        return np.where(places >= 0, self.shards[places], -1) if len(self.shards) else places

    def _places(self, qids: Integers) -> Integers:
        import numpy as np

        if not len(self.qids):
            return np.full(len(qids), -1, np.int64)
        places = np.minimum(np.searchsorted(self.qids, qids), len(self.qids) - 1)
        return np.where(self.qids[places] == qids, places, -1)

    def _title(self, place: int) -> str:
        return bytes(self.bytes[self.starts[place] : self.starts[place + 1]]).decode()
