"""The headers-first scanner: boundaries, dates and keys."""

import io
import time

import pytest

from deepred.base.days import Interval
from deepred.sources.chess.pgn import RawGame, moves_key, player_key, read_games
from deepred.sources.chess.pgn_date import parse_date

TWO = b"""[Event "Paris"]
[White "Morphy, Paul"]
[Date "1858.??.??"]

1. e4 e5 2. Nf3 d6 1-0

[Event "London"]
[Date "1860.05.01"]

1. d4 d5 1/2-1/2
"""


def games(tmp_path, data):
    path = tmp_path / "games.pgn"
    path.write_bytes(data)
    return list(read_games(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1969.07.19", Interval(19690719, 19690719)),
        ("1969.07.??", Interval(19690701, 19690731)),
        ("1969.??.??", Interval(19690101, 19691231)),
        ("1848.??.??", Interval(18480101, 18481231)),
        ("1848", Interval(18480101, 18481231)),
        ("1900.02.29", Interval(19000201, 19000228)),
        ("1900.13.01", Interval(19000101, 19001231)),
        ("1900-05-06", Interval(19000506, 19000506)),
        ("????.??.??", None),
        ("0000.00.00", None),
        ("", None),
        ("yesterday", None),
        # an unknown digit is any digit
        ("1969.1?.??", Interval(19691001, 19691231)),
        ("1969.0?.??", Interval(19690101, 19690930)),
        ("1969.?7.20", Interval(19690720, 19690720)),
        ("1969.?1.??", Interval(19690101, 19691130)),
        ("1969.07.2?", Interval(19690720, 19690729)),
        ("1969.07.0?", Interval(19690701, 19690709)),
        ("1969.07.1?", Interval(19690710, 19690719)),
        ("1969.12.3?", Interval(19691230, 19691231)),
        ("1969.06.3?", Interval(19690630, 19690630)),
        ("1969.02.3?", Interval(19690201, 19690228)),
        ("1969.02.?9", Interval(19690209, 19690219)),
        ("1968.02.?9", Interval(19680209, 19680229)),
        ("1969.07.?0", Interval(19690710, 19690730)),
        ("1969.??.15", Interval(19690115, 19691215)),
        ("1969.??.31", Interval(19690131, 19691231)),
        ("196?.??.??", Interval(19600101, 19691231)),
        ("196?", Interval(19600101, 19691231)),
        ("196?.02.29", Interval(19600229, 19680229)),
        ("19??.??.??", Interval(19000101, 19991231)),
        ("????.07.20", None),
        ("?969.07.20", None),
        ("1969.?.?", Interval(19690101, 19691231)),
        ("1969.3?.01", Interval(19690101, 19691231)),
        ("1969.00.00", Interval(19690101, 19691231)),
        ("1969.07.00", Interval(19690701, 19690731)),
        ("1969.07.19?", Interval(19690701, 19690731)),
        # other signs and orders
        ("1969/07/20", Interval(19690720, 19690720)),
        ("1969.07", Interval(19690701, 19690731)),
        ("1969.7.5", Interval(19690705, 19690705)),
        ("1969. 07. 20", Interval(19690720, 19690720)),
        ("  1969.07.20  ", Interval(19690720, 19690720)),
        ("1969.07.20 12:00", Interval(19690720, 19690720)),
        ("19690720", Interval(19690720, 19690720)),
        ("20.07.1969", Interval(19690720, 19690720)),
        ("??.07.1969", Interval(19690701, 19690731)),
        ("7/20/1969", Interval(19690720, 19690720)),
        ("20/7/1969", Interval(19690720, 19690720)),
        ("07/04/1969", Interval(19690407, 19690704)),
        ("1968/69", Interval(19680101, 19691231)),
        ("1905/06", Interval(19050101, 19061231)),
        ("1905-06", Interval(19050601, 19050630)),
        ("1899/1900", Interval(18990101, 19001231)),
        ("1968-1969", Interval(19680101, 19691231)),
        ("1969.07.19-1969.07.22", Interval(19690719, 19690722)),
        ("69.07.20", None),
    ],
)
def test_date_is_an_interval_as_wide_as_what_is_unknown(text, expected):
    assert parse_date(text) == expected


def test_games_keep_their_headers_moves_and_offsets(tmp_path):
    first, second = games(tmp_path, TWO)
    assert first.headers == {"Event": "Paris", "White": "Morphy, Paul", "Date": "1858.??.??"}
    assert first.movetext.strip() == b"1. e4 e5 2. Nf3 d6 1-0"
    assert second.offset == TWO.index(b'[Event "London"]')
    assert second.date() == Interval(18600501, 18600501)


