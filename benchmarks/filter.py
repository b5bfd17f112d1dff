"""The sentence filter: right by a world's truth, and fast on real articles.

    python benchmarks/filter.py truth runs/demo.toml --set world.seed=2
    DEEPRED_SAMPLES=... python benchmarks/filter.py speed [ARTICLES.parquet] [--megabytes 20] [--limit 2000]

``truth`` gives recall and precision of a finished run. A truth sentence counts as kept when its text stands in the kept
text of its article: a late sentence that is dropped in one place and kept in another of the same article counts as
missed.

``speed`` learns from ``--limit`` articles, then filters others: CPU seconds and MB/s a core of reading (sentences and
dates: stage ``emergence``) and of judging (evidence, model, decision: stage ``passages``), in alternating runs with a
year regex over a regex of sentences, which is what anyone would write first; peak memory there and with four times the
text; the size of the tables; and what all of English Wikipedia would take.
"""

import argparse
import multiprocessing
import os
import re
import resource
import time
from collections import Counter
from pathlib import Path

from deepred.base.days import from_date
from deepred.base.tables import read_rows
from deepred.filter.emergence import describe_article
from deepred.filter.judge import Judge
from deepred.filter.measure.learn_from_corpus import Held, Lesson, learn, read_articles
from deepred.pipeline import STAGES
from deepred.run.config import load_run
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings
from deepred.run.stage import Work

CUTOFF = 19690720
WIKIPEDIA_CHARACTERS = 30e9
"""Plain text of English Wikipedia: about five billion words (2025)."""
CORES = 16
SENTENCE = re.compile(r"(?<=[.!?])\s+")
LATE_YEAR = re.compile(r"\b(?:19[7-9]\d|20[0-2]\d)\b")


def measure_truth(run_file, overrides):
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


def take(articles, characters, skip):
    """Articles after the first ``skip`` until they hold so many characters."""
    total = 0
    for number, row in enumerate(read_articles(articles, ["page_id", "title", "text"])):
        if number >= skip and total < characters:
            total += len(row["text"])
            yield row


def ours(articles, characters, skip, learned):
    judge = Judge.load(learned / "emergence", learned / "passages", CUTOFF, "drop", 0.5)
    reading = judging = 0.0
    size = dropped = 0
    for article in take(articles, characters, skip):
        started = time.process_time()
        row, _, _ = describe_article(article, judge.titles)
        read = time.process_time()
        _, decision = judge.judge(article, row | {"fold": 0}, "U")
        judging += time.process_time() - read
        reading += read - started
        size += len(article["text"])
        dropped += int((decision.reasons != 0).sum())
    return size, {"reading": reading, "judging": judging}, dropped


def regex(articles, characters, skip, learned):
    seconds = 0.0
    size = dropped = 0
    for article in take(articles, characters, skip):
        started = time.process_time()
        dropped += sum(bool(LATE_YEAR.search(part)) for part in SENTENCE.split(article["text"]))
        seconds += time.process_time() - started
        size += len(article["text"])
    return size, {"year regex": seconds}, dropped


def alone(function, *arguments):
    """Call a function in a process of its own; its result, and that process's peak memory in MB."""
    parent, child = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=send, args=(child, function, arguments))
    process.start()
    result = parent.recv()
    process.join()
    return result


def send(child, function, arguments):
    result = function(*arguments)
    child.send((*result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure_speed(articles, megabytes, limit, work, runs):
    lesson = Lesson(articles, Held(), limit, CUTOFF, "drop", 1)
    learned = learn(lesson, work, Work(Settings(data=work, workers=1)))
    size = sum(path.stat().st_size for path in learned.rglob("*.*") if path.name in ("terms.parquet", "names.days"))
    model = learned / "passages" / "model.npy"
    weights = model.stat().st_size / 1e6 if model.exists() else 0
    print(f"learned from {limit:,} articles: model {weights:.1f} MB, terms and names {size / 1e6:.1f} MB")
    characters = int(megabytes * 1e6)
    rates = {}
    for _ in range(runs):
        for function in (ours, regex):
            read, seconds, _, memory = alone(function, articles, characters, 0, learned)
            for name, spent in seconds.items():
                rates.setdefault(name, []).append(read / 1e6 / spent)
                print(f"{name:<12} {spent:7.2f} s CPU  {read / 1e6 / spent:7.1f} MB/s a core  peak {memory:.0f} MB")
    best = {name: max(values) for name, values in rates.items()}
    _, _, _, small = alone(ours, articles, characters // 4, 0, learned)
    _, _, _, large = alone(ours, articles, characters, 0, learned)
    print(f"peak memory {small:.0f} MB at {megabytes / 4:g} MB of text, {large:.0f} MB at {megabytes:g} MB")
    print(f"judging costs {best['year regex'] / best['judging']:.1f} times a year regex")
    for name in ("reading", "judging"):
        hours = WIKIPEDIA_CHARACTERS / 1e6 / best[name] / 3600
        print(f"{name}: English Wikipedia {hours:.1f} core-hours, {60 * hours / CORES:.0f} minutes on {CORES} cores")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    truth = commands.add_parser("truth")
    truth.add_argument("run", type=Path)
    truth.add_argument("--set", action="append", default=[], dest="overrides")
    speed = commands.add_parser("speed")
    samples = Path(os.environ.get("DEEPRED_SAMPLES", ""))
    speed.add_argument("articles", type=Path, nargs="?", default=samples / "articles" / "enwiki-2015-core.parquet")
    speed.add_argument("--megabytes", type=float, default=20)
    speed.add_argument("--limit", type=int, default=2000)
    speed.add_argument("--runs", type=int, default=2)
    speed.add_argument("--work", type=Path, default=Path("data") / "learned")
    arguments = parser.parse_args()
    if arguments.command == "truth":
        for name, value in measure_truth(arguments.run, arguments.overrides).items():
            print(f"{name:<16} {value:.4f}" if isinstance(value, float) else f"{name:<16} {value}")
    else:
        measure_speed(
            arguments.articles, arguments.megabytes, arguments.limit, arguments.work, arguments.runs
        )  # fmt: skip


if __name__ == "__main__":
    main()
