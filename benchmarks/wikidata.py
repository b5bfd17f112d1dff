"""Reading a Wikidata dump: our reader against a plain ``json.loads`` loop that finds the same facts, in one run.

    DEEPRED_SAMPLES=... python benchmarks/wikidata.py [DUMP.json ...] [--megabytes 100]

Without a dump, three are made of the sample entities, each copy with an id and years of its own, so that hardly any
date is met twice: *mixed* as the full dump is, where one entity in seventeen has an English article and a third are
scholarly articles without any sitelink; *stream*, a stretch of the real stream of entities; *all*, the worst case,
where all have an article (countries and cities, ten times larger and richer in dates than most).

Prints CPU seconds and MB/s of both in alternating runs, each in a process of its own, peak memory and that of a dump
four times as large, decoding of bzip2 and gzip a core, what two workers gain, and what the full dump would take.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import multiprocessing
import os
import random
import re
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from deepred.dating.facts.dump_lines import RANGE_BYTES, iterate_lines, split_dump
from deepred.dating.facts.entities import EntityReader
from deepred.dating.facts.facts import extract_facts
from deepred.dating.facts.properties import OTHER_VALUES, PROPERTIES, QUALIFIERS
from deepred.dating.facts.time_values import BadTimeError, read_time
from deepred.run.config import Facts
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

FULL_DUMP_BYTES, FULL_BZ2_BYTES = 1.7e12, 1.0e11
"""The full dump, decompressed and as bzip2: about 115 million entities, 7 million with an English article (2025)."""
WITH_ARTICLE, SCHOLARLY = 0.06, 1 / 3
"""Shares of its entities."""
CORES = 16
PARALLEL_BYTES = 6 * RANGE_BYTES["bz2"]
WIKI = "enwiki"
MIXED = ("opentapioca-short_stream.json.bz2",)
RICH = ("opentapioca-sample_wikidata_items.json.bz2", "entities-dump-sample.json")
Result = tuple[float, float, int, str]


def read_plainly(path: Path) -> list[tuple[Any, ...]]:
    """The facts of a dump by ``json.loads`` of every line: what anyone would write first."""
    facts: list[tuple[Any, ...]] = []

    def add(entity: Any, title: str, name: str, qualifier: str, value: str, rank: str, snak: Any) -> None:
        if snak["snaktype"] == "value" and rank != "deprecated":
            with suppress(BadTimeError):
                time = read_time(snak["datavalue"]["value"])
                facts.append((entity["id"], title, name, qualifier, value, rank, *time))

    with path.open(encoding="utf-8") as file:
        for line in file:
            text = line.strip().rstrip(",")
            if text in ("", "[", "]"):
                continue
            entity = json.loads(text)
            link = entity.get("sitelinks", {}).get(WIKI)
            if not link:
                continue
            for name, statements in (entity["claims"] or {}).items():
                for statement in statements:
                    snak, rank = statement["mainsnak"], statement["rank"]
                    kind = snak.get("datavalue", {}).get("type")
                    if kind == "time":
                        if name in PROPERTIES:
                            add(entity, link["title"], name, "", "", rank, snak)
                        continue
                    item = snak["datavalue"]["value"] if kind == "wikibase-entityid" else None
                    if item is None and name not in OTHER_VALUES:
                        continue
                    value = "" if item is None else item.get("id") or f"Q{item['numeric-id']}"
                    for qualifier, snaks in statement.get("qualifiers", {}).items():
                        for dated in snaks if qualifier in QUALIFIERS else ():
                            add(entity, link["title"], name, qualifier, value, rank, dated)
    return facts


def read_ours(path: Path) -> list[tuple[Any, ...]]:
    """The facts of a dump by the stage's reader."""
    facts: list[tuple[Any, ...]] = []
    for part in split_dump(path):
        reader = EntityReader(WIKI, Counts())
        for block in iterate_lines(part):
            facts += ((*row[:5], row[9], *row[6:9], row[10]) for row in reader.read(block))
    return facts


