"""Dating measured: the speed of the date reader, the truth of the generated world, coverage on real articles.

    python benchmarks/dating.py --speed                 # MB/s of ordinary prose, microseconds a date in dense prose
    python benchmarks/dating.py --world 1 2 7           # class and first-known year against the truth, source by source
    python benchmarks/dating.py --samples [--articles 15000]
    python benchmarks/dating.py --wikiwars [FOLDER]     # date expressions against the annotated articles on wars

The last two need DEEPRED_SAMPLES. One core; CPU time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wikiwars import score_folder

from deepred.base.days import year_of
from deepred.base.tables import read_rows
from deepred.dating.dates import gather, resolve
from deepred.filter.classes import classify
from deepred.run.config import Articles, Facts, World
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.sources.wiki.articles import extract_articles
from deepred.sources.wiki.plain_articles import iterate_plain, plain_row
from deepred.sources.world.world import build_world
from deepred.text.dates.find import find_dates

CUTOFF = 19690720
MOST_LATE = 0.9
SOURCES = ("wikidata", "category", "infobox", "lead")
DENSE = (
    "He was born on 12 February 1809, moved c. 1830–31, led it from 1861 to 1865, in the late 1850s, and died in 1865. "
)
"""A sentence that is hardly more than dates."""


def samples() -> Path:
    """The folder of the sample data."""
    return Path(os.environ["DEEPRED_SAMPLES"])


def real_articles(most: int) -> Iterator[dict[str, Any]]:
    """Article rows of the 2015 corpus."""
    path = samples() / "articles" / "enwiki-2015-core.parquet"
    for row in iterate_plain(path, 0, most):
        yield plain_row(row, "plain")


def speed(megabytes: float) -> None:
    """Print the speed of ``find_dates`` on ordinary prose (real where there is some) and on dense prose."""
    texts: list[str] = []
    if "DEEPRED_SAMPLES" in os.environ:
        for row in real_articles(2000):
            texts.append(row["text"])
            if sum(map(len, texts)) > megabytes * 1e6:
                break
        measure("ordinary prose", texts)
    for size in (1, 2, 4):
        measure(f"dense dates x{size}", [DENSE * 2000 * size])


def measure(name: str, texts: list[str]) -> None:
    """Print MB/s and microseconds a date."""
    size = sum(len(text.encode()) for text in texts)
    start = time.process_time()
    count = sum(len(find_dates(text)) for text in texts)
    spent = time.process_time() - start
    rates = f"{size / spent / 1e6:6.1f} MB/s {spent / count * 1e6:6.1f} µs a date"
    print(f"{name:<16} {size / 1e6:6.2f} MB {count:8,} dates {rates}")


def label(dating: Any) -> str:
    """The class of a dating at the cutoff."""
    row = {
        "first": dating.first,
        "last": dating.last,
        "first_known": dating.first_known,
        "ended": dating.ended,
        "evidence": [row.row() for row in dating.evidence],
    }
    return classify(row, None, CUTOFF, "drop", MOST_LATE)[0]


def world_articles(
    seed: int, folder: Path, *, facts: bool
) -> tuple[Iterable[dict[str, Any]], Path | None, dict[int, Any]]:
    """The extracted articles of a generated world, its facts' folder (None without), and the truth by page."""
    work = Work(Settings())
    world, articles, claims = (folder / name for name in ("world", "articles", "facts"))
    for path in (world, articles, claims):
        path.mkdir()
    build_world(config=World(seed=seed), out=world, work=work)
    dump = world / "worldwiki-pages-articles-multistream.xml.bz2"
    extract_articles(config=Articles(), sources={"dumps": [dump]}, out=articles, work=work)
    if facts:
        from deepred.dating.facts.facts import extract_facts

        dumps = {"wikidata": [world / "wikidata.json.bz2"]}
        extract_facts(config=Facts(wiki="worldwiki"), sources=dumps, out=claims, work=work)
    truth = {row["page_id"]: row for row in read_rows(world / "truth", "articles.parquet")}
    return read_rows(articles, "articles-*.parquet"), claims if facts else None, truth


def score_world(seed: int, *, facts: bool, wrong: int) -> None:
    """Print class accuracy and share of exact first-known years of a world, for each source alone and for all."""
    from deepred.dating.fact_index import FactIndex, IndexFacts, index_facts

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, claims, truth = world_articles(seed, folder, facts=facts)
        index = None
        if claims is not None:
            index_facts(IndexFacts(claims, folder / "articles"), folder)
            index = FactIndex(folder)
        articles = [(row, list(index.find(row["title"])) if index else []) for row in rows]
        for use in [*((source,) for source in SOURCES if facts or source != "wikidata"), SOURCES]:
            count: Counter[str] = Counter()
            for row, found in articles:
                score(row, found, use, truth[row["page_id"]], count, wrong)
            report_source(seed, "+".join(use) if len(use) == 1 else "all", count)


