"""Games as prose: what is admitted, what is dropped, and that every statement is true."""

import os
import re
from itertools import chain, islice

import pytest

from deepred.base.days import Interval
from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.run.config import Chess
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work
from deepred.sources.chess import chess as stage
from deepred.sources.chess.pgn import RawGame
from deepred.sources.chess.prose import LONGEST_OPENING, opening_name, openings
from deepred.sources.chess.replay import replay

SAMPLE_GAMES = int(os.environ.get("DEEPRED_SAMPLE_GAMES", "30"))
"""Games of the samples that are told and checked; 2,000 take some five minutes."""

MATE = "1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7# 1-0"
LONG = (
    "1. e4 c5 2. Nf3 d6 3. d4 cxd4 4. Nxd4 Nf6 5. Nc3 a6 6. Bg5 e6 7. f4 Be7 8. Qf3 Qc7 9. O-O-O Nbd7 "
    "10. g4 b5 11. Bxf6 Nxf6 12. g5 Nd7 13. f5 Bxg5+ 14. Kb1 Ne5 15. Qh5 Qe7 16. fxe6 1/2-1/2"
)


def pgn(date, moves=LONG, white="Morphy, Paul", black="Anderssen, Adolf", result=None, extra=""):
    result = result or moves.split()[-1]
    return (
        f'[Event "Match"]\n[Site "Paris"]\n[Date "{date}"]\n[White "{white}"]\n[Black "{black}"]\n'
        f'[Result "{result}"]\n{extra}\n{moves}\n\n'
    )


def narrate(tmp_path, *texts, cutoff=19690720, straddling="drop", seed=1, workers=1, **config):
    files = []
    for index, text in enumerate(texts):
        path = tmp_path / f"games-{index}.pgn"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files.append(path)
    out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    out.mkdir()
    counts = stage.narrate_games(
        world=None,
        config=Chess(**config),
        sources={"files": files},
        cutoff=cutoff,
        straddling=straddling,
        seed=seed,
        out=out,
        work=Work(Settings(workers=workers)),
    )
    return list(read_rows(out, "documents-*.parquet")), counts


def test_a_game_of_the_day_before_the_cutoff_is_kept_and_one_of_the_day_itself_is_not(tmp_path):
    rows, counts = narrate(tmp_path, pgn("1969.07.19") + pgn("1969.07.20", MATE))
    assert [row["first"] for row in rows] == [19690719]
    assert counts.drops == {"after-cutoff": 1}


@pytest.mark.parametrize(("straddling", "kept"), [("drop", 0), ("keep", 1)])
def test_a_game_dated_only_by_the_cutoffs_year_straddles(tmp_path, straddling, kept):
    rows, counts = narrate(tmp_path, pgn("1969.??.??"), straddling=straddling)
    assert len(rows) == kept
    assert counts.drops["straddling"] == 1 - kept


def test_games_after_the_cutoff_are_never_parsed(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(stage, "replay", lambda raw, played, rendering: read.append(raw.headers["Date"]) or "no-moves")
    narrate(tmp_path, pgn("1858.??.??") + pgn("1997.05.11") + pgn("1969.??.??") + pgn("????.??.??"))
    assert read == ["1858.??.??"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (pgn("????.??.??"), "undated"),
        (pgn("1858.??.??", "1. e4 e5 2. Ke3 1-0"), "illegal-move"),
        (pgn("1858.??.??", "1. Nf3 d5 2. Nd4 e5 3. Nc3 a6 4. Nb5 a5 5. Nd6+ 1-0", result="1-0"), "ambiguous-move"),
        (pgn("1858.??.??", "1-0"), "no-moves"),
        (pgn("1858.??.??", "1. e4 -- 2. d4 1-0"), "null-move"),
        (pgn("1858.??.??", MATE, result="0-1"), "result-contradicts-mate"),
        (pgn("1858.??.??", extra='[Variant "Antichess"]\n'), "variant"),
        (pgn("1858.??.??", extra='[FEN "8/8/8/8/8/8/8/8 w - - 0 1"]\n'), "setup-position"),
    ],
)
def test_a_game_that_cannot_be_told_is_counted_by_reason(tmp_path, text, reason):
    rows, counts = narrate(tmp_path, text + pgn("1900.01.01"))
    assert len(rows) == 1
    assert counts.drops == {reason: 1}


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("1969.1?.??", "after-cutoff"),
        ("1969.0?.??", "straddling"),
        ("1969.07.2?", "after-cutoff"),
        ("1969.07.1?", ""),
        ("1969.07.??", "straddling"),
        ("1969.06.??", ""),
        ("196?.??.??", "straddling"),
        ("195?.??.??", ""),
        ("19??.??.??", "straddling"),
        ("????.07.19", "undated"),
        ("20.07.1969", "after-cutoff"),
        ("1968/69", "straddling"),
    ],
)
def test_a_game_is_admitted_when_every_day_it_may_be_of_is_before_the_cutoff(tmp_path, date, reason):
    rows, counts = narrate(tmp_path, pgn(date) + pgn("1900.01.01", MATE))
    assert len(rows) == 1 + (not reason)
    assert dict(counts.drops) == ({reason: 1} if reason else {})


