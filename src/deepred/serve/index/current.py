"""Opening the current index of a run, and taking up a new one by itself."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from deepred.base.days import Day
from deepred.base.errors import DeepRedError, UserError
from deepred.serve.index.contract import Article, Health, Mode, Page, Why, Year
from deepred.serve.index.embedded_search import Embedded
from deepred.serve.index.embeddings import open_embedder
from deepred.serve.index.places import folder_of, slug_of
from deepred.serve.index.query import Engine
from deepred.serve.index.reader import Reader
from deepred.serve.index.versions import Home, Pointer, open_home

LOOK_SECONDS = 1.0
"""How often it is looked whether another version has become current."""


def open_index(data: Path, run: str, *, store: str = "sqlite", search: str = "embedded") -> CurrentIndex:
    """The current index of a run by its name, in a data folder.

    ``store`` is sqlite or a postgresql:// address, ``search`` embedded or an http(s):// address: those of ``deepred
    index``. UserError where nothing has been indexed.
    """
    return CurrentIndex(folder_of(data, run), slug_of(run), run, store, search)


class CurrentIndex:
    """The index that is current, whichever version that is; see ``base.Index``."""

    def __init__(self, folder: Path, slug: str, run: str, store: str, search: str) -> None:
        self.folder, self.slug, self.run, self.search_place = folder, slug, run, search
        self.home: Home = open_home(store, folder, slug)
        self.lock = threading.Lock()
        self.mark: object = None
        self.looked = 0.0
        self.pointer: Pointer | None = None
        self.reader: Reader | None = None
        self._current()

    @property
    def cutoff(self) -> Day:
        """The run's cutoff."""
        return self._current().cutoff

    def search(
        self,
        query: str,
        *,
        as_of: Day | None = None,
        after: Day | None = None,
        classes: tuple[str, ...] = (),
        sources: tuple[str, ...] = (),
        mode: Mode = "hybrid",
        page: int = 1,
        size: int = 10,
    ) -> Page:
        """Paragraphs that match."""
        return self._current().search(query, as_of, after, classes, sources, mode, page, size)

    def article(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Article:
        """An article by id, title or redirect."""
        return self._current().article(page, as_of, cut)

    def why(self, page: int | str, *, as_of: Day | None = None, cut: bool = False) -> Why:
        """A subject's dates with their evidence."""
        return self._current().why(page, as_of, cut)

    def year(self, year: int, *, as_of: Day | None = None, page: int = 1, size: int = 100) -> Year:
        """What happened in a year."""
        return self._current().year(year, as_of, page, size)

    def random(self, *, as_of: Day | None = None, seed: int | None = None) -> Article:
        """Any article."""
        return self._current().random(as_of, seed)

    def health(self) -> Health:
        """Whether store and search answer; never raises."""
        parts = {"store": "ok", "search": "ok"}
        try:
            reader = self._current()
            reader.store.check()
        except DeepRedError as error:
            parts["store"] = error.message
            reader = self.reader
        if reader is None:
            parts["search"] = "not opened"
        else:
            try:
                reader.engine.check()
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
            if self.reader is not None:
                self.reader.store.close()
                self.reader.engine.close()
                self.reader = None
            self.home.close()

    def _current(self) -> Reader:
        """The current version's reader; looks for another one at most every second."""
        reader = self.reader
        if reader is not None and time.monotonic() - self.looked < LOOK_SECONDS:
            return reader
        with self.lock:
            if self.reader is None or time.monotonic() - self.looked >= LOOK_SECONDS:
                mark = self.home.mark()
                if self.reader is None or mark != self.mark:
                    self._take_up()
                    self.mark = mark
                self.looked = time.monotonic()
            assert self.reader is not None
            return self.reader

    def _take_up(self) -> None:
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
        self.reader = Reader(pointer["cutoff"], keep, store, engine, embedder)
        self.pointer = pointer
