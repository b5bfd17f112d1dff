"""PGN collections, headers first: bytes come in, games with their headers, dates and offsets go out, no move is parsed.

A game may be years after the cutoff, so its moves must not even be read as chess before its date is known. This scanner
finds the games' boundaries in the bytes, whatever their encoding, and gives each one's headers and raw movetext.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deepred.base.days import Interval, month_length

LINE = 1 << 20
"""Bytes of a line read at once; a binary file without line ends must not fill the memory."""

LONGEST_GAME = 1 << 20
"""Bytes of movetext kept of one game. The longest game on record takes under 10 KB; heavy annotation some 200 KB."""

HEADER = re.compile(rb'\s*\[\s*([A-Za-z][A-Za-z0-9_+#=:-]*)\s+"((?:[^"\\]|\\.|"(?!\s*\]))*)"\s*\]')
RESULTS = (b"1-0", b"0-1", b"1/2-1/2", b"*")

_COMMENT = re.compile(rb"\{[^}]*\}?|;[^\n]*|^%[^\n]*", re.MULTILINE)
_VARIATION = re.compile(rb"\([^()]*\)")
_NOT_MOVE = re.compile(rb"\$\d+|\d+\s*\.+|1-0|0-1|1/2-1/2|\*|[+#!?]+|\be\.p\.")


@dataclass(slots=True)
class RawGame:
    """A game as its file has it: where it starts (byte), its headers, and its movetext unparsed."""

    offset: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    movetext: bytes = b""

    def date(self) -> Interval | None:
        """When it was played, as precisely as its headers say; None where they do not."""
        for tag in ("Date", "UTCDate"):
            played = parse_date(self.headers.get(tag, ""))
            if played:
                return played
        # an event's date is its first day: the game may be later in the year
        event = parse_date(self.headers.get("EventDate", ""))
        return Interval.of(event.first // 10000) if event else None


def parse_date(text: str) -> Interval | None:
    """The interval that a PGN date covers; None for an unknown year. An impossible month or day widens it.

    >>> parse_date("1848.??.??")
    Interval(first=18480101, last=18481231)
    >>> parse_date("1969.07.20")
    Interval(first=19690720, last=19690720)
    """
    match = re.match(r"\s*(\d{4})(?:[.\-/](\d{1,2}|\?+))?(?:[.\-/](\d{1,2}|\?+))?", text)
    if not match or int(match[1]) == 0:
        return None
    year, month, number = (int(part) if part and part.isdigit() else 0 for part in match.groups())
    if not 1 <= month <= 12:
        return Interval.of(year)
    if not 1 <= number <= month_length(year, month):
        return Interval.of(year, month)
    return Interval.of(year, month, number)


def read_games(path: Path, start: int = 0) -> Iterator[RawGame]:
    """Every game of a file from a byte on, one at a time; moves without any header are a game without headers."""
    game: RawGame | None = None
    moves: list[bytes] = []
    size = 0
    in_comment = False
    offset = start
    with path.open("rb") as file:
        file.seek(start)
        while line := file.readline(LINE):
            if offset == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")
            header = HEADER.match(line) if line.lstrip()[:1] == b"[" else None
            # an unclosed comment must not swallow the rest of a collection: [Event opens a game everywhere
            if header and (not in_comment or header[1] == b"Event"):
                if game is None or moves or header[1].decode() in game.headers:
                    if game is not None:
                        yield _finished(game, moves)
                    game, moves, size, in_comment = RawGame(offset), [], 0, False
                game.headers[header[1].decode()] = _decode(header[2]).strip()
                line = line[header.end() :]
            if line.strip() and not (game and not moves and line.lstrip()[:1] == b"["):
                game = game or RawGame(offset)
                if size < LONGEST_GAME:
                    moves.append(line)
                    size += len(line)
                in_comment = _open_comment(line, in_comment)
                if not game.headers and line.rstrip().endswith(RESULTS) and not in_comment:
                    yield _finished(game, moves)
                    game, moves, size = None, [], 0
            offset = file.tell()
    if game is not None:
        yield _finished(game, moves)


def _finished(game: RawGame, moves: list[bytes]) -> RawGame:
    game.movetext = b"".join(moves)
    return game


def _open_comment(line: bytes, opened: bool) -> bool:
    if b"{" not in line and b"}" not in line:
        return opened
    return line.rfind(b"{") > line.rfind(b"}")


def _decode(value: bytes) -> str:
    value = value.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", errors="replace")


def movetext_of(game: RawGame) -> str:
    """The movetext as text."""
    return _decode(game.movetext)


def player_key(name: str) -> str:
    """A player's surname and first initial without accents, which collections spell in many ways.

    >>> player_key("Kasparov, Garry"), player_key("Kasparov,G"), player_key("José Raúl Capablanca")
    ('kasparov g', 'kasparov g', 'capablanca j')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    surname, comma, given = plain.partition(",")
    if not comma:
        parts = re.findall(r"[a-z'-]+", plain)
        surname, given = (parts[-1], parts[0] if len(parts) > 1 else "") if parts else (plain, "")
    initial = re.search(r"[a-z]", given)
    return " ".join([*re.findall(r"[a-z'-]+", surname), initial[0] if initial else ""]).strip()


def moves_key(movetext: bytes) -> bytes:
    """A digest of the moves alone: comments, variations, numbers, marks and results do not change it.

    >>> moves_key(b"1. e4 {best} e5 2.Nf3+ (2. f4) 1-0") == moves_key(b"1.e4 e5 2. Nf3 *")
    True
    """
    text = _COMMENT.sub(b" ", movetext) if b"{" in movetext or b";" in movetext or b"%" in movetext else movetext
    while b"(" in text:
        shorter = _VARIATION.sub(b" ", text)
        if shorter == text:
            break
        text = shorter
    return hashlib.blake2b(b" ".join(_NOT_MOVE.sub(b" ", text).split()), digest_size=16).digest()
