"""Stages of a small run, killed before every renaming and removal: a rerun must give the bytes of an undisturbed one.

    python tests/run/crash_points.py FOLDER STAGE … [--set KEY=VALUE …]

``FOLDER`` is a new folder. A line per stage: points tried, and those from which no rerun came to the same end.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from deepred.pipeline import STAGES
from deepred.run.config import load_run
from deepred.run.runner import Pipeline, read_manifest
from deepred.run.settings import Settings
from deepred.run.stage import Work

RUN = Path(__file__).parents[2] / "runs" / "demo.toml"
KILLED, DONE, FAILED = 9, 0, 1
EVENTS = frozenset({"os.rename", "os.remove", "os.rmdir"})
"""What a build does to names of files; the audit hook is asked before each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("stages", nargs="+", metavar="STAGE")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    options = parser.parse_args()
    failed = 0
    for stage in options.stages:
        points, bad = try_points(options.folder, stage, options.overrides)
        print(f"{stage}: {points} points, {len(bad)} without a way on", *bad, sep="\n  ")
        failed += len(bad)
    return 1 if failed else 0


def open_run(data: Path, overrides: list[str]) -> Pipeline:
    run = load_run(RUN, overrides)
    return Pipeline(run, STAGES, Settings(data=data, workers=1))


def try_points(folder: Path, stage: str, overrides: list[str]) -> tuple[int, list[str]]:
    """How many points a stage has, and what went wrong at which; ``folder`` keeps what the stage needs."""
    data = folder / "data"
    line = open_run(data, overrides)
    node = line.node(stage)
    for earlier in line.nodes[: line.nodes.index(node)]:
        line.build(earlier, Work(line.settings))
    wanted = in_child(data, stage, overrides, 0)
    assert wanted == DONE, f"{stage} fails undisturbed"
    final = line.folder(node)
    expected = read_manifest(final)["output"], files_of(final)
    bad: list[str] = []
    number = 0
    while True:
        shutil.rmtree(final, ignore_errors=True)
        shutil.rmtree(final.with_name(final.name + ".partial"), ignore_errors=True)
        number += 1
        if in_child(data, stage, overrides, number) != KILLED:
            return number - 1, bad
        code = in_child(data, stage, overrides, 0)
        left = [path.name for path in final.parent.iterdir() if path.name.endswith((".partial", ".tmp", ".lock"))]
        if code != DONE:
            bad.append(f"point {number}: the rerun fails")
        elif (read_manifest(final)["output"], files_of(final)) != expected:
            bad.append(f"point {number}: other bytes")
        elif left:
            bad.append(f"point {number}: {left} left behind")


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def in_child(data: Path, stage: str, overrides: list[str], last: int) -> int:
    """Build a stage in a process that dies before its ``last``-th event (0: never); its exit status."""
    child = os.fork()
    if not child:
        os._exit(build_until(data, stage, overrides, last))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def build_until(data: Path, stage: str, overrides: list[str], last: int) -> int:
    events = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal events
        if event in EVENTS:
            events += 1
            if events == last:
                os._exit(KILLED)

    try:
        line = open_run(data, overrides)
        node = line.node(stage)
        line.key(node)  # checksums are remembered before the count begins
        sys.addaudithook(count)
        line.build(node, Work(line.settings))
    except BaseException as error:
        print(f"  {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