def report_source(seed: int, name: str, count: Counter[str]) -> None:
    """Print a line of the table: of what a source dates, how much is right; estimates (a birth, no deed) apart."""
    attested = count["dated"] - count["estimates"]
    estimates = f", of {count['estimates']} estimates {count['class of estimates']} classes right" * bool(
        count["estimates"]
    )
    print(
        f"seed {seed}  {name:<9} dated {count['dated']:4} of {count['datable']:4} (not covered {count['uncovered']:3})"
        f"  class {share(count['class'], attested)}  first-known year {share(count['year'], attested)}{estimates}"
    )


def share(part: int, whole: int) -> str:
    """A share as text, a dash where there is nothing."""
    return f"{part / whole:.4f}" if whole else "     -"


def score(
    row: dict[str, Any], facts: list[Any], use: tuple[str, ...], truth: dict[str, Any], count: Counter[str], wrong: int
) -> None:
    """Count one article: uncovered where the source says nothing of it, else right or wrong."""
    evidence = list(gather(row, facts, use))
    dating = resolve(evidence, use)
    if truth["first_known"] is None:
        count["undatable, dated" if dating.first_known is not None else "undatable"] += 1
        return
    count["datable"] += 1
    if dating.first_known is None:
        count["uncovered"] += 1
        return
    count["dated"] += 1
    right = label(dating) == truth["class"]
    estimate = dating.evidence[0].kind == "estimate"
    count["estimates"] += estimate
    count["class of estimates" if estimate else "class"] += right
    exact = year_of(dating.first_known) == year_of(truth["first_known"])
    count["year"] += exact and not estimate
    if not (right and exact) and not estimate and count["shown"] < wrong:
        count["shown"] += 1
        print(
            "   ",
            row["title"],
            label(dating),
            dating.first_known,
            "truth",
            truth,
            [r.row() for r in dating.evidence][:4],
        )


def score_samples(most: int) -> None:
    """Print the share of real articles that each source dates: the sample dumps, and the 2015 corpus (lead alone)."""
    with tempfile.TemporaryDirectory() as name:
        names = ("enwiki-latest*", "enwiki-10k*", "simplewiki-small*")
        dumps = [path for pattern in names for path in sorted((samples() / "wikipedia").glob(pattern))]
        for number, dump in enumerate(dumps):
            out = Path(name) / str(number)
            out.mkdir()
            extract_articles(config=Articles(), sources={"dumps": [dump]}, out=out, work=Work(Settings()))
            cover(f"{dump.name[:28]}", read_rows(out, "articles-*.parquet"), ("category", "infobox", "lead"))
    cover("enwiki-2015-core", real_articles(most), ("lead",))


def cover(name: str, rows: Iterable[dict[str, Any]], use: tuple[str, ...]) -> None:
    """Print the share of articles that are dated, by each source and by all, and the classes."""
    count: Counter[str] = Counter()
    for row in rows:
        if row.get("disambiguation"):
            continue
        count["articles"] += 1
        evidence = list(gather(row, [], use))
        for source in use:
            count[source] += (
                resolve([one for one in evidence if one.source == source], (source,)).first_known is not None
            )
        dating = resolve(evidence, use)
        count["dated"] += dating.first_known is not None
        count[label(dating)] += 1
    total = count["articles"]
    shares = "  ".join(f"{key} {count[key] / total:.3f}" for key in (*use, "dated"))
    print(f"{name:<28} {total:6} articles  {shares}  " + " ".join(f"{key} {count[key]}" for key in "OSNU"))


def main() -> None:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--world", type=int, nargs="*", default=[], metavar="SEED")
    parser.add_argument("--no-facts", action="store_true", help="leave Wikidata out")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the first N wrong articles or dates")
    parser.add_argument("--samples", action="store_true")
    parser.add_argument("--articles", type=int, default=15_000)
    parser.add_argument("--wikiwars", type=Path, nargs="?", const=Path(), metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.speed:
        speed(arguments.megabytes)
    for seed in arguments.world:
        score_world(seed, facts=not arguments.no_facts, wrong=arguments.show)
    if arguments.wikiwars is not None:
        folder = samples() / "wikiwars" if arguments.wikiwars == Path() else arguments.wikiwars
        score_folder(folder, arguments.show)
    if arguments.samples:
        score_samples(arguments.articles)


if __name__ == "__main__":
    main()
