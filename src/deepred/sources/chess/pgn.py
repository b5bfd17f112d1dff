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

from deepred.base.days import Interval
from deepred.sources.chess.pgn_date import date_of
from deepred.sources.chess.pgn_lines import Lines

LONGEST_GAME = 1 << 20
"""Bytes of movetext kept of one game. The longest game on record takes under 10 KB; heavy annotation some 200 KB."""
LONGEST_TAG = 4
"""Lines over which a tag pair may be spread."""

NAME = rb"[A-Za-z][A-Za-z0-9_+#=:-]*+"
TAG = re.compile(rb"\[\s*+(" + NAME + rb')\s*+"((?:[^"\\]|\\(?="\s*+\])|\\(?!"\s*+\]).|"(?!\s*+\])){0,999}+)"\s*+\]')
"""A tag pair; a quote or a backslash that should have been escaped belongs to the value."""
LOOSE_TAG = re.compile(rb"\[\s*+(" + NAME + rb')(?:\s*+"([^"\]]*+)"?\s*+|\s++([^"\[\]{}]*+))(?:\]|$)')
"""A tag pair without its quotes, its last quote or its bracket."""
OPEN_TAG = re.compile(rb"\[\s*+(?:" + NAME + rb'\s*+(?:"[^"\]]*+"?\s*+)?)?$')
"""What a line ends with whose tag pair goes on in the next."""
EVENT_LINE = re.compile(rb'\s*+\[\s*+Event\s*+"')
SPECIAL = re.compile(rb"[{;\[]|(?<![^\s)}])(?:1-0|0-1|1/2-1/2|\*)(?![^\s{;(])")
"""What a scan of movetext stops at: a comment, a tag pair, a result."""
MOVE = re.compile(rb"(?<![A-Za-z0-9])(?:[A-Z]?[a-h]?[1-8]?[x:-]?[a-h][1-8](?![0-9])|[O0o]-[O0o]|--|Z0)")
"""What is a move in any notation by letters; words and numbers are not."""
FIRST_MOVE = re.compile(rb"\s*+1\s?\.(?!\s?\.)")

KNOWN_TAGS = {
    name.lower(): name
    for name in (
        "Event", "Site", "Date", "Round", "White", "Black", "Result", "EventDate", "UTCDate", "UTCTime", "Time", "ECO",
        "Opening", "Variation", "FEN", "SetUp", "Variant", "WhiteElo", "BlackElo", "WhiteTitle", "BlackTitle",
        "Annotator", "Termination", "TimeControl", "PlyCount", "Mode", "Source", "SourceDate",
    )
}  # fmt: skip
"""Names that are known in any case, and without quotes behind them in the midst of moves."""

_COMMENT = re.compile(rb"\{[^}]*\}?|;[^\n]*")
_BRACKET = re.compile(rb"([()])")
_NOT_MOVE = re.compile(rb"\$\d++|(?<!\d)\d++\s?\.[.\s]*+|(?<!\S)(?:1-0|0-1|1/2-1/2|\*)(?!\S)|[+#!?]+|\be\.p\.")
_ESCAPED = re.compile(rb'\\(["\\])')


@dataclass(slots=True)
class RawGame:
    """A game as its file has it: where it starts (byte), its headers, and its movetext unparsed."""

    offset: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    movetext: bytes = b""

    def date(self) -> Interval | None:
        """When it was played, as precisely as its headers say; None where they do not."""
        return date_of(self.headers)


def read_games(path: Path, start: int = 0) -> Iterator[RawGame]:
    """Every game of a file from a byte on, one at a time; moves without any header are a game without headers.

    Text between games that holds neither a tag pair nor a move is no game.
    """
    with path.open("rb") as file:
        yield from _Scan(Lines(file, start)).games()


