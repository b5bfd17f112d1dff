"""Extraction against an independent count of the real dumps by expat."""

import bz2
import os
import re
from pathlib import Path
from xml.parsers import expat

import pytest

from deepred.config import Articles
from deepred.documents import read_rows
from deepred.errors import FaultError
from deepred.sources.dump import iterate_pages, read_site
from deepred.sources.prefixes import Prefixes
from deepred.sources.wikipedia import extract
from deepred.sources.wikitext import parse

SAMPLES = os.environ.get("DEEPRED_SAMPLES")
pytestmark = pytest.mark.skipif(not SAMPLES, reason="DEEPRED_SAMPLES is not set: no real dumps to read")
FOLDER = Path(SAMPLES or ".") / "wikipedia"
WHOLE = [
    "aawiki-20260101-pages-meta-current.xml.bz2",
    "enwiki-10k.xml.bz2",
    "enwiki-table-markup.xml.bz2",
    "ltgwiki-latest-pages-articles.xml.bz2",
    "simplewiki-small.xml",
    "wikipedia2vec-enwiki-pages-articles-sample.xml.bz2",
]
MARKUP = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|</?ref|'''|&nbsp;|style ?=|\bthumb\||<!--|</?(?:div|span|br|small)\b|^\|-", re.M
)


def expat_titles(data: bytes) -> tuple[list[str], list[str]]:
    """Titles of articles and of redirects of namespace 0, by an XML parser."""
    articles, redirects, page, text = [], [], {}, []

    def start(name, attributes):
        text.clear()
        if name == "page":
            page.clear()
        if name == "redirect":
            page["redirect"] = True

    def end(name):
        if name in ("title", "ns"):
            page[name] = "".join(text)
        if name == "page" and page["ns"] == "0":
            (redirects if "redirect" in page else articles).append(page["title"])

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text.append
    parser.Parse(data, True)
    return articles, redirects


@pytest.mark.parametrize("name", WHOLE)
def test_no_page_or_redirect_is_lost_or_invented(tmp_path, name):
    path = FOLDER / name
    data = path.read_bytes()
    expected = expat_titles(bz2.decompress(data) if name.endswith("bz2") else data)
    extract(path, tmp_path)
    found = [[row["title"] for row in read_rows(tmp_path, f"{kind}-*.parquet")] for kind in ("articles", "redirects")]
    assert (found[0], found[1]) == expected


@pytest.mark.parametrize(
    ("name", "words", "kept"),
    [
        ("bgwiki-latest-pages-articles-shortened.xml.bz2", "UTF-16, not UTF-8, at byte 0, before the first page", 0),
        (
            "duerobone-partial.xml",
            "inside page 'Abraham Lincoln'.* at byte 730,276, after page 'AppliedStatistics'",
            69,
        ),
        ("enwik8-corrupt-4MB.xml.bz2", "inside page 'Asteraceae'.* at byte 1,205,105, after page 'Alliaceae'", 491),
    ],
)
def test_damaged_dumps_name_byte_and_page_and_can_be_salvaged(tmp_path, name, words, kept):
    with pytest.raises(FaultError, match=words):
        extract(FOLDER / name, tmp_path / "strict")
    counts = extract(FOLDER / name, tmp_path / "salvaged", config=Articles(salvage=True))
    assert counts.numbers["pages"] == kept
    assert re.search(words, counts.notes[f"damage in {name}"])


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
