"""Files that are the old one or the new one, never half of one, whatever stops the writing; and shipped data."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from glob import escape
from importlib import resources
from pathlib import Path
from typing import Any

UNFINISHED = ".tmp"
"""How the names of files end that a kill may have left half written; nothing reads them."""


@contextmanager
def replaced(path: Path) -> Generator[Path]:
    """A path beside ``path`` to write: it takes that name at the end, and goes where an error is raised."""
    partial = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")  # two processes may write the same file
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what a kill between writing and renaming left anywhere in a folder."""
    for path in folder.rglob(f"*{UNFINISHED}"):
        path.unlink()


def remove_abandoned(path: Path) -> None:
    """Remove what processes that are gone left of their writing ``path``; for folders where several may write."""
    for left in path.parent.glob(f"{escape(path.name)}.*{UNFINISHED}"):
        number = left.name.removeprefix(f"{path.name}.").removesuffix(UNFINISHED)
        if number.isdigit() and not _is_alive(int(number)):
            left.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, complete or not at all."""
    with replaced(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, complete or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, values: Any) -> None:
    """Write JSON, complete or not at all."""
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def shipped_text(package: str, name: str) -> str:
    """A data file that comes with the package and lies with its readers."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def shipped_table(package: str, name: str) -> dict[str, Any]:
    """The values of such a TOML file, read once and not to be changed."""
    return tomllib.loads(shipped_text(package, name))
