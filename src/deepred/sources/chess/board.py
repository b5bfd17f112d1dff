"""A chess position and its rules: what may move where, what is attacked, check, mate and stalemate.

Pieces are letters as in FEN: White's ``PNBRQK``, Black's ``pnbrqk``, empty where none stands. Kinds of pieces are
White's letters. Squares are numbers (``squares.py``). Positions come from ``fen.py``, written moves from ``san.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deepred.sources.chess.squares import ALIGNED, PAWN_TAKES, RAYS, STEPS

OWN = (frozenset("pnbrqk"), frozenset("PNBRQK"))
"""Pieces by colour: Black's, White's."""
PROMOTIONS = "QRBN"


class Move(NamedTuple):
    """A move of one piece; of the king where it castles, ``rook`` being the square of the rook that goes with it."""

    origin: int
    target: int
    promotion: str = ""
    """The kind of piece that a pawn becomes."""
    rook: int = -1

    @property
    def castles(self) -> str:
        """``kingside`` or ``queenside``, empty for any other move."""
        if self.rook < 0:
            return ""
        return "kingside" if self.rook > self.origin else "queenside"


class Board:
    """A position: the pieces, the side to move, rights to castle, the en passant square, and the counts of FEN.

    ``castling`` holds the squares of the rooks that may castle yet, so that kings and rooks may start on any file.
    ``check`` says whether the side to move is in check.
    """

    __slots__ = ("castling", "check", "en_passant", "kings", "number", "pieces", "quiet", "white")

    def __init__(
        self,
        pieces: list[str],
        white: bool = True,
        castling: set[int] | None = None,
        en_passant: int = -1,
        quiet: int = 0,
        number: int = 1,
    ) -> None:
        """A position with one king of each colour; ``quiet`` half-moves since a capture or a pawn's move."""
        self.pieces = pieces
        self.white = white
        self.castling = castling or set()
        self.en_passant = en_passant
        """The square that a pawn has just passed over, or -1."""
        self.quiet = quiet
        self.number = number
        self.kings = [pieces.index("k"), pieces.index("K")]
        """Where Black's and White's king stands."""
        self.check = self.is_attacked(self.kings[white], not white)

    def copy(self) -> Board:
        """The same position, to be played on apart."""
        return Board(self.pieces[:], self.white, set(self.castling), self.en_passant, self.quiet, self.number)

    def is_attacked(self, square: int, white: bool) -> bool:
        """Whether a piece of this colour could take on a square, pinned or not."""
        pieces = self.pieces
        pawn, knight, straight, diagonal = ("P", "N", "RQ", "BQ") if white else ("p", "n", "rq", "bq")
        for origin in STEPS["N"][square]:
            if pieces[origin] == knight:
                return True
        for kind, sliders in (("R", straight), ("B", diagonal)):
            for ray in RAYS[kind][square]:
                for origin in ray:
                    piece = pieces[origin]
                    if piece:
                        if piece in sliders:
                            return True
                        break
        for origin in PAWN_TAKES[not white][square]:
            if pieces[origin] == pawn:
                return True
        return self.kings[white] in STEPS["K"][square]

    def is_safe(self, origin: int, target: int) -> bool:
        """Whether the king of the side to move is not attacked after this move, which is otherwise right."""
        pieces = self.pieces
        king = self.kings[self.white]
        passing = target == self.en_passant and pieces[origin] in "Pp"
        if not self.check and origin != king and not passing and origin not in ALIGNED[king]:
            return True
        taken_on = target + (-8 if self.white else 8) if passing else target
        taken, piece = pieces[taken_on], pieces[origin]
        pieces[origin] = pieces[taken_on] = ""
        pieces[target] = piece
        attacked = self.is_attacked(target if origin == king else king, not self.white)
        pieces[target] = ""
        pieces[origin], pieces[taken_on] = piece, taken
        return not attacked

    def squares_of(self, kind: str) -> list[int]:
        """Where the side to move has pieces of a kind."""
        sought = kind if self.white else kind.lower()
        return [square for square, piece in enumerate(self.pieces) if piece == sought]

    def targets(self, origin: int) -> Iterator[int]:
        """Where the piece on a square could go but for its king's safety; castling is left out."""
        pieces, own = self.pieces, OWN[self.white]
        kind = pieces[origin].upper()
        if kind == "P":
            yield from self._pawn_targets(origin)
        elif kind in STEPS:
            for target in STEPS[kind][origin]:
                if pieces[target] not in own:
                    yield target
        else:
            for ray in RAYS[kind][origin]:
                for target in ray:
                    if pieces[target]:
                        if pieces[target] not in own:
                            yield target
                        break
                    yield target

    def _pawn_targets(self, origin: int) -> Iterator[int]:
        pieces, enemies = self.pieces, OWN[not self.white]
        ahead = 8 if self.white else -8
        if not pieces[origin + ahead]:
            yield origin + ahead
            if origin // 8 == (1 if self.white else 6) and not pieces[origin + 2 * ahead]:
                yield origin + 2 * ahead
        for target in PAWN_TAKES[self.white][origin]:
            if pieces[target] in enemies or target == self.en_passant:
                yield target

    def origins(self, kind: str, target: int) -> Iterator[int]:
        """From where a piece of this kind of the side to move could go to a square, but for its king's safety."""
        pieces = self.pieces
        if pieces[target] in OWN[self.white]:
            return
        if kind == "P":
            yield from self._pawn_origins(target)
            return
        sought = kind if self.white else kind.lower()
        if kind in STEPS:
            for origin in STEPS[kind][target]:
                if pieces[origin] == sought:
                    yield origin
            return
        for ray in RAYS[kind][target]:
            for origin in ray:
                if pieces[origin]:
                    if pieces[origin] == sought:
                        yield origin
                    break

    def _pawn_origins(self, target: int) -> Iterator[int]:
        pieces = self.pieces
        back, pawn = (-8, "P") if self.white else (8, "p")
        if pieces[target] or target == self.en_passant:
            for origin in PAWN_TAKES[not self.white][target]:
                if pieces[origin] == pawn:
                    yield origin
            return
        origin = target + back
        if 0 <= origin < 64 and not pieces[origin] and target // 8 == (3 if self.white else 4):
            origin += back
        if 0 <= origin < 64 and pieces[origin] == pawn:
            yield origin

    def castling_moves(self) -> Iterator[Move]:
        """The legal ways to castle: nothing between, and no square attacked that the king stands on or passes."""
        king = self.kings[self.white]
        if self.check:
            return
        for rook in self.castling:
            if rook // 8 != king // 8 or self.pieces[rook] not in OWN[self.white]:
                continue
            target = king // 8 * 8 + (6 if rook > king else 2)
            move = Move(king, target, rook=rook)
            squares = range(min(king, rook, target, beside(move)), max(king, rook, target, beside(move)) + 1)
            passed = range(min(king, target), max(king, target) + 1)
            if (
                not any(self.pieces[square] for square in squares if square not in (king, rook))
                and not any(self.is_attacked(square, not self.white) for square in passed if square != king)
                and not self._castled(move).is_attacked(target, not self.white)
            ):
                yield move

    def _castled(self, move: Move) -> Board:
        after = self.copy()
        after.push(move)
        return after

    def legal_moves(self) -> Iterator[Move]:
        """Every legal move; the king's come first, since most checks are left by one of them."""
        king, own = self.kings[self.white], OWN[self.white]
        last = range(56, 64) if self.white else range(8)
        for origin in (king, *(square for square, piece in enumerate(self.pieces) if piece in own and square != king)):
            promotes = self.pieces[origin] in "Pp"
            for target in self.targets(origin):
                if not self.is_safe(origin, target):
                    continue
                if promotes and target in last:
                    yield from (Move(origin, target, promotion) for promotion in PROMOTIONS)
                else:
                    yield Move(origin, target)
        yield from self.castling_moves()

    def can_move(self) -> bool:
        """Whether there is any legal move."""
        return next(self.legal_moves(), None) is not None

    def is_checkmate(self) -> bool:
        """Whether the side to move is in check and has no legal move."""
        return self.check and not self.can_move()

    def is_stalemate(self) -> bool:
        """Whether the side to move has no legal move and is not in check."""
        return not self.check and not self.can_move()

    def is_en_passant(self, move: Move) -> bool:
        """Whether a move takes a pawn that has just passed."""
        return move.target == self.en_passant and self.pieces[move.origin] in "Pp"

    def captured(self, move: Move) -> str:
        """The kind of piece that a move takes, empty where it takes none."""
        if move.rook >= 0:
            return ""
        return "P" if self.is_en_passant(move) else self.pieces[move.target].upper()

    def push(self, move: Move) -> None:
        """Make a legal move."""
        pieces, white = self.pieces, self.white
        origin, target, promotion, rook = move
        piece = pieces[origin]
        pawn, taken = piece in "Pp", pieces[target]
        pieces[origin] = ""
        if rook >= 0:
            taken, rook_piece, pieces[rook] = "", pieces[rook], ""
            pieces[beside(move)] = rook_piece
        elif pawn and target == self.en_passant:
            pieces[target + (-8 if white else 8)] = ""
        if promotion:
            piece = promotion if white else promotion.lower()
        pieces[target] = piece
        if origin == self.kings[white]:
            self.kings[white] = target
            self.castling -= {square for square in self.castling if square // 8 == (0 if white else 7)}
        elif self.castling:
            self.castling -= {origin, target}
        self.en_passant = (origin + target) // 2 if pawn and abs(target - origin) == 16 else -1
        self.quiet = 0 if pawn or taken else self.quiet + 1
        self.number += not white
        self.white = not white
        self.check = self.is_attacked(self.kings[not white], white)


def beside(move: Move) -> int:
    """Where the rook of a castling move comes to stand: on the king's other side."""
    return move.target + (-1 if move.rook > move.origin else 1)
