"""Building an index from finished stage outputs: rows, vectors, store, search engine, and one switch at the end.

A version is named by what it is built from (the keys of the stages, the embeddings, ``VERSION``), so the same command
twice finds it there. It is built beside the current one, which answers all the while; every step notes what it has done
(``.shards`` for rows and vectors, ``loaded`` in the store, ``search.json`` for the engine), so after a kill the same
command goes on. Nothing reads a version before the pointer names it; where one that is read is built again, its files
are replaced, never written to.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from deepred.base.days import from_date
from deepred.base.errors import UserError
from deepred.base.files import remove_unfinished, replaced, write_json
from deepred.base.tables import read_rows
from deepred.run.runner import Pipeline, is_complete
from deepred.run.stage import Counts, Work
from deepred.run.unfinished import told_in_a_line
from deepred.serve.index import embeddings
from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.current import folder_of, slug_of
from deepred.serve.index.embedded_search import SHOWN, Writer, filter_rows
from deepred.serve.index.index_tables import COLUMNS
from deepred.serve.index.rows import Inputs, prepare_part
from deepred.serve.index.versions import Home, Pointer, open_home

VERSION = 2
"""Raised when the rows, the units or their analysis change."""
WORK_FOLDER = "work"
"""Folder of rows and vectors inside a version while it is built."""
REMOVED = "removed"
"""What that folder is called while it is removed: a kill then leaves a whole version and nothing to go on from."""
EMBEDDED_BATCH = 1_000
NEEDED = ("articles", "dates", "emergence", "classes", "passages")
OPTIONAL = ("topics", "books")


@dataclass(frozen=True)
class Options:
    """Where an index goes, and what makes its vectors."""

    store: str = "sqlite"
    search: str = "embedded"
    embeddings: str = "lsa"


class Target(Protocol):
    """A search engine that is being loaded."""

    def add_part(self, first: int, count: int, rows: Iterator[dict[str, Any]]) -> None:
        """Add the units of a part; after an interruption again, with the same result."""
        ...

    def close(self) -> None:
        """All parts are in."""
        ...


def build_index(pipeline: Pipeline, run_file: Path, options: Options, work: Work) -> tuple[Pointer, bool]:
    """Build the index of a run and make it the current one; its pointer, and whether it was there already."""
    if options.embeddings not in ("lsa", "openai", "minilm", "none"):
        raise UserError(f"no embeddings are called {options.embeddings!r}", "lsa, openai, minilm or none")
    inputs, keys = find_inputs(pipeline, run_file)
    home_folder = folder_of(pipeline.settings.data, pipeline.run.name)
    slug = slug_of(pipeline.run.name)
    home = open_home(options.store, home_folder, slug)
    identity = [VERSION, keys, embeddings.describe(options.embeddings), options.search]
    version = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    with _lock(home_folder), closing(home):
        current = home.current()
        shutil.rmtree(home_folder / version / REMOVED, ignore_errors=True)  # a kill has left it
        if current and current["version"] == version and _is_whole(home_folder / version):
            return current, True
        build = _Build(pipeline, inputs, options, home, home_folder / version, version, work)
        with told_in_a_line("index", home_folder / version):
            pointer = build.run(slug)
        _remove_others(home, home_folder, {version, current["version"] if current else version}, options, slug)
        return pointer, False


def find_inputs(pipeline: Pipeline, run_file: Path) -> tuple[Inputs, dict[str, str | None]]:
    """The finished folders of a run with their keys; UserError where one that is needed is not built yet."""
    names = {node.stage.name for node in pipeline.nodes}
    nodes = {name: pipeline.node(name) for name in (*NEEDED, *OPTIONAL) if name in names}
    folders = {name: pipeline.folder(node) for name, node in nodes.items() if is_complete(pipeline.folder(node))}
    for name in NEEDED:
        if name not in folders:
            raise UserError(f"{name} of this run is not built yet", f"deepred run {run_file} --until topics")
    keys = {name: pipeline.key(nodes[name]) for name in folders}
    inputs = Inputs(
        articles=folders["articles"],
        dates=folders["dates"],
        emergence=folders["emergence"],
        classes=folders["classes"],
        passages=folders["passages"],
        topics=folders.get("topics"),
        books=folders.get("books"),
        cutoff=from_date(pipeline.run.cutoff),
        straddling=pipeline.run.straddling,
    )
    return inputs, keys


@contextmanager
def _lock(folder: Path) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder} is being indexed by another process", "wait for it, or stop it") from None
        yield


def _is_whole(folder: Path) -> bool:
    """Whether a version's files are all here: a database may name a version that another data folder has built."""
    return folder.is_dir() and not (folder / WORK_FOLDER).exists()


