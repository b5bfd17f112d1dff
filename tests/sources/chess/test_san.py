"""Moves as they are written: read, refused and written anew; and the words of a main line."""

import time

import pytest

from deepred.sources.chess.fen import START, read_fen
from deepred.sources.chess.movetext import main_line
from deepred.sources.chess.san import MoveError, check_mark, parse, read_san, write_san

KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"
KNIGHTS = "7k/8/8/1N3N2/8/1N6/8/K7 w - - 0 1"
PROMOTION = "3n3k/4P3/8/8/8/8/8/K7 w - - 0 1"
CASTLING = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1"
PASSING = "4k3/8/8/4Pp2/8/8/8/4K3 w - f6 0 1"


@pytest.mark.parametrize("fen", [START, KIWIPETE, KNIGHTS, PROMOTION, CASTLING, PASSING])
def test_every_legal_move_reads_back_as_itself(fen):
    board = read_fen(fen)
    moves = list(board.legal_moves())
    words = [write_san(board, move) for move in moves]
    assert len(set(words)) == len(words)
    assert [read_san(board, word) for word in words] == moves


@pytest.mark.parametrize(
    ("fen", "word", "san"),
    [
        (KNIGHTS, "Nb5d4", "Nb5d4"),  # a knight on its file, another on its rank
        (KNIGHTS, "Nfd4", "Nfd4"),
        (KNIGHTS, "N3d4", "N3d4"),
        (KNIGHTS, "Nb5c7", "Nc7"),
        ("7k/8/8/8/1b6/8/3N4/4K1N1 w - - 0 1", "Nf3", "Nf3"),  # the other knight is pinned
        (START, "Pe4", "e4"),
        (START, "e2-e4", "e4"),
        (START, "e2e4", "e4"),
        (START, "g1f3", "Nf3"),
        (START, "Ng1-f3", "Nf3"),
        (START, "Nf3ch", "Nf3"),
        (START, "Nf3+/-", "Nf3"),
        (PASSING, "exf6", "exf6"),
        (PASSING, "ef6", "exf6"),
        (PASSING, "e:f6", "exf6"),
        (PASSING, "e5xf6e.p.", "exf6"),
        (PASSING, "exf6ep", "exf6"),
        (PROMOTION, "exd8=N", "exd8=N"),
        (PROMOTION, "ed8Q+", "exd8=Q"),
        (PROMOTION, "e7e8q", "e8=Q"),
        (CASTLING, "O-O", "O-O"),
        (CASTLING, "0-0-0+", "O-O-O"),
        (CASTLING, "o-o-o", "O-O-O"),
        (CASTLING, "O–O", "O-O"),
        (CASTLING, "e1g1", "O-O"),
        (CASTLING, "e1c1", "O-O-O"),
        (CASTLING, "e1h1", "O-O"),  # the king takes its own rook
        (CASTLING, "e1d1", "Kd1"),
    ],
)
def test_a_move_is_read_in_other_forms_than_the_standard_one(fen, word, san):
    board = read_fen(fen)
    assert write_san(board, read_san(board, word)) == san


@pytest.mark.parametrize(
    ("fen", "word", "reason"),
    [
        (START, "e5", "illegal-move"),
        (START, "Ke2", "illegal-move"),
        (START, "O-O", "illegal-move"),
        (START, "dxe3", "illegal-move"),
        (START, "Nhf3", "illegal-move"),
        (START, "e4=Q", "illegal-move"),
        (START, "e7e5", "illegal-move"),
        (PASSING, "f6", "illegal-move"),
        (PROMOTION, "e8", "illegal-move"),
        (PROMOTION, "e8=K", "illegal-move"),
        (PROMOTION, "e8=P", "illegal-move"),
        (CASTLING, "Kg1", "illegal-move"),
        ("4k3/8/8/8/1b6/8/3N4/4K3 w - - 0 1", "Nf3", "illegal-move"),  # pinned
        ("4k3/8/8/8/8/8/8/R3K2r w Q - 0 1", "Rb1", "illegal-move"),  # in check
        (KNIGHTS, "Nd4", "ambiguous-move"),
        (KNIGHTS, "Nbd4", "ambiguous-move"),
        (KNIGHTS, "N5d4", "ambiguous-move"),
        (START, "--", "null-move"),
        (START, "Z0", "null-move"),
        (START, "Sf3", "unreadable-move"),
        (START, "nf3", "unreadable-move"),
        (START, "♘f3", "unreadable-move"),
        (START, "Nf9", "unreadable-move"),
        (START, "N@f3", "unreadable-move"),
        (START, "Nf3Nc6", "unreadable-move"),
        (START, "OO", "unreadable-move"),
        (START, "Nf3" + "=" * 1000, "unreadable-move"),
        (START, "", "unreadable-move"),
    ],
)
def test_what_is_no_legal_move_is_refused_with_the_reason(fen, word, reason):
    with pytest.raises(MoveError) as error:
        read_san(read_fen(fen), word)
    assert (error.value.word, error.value.reason) == (word, reason)


