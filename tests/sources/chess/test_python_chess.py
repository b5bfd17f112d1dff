"""The board against python-chess: legal moves, notation, positions, check and mate, and every game of the samples."""

import os
import random
import re

import pytest

from deepred.base.days import Interval
from deepred.sources.chess.fen import read_fen, write_fen
from deepred.sources.chess.pgn import RawGame, read_games
from deepred.sources.chess.replay import replay
from deepred.sources.chess.san import MoveError, check_mark, read_san, write_san
from deepred.sources.chess.squares import NAMES

pytestmark = pytest.mark.needs("chess")

EVERY = int(os.environ.get("DEEPRED_SAMPLE_EVERY", "1"))
"""One in so many of the samples' games is compared; all of them take some 80 seconds."""


def in_uci(move, castling_to_rook=True):
    """A move as engines write it; castling as the king's move onto its rook, or by two squares."""
    to_rook = castling_to_rook and move.castles
    return NAMES[move.origin] + NAMES[move.rook if to_rook else move.target] + move.promotion.lower()


def compare(ours, theirs):
    """Everything that can be asked of two boards of the same position."""
    assert write_fen(ours) == theirs.fen(en_passant="fen")
    assert write_fen(read_fen(theirs.fen())) == theirs.fen()
    moves = {in_uci(move): move for move in ours.legal_moves()}
    expected = {move.uci(): move for move in theirs.legal_moves}
    assert set(moves) == set(expected)
    assert ours.check == theirs.is_check()
    assert (ours.is_checkmate(), ours.is_stalemate()) == (theirs.is_checkmate(), theirs.is_stalemate())
    for uci, move in moves.items():
        san = theirs.san(expected[uci])
        assert write_san(ours, move) == san.rstrip("+#")
        assert read_san(ours, san) == move
        assert bool(ours.captured(move)) == theirs.is_capture(expected[uci])
        assert ours.is_en_passant(move) == theirs.is_en_passant(expected[uci])
    return moves, expected


@pytest.mark.parametrize("start", [518, 518, 518, 518, 0, 333, 959])
def test_random_games_are_the_same_on_both_boards(start):
    """From the usual position (518), and from those of other numbers, in which kings and rooks stand elsewhere."""
    import chess

    chance = random.Random(start)
    for _ in range(4):
        theirs = chess.Board.from_chess960_pos(start)
        ours = read_fen(theirs.fen())
        for _ in range(chance.randint(40, 160)):
            moves, expected = compare(ours, theirs)
            if not moves:
                break
            uci = chance.choice(sorted(moves))
            san = theirs.san(expected[uci])
            ours.push(moves[uci])
            theirs.push(expected[uci])
            assert san.endswith(check_mark(ours) or tuple("12345678QRBNO"))


def words(board, chance):
    """What may be read as a move: letters at random, and legal moves without what tells a piece from others."""
    legal = [board.san(move) for move in board.legal_moves]
    parts = (("", *"KQRBN"), ("", *"abcdefgh"), ("", *"12345678"), ("", "x"), NAMES, ("", "", "", "=Q", "=N"))
    for _ in range(15):
        yield "".join(map(chance.choice, parts))
        yield re.sub(r"(?<=[NBRQ])[a-h1-8]{1,2}(?=x?[a-h][1-8])", "", chance.choice(legal))


def test_words_that_look_like_moves_are_read_or_refused_alike():
    import chess

    chance, seen = random.Random(1), set()
    refused = {chess.IllegalMoveError: "illegal-move", chess.AmbiguousMoveError: "ambiguous-move"}
    for _ in range(10):
        theirs = chess.Board()
        while not theirs.is_game_over() and theirs.fullmove_number < 40:
            ours = read_fen(theirs.fen())
            for word in words(theirs, chance):
                try:
                    expected = theirs.parse_san(word).uci()
                except ValueError as error:
                    expected = refused[type(error)]
                try:
                    found = in_uci(read_san(ours, word), castling_to_rook=False)
                except MoveError as error:
                    found = error.reason
                assert found == expected, (word, theirs.fen())
                seen.add(found)
            theirs.push(chance.choice(list(theirs.legal_moves)))
    assert set(refused.values()) < seen


def test_every_sample_game_is_played_as_python_chess_plays_it(samples):
    import chess

    played = 0
    for path in sorted((samples / "chess").glob("*.pgn")):
        for number, raw in enumerate(read_games(path)):
            if number % EVERY:
                continue
            game = replay(raw, Interval.of(1900))
            assert not isinstance(game, str), (path.name, raw.offset, game)
            board = chess.Board()
            for ply in game.plies:
                move = board.parse_san(ply.san)
                assert ply.captured == captured(board, move), ply
                board.push(move)
            assert game.plies[-1].mate == board.is_checkmate()
            assert [ply.check for ply in game.plies[-1:]] == [board.is_check()]
            played += 1
    assert played > 20_000 / EVERY


def captured(board, move):
    import chess

    if board.is_en_passant(move):
        return "P"
    return (
        (chess.piece_symbol(board.piece_type_at(move.to_square) or 0) or "").upper() if board.is_capture(move) else ""
    )


@pytest.mark.parametrize(
    "moves",
    [
        "1. e4 e5 2. Nf3! Nc6 $14 (2... d6 {a (bad} (2... f5)) 3. Bb5 ; to the end )\na6 4. Ba4 {[%clk 1:00]} 1-0",
        "1.e4 e5 2.Nf3 Nc6 3.Bc4 Bc5 4.0-0 Nf6 5.d4 exd4 6.e5 d5 7.exf6 dxc4 1/2-1/2",
        "1. e4 d5 2. exd5 e.p. Qxd5 3. Nc3 Qa5+ 4. d4 c6 5. Bd2 Qd8 *",
        "1. f3 e5 2. g4 Qh4 0-1",
    ],
)
def test_movetext_with_all_that_stands_in_it_is_read_alike(moves):
    import io

    import chess.pgn

    theirs = chess.pgn.read_game(io.StringIO(moves))
    board, expected = theirs.board(), []
    for move in theirs.mainline_moves():
        expected.append(board.san(move))
        board.push(move)
    game = replay(RawGame(0, {}, moves.encode()), Interval.of(1900))
    assert [ply.san for ply in game.plies] == expected
    assert game.result == theirs.headers["Result"]