def test_a_game_of_a_decade_is_told_as_one(tmp_path):
    rows, _ = narrate(tmp_path, pgn("185?.??.??"), renderings={"movetext": 1.0})
    assert "Match, Paris, in the 1850s." in rows[0]["text"]
    assert rows[0]["title"] == "Paul Morphy against Adolf Anderssen, 1850 to 1859"


@pytest.mark.parametrize(
    ("header", "moves", "result"),
    [
        ("1-0", "1. e4 e5 1-0", "1-0"),
        ("*", "1. e4 e5 0-1", "0-1"),
        ("1/2", "1. e4 e5", "1/2-1/2"),
        ("1-0", "1. e4 e5 *", "1-0"),
        ("1-0", "1. e4 e5 0-1", "*"),
        ("?", "1. e4 e5", "*"),
        ("*", "1. f3 e5 2. g4 Qh4#", "0-1"),
    ],
)
def test_the_result_is_what_header_and_moves_agree_on(header, moves, result):
    assert replay(RawGame(0, {"Result": header}, moves.encode()), Interval.of(1900)).result == result


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ('[SetUp "1"]\n[FEN "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"]\n', ""),
        ('[SetUp "0"]\n', ""),
        ('[FEN ""]\n', ""),
        ('[SetUp "1"]\n', "setup-position"),
        ('[FEN "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR b KQkq - 0 1"]\n', "setup-position"),
    ],
)
def test_the_usual_position_set_up_is_no_set_up(tmp_path, extra, reason):
    _, counts = narrate(tmp_path, pgn("1858.??.??", extra=extra))
    assert dict(counts.drops) == ({reason: 1} if reason else {})


def test_castling_with_zeros_is_the_same_game(tmp_path):
    zeros = LONG.replace("O-O-O", "0-0-0")
    rows, counts = narrate(tmp_path, pgn("1858.??.??"), pgn("1858.??.??", zeros), renderings={"movetext": 1.0})
    assert counts.drops["duplicate"] == 1
    alone, _ = narrate(tmp_path, pgn("1858.??.??", zeros), renderings={"movetext": 1.0})
    assert alone[0]["text"] == rows[0]["text"]


@pytest.mark.parametrize(
    ("second", "duplicates"),
    [
        (pgn("1858.??.??", white="Paul Morphy", black="Anderssen,A"), 1),
        (pgn("1858.12.20"), 1),  # the other collection knows the day
        (pgn("1859.??.??"), 0),
        (pgn("1858.??.??", white="Morphy, Alonzo"), 0),
        (pgn("1858.??.??", LONG.replace("9. O-O-O", "9. Bd3")), 0),
    ],
)
def test_a_duplicate_has_the_same_players_and_moves_and_a_date_that_agrees(tmp_path, second, duplicates):
    _, counts = narrate(tmp_path, pgn("1858.??.??"), second)
    assert counts.drops["duplicate"] == duplicates


def test_movetext_names_players_place_year_and_result(tmp_path):
    rows, _ = narrate(tmp_path, pgn("1858.??.??", MATE), renderings={"movetext": 1.0})
    assert rows[0]["text"] == (
        "Paul Morphy (White) against Adolf Anderssen (Black), Match, Paris, in 1858.\n\n"
        "1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7# 1-0"
    )
    assert rows[0]["source"] == "chess"
    assert (rows[0]["first"], rows[0]["last"]) == (18580101, 18581231)


def test_comments_variations_and_marks_leave_no_trace(tmp_path):
    moves = "1. e4! {a modern comment [%clk 1:00]} e5 (1... c5 {Deep Blue}) 2. Qh5?! $14 Nc6 3. Bc4 Nf6?? 4. Qxf7 1-0"
    rows, _ = narrate(tmp_path, pgn("1858.??.??", moves), renderings={"movetext": 1.0})
    assert rows[0]["text"].endswith("1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7# 1-0")


