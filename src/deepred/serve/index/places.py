"""Names and folders of a run's index."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

INDEX = "index"
"""Folder of the data folder with a folder a run."""


def slug_of(run: str) -> str:
    """A run's name for schemas and search indexes: lower case, told apart by a hash.

    >>> slug_of("Demo run")
    'demo_run_5f8a26'
    """
    plain = re.sub(r"[^a-z0-9]+", "_", run.lower()).strip("_")[:24] or "run"
    return f"{plain}_{hashlib.sha256(run.encode()).hexdigest()[:6]}"


def folder_of(data: Path, run: str) -> Path:
    """The folder of a run's versions."""
    return data / INDEX / slug_of(run)
