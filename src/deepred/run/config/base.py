"""What every section is made of: files from outside, keys of how."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

EXTERNAL = "external"
HOW = "how"
"""Marks keys that change how a stage works and not what it is for: no part of its key. What a change of them can alter
is rounding, and files kept on the way."""
Sources = Annotated[list[str], EXTERNAL]
"""Files from outside, as paths or globs with an optional prefix; they enter a stage's key by checksum."""


class Section(BaseModel):
    """A part of the run file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
