"""Whose text a document is: licence, link and a note of what was changed, as its licence asks for it.

An article is attributed by title, revision and a link to that revision, whose history names its authors; the licence is
CC BY-SA 4.0 and the note says that the text was changed. Books and games bear what their stages found out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from deepred.base.days import Day, format_day
from deepred.base.tables import read_rows

WIKI = re.compile(r"([a-z][a-z_]*?)wiki(?:[-_.]|$)")
"""A dump's file name begins with its wiki: ``enwiki-latest-…``, ``simplewiki-…``."""
INVENTED = "world"
"""The wiki of the generated world."""
WIKIPEDIA_LICENCE = "CC BY-SA 4.0"
REWRITTEN = "a language model rewrote it"
GENERATED_LICENCE = "generated text of an invented world"


@dataclass(frozen=True)
class Attribution:
    """Revisions and wikis of articles by page id, memory-mapped."""

    folder: Path
    language: str
    cutoff: Day
    arm: str

    @staticmethod
    def write(articles: Path, folder: Path) -> None:
        """Read the articles' revisions into sorted arrays in ``folder``: 20 bytes an article."""
        pages: list[int] = []
        revisions: list[int] = []
        wikis: list[int] = []
        names: dict[str, int] = {}
        for row in read_rows(articles, "articles-*.parquet", ["page_id", "revision_id", "source"]):
            match = WIKI.match(row["source"] or "")
            wikis.append(names.setdefault(match[1] if match else "", len(names)))
            pages.append(row["page_id"])
            revisions.append(row["revision_id"] or 0)
        folder.mkdir(parents=True, exist_ok=True)
        order = np.argsort(np.array(pages, np.int64), kind="stable")
        np.save(folder / "pages.npy", np.array(pages, np.int64)[order])
        np.save(folder / "revisions.npy", np.array(revisions, np.int64)[order])
        np.save(folder / "wikis.npy", np.array(wikis, np.int32)[order])
        (folder / "wikis.txt").write_text("\n".join(names), encoding="utf-8")

    def of(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows of a mixture with their ``licence``, ``revision``, ``link`` and ``changes``."""
        pages, revisions, wikis = (self._load(name) for name in ("pages", "revisions", "wikis"))
        names = (self.folder / "wikis.txt").read_text(encoding="utf-8").split("\n")
        for row in rows:
            revision, wiki = 0, ""
            if row["id"].startswith("wikipedia:"):  # an article's text, or what a teacher made of it
                page = int(row["id"].partition(":")[2].partition("#")[0])
                place = int(np.searchsorted(pages, page))
                if place < len(pages) and pages[place] == page:
                    revision, wiki = int(revisions[place]), names[int(wikis[place])]
            yield row | self._described(row, revision, wiki)

    def _load(self, name: str) -> NDArray[Any]:
        return cast("NDArray[Any]", np.load(self.folder / f"{name}.npy", mmap_mode="r"))

    def _described(self, row: dict[str, Any], revision: int, wiki: str) -> dict[str, Any]:
        if not row["id"].startswith("wikipedia:"):
            changes = {
                "augment": REWRITTEN,
                "books": "what the distributor added was removed; lines were joined into paragraphs",
            }
            changes["topics"] = "events of year and date articles, gathered by year"
            return {
                "revision": 0,
                "link": "",
                "licence": row["licence"] or "",
                "changes": changes.get(row["source"], ""),
            }
        if wiki == INVENTED:
            return {"revision": 0, "link": "", "licence": GENERATED_LICENCE, "changes": ""}
        link = wikipedia_link(wiki or self.language, row["title"], revision)
        changes = f"{self._changes()}; {REWRITTEN}" if row["source"] == "augment" else self._changes()
        return {"revision": revision, "link": link, "licence": WIKIPEDIA_LICENCE, "changes": changes}

    def _changes(self) -> str:
        late = f"sentences that may speak of {format_day(self.cutoff)} or later"
        taken = {
            "filtered": f"{late} were removed",
            "floor": f"{late} were removed, and sentences that name a probed fact removed or changed",
        }
        return "; ".join(["markup was turned into plain text", *([taken[self.arm]] if self.arm in taken else [])])


def wikipedia_link(language: str, title: str, revision: int) -> str:
    """The address of an article's revision, or of the article where the revision is unknown.

    >>> wikipedia_link("en", "Red Moon", 42)
    'https://en.wikipedia.org/w/index.php?title=Red_Moon&oldid=42'
    """
    base = f"https://{language.replace('_', '-')}.wikipedia.org"
    name = quote(title.replace(" ", "_"), safe="(),:!'*/")
    return f"{base}/w/index.php?title={name}&oldid={revision}" if revision else f"{base}/wiki/{name}"