@pytest.mark.parametrize("moves", ["e2e4 e7e5 g1f3 b8c6 1/2-1/2", "1.Pe4 e5 2.Ng1f3 Nb8-c6 1/2-1/2"])
def test_moves_in_other_notations_come_out_in_the_standard_one(moves):
    game = replay(RawGame(0, {"Result": "1/2-1/2"}, moves.encode()), Interval.of(1900))
    assert [ply.san.replace("Ng1f3", "Nf3") for ply in game.plies] == ["e4", "e5", "Nf3", "Nc6"]


def check_narration(game, text):
    """Every statement of a narration against the replayed game."""
    import chess

    board, states = chess.Board(), []
    for ply in game.plies:
        move = board.parse_san(ply.san)
        states.append((board.copy(stack=False), move))
        board.push(move)
    for found in re.finditer(r"move (\d+) (White|Black) (.*?) \(([^)]+)\)\.", text):
        index = 2 * (int(found[1]) - 1) + (found[2] == "Black")
        before, move = states[index]
        after = before.copy()
        after.push(move)
        said = found[3]
        assert before.san(move).rstrip("+#") == found[4].rstrip("+#") or before.parse_san(found[4]) == move
        assert ("took" in said or "taking" in said) == before.is_capture(move)
        assert ("check" in said) == after.is_check()
        assert ("castled" in said) == before.is_castling(move)
        assert ("promoted" in said) == bool(move.promotion)
        taken = re.search(r"(?:took|taking) a (\w+)", said)
        if taken:
            kind = chess.PAWN if before.is_en_passant(move) else before.piece_type_at(move.to_square)
            assert chess.piece_name(kind) == taken[1]
    assert ("gave mate" in text) == board.is_checkmate()
    assert ("drawn" in text) == (game.result == "1/2-1/2")
    opening = re.search(r"(?:opened|began|were) (1\. .*?)\.(?: The opening|\n)", text)
    assert opening
    assert re.sub(r"\d+\. ", "", opening[1]).split() == [ply.san for ply in game.plies[:8]]


@pytest.mark.needs("chess")
def test_narrations_state_only_what_a_replay_confirms():
    for moves in (LONG, MATE, "1. e4 d5 2. e5 f5 3. exf6 d4 4. fxg7 d3 5. gxh8=Q dxc2 6. Qxg8 cxb1=N 1-0"):
        game = replay(RawGame(0, {"Result": moves.split()[-1], "White": "A, B"}, moves.encode()), Interval.of(1900))
        for seed in range(5):
            check_narration(game, stage.render(game, "narrated", str(seed)))


def test_an_en_passant_capture_takes_a_pawn():
    game = replay(RawGame(0, {}, b"1. e4 d5 2. e5 f5 3. exf6 *"), Interval.of(1900))
    assert game.plies[-1].captured == "P"


def test_rendering_and_output_do_not_depend_on_workers_or_other_games(tmp_path):
    many = "".join(pgn(f"{1850 + index}.??.??") for index in range(30))
    rows, _ = narrate(tmp_path, many)
    fewer, _ = narrate(tmp_path, "".join(pgn(f"{1850 + index}.??.??") for index in range(5, 30)))
    texts = {row["id"]: row["text"] for row in rows}
    assert all(texts[row["id"]] == row["text"] for row in fewer)
    again, _ = narrate(tmp_path, many, workers=2)
    assert again == rows
    other, _ = narrate(tmp_path, many, seed=2)
    assert [row["text"] for row in other] != [row["text"] for row in rows]


FILES = {"QR": 0, "QN": 1, "QB": 2, "Q": 3, "K": 4, "KB": 5, "KN": 6, "KR": 7}


def squares_of(name, turn):
    """Every square that a descriptive name can mean: "B3" is QB3 or KB3."""
    wing, rank = name[:-1], int(name[-1])
    files = [number for full, number in FILES.items() if full == wing or (len(full) == 2 and full[1] == wing)]
    return {8 * (rank - 1 if turn else 8 - rank) + number for number in files}


def parse_descriptive(board, text):
    """The legal moves that a descriptive move can mean."""
    import chess

    if text.startswith("O-O"):
        return [board.parse_san(text.split()[0])]
    form = re.match(
        r"([KQRBNP])(?:\(([A-Z]+\d)\))?(?:-([A-Z]+\d)|x([KQRBNP])(?:\(([A-Z]+\d)\))?)"
        r"( e\.p\.)?(?:=([QRBN]))?( ch| mate)?$",
        text,
    )
    assert form, text
    found = []
    for move in board.legal_moves:
        taken = chess.PAWN if board.is_en_passant(move) else board.piece_type_at(move.to_square)
        fits = [
            chess.piece_symbol(board.piece_type_at(move.from_square)).upper() == form[1],
            not form[2] or move.from_square in squares_of(form[2], board.turn),
            not form[3] or (move.to_square in squares_of(form[3], board.turn) and not board.is_capture(move)),
            not form[4] or (board.is_capture(move) and chess.piece_symbol(taken).upper() == form[4]),
            not form[5] or move.to_square in squares_of(form[5], board.turn),
            bool(form[6]) <= board.is_en_passant(move),
            (chess.piece_symbol(move.promotion).upper() if move.promotion else None) == form[7],
            not board.is_castling(move),
        ]
        if all(fits):
            found.append(move)
    return found


