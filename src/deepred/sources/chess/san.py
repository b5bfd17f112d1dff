"""Moves in standard algebraic notation (SAN): words in, legal moves out, and back.

Read leniently: squares may be joined by ``-`` or ``:``, a move may name its origin in full with or without its piece
("Ng1-f3", "e2e4", "e1g1"), castling may be written with zeros, and a mark of check or capture need not be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from deepred.sources.chess.board import Board, Move
from deepred.sources.chess.squares import NAMES, NUMBERS

WORD = re.compile(r"([KQRBNP]?)([a-h]?)([1-8]?)[x:–-]?([a-h][1-8])(?:[=/]?([KQRBNPkqrbn]))?(?:e\.p\.?|ep|ch|mate)?\W*+")
"""Piece, file and rank of the origin, target, promotion; marks of check or of an opinion may follow."""
CASTLING = re.compile(r"([Oo0])[–-]\1([–-]\1)?\W*+")
PIECELESS = re.compile(r"(?:--|Z0|0000|@@@@)\W*+")
"""What stands for no move at all."""
LONGEST = 24
"""Letters of the longest word that is looked at, and remembered: "e7xd8=Qmate" and some to spare."""


class MoveError(ValueError):
    """A written move that is none here; ``reason`` is illegal-move, ambiguous-move, null-move or unreadable-move."""

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(f"{word}: {reason}")
        self.word = word
        self.reason = reason


class Written(NamedTuple):
    """What a word says of a move: parts that it leaves out are empty; only ``castles`` where it is castling."""

    piece: str = ""
    file: str = ""
    rank: str = ""
    target: int = -1
    promotion: str = ""
    castles: str = ""


@lru_cache(maxsize=1 << 14)
def parse(word: str) -> Written | None:
    """What a word says of a move, None where it is no move.

    >>> parse("Nbd2+"), parse("Sf3")
    (Written(piece='N', file='b', rank='', target=11, promotion='', castles=''), None)
    """
    if match := WORD.fullmatch(word):
        piece, file, rank, target, promotion = match.groups("")
        return Written(piece, file, rank, NUMBERS[target], promotion.upper())
    if match := CASTLING.fullmatch(word):
        return Written(castles="queenside" if match[2] else "kingside")
    return None


def read_san(board: Board, word: str) -> Move:
    """The legal move that a word means. Raises a ``MoveError`` for none, for several, and for what is no move."""
    written = parse(word) if len(word) <= LONGEST else None
    if written is None:
        raise MoveError(word, "null-move" if PIECELESS.fullmatch(word) else "unreadable-move")
    found = _meant(board, written)
    move = next(found, None)
    if move is None:
        raise MoveError(word, "illegal-move")
    if next(found, None) is not None:
        raise MoveError(word, "ambiguous-move")
    return move


def _meant(board: Board, written: Written) -> Iterator[Move]:
    """The legal moves that fit what is written."""
    piece, file, rank, target, promotion, castles = written
    if castles:
        yield from (move for move in board.castling_moves() if move.castles == castles)
        return
    if not piece and file and rank:
        origin = NUMBERS[file + rank]
        piece = board.pieces[origin].upper()
        if piece == "K":
            yield from (move for move in board.castling_moves() if target in (move.target, move.rook))
    piece = piece or "P"
    promotes = piece == "P" and target // 8 == (7 if board.white else 0)
    if promotes != bool(promotion) or promotion in ("K", "P"):
        return
    if piece == "P" and not file:
        file = NAMES[target][0]  # a capture names the file that the pawn comes from
    for origin in board.origins(piece, target):
        name = NAMES[origin]
        if (not file or file == name[0]) and (not rank or rank == name[1]) and board.is_safe(origin, target):
            yield Move(origin, target, promotion)


def write_san(board: Board, move: Move) -> str:
    """A legal move in SAN without its mark of check, before it is made.

    The file of the origin is named where other pieces of the kind could go there, else its rank, else both.
    """
    if move.castles:
        return "O-O" if move.castles == "kingside" else "O-O-O"
    piece, origin, target = board.pieces[move.origin].upper(), NAMES[move.origin], NAMES[move.target]
    takes = "x" if board.captured(move) else ""
    if piece == "P":
        return (origin[0] if takes else "") + takes + target + (f"={move.promotion}" if move.promotion else "")
    others = [
        NAMES[other]
        for other in board.origins(piece, move.target)
        if other != move.origin and board.is_safe(other, move.target)
    ]
    if not others:
        named = ""
    elif all(other[0] != origin[0] for other in others):
        named = origin[0]
    else:
        named = origin[1] if all(other[1] != origin[1] for other in others) else origin
    return piece + named + takes + target


def check_mark(board: Board) -> str:
    """What is written behind the move that led to a position: ``+`` for check, ``#`` for mate."""
    return ("#" if board.is_checkmate() else "+") if board.check else ""
