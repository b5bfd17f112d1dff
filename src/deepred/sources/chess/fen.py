"""Positions in Forsyth-Edwards notation (FEN): text in, board out, and back.

Rights to castle are letters as in X-FEN: ``KQkq`` for a side's outermost rook, the file (``A``) of another.
"""

from __future__ import annotations

import re

from deepred.base.errors import UserError
from deepred.sources.chess.board import Board
from deepred.sources.chess.squares import NAMES, NUMBERS

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
"""The position in which a game begins."""
COUNT = re.compile(r"\d{1,6}", re.ASCII)


def read_fen(text: str) -> Board:
    """The position of a FEN; the two counts may be left out. Raises a ``UserError`` that says what cannot be.

    >>> write_fen(read_fen(START)) == START
    True
    """
    fields = text.split()
    if len(fields) not in (4, 6):
        raise _wrong(text, f"{len(fields)} fields instead of 6 (pieces, side, castling, en passant, two counts)")
    placement, side, castling, en_passant, *counts = fields
    pieces = _pieces(text, placement)
    if side not in ("w", "b"):
        raise _wrong(text, f'the side to move is "{side}", not w or b')
    if not all(COUNT.fullmatch(count) for count in counts):
        raise _wrong(text, f"{' '.join(counts)} are not two counts of moves")
    white = side == "w"
    rooks, passed = _castling(text, castling, pieces), _passed(text, en_passant, pieces, white)
    board = Board(pieces, white, rooks, passed, *map(int, counts))
    if board.is_attacked(board.kings[not white], white):
        raise _wrong(text, "the king of the side that has moved is in check")
    return board


def write_fen(board: Board) -> str:
    """The FEN of a position; the en passant square is told after every pawn's double step, as the PGN standard says."""
    ranks = (board.pieces[start : start + 8] for start in range(56, -1, -8))
    placement = "/".join(re.sub(r" +", lambda gap: str(len(gap[0])), "".join(p or " " for p in rank)) for rank in ranks)
    passed = NAMES[board.en_passant] if board.en_passant >= 0 else "-"
    castling = "".join(_right(board, rook) for rook in sorted(board.castling, key=lambda rook: (rook > 7, -rook)))
    return f"{placement} {'w' if board.white else 'b'} {castling or '-'} {passed} {board.quiet} {board.number}"


def _wrong(text: str, what: str) -> UserError:
    return UserError(f'the position "{text[:100]}" cannot be: {what}', f"a FEN looks like {START}")


def _pieces(text: str, placement: str) -> list[str]:
    ranks = placement.split("/")
    rows = [re.sub("[1-8]", lambda gap: " " * int(gap[0]), rank) for rank in ranks]
    if len(rows) != 8 or any(len(row) != 8 for row in rows):
        raise _wrong(text, "the pieces are not those of 8 ranks of 8 squares")
    pieces = [sign.strip() for row in reversed(rows) for sign in row]
    if unknown := set(pieces) - set("PNBRQKpnbrqk") - {""}:
        raise _wrong(text, f"unknown pieces {''.join(sorted(unknown))}")
    if pieces.count("K") != 1 or pieces.count("k") != 1:
        raise _wrong(text, "each side must have one king")
    if {"P", "p"} & {*pieces[:8], *pieces[56:]}:
        raise _wrong(text, "a pawn stands on the first or last rank")
    return pieces


def _castling(text: str, letters: str, pieces: list[str]) -> set[int]:
    """The squares of the rooks that may castle."""
    rooks: set[int] = set()
    for letter in letters.replace("-", ""):
        first, king, rook = (0, "K", "R") if letter.isupper() else (56, "k", "r")
        kept = pieces.index(king)
        found = _rook(letter.upper(), first, kept, [s for s in range(first, first + 8) if pieces[s] == rook])
        if found is None or kept // 8 != first // 8:
            raise _wrong(text, f'no king and rook stand so that the right to castle "{letter}" could be left')
        rooks.add(found)
    return rooks


def _rook(letter: str, first: int, king: int, rooks: list[int]) -> int | None:
    if letter in "KQ":
        outermost = max(rooks, default=king) if letter == "K" else min(rooks, default=king)
        return outermost if (outermost > king) == (letter == "K") and rooks else None
    square = first + "ABCDEFGH".find(letter)
    return square if square in rooks else None


def _right(board: Board, rook: int) -> str:
    """The letter for the right to castle with a rook: KQ for the outermost of its side, else its file."""
    king, piece = board.kings[rook < 8], board.pieces[rook]
    beyond = range(rook + 1, rook // 8 * 8 + 8) if rook > king else range(rook // 8 * 8, rook)
    letter = "ABCDEFGH"[rook % 8] if any(board.pieces[s] == piece for s in beyond) else "QK"[rook > king]
    return letter if rook < 8 else letter.lower()


def _passed(text: str, name: str, pieces: list[str], white: bool) -> int:
    """The square that a pawn has just passed over, or -1."""
    if name == "-":
        return -1
    square, pawn, ahead = NUMBERS.get(name, -1), "p" if white else "P", -8 if white else 8
    if square // 8 != (5 if white else 2) or pieces[square + ahead] != pawn or pieces[square] or pieces[square - ahead]:
        raise _wrong(text, f'no pawn has just passed over "{name}"')
    return square
