"""What a corpus of articles teaches the filter for one cutoff, kept in a folder and used again.

In: a Parquet of articles, and those that must stay out of it. The stages ``dates`` (by the articles' own leads,
categories and infoboxes; no facts), ``emergence``, ``classes`` and the fitting of ``passages`` run over the rest,
outside any run. Out: ``<base>/<key>/emergence`` and ``<base>/<key>/passages``, which ``Judge.load`` reads, with a
manifest. The key holds all that changes the result, the program's own files included: a checkout changes without its
version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deepred
from deepred.base.days import Day
from deepred.base.errors import FaultError, UserError
from deepred.base.tables import article_schema, read_rows, write_rows
from deepred.dating.dates import date_articles
from deepred.filter.classes import classify_articles
from deepred.filter.emergence import learn_emergence
from deepred.filter.fit import choose
from deepred.filter.passages import fit_passages
from deepred.run.config import Classes, Dates, Emergence
from deepred.run.runner import KEY_LENGTH, is_complete
from deepred.run.stage import Counts, Work
from deepred.run.unfinished import standalone
from deepred.run.workers import DONE
from deepred.sources.wiki.plain_articles import COLUMNS, check_file
from deepred.sources.wiki.prefixes import fold_title

SHARD = 500
"""Articles of a shard of the corpus."""
EMERGENCE, PASSAGES = "emergence", "passages"


@dataclass(frozen=True)
class Held:
    """Articles that nothing may be learned from: by page id, by title whatever its spelling, by their whole text."""

    pages: frozenset[int] = frozenset()
    titles: frozenset[str] = frozenset()
    texts: frozenset[bytes] = frozenset()

    @staticmethod
    def of(articles: list[dict[str, Any]]) -> Held:
        """What keeps these articles, and their like, out of a corpus; their text may be missing."""
        return Held(
            frozenset(row["page_id"] for row in articles),
            frozenset(fold_title(row["title"]) for row in articles),
            frozenset(_digest(row["text"]) for row in articles if row.get("text")),
        )

    def holds(self, article: dict[str, Any]) -> bool:
        """Whether an article of a corpus is one of them."""
        return (
            article["page_id"] in self.pages
            or fold_title(article["title"]) in self.titles
            or ("text" in article and _digest(article["text"]) in self.texts)
        )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True)
class Lesson:
    """What is to be learned: from how much of which corpus, without which articles, for which cutoff."""

    corpus: Path
    held: Held
    limit: int
    """Articles at most, drawn by the seed (0: all)."""
    cutoff: Day
    straddling: str
    seed: int
    inside: frozenset[int] = frozenset()
    """Page ids that are learned from whatever the limit."""

    def about(self) -> dict[str, Any]:
        """All that the result depends on, as JSON."""
        state = self.corpus.stat()
        held = sorted([*map(str, self.held.pages), *self.held.titles, *(text.hex() for text in self.held.texts)])
        return {
            "stage": "learned",
            "corpus": [str(self.corpus.resolve()), state.st_size, state.st_mtime_ns],
            "without": hashlib.sha256("\n".join(held).encode("utf-8", "surrogatepass")).hexdigest(),
            "limit": self.limit,
            "inside": sorted(self.inside),
            "cutoff": self.cutoff,
            "straddling": self.straddling,
            "seed": self.seed,
            "program": _program(),
        }


def _program() -> str:
    """A hash of the files whose code decides what is learned: dates, and the road of the filter without its users."""
    package = Path(str(deepred.__file__)).parent
    files = [*package.glob("text/**/*"), *package.glob("dating/**/*"), *package.glob("filter/*"), Path(__file__)]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.suffix in (".py", ".toml"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def learn(lesson: Lesson, base: Path, work: Work) -> Path:
    """The folder with what the corpus teaches; learned now unless it is there. An interrupted call is gone on with."""
    check_file(lesson.corpus)
    about = lesson.about()
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:KEY_LENGTH]
    folder = base / key
    if is_complete(folder):
        return folder
    with standalone(folder, about) as partial:
        _learn(lesson, partial, work)
        for name in ("articles", "dates", "facts", "classes"):
            shutil.rmtree(partial / name)
        for name in (EMERGENCE, PASSAGES):
            shutil.rmtree(partial / name / DONE, ignore_errors=True)
    return folder


def _learn(lesson: Lesson, folder: Path, work: Work) -> None:
    places = {name: folder / name for name in ("articles", "facts", "dates", EMERGENCE, "classes", PASSAGES)}
    for path in places.values():
        path.mkdir(exist_ok=True)
    articles, dates, emergence, classes = (places[name] for name in ("articles", "dates", EMERGENCE, "classes"))
    work.map_shards(_copy_corpus, [("corpus", lesson)], articles)
    date_articles(articles=articles, facts=places["facts"], config=Dates(), out=dates, work=work)
    learn_emergence(articles=articles, dates=dates, config=Emergence(), seed=lesson.seed, out=emergence, work=work)
    _enforce(lesson, articles, emergence)
    classify_articles(
        articles=articles, dates=dates, emergence=emergence, config=Classes(), cutoff=lesson.cutoff,
        straddling=lesson.straddling, out=classes, work=work,
    )  # fmt: skip
    files = sorted(articles.glob("articles-*.parquet"))
    work.report(Counts(), note="fitting the model")
    fit_passages(files, emergence, classes, lesson.cutoff, lesson.straddling, lesson.seed, places[PASSAGES])


def _enforce(lesson: Lesson, articles: Path, emergence: Path) -> None:
    """Fail if anything was learned from an article that is held out, whatever went wrong before."""
    learned = {row["page_id"] for row in read_rows(emergence, "sentences-*.parquet", ["page_id"])}
    found = next(
        (row for row in read_rows(articles, "articles-*.parquet", list(COLUMNS)) if lesson.held.holds(row)), {}
    )
    if found or learned & lesson.held.pages:
        raise FaultError(f"{found.get('title', 'a labelled article')} was learned from though it is held out")


def _copy_corpus(lesson: Lesson, folder: Path) -> Counts:
    """Write the articles that may be learned from, in files of ``SHARD``."""
    counts = Counts()
    empty: dict[str, Any] = dict.fromkeys(article_schema().names) | {"sections": [], "links": [], "categories": []}
    rows = read_articles(lesson.corpus, ["page_id", "title"])
    pages = [row["page_id"] for row in rows if not lesson.held.holds(row)]
    chosen = choose(pages, lesson.seed, lesson.limit or len(pages)) | (lesson.inside & set(pages))
    batch: list[dict[str, Any]] = []
    number = 0
    for row in read_articles(lesson.corpus):
        if row["page_id"] not in chosen:
            counts.drop("held out or over the limit")
            continue
        if lesson.held.holds(row):
            counts.drop("text of a held-out article")
            continue
        chosen.discard(row["page_id"])  # a page id that comes twice is read once
        batch.append(empty | row)
        counts.add("documents")
        if len(batch) == SHARD:
            write_rows(folder / f"articles-{number:05d}.parquet", batch, article_schema())
            number, batch = number + 1, []
    if batch or not number:
        write_rows(folder / f"articles-{number:05d}.parquet", batch, article_schema())
    if not counts.numbers["documents"]:
        raise UserError(f"{lesson.corpus} holds no article beside the held-out ones", "name a corpus with --corpus")
    return counts


def read_articles(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet of articles, with those columns that it has of ``article_schema``; flat in memory."""
    import pyarrow.parquet as pq

    check_file(path)
    with pq.ParquetFile(path) as file:
        known = [name for name in article_schema().names if name in file.schema_arrow.names]
        wanted = [name for name in known if columns is None or name in columns]
        for part in file.iter_batches(batch_size=SHARD, columns=wanted):
            yield from part.to_pylist()
