"""Games replayed with ``chess``: headers and movetext come in, half-moves that are legal and described go out.

The library (an optional extra under GPL-3) is imported in this file alone, and only when games are replayed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from deepred.base.days import Interval
from deepred.sources.chess.pgn import RawGame, movetext_of
from deepred.sources.chess.prose import SPOKEN_RESULTS, PlayedGame, Ply, describe_move, same_names

if TYPE_CHECKING:
    import chess

SQUARE_NAMES = tuple(file + rank for rank in "12345678" for file in "abcdefgh")
SPELLINGS = {"1/2": "1/2-1/2", "½-½": "1/2-1/2", "1:0": "1-0", "0:1": "0-1"}
PLAIN_SAN = re.compile(r"(?:[KQRBN][a-h]?[1-8]?x?[a-h][1-8]|(?:[a-h]x)?[a-h][1-8](?:=[QRBN])?|O-O(?:-O)?)$")


def require_chess() -> None:
    """Raise a ``ModuleNotFoundError``, which names the extra to people, where the optional library is not installed."""
    import chess.pgn

    assert chess.pgn


@dataclass(slots=True)
class Replay:
    """What a replay collects, and what a rendering needs beside the moves."""

    rendering: str = ""
    plies: list[Ply] = field(default_factory=list[Ply])
    error: str = ""
    ending: str = "*"
    """The result that stands behind the moves."""


def replay(raw: RawGame, played: Interval, rendering: str = "movetext") -> PlayedGame | str:
    """The game with every half-move recorded as the rendering needs it, or the reason why it is broken."""
    import chess.pgn

    found = Replay(rendering)
    chess.pgn.read_game(io.StringIO(movetext_of(raw)), Visitor=_visitor(found))
    if found.error:
        return found.error
    if not found.plies:
        return "no-moves"
    result = _result(raw.headers.get("Result", ""), found)
    if not result:
        return "result-contradicts-mate"
    white, black, event, site = (raw.headers.get(tag, "") for tag in ("White", "Black", "Event", "Site"))
    return PlayedGame(white, black, event, site, played, result, tuple(found.plies))


def _result(header: str, found: Replay) -> str:
    """The result that header and movetext allow, ``*`` for two that differ; empty where a mate denies one."""
    told = {SPELLINGS.get(spelling, spelling) for spelling in (header, found.ending)} & set(SPOKEN_RESULTS) - {"*"}
    if found.plies[-1].mate:
        won = "1-0" if len(found.plies) % 2 else "0-1"
        return "" if told - {won} else won
    return told.pop() if len(told) == 1 else "*"


def _visitor(found: Replay) -> Any:
    """A visitor that records the main line's half-moves; comments, annotations and variations are passed over."""
    import chess
    import chess.pgn

    class Recorder(chess.pgn.BaseVisitor[Replay]):
        def __init__(self) -> None:
            self.token = ""
            self.pending: tuple[chess.Board, chess.Move] | None = None

        def begin_variation(self) -> Any:
            return chess.pgn.SKIP

        def parse_san(self, board: chess.Board, san: str) -> chess.Move:
            self.token = san
            return board.parse_san(san)

        def visit_move(self, board: chess.Board, move: chess.Move) -> None:
            if not move:
                found.error = found.error or "null-move"
                return
            found.plies.append(record_move(board, move, self.token, found.rendering == "descriptive"))

        def visit_board(self, board: chess.Board) -> None:
            if found.plies and board.checkers_mask():
                found.plies[-1] = _checked(found.plies[-1], board.is_checkmate())
            if found.plies and found.rendering == "positions":
                found.plies[-1] = replace(found.plies[-1], placement=placement_of(board))

        def visit_result(self, result: str) -> None:
            found.ending = result

        def handle_error(self, error: Exception) -> None:
            found.error = found.error or _error_name(error)

        def result(self) -> Replay:
            return found

    return Recorder


