"""Reading a Wikidata dump: our reader against a plain ``json.loads`` loop that finds the same facts, in one run.

    python benchmarks/wikidata.py [DUMP.json] [--seconds 10]

Prints CPU seconds of both, their ratio, the peak memory of the reader, and what the full dump would take.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepred.dating.claims import dated_claims, statements_of
from deepred.dating.entities import split_dump
from deepred.dating.wikidata import ReadPart, _entity_rows
from deepred.stage import Counts

FULL_DUMP_BYTES = 1.7e12
"""Decompressed bytes of the full dump, about 115 million entities (2025)."""
WIKI = "enwiki"


def read_plainly(path: Path) -> set[tuple[Any, ...]]:
    """The facts of a dump by ``json.loads`` of every line."""
    facts: set[tuple[Any, ...]] = set()
    with path.open(encoding="utf-8") as file:
        for line in file:
            text = line.strip().rstrip(",")
            if text in ("", "[", "]"):
                continue
            entity = json.loads(text)
            link = (entity.get("sitelinks") or {}).get(WIKI)
            if link:
                claims = dated_claims(statements_of(entity), Counts())
                facts.update((entity["id"], link["title"], *claim[:3], claim.interval) for claim in claims)
    return facts


def read_ours(path: Path) -> set[tuple[Any, ...]]:
    """The facts of a dump by the stage's reader."""
    from deepred.documents import Interval

    facts: set[tuple[Any, ...]] = set()
    for number, part in enumerate(split_dump(path)):
        for row in _entity_rows(ReadPart(part, number, WIKI), [], Counts()):
            facts.add((*row[:5], Interval(row[6], row[7])))
    return facts


def enlarge(sources: list[Path], target: Path, size: int) -> None:
    """One dump of about ``size`` bytes from the lines of several."""
    import bz2

    lines: list[bytes] = []
    for source in sources:
        data = bz2.decompress(source.read_bytes()) if source.suffix == ".bz2" else source.read_bytes()
        lines += [line.strip().rstrip(b",") for line in data.splitlines() if line.strip() not in (b"[", b"]", b"")]
    with target.open("wb") as file:
        while file.tell() < size:
            for line in lines:
                file.write(line + b",\n")


def measure(function: Callable[[Path], Any], path: Path, queue: Any) -> None:
    """CPU seconds, peak memory (MB) and the facts of a function, from a process of its own."""
    start = time.process_time()
    facts = function(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((time.process_time() - start, peak, sorted(facts)))


def run(function: Callable[[Path], Any], path: Path) -> tuple[float, float, list[Any]]:
    """``measure`` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=measure, args=(function, path, queue))
    process.start()
    result = queue.get()
    process.join()
    return result


def main() -> None:
    """Run both readers on one dump and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump", nargs="?", type=Path, help="a plain dump (default: made from DEEPRED_SAMPLES)")
    parser.add_argument("--megabytes", type=int, default=100, help="size of the dump that is made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.dump
        if path is None:
            samples = Path(os.environ["DEEPRED_SAMPLES"]) / "wikidata"
            path = Path(folder) / "dump.json"
            # a stretch of the real stream of entities; the other samples are countries and the like, far from the mix
            names = ["opentapioca-short_stream.json.bz2"]
            enlarge([samples / name for name in names], path, arguments.megabytes * 1_000_000)
        size = path.stat().st_size
        plain, plain_peak, expected = run(read_plainly, path)
        ours, peak, facts = run(read_ours, path)
    rate = size / ours
    print(f"dump: {size / 1e6:.0f} MB, {len(facts):,} distinct facts, identical: {facts == expected}")
    print(f"json.loads loop: {plain:6.2f} s CPU, {size / plain / 1e6:6.1f} MB/s, peak {plain_peak:.0f} MB")
    print(f"deepred reader:  {ours:6.2f} s CPU, {rate / 1e6:6.1f} MB/s, peak {peak:.0f} MB")
    print(f"ratio: {plain / ours:.1f}x")
    hours = FULL_DUMP_BYTES / rate / 3600
    print(f"full dump ({FULL_DUMP_BYTES / 1e12:.1f} TB decompressed): {hours:.1f} CPU hours without decompression")


if __name__ == "__main__":
    main()
