"""How often each source is read: weights or shares of the tokens come in, epochs and a bound on draws go out.

Tokens are estimated (``text/chunks.py``), because the tokenizer is trained on the mixture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepred.base.errors import UserError

BINS = 1 << 16
"""Steps in which a fraction of a source is cut: a source's tokens are met within a document or 1/65,536 of it."""


@dataclass
class Supply:
    """The tokens of one source's training documents, by the fraction that each document drew."""

    tokens: NDArray[np.int64]

    @staticmethod
    def empty() -> Supply:
        """No document yet."""
        return Supply(np.zeros(BINS, np.int64))

    def add(self, draws: NDArray[np.float64], tokens: NDArray[np.int64]) -> None:
        """Count documents with what each drew in [0, 1) and its tokens."""
        self.tokens += np.bincount((draws * BINS).astype(np.int64), tokens, BINS).astype(np.int64)

    def total(self) -> int:
        """All tokens."""
        return int(self.tokens.sum())

    def bound(self, fraction: float) -> float:
        """The draw below which documents hold this fraction of the tokens, as nearly as documents allow."""
        if fraction <= 0 or not self.total():
            return 0.0
        below = np.concatenate([[0], np.cumsum(self.tokens)])
        return float(np.argmin(np.abs(below - fraction * self.total()))) / BINS


def epochs_of(
    tokens: Mapping[str, int], weights: Mapping[str, float], shares: Mapping[str, float], most: float
) -> dict[str, float]:
    """How often every source is read: by its weight, or so that the sources have their shares of all tokens.

    With shares the total is what the named sources hold, or less where a source would be read more than ``most`` times.

    >>> epochs_of({"wikipedia": 900, "books": 100}, {}, {"wikipedia": 0.8, "books": 0.2}, 4.0)
    {'wikipedia': 0.8888888888888888, 'books': 2.0}
    """
    if not shares:
        return {source: weights.get(source, 1.0) for source in tokens}
    named = {source: share for source, share in shares.items() if share > 0}
    missing = sorted(source for source in named if not tokens.get(source))
    if missing or not named:
        raise UserError(
            f"mixture.shares: the run has no text of {', '.join(missing) or 'a source with a share above 0'}",
            "leave the source out, or add its section",
        )
    whole = sum(named.values())
    wanted = {source: share / whole for source, share in named.items()}
    total = min(sum(tokens[source] for source in named), *(most * tokens[s] / share for s, share in wanted.items()))
    return {source: wanted.get(source, 0.0) * total / max(1, tokens[source]) for source in tokens}


def check_sources(named: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ``UserError`` for a source that does not exist."""
    valid = list(known)
    wrong = sorted(set(named) - set(valid))
    if wrong:
        raise UserError(f"mixture names the source {', '.join(wrong)}", f"sources are {', '.join(valid)}")
