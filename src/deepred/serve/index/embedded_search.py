"""The embedded search engine: tantivy for words, usearch for vectors, and plain arrays for what is filtered and shown.

A folder: ``tantivy/``, ``vectors.usearch``, ``units.bin`` with a JSON row a unit and ``units.npy`` with their offsets,
``filters.npy`` with the numbers that are filtered by. All are memory-mapped and never change once they are complete.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.query import Filters, Hit, Unit, Vector, Words, analyzer
from deepred.serve.index.told_from import NEVER

ANALYZER = "deepred"
BODY = "body"
KINDS = ("", "O", "S", "U", "N")
SOURCES = ("wikipedia", "books")
FILTER_TYPE = np.dtype(
    [("day", np.int32), ("until", np.int32), ("known", np.int32), ("kind", np.int8), ("source", np.int8)]
)
SHOWN = ("page_id", "number", "title", "section", "text", "first_known", "kind", "source")
WIDENINGS = (4, 16, 64)
"""How many times more neighbours than wanted are looked at, until enough of them pass the filters."""
EXACT = 200_000
"""Units that pass the filters up to which all of them are compared, where looking at neighbours found too few."""
HEAP = 128_000_000

Filtered = npt.NDArray[Any]


def _map(path: Path) -> mmap.mmap | bytes:
    """A file's bytes, mapped; an empty file cannot be."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def open_tantivy(folder: Path) -> Any:
    """The tantivy index of a folder, made if it is not there."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field(BODY, tokenizer_name=ANALYZER)
    builder.add_integer_field("unit", indexed=True, fast=True)
    for name in ("day", "until", "known"):
        builder.add_integer_field(name, fast=True)
    for name in ("kind", "source"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(builder.build(), path=str(folder), reuse=True)
    index.register_tokenizer(ANALYZER, analyzer())
    return index


def body_of(row: dict[str, Any]) -> str:
    """The text by which a unit is found, with its title and heading; an article's first paragraph counts it twice."""
    title = f"{row['title']}\n{row['title']}" if row["number"] == 0 else row["title"]
    return f"{title}\n{row['section']}\n{row['text']}" if row["section"] else f"{title}\n{row['text']}"


def filter_rows(rows: list[dict[str, Any]]) -> Filtered:
    """What units are filtered by, as an array."""
    return np.array(
        [
            (row["day"], row["until"], row["known"], KINDS.index(row["kind"]), SOURCES.index(row["source"]))
            for row in rows
        ],
        FILTER_TYPE,
    )


class Writer:
    """Adds units to a tantivy folder, part by part; a part that was begun before is taken out first.

    Units that end on some day come in a segment of their own, after the others: where none of a segment's units falls
    in a range, as those without an end do, tantivy does not look at it.
    """

    def __init__(self, folder: Path) -> None:
        self.index = open_tantivy(folder)
        self.writer: Any = self.index.writer(HEAP, 1)

    def add_part(self, first: int, count: int, rows: Iterator[dict[str, Any]]) -> None:
        """Add the units ``first`` to ``first + count - 1`` and commit."""
        import tantivy

        if count == 0:
            return
        integer: Any = tantivy.FieldType.Integer
        self.writer.delete_documents_by_query(
            tantivy.Query.range_query(self.index.schema, "unit", integer, first, first + count - 1)
        )
        ending: list[Any] = []
        for unit, row in enumerate(rows, first):
            document: Any = tantivy.Document()
            document.add_text(BODY, body_of(row))
            document.add_integer("unit", unit)
            for name in ("day", "until", "known"):
                document.add_integer(name, row[name])
            document.add_text("kind", row["kind"])
            document.add_text("source", row["source"])
            if row["until"] == NEVER:
                self.writer.add_document(document)
            else:
                ending.append(document)
        self.writer.commit()
        for document in ending:
            self.writer.add_document(document)
        self.writer.commit()

    def close(self) -> None:
        """Wait for merges to end."""
        self.writer.wait_merging_threads()


