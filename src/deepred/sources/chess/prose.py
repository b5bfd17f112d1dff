"""Chess games as prose: a replayed game comes in as plain records, sentences that are true of it go out.

Nothing here knows the rules of chess: what is said of a move (capture, check, mate) is what the replay recorded, so
that a text is true by construction.

English descriptive notation ("P-K4", "BxKt ch"), in which chess was written in English until about 1980, names a square
by the piece that stood on its file at the start and counts from the mover's own side: e4 is White's K4, e5 is Black's.
A move is written as briefly as leaves it the only legal one of that wording. Squares are numbers: 0 is a1, 63 is h8.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from deepred.base.days import MONTHS, Interval
from deepred.base.files import shipped_table

PIECES = {"P": "pawn", "N": "knight", "B": "bishop", "R": "rook", "Q": "queen", "K": "king"}
OPENING_PLIES = 8
"""Half-moves that a narration quotes as the opening."""
LONGEST_OPENING = 10
"""Half-moves of the longest line in ``openings.toml``, and some to spare."""
TOLD_EVENTS = 10
"""Turning points told at most; the weightiest are chosen, in the order of the game."""
WEIGHTS = {"Q": 5, "R": 4, "B": 3, "N": 3, "P": 1}
EVENT_WORDS = {
    "m": "match", "ch": "Championship", "chT": "Team Championship", "ol": "Olympiad", "olm": "Olympiad",
    "sf": "semi-final", "f": "final", "mem": "Memorial", "izt": "Interzonal", "ct": "Candidates' Tournament",
    "tt": "team tournament", "URS": "USSR", "NLD": "Netherlands", "EU": "European", "Wch": "World Championship",
    "sim": "simultaneous display", "simul": "simultaneous display", "blind": "blindfold",
    "corr": "correspondence", "exh": "exhibition",
}  # fmt: skip
"""What the abbreviations in the headers of game collections stand for."""
SPOKEN_RESULTS = {"1-0": "White wins.", "0-1": "Black wins.", "1/2-1/2": "Drawn.", "*": ""}
RESULT_WORDS = {
    "1-0": "White won",
    "0-1": "Black won",
    "1/2-1/2": "The game was drawn",
    "*": "The result is not recorded",
}

FILES = ("QR", "QN", "QB", "Q", "K", "KB", "KN", "KR")
KNIGHT_CHANGED = 1950
"""Year from which knights are written N: books wrote Kt until around the middle of the century."""


@dataclass(frozen=True, slots=True)
class Ply:
    """A half-move as the replay saw it: ``san`` with its check or mate mark, the piece, where it went, what it took."""

    san: str
    piece: str
    target: str
    captured: str = ""
    check: bool = False
    mate: bool = False
    castled: str = ""
    promoted: str = ""
    descriptive: str = ""
    """The move in descriptive notation, where a rendering asks for it."""
    placement: tuple[str, ...] = ()
    """The 64 squares after the move, each with its piece's letter (White's a capital) or empty, where asked for."""


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """A replayed game: who, where, when (as the collection says it), the half-moves and the result."""

    white: str
    black: str
    event: str
    site: str
    played: Interval
    result: str
    plies: tuple[Ply, ...]


def person(name: str) -> str:
    """A player's name in reading order.

    >>> person("Philidor, Francois Andre Dani")
    'Francois Andre Dani Philidor'
    """
    surname, comma, given = name.partition(",")
    name = f"{given.strip()} {surname.strip()}" if comma and given.strip() else surname
    name = " ".join(name.split())
    return "" if name in {"", "?", "NN", "N.N.", "N N"} else name


def spell_event(name: str) -> str:
    """An event or place without the abbreviations of game collections.

    >>> spell_event("URS-ch sf"), spell_event("London m2"), spell_event("?")
    ('USSR Championship semi-final', 'London match', '')
    """
    if not name.strip("?- "):
        return ""
    words: list[str] = []
    for word in name.replace("-ch", " ch").split():
        stem = word.rstrip("0123456789")
        words.append(EVENT_WORDS.get(stem if word != stem and stem == "m" else word, word))
    return " ".join(words)


def when(played: Interval) -> str:
    """A date as prose says it, with its preposition.

    >>> when(Interval(18580601, 18580630)), when(Interval(18580602, 18580602)), when(Interval(18580101, 18581231))
    ('in June 1858', 'on 2 June 1858', 'in 1858')
    >>> when(Interval(18500101, 18591231)), when(Interval(18581231, 18590101))
    ('in the 1850s', 'between 1858 and 1859')
    """
    year, month, number = played.first // 10000, played.first // 100 % 100, played.first % 100
    if played.first == played.last:
        return f"on {number} {MONTHS[month - 1]} {year}"
    if played.first // 100 == played.last // 100:
        return f"in {MONTHS[month - 1]} {year}"
    last = played.last // 10000
    if year == last:
        return f"in {year}"
    return f"in the {year}s" if year % 10 == 0 and last == year + 9 else f"between {year} and {last}"


def movetext(plies: tuple[Ply, ...], result: str = "") -> str:
    """The moves in standard algebraic notation with their numbers: ``1. e4 e5 2. Nf3 Nc6 1-0``."""
    return _numbered([ply.san for ply in plies], " ", result)


def _numbered(moves: list[str], between: str, result: str) -> str:
    pairs = (f"{index // 2 + 1}. {between.join(moves[index : index + 2])}" for index in range(0, len(moves), 2))
    return " ".join([*pairs, result] if result else pairs)


def title_of(game: PlayedGame) -> str:
    """A title for lists: ``Paul Morphy against Adolf Anderssen, 1858``, or ``..., 1850 to 1859``."""
    first, last = game.played.first // 10000, game.played.last // 10000
    white, black = _player(game.white, "an unnamed player"), _player(game.black, "an unnamed player")
    return f"{white} against {black}, {first}" + (f" to {last}" if last > first else "")


def render_movetext(game: PlayedGame) -> str:
    """A header sentence, then all moves with the result."""
    return f"{_header(game)}\n\n{movetext(game.plies, game.result)}"


def render_descriptive(game: PlayedGame) -> str:
    """The same in descriptive notation; White's and Black's move are set apart by a comma."""
    year = game.played.first // 10000
    moves = [write_knights(ply.descriptive, year) for ply in game.plies]
    return f"{_header(game)}\n\n{_numbered(moves, ', ', SPOKEN_RESULTS[game.result])}"


def _header(game: PlayedGame) -> str:
    white, black = _player(game.white, "an unnamed player"), _player(game.black, "an unnamed player")
    return f"{white} (White) against {black} (Black), {_place(game)}{when(game.played)}."


def render_narrated(game: PlayedGame, seed: str) -> str:
    """The game told: who, where and when, the opening moves, its turning points, and how it ended."""
    chance = random.Random(seed)
    paragraphs = [_introduction(game, chance), _opening(game, chance)]
    told = [_event(game, index, chance) for index in _turning_points(game)]
    if told:
        paragraphs.append(" ".join(told))
    paragraphs.append(_ending(game))
    return "\n\n".join(paragraphs)


def _player(name: str, unknown: str) -> str:
    return person(name) or unknown


def _side(index: int) -> str:
    return "Black" if index % 2 else "White"


def _place(game: PlayedGame) -> str:
    event, site = spell_event(game.event), spell_event(game.site)
    if event and site and event != site:
        return f"{event}, {site}, "
    return f"{event or site}, " if event or site else ""


def _introduction(game: PlayedGame, chance: random.Random) -> str:
    white, black = _player(game.white, "an unnamed player"), _player(game.black, "an unnamed opponent")
    event, site = spell_event(game.event), spell_event(game.site)
    place = f" at {site}" if site else ""
    occasion = f" The occasion was recorded as {event}." if event and event != site else ""
    forms = (
        f"{_capital(when(game.played))} {white} had the white pieces against {black}{place}.{occasion}",
        f"{white} played White against {black}, who had Black{place}, {when(game.played)}.{occasion}",
        f"This game between {white} (White) and {black} (Black) was played{place} {when(game.played)}.{occasion}",
    )
    return _capital(chance.choice(forms))


def _opening(game: PlayedGame, chance: random.Random) -> str:
    moves = movetext(game.plies[:OPENING_PLIES])
    begun = chance.choice((f"The game opened {moves}.", f"It began {moves}.", f"The first moves were {moves}."))
    name = opening_name(game.plies, game.played.first // 10000)
    return f"{begun} The opening was {'an' if name[0] in 'AE' else 'a'} {name}." if name else begun


def opening_name(plies: tuple[Ply, ...], year: int) -> str:
    """The opening's name as books of that year had it; empty where they had none.

    The longest line of ``openings.toml`` that the game follows decides, among the names then in use.
    """
    moves = [ply.san.rstrip("+#") for ply in plies[:LONGEST_OPENING]]
    for length in range(len(moves), 0, -1):
        name, since = openings().get(" ".join(moves[:length]), ("", 0))
        if name and since <= year:
            return name
    return ""


@cache
def openings() -> dict[str, tuple[str, int]]:
    """Name and first year of the openings in ``openings.toml``, by their moves."""
    table = shipped_table("deepred.sources.chess", "openings.toml")["opening"]
    return {entry["moves"]: (entry["name"], entry["since"]) for entry in table}


def _turning_points(game: PlayedGame) -> list[int]:
    """The indexes of the weightiest half-moves after the opening, in the game's order; the mate is told at the end."""
    scored = [
        (weight, -index)
        for index, ply in enumerate(game.plies)
        if index >= OPENING_PLIES and not ply.mate and (weight := _weight(ply))
    ]
    return sorted(-index for _, index in sorted(scored, reverse=True)[:TOLD_EVENTS])