def check_descriptive(game):
    import chess

    board = chess.Board()
    for ply in game.plies:
        move = board.parse_san(ply.san)
        assert parse_descriptive(board, ply.descriptive) == [move], (ply.descriptive, board.fen())
        board.push(move)
        assert ply.descriptive.endswith(" mate") == board.is_checkmate()
        assert ply.descriptive.endswith(" ch") == (board.is_check() and not board.is_checkmate())


PROMOTION = "1. e4 d5 2. e5 f5 3. exf6 d4 4. fxg7 d3 5. gxh8=Q dxc2 6. Qxg8 cxb1=N 1-0"


@pytest.mark.needs("chess")
@pytest.mark.parametrize(
    ("moves", "year", "expected"),
    [
        (MATE, 1858, "1. P-K4, P-K4 2. Q-R5, Kt-QB3 3. B-B4, Kt-B3 4. QxP(KB7) mate White wins."),
        ("1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 1/2-1/2", 1960, "1. P-K4, P-K4 2. N-KB3, N-QB3 3. B-N5, P-QR3 Drawn."),
        (PROMOTION, 1960, None),
        (LONG, 1960, None),
    ],
)
def test_descriptive_notation_reads_back_as_the_move_and_no_other(moves, year, expected):
    raw = RawGame(0, {"Result": moves.split()[-1]}, moves.encode())
    game = replay(raw, Interval.of(year), "descriptive")
    check_descriptive(game)
    if expected:
        assert stage.render(game, "descriptive", "").split("\n\n")[1] == expected


def check_positions(game, text):
    """Every answer about a position against the board that the diagram shows."""
    import chess

    rows = [line.split()[1:] for line in text.split("\n\n")[1].split("\n")[:8]]
    signs = {
        square: sign for row, line in enumerate(rows) for square, sign in enumerate(line, 8 * (7 - row)) if sign != "."
    }
    pushed, found = chess.Board(), None
    number, mover = re.search(r"before move (\d+) of (White|Black)\.", text).groups()
    for ply in game.plies[: 2 * (int(number) - 1) + (mover == "Black")]:
        pushed.push_san(ply.san)
    assert {square: piece.symbol() for square, piece in pushed.piece_map().items()} == signs
    assert pushed.turn == (mover == "White")
    answers = dict(re.findall(r"Question: (.*)\nAnswer: (.*)", text))
    for question, answer in answers.items():
        if found := re.match(r"Which piece stands on (\w\d)\?", question):
            piece = pushed.piece_at(chess.parse_square(found[1]))
            name = f"{chess.COLOR_NAMES[piece.color]} {chess.piece_name(piece.piece_type)}" if piece else "empty"
            assert name in answer
        elif question.startswith("Is "):
            assert answer.startswith("Yes") == pushed.is_check()
        elif question.startswith("How many pawns"):
            assert answer == f"White has {len(pushed.pieces(1, True))}, Black has {len(pushed.pieces(1, False))}."
        elif question.startswith("Which move"):
            assert pushed.parse_san(answer.split()[-1].rstrip("."))
        elif question.startswith("Can"):
            pushed.push_san(answer.split()[-1].rstrip("."))
            assert pushed.is_checkmate()
        elif question.startswith("Who has more"):
            values = [
                sum(len(pushed.pieces(kind, side)) * value for kind, value in {1: 1, 2: 3, 3: 3, 4: 5, 5: 9}.items())
                for side in (True, False)
            ]
            assert all(str(value) in answer for value in values)
        else:
            assert (question, answer) == ("Whose move is it?", f"It is {mover}'s move.")


@pytest.mark.needs("chess")
def test_positions_ask_only_what_the_board_answers():
    for moves in (LONG, MATE, PROMOTION, "1. e4 1-0", "1. f3 e5 2. g4 Qh4# 0-1"):
        game = replay(RawGame(0, {"Result": moves.split()[-1]}, moves.encode()), Interval.of(1900), "positions")
        for seed in range(8):
            check_positions(game, stage.render(game, "positions", str(seed)))