def test_a_game_can_be_read_again_from_its_offset(tmp_path):
    path = tmp_path / "games.pgn"
    path.write_bytes(TWO)
    again = next(read_games(path, TWO.index(b'[Event "London"]')))
    assert again.headers["Event"] == "London"


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b"", 0),
        (b"\n\n", 0),
        (b'\xef\xbb\xbf[Event "A"]\n\n1. e4 *\n', 1),
        (b'[Event "A"]\r\n\r\n1. e4 *\r\n\r\n[Event "B"]\r\n\r\n*\r\n', 2),
        (b'[Event "A"]\n\n[Date "2017.12.04"]\n\n1. e4 *\n', 1),  # an empty line among the headers
        (b'[Event "A"]\n[Event "B"]\n', 2),  # a game without moves
        (b'[Event "A"]\n\n1. e4 {[%clk 0:01]\n[not "a header"]\n} e5 *\n', 1),  # a bracket inside a comment
        (b'[Event "A"]\n\n1. e4 { never closed\n\n[Event "B"]\n\n1. d4 *\n', 2),
        (b"e4 e5 1-0\nd4 d5 0-1\n", 2),  # no headers at all
        (b'[Event "Jos\xe9"]\n\n1. e4 *\n', 1),
        (b'[Event "an "inner" quote"]\n\n1. e4 *\n', 1),
        (b"\0\1\2" * 1000, 0),
    ],
)
def test_odd_files_give_the_games_that_are_in_them(tmp_path, data, number):
    assert len(games(tmp_path, data)) == number


def test_latin_1_and_utf_8_names_are_both_read(tmp_path):
    data = '[White "José"]\n\n1. e4 *\n\n'.encode("latin-1") + '[White "José"]\n\n1. d4 *\n'.encode()
    assert [game.headers["White"] for game in games(tmp_path, data)] == ["José", "José"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "1969.07.19", "UTCDate": "1969.07.19"}, Interval(19690719, 19690719)),
        ({"Date": "1969.??.??", "UTCDate": "1969.05.03"}, Interval(19690503, 19690503)),
        ({"Date": "????.??.??", "UTCDate": "1969.05.03"}, Interval(19690503, 19690503)),
        ({"UTCDate": "1969.05.??"}, Interval(19690501, 19690531)),
        ({"Date": "1969.07.19", "UTCDate": "1969.07.20"}, Interval(19690719, 19690720)),
        ({"Date": "1950.01.01", "UTCDate": "1990.01.01"}, Interval(19500101, 19900101)),
        ({"Date": "1969.??.??", "EventDate": "1969.05.01"}, Interval(19690501, 19691231)),
        ({"Date": "1969.04.??", "EventDate": "1969.05.01"}, Interval(19690401, 19690430)),
        ({"Date": "????.??.??", "EventDate": "1969.05.01"}, Interval(19690101, 19691231)),
        ({"Date": "", "EventDate": "196?.??.??"}, Interval(19600101, 19691231)),
        ({"EventDate": "????.??.??"}, None),
        ({}, None),
    ],
)
def test_other_dates_narrow_the_day_and_never_end_it_early(headers, expected):
    assert RawGame(0, headers).date() == expected


def test_event_date_alone_dates_a_game_by_its_year(tmp_path):
    # the event began in May, the game may have been played in August
    game = games(tmp_path, b'[Event "A"]\n[EventDate "1969.05.01"]\n\n1. e4 *\n')[0]
    assert game.date() == Interval(19690101, 19691231)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kasparov, Garry", "Kasparov,G"),
        ("Capablanca, Jose Raul", "José Raúl Capablanca"),
        ("Morphy, Paul ", "Paul Morphy"),
    ],
)
def test_spellings_of_a_player_are_one_key(one, other):
    assert player_key(one) == player_key(other)


def test_different_players_are_different_keys():
    assert len({player_key(name) for name in ("Lasker, Emanuel", "Laska, E", "Lasker, Max", "?", "")}) == 4


def test_only_the_moves_count_for_a_games_key():
    plain = moves_key(b"1.e4 e5 2.Nf3 Nc6 1-0")
    assert plain == moves_key(b"1. e4 {best (by test)} e5\n2. Nf3! $14 (2. f4 (2. d4)) 2... Nc6+ *")
    assert plain != moves_key(b"1.e4 e5 2.Nf3 Nf6 1-0")


HEAD = """[Event "Ev"]
[Site "S"]
[Date "1950.01.02"]
[Round "1"]
[White "Alpha, A"]
[Black "Beta, B"]
[Result "1-0"]
"""
MOVES = "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 1-0\n"
SECOND = HEAD.replace('"Ev"', '"Two"').replace("Alpha", "Gamma")
SECOND_MOVES = "1. d4 d5 2. c4 e6 1-0\n"
BOTH = f"{HEAD}\n{MOVES}\n{SECOND}\n{SECOND_MOVES}"


