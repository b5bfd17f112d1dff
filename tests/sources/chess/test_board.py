"""The rules of chess: positions counted, castling, pawns, mate and stalemate, and positions as FEN."""

import pytest

from deepred.base.errors import UserError
from deepred.sources.chess.board import Board, Move
from deepred.sources.chess.fen import START, read_fen, write_fen
from deepred.sources.chess.san import read_san
from deepred.sources.chess.squares import NUMBERS


def after(board: Board, move: Move) -> Board:
    made = board.copy()
    made.push(move)
    return made


def count_games(board: Board, depth: int) -> int:
    """How many games of so many half-moves begin at a position ("perft")."""
    moves = list(board.legal_moves())
    return len(moves) if depth == 1 else sum(count_games(after(board, move), depth - 1) for move in moves)


@pytest.mark.parametrize(
    ("fen", "counts"),
    [
        (START, (20, 400, 8902, 197281)),
        ("r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", (48, 2039, 97862)),
        ("8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", (14, 191, 2812, 43238)),
        ("r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1", (6, 264, 9467)),
        ("rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", (44, 1486, 62379)),
        # castling with rooks and kings on other files than the usual ones
        ("bqnb1rkr/pp3ppp/3ppn2/2p5/5P2/P2P4/NPP1P1PP/BQ1BNRKR w HFhf - 2 9", (21, 528, 12189)),
        ("2nnrbkr/p1qppppp/8/1ppb4/6PP/3PP3/PPP2P2/BQNNRBKR w HEhe - 1 9", (21, 807, 18002)),
    ],
)
def test_as_many_games_begin_at_a_position_as_are_known_to(fen, counts):
    board = read_fen(fen)
    assert tuple(count_games(board, depth) for depth in range(1, len(counts) + 1)) == counts


