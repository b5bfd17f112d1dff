"""English descriptive notation, in which chess was written in English until about 1980: "P-K4", "BxKt ch".

A square is named by the piece that stood on its file at the start and counted from the mover's own side, so that e4 is
White's K4 and e5 is Black's K4. A move is written as briefly as leaves it the only legal one of that wording.

Squares are numbers from 0 (a1) to 63 (h8).
"""

from __future__ import annotations

from collections.abc import Iterable

FILES = ("QR", "QN", "QB", "Q", "K", "KB", "KN", "KR")
KNIGHT_CHANGED = 1950
"""Year from which knights are written N: books wrote Kt until around the middle of the century."""


def square_name(square: int, white: bool, full: bool) -> str:
    """A square from the mover's side, with its wing where ``full``.

    >>> square_name(28, True, True), square_name(36, False, True), square_name(21, True, False)
    ('K4', 'K4', 'B3')
    """
    name = FILES[square % 8]
    rank = square // 8 + 1 if white else 8 - square // 8
    return f"{name if full or len(name) == 1 else name[1:]}{rank}"


def same_names(square: int) -> int:
    """The squares that share a short name with this one, as a bit set: QB3 and KB3 are both B3."""
    mirrored = square ^ 7 if square % 8 not in (3, 4) else square
    return 1 << square | 1 << mirrored


def describe_move(
    piece: str, origin: int, target: int, captured: str, rivals: Iterable[tuple[int, int]], white: bool
) -> str:
    """A move's shortest unambiguous wording; ``rivals`` are the legal moves (origin, target) it may be taken for.

    Those are of the same kind of piece, and take the same kind of piece, or nothing on a square of the same name.

    >>> describe_move("N", 6, 21, "", [(6, 21), (1, 18)], True)
    'N-KB3'
    """
    others = [rival for rival in set(rivals) if rival != (origin, target)]
    for level in (0, 1):
        wording = _wording(level, piece, origin, target, captured, white)
        if all(_wording(level, piece, *other, captured, white) != wording for other in others):
            return wording
    return _wording(2, piece, origin, target, captured, white)


def _wording(level: int, piece: str, origin: int, target: int, captured: str, white: bool) -> str:
    named = f"{piece}({square_name(origin, white, True)})" if level == 2 else piece
    if not captured:
        return f"{named}-{square_name(target, white, level > 0)}"
    return f"{named}x{captured}" + (f"({square_name(target, white, True)})" if level else "")


def write_knights(move: str, year: int) -> str:
    """The move with knights as the year's books wrote them.

    >>> write_knights("NxN(KN5)", 1890), write_knights("N-KB3", 1960)
    ('KtxKt(KKt5)', 'N-KB3')
    """
    return move if year >= KNIGHT_CHANGED else move.replace("N", "Kt")
