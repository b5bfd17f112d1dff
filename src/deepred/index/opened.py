"""Opening the current index of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepred.errors import UserError

if TYPE_CHECKING:
    from deepred.index.base import Index


def open_index(data: Path, run: str, *, store: str = "sqlite", search: str = "embedded") -> Index:
    """The current index of a run by its name, in a data folder.

    ``store`` is sqlite or a postgresql:// address, ``search`` embedded or an http(s):// address: those of ``deepred
    index``. UserError where nothing has been indexed.
    """
    raise UserError(f"{run} has no index in {data}", "deepred index RUN.toml builds one")
