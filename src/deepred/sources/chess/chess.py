"""Stage ``chess``: PGN collections come in, dated games as prose go out, each legal from its first move to its last.

Headers are read first: a game that is not wholly before the cutoff is never parsed. What remains is freed of
duplicates across collections, replayed with ``chess`` (an optional extra under GPL-3, imported in this file alone and
only when games are replayed), and written in one of the renderings, chosen by weight and seed.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.days import Day, Interval
from deepred.base.errors import FaultError, UserError
from deepred.base.tables import document_schema, write_rows
from deepred.run.config import Chess
from deepred.run.stage import Counts, Work
from deepred.sources.chess.diagrams import render_positions
from deepred.sources.chess.pgn import RawGame, moves_key, movetext_of, player_key, read_games
from deepred.sources.chess.prose import (
    PlayedGame,
    Ply,
    describe_move,
    render_descriptive,
    render_movetext,
    render_narrated,
    same_names,
    title_of,
)

if TYPE_CHECKING:
    import chess

GAMES_PER_SHARD = 2000
"""Games of one output file; replaying them takes some ten seconds."""
LICENCE = "game scores are facts and not protected; the prose is generated"
RENDERINGS = ("movetext", "descriptive", "narrated", "positions")
SQUARE_NAMES = tuple(file + rank for rank in "12345678" for file in "abcdefgh")
PLAIN_SAN = re.compile(r"(?:[KQRBN][a-h]?[1-8]?x?[a-h][1-8]|(?:[a-h]x)?[a-h][1-8](?:=[QRBN])?|O-O(?:-O)?)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an admitted game lies, so that a worker reads it again without reading the collection."""

    file: str
    offset: int
    key: str
    played: Interval


@dataclass(frozen=True, slots=True)
class Portion:
    """The work of one shard."""

    index: int
    games: tuple[Place, ...]
    renderings: tuple[tuple[str, float], ...]
    seed: int


