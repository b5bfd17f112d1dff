"""Games replayed: headers and movetext come in, half-moves that are legal and described go out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from deepred.base.days import Interval
from deepred.sources.chess.board import Board, Move
from deepred.sources.chess.fen import START, read_fen
from deepred.sources.chess.movetext import RESULTS, main_line
from deepred.sources.chess.pgn import RawGame, movetext_of
from deepred.sources.chess.prose import SPOKEN_RESULTS, PlayedGame, Ply, describe_move, same_names
from deepred.sources.chess.san import MoveError, check_mark, read_san, write_san
from deepred.sources.chess.squares import NAMES

SPELLINGS = {"1/2": "1/2-1/2", "½-½": "1/2-1/2", "1:0": "1-0", "0:1": "0-1"}
PLAIN_SAN = re.compile(r"(?:[KQRBN][a-h]?[1-8]?x?[a-h][1-8]|(?:[a-h]x)?[a-h][1-8](?:=[QRBN])?|O-O(?:-O)?)$")
CHECK_WORDS = {"": "", "+": " ch", "#": " mate"}
"""What descriptive notation says of check and mate."""


@dataclass(slots=True)
class Replay:
    """A game on its way: the position, the half-moves so far, and the result that stands behind them."""

    rendering: str = ""
    board: Board = field(default_factory=lambda: read_fen(START))
    plies: list[Ply] = field(default_factory=list[Ply])
    ending: str = "*"

    def play(self, word: str) -> None:
        """Make and record the move that a word means. Raises a ``MoveError``."""
        board = self.board
        move = read_san(board, word)
        piece, captured = board.pieces[move.origin].upper(), board.captured(move)
        san = _plain(board, move, word, captured)
        descriptive = describe(board, move, piece, captured, san) if self.rendering == "descriptive" else ""
        board.push(move)
        mark = check_mark(board)
        self.plies.append(
            Ply(
                san + mark,
                piece,
                NAMES[move.target],
                captured,
                check=bool(mark),
                mate=mark == "#",
                castled=move.castles,
                promoted=move.promotion,
                descriptive=descriptive and descriptive + CHECK_WORDS[mark],
                placement=tuple(board.pieces) if self.rendering == "positions" else (),
            )
        )


def replay(raw: RawGame, played: Interval, rendering: str = "movetext") -> PlayedGame | str:
    """The game with every half-move recorded as the rendering needs it, or the reason why it is broken."""
    found = Replay(rendering)
    try:
        for word in main_line(movetext_of(raw)):
            if word in RESULTS:
                found.ending = word
            else:
                found.play(word)
    except MoveError as error:
        return error.reason
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


def _plain(board: Board, move: Move, word: str, captured: str) -> str:
    """The move in standard notation without its mark: as it was written where that is plain, else written anew."""
    san = word.rstrip("+#")
    san = san.replace("0", "O") if san[0] == "0" else san
    if PLAIN_SAN.match(san) and ("x" in san) == bool(captured) and ("=" in san) == bool(move.promotion):
        return san
    return write_san(board, move)


def describe(board: Board, move: Move, piece: str, captured: str, san: str) -> str:
    """A move in descriptive notation, before it is made; castling is written as in standard notation."""
    if move.castles:
        return san
    rivals = _rivals(board, move, piece, captured)
    text = describe_move(piece, move.origin, move.target, captured, rivals, board.white)
    text += " e.p." if board.is_en_passant(move) else ""
    return text + (f"={move.promotion}" if move.promotion else "")


def _rivals(board: Board, move: Move, piece: str, captured: str) -> Iterator[tuple[int, int]]:
    """Other legal moves of the same kind of piece that take the same kind, or go to a square of the same short name."""
    if captured:
        pairs = ((origin, target) for origin in board.squares_of(piece) for target in board.targets(origin))
    else:
        pairs = ((origin, target) for target in same_names(move.target) for origin in board.origins(piece, target))
    for pair in pairs:
        if pair != move[:2] and board.captured(Move(*pair)) == captured and board.is_safe(*pair):
            yield pair
