import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deepred.base.tables import document_schema, write_rows
from deepred.corpus.shards import write_shards
from deepred.corpus.tokenizer import train_tokenizer
from deepred.run.config import Pretrain, Shards, Tokenizer
from deepred.run.settings import Settings
from deepred.run.stage import Work

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
SMALL = {
    "model": {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1, "feed_forward": 48},
    "tokens": 20 * 4 * 16,
    "sequence": 16,
    "batch": 4,
    "micro_batch": 2,
    "learning_rate": 1e-2,
    "checkpoint_steps": 5,
    "validate_steps": 10,
}


@dataclass
class Corpus:
    """Token files and their tokenizer."""

    shards: Path
    tokenizer: Path

    def pretrain(self, out: Path, seed: int = 1, start: Path | None = None, work: Work | None = None, **config: Any):
        """Train a small model on them."""
        from deepred.train.pretrain import pretrain

        out.mkdir(exist_ok=True)
        return pretrain(
            shards=self.shards,
            tokenizer=self.tokenizer,
            config=Pretrain.model_validate(SMALL | config),
            seed=seed,
            out=out,
            start=start,
            work=work or Work(Settings(threads=1, device="cpu")),
        )


def _make_corpus(root: Path, documents: int = 60, vocabulary: int = 320) -> Corpus:
    """A corpus of random sentences in two sources."""
    pick = random.Random(7)
    for name in ("mixture", "tokenizer", "shards"):
        (root / name).mkdir(parents=True)
    for split, count in (("train", documents), ("validation", 4)):
        for source in ("books", "wikipedia"):
            texts = [" ".join(pick.choice(WORDS) for _ in range(30)) for _ in range(count)]
            rows = [
                {"id": f"{source}:{n}", "source": source, "title": "", "text": text} for n, text in enumerate(texts)
            ]
            write_rows(root / "mixture" / f"{split}-{source}-00000.parquet", rows, document_schema())
    work = Work(Settings())
    config = Tokenizer(vocabulary=vocabulary)
    train_tokenizer(mixture=root / "mixture", config=config, out=root / "tokenizer", work=work)
    write_shards(
        mixture=root / "mixture", tokenizer=root / "tokenizer", config=Shards(), out=root / "shards", work=work
    )
    return Corpus(root / "shards", root / "tokenizer")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return _make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def make_corpus():
    """Makes a corpus in a folder."""
    return _make_corpus


@pytest.fixture(scope="session")
def trained(corpus, tmp_path_factory):
    """The folder of an uninterrupted run, and its counts."""
    out = tmp_path_factory.mktemp("trained")
    return out, corpus.pretrain(out)


@pytest.fixture(scope="session")
def curve():
    """Reads a run's curves."""
    return lambda out: [json.loads(line) for line in (out / "curves.jsonl").read_text().splitlines()]
