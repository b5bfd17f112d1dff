import hashlib
import json
import random
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import document_schema, passage_schema, read_rows, write_rows
from deepred.corpus.cleaned_documents import fraction, probe_statements
from deepred.corpus.mixture import mix_corpus
from deepred.corpus.probes.exposures import Exposures
from deepred.run.config import Mixture
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.run.workers import DONE

WORDS = [
    "red",
    "moon",
    "quiet",
    "town",
    "engineers",
    "built",
    "bridges",
    "sailors",
    "read",
    "old",
    "letters",
    "by",
    "lamp",
]


def sentences(number, count=12):
    pick = random.Random(number)
    made = (" ".join(pick.choice(WORDS) for _ in range(9)) for _ in range(count))
    return " ".join(f"{sentence.capitalize()}." for sentence in made)


def article(number, text=None):
    return {"page_id": number, "title": f"Page {number}", "class": "O", "text": text or sentences(number), "spans": []}


def document(identity, source, text):
    return {"id": identity, "source": source, "title": identity, "text": text}


@pytest.fixture
def mix(tmp_path):
    """Mixes hand-made inputs into a folder and returns (folder, counts)."""

    def make(articles, families=(), out="mixture", arm="filtered", config=None, seed=1, parts=1, workers=1, **more):
        passages, probes = tmp_path / "passages", tmp_path / "probes"
        for folder in (passages, probes, tmp_path / out):
            folder.mkdir(exist_ok=True)
        articles = list(articles)
        for part in range(parts):
            write_rows(passages / f"passages-{part:03d}.parquet", articles[part::parts], passage_schema())
        (probes / "probes.jsonl").write_text("".join(json.dumps(f) + "\n" for f in families), encoding="utf-8")
        folders = dict.fromkeys(("world", "books", "chess", "topics"))
        for name, rows in more.items():
            if name == "world":
                folders[name] = rows
                continue
            folders[name] = tmp_path / name
            folders[name].mkdir(exist_ok=True)
            write_rows(folders[name] / "documents-000.parquet", rows, document_schema())
        counts = mix_corpus(
            passages=passages,
            probes=probes,
            config=config or Mixture(),
            seed=seed,
            arm=arm,
            out=tmp_path / out,
            work=Work(Settings(workers=workers)),
            **folders,
        )
        return tmp_path / out, counts

    return make


FAMILY = {
    "family": "f1",
    "era": "before",
    "known": 19010101,
    "relation": "inventor",
    "subject": "Kelvor engine",
    "answer_text": "Ada Brunn",
    "items": [
        {
            "prompt": "The Kelvor engine was the work of",
            "neutral": "It was the work of",
            "options": ["Jo Rill", "Ada Brunn"],
            "answer": 1,
        }
    ],
}


def texts(folder, split="train"):
    return {row["id"]: row["text"] for row in read_rows(folder, f"{split}-*.parquet")}


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and DONE not in path.parts)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_passages_become_documents_with_their_title_as_first_line(mix):
    folder, counts = mix([article(n) for n in range(40)])
    found = texts(folder) | texts(folder, "validation")
    assert found["wikipedia:7"] == f"Page 7\n\n{sentences(7)}"
    assert len(found) == 40
    assert counts.numbers["documents"] == len(texts(folder))


def test_validation_is_never_empty_and_never_in_training(mix):
    folder, _ = mix([article(n) for n in range(10)])
    train, validation = texts(folder), texts(folder, "validation")
    assert validation
    assert not set(train) & set(validation)


def test_a_document_is_in_the_same_split_in_every_arm(mix):
    config = Mixture(validation=0.3)
    articles = [article(n) for n in range(60)]
    filtered, _ = mix(articles, config=config)
    unfiltered, _ = mix([*articles, article(99)], out="unfiltered", arm="unfiltered", config=config)
    assert set(texts(filtered, "validation")) == set(texts(unfiltered, "validation")) - {"wikipedia:99"}


def test_sentences_with_a_probes_wording_are_removed_and_other_statements_stay(mix):
    statement = "Ada Brunn built the Kelvor engine in a barn."
    probe = "The Kelvor  engine was the work of ADA Brunn, they say."
    folder, counts = mix(
        [article(n) for n in range(30)],
        [FAMILY],
        books=[document("books:1", "books", f"{sentences(50)} {statement} {probe}")],
    )
    found = (texts(folder) | texts(folder, "validation"))["books:1"]
    assert statement in found
    assert "the work of" not in found
    assert counts.drops["probe"] == 1
    dropped = [row for row in read_rows(folder, "dropped-*.parquet") if row["reason"] == "probe"]
    assert [(row["id"], row["text"]) for row in dropped] == [("books:1", probe)]


def test_long_probes_are_found_by_any_thirteen_words():
    words = [f"w{n}" for n in range(20)]
    found = probe_statements([{"items": [{"prompt": " ".join(words[:19]), "options": [words[19]], "answer": 0}]}])
    assert len(found) == 8
    assert all(len(statement.split()) == 13 for statement in found)


