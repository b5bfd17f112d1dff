"""The sentence filter against the world's truth: recall and precision of a finished run.

    python benchmarks/filter.py runs/demo.toml --set world.seed=2

A truth sentence counts as kept when its text stands in the kept text of its article: a late sentence that is dropped in
one place and kept in another of the same article counts as missed.
"""

import argparse
from collections import Counter
from pathlib import Path

from deepred.config import load_run
from deepred.documents import from_date, read_rows
from deepred.pipeline import STAGES
from deepred.runner import Pipeline
from deepred.settings import Settings


def measure(run_file, overrides):
    pipeline = Pipeline(load_run(run_file, overrides), STAGES, Settings.from_environment())
    cutoff = from_date(pipeline.run.cutoff)
    passages = pipeline.folder(pipeline.node("passages"))
    kept = {row["page_id"]: row["text"] for row in read_rows(passages, "passages-*.parquet")}
    truth = pipeline.folder(pipeline.node("world")) / "truth"
    found = Counter()
    missed = Counter()
    for row in read_rows(truth, "sentences.parquet"):
        late = row["known"] is not None and row["known"] >= cutoff
        dropped = row["text"] not in kept.get(row["page_id"], "")
        found[late, dropped] += 1
        if late and not dropped:
            missed[row["why"]] += 1
    late = found[True, True] + found[True, False]
    return {
        "late": late,
        "clean": found[False, True] + found[False, False],
        "recall": found[True, True] / late,
        "precision": found[True, True] / (found[True, True] + found[False, True]),
        "missed by kind": dict(missed),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    arguments = parser.parse_args()
    for name, value in measure(arguments.run, arguments.overrides).items():
        print(f"{name:<16} {value:.4f}" if isinstance(value, float) else f"{name:<16} {value}")
