#!/usr/bin/env python3
"""Token files end to end (Parquet in, .bin out) against the bare tokenizer on the same texts, on two workers.

    DEEPRED_SAMPLES=... python benchmarks/shards.py [--megabytes 60] [--rounds 3] [--vocabulary 32000]

Alternating runs, each in a process of its own. The bare rate is `tokenizers`' `encode_batch_fast` over texts that are
in memory already, on two threads of its own. Ratios are medians of the rounds' ratios; processor time counts that of
child processes too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def make_corpus(root, megabytes, vocabulary):
    """A mixture of real articles, cut to a size, and the tokenizer trained on it."""
    import pyarrow.parquet as pq

    from deepred.base.tables import document_schema, write_rows
    from deepred.corpus.tokenizer import train_tokenizer
    from deepred.run.config import Tokenizer
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    for name in ("mixture", "tokenizer"):
        (root / name).mkdir()

    def rows():
        left = megabytes * 1_000_000
        file = pq.ParquetFile(Path(os.environ["DEEPRED_SAMPLES"]) / "articles" / "enwiki-2015-core.parquet")
        for batch in file.iter_batches(256, columns=["page_id", "title", "text"]):
            for row in batch.to_pylist():
                if left <= 0:
                    return
                left -= len(row["text"].encode())
                yield {
                    "id": str(row["page_id"]),
                    "source": "wikipedia",
                    "title": row["title"],
                    "text": row["text"],
                }

    write_rows(root / "mixture" / "train-wikipedia-00000.parquet", rows(), document_schema(), batch=512)
    config = Tokenizer(vocabulary=vocabulary, sample_bytes=10_000_000)
    train_tokenizer(mixture=root / "mixture", config=config, out=root / "tokenizer", work=Work(Settings()))


def bare(root):
    from deepred.base.tables import read_rows
    from deepred.corpus.tokenizer import load_encoder

    texts = [row["text"] for row in read_rows(root / "mixture", "train-*.parquet", ["text"])]
    encoder = load_encoder(root / "tokenizer")
    size = sum(len(text.encode()) for text in texts)
    started = clock()
    for first in range(0, len(texts), 512):
        encoder.encode_batch_fast(texts[first : first + 512], add_special_tokens=False)
    return size, started


def stage(root):
    from deepred.corpus.shards import write_shards
    from deepred.run.config import Shards
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    with tempfile.TemporaryDirectory(dir=root) as out:
        started = clock()
        counts = write_shards(
            mixture=root / "mixture",
            tokenizer=root / "tokenizer",
            config=Shards(),
            out=Path(out),
            work=Work(Settings(workers=2)),
        )
        return counts.numbers["bytes"], started


def clock():
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def measure(name, root):
    size, (wall, processor) = {"bare": bare, "stage": stage}[name](root)
    now = clock()
    return {"wall": size / 1e6 / (now[0] - wall), "processor": size / 1e6 / (now[1] - processor)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=int, default=60)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--vocabulary", type=int, default=32_000)
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(measure(given.one[0], Path(given.one[1]))))
        return
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        make_corpus(Path(folder), given.megabytes, given.vocabulary)
        for _ in range(given.rounds):
            found = {}
            for name in ("bare", "stage"):
                command = [sys.executable, __file__, "--one", name, folder]
                done = subprocess.run(
                    command, capture_output=True, text=True, check=True, env=os.environ | THREADS[name]
                )
                found[name] = json.loads(done.stdout.splitlines()[-1])
            rounds.append(found)
            print(
                "  ".join(
                    f"{name} {row['wall']:.2f} MB/s, {row['processor']:.2f} MB/cpu-s" for name, row in found.items()
                )
            )
    for kind in ("wall", "processor"):
        ratio = statistics.median(row["stage"][kind] / row["bare"][kind] for row in rounds)
        print(f"{kind}: {ratio:.2f} of the bare rate")


THREADS = {"bare": {"TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": "2"}, "stage": {}}

if __name__ == "__main__":
    main()
