"""The headers-first scanner: boundaries, dates and keys."""

import pytest

from deepred.base.days import Interval
from deepred.sources.chess.pgn import moves_key, parse_date, player_key, read_games

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
        (b"\0\1\2" * 1000, 1),
    ],
)
def test_odd_files_give_the_games_that_are_in_them(tmp_path, data, number):
    assert len(games(tmp_path, data)) == number


def test_latin_1_and_utf_8_names_are_both_read(tmp_path):
    data = '[White "José"]\n\n1. e4 *\n\n'.encode("latin-1") + '[White "José"]\n\n1. d4 *\n'.encode()
    assert [game.headers["White"] for game in games(tmp_path, data)] == ["José", "José"]


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
