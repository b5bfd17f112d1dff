"""What can be asked of a data folder: how far a run is, whether its files are what they were, what nobody needs."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError
from deepred.run import inputs
from deepred.run.progress import summary
from deepred.run.runner import RUNS, Node, Pipeline, is_complete, read_manifest, recorded_use
from deepred.run.settings import Settings
from deepred.run.stage import Counts
from deepred.run.unfinished import hash_files, hold_lock, output_hash


def node_status(pipeline: Pipeline, node: Node) -> dict[str, Any]:
    """A node's name, key, state (done, running, begun, missing, unread), seconds and counts, without reading inputs."""
    row: dict[str, Any] = {"name": node.name, "stage": node.stage.name, "arm": node.arm, "key": None, "state": "unread"}
    try:
        row["key"] = pipeline.key(node, hash_files=False)
    except UserError as error:
        return row | {"state": f"waits: {error}"}
    if row["key"] is None:
        return row | {"state": "missing (its inputs have not been read yet)"}
    folder = pipeline.folder(node)
    if is_complete(folder):
        manifest = read_manifest(folder)
        counts = Counts.from_json(manifest["counts"])
        figures = {"seconds": manifest["seconds"], "counts": manifest["counts"]["numbers"], "drops": dict(counts.drops)}
        return row | {"state": "done", "summary": summary(counts), "folder": str(folder), **figures}
    if is_locked(folder):
        return row | {"state": "running"}
    return row | {"state": "begun" if folder.with_name(folder.name + ".partial").exists() else "missing"}


def is_locked(folder: Path) -> bool:
    """Whether a living process is building this folder."""
    try:
        with folder.with_name(folder.name + ".lock").open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def verify_node(pipeline: Pipeline, node: Node) -> tuple[list[str], int | None]:
    """What is not as the manifest says, and the number of files read; None where the node is not built."""
    problems: list[str] = []
    folder = pipeline.folder(node)
    try:
        sources = pipeline.sources(node)
    except UserError:
        if not is_complete(folder):
            raise
        sources = {}  # what is finished needs them no more
    for paths in sources.values():
        for path in paths:
            known = pipeline.checksums.remembered(path)
            if known is not None and known != inputs.sha256(path):
                problems.append(f"{path} has changed, though its size and time have not: touch it, and run again")
    if not is_complete(folder):
        return problems, None
    manifest = read_manifest(folder)
    found, expected = hash_files(folder), manifest["files"]
    problems += [f"{folder / name} is missing" for name in expected if name not in found]
    problems += [f"{folder / name} does not belong there" for name in found if name not in expected]
    problems += [
        f"{folder / name} is damaged: its hash is not the manifest's"
        for name in expected
        if name in found and expected[name].get("sha256") != found[name].get("sha256")
    ]
    if not problems and output_hash(found) != manifest["output"]:
        problems.append(f"{folder}: the manifest's own hash is wrong")
    if problems:
        problems.append(f"remove {folder} and run again to build it anew")
    return problems, len(found)


def remove_unused(settings: Settings, forget: str | None, dry_run: bool) -> Iterator[tuple[Path, int]]:
    """Remove unfinished folders and outputs of no remembered run; yields each with its bytes; forgets a run.

    What another process builds, or a run that is under way will read, stays; ``UserError`` where that run is to be
    forgotten.
    """
    records = settings.data / RUNS
    if forget is not None and (record := records / f"{forget}.json").is_file():
        _require_idle(settings.data, forget, recorded_use(record))
        if not dry_run:
            record.unlink()
    for folder in sorted(settings.data.glob("*/*")):
        if not folder.is_dir() or folder.parent.name in {RUNS, "downloads"}:
            continue
        final = folder.with_name(folder.name.removesuffix(".partial"))
        if not (is_complete(folder) or folder != final) or is_locked(final):
            continue
        # looked up before each removal: a run may have begun meanwhile
        used: set[str] = set().union(*(recorded_use(path) for path in records.glob("*.json") if path.stem != forget))
        if f"{folder.parent.name}/{folder.name}" in used:
            continue
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if not dry_run:
            with hold_lock(final):
                shutil.rmtree(folder)
        yield folder, size


def _require_idle(data: Path, run: str, outputs: set[str]) -> None:
    """Raise UserError while a process builds an output of a run."""
    for output in sorted(outputs):
        if is_locked(data / output):
            raise UserError(f"{run} is under way: {data / output} is being built", "wait for it, or stop it")