def test_repeated_documents_are_dropped_with_what_they_repeat(mix):
    words = sentences(1, 20).split()
    words[60:64] = ["quite", "other", "words", "here"]
    folder, counts = mix(
        [article(n, sentences(n, 20)) for n in range(30)],
        books=[
            document("books:same", "books", f"Page 3\n\n{sentences(3, 20)}"),
            document("books:near", "books", "Page 1\n\n" + " ".join(words)),
        ],
    )
    assert counts.drops == Counter({"duplicate": 1, "near-duplicate": 1})
    dropped = {row["id"]: (row["reason"], row["repeats"]) for row in read_rows(folder, "dropped-*.parquet")}
    assert dropped == {
        "books:same": ("duplicate", "wikipedia:3"),
        "books:near": ("near-duplicate", "wikipedia:1"),
    }


def test_weights_are_epochs_of_the_training_split(mix):
    books = [document(f"books:{n}", "books", sentences(1000 + n)) for n in range(200)]
    chess = [document(f"chess:{n}", "chess", sentences(2000 + n)) for n in range(200)]
    config = Mixture(weights={"wikipedia": 2.0, "books": 0.5, "chess": 0.0})
    folder, counts = mix([article(n) for n in range(50)], config=config, books=books, chess=chess)
    seen = Counter(row["id"] for row in read_rows(folder, "train-*.parquet"))
    of = {source: [n for i, n in seen.items() if i.startswith(source)] for source in ("wikipedia", "books", "chess")}
    assert set(of["wikipedia"]) == {2}
    assert set(of["books"]) == {1}
    assert 70 <= len(of["books"]) <= 130
    assert not of["chess"]
    assert counts.drops["weight"] == 400 - len(of["books"]) - len(
        [i for i in texts(folder, "validation") if not i.startswith("wikipedia")]
    )


def test_shares_by_source_and_exposures_are_noted(mix):
    told = "The Kelvor engine made Ada Brunn rich. Ada Brunn rested. Ada Brunn sold the Kelvor engine."
    articles = [article(n) for n in range(30)] + [article(n, f"{sentences(n)} {told}") for n in range(100, 140)]
    folder, counts = mix(
        articles, [FAMILY], books=[document(f"books:{n}", "books", sentences(n + 500)) for n in range(9)]
    )
    assert set(counts.notes["sources"]) == {"wikipedia", "books"}
    assert sum(source["share"] for source in counts.notes["sources"].values()) == pytest.approx(1, abs=1e-3)
    stated = sum(told in text for text in texts(folder).values())
    assert counts.notes["exposures"] == {"median": 2 * stated, "min": 2 * stated, "max": 2 * stated, "below_two": 0}
    assert json.loads((folder / "exposures.json").read_text()) == {"f1": 2 * stated}


def test_a_sentence_exposes_a_family_only_with_subject_and_answer():
    exposures = Exposures([("f1", "Kelvor engine", "Ada Brunn"), ("f2", "Kelvor engine", "1901")])
    assert sorted(exposures.of("The Kelvor engine of Ada Brunn ran in 1901.")) == ["f1", "f2"]
    assert list(exposures.of("The Kelvor engine. Ada Brunn rested in 1901.")) == []


def write_truth(folder, rows):
    (folder / "truth").mkdir(parents=True)
    table = pa.Table.from_pylist([dict(zip(("page_id", "text", "floor_text"), row, strict=True)) for row in rows])
    pq.write_table(table, folder / "truth" / "sentences.parquet")


def test_floor_of_the_world_replaces_stated_facts_and_nothing_else(mix, tmp_path):
    true, false = "Ada Brunn built the Kelvor engine.", "Ada Brunn built the Morrow lamp."
    write_truth(
        tmp_path / "world", [(1, true, false), (1, "It rained.", "It rained."), (2, "He knew it.", "She knew it.")]
    )
    articles = [article(1, f"It rained. {true} {sentences(1)}"), article(3, f"He knew it. {sentences(3)}")]
    topics = [document("topics:1", "topics", f"1901\n{true}\n{sentences(4)}")]
    more = [article(n) for n in range(10, 30)]
    folder, counts = mix([*articles, *more], arm="floor", world=tmp_path / "world", topics=topics)
    found = texts(folder) | texts(folder, "validation")
    assert found["wikipedia:1"] == f"Page 1\n\nIt rained. {false} {sentences(1)}"
    assert found["wikipedia:3"] == f"Page 3\n\nHe knew it. {sentences(3)}"
    assert found["topics:1"] == f"1901\n{false}\n{sentences(4)}"
    assert counts.numbers["floor_sentences"] == 2


def test_other_arms_keep_the_worlds_facts(mix, tmp_path):
    true = "Ada Brunn built the Kelvor engine."
    write_truth(tmp_path / "world", [(1, true, "Ada Brunn built the Morrow lamp.")])
    folder, _ = mix([article(1, f"{true} {sentences(1)}"), article(2), article(4)], world=tmp_path / "world")
    assert true in "".join((texts(folder) | texts(folder, "validation")).values())


