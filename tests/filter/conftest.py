from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deepred.base.tables import article_schema, class_schema, date_schema, read_rows, redirect_schema, write_rows
from deepred.filter.emergence import learn_emergence
from deepred.filter.measure.audit import audit_passages
from deepred.filter.passages import filter_articles
from deepred.run.config import Audit, Emergence, Passages
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

CUTOFF = 19690720


@dataclass
class Road:
    """A small corpus on its way through the filter's stages."""

    root: Path
    work: Work

    def folder(self, name: str) -> Path:
        (self.root / name).mkdir(exist_ok=True)
        return self.root / name

    def learn(self, config: Emergence | None = None, out: str = "emergence", work: Work | None = None) -> Counts:
        return learn_emergence(
            articles=self.root / "articles",
            dates=self.root / "dates",
            config=config or Emergence(),
            seed=1,
            out=self.folder(out),
            work=work or self.work,
        )

    def filter(self, out: str = "passages", **changes: Any) -> Counts:
        given: dict[str, Any] = {
            "config": Passages(min_characters=5),
            "cutoff": CUTOFF,
            "straddling": "drop",
            "seed": 1,
            "arm": "filtered",
            "work": self.work,
        }
        folders = {name: self.root / name for name in ("articles", "dates", "emergence", "classes")}
        return filter_articles(**folders, **(given | changes), out=self.folder(out))

    def audit(self, out: str = "audit", labels: list[Path] | None = None, config: Audit | None = None) -> Counts:
        return audit_passages(
            articles=self.root / "articles",
            passages=self.root / "passages",
            emergence=self.root / "emergence",
            config=config or Audit(sample=20),
            sources={"labels": labels or []},
            cutoff=CUTOFF,
            seed=1,
            out=self.folder(out),
            work=self.work,
        )

    def kept(self, folder: str = "passages") -> dict[str, str]:
        return {row["title"]: row["text"] for row in read_rows(self.root / folder, "passages-*.parquet")}

    def dropped(self, folder: str = "passages") -> dict[str, str]:
        """Reason by dropped sentence."""
        texts = {row["page_id"]: row["text"] for row in read_rows(self.root / "articles", "articles-*.parquet")}
        rows = read_rows(self.root / folder, "dropped-*.parquet")
        return {texts[row["page_id"]][row["start"] : row["end"]]: row["reason"] for row in rows}


def article(page_id: int, title: str, text: str, *links: tuple[str, str]) -> dict[str, Any]:
    """A row of articles; links as (anchor, target), each found at the anchor's first place in the text."""
    row: dict[str, Any] = dict.fromkeys(article_schema().names)
    spans = [
        {"start": text.index(anchor), "end": text.index(anchor) + len(anchor), "target": target}
        for anchor, target in links
    ]
    return {**row, "page_id": page_id, "title": title, "text": text, "sections": [], "links": spans, "revision_id": 1}


@pytest.fixture
def make_road(tmp_path: Path) -> Callable[..., Road]:
    """A corpus from articles (title, text, links), with first-known days and classes by title, and redirects."""

    def make(
        pages: list[tuple[Any, ...]],
        known: dict[str, int] | None = None,
        classes: dict[str, str] | None = None,
        redirects: dict[str, str] | None = None,
        plain: bool = False,
        learn: bool = True,
        files: int = 1,
    ) -> Road:
        known, classes = known or {}, classes or {}
        articles = [article(i, *page) for i, page in enumerate(pages, 1)]
        if plain:
            articles = [row | {"revision_id": None} for row in articles]
        road = Road(tmp_path, Work(Settings(data=tmp_path)))
        for i in range(files):
            write_rows(road.folder("articles") / f"articles-{i:05d}.parquet", articles[i::files], article_schema())
        titles = {row["title"]: row["page_id"] for row in articles}
        titles |= {title: 9000 + i for i, title in enumerate(known) if title not in titles}
        dates = [
            {"page_id": page, "title": title, "first_known": known.get(title), "ended": False, "evidence": []}
            for title, page in titles.items()
        ]
        write_rows(road.folder("dates") / "dates-00000.parquet", dates, date_schema())
        rows = [{"page_id": p, "title": t, "class": classes.get(t, "U"), "reason": ""} for t, p in titles.items()]
        write_rows(road.folder("classes") / "classes-00000.parquet", rows, class_schema())
        pairs = [{"title": title, "target": target} for title, target in (redirects or {}).items()]
        write_rows(road.folder("articles") / "redirects-00000.parquet", pairs, redirect_schema())
        if learn:
            road.learn()
        return road

    return make