def told(tmp_path, data):
    """The headers and the key of every game, each read once more from its offset."""
    found = games(tmp_path, data if isinstance(data, bytes) else data.encode())
    again = [next(read_games(tmp_path / "games.pgn", game.offset)) for game in found]
    assert [(game.headers, game.movetext) for game in again] == [(game.headers, game.movetext) for game in found]
    return [(game.headers, moves_key(game.movetext)) for game in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_encodings_and_line_ends_change_nothing(tmp_path, encoding, line_end):
    umlaut = BOTH.replace("Beta", "Bäta")
    assert told(tmp_path, umlaut.replace("\n", line_end).encode(encoding)) == told(tmp_path, umlaut)


def test_big_endian_mark_mixed_line_ends_and_a_mark_within_change_nothing(tmp_path):
    expected = told(tmp_path, BOTH)
    mixed = BOTH.replace("\n", "\r", 5).replace("\n", "\r\n", 4)
    first, second = f"{HEAD}\n{MOVES}\n", f"{SECOND}\n{SECOND_MOVES}"
    for data in (b"\xfe\xff" + BOTH.encode("utf-16-be"), mixed, first.encode() + second.encode("utf-8-sig")):
        assert told(tmp_path, data) == expected


def test_places_are_bytes_beyond_the_first_block_too(tmp_path):
    many = "".join(f'[Event "Ön {n}"]\n\n{MOVES}\n' for n in range(3000))
    for encoding in ("utf-8", "utf-16"):
        assert [headers["Event"] for headers, _ in told(tmp_path, many.encode(encoding))][::999] == [
            "Ön 0", "Ön 999", "Ön 1998", "Ön 2997",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        BOTH.replace('"]\n[S', '"] [S').replace('"]\n[R', '"] [R').replace('"]\n[B', '"] [B'),
        BOTH.replace("]\n[", "]["),
        BOTH.replace("\n", " "),
        HEAD.replace("\n", "") + MOVES.strip() + SECOND.replace("\n", "") + SECOND_MOVES,
        HEAD + MOVES + SECOND + SECOND_MOVES,
        BOTH.replace(" 1-0\n", "\n"),
        (HEAD + MOVES + SECOND + SECOND_MOVES).replace(" 1-0\n", "\n"),
        BOTH.replace("[", "  [ ").replace('"]', '"  ]').replace(' "', '   "'),
        BOTH.replace(' "', '\t"'),
        BOTH.replace(' "', '"'),
        BOTH.replace('[White "', '[White\n"'),
        BOTH.replace('[White "', '[\nWhite "'),
        BOTH.replace('[Round "1"]', '[Round "1"\n]'),
        BOTH.replace("Beta, B", "Beta,\nB"),
        BOTH.replace('[White "Alpha, A"]', "[White Alpha, A]").replace('"Two"', "Two"),
        BOTH.replace('Beta, B"]', "Beta, B]"),
        BOTH.replace('Beta, B"]', 'Beta, B"'),
        BOTH.replace("[White", "[white").replace("[Event", "[EVENT"),
        BOTH.replace("[Site", '% a [Event "x"]\n[Site').replace("2. ", "\n%foo {\n2. "),
        BOTH.replace("[Site", '; a [Event "x"] {\n[Site').replace(" 2. ", ' ; 5. [Event "x"] { 1-0\n2. '),
        BOTH.replace(" 2. ", ' {\n[Event "x"]\n[Site "y"]\n} 2. '),
        BOTH.replace(" 2. ", ' {see [Event "x"] here} 2. '),
        BOTH.replace(" 2. ", ' {see\n[Event "x"] here} 2. '),
        BOTH.replace(" 2. ", " {it was\n1-0\n} 2. "),
        "{ Preface }\n" + BOTH,
        "My collection of games\n\n" + BOTH,
        BOTH.replace("[Site", "{ about }\n[Site"),
        BOTH.replace("\n\n[Event", "\n\n{ about the next }\n\n[Event"),
        BOTH.replace("[Site", "\n[Site"),
        BOTH.replace(" 2. ", "\n\n2. "),
        BOTH.replace(" 2. ", "\n\n{a comment}\n\n2. "),
        BOTH.replace("e4", "e4 {[%clk 0:01:00]}").replace("d4", "d4 {[%clk 0:01:00]\n[%emt 5]}"),
        BOTH.replace("Nf3", "Nf3 $14 $1").replace("d5", "d5!?"),
        BOTH.replace(" 2. ", " (1... c5 2. Nf3 (2. c3 d5 1-0)\n\n 2... d6 *) 2. "),
        BOTH.replace(" 2. ", "\n\n(1. d4 d5)\n 2. "),
        BOTH.replace(" 1-0\n", "\n1-0\n"),
        BOTH.replace(" 1-0\n", " 1-0 {White won on time}\n"),
        BOTH.replace(" 1-0\n", " 1-0\n1-0\n"),
        BOTH.replace('[Site "S"]', '[Site "S"]\n[Site "T"]'),
        BOTH.replace("1. ", "1.\n"),
    ],
)
def test_two_games_stay_two_however_they_are_written(tmp_path, text):
    assert told(tmp_path, text) == told(tmp_path, BOTH)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"say \"hi\" \\ there", r'say "hi" \ there'),
        ('say "hi" there', 'say "hi" there'),
        ('say "hi"', 'say "hi"'),
        (r"hi \"a\"", 'hi "a"'),
        ("C:" + chr(92), "C:" + chr(92)),
        ("a [b] c", "a [b] c"),
        ("a {b c", "a {b c"),
        ("a; b % c", "a; b % c"),
        ("", ""),
        ("  wide  ", "wide"),
    ],
)
def test_a_header_keeps_its_value(tmp_path, written, value):
    for text in (BOTH, BOTH.replace("]\n[", "] [")):
        found = told(tmp_path, text.replace('"S"', f'"{written}"'))
        assert [headers["Site"] for headers, _ in found] == [value, value]
        assert [headers["White"] for headers, _ in found] == ["Alpha, A", "Gamma, A"]


