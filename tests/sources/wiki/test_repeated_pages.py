"""A page that stands several times in a dump, in whatever ranges its copies lie."""

from pathlib import Path

import pytest

from deepred.base.tables import read_rows
from deepred.run.config import Articles
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.sources.wiki.articles import extract, extract_articles

SITE = (
    "<mediawiki><siteinfo><dbname>enwiki</dbname><namespaces><namespace key='0' />"
    "<namespace key='118'>Draft</namespace></namespaces></siteinfo>\n"
)


def page(number: int, title: str, text: str, day: int, ns: int = 0) -> str:
    return (
        f"<page><title>{title}</title><ns>{ns}</ns><id>{number}</id><revision><id>{number * 100 + day}</id>"
        f"<timestamp>2020-01-{day:02}T00:00:00Z</timestamp><text>{text}</text></revision></page>\n"
    )


FILLER = [page(number, f"F{number}", f"Filler {number}. " * 20, 1) for number in range(100, 140)]


def read(tmp_path: Path, pages: list[str], workers: int = 1) -> tuple[dict[str, str], dict[str, str]]:
    path = tmp_path / "wiki.xml"
    path.write_text(SITE + "".join(pages) + "</mediawiki>", encoding="utf-8")
    read.counts = extract(path, tmp_path / "out", workers=workers)
    found = [(row["title"], row["text"]) for row in read_rows(tmp_path / "out", "articles-*.parquet")]
    assert len(found) == len(dict(found))
    moved = [(row["title"], row["target"]) for row in read_rows(tmp_path / "out", "redirects-*.parquet")]
    assert not list((tmp_path / "out").glob("pages-*"))
    return {title: text for title, text in found if title[0] != "F"}, dict(moved)


COPIES = {
    "the later copy is newer": ([page(1, "A", "old", 1), page(1, "A", "new", 2)], {"A": "new"}, {}),
    "the earlier copy is newer": ([page(1, "A", "new", 2), page(1, "A", "old", 1)], {"A": "new"}, {}),
    "three copies": ([page(1, "A", "b", 2), page(1, "A", "new", 3), page(1, "A", "a", 1)], {"A": "new"}, {}),
    "the same copy": ([page(1, "A", "same", 1), page(1, "A", "same", 1)], {"A": "same"}, {}),
    "it became a redirect": ([page(1, "A", "old", 1), page(1, "A", "#REDIRECT [[B]]", 2)], {}, {"A": "B"}),
    "it was a redirect": ([page(1, "A", "#REDIRECT [[B]]", 1), page(1, "A", "new", 2)], {"A": "new"}, {}),
    "it was moved": ([page(1, "A", "old", 1), page(1, "Z", "new", 2)], {"Z": "new"}, {}),
    "it was a draft": ([page(1, "Draft:A", "old", 1, 118), page(1, "A", "new", 2)], {"A": "new"}, {}),
    "it became a draft": ([page(1, "A", "old", 1), page(1, "Draft:A", "new", 2, 118)], {}, {}),
    "redirects": ([page(1, "A", "#REDIRECT [[B]]", 1), page(1, "A", "#REDIRECT [[C]]", 2)], {}, {"A": "C"}),
}


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("name", COPIES)
def test_the_newest_copy_stays_and_the_others_are_counted(tmp_path, monkeypatch, name, far):
    copies, articles, redirects = COPIES[name]
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 2_000, "gz": 1})
    between = FILLER if far else []
    pages = [*copies[:1], *between, *copies[1:], page(2, "B", "other", 1)]
    assert read(tmp_path, pages) == ({"B": "other"} | articles, redirects)
    assert read.counts.drops == {"older_copy": len(copies) - 1}
    numbers = read.counts.numbers
    kept = numbers["documents"] + numbers["redirects"] + numbers["other_namespaces"]
    assert numbers["pages"] == kept + len(copies) - 1
    assert numbers["documents"] == len(between) + 1 + len(articles)


def test_workers_do_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 6_000, "gz": 1})
    pages = [page(1, "A", "old", 1), *FILLER, page(1, "A", "new", 2), page(1, "A", "older", 1)]
    files = []
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        assert read(tmp_path / str(workers), pages, workers) == ({"A": "new"}, {})
        files.append({path.name: path.read_bytes() for path in (tmp_path / str(workers) / "out").glob("*.parquet")})
    assert files[0] == files[1]


def test_after_a_kill_the_copies_are_counted_as_before(tmp_path, monkeypatch):
    path = tmp_path / "wiki.xml"
    path.write_text(SITE + page(1, "A", "old", 1) + page(1, "A", "new", 2) + "</mediawiki>", encoding="utf-8")
    monkeypatch.setattr("deepred.sources.wiki.articles.forget_pages", lambda out: None)  # killed before the end
    first = extract(path, tmp_path / "out")
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").glob("*.parquet")}
    assert extract(path, tmp_path / "out") == first
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").glob("*.parquet")} == before
    assert first.drops == {"older_copy": 1}


def test_of_several_sources_the_first_still_wins(tmp_path):
    paths = []
    for name, day in (("one", 1), ("two", 2)):
        paths.append(tmp_path / f"{name}.xml")
        paths[-1].write_text(SITE + page(1, "A", name, day) * 2 + "</mediawiki>", encoding="utf-8")
    (tmp_path / "out").mkdir()
    counts = extract_articles(config=Articles(), sources={"dumps": paths}, out=tmp_path / "out", work=Work(Settings()))
    assert [row["text"] for row in read_rows(tmp_path / "out", "articles-*.parquet")] == ["one"]
    assert counts.drops == {"older_copy": 1, "duplicate": 2}
