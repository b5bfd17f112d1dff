"""Extraction of the real sample dumps against an independent count by an XML parser, and as other tools read it."""

import bz2
import os
import re
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest

from deepred.base.errors import FaultError
from deepred.base.tables import read_rows
from deepred.run.config import Articles
from deepred.sources.wiki.articles import extract
from deepred.sources.wiki.dump import iterate_pages, read_site
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse

SAMPLES = os.environ.get("DEEPRED_SAMPLES")
pytestmark = pytest.mark.needs("samples")
FOLDER = Path(SAMPLES or ".") / "wikipedia"
WHOLE = [
    "aawiki-20260101-pages-meta-current.xml.bz2",
    "enwiki-10k.xml.bz2",
    "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
    "enwiki-table-markup.xml.bz2",
    "ltgwiki-latest-pages-articles.xml.bz2",
    "simplewiki-small.xml",
    "wikipedia2vec-enwiki-pages-articles-sample.xml.bz2",
]
DAMAGED = {
    "bgwiki-latest-pages-articles-shortened.xml.bz2": "UTF-16, not UTF-8, at byte 0, before the first page",
    "duerobone-partial.xml": "inside page 'Abraham Lincoln'.* at byte 730,276, after page 'AppliedStatistics'",
    "enwik8-corrupt-4MB.xml.bz2": "inside page 'Asteraceae'.* at byte 1,205,105, after page 'Alliaceae'",
}
MARKUP = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|</?ref|'''|&nbsp;|style ?=|\bthumb\||<!--|</?(?:div|span|br|small)\b|^\|-", re.M
)


def xml_of(name: str) -> bytes:
    data = (FOLDER / name).read_bytes()
    return bz2.decompress(data) if name.endswith("bz2") else data


def expat_pages(data: bytes) -> list[dict[str, Any]]:
    """All pages that an XML parser finds whole, up to the first damage: title, ns, id, timestamp, redirect, text."""
    pages: list[dict[str, Any]] = []
    spaces: dict[str, str] = {}
    page: dict[str, Any] = {}
    path: list[str] = []
    text: list[str] = []
    key = [""]

    def start(name, attributes):
        path.append(name)
        text.clear()
        if name == "page":
            page.clear()
        if name == "redirect":
            page["redirect"] = True
        if name == "namespace":
            key[0] = attributes["key"]

    def end(name):
        path.pop()
        value = "".join(text)
        if name == "namespace" and value:
            spaces[value] = key[0]
        if name in ("title", "ns", "timestamp", "text"):
            page[name] = value
        if name == "id":
            page.setdefault("revision_id" if path[-1] == "revision" else "id" if path[-1] == "page" else "user", value)
        if name == "page":
            # exports before 2012 have neither element: the prefix of the title and the text tell
            page.setdefault("ns", spaces.get(page["title"].partition(":")[0], "0") if ":" in page["title"] else "0")
            page.setdefault("redirect", page["text"].lstrip().lower().startswith("#redirect"))
            pages.append(dict(page))
        text.clear()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text.append
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        assert pages or data[:2] == b"\xff\xfe"
    return pages


def assert_same(pages: list[dict[str, Any]], out: Path) -> None:
    """No page or redirect of namespace 0 is lost, invented or carries another page's ids."""
    wanted = [page for page in pages if page["ns"] == "0"]
    found = list(read_rows(out, "articles-*.parquet", ["page_id", "title", "revision_id", "timestamp"]))
    expected = [
        {
            "page_id": int(page["id"]),
            "title": page["title"],
            "revision_id": int(page["revision_id"]),
            "timestamp": page["timestamp"],
        }
        for page in wanted
        if not page["redirect"]
    ]
    assert found == expected
    redirects = [row["title"] for row in read_rows(out, "redirects-*.parquet", ["title"])]
    assert redirects == [page["title"] for page in wanted if page["redirect"]]


@pytest.mark.parametrize("name", WHOLE)
def test_no_page_or_redirect_is_lost_or_invented(tmp_path, name):
    extract(FOLDER / name, tmp_path)
    assert_same(expat_pages(xml_of(name)), tmp_path)


@pytest.mark.parametrize("name", ["enwiki-10k.xml.bz2", "simplewiki-small.xml"])
def test_nor_with_two_workers_on_ranges_smaller_than_a_page(tmp_path, monkeypatch, name):
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 40_000, "xml": 4_000, "gz": 1})
    extract(FOLDER / name, tmp_path, workers=2)
    assert len(list(tmp_path.glob("articles-*.parquet"))) > 4
    assert_same(expat_pages(xml_of(name)), tmp_path)


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_dumps_name_byte_and_page_and_every_page_before_it_can_be_kept(tmp_path, name):
    with pytest.raises(FaultError, match=DAMAGED[name]):
        extract(FOLDER / name, tmp_path / "strict")
    counts = extract(FOLDER / name, tmp_path / "salvaged", config=Articles(salvage=True))
    pages = expat_pages(xml_of(name)) if "bgwiki" not in name else []
    assert counts.numbers["pages"] == len(pages)
    assert_same(pages, tmp_path / "salvaged")
    (note,) = counts.notes.values()
    assert re.search(DAMAGED[name], note)


def test_text_of_real_articles_is_clean_and_offsets_hold():
    dirty = marks = count = 0
    for name in WHOLE:
        site = read_site(FOLDER / name)
        prefixes = Prefixes.of("en", site.namespaces)
        for _, page in iterate_pages(FOLDER / name, 0, 1 << 40):
            if page.namespace != 0 or page.redirect is not None:
                continue
            parsed = parse(page.text, prefixes, title=page.title)
            assert all(parsed.text[link.start : link.end].strip() for link in parsed.links)
            found = len(MARKUP.findall(parsed.text))
            count, marks, dirty = count + 1, marks + found, dirty + bool(found)
    assert count > 900
    assert marks / count <= 0.05
    assert dirty / count <= 0.03
