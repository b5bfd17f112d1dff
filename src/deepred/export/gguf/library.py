"""The shared library that ``xllamacpp`` brings, with ggml's and llama.cpp's own C functions, through ctypes."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from deepred.base.errors import UserError


@cache
def native(*functions: str) -> Any:
    """The library; ``UserError`` where it or one of the named functions is not there."""
    spec = importlib.util.find_spec("xllamacpp")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("xllamacpp*.so")) if folder else []
    if not found:
        raise UserError("xllamacpp is not installed", "pip install deepred[gguf]")
    library = ctypes.CDLL(str(found[0]))
    for name in functions:
        if not hasattr(library, name):
            raise UserError(f"this xllamacpp does not bring {name}", "install the version in constraints.txt")
    return library