@pytest.mark.parametrize(
    ("moves", "mark"), [("e4", ""), ("f3 e5 g4 Qh4", "#"), ("e4 f6 Qh5", "+"), ("e4 e5 d4 Bb4", "+")]
)
def test_check_and_mate_are_marked(moves, mark):
    board = read_fen(START)
    for word in moves.split():
        board.push(read_san(board, word))
    assert check_mark(board) == mark


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1. e4 e5 2.Nf3 Nc6 3... a6", "e4 e5 Nf3 Nc6 a6"),
        ("1 e4 e5 2 Nf3,Nc6 3…a6", "e4 e5 Nf3 Nc6 a6"),
        ("1. e4! e5?! 2. Nf3!! $14 Nc6 $1$2", "e4 e5 Nf3 Nc6"),
        ("1. e4 {a (comment) ; [%clk 1]} e5 ; to the (end\n2. Nf3", "e4 e5 Nf3"),
        ("1. e4{x}e5(1...c5{y) z}2. Nf3 (2. d4 1-0))2. Nf3", "e4 e5 Nf3"),
        ("1. e4 (1. d4 {unclosed", "e4"),
        ("1. e4 ) } ] e5", "e4 e5"),
        ("1. e4 [%csl Ge5] <reserved e5> e5", "e4 e5"),
        ("1. e4 [ < e5", "e4 e5"),
        ("1. e4 Novelty += e5 +- 2. f4 = ef4 ∞ N", "e4 e5 f4 ef4"),
        ("1. e4 d5 2. exd5 e.p. Qxd5 mate 1-0", "e4 d5 exd5 Qxd5 1-0"),
        ("1. f3 e5 2. g4 Qh4#0-1", "f3 e5 g4 Qh4# 0-1"),
        ("1e4 e5 2Nf3 Nc63.Bc4 Bc54.O-O Nf61/2-1/2", "e4 e5 Nf3 Nc6 Bc4 Bc5 O-O Nf6 1/2-1/2"),
        ("1. e4 1/2-1/2 * 1-0", "e4 1/2-1/2 * 1-0"),
        ("1. e4 ed exd OO 0-0 -- Z0 0000 Sf3 Qe9", "e4 ed exd OO 0-0 -- Z0 0000 Sf3 Qe9"),  # not to be passed over
        ("1. exact bed Oops 0:10", ""),
    ],
)
def test_the_main_line_is_what_is_played(text, words):
    assert list(main_line(text)) == words.split()


@pytest.mark.parametrize(
    "piece",
    [
        "{", "{ ", "}", "(", ")", "[", "[a", "<", "<a", ";", ";\n", "$", "$1", "1", "1.", "1.1", ".", "…", "e.p.", "e",
        "e4", "e4 ", "N", "Nf3+", "O-", "O-O-", "0-0", "-", "--", "+", "#", "!", "*", "x", "a:", "1-0", "ab", "@", "é",
    ],
)  # fmt: skip
def test_time_grows_with_length_only(piece):
    begun = time.process_time()
    for word in main_line(piece * (20_000 // len(piece))):
        parse(word)
    parse(piece * 20_000)
    assert time.process_time() - begun < 1