def _error_name(error: Exception) -> str:
    import chess

    names = {chess.IllegalMoveError: "illegal-move", chess.AmbiguousMoveError: "ambiguous-move"}
    return names.get(type(error), "unreadable-move")  # type: ignore[arg-type]


def record_move(board: chess.Board, move: chess.Move, token: str, descriptive: bool = False) -> Ply:
    """The half-move as a record, before it is made; check and mate are added once it is."""
    import chess

    piece = (chess.piece_symbol(board.piece_type_at(move.from_square) or 1)).upper()
    captured = ""
    if board.is_capture(move):
        captured = chess.piece_symbol(board.piece_type_at(move.to_square) or chess.PAWN).upper()
    castled = ""
    if board.is_castling(move):
        captured, castled = "", "kingside" if board.is_kingside_castling(move) else "queenside"
    promoted = chess.piece_symbol(move.promotion).upper() if move.promotion else ""
    san = token.rstrip("+#!?").replace("0", "O") if token[:1] == "0" else token.rstrip("+#!?")
    if not PLAIN_SAN.match(san) or ("x" in san) != bool(captured) or bool(promoted) != ("=" in san):
        san = board.san(move).rstrip("+#")
    described = ""
    if descriptive:
        described = san if castled else describe(board, move, piece, captured, promoted)
    return Ply(
        san, piece, SQUARE_NAMES[move.to_square], captured, castled=castled, promoted=promoted, descriptive=described
    )


def describe(board: chess.Board, move: chess.Move, piece: str, captured: str, promoted: str) -> str:
    """A move other than castling in descriptive notation, before it is made."""
    en_passant = board.is_en_passant(move)
    rivals = [(rival.from_square, rival.to_square) for rival in _rivals(board, move, piece, captured)]
    text = describe_move(piece, move.from_square, move.to_square, captured, rivals, board.turn)
    return text + (" e.p." if en_passant else "") + (f"={promoted}" if promoted else "")


def _rivals(board: chess.Board, move: chess.Move, piece: str, captured: str) -> Iterator[chess.Move]:
    """Legal moves of the same kind of piece that take the same kind, or go to a square of the same short name.

    Legal moves are generated only for pieces that stand so that they might: most moves have no such rival, and the
    generation would cost more than all else.
    """
    import chess

    same = board.pieces_mask(chess.PIECE_SYMBOLS.index(piece.lower()), board.turn)
    if captured:
        targets = board.pieces_mask(chess.PIECE_SYMBOLS.index(captured.lower()), not board.turn)
        if captured == piece == "P" and board.ep_square is not None:
            targets |= chess.BB_SQUARES[board.ep_square]
    else:
        targets = same_names(move.to_square) & ~board.occupied
    if piece == "P" and not captured:
        file = chess.BB_FILES[7 - move.to_square % 8] & same
        able = file if targets & ~chess.BB_SQUARES[move.to_square] else 0
    else:
        able = 0
        for square in chess.scan_forward(same):
            reached = board.attacks_mask(square) & targets
            if square == move.from_square:
                reached &= ~chess.BB_SQUARES[move.to_square]
            if reached:
                able |= chess.BB_SQUARES[square]
    if not able:
        return
    for rival in board.generate_legal_moves(able, targets):
        if board.is_capture(rival) == bool(captured) and not board.is_castling(rival):
            yield rival


def placement_of(board: chess.Board) -> tuple[int, ...]:
    """The pieces as bit sets, from which a diagram is drawn."""
    kinds = (board.pawns, board.knights, board.bishops, board.rooks, board.queens, board.kings)
    return *kinds, board.occupied_co[True]


def _checked(ply: Ply, mate: bool) -> Ply:
    mark, word = ("#", " mate") if mate else ("+", " ch")
    descriptive = ply.descriptive + word if ply.descriptive else ""
    return replace(ply, san=ply.san + mark, check=True, mate=mate, descriptive=descriptive)