def test_of_two_dates_the_game_may_be_of_either(tmp_path):
    twice = BOTH.replace("[Round", '[Date "1990.05.06"]\n[Round')
    assert [game.date() for game in games(tmp_path, twice.encode())] == [Interval(19500102, 19900506)] * 2


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (f"{MOVES}\n{SECOND_MOVES}", [None, None]),
        (MOVES + SECOND_MOVES, [None, None]),
        (f"{MOVES}\n{SECOND_MOVES}".replace(" 1-0", ""), [None, None]),
        ((MOVES + SECOND_MOVES).replace("\n", " "), [None, None]),
        (f"{HEAD}\n{MOVES}\n{SECOND_MOVES}", ["Ev", None]),
        (f"{HEAD}\n{MOVES}{SECOND_MOVES}", ["Ev", None]),
        (f"{MOVES}\n{SECOND}\n{SECOND_MOVES}", [None, "Two"]),
        (BOTH.replace("2. Nf3", "{ never closed 2. Nf3"), ["Ev", "Two"]),
        (BOTH.replace("2. Nf3", "{ never closed 2. Nf3").replace("2. c4", "{ok} 2. c4"), ["Ev", "Two"]),
        ("{ only a comment }\n", []),
        ("No game is here; see page 4.\n", []),
    ],
)
def test_games_without_headers_are_neither_joined_nor_lost(tmp_path, text, events):
    assert [headers.get("Event") for headers, _ in told(tmp_path, text)] == events


@pytest.mark.parametrize(
    "piece",
    [
        "[", '["', '[E "', '[Event "', "[Event ", "\\", "(", "{", '{\n[Event "x"]\n', "[Event\n",
        "a1", "1. ", "1-0 ", "*", "\r", "a",
    ],
)  # fmt: skip
def test_time_grows_with_length_only(tmp_path, piece):
    begun = time.process_time()
    for game in games(tmp_path, (piece * (20_000 // len(piece))).encode()):
        moves_key(game.movetext)
    moves_key(piece.encode() * 20_000)
    parse_date(piece * 20_000)
    assert time.process_time() - begun < 2


@pytest.mark.needs("chess")
def test_python_chess_reads_the_same_headers_in_the_samples(samples):
    from chess import pgn

    for path in [*sorted((samples / "chess-odd").glob("pychess-data*.pgn")), samples / "chess" / "Morphy.pgn"]:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        stream = io.StringIO(text.replace("\r\n", "\n"))
        expected = []
        while headers := pgn.read_headers(stream):
            expected.append(dict(headers))
        found = [game.headers for game in read_games(path)]
        assert len(found) == len(expected), path.name
        for ours, theirs in zip(found, expected, strict=True):
            assert {name: theirs[name].strip() for name in ours} == ours, path.name


@pytest.mark.parametrize("unit", [b"9", b"1.", b"$9", b"9 ", b"{9", b"(1"])
def test_the_key_of_odd_moves_takes_linear_time(unit):
    begun = time.process_time()
    moves_key(unit * (60_000 // len(unit)))
    assert time.process_time() - begun < 0.5