def _remove_others(home: Home, folder: Path, kept: set[str], options: Options, slug: str) -> None:
    """Remove versions but the current one and the one before it, which readers may still hold."""
    for version in home.versions():
        if version not in kept:
            home.drop(version)
    for path in folder.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    if options.search != "embedded":
        from deepred.serve.index import opensearch

        opensearch.drop_others(options.search, slug, kept)


@dataclass(frozen=True)
class _Build:
    """One version being built."""

    pipeline: Pipeline
    inputs: Inputs
    options: Options
    home: Home
    folder: Path
    version: str
    work: Work

    @property
    def rows(self) -> Path:
        return self.folder / WORK_FOLDER

    def run(self, slug: str) -> Pointer:
        """All steps in order."""
        self.rows.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.folder)
        parts = self.inputs.parts()
        self._report("rows", 0, len(parts))
        counts = self.work.map_shards(prepare_part, [(part, (self.inputs, part)) for part in parts], self.rows)
        firsts = self._first_units(parts)
        has_vectors = self._fit_embeddings(parts)
        if has_vectors:
            shards = [(f"vectors-{p}", (self.options.embeddings, str(self.folder), str(self.rows), p)) for p in parts]
            self._report("vectors", 0, len(parts))
            self.work.map_shards(embed_part, shards, self.rows)
        totals = self._load_store(parts)
        self._load_search(parts, firsts, has_vectors, slug)
        pointer: Pointer = {
            "version": self.version,
            "run": self.pipeline.run.name,
            "cutoff": self.inputs.cutoff,
            "straddling": self.inputs.straddling,
            "search": "embedded" if self.options.search == "embedded" else "opensearch",
            "embeddings": self.options.embeddings if has_vectors else "none",
            "counts": totals | {"units": counts.numbers["units"]},
        }
        self.home.switch(pointer)
        shutil.rmtree(self.rows.replace(self.folder / REMOVED), ignore_errors=True)
        return pointer

    def _report(self, note: str, done: int, total: int) -> None:
        self.work.report(Counts(), done, total, note)

    def _first_units(self, parts: list[str]) -> dict[str, tuple[int, int]]:
        """Number of the first unit of every part, and how many units it has."""
        import pyarrow.parquet as pq

        found: dict[str, tuple[int, int]] = {}
        first = 0
        for part in parts:
            count = int(pq.read_metadata(self.rows / f"units-{part}.parquet").num_rows)
            found[part] = (first, count)
            first += count
        return found

    def _fit_embeddings(self, parts: list[str]) -> bool:
        """Fit what is fitted on the corpus; whether there are vectors."""
        if self.options.embeddings != "lsa":
            return self.options.embeddings != "none"
        note = self.rows / "fitted.json"
        if not note.is_file():
            self._report("fitting vectors", 0, len(parts))
            fitted = embeddings.Lsa.fit(self._sample(parts), self.pipeline.run.seed)
            if fitted is not None:
                fitted.save(self.folder)
            write_json(note, fitted is not None)
        return bool(json.loads(note.read_text(encoding="utf-8")))

    def _sample(self, parts: list[str]) -> list[str]:
        """The texts of evenly drawn units, at most ``FITTED``."""
        total = sum(count for _, count in self._first_units(parts).values())
        step = max(1, -(-total // embeddings.FITTED))
        texts: list[str] = []
        number = 0
        for part in parts:
            for row in read_rows(self.rows, f"units-{part}.parquet", ["text"]):
                if number % step == 0:
                    texts.append(row["text"])
                number += 1
        return texts

    def _load_store(self, parts: list[str]) -> dict[str, int]:
        self.home.begin(self.version)
        done = self.home.loaded(self.version)
        for number, part in enumerate(parts):
            self._report("store", number, len(parts))
            if part not in done:
                self.home.load(self.version, part, {name: self.rows / f"{name}-{part}.parquet" for name in COLUMNS})
        self._report("store", len(parts), len(parts))
        return self.home.finish(self.version)

    def _load_search(self, parts: list[str], firsts: dict[str, tuple[int, int]], has_vectors: bool, slug: str) -> None:
        note = self.rows / "search.json"
        done: list[str] = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else []
        target: Target
        if self.options.search == "embedded":
            target = Writer(self.folder / "tantivy")
        else:
            from deepred.serve.index import opensearch

            target = opensearch.Writer(self.options.search, slug, self.version, self._dimensions(parts, has_vectors))
        for number, part in enumerate(parts):
            self._report("search", number, len(parts))
            if part not in done:
                target.add_part(*firsts[part], self._units(part, has_vectors and self.options.search != "embedded"))
                done.append(part)
                write_json(note, done)
        target.close()
        if self.options.search == "embedded":
            write_units(self.folder, self.rows, parts)
            if has_vectors:
                write_vectors(self.folder, self.rows, parts, firsts, self.work.settings.workers)

    def _units(self, part: str, with_vectors: bool) -> Iterator[dict[str, Any]]:
        """The units of a part, with their vectors where the engine takes them along."""
        rows = read_rows(self.rows, f"units-{part}.parquet")
        if not with_vectors:
            yield from rows
            return
        vectors = np.load(self.rows / f"vectors-{part}.npy", mmap_mode="r")
        for row, vector in zip(rows, vectors, strict=True):
            yield row | {"vector": vector}

    def _dimensions(self, parts: list[str], has_vectors: bool) -> int:
        if not has_vectors:
            return 0
        shapes = (np.load(self.rows / f"vectors-{part}.npy", mmap_mode="r").shape for part in parts)
        return max((shape[1] for shape in shapes if shape[0]), default=0)


def embed_part(argument: tuple[str, str, str, str], folder: Path) -> Counts:
    """Write the vectors of a part's units as float16."""
    kind, version, rows, part = argument
    embedder = embeddings.open_embedder(kind, Path(version))
    if embedder is None:
        raise UnavailableError(f"the vectors of {version} are gone", "run deepred index again")
    counts = Counts()
    found: list[Any] = []
    texts: list[str] = []
    for row in read_rows(Path(rows), f"units-{part}.parquet", ["title", "text"]):
        texts.append(f"{row['title']}. {row['text']}")
        counts.add("vectors")
        if len(texts) >= EMBEDDED_BATCH:
            found.append(embedder.documents(texts).astype(np.float16))
            texts = []
    if texts:
        found.append(embedder.documents(texts).astype(np.float16))
    table = np.concatenate(found) if found else np.zeros((0, 0), np.float16)
    np.save(folder / f"vectors-{part}.npy", table, allow_pickle=False)
    return counts


def write_units(folder: Path, rows: Path, parts: list[str]) -> None:
    """Write what the embedded engine shows and filters by; a row a unit."""
    offsets = [0]
    filters: list[Any] = [filter_rows([])]
    with replaced(folder / "units.bin") as partial, partial.open("wb") as file:
        for part in parts:
            batch: list[dict[str, Any]] = []
            for row in read_rows(rows, f"units-{part}.parquet"):
                offsets.append(offsets[-1] + file.write(orjson.dumps([row[name] for name in SHOWN])))
                batch.append(row)
                if len(batch) >= EMBEDDED_BATCH:
                    filters.append(filter_rows(batch))
                    batch = []
            filters.append(filter_rows(batch))
    for name, table in (("units.npy", np.array(offsets, np.int64)), ("filters.npy", np.concatenate(filters))):
        with replaced(folder / name) as partial, partial.open("wb") as file:
            np.save(file, table)


def write_vectors(folder: Path, rows: Path, parts: list[str], firsts: dict[str, tuple[int, int]], threads: int) -> None:
    """Write the graph of neighbours; units without any known word are left out."""
    from usearch.index import Index

    index: Any = None
    for part in parts:
        vectors: Any = np.load(rows / f"vectors-{part}.npy")
        if not len(vectors):
            continue
        if index is None:
            index = Index(ndim=vectors.shape[1], metric="cos", dtype="f16")
        known = vectors.any(axis=1)
        keys = np.arange(firsts[part][0], firsts[part][0] + len(vectors), dtype=np.uint64)
        if known.any():
            index.add(keys[known], vectors[known], threads=threads)
    if index is not None and len(index):
        with replaced(folder / "vectors.usearch") as partial:
            index.save(str(partial))
