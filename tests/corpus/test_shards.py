import hashlib
import json
from itertools import pairwise

import numpy as np
import pytest

from deepred.base.errors import UserError
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.corpus.shards import token_type, write_shards
from deepred.corpus.tokenizer import load_encoder, train_tokenizer
from deepred.run.config import Shards, Tokenizer
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.run.workers import DONE

SPLITS = {
    "train-wikipedia-00000": [f"Document {n} tells of bridge {n * n} in Tollen." for n in range(200)],
    "train-books-00000": [f"Chapter {n}. It rained <|endoftext|> on." for n in range(50)] + ["", "word " * 5000],
    "validation-books-00000": ["A held-out chapter."],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("mixture", "tokenizer"):
        (folder / name).mkdir()
    for stem, texts in SPLITS.items():
        source = stem.split("-")[1]
        rows = [{"id": f"{stem}:{n}", "source": source, "title": "", "text": text} for n, text in enumerate(texts)]
        write_rows(folder / "mixture" / f"{stem}.parquet", rows, document_schema())
    config = Tokenizer(vocabulary=400)
    train_tokenizer(mixture=folder / "mixture", config=config, out=folder / "tokenizer", work=Work(Settings()))
    return folder


def write(corpus, out, workers=1, tokens_per_file=100_000):
    out.mkdir(exist_ok=True)
    config = Shards(tokens_per_file=tokens_per_file)
    work = Work(Settings(workers=workers))
    counts = write_shards(mixture=corpus / "mixture", tokenizer=corpus / "tokenizer", config=config, out=out, work=work)
    return json.loads((out / "meta.json").read_text()), counts


def documents(corpus, out, meta, split):
    """Every document's text as the token files hold it."""
    encoder = load_encoder(corpus / "tokenizer")
    for file in meta[split]["files"]:
        tokens = np.fromfile(out / f"{file['name']}.bin", meta["dtype"])
        ends = np.load(out / f"{file['name']}.npy")
        assert ends[0] == 0
        assert ends[-1] == len(tokens) == file["tokens"]
        for start, end in pairwise(ends):
            assert tokens[end - 1] == meta["end_of_text"]
            assert meta["end_of_text"] not in tokens[start : end - 1]
            yield encoder.decode(tokens[start : end - 1].tolist(), skip_special_tokens=False)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_document_comes_back_from_the_token_files(corpus, tmp_path, split):
    meta, _ = write(corpus, tmp_path / "s")
    expected = [row["text"] for row in read_rows(corpus / "mixture", f"{split}-*.parquet", ["text"])]
    assert list(documents(corpus, tmp_path / "s", meta, split)) == expected


def test_files_hold_at_most_the_wished_tokens_but_whole_documents(corpus, tmp_path):
    meta, _ = write(corpus, tmp_path / "s", tokens_per_file=1000)
    sizes = [(file["tokens"], file["documents"]) for file in meta["train"]["files"]]
    assert len(sizes) > 3
    assert all(tokens <= 1000 or count == 1 for tokens, count in sizes)


def test_totals_by_source_are_what_the_files_hold(corpus, tmp_path):
    meta, counts = write(corpus, tmp_path / "s")
    train = meta["train"]
    assert train["tokens"] == sum(file["tokens"] for file in train["files"])
    assert train["documents"] == 252
    assert train["sources"]["wikipedia"]["documents"] == 200
    assert train["bytes"] == sum(
        len(text.encode()) for stem, texts in SPLITS.items() if "train" in stem for text in texts
    )
    assert counts.numbers["tokens"] == train["tokens"] + meta["validation"]["tokens"]


def test_checksums_are_the_files_own(corpus, tmp_path):
    meta, _ = write(corpus, tmp_path / "s")
    for file in meta["train"]["files"]:
        assert hashlib.sha256((tmp_path / "s" / f"{file['name']}.bin").read_bytes()).hexdigest() == file["sha256"]


def test_output_is_the_same_for_any_number_of_workers(corpus, tmp_path):
    found = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        write(corpus, out, workers, 1000)
        paths = sorted(path for path in out.rglob("*") if path.is_file() and DONE not in path.parts)
        found.append({path.name: path.read_bytes() for path in paths})
    assert found[0] == found[1]


def test_an_empty_mixture_is_an_error(corpus, tmp_path):
    (tmp_path / "mixture").mkdir()
    with pytest.raises(UserError, match=r"no train-\*\.parquet"):
        write_shards(
            mixture=tmp_path / "mixture",
            tokenizer=corpus / "tokenizer",
            config=Shards(),
            out=tmp_path,
            work=Work(Settings()),
        )


@pytest.mark.parametrize(("vocabulary", "expected"), [(2048, "uint16"), (65536, "uint16"), (65537, "uint32")])
def test_ids_take_the_smallest_type(vocabulary, expected):
    assert token_type(vocabulary).name == expected
