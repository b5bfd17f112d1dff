"""Rotary position embeddings: what a checkpoint's configuration says, and what llama.cpp needs of it.

Plain RoPE and a linear stretch are metadata. Llama 3's stretch ("NTK by parts") is a tensor of factors, by which
llama.cpp divides the frequencies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Stretch:
    """Llama 3's stretch of the context: low frequencies are divided by the factor, high ones are kept."""

    factor: float
    low: float
    high: float
    context: float
    """Tokens of context that the model had before."""


@dataclass(frozen=True)
class Rope:
    """The base of the frequencies, and how they are stretched."""

    base: float = 10000.0
    linear: float = 1.0
    """Divisor of all frequencies."""
    stretch: Stretch | None = None


def read_rope(config: dict[str, Any], path: Path) -> Rope:
    """The rotary embedding of a ``config.json``, old form or new; ``UserError`` for a kind that cannot be exported."""
    values: dict[str, Any] = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = float(values.get("rope_theta", config.get("rope_theta", 10000.0)))
    kind = str(values.get("rope_type", values.get("type", "default")))
    if float(values.get("partial_rotary_factor", config.get("partial_rotary_factor", 1.0))) != 1.0:
        raise UserError(f"{path}: RoPE over a part of each head cannot be exported")
    if kind == "default":
        return Rope(base)
    if kind == "linear":
        return Rope(base, linear=float(values["factor"]))
    if kind == "llama3":
        names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
        missing = [name for name in names if name not in values]
        if missing:
            raise UserError(f"{path}: RoPE of type llama3 lacks {missing[0]}")
        return Rope(base, stretch=Stretch(*(float(values[name]) for name in names)))
    raise UserError(f"{path}: RoPE of type {kind} cannot be exported", "default, linear and llama3 can")


def frequency_factors(rope: Rope, width: int) -> npt.NDArray[np.float32] | None:
    """The factor of every pair of a head's dimensions, None where no frequency changes (Llama 3.1's own rule)."""
    import numpy as np

    stretch = rope.stretch
    if stretch is None:
        return None
    factors: list[float] = []
    for pair in range(width // 2):
        wavelength = 2 * math.pi * rope.base ** (2 * pair / width)
        # 1 up to the shortest wavelength that is stretched, 0 from the longest that is stretched wholly
        share = (stretch.context / wavelength - stretch.low) / (stretch.high - stretch.low)
        share = min(1.0, max(0.0, share))
        factors.append(1 / ((1 - share) / stretch.factor + share))
    return np.array(factors, dtype=np.float32)