@pytest.mark.parametrize(
    ("moves", "year", "name"),
    [
        ("1. e4 e5 2. Nf3 Nc6 3. Bb5 *", 1900, "Ruy Lopez"),
        ("1. d4 Nf6 2. c4 g6 3. Nc3 d5 *", 1960, "Grünfeld Defence"),
        ("1. d4 Nf6 2. c4 g6 3. Nc3 d5 *", 1890, ""),  # played before it had a name
        ("1. e4 c5 2. Nf3 *", 1851, "Sicilian Defence"),
        ("1. a3 *", 1960, ""),
    ],
)
def test_an_opening_bears_the_name_that_it_had_then(moves, year, name):
    game = replay(RawGame(0, {}, moves.encode()), Interval.of(year))
    assert opening_name(game.plies, year) == name


def test_every_named_opening_is_legal_and_within_the_longest():
    for moves in openings():
        game = replay(RawGame(0, {}, moves.encode()), Interval.of(1960))
        assert " ".join(ply.san for ply in game.plies) == moves
        assert len(game.plies) <= LONGEST_OPENING


def test_limit_keeps_that_many_games_chosen_by_seed(tmp_path):
    many = "".join(pgn(f"{1850 + index}.??.??") for index in range(30))
    rows, counts = narrate(tmp_path, many, limit=10)
    assert len(rows) == 10
    assert counts.drops["limit"] == 20


def test_files_without_any_game_are_an_error_that_names_them(tmp_path):
    with pytest.raises(UserError, match=r"games-0\.pgn"):
        narrate(tmp_path, b"")
    _, counts = narrate(tmp_path, b"", pgn("1858.??.??"))
    assert counts.drops["no-games"] == 1


def test_an_unknown_rendering_is_an_error(tmp_path):
    with pytest.raises(UserError, match="poem"):
        narrate(tmp_path, pgn("1858.??.??"), renderings={"poem": 1.0})


def test_sample_collections_hold_14917_games_before_1969_and_168_that_straddle(samples):
    counts = Counts()
    admitted = list(stage.admit_games(sorted((samples / "chess").glob("*.pgn")), 19690720, "drop", counts))
    # the 168 of 1969 bear no month, so what is admitted before 20 July is what was played before 1969
    assert counts.drops["straddling"] == 168
    assert counts.numbers["before-cutoff"] == 14917
    assert counts.drops["after-cutoff"] == 20447 - 14917 - 168
    assert len(admitted) == 14917 - counts.drops["duplicate"]


def test_odd_sample_files_are_counted_and_never_crash(samples, tmp_path):
    for path in sorted((samples / "chess-odd").glob("*.pgn")):
        folder = tmp_path / path.stem
        folder.mkdir()
        rows, counts = narrate(folder, path.read_bytes(), cutoff=20300101)
        assert counts.numbers["games"] == len(rows) + counts.drops.total(), path.name


@pytest.mark.needs("chess")
def test_sample_games_are_told_truly_in_every_rendering(samples):
    files = sorted((samples / "chess").glob("*.pgn"))
    each = -(-SAMPLE_GAMES // len(files))
    admitted = (islice(stage.admit_games([path], 19690720, "drop", Counts()), each) for path in files)
    for place in list(chain.from_iterable(admitted))[:SAMPLE_GAMES]:
        raw = stage._read_at(place)
        told = replay(raw, place.played, "narrated")
        if isinstance(told, str):
            continue  # broken, and counted as such by the stage
        check_narration(told, stage.render(told, "narrated", place.key))
        check_descriptive(replay(raw, place.played, "descriptive"))
        shown = replay(raw, place.played, "positions")
        check_positions(shown, stage.render(shown, "positions", place.key))


def test_collection_without_dates_says_so(tmp_path):
    rows, counts = narrate(tmp_path, b"1. e4 e5 2. Nf3 1-0\n")
    assert (rows, counts.drops["undated"]) == ([], 1)
    assert "none of 1 games has a date" in counts.notes["undated"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(60), "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(60), "a 7z archive"),
        (b"\x1f\x8b\x08" + bytes(60), "is gzip"),
        (b"BZh9" + bytes(60), "is bzip2"),
        (b"\x28\xb5\x2f\xfd" + bytes(60), "a Zstandard file"),
        (b"\x00\x01binary" + bytes(60), "begins with"),
        (b"<!DOCTYPE html>\n<html>1. e4 e5</html>\n", "none of 1 games has a date.*an HTML page"),
    ],
)
def test_what_is_no_collection_is_an_error_that_says_what_was_seen(tmp_path, content, words):
    with pytest.raises(UserError, match=words):
        narrate(tmp_path, content)
