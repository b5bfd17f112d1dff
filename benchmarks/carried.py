"""Dates without a year, carried from the text before them: how often right, on wars and on lives.

    DEEPRED_SAMPLES=... python benchmarks/carried.py wars [FOLDER] [--show 20]
    DEEPRED_SAMPLES=... python benchmarks/carried.py lives [ARTICLES.parquet] [--limit 3000]
    DEEPRED_SAMPLES=... python benchmarks/carried.py filter [FOLDER] --learned FOLDER

``wars``: WikiWars' annotated sentences, late or early at each article's median year: recall and precision of the dates
that a sentence names alone, and with those that it carries.

``lives``: in real articles the year of every date that names a month is hidden; the carried year is compared with it,
and its side at the article's median year. Biographies (those that begin with a birth) apart from the rest. It is a hard
case: writers leave out a year where it can be told, and write it where it cannot.

``filter``: the sentences of the wars that are late at 20 July 1969 and that the fitted filter keeps, with and without
carried dates; ``--learned`` is the folder that ``deepred filter score`` names.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import statistics
from collections import Counter
from pathlib import Path
from unittest import mock

from wikiwars import read_document

from deepred.base.days import year_of
from deepred.base.tables import read_rows
from deepred.filter.judge import Judge, threshold_of
from deepred.filter.use.plain_text import filter_text
from deepred.run.config import Passages
from deepred.text.dates.carried import carry_dates
from deepred.text.dates.find import Precision, find_dates
from deepred.text.sentences import segment

CUTOFF = 19690720
BIRTH = re.compile(r"\((?:born|[^()]{0,80}\d{4}\s?[–-])")


def wars(folder: Path, show: int) -> None:
    """Print recall and precision over the documents of a folder."""
    counts: Counter[tuple[str, bool, bool]] = Counter()
    for path in sorted(folder.glob("*.xml")):
        text, annotations = read_document(path)
        annotations = [one for one in annotations if one.interval]
        cutoff = int(statistics.median(year_of(one.interval.first) for one in annotations)) * 10000 + 101
        spans = find_dates(text)
        carried = [one for one in carry_dates(text, spans) if not one.named]
        segments = segment(text)
        here: Counter[tuple[str, bool, bool]] = Counter()
        for start, end in zip(segments.starts, segments.ends):
            gold = [one for one in annotations if start <= one.start < end]
            if not gold:
                continue
            late = any(one.interval.last >= cutoff for one in gold)
            named = any(span.interval.last >= cutoff for span in spans if start <= span.start < end)
            here_carried = [one for one in carried if start <= one.start < end and one.interval.last >= cutoff]
            both, firm = named or bool(here_carried), named or any(one.firm for one in here_carried)
            here["named", late, named] += 1
            here["carried", late, both] += 1
            here["firm", late, firm] += 1
            if late != both and show:
                show -= 1
                print(path.stem, "late" if late else "early", repr(text[start:end][:300]))
                print("    ", [(one.text, one.value) for one in gold])
                print(
                    "    ",
                    [(text[one.start : one.end], one.interval.first) for one in carried if start <= one.start < end],
                )
        counts += here
        print(f"{path.stem:<22}", *(_shown(here, what) for what in ("named", "carried", "firm")))
    print(f"{'all':<22}", *(_shown(counts, what) for what in ("named", "carried", "firm")))


def _shown(counts: Counter[tuple[str, bool, bool]], what: str) -> str:
    hit, miss, false = counts[what, True, True], counts[what, True, False], counts[what, False, True]
    recall, precision = hit / max(hit + miss, 1), hit / max(hit + false, 1)
    return f"{what}: recall {recall:.3f} ({hit} of {hit + miss}) precision {precision:.3f}  "


def lives(path: Path, limit: int) -> None:
    """Print how often the year of a named month is what would have been carried."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in itertools.islice(read_rows(path.parent, path.name, ["title", "text"]), limit):
        text = row["text"]
        spans = {span.start: span for span in find_dates(text)}
        years = [year_of(span.interval.first) for span in spans.values() if span.precision >= Precision.YEAR]
        if len(years) < 5:
            continue
        kind = "lives" if BIRTH.search(text[:400]) else "others"
        middle = int(statistics.median(years))
        for carried in carry_dates(text, list(spans.values())):
            if carried.named:
                true, guess = year_of(spans[carried.start].interval.first), year_of(carried.interval.first)
                for what, is_so in (
                    ("all", True), ("year", guess == true), ("late", true >= middle), ("said", guess >= middle),
                    ("both", guess >= middle and true >= middle),
                ):  # fmt: skip
                    counts[kind, carried.kind.name, what] += is_so
    print("hidden years       number  right   late: recall  precision")
    for kind in ("lives", "others"):
        for name in ("DAY", "MONTH"):
            number, right, late, said, both = (
                counts[kind, name, what] for what in ("all", "year", "late", "said", "both")
            )
            print(f"{kind:<8}{name:<8}{number:>9} {right / number:>6.3f} {both / late:>13.3f} {both / said:>10.3f}")


def filtered(folder: Path, learned: Path) -> None:
    """Print what the fitted filter keeps of late sentences and drops of early ones, with carried dates and without."""
    judge = Judge.load(learned / "emergence", learned / "passages", CUTOFF, "drop", threshold_of(Passages()))
    for name, carry in (("without carried dates", lambda *_: []), ("with them", carry_dates)):
        counts: Counter[tuple[bool, bool]] = Counter()
        with mock.patch("deepred.filter.emergence.carry_dates", carry):
            for path in sorted(folder.glob("*.xml")):
                text, annotations = read_document(path)
                end = 0
                for verdict in filter_text(text, judge).verdicts:
                    start = text.index(verdict.text, end)
                    end = start + len(verdict.text)
                    inside = [one.interval for one in annotations if one.interval and start <= one.start < end]
                    if inside:
                        counts[any(one.last >= CUTOFF for one in inside), verdict.kept] += 1
        late, early = counts[True, True] + counts[True, False], counts[False, True] + counts[False, False]
        print(f"{name}: {counts[True, True]} of {late} late kept, {counts[False, False]} of {early} early dropped")


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("wars", "lives", "filter"))
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--learned", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--limit", type=int, default=3000)
    options = parser.parse_args()
    samples = Path(os.environ.get("DEEPRED_SAMPLES", "."))
    if options.part == "wars":
        wars(options.source or samples / "wikiwars", options.show)
    elif options.part == "filter":
        filtered(options.source or samples / "wikiwars", options.learned)
    else:
        lives(options.source or samples / "articles/enwiki-2015-core.parquet", options.limit)


if __name__ == "__main__":
    main()