def narrate_games(
    *,
    world: Path | None,
    config: Chess,
    sources: dict[str, list[Path]],
    cutoff: Day,
    straddling: str,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Write the games before the cutoff as ``documents-*.parquet``; ``world``'s games come through ``sources``."""
    unknown = sorted(set(config.renderings) - set(RENDERINGS))
    if unknown or sum(config.renderings.values()) <= 0:
        raise UserError(
            f"chess.renderings = {config.renderings}: {unknown or 'no positive weight'}", f"use {RENDERINGS}"
        )
    require_chess()
    counts = Counts()
    admitted = list(admit_games(sources.get("files", []), cutoff, straddling, counts))
    if config.limit:
        counts.drop("limit", max(0, len(admitted) - config.limit))
        admitted = sorted(admitted, key=lambda place: _digest(seed, "limit", place.key))[: config.limit]
        admitted.sort(key=lambda place: (place.file, place.offset))
    weights = tuple((name, config.renderings[name]) for name in RENDERINGS if config.renderings.get(name, 0) > 0)
    portions = [
        Portion(start // GAMES_PER_SHARD, tuple(admitted[start : start + GAMES_PER_SHARD]), weights, seed)
        for start in range(0, len(admitted), GAMES_PER_SHARD)
    ]
    work.report(counts, 0, len(portions))
    counts.merge(work.map_shards(write_portion, [(f"games-{part.index:05d}", part) for part in portions], out))
    return counts


def require_chess() -> None:
    """Raise a ``UserError`` where the optional library is not installed."""
    try:
        import chess.pgn
    except ModuleNotFoundError:
        raise UserError("the chess stage needs the library `chess`", "pip install deepred[chess]") from None
    assert chess.pgn


def admit_games(files: Sequence[Path], cutoff: Day, straddling: str, counts: Counts) -> Iterator[Place]:
    """The games that may be replayed, by headers alone; the others are counted by reason.

    A duplicate has the same players (surname and initial), the same moves, and a date that its twin's does not exclude.
    """
    seen: dict[tuple[str, str, bytes], list[Interval]] = {}
    unreadable: list[str] = []
    for path in files:
        found = 0
        for game in read_games(path):
            found += 1
            counts.add("games")
            played = game.date()
            reason = _refusal(game, played, cutoff, straddling)
            if reason:
                counts.drop(reason)
                if reason == "straddling":
                    counts.tally("straddling", game.headers.get("Date", ""))
                continue
            assert played
            counts.add("before-cutoff")
            key = (
                player_key(game.headers.get("White", "")),
                player_key(game.headers.get("Black", "")),
                moves_key(game.movetext),
            )
            twins = seen.setdefault(key, [])
            if any(twin.first <= played.last and played.first <= twin.last for twin in twins):
                counts.drop("duplicate")
                continue
            twins.append(played)
            name = hashlib.blake2b(f"{key[0]}|{key[1]}|{played.first}|".encode() + key[2], digest_size=8).hexdigest()
            yield Place(str(path), game.offset, name, played)
        counts.add("files")
        if not found:
            counts.drop("no-games")
            unreadable.append(path.name)
    if unreadable:
        counts.notes["files without a game"] = unreadable
    if files and len(unreadable) == len(files):
        raise UserError(f"no chess game in {', '.join(unreadable[:5])}", "chess.files must name PGN collections")


def _refusal(game: RawGame, played: Interval | None, cutoff: Day, straddling: str) -> str:
    if played is None:
        return "undated"
    side = played.side(cutoff)
    if side == "after":
        return "after-cutoff"
    if side == "straddling" and straddling == "drop":
        return "straddling"
    if game.headers.get("Variant", "").lower() not in ("", "standard", "normal", "chess", "from position"):
        return "variant"
    if game.headers.get("FEN") or game.headers.get("SetUp") == "1":
        return "setup-position"
    return "" if game.movetext.strip() else "no-moves"


def write_portion(portion: Portion, folder: Path) -> Counts:
    """Replay and render one shard's games into its Parquet file."""
    counts = Counts()
    write_rows(folder / f"documents-{portion.index:05d}.parquet", _documents(portion, counts), document_schema())
    return counts


def _documents(portion: Portion, counts: Counts) -> Iterator[dict[str, Any]]:
    for place in portion.games:
        rendering = choose_rendering(portion.renderings, portion.seed, place.key)
        played = replay(_read_at(place), place.played, rendering)
        if isinstance(played, str):
            counts.drop(played)
            continue
        text = render(played, rendering, f"{portion.seed}:{place.key}")
        counts.add("documents")
        counts.add("bytes", len(text.encode()))
        counts.tally("rendering", rendering)
        counts.tally("decade", f"{place.played.first // 100000}0s")
        yield {
            "id": f"chess:{place.key}",
            "source": "chess",
            "title": title_of(played),
            "text": text,
            "first": place.played.first,
            "last": place.played.last,
            "author": "",
            "licence": LICENCE,
            "origin": f"{Path(place.file).name}@{place.offset}",
        }


def _read_at(place: Place) -> RawGame:
    for game in read_games(Path(place.file), place.offset):
        return game
    raise FaultError(f"{place.file} changed: no game at byte {place.offset}", "run again")


def choose_rendering(weights: Sequence[tuple[str, float]], seed: int, key: str) -> str:
    """One of the renderings by weight, the same for the same game and seed wherever it stands."""
    at = _digest(seed, "rendering", key) / 2**64 * sum(weight for _, weight in weights)
    for name, weight in weights:
        at -= weight
        if at < 0:
            return name
    return weights[-1][0]


def _digest(seed: int, purpose: str, key: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{purpose}:{key}".encode(), digest_size=8).digest(), "big")


def render(game: PlayedGame, rendering: str, seed: str) -> str:
    """The text of a game in the named rendering; it must have been replayed for that rendering."""
    if rendering == "narrated":
        return render_narrated(game, seed)
    if rendering == "positions":
        return render_positions(game, seed)
    return render_descriptive(game) if rendering == "descriptive" else render_movetext(game)


@dataclass(slots=True)
class Replay:
    """What a replay collects, and what a rendering needs beside the moves."""

    rendering: str = ""
    plies: list[Ply] = field(default_factory=list[Ply])
    error: str = ""


def replay(raw: RawGame, played: Interval, rendering: str = "movetext") -> PlayedGame | str:
    """The game with every half-move recorded as the rendering needs it, or the reason why it is broken."""
    import chess.pgn

    found = Replay(rendering)
    chess.pgn.read_game(io.StringIO(movetext_of(raw)), Visitor=_visitor(found))
    if found.error:
        return found.error
    if not found.plies:
        return "no-moves"
    result = raw.headers.get("Result", "*")
    if result not in ("1-0", "0-1", "1/2-1/2"):
        result = "*"
    if found.plies[-1].mate and result != ("1-0" if len(found.plies) % 2 else "0-1"):
        return "result-contradicts-mate"
    white, black, event, site = (raw.headers.get(tag, "") for tag in ("White", "Black", "Event", "Site"))
    return PlayedGame(white, black, event, site, played, result, tuple(found.plies))


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