class _Scan:
    """A pass over lines that finds where games begin: at a tag pair behind moves, or at moves behind a result."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.game: RawGame | None = None
        self.moves: list[bytes] = []
        self.size = self.depth = 0
        self.in_comment = self.closes = self.gap = self.moved = self.has_move = self.over = False

    def games(self) -> Iterator[RawGame]:
        for offset, line in self.lines:
            if not line or line.isspace():
                self.gap = True
            elif line[:1] != b"%" or self.in_comment:
                yield from self._line(offset, line)
                self._keep(b"\n")
                self.gap = False
        yield from self._finish()

    def _line(self, offset: int, line: bytes) -> Iterator[RawGame]:
        at = 0
        while at < len(line):
            if self.in_comment:
                at = self._comment(line, at)
                continue
            special = SPECIAL.search(line, at)
            stop = special.start() if special else len(line)
            if stop > at:
                yield from self._text(line[at:stop], offset, line, at)
            if special is None:
                return
            at = special.end()
            if special[0] == b"[":
                tag = self._tag(offset, line, stop)
                if tag:
                    name, value, place, line_after, at = tag
                    yield from self._header(name, value, place)
                    offset, line = line_after
                    continue
                self._keep(b"[")
            elif special[0] in b"{;":
                self.in_comment, self.closes = special[0] == b"{", False
                self._keep(line[stop:] if special[0] == b";" else b"{")
                at = len(line) if special[0] == b";" else at
            else:
                self._result(special[0])

    def _comment(self, line: bytes, at: int) -> int:
        """Read on in a comment and return where it ends."""
        # an unclosed comment must not swallow the rest of a collection, but one may quote a tag pair
        if not at and not self.closes and EVENT_LINE.match(line):
            self.closes = self.lines.next_brace(line) == b"}"
            if not self.closes:
                self.in_comment = False
                return 0
        close = line.find(b"}", at)
        self.in_comment = close < 0
        end = len(line) if close < 0 else close + 1
        self._keep(line[at:end])
        return end

    def _text(self, text: bytes, offset: int, line: bytes, at: int) -> Iterator[RawGame]:
        """Movetext outside comments; it begins a game without headers where the one before is over."""
        afresh = self.over or (self.gap and not at and not self.depth and FIRST_MOVE.match(text))
        move = (afresh or not self.has_move) and MOVE.search(text) is not None
        if move and self.moved and afresh:
            yield from self._finish()
        if self.game is None and not text.isspace():
            self.game = RawGame(offset + self.lines.width(line[:at]))
        self._keep(text)
        self.moved, self.has_move = self.moved or move, self.has_move or move
        if b"(" in text or b")" in text:
            self.depth = max(0, self.depth + text.count(b"(") - text.count(b")"))

    def _result(self, result: bytes) -> None:
        self._keep(result)
        if not self.depth and self.game is not None:
            self.moved = self.over = True

    def _header(self, name: str, value: str, offset: int) -> Iterator[RawGame]:
        headers = self.game.headers if self.game else {}
        if self.moved or (name in headers and (name == "Event" or self.gap)):
            yield from self._finish()
        if self.game is None or not self.game.headers:
            # what stands before the first tag pair is no game
            self._start(offset)
        assert self.game
        known = self.game.headers.setdefault(name, value)
        if known != value and name.endswith("Date"):
            self.game.headers[name] = f"{known} - {value}"  # the game may be of either day
        self.gap = False

    def _tag(self, offset: int, line: bytes, at: int) -> tuple[str, str, int, tuple[int, bytes], int] | None:
        """A tag pair at a bracket: name, value, its place, and the line and position behind it; None if it is none."""
        place = offset + self.lines.width(line[:at])
        match = TAG.match(line, at)
        if match and self._is_tag(match[1], quoted=True):
            return (*_pair(match), place, (offset, line), match.end())
        if OPEN_TAG.match(line, at):
            joined = line[at:].rstrip()
            for number, (_, following) in enumerate(self.lines.ahead(), 1):
                if number == LONGEST_TAG or not following.strip() or following.lstrip()[:1] == b"[":
                    break
                joined += b" " + following.strip()
                match = TAG.match(joined)
                if match:
                    for _ in range(number):
                        offset, line = next(self.lines)
                    return (*_pair(match), place, (offset, line), len(line.rstrip()) - len(joined) + match.end())
        match = LOOSE_TAG.match(line, at)
        if match and self._is_tag(match[1], quoted=False):
            return (*_pair(match), place, (offset, line), match.end())
        return None

    def _is_tag(self, name: bytes, quoted: bool) -> bool:
        if quoted or name.lower().decode() in KNOWN_TAGS:
            return True
        return self.game is not None and bool(self.game.headers) and not self.moved

    def _keep(self, text: bytes) -> None:
        if self.game is not None and self.size < LONGEST_GAME:
            self.moves.append(text)
            self.size += len(text)

    def _start(self, offset: int) -> None:
        self.game, self.moves, self.size, self.depth = RawGame(offset), [], 0, 0
        self.moved = self.has_move = self.over = False

    def _finish(self) -> Iterator[RawGame]:
        """Hand out the game, if it is one, and begin anew."""
        game = self.game
        if game is not None and (game.headers or self.has_move):
            game.movetext = b"".join(self.moves)
            yield game
        self._start(0)
        self.game = None


def _pair(match: re.Match[bytes]) -> tuple[str, str]:
    name = match[1].decode()
    value = match[2] if match[2] is not None else match[3]
    if b"\\" in value:
        value = _ESCAPED.sub(rb"\1", value)
    return KNOWN_TAGS.get(name.lower(), name), _decode(value).strip()


def _decode(value: bytes) -> str:
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
    text = _COMMENT.sub(b" ", movetext) if b"{" in movetext or b";" in movetext else movetext
    if b"(" in text:
        text = b" ".join(_main_line(text))
    moves = b" ".join(_NOT_MOVE.sub(b" ", text).split()).replace(b"0-0", b"O-O").replace(b"O-O-0", b"O-O-O")
    return hashlib.blake2b(moves, digest_size=16).digest()


def _main_line(text: bytes) -> Iterator[bytes]:
    depth = 0
    for part in _BRACKET.split(text):
        if part == b"(":
            depth += 1
        elif part == b")":
            depth = max(0, depth - 1)
        elif not depth:
            yield part
