"""The index of the training text: what it costs to build, to keep and to ask.

    DEEPRED_SAMPLES=... python benchmarks/trace.py [--copies 1] [--workers 2] [--queries 50]

The corpus is the samples' articles, paragraph by paragraph shuffled between articles in every copy after the first, so
that copies share paragraphs and not documents. Asked are whole sentences of it, the same with a word changed in the
middle, and pairs of names; next to a scan of the same text (``trace_families``), which needs no index. Prints JSON.
"""

import argparse
import json
import os
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path

from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.evaluate.trace.trace import trace_facts, trace_families, trace_text
from deepred.evaluate.trace.word_index import TextIndex, build_index
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.text.phrases import sentences_of

TOKEN_BYTES = 4.4
"""Bytes of English prose a token of a vocabulary of 32,000 and more."""


def rows(copies):
    source = Path(os.environ["DEEPRED_SAMPLES"]) / "articles"
    blank = {"first": None, "last": None, "author": "", "licence": "CC BY-SA 4.0", "origin": ""}
    for copy in range(copies):
        for row in read_rows(source, "*.parquet", ["page_id", "title", "text"], batch=64):
            paragraphs = row["text"].split("\n")
            random.Random(f"{copy} {row['page_id']}").shuffle(paragraphs) if copy else None
            name = f"wikipedia:{copy}-{row['page_id']}"
            yield {"id": name, "source": "wikipedia", "title": row["title"], "text": "\n".join(paragraphs), **blank}


def asked(mixture, queries):
    chance = random.Random(1)
    sentences, names = [], []
    for row in read_rows(mixture, "train-*.parquet", ["title", "text"]):
        spans = [span for span in sentences_of(row["text"]) if 60 < span[1] - span[0] < 200]
        if spans:
            start, end = chance.choice(spans)
            sentences.append(row["text"][start:end].strip())
            names.append((row["title"], next((w for w in sentences[-1].split()[1:] if w[:1].isupper()), "the")))
        if len(sentences) >= 20 * queries:
            break
    return chance.sample(sentences, min(queries, len(sentences))), chance.sample(names, min(queries, len(names)))


def timed(function, arguments):
    seconds, found = [], []
    for argument in arguments:
        started = time.perf_counter()
        found.append(function(argument))
        seconds.append(time.perf_counter() - started)
    return {"median_s": round(statistics.median(seconds), 4), "slowest_s": round(max(seconds), 4)}, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--queries", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        mixture, out = Path(name) / "mixture", Path(name) / "index"
        mixture.mkdir()
        out.mkdir()
        write_rows(mixture / "train-wikipedia-00000.parquet", rows(options.copies), document_schema())
        size = sum(len(row["text"].encode()) for row in read_rows(mixture, "train-*", ["text"]))
        before, started = os.times(), time.perf_counter()
        counts = build_index(mixture, out, Work(Settings(workers=options.workers)))
        wall, after = time.perf_counter() - started, os.times()
        cpu = sum(after[:4]) - sum(before[:4])
        index = TextIndex(out, mixture)
        sentences, names = asked(mixture, options.queries)
        changed = [" ".join([*(w := s.split())[: len(w) // 2], "zzz", *w[len(w) // 2 + 1 :]]) for s in sentences]
        whole, found = timed(lambda text: trace_text(index, text, most=3), sentences)
        broken, _ = timed(lambda text: trace_text(index, text, most=3), changed)
        families = [{"family": str(n), "subject": a, "answer_text": b} for n, (a, b) in enumerate(names)]
        facts, _ = timed(lambda one: trace_facts(index, [one]), families)
        started = time.perf_counter()
        trace_families(mixture, families)
        scan = time.perf_counter() - started
        tokens = size / TOKEN_BYTES
        kept = sum(path.stat().st_size for path in out.glob("*.npy"))
        print(json.dumps({
            "bytes": size, "tokens": round(tokens), "words": counts.numbers["words"], "blocks": len(index.blocks),
            "build_wall_s": round(wall, 1), "build_cpu_s": round(cpu, 1), "workers": options.workers,
            "cpu_min_a_billion_tokens": round(cpu / tokens * 1e9 / 60, 1),
            "index_bytes": kept, "index_bytes_a_text_byte": round(kept / size, 2),
            "peak_mb_a_worker": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
            "peak_mb_asking": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "found": sum(bool(one) and one[0].exact for one in found), "asked": len(sentences),
            "sentence": whole, "changed": broken, "fact": facts, "scan_of_all_facts_s": round(scan, 1),
        }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
