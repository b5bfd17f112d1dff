"""Opening the current index of a run by its name, and taking up a new one by itself."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from deepred.base.days import Day
from deepred.base.errors import DeepRedError, UserError
from deepred.serve.index.contract import Narrowed
from deepred.serve.index.embedded_search import Embedded
from deepred.serve.index.embeddings import open_embedder
from deepred.serve.index.index_records import Article, Health, SearchAnswer, WhyAnswer, YearAnswer
from deepred.serve.index.query import Engine
from deepred.serve.index.reader import Reader
from deepred.serve.index.versions import Home, Pointer, open_home

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often it is looked whether another version has become current."""
INDEX = "index"
"""Folder of the data folder with a folder a run."""


def slug_of(run: str) -> str:
    """A run's name for schemas and search indexes: lower case, told apart by a hash.

    >>> slug_of("Demo run")
    'demo_run_29c051'
    """
    plain = re.sub(r"[^a-z0-9]+", "_", run.lower()).strip("_")[:24] or "run"
    return f"{plain}_{hashlib.sha256(run.encode()).hexdigest()[:6]}"


def folder_of(data: Path, run: str) -> Path:
    """The folder of a run's versions."""
    return data / INDEX / slug_of(run)


def open_index(data: Path, run: str, *, store: str = "sqlite", search: str = "embedded") -> CurrentIndex:
    """The current index of a run by its name, in a data folder.

    ``store`` is sqlite or a postgresql:// address, ``search`` embedded or an http(s):// address: those of ``deepred
    index``. UserError where nothing has been indexed.
    """
    return CurrentIndex(folder_of(data, run), slug_of(run), run, store, search)


@dataclass
class Opened:
    """A version that is open, and how many calls read it."""

    reader: Reader
    calls: int = 0

    def close(self) -> None:
        """Free its connections."""
        self.reader.store.close()
        self.reader.engine.close()


class CurrentIndex:
    """The index that is current, whichever version that is; see ``contract.Index``."""

    def __init__(self, folder: Path, slug: str, run: str, store: str, search: str) -> None:
        self.folder, self.slug, self.run, self.search_place = folder, slug, run, search
        self.home: Home = open_home(store, folder, slug)
        self.lock = threading.Lock()
        self.mark: object = None
        self.looked = 0.0
        self.pointer: Pointer | None = None
        self.opened: Opened | None = None
        try:
            _ = self.cutoff  # so that an index that cannot be opened is said at once
        except BaseException:
            self.home.close()
            raise

    @property
    def cutoff(self) -> Day:
        """The run's cutoff."""
        with self._reading() as reader:
            return reader.cutoff

    def search(self, query: str, **narrowed: Unpack[Narrowed]) -> SearchAnswer:
        """Paragraphs that match."""
        with self._reading() as reader:
            return reader.search(query, **narrowed)

    def article(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Article:
        """An article by id, title or redirect."""
        with self._reading() as reader:
            return reader.article(page, as_of, cut)

    def why(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> WhyAnswer:
        """A subject's dates with their evidence."""
        with self._reading() as reader:
            return reader.why(page, as_of, cut)

    def year(self, year: int, *, as_of: Day | None = None, page: int = 1, size: int = 100) -> YearAnswer:
        """What happened in a year."""
        with self._reading() as reader:
            return reader.year(year, as_of, page, size)

    def random(self, *, as_of: Day | None = None, seed: int | None = None) -> Article:
        """Any article."""
        with self._reading() as reader:
            return reader.random(as_of, seed)

    def health(self) -> Health:
        """Whether store and search answer; never raises."""
        parts = {"store": "ok", "search": "ok"}
        try:
            with self._reading() as reader:
                reader.store.check()
        except DeepRedError as error:
            parts["store"] = error.message
        opened = self.opened
        if opened is None:
            parts["search"] = "not opened"
        else:
            try:
                opened.reader.engine.check()
            except DeepRedError as error:
                parts["search"] = error.message
        ready = all(state == "ok" for state in parts.values())
        pointer = self.pointer or {"version": "", "cutoff": None, "embeddings": "", "counts": {}}
        return Health(
            ready,
            parts,
            pointer["version"],
            self.run,
            pointer["cutoff"],
            pointer["embeddings"],
            dict(pointer["counts"]),
        )

    def close(self) -> None:
        """Free connections."""
        with self.lock:
            if self.opened is not None:
                self.opened.close()
                self.opened = None
            self.home.close()

    @contextmanager
    def _reading(self) -> Generator[Reader]:
        """The current version's reader for one call; one that is no longer current closes with its last call."""
        with self.lock:
            opened = self._current()
            opened.calls += 1
        try:
            yield opened.reader
        finally:
            with self.lock:
                opened.calls -= 1
                if opened is not self.opened and not opened.calls:
                    opened.close()

    def _current(self) -> Opened:
        """The current version; looks for another one at most every second. Only under the lock.

        Where another one cannot be opened, files removed or damaged, the one that is open goes on.
        """
        if self.opened is None or time.monotonic() - self.looked >= LOOK_SECONDS:
            mark = self.home.mark()
            if self.opened is None or mark != self.mark:
                self._take_up(mark)
            self.looked = time.monotonic()
        assert self.opened is not None
        return self.opened

    def _take_up(self, mark: object) -> None:
        """Open the version that is current now."""
        before = self.opened
        try:
            self.opened = self._open()
        except Exception as error:
            if before is None:
                raise
            log.warning("the version that is open goes on, another cannot be opened: %s", error)
        else:
            if before is not None and not before.calls:
                before.close()
        self.mark = mark

    def _open(self) -> Opened:
        pointer = self.home.current()
        if pointer is None:
            raise UserError(f"{self.run} has no index yet", "deepred index RUN.toml builds one")
        folder = self.folder / pointer["version"]
        engine: Engine
        if pointer["search"] == "embedded":
            engine = Embedded(folder)
        else:
            from deepred.serve.index.opensearch import OpenSearchEngine

            engine = OpenSearchEngine(self.search_place, self.slug, pointer["version"])
        embedder = open_embedder(pointer["embeddings"], folder)
        store = self.home.open(pointer["version"])
        keep = pointer["straddling"] == "keep"
        self.pointer = pointer
        return Opened(Reader(pointer["cutoff"], keep, store, engine, embedder))
