import bz2
import gzip
import hashlib
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepred.base.errors import DeepRedError, FaultError, UserError
from deepred.base.tables import read_rows
from deepred.run.config import Articles
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.sources.wiki.articles import extract, extract_articles, summary_lines
from deepred.sources.wiki.elements import unescape

SITE = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="de"><siteinfo><dbname>dewiki</dbname>
<namespaces><namespace key="0" case="first-letter" /><namespace key="6">Datei</namespace>
<namespace key="14">Kategorie</namespace></namespaces></siteinfo>
"""


def page(number: int, title: str, text: str, *, ns: str = "<ns>0</ns>", extra: str = "") -> str:
    return (
        f"<page><title>{title}</title>{ns}<id>{number}</id>{extra}<revision><id>{number}00</id>"
        f"<timestamp>2020-01-02T03:04:05Z</timestamp><model>wikitext</model>"
        f'<text bytes="1" xml:space="preserve">{text}</text></revision></page>\n'
    )


PAGES = [
    page(1, "2001: A Space Odyssey", "A [[film]] of 1968 &amp; more. &lt;ref&gt;x&lt;/ref&gt;"),
    page(2, "Kategorie:Filme", "x", ns="<ns>14</ns>"),
    page(3, "HAL", "", extra='<redirect title="HAL 9000" />'),
    page(4, "Leer", ""),
    page(5, "Mond", "{{Begriffsklärung}}[[Kategorie:Monde]] Der Mond. [[Bild:m.jpg|thumb|x]]"),
]


def dump(tmp_path: Path, pages: list[str], name: str = "wiki.xml", end: str = "</mediawiki>") -> Path:
    path = tmp_path / name
    path.write_text(SITE + "".join(pages) + end, encoding="utf-8")
    return path


def articles(out: Path) -> list[dict]:
    return list(read_rows(out, "articles-*.parquet"))


def test_every_article_and_redirect_of_namespace_zero_is_a_row(tmp_path):
    counts = extract(dump(tmp_path, PAGES), tmp_path / "out")
    rows = articles(tmp_path / "out")
    assert [row["title"] for row in rows] == ["2001: A Space Odyssey", "Leer", "Mond"]
    assert [row["text"] for row in rows] == ["A film of 1968 & more.", "", "Der Mond."]
    assert rows[0]["links"] == [{"start": 2, "end": 6, "target": "Film"}]
    assert rows[2]["disambiguation"]
    assert rows[2]["categories"] == ["Monde"]
    assert (rows[0]["revision_id"], rows[0]["timestamp"]) == (100, "2020-01-02T03:04:05Z")
    assert list(read_rows(tmp_path / "out", "redirects-*.parquet")) == [{"title": "HAL", "target": "HAL 9000"}]
    assert counts.numbers["documents"] == 3
    assert counts.numbers["other_namespaces"] == 1


def test_dumps_without_ns_are_judged_by_siteinfo_and_text(tmp_path):
    old = [page(1, "Kategorie:X", "x", ns=""), page(2, "A: B", "y", ns=""), page(3, "C", "#REDIRECT [[a_b]]", ns="")]
    extract(dump(tmp_path, old), tmp_path / "out")
    assert [row["title"] for row in articles(tmp_path / "out")] == ["A: B"]
    assert list(read_rows(tmp_path / "out", "redirects-*.parquet")) == [{"title": "C", "target": "A b"}]


def compress_streams(data: bytes) -> bytes:
    head, separator, rest = data.partition(b"<page>")
    return bz2.compress(head) + b"".join(bz2.compress(part + b"\n") for part in (separator + rest).splitlines())


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("w.xml", bytes),
        ("w.xml.gz", gzip.compress),
        ("w.xml.bz2", bz2.compress),
        ("multistream.xml.bz2", compress_streams),
    ],
)
def test_any_packing_and_any_range_size_give_the_same_pages(tmp_path, monkeypatch, name, pack):
    pages = [page(n, f"Title {n}", f"Text {n}. " * 50) for n in range(1, 60)]
    path = tmp_path / name
    path.write_bytes(pack(dump(tmp_path, pages).read_bytes()))
    for size in (499, 10**9):
        monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": size, "xml": size, "gz": 10**9})
        out = tmp_path / str(size)
        extract(path, out)
        assert [row["page_id"] for row in articles(out)] == list(range(1, 60))


def test_files_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    pages = [page(n, f"Title {n}", f"Text {n}. " * 50) for n in range(1, 40)]
    path = dump(tmp_path, pages)
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 9000, "gz": 1})
    folders = []
    for workers in (1, 2):
        extract(path, tmp_path / str(workers), workers=workers)
        folders.append({p.name: p.read_bytes() for p in (tmp_path / str(workers)).glob("*.parquet")})
    assert len(folders[0]) > 2
    assert folders[0] == folders[1]


DAMAGED = {
    "cut in a page": (lambda data: data[: data.index(b"<title>Leer")], "inside page"),
    "cut between pages": (lambda data: data[: data.index(b"<page><title>Leer")], "without </mediawiki>"),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), "UTF-16"),
    "cut bz2": (lambda data: bz2.compress(data)[:-200], "inside a bzip2 block"),
    "unclosed page": (lambda data: data.replace(b"</page>\n<page><title>Leer", b"\n<page><title>Leer"), "not closed"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_dump_is_one_clear_error_that_names_byte_and_page(tmp_path, kind):
    damage, words = DAMAGED[kind]
    path = tmp_path / "bad.xml"
    path.write_bytes(damage(dump(tmp_path, PAGES).read_bytes()))
    with pytest.raises(FaultError, match=r"byte [0-9,]+, (after page|before the first)") as caught:
        extract(path, tmp_path / "out")
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_salvage_keeps_whole_pages_before_the_damage_and_states_the_loss(tmp_path):
    path = dump(tmp_path, PAGES[:4], end="<page><title>Cut</title><ns>0</ns><id>9</id>")
    counts = extract(path, tmp_path / "out", config=Articles(salvage=True))
    assert [row["page_id"] for row in articles(tmp_path / "out")] == [1, 4]
    assert counts.drops["damaged"] == 1
    assert "inside page 'Cut'" in next(iter(counts.notes.values()))


@pytest.mark.parametrize(
    ("head", "words"),
    [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"PK\x03\x04", "no MediaWiki dump"), (b"<html>", "no MediaWiki dump")],
)
def test_another_format_is_refused(tmp_path, head, words):
    path = tmp_path / "file"
    path.write_bytes(head + b" " * 100)
    with pytest.raises(UserError, match=words):
        extract(path, tmp_path / "out")


def test_entities_and_document_types_are_never_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + SITE + page(1, "A", "&b;&b;") + "</mediawiki>"
    path = tmp_path / "bomb.xml"
    path.write_text(bomb, encoding="utf-8")
    extract(path, tmp_path / "out")
    assert "aaaa" not in articles(tmp_path / "out")[0]["text"]


def run(tmp_path: Path, config: Articles, **sources: list[Path]) -> list[dict]:
    out = tmp_path / "run"
    out.mkdir()
    run.counts = extract_articles(config=config, sources=sources, out=out, work=Work(Settings()))
    return articles(out)


def plain(tmp_path: Path, rows: list[tuple[int, str, str]]) -> Path:
    path = tmp_path / "plain.parquet"
    ids, titles, texts = zip(*rows)
    pq.write_table(pa.table({"page_id": ids, "title": titles, "text": texts}), path)
    return path


def test_plain_rows_get_sections_and_earlier_sources_win(tmp_path):
    text = "New\n\nIt is new.\nEarly life.\nShe was born in Rome.\nShe left."
    source = plain(tmp_path, [(1, "Other title", "x"), (77, "Mond", "y"), (78, "HAL", "z"), (99, "New", text)])
    rows = run(tmp_path, Articles(), dumps=[dump(tmp_path, PAGES)], plain=[source])
    assert [row["page_id"] for row in rows] == [1, 4, 5, 99]
    assert run.counts.drops == {"duplicate": 3}
    assert rows[-1]["text"] == "New\n\nIt is new.\nEarly life\n\nShe was born in Rome.\nShe left."
    assert [s["title"] for s in rows[-1]["sections"]] == ["New", "Early life"]
    assert all(rows[-1]["text"][s["start"] :].startswith(s["title"]) for s in rows[-1]["sections"])


def test_limit_takes_the_first_articles_of_every_source(tmp_path):
    source = plain(tmp_path, [(90 + n, f"P{n}", "text") for n in range(5)])
    rows = run(tmp_path, Articles(limit=2), dumps=[dump(tmp_path, PAGES)], plain=[source])
    assert [row["page_id"] for row in rows] == [1, 4, 90, 91]


def test_no_source_is_a_user_error(tmp_path):
    with pytest.raises(DeepRedError, match="no article sources"):
        run(tmp_path, Articles())


def test_other_people_s_tools_read_the_output(tmp_path):
    import datasets
    import duckdb

    out = tmp_path / "out"
    extract(dump(tmp_path, PAGES), out)
    query = f"select title, links[1].target from '{out}/articles-*.parquet' order by page_id"
    assert duckdb.sql(query).fetchall()[0] == ("2001: A Space Odyssey", "Film")
    files = [str(path) for path in sorted(out.glob("articles-*.parquet"))]
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["title"][0] == "2001: A Space Odyssey"


def test_an_index_beside_a_multistream_dump_is_no_dump(tmp_path):
    index = tmp_path / "wiki-multistream-index.txt.bz2"
    index.write_bytes(bz2.compress(b"0:1:Mond\n"))
    rows = run(tmp_path, Articles(), dumps=[dump(tmp_path, PAGES), index])
    assert len(rows) == 3


def test_a_broken_block_loses_only_what_follows_it_in_its_range(tmp_path):
    path = tmp_path / "wiki.xml.bz2"
    data = bytearray(compress_streams(dump(tmp_path, PAGES).read_bytes()))
    data[data.rindex(b"BZh9", 0, data.rindex(b"BZh9")) + 60] ^= 0xFF  # in the stream of page 5
    path.write_bytes(data)
    with pytest.raises(FaultError, match=r"bzip2 block is damaged.* at byte"):
        extract(path, tmp_path / "strict")
    counts = extract(path, tmp_path / "out", config=Articles(salvage=True))
    assert [row["page_id"] for row in articles(tmp_path / "out")] == [1, 4]
    assert counts.drops["damaged"] == 1


def test_every_page_of_a_gzip_dump_is_read_however_well_it_is_packed(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.sources.wiki.gzip.GZIP_BYTES", 100)
    path = tmp_path / "wiki.xml.gz"
    pages = [page(n, f"Title {n}", "The same text. " * 500) for n in range(1, 100)]
    path.write_bytes(gzip.compress(dump(tmp_path, pages).read_bytes()))
    extract(path, tmp_path / "out")
    assert [row["page_id"] for row in articles(tmp_path / "out")] == list(range(1, 100))


PACKINGS = {"xml": bytes, "gz": gzip.compress, "bz2": bz2.compress}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("junk", [b"\0" * 2000, b"junk " * 400])
def test_junk_behind_the_end_of_a_whole_dump_is_no_damage(tmp_path, packing, junk):
    path = tmp_path / "wiki"
    path.write_bytes(PACKINGS[packing](dump(tmp_path, PAGES).read_bytes()) + junk)
    extract(path, tmp_path / "out")
    assert [row["page_id"] for row in articles(tmp_path / "out")] == [1, 4, 5]


def test_a_cut_gzip_dump_keeps_every_page_before_the_cut(tmp_path):
    pages = [page(n, f"Title {n}", hashlib.sha256(b"%d" % n).hexdigest() * 50) for n in range(1, 200)]
    path = tmp_path / "wiki.xml.gz"
    data = gzip.compress(dump(tmp_path, pages).read_bytes())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FaultError, match=r"gzip stream is cut off inside page 'Title .*after page 'Title"):
        extract(path, tmp_path / "strict")
    extract(path, tmp_path / "out", config=Articles(salvage=True))
    readable = zlib.decompressobj(31).decompress(data[: len(data) // 2])
    assert [row["page_id"] for row in articles(tmp_path / "out")] == list(range(1, readable.count(b"</page>") + 1))


def test_a_gzip_dump_whose_checksum_is_wrong_is_damaged(tmp_path):
    path = tmp_path / "wiki.xml.gz"
    data = bytearray(gzip.compress(dump(tmp_path, PAGES).read_bytes()))
    data[-6] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FaultError, match="gzip stream is damaged"):
        extract(path, tmp_path / "out")


@pytest.mark.parametrize("packing", ["xml", "bz2"])
def test_a_cut_download_is_noticed_before_any_work_and_named_by_page(tmp_path, monkeypatch, packing):
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 400, "xml": 4000, "gz": 1})
    data = dump(tmp_path, [page(n, f"Title {n}", f"Text {n}. " * 50) for n in range(1, 60)]).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[:-500] if packing == "xml" else compress_streams(data)[:-100])
    with pytest.raises(
        FaultError, match=r"inside page 'Title \d\d'.*, after page 'Title \d\d'|after page 'Title \d\d'"
    ):
        extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_damage_at_the_head_of_a_range_names_the_page_before_the_range(tmp_path, monkeypatch):
    data = dump(tmp_path, [page(n, f"Title {n}", f"Text {n}. " * 50) for n in range(1, 30)]).read_bytes()
    path = tmp_path / "bad.xml"
    at = data.index(b"<page><title>Title 20")
    path.write_bytes(data[:at] + b"<page><title>Open" + data[at:])
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": at, "gz": 1})
    with pytest.raises(FaultError, match=r"page 'Open.* is not closed.*, after page 'Title 19'"):
        extract(path, tmp_path / "out")


def test_several_damages_are_all_stated_with_what_was_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 6000, "gz": 1})
    data = dump(tmp_path, [page(n, f"Title {n}", f"Text {n}. " * 50) for n in range(1, 40)]).read_bytes()
    for title in (b"Title 5<", b"Title 25<"):
        data = data.replace(b"<page><title>" + title, b"<page><title>Open</title><page><title>" + title)
    path = tmp_path / "bad.xml"
    path.write_bytes(data)
    counts = extract(path, tmp_path / "out", config=Articles(salvage=True))
    assert counts.drops["damaged"] == 2
    assert len(counts.notes) == 2
    assert all("of the file were not read" in note for note in counts.notes.values())
    kept = [row["page_id"] for row in articles(tmp_path / "out")]
    assert set(range(1, 5)) | set(range(15, 25)) <= set(kept)


def test_a_dump_of_which_nothing_can_be_read_is_salvaged_as_empty_tables(tmp_path):
    path = tmp_path / "bad.xml"
    path.write_bytes(dump(tmp_path, PAGES).read_text(encoding="utf-8").encode("utf-16"))
    counts = extract(path, tmp_path / "out", config=Articles(salvage=True))
    assert articles(tmp_path / "out") == []
    assert any("UTF-16" in line and "lost" in line for line in summary_lines(counts, 1.0))


def test_a_page_without_the_end_of_its_text_is_counted_as_malformed(tmp_path):
    broken = page(2, "B", "x").replace("</text>", "")
    counts = extract(dump(tmp_path, [*(page(n, f"T{n}", "x") for n in range(10, 30)), broken]), tmp_path / "out")
    assert counts.drops["malformed"] == 1


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("a &lt; b &amp;nbsp; &quot;c&apos;&gt;", "a < b &nbsp; \"c'>"),
        ("&amp;lt;", "&lt;"),
        ("&#65;&#x42; &#0; &#xD800; &#9999999;", "AB \ufffd \ufffd \ufffd"),
        ("AT&T &bogus; &lt &", "AT&T &bogus; &lt &"),
        ("", ""),
    ],
)
def test_escapes_are_undone_once(escaped, text):
    assert unescape(escaped) == text


@pytest.mark.parametrize(
    ("content", "words"),
    [(b'{"title": "A"}', "no Parquet file but JSON"), (b"<mediawiki>", "a MediaWiki XML dump"), (b"", "an empty file")],
)
def test_a_plain_source_of_another_format_is_named(tmp_path, content, words):
    (tmp_path / "plain.parquet").write_bytes(content)
    with pytest.raises(UserError, match=words):
        run(tmp_path, Articles(), plain=[tmp_path / "plain.parquet"])


def test_a_plain_source_without_rows_is_an_error(tmp_path):
    schema = pa.schema([("page_id", pa.int64()), ("title", pa.string()), ("text", pa.string())])
    pq.write_table(schema.empty_table(), tmp_path / "plain.parquet")
    with pytest.raises(UserError, match="holds no row"):
        run(tmp_path, Articles(), plain=[tmp_path / "plain.parquet"])


def test_a_small_parquet_file_that_holds_a_long_text_many_times_is_read_flat(tmp_path):
    import tracemalloc

    import pyarrow as pa
    import pyarrow.parquet as pq

    from deepred.sources.wiki.plain_articles import iterate_plain

    count, long = 3000, "word " * 100_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([long]))
    table = pa.table({"page_id": list(range(count)), "title": ["A"] * count, "text": text})
    path = tmp_path / "bomb.parquet"
    pq.write_table(table, path)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    for number, row in enumerate(iterate_plain(path, 10, count)):
        assert row["page_id"] == number + 10 and row["text"] == long
        if number == 20:
            break
    assert pa.total_allocated_bytes() - before < 100_000_000 and tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_cells_that_no_article_can_fill_are_refused_before_they_are_read(tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from deepred.sources.wiki import plain_articles

    monkeypatch.setattr(plain_articles, "MOST_TEXT", 1000)
    path = tmp_path / "cell.parquet"
    pq.write_table(pa.table({"page_id": [1], "title": ["A"], "text": ["word " * 1000]}), path)
    with pytest.raises(UserError, match=r"cell\.parquet: 1 rows take .* more than 1,000 each"):
        list(plain_articles.iterate_plain(path, 0, 1))


def test_damaged_rows_of_a_parquet_file_are_named(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from deepred.sources.wiki.plain_articles import iterate_plain

    path = tmp_path / "noise.parquet"
    pq.write_table(pa.table({"page_id": [1], "title": ["A"], "text": ["word"]}), path)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 60 + data[64:])
    with pytest.raises(FaultError, match=r"noise\.parquet: the rows from 0 on cannot be read"):
        list(iterate_plain(path, 0, 1))