class Embedded:
    """The engine over a finished folder."""

    def __init__(self, folder: Path) -> None:
        try:
            self.index = open_tantivy(folder / "tantivy")
            self.searcher: Any = self.index.searcher()
            self.filters: Filtered = np.load(folder / "filters.npy", mmap_mode="r")
            self.offsets: npt.NDArray[np.int64] = np.asarray(np.load(folder / "units.npy", mmap_mode="r"))
            self.units = _map(folder / "units.bin")
            self.vectors: Any = self._open_vectors(folder / "vectors.usearch")
        except (OSError, ValueError) as error:
            raise UnavailableError(f"the search index in {folder} cannot be read: {error}", "deepred index") from None
        self.schema = self.index.schema
        self.lock = threading.Lock()

    @staticmethod
    def _open_vectors(path: Path) -> Any:
        if not path.is_file():
            return None
        from usearch.index import Index

        return Index.restore(str(path), view=True)

    def find_words(self, words: Words, filters: Filters, offset: int, limit: int) -> tuple[list[Hit], int]:
        """Units by BM25."""
        query = self._query(words, filters)
        if query is None:
            return [], 0
        found: Any = self.searcher.search(query, limit, True, None, offset)
        addresses = [address for _, address in found.hits]
        numbers = self.searcher.fast_field_values("unit", addresses) if addresses else []
        return [Hit(unit, score) for (score, _), unit in zip(found.hits, numbers)], found.count

    def _query(self, words: Words, filters: Filters) -> Any:
        import tantivy

        query, occur, schema = tantivy.Query, tantivy.Occur, self.schema
        parts: list[Any] = [(occur.Must, query.phrase_query(schema, BODY, list(phrase))) for phrase in words.phrases]
        wanted = occur.Should if len(words.words) > 1 or parts else occur.Must
        terms: list[Any] = [(wanted, query.term_query(schema, BODY, word, "freq")) for word in words.words]
        if not parts and not terms:
            return None
        if parts or len(terms) == 1:
            parts += terms
        else:
            parts.append((occur.Must, query.boolean_query(terms)))
        integer: Any = tantivy.FieldType.Integer

        def without(name: str, low: int | None, high: int | None) -> None:
            """Leave a range out: a sixth less work than asking for the rest of it."""
            parts.append((occur.MustNot, query.range_query(schema, name, integer, low, high)))

        without("day", filters.as_of, None)
        without("until", None, filters.as_of - 1)
        if filters.after is not None:
            without("known", None, filters.after - 1)
        for name, values in (("kind", filters.kinds), ("source", filters.sources)):
            if values:
                chosen = query.term_set_query(schema, name, list(values))
                parts.append((occur.Must, query.const_score_query(chosen, 0.0)))
        return query.boolean_query(parts)

    def find_nearest(self, vector: Vector, filters: Filters, limit: int) -> list[Hit]:
        """Units by the cosine of their vectors: neighbours that pass the filters, or all that pass where too few do."""
        if self.vectors is None or not vector.any():
            return []
        keys, distances = self._neighbours(vector, limit * WIDENINGS[0])
        passed = self._passes(self.filters[keys], filters)
        for times in WIDENINGS[1:]:
            if int(passed.sum()) >= limit or len(keys) >= len(self.vectors):
                break
            keys, distances = self._neighbours(vector, limit * times)
            passed = self._passes(self.filters[keys], filters)
        if int(passed.sum()) < limit and len(keys) < len(self.vectors):
            candidates = np.flatnonzero(self._passes(self.filters, filters))
            if len(candidates) <= EXACT:
                return self._compare(vector, candidates, limit)
        keys, distances = keys[passed], distances[passed]
        order = np.lexsort((keys, distances))[:limit]
        return [Hit(int(keys[i]), 1 - float(distances[i])) for i in order]

    def _neighbours(self, vector: Vector, count: int) -> tuple[npt.NDArray[np.int64], Vector]:
        with self.lock:
            found: Any = self.vectors.search(vector, min(count, len(self.vectors)), threads=1)
        return found.keys.astype(np.int64), found.distances

    def _compare(self, vector: Vector, candidates: npt.NDArray[np.int64], limit: int) -> list[Hit]:
        """The nearest of some units by comparing each: those without a vector are none."""
        keys = candidates.astype(np.uint64)
        with self.lock:
            keys = keys[np.asarray(self.vectors.contains(keys), np.bool_)]
            rows: Any = self.vectors.get(keys, np.float32) if len(keys) else np.zeros((0, len(vector)), np.float32)
        scores = np.asarray(rows, np.float32) @ vector
        order = np.lexsort((keys, -scores))[:limit]
        return [Hit(int(keys[i]), float(scores[i])) for i in order]

    def _passes(self, rows: Filtered, filters: Filters) -> npt.NDArray[np.bool_]:
        passed: npt.NDArray[np.bool_] = (rows["day"] < filters.as_of) & (rows["until"] >= filters.as_of)
        if filters.after is not None:
            passed &= rows["known"] >= filters.after
        if filters.kinds:
            passed &= np.isin(rows["kind"], [KINDS.index(kind) for kind in filters.kinds if kind in KINDS])
        if filters.sources:
            passed &= np.isin(rows["source"], [SOURCES.index(name) for name in filters.sources if name in SOURCES])
        return passed

    def show(self, hits: list[Hit]) -> list[Unit]:
        """The units of hits."""
        numbers = [hit.unit for hit in hits]
        starts, ends = self.offsets[numbers].tolist(), self.offsets[[number + 1 for number in numbers]].tolist()
        return [Unit._make(orjson.loads(self.units[start:end])) for start, end in zip(starts, ends)]

    def check(self) -> None:
        """Nothing: it is in this process."""

    def close(self) -> None:
        """Nothing: the files are let go of with the last call that reads them."""