def test_a_floor_that_replaces_nothing_fails(mix, tmp_path):
    write_truth(tmp_path / "world", [(1, "Not in any text.", "Nor this.")])
    with pytest.raises(FaultError, match="no floor"):
        mix([article(1), article(2)], arm="floor", world=tmp_path / "world")


def test_floor_of_real_data_removes_sentences_that_name_a_probe_and_tops_up(mix):
    named = "Some say Ada Brunn was late. The Kelvor engine smoked."
    articles = [article(n, f"{sentences(n, 6)} {named * 3}") for n in range(40)]
    filtered, _ = mix(articles, [FAMILY])
    floor, counts = mix(articles, [FAMILY], out="floor", arm="floor")
    assert not any("Brunn" in text or "Kelvor" in text for text in (texts(floor) | texts(floor, "validation")).values())

    def characters(folder):
        return sum(len(row["text"]) for row in read_rows(folder, "train-*.parquet"))

    assert counts.drops["floor"] > 0
    assert characters(floor) == pytest.approx(characters(filtered), rel=0.1)


def test_empty_articles_are_dropped_with_a_reason(mix):
    folder, counts = mix([article(1), article(2), article(3, "  ")])
    assert counts.drops["empty"] == 1
    assert "wikipedia:3" not in texts(folder) | texts(folder, "validation")


def test_a_corpus_without_training_documents_is_an_error(mix):
    with pytest.raises(UserError, match="no training document"):
        mix([article(1)])


def test_output_is_the_same_for_any_number_of_workers_and_when_resumed(mix, tmp_path):
    articles = [article(n) for n in range(60)]
    books = [document(f"books:{n}", "books", sentences(n + 700)) for n in range(30)]
    one, first = mix(articles, [FAMILY], parts=3, books=books)
    two, second = mix(articles, [FAMILY], out="two", parts=3, workers=2, books=books)
    assert hashes(one) == hashes(two)
    assert first.to_json() == second.to_json()
    # killed after the shards and before the end: what is there is used, what is missing is made again
    (two / "train-books-00000.parquet").unlink()
    (two / DONE / "books-00000.json").unlink()
    mix(articles, [FAMILY], out="two", parts=3, books=books)
    assert hashes(one) == hashes(two)


def test_fractions_are_spread_evenly_and_fixed():
    values = [fraction(1, "split", f"wikipedia:{n}") for n in range(2000)]
    assert 0.45 < sum(values) / 2000 < 0.55
    assert fraction(1, "split", "wikipedia:1") == pytest.approx(values[1])
    assert fraction(2, "split", "wikipedia:1") != values[1]


def test_shares_are_shares_of_the_training_tokens_and_the_table_adds_up(mix):
    books = [document(f"books:{n}", "books", sentences(3000 + n, 4 + n % 60)) for n in range(120)]
    chess = [document(f"chess:{n}", "chess", sentences(4000 + n)) for n in range(200)]
    config = Mixture(shares={"wikipedia": 0.5, "books": 0.3, "chess": 0.2})
    folder, counts = mix([article(n) for n in range(100)], config=config, books=books, chess=chess)
    table = counts.notes["sources"]
    shares = {source: row["share"] for source, row in table.items()}
    assert shares == pytest.approx({"wikipedia": 0.5, "books": 0.3, "chess": 0.2}, abs=0.02)
    assert sum(row["tokens"] for row in table.values()) == counts.numbers["tokens"]
    assert sum(row["documents"] for row in table.values()) == counts.numbers["documents"]
    for source, row in table.items():
        prefix = source if source != "wikipedia" else "wikipedia:"
        seen = len({row["id"] for row in read_rows(folder, "train-*.parquet") if row["id"].startswith(prefix)})
        assert row["read"] == seen + row["validation"] + row["drops"].get("weight", 0)


def test_no_source_is_read_more_often_than_allowed(mix):
    books = [document(f"books:{n}", "books", sentences(5000 + n)) for n in range(10)]
    config = Mixture(shares={"wikipedia": 0.1, "books": 0.9}, max_epochs=2.0)
    _, counts = mix([article(n) for n in range(200)], config=config, books=books)
    assert counts.notes["sources"]["books"]["epochs"] == pytest.approx(2.0)
    assert counts.notes["sources"]["books"]["share"] == pytest.approx(0.9, abs=0.03)


def test_games_that_differ_in_a_square_are_no_near_duplicates_and_copies_of_articles_are(mix):
    text = sentences(1, 20)
    other = text.replace("red", "grey", 1)
    chess = [document("chess:1", "chess", text), document("chess:2", "chess", other)]
    _, counts = mix([article(n) for n in range(20)], chess=chess)
    assert counts.drops["near-duplicate"] == 0
    _, counts = mix(
        [article(n) for n in range(20)],
        out="books",
        books=[document("b:1", "books", text), document("b:2", "books", other)],
    )
    assert counts.drops["near-duplicate"] == 1