def _weight(ply: Ply) -> int:
    return (
        WEIGHTS.get(ply.captured, 0) + (2 if ply.check else 0) + (2 if ply.castled else 0) + (6 if ply.promoted else 0)
    )


def _event(game: PlayedGame, index: int, chance: random.Random) -> str:
    ply, number = game.plies[index], index // 2 + 1
    if ply.castled:
        said = f"castled {ply.castled}"
    elif ply.promoted:
        taking = f", taking a {PIECES[ply.captured]}" if ply.captured else ""
        said = f"promoted a pawn to a {PIECES[ply.promoted]} on {ply.target}{taking}"
    elif ply.captured:
        said = f"took a {PIECES[ply.captured]} on {ply.target} with the {PIECES[ply.piece]}"
    else:
        said = f"moved the {PIECES[ply.piece]} to {ply.target}"
    check = (", giving check" if ply.captured or ply.castled else " with check") if ply.check else ""
    side = _side(index)
    forms = (
        f"On move {number} {side} {said}{check} ({ply.san}).",
        f"At move {number} {side} {said}{check} ({ply.san}).",
    )
    return chance.choice(forms)


def _ending(game: PlayedGame) -> str:
    last = len(game.plies) - 1
    ply, number = game.plies[last], last // 2 + 1
    moves = "move" if number == 1 else "moves"
    if ply.mate:
        winner = _player((game.white, game.black)[last % 2], _side(last))
        return f"{_side(last)} gave mate on move {number} with {ply.san}, and {winner} won the game."
    if game.result in ("1-0", "0-1"):
        loser = "Black" if game.result == "1-0" else "White"
        winner = _player(game.white if game.result == "1-0" else game.black, RESULT_WORDS[game.result].split()[0])
        end = f"After {number} {moves} {winner} had won; {loser} was not mated on the board."
        return f"The last move was {ply.san} by {_side(last)}. {end}"
    return f"The last move was {ply.san} by {_side(last)}. {RESULT_WORDS[game.result]} after {number} {moves}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def square_name(square: int, white: bool, full: bool) -> str:
    """A square from the mover's side, with its wing where ``full``.

    >>> square_name(28, True, True), square_name(36, False, True), square_name(21, True, False)
    ('K4', 'K4', 'B3')
    """
    name = FILES[square % 8]
    rank = square // 8 + 1 if white else 8 - square // 8
    return f"{name if full or len(name) == 1 else name[1:]}{rank}"