@pytest.mark.parametrize(
    ("fen", "castles"),
    [
        ("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", {"kingside", "queenside"}),
        ("4k3/8/8/8/8/8/8/R3K2R w K - 0 1", {"kingside"}),
        ("4k3/8/8/8/8/8/8/R3K2R w - - 0 1", set()),
        ("4k3/8/8/8/4r3/8/8/R3K2R w KQ - 0 1", set()),  # in check
        ("4k3/8/8/8/5r2/8/8/R3K2R w KQ - 0 1", {"queenside"}),  # over an attacked square
        ("4k3/8/8/8/6r1/8/8/R3K2R w KQ - 0 1", {"queenside"}),  # into check
        ("4k3/8/8/8/1r5r/8/8/R3K2R w KQ - 0 1", {"kingside", "queenside"}),  # the rooks may be attacked
        ("4k3/8/8/8/8/8/8/RN2K1NR w KQ - 0 1", set()),
        ("r3k2r/8/8/8/8/8/8/4K3 b kq - 0 1", {"kingside", "queenside"}),
        ("7k/8/8/8/8/8/8/qR1K4 w Q - 0 1", set()),  # the rook may not lay its king open
        ("4k3/8/8/8/8/8/8/1RK4R w KQ - 0 1", {"kingside", "queenside"}),
        ("4k3/8/8/8/8/8/8/RR2K3 w A - 0 1", set()),  # another rook is between
        ("4k3/8/8/8/8/8/8/RR2K3 w B - 0 1", {"queenside"}),
    ],
)
def test_castling_is_legal_over_empty_squares_that_are_not_attacked(fen, castles):
    board = read_fen(fen)
    found = {move.castles: after(board, move) for move in board.castling_moves()}
    assert set(found) == castles
    rank, king, rook = (0, "K", "R") if board.white else (56, "k", "r")
    for castled, made in found.items():
        places = (6, 5) if castled == "kingside" else (2, 3)
        assert [made.pieces[rank + place] for place in places] == [king, rook]
        assert not {square for square in made.castling if square // 8 == rank // 8}


@pytest.mark.parametrize(
    ("moves", "castling"),
    [
        ("e4 e5", "KQkq"),
        ("e4 e5 Ke2", "kq"),
        ("h4 h5 Rh3 Rh6", "Qq"),
        ("Nf3 Nf6 g3 g6 Bg2 Bg7 O-O O-O", "-"),
        ("b3 g6 Bb2 Nf6 Bxf6 Bh6 Bxh8", "KQq"),  # the rook is taken where it stood
    ],
)
def test_rights_to_castle_end_with_the_first_move_of_king_or_rook(moves, castling):
    board = read_fen(START)
    for word in moves.split():
        board.push(read_san(board, word))
    assert write_fen(board).split()[2] == castling


def test_a_pawn_is_taken_in_passing_at_once_or_not_at_all():
    board = read_fen(START)
    for word in ["e4", "a6", "e5", "d5"]:
        board.push(read_san(board, word))
    passing = Move(NUMBERS["e5"], NUMBERS["d6"])
    assert passing in list(board.legal_moves()) and board.is_en_passant(passing) and board.captured(passing) == "P"
    assert not after(board, passing).pieces[NUMBERS["d5"]]
    for word in ["h3", "h6"]:
        board.push(read_san(board, word))
    assert passing not in list(board.legal_moves())


@pytest.mark.parametrize(
    ("fen", "legal"),
    [
        ("8/8/8/K1Pp3r/8/8/8/7k w - d6 0 1", False),  # both pawns leave the rank on which the rook attacks
        ("7k/8/8/2Pp4/4K3/8/8/8 w - d6 0 1", True),  # the pawn that gives check is taken
        ("7k/8/8/b1Pp4/8/8/8/4K3 w - d6 0 1", False),  # the check is another piece's
    ],
)
def test_taking_in_passing_is_legal_where_it_leaves_no_check(fen, legal):
    board = read_fen(fen)
    assert any(board.is_en_passant(move) for move in board.legal_moves()) == legal


@pytest.mark.parametrize(
    ("fen", "mate", "stalemate"),
    [
        ("rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3", True, False),
        ("6rk/5Npp/8/8/8/8/8/7K b - - 0 1", True, False),
        ("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1", False, True),
        ("k7/P7/K7/8/8/8/8/8 b - - 0 1", False, True),
        ("7k/6Q1/8/8/8/8/8/K7 b - - 0 1", False, False),  # the queen is taken
        ("7k/6Q1/8/4B3/8/8/8/K7 b - - 0 1", True, False),
        ("8/8/8/8/3pP3/8/8/K6k b - e3 0 1", False, False),
        ("4r2k/8/8/8/8/8/3PBP2/3QKN2 w - - 0 1", False, False),  # a pinned piece is no check
        (START, False, False),
    ],
)
def test_mate_and_stalemate(fen, mate, stalemate):
    board = read_fen(fen)
    assert (board.is_checkmate(), board.is_stalemate()) == (mate, stalemate)


@pytest.mark.parametrize(
    "fen",
    [
        START,
        "rnbqkbnr/pppp1ppp/8/8/4pP2/8/PPPPP1PP/RNBQKBNR b KQkq f3 0 2",
        "4k3/8/8/8/8/8/8/RR2K2R w KBQ - 12 34",
        "bqnb1rkr/pp3ppp/3ppn2/2p5/5P2/P2P4/NPP1P1PP/BQ1BNRKR w KQkq - 2 9",
    ],
)
def test_a_position_comes_back_as_it_was_written(fen):
    assert write_fen(read_fen(fen)) == fen


def test_counts_of_a_position_may_be_left_out():
    assert write_fen(read_fen("4k3/8/8/8/8/8/8/4K3 w - -")) == "4k3/8/8/8/8/8/8/4K3 w - - 0 1"


@pytest.mark.parametrize(
    ("fen", "wrong"),
    [
        ("", "0 fields"),
        ("8/8 w - - 0 1", "8 ranks"),
        ("9/8/8/8/8/8/8/4K2k w - - 0 1", "8 ranks"),
        ("7x/8/8/8/8/8/8/4K2k w - - 0 1", "unknown pieces x"),
        ("8/8/8/8/8/8/8/8 w - - 0 1", "one king"),
        ("8/8/8/8/8/8/8/KK5k w - - 0 1", "one king"),
        ("P7/8/8/8/8/8/8/K6k w - - 0 1", "a pawn"),
        ("4k3/8/8/8/8/8/8/4K3 W - - 0 1", "side to move"),
        ("4k3/8/8/8/8/8/8/4K3 w K - 0 1", 'castle "K"'),
        ("4k3/8/8/8/8/8/4K3/7R w K - 0 1", 'castle "K"'),
        ("4k3/8/8/8/8/8/8/R3K3 w K - 0 1", 'castle "K"'),
        ("4k3/8/8/8/8/8/8/R3K3 w x - 0 1", 'castle "x"'),
        ("4k3/8/8/8/8/8/8/4K3 w - e6 0 1", "passed over"),
        ("4k3/8/8/8/8/8/8/4K3 w - zz 0 1", "passed over"),
        ("4k3/8/8/8/8/8/8/4K3 w - - x 1", "counts"),
        ("4k3/8/8/8/8/8/8/4K2q b - - 0 1", "in check"),
    ],
)
def test_a_position_that_cannot_be_says_why(fen, wrong):
    with pytest.raises(UserError, match=wrong):
        read_fen(fen)