def sample_lines(names: tuple[str, ...]) -> list[bytes]:
    """The distinct entity lines of sample files."""
    lines: dict[str, bytes] = {}
    for name in names:
        data = (Path(os.environ["DEEPRED_SAMPLES"]) / "wikidata" / name).read_bytes()
        for line in (bz2.decompress(data) if name.endswith(".bz2") else data).splitlines():
            if len(line) > 2:
                text = line.strip().rstrip(b",")
                lines.setdefault(json.loads(text)["id"], text)
    return list(lines.values())


def mixed_lines(chance: random.Random, lines: list[bytes]) -> list[bytes]:
    """A thousand lines in the full dump's composition, drawn from a stretch of its stream."""
    entities = [(json.loads(line), line) for line in lines]
    linked = [line for entity, line in entities if WIKI in entity.get("sitelinks", {})]
    scholarly = [line for entity, line in entities if b"Q13442814" in line and not entity.get("sitelinks")]
    others = [line for entity, line in entities if b"Q13442814" not in line and line not in set(linked)]
    drawn = [(linked, WITH_ARTICLE), (scholarly, SCHOLARLY), (others, 1 - WITH_ARTICLE - SCHOLARLY)]
    mixed = [line for source, share in drawn for line in chance.choices(source, k=round(1000 * share))]
    chance.shuffle(mixed)
    return mixed


def make_dump(path: Path, lines: list[bytes], size: int, chance: random.Random) -> None:
    """Write copies of lines until a dump has a size, each with an id and years of its own."""
    times = re.compile(rb'("time":\s*"[+-])(\d{4})-')
    own = re.compile(rb'"id":\s*"Q\d+"')
    number = 1
    with path.open("wb") as file:
        file.write(b"[\n")
        while file.tell() < size:
            for line in lines:
                years = chance.randint(-200, 200)
                moved = times.sub(lambda match, n=years: b"%s%04d-" % (match[1], max(1, int(match[2]) + n)), line)
                file.write(own.sub(b'"id":"Q%d"' % number, moved, count=1) + b",\n")
                number += 1
        file.write(b"]\n")


def _measure(function: Callable[[Path], Any], path: Path, queue: Any) -> None:
    start = time.process_time()
    facts = function(path)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((seconds, peak, len(facts), sha256(repr(sorted(facts)).encode()).hexdigest()))


