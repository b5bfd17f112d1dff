"""An exported corpus: loadable offline, every document attributed, no distributor named."""

import json

import pytest

from deepred.base.tables import article_schema, document_schema, write_rows
from deepred.corpus.dataset import Origin, export_corpus
from deepred.corpus.licences import Attribution, wikipedia_link
from deepred.run.settings import Settings
from deepred.run.stage import Work

TABLE = {"wikipedia": {"documents": 3, "tokens": 30, "share": 1.0, "epochs": 1.5, "drops": {"duplicate": 2}}}


def document(identity, source, licence, title="Red Moon"):
    return {
        "id": identity, "source": source, "title": title, "text": f"Text of {identity}.", "first": 18990101,
        "last": 18991231, "author": "A. Author", "licence": licence, "origin": "pg1234.txt",
    }  # fmt: skip


@pytest.fixture
def exported(tmp_path):
    """Exports a mixture of every source and returns the folder and the counts."""

    def make(file_format="parquet", arm="filtered", dump="enwiki-latest.xml.bz2", workers=1):
        articles, mixture, out = (tmp_path / name for name in ("articles", "mixture", f"out-{file_format}-{arm}"))
        for folder in (articles, mixture, out):
            folder.mkdir(exist_ok=True)
        rows = [{"page_id": page, "title": f"T{page}", "revision_id": 1000 + page, "source": dump} for page in (9, 7)]
        write_rows(articles / "articles-0.parquet", rows, article_schema())
        train = [
            document("wikipedia:7", "wikipedia", "CC BY-SA 4.0"),
            document("wikipedia:8", "wikipedia", "CC BY-SA 4.0"),
            document("book:1", "books", "public domain in the United States"),
            document("chess:1", "chess", "facts"),
            document("topic:1905", "topics", "CC BY-SA 4.0"),
        ]
        write_rows(mixture / "train-a.parquet", train[:2], document_schema())
        write_rows(mixture / "train-b.parquet", train[2:], document_schema())
        write_rows(mixture / "validation-a.parquet", [document("wikipedia:9", "wikipedia", "")], document_schema())
        origin = Origin("demo", 19690720, arm, "de", TABLE)
        work = Work(Settings(workers=workers))
        counts = export_corpus(
            mixture=mixture, articles=articles, origin=origin, out=out, work=work, file_format=file_format
        )
        return out, counts

    return make


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_datasets_loads_an_exported_folder_offline(exported, file_format, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder, counts = exported(file_format)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 5, "validation": 1}
    assert counts.numbers["documents"] == 6
    row = loaded["train"][0]
    assert (row["id"], row["text"]) == ("wikipedia:7", "Text of wikipedia:7.")
    assert row["link"] == "https://en.wikipedia.org/w/index.php?title=Red_Moon&oldid=1007"
    assert (row["revision"], row["licence"]) == (1007, "CC BY-SA 4.0")
    assert "1969-07-20" in row["changes"]
    # an article whose revision is unknown is linked by its title, in the run's language
    assert loaded["train"][1]["link"] == "https://de.wikipedia.org/wiki/Red_Moon"


def test_the_card_states_the_table_the_licences_and_the_changes(exported):
    folder, _ = exported()
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| wikipedia | 3 | 30 | 100.0% | 1.5 | duplicate 2 |" in card
    for said in ("CC BY-SA 4.0", "creativecommons.org/licenses/by-sa/4.0", "**books**", "public domain", "**chess**"):
        assert said in card
    assert "filter. It is not perfect" in card


def test_nothing_of_an_exported_folder_names_the_books_distributor(exported):
    folder, _ = exported("jsonl")
    for path in folder.rglob("*.*"):
        if path.is_file() and path.suffix in (".jsonl", ".md"):
            text = path.read_text(encoding="utf-8").lower()
            assert "gutenberg" not in text
            assert "pg1234" not in text


def test_unfiltered_text_is_not_said_to_have_lost_sentences(exported):
    folder, _ = exported("jsonl", arm="unfiltered")
    row = json.loads((folder / "data" / "train-a.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["changes"] == "markup was turned into plain text"


def test_the_invented_world_is_not_attributed_to_wikipedia(exported):
    folder, _ = exported("jsonl", dump="worldwiki-pages.xml.bz2")
    row = json.loads((folder / "data" / "train-a.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (row["link"], row["licence"]) == ("", "generated text of an invented world")


def test_workers_do_not_change_what_is_exported(exported):
    one, _ = exported("jsonl")
    before = {path.name: path.read_bytes() for path in one.rglob("*.jsonl")}
    two, _ = exported("jsonl", workers=2)
    assert {path.name: path.read_bytes() for path in two.rglob("*.jsonl")} == before
    assert not list(two.glob("data/.shards"))


@pytest.mark.parametrize(
    ("language", "title", "revision", "link"),
    [
        ("en", "2001: A Space Odyssey", 5, "https://en.wikipedia.org/w/index.php?title=2001:_A_Space_Odyssey&oldid=5"),
        ("simple", "AC/DC", 0, "https://simple.wikipedia.org/wiki/AC/DC"),
        ("en", "R&D #1?", 0, "https://en.wikipedia.org/wiki/R%26D_%231%3F"),
        ("zh_yue", "月", 0, "https://zh-yue.wikipedia.org/wiki/%E6%9C%88"),
    ],
)
def test_links_lead_to_the_revision(language, title, revision, link):
    assert wikipedia_link(language, title, revision) == link


def test_articles_of_several_dumps_keep_their_wiki(tmp_path):
    rows = [
        {"page_id": 1, "title": "A", "revision_id": 5, "source": "simplewiki-20200101.xml"},
        {"page_id": 2, "title": "B", "revision_id": 0, "source": "my-own-articles.parquet"},
    ]
    (tmp_path / "articles").mkdir()
    write_rows(tmp_path / "articles" / "articles-0.parquet", rows, article_schema())
    Attribution.write(tmp_path / "articles", tmp_path / "arrays")
    attribution = Attribution(tmp_path / "arrays", "fr", 19690720, "filtered")
    made = attribution.of([document(f"wikipedia:{page}", "wikipedia", "", title="A") for page in (1, 2)])
    assert [row["link"] for row in made] == [
        "https://simple.wikipedia.org/w/index.php?title=A&oldid=5",
        "https://fr.wikipedia.org/wiki/A",
    ]