def same_names(square: int) -> tuple[int, ...]:
    """The squares that share a short name with this one, itself among them: QB3 and KB3 are both B3."""
    return (square,) if square % 8 in (3, 4) else (square, square ^ 7)


def describe_move(
    piece: str, origin: int, target: int, captured: str, rivals: Iterable[tuple[int, int]], white: bool
) -> str:
    """A move's shortest unambiguous wording; ``rivals`` are the legal moves (origin, target) it may be taken for.

    Those are of the same kind of piece, and take the same kind of piece, or nothing on a square of the same name.

    >>> describe_move("N", 6, 21, "", [(6, 21), (1, 18)], True)
    'N-KB3'
    """
    others = [rival for rival in set(rivals) if rival != (origin, target)]
    for level in (0, 1):
        wording = _wording(level, piece, origin, target, captured, white)
        if all(_wording(level, piece, *other, captured, white) != wording for other in others):
            return wording
    return _wording(2, piece, origin, target, captured, white)


def _wording(level: int, piece: str, origin: int, target: int, captured: str, white: bool) -> str:
    named = f"{piece}({square_name(origin, white, True)})" if level == 2 else piece
    if not captured:
        return f"{named}-{square_name(target, white, level > 0)}"
    return f"{named}x{captured}" + (f"({square_name(target, white, True)})" if level else "")


def write_knights(move: str, year: int) -> str:
    """The move with knights as the year's books wrote them.

    >>> write_knights("NxN(KN5)", 1890), write_knights("N-KB3", 1960)
    ('KtxKt(KKt5)', 'N-KB3')
    """
    return move if year >= KNIGHT_CHANGED else move.replace("N", "Kt")
