"""The geometry of the chessboard: where each kind of piece could go from each square of an empty board.

Squares are numbers from 0 (a1) by files, then ranks, to 63 (h8).
"""

from __future__ import annotations

NAMES = tuple(file + rank for rank in "12345678" for file in "abcdefgh")
"""The squares' names, ``a1`` to ``h8``."""
NUMBERS = {name: square for square, name in enumerate(NAMES)}
"""The square of a name."""

STRAIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
DIAGONAL = ((1, 1), (1, -1), (-1, -1), (-1, 1))
JUMPS = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))

Squares = tuple[int, ...]


def _ray(square: int, files: int, ranks: int) -> Squares:
    """The squares that lie from this one in steps of so many files and ranks, the nearest first."""
    found: list[int] = []
    file, rank = square % 8 + files, square // 8 + ranks
    while 0 <= file < 8 and 0 <= rank < 8:
        found.append(8 * rank + file)
        file, rank = file + files, rank + ranks
    return tuple(found)


def _rays(*directions: tuple[int, int]) -> tuple[tuple[Squares, ...], ...]:
    """By square: its rays in these directions, those left out that are empty."""
    return tuple(tuple(filter(None, (_ray(square, *step) for step in directions))) for square in range(64))


def _steps(*directions: tuple[int, int]) -> tuple[Squares, ...]:
    """By square: the squares one step away."""
    return tuple(tuple(ray[0] for ray in rays) for rays in _rays(*directions))


RAYS = {"R": _rays(*STRAIGHT), "B": _rays(*DIAGONAL), "Q": _rays(*STRAIGHT, *DIAGONAL)}
"""By kind of piece and square: the lines along which it moves until something stands in its way."""
STEPS = {"N": _steps(*JUMPS), "K": _steps(*STRAIGHT, *DIAGONAL)}
"""By kind of piece and square: where it steps or jumps to."""
PAWN_TAKES = (_steps((-1, -1), (1, -1)), _steps((-1, 1), (1, 1)))
"""By colour (black, white) and square: where a pawn takes."""
ALIGNED = tuple(frozenset(square for ray in rays for square in ray) for rays in RAYS["Q"])
"""By square: those from which a queen could reach it; a piece elsewhere is never pinned to it."""