def measure(function: Callable[[Path], Any], path: Path) -> Result:
    """CPU seconds, peak memory in MB, number and fingerprint of the facts, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measure, args=(function, path, queue))
    process.start()
    result = queue.get()
    process.join()
    return result


def decode(path: Path) -> int:
    """Decode a dump and do nothing else; returns its bytes."""
    return sum(last - first for part in split_dump(path) for _, first, last in iterate_lines(part))


def compare(name: str, path: Path, runs: int) -> float:
    """Print both readers on one dump; returns ours in bytes a CPU second."""
    results = [(measure(read_plainly, path), measure(read_ours, path)) for _ in range(runs)]
    plain, ours = min(one for one, _ in results), min(one for _, one in results)
    ratios = sorted(one[0] / other[0] for one, other in results)
    size = path.stat().st_size
    print(f"{name}: {size / 1e6:.0f} MB, {ours[2]:,} facts, identical: {plain[2:] == ours[2:]}")
    print(f"  json.loads loop {plain[0]:7.2f} s CPU {size / plain[0] / 1e6:8.1f} MB/s")
    print(f"  deepred         {ours[0]:7.2f} s CPU {size / ours[0] / 1e6:8.1f} MB/s")
    median = ratios[len(ratios) // 2]
    print(f"  ratio {plain[0] / ours[0]:.1f}x of the best runs, {median:.1f}x the median of {runs} pairs", flush=True)
    return size / ours[0]


def print_flat(folder: Path, lines: list[bytes], megabytes: int) -> None:
    """Print the peak memory of the whole stage for a dump and for one four times as large."""
    peaks: list[str] = []
    for factor in (1, 4):
        path = folder / "flat.json"
        make_dump(path, lines, factor * megabytes * 1_000_000, random.Random(1))
        _, peak, _, _ = measure(run_stage, path)
        peaks.append(f"{peak:.0f} MB for {path.stat().st_size / 1e6:.0f} MB")
    print(f"peak memory of the stage, one worker: {', '.join(peaks)}")


def run_stage(path: Path, workers: int = 1) -> list[Any]:
    """Run the whole stage on a dump."""
    with tempfile.TemporaryDirectory() as folder:
        extract_facts(
            config=Facts(wiki=WIKI),
            sources={"wikidata": [path]},
            out=Path(folder),
            work=Work(Settings(workers=workers)),
        )
    return []


def print_decoding(path: Path, rate: float) -> None:
    """Print decoding alone, and what the full dump takes with reading."""
    data = path.read_bytes()[:60_000_000]
    for kind, pack in (("bz2", bz2.compress), ("gz", gzip.compress)):
        packed = path.with_suffix(f".json.{kind}")
        packed.write_bytes(pack(data))
        start = time.process_time()
        speed = decode(packed) / (time.process_time() - start)
        hours = [FULL_DUMP_BYTES / one / 3600 for one in (speed, rate)]
        cores = CORES if kind == "bz2" else 1
        print(
            f"{kind}: decoding {speed / 1e6:.0f} MB/s a core, reading {rate / 1e6:.0f} MB/s; the full dump of "
            f"{FULL_DUMP_BYTES / 1e12:.1f} TB: {hours[0]:.1f} + {hours[1]:.1f} core hours, "
            f"{sum(hours) / cores:.1f} hours on {cores} core{'s' if cores > 1 else ' (one stream)'}"
        )


def print_efficiency(path: Path, runs: int) -> None:
    """Print what two workers gain on bzip2: wall of one over twice the wall of two, processes and joining included.

    The file is one piece compressed again and again, as compressing it all would take longer than reading it.
    """
    packed = path.with_suffix(".json.bz2")
    data = packed.read_bytes()
    packed.write_bytes(data * (PARALLEL_BYTES // len(data)))
    walls: dict[int, list[float]] = {1: [], 2: []}
    spent: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(runs):
        for workers, seconds in walls.items():
            start, before = time.perf_counter(), os.times()
            run_stage(packed, workers)
            after = os.times()
            seconds.append(time.perf_counter() - start)
            children = after.children_user + after.children_system - before.children_user - before.children_system
            spent[workers].append((after.user + after.system - before.user - before.system, children))
    one, two = min(walls[1]), min(walls[2])
    alone = sum(min(spent[1], key=sum))
    serial, parallel = min(spent[2], key=sum)
    size = packed.stat().st_size / 1e6
    print(f"two workers on {size:.0f} MB of bzip2, best of {runs} alternating runs:", end=" ")
    print(
        f"{one:.1f} and {two:.1f} s, efficiency {one / (2 * two):.2f}; CPU {alone:.1f} and {serial + parallel:.1f} s,",
        end=" ",
    )
    print(f"{serial:.1f} s of it not in parallel, efficiency {alone / (2 * serial + parallel):.2f} on an idle machine")


def main() -> None:
    """Run both readers on every dump and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", nargs="*", type=Path, help="plain dumps (default: made from DEEPRED_SAMPLES)")
    parser.add_argument("--megabytes", type=int, default=100, help="size of the dumps that are made")
    parser.add_argument("--runs", type=int, default=3, help="alternating runs; the best and the median are printed")
    arguments = parser.parse_args()
    for path in arguments.dumps:
        compare(str(path), path, arguments.runs)
    if arguments.dumps:
        return
    chance = random.Random(0)
    stream = sample_lines(MIXED)
    mixed = mixed_lines(chance, stream)
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("all", sample_lines(RICH)), ("stream", stream), ("mixed", mixed)):
            path = Path(folder) / f"{name}.json"
            make_dump(path, lines, arguments.megabytes * 1_000_000, chance)
            rates[name] = compare(name, path, arguments.runs)
        print_decoding(path, rates["mixed"])
        print_efficiency(path, arguments.runs)
        print_flat(Path(folder), mixed, arguments.megabytes // 2)


if __name__ == "__main__":
    main()
