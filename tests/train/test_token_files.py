import json
import shutil

import numpy as np
import pytest

from deepred.base.errors import FaultError, UserError
from deepred.train.token_files import Tokens, TokenStream


@pytest.fixture
def stream(tmp_path):
    files = []
    for number, size in enumerate((5, 3, 12)):
        np.arange(number * 100, number * 100 + size, dtype="<u2").tofile(tmp_path / f"f{number}.bin")
        files.append({"name": f"f{number}", "tokens": size})
    return TokenStream(tmp_path, files, "uint16")


def test_files_are_read_as_one_stream(stream):
    expected = [*range(5), *range(100, 103), *range(200, 212)]
    for start in range(20):
        for count in range(21 - start):
            assert stream.read(start, count).tolist() == expected[start : start + count]


def test_sequences_overlap_by_their_target_and_cover_the_stream(stream):
    sequences = stream.sequences(4)
    assert len(sequences) == 4
    batch = sequences.batch([0, 1, 3])
    assert batch.shape == (3, 5)
    assert batch[0, -1] == batch[1, 0]


def test_too_few_tokens_are_an_error(corpus):
    tokens = Tokens(corpus.shards)
    with pytest.raises(UserError, match="fewer than a sequence"):
        tokens.sequences(10**6, "contiguous")


def test_documents_are_the_files_own(corpus):
    tokens = Tokens(corpus.shards)
    end = tokens.meta["end_of_text"]
    spans = list(tokens.train.documents())
    assert len(spans) == tokens.meta["train"]["documents"]
    assert sum(size for _, size in spans) == len(tokens.train)
    for start, size in spans:
        text = tokens.train.read(start, size)
        assert text[-1] == end
        assert end not in text[:-1]


def test_a_truncated_file_is_named(corpus, tmp_path):
    shutil.copytree(corpus.shards, tmp_path / "s")
    path = next((tmp_path / "s").glob("train-*.bin"))
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(FaultError, match=path.name):
        Tokens(tmp_path / "s")


def test_other_tokens_have_another_fingerprint(corpus, tmp_path):
    shutil.copytree(corpus.shards, tmp_path / "s")
    meta = json.loads((tmp_path / "s" / "meta.json").read_text())
    meta["train"]["files"][0]["sha256"] = "0" * 64
    (tmp_path / "s" / "meta.json").write_text(json.dumps(meta))
    assert Tokens(tmp_path / "s").fingerprint() != Tokens(corpus.shards).fingerprint()
