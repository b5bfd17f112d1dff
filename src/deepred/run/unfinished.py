"""A folder while it is built: held by one process, gone on from where that is exact, and complete once it is renamed.

It is built as ``<name>.partial``; ``manifest.json`` is written last and the folder renamed, so a folder that exists is
complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from deepred.base.errors import GOES_ON, DeepRedError, FaultError, UserError, system_fault
from deepred.base.files import remove_unfinished, write_json
from deepred.run import inputs, provenance
from deepred.run.stage import LOGS, MANIFEST, Stage
from deepred.run.workers import DONE

REQUEST = "request"
"""File beside the finished shards of an unfinished folder outside any run: what it was asked to be."""


@contextmanager
def standalone(out: Path, manifest: dict[str, Any]) -> Generator[Path]:
    """A folder to build outside any run, with the same promises: it appears at ``out`` when it is complete."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already", "name a new folder with --out, or move it away")
    with hold_lock(out):
        partial = out.with_name(out.name + ".partial")
        with told_in_a_line(str(out), partial):
            _go_on_with(partial, json.dumps(manifest, sort_keys=True))
            try:
                yield partial
            except BaseException:
                if not any((partial / DONE).glob("*.json")):
                    shutil.rmtree(partial, ignore_errors=True)  # nothing to go on from
                raise
            complete(partial, out, manifest | provenance.describe())


def _go_on_with(partial: Path, request: str) -> None:
    """Keep an unfinished folder of the same request; start anew after that of another one."""
    note = partial / DONE / REQUEST
    if partial.exists() and not (note.is_file() and note.read_text(encoding="utf-8") == request):
        shutil.rmtree(partial)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(request, encoding="utf-8")


def prepare(final: Path, stage: Stage) -> Path:
    """The folder in which a stage works: what an interrupted run left is kept only where it can be gone on from."""
    partial = final.with_name(final.name + ".partial")
    if partial.exists() and not stage.resumes and not (partial / DONE).is_dir():
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    return partial


def complete(partial: Path, final: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of what a stage left, and give the folder its name: that one renaming completes it.

    Until then the records of finished shards stay, so that a kill at any point leaves what can be gone on from.
    """
    remove_unfinished(partial)
    manifest["files"] = hash_files(partial)
    manifest["output"] = output_hash(manifest["files"])
    write_json(partial / MANIFEST, manifest)
    partial.replace(final)
    shutil.rmtree(final / DONE, ignore_errors=True)


def tidy(final: Path) -> None:
    """Remove what a kill right after its completion left of a folder's making: records of shards, the lock."""
    if (final / DONE).exists() or final.with_name(final.name + ".lock").exists():
        with suppress(UserError), hold_lock(final):  # another process may still be at it
            shutil.rmtree(final / DONE, ignore_errors=True)


def hash_files(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of every file of a folder, but for the manifest; files below ``logs/`` by size alone."""
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and not name.startswith(f"{DONE}/"):
            files[name] = {"bytes": path.stat().st_size}
            if not name.startswith(f"{LOGS}/"):
                files[name]["sha256"] = inputs.sha256(path)
    return files


def output_hash(files: dict[str, dict[str, Any]]) -> str:
    """One hash over the names and hashes of all files that are part of the result."""
    lines = [f"{values['sha256']}  {name}\n" for name, values in sorted(files.items()) if "sha256" in values]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def hold_lock(final: Path) -> Generator[None]:
    """Hold a stage's lock; the system frees it when the process dies, however it dies."""
    path = final.with_name(final.name + ".lock")
    with writable(final.parent):
        while True:
            file = path.open("a+", encoding="utf-8")
            _lock(file, final)
            if _is_at(file, path):
                break
            file.close()  # who held it has removed it meanwhile
    with file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        path.unlink(missing_ok=True)


def _lock(file: IO[str], final: Path) -> None:
    """Lock an open file; UserError where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise UserError(
            f"{final} is being built by process {holder}", "wait for it, or stop it and run again"
        ) from None


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def writable(folder: Path) -> Generator[None]:
    """Make a folder in which something is then written; UserError where that is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        mend = "free space, let this user write there, or choose another folder with --data"
        raise UserError(f"cannot write to {folder}: {error.strerror}", mend) from None


@contextmanager
def told_in_a_line(name: str, partial: Path) -> Generator[None]:
    """Turn what the system refuses into one line that names the stage and the mend."""
    try:
        yield
    except MemoryError as error:
        raise FaultError(f"{name}: memory ran out", f"use fewer --workers; {GOES_ON}") from error
    except DeepRedError:
        raise
    except Exception as error:
        if (fault := system_fault(error, name, partial)) is None:
            raise
        raise fault from error
