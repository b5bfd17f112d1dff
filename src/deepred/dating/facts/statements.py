"""The dated statements of an entity line, found in its bytes: only the small time values are parsed as JSON.

Quotes inside JSON strings are escaped, so a name in quotes and a colon are always a key. A statement of a dump begins
with its ``mainsnak``, then come ``qualifiers``, ``rank`` and ``references``; a snak is ``snaktype``, ``property``,
perhaps ``hash``, and ``datavalue``. Dates are found by the ``Z"`` that ends every time, and what lies around one must
have exactly this form; where it has another, the line is *irregular* and left to the JSON parser as a whole. Most
dates of a dump are days on which a source was looked up: they are passed over inside the search itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache

from deepred.dating.facts.properties import OTHER_VALUES, PROPERTIES, QUALIFIERS

HEAD_BYTES = 100
"""Bytes of a line that show whether it is written with white space."""
REMEMBERED = 1 << 15
"""Values of statements remembered: a dump writes the same offices and prizes again and again."""

_HASH = rb'(?:,\s*"hash":\s*"[0-9a-f]*")?'
HASH_BYTES = 40 + len('"",')
"""Bytes of a snak's hash after its key."""
TIME_BEGINS = (b'{"time":"', b'{"time": "')
SNAK_ENDS = (b',"type":"time"}', b', "type": "time"}')
"""What follows the value of a time."""
_ITEM = rb'\{"entity-type":\s*"[a-z-]+",\s*"numeric-id":\s*(\d{1,15}+)(?:,\s*"id":\s*"(\w+)")?\}'
_OTHER = rb'(?:\{[^{}]*\}|"(?:[^"\\]++|\\.)*+"),\s*"type":\s*"(?!wikibase-)([a-z]+)"'
_ABOUT = re.compile(
    rb'\{"mainsnak":\s*\{"snaktype":\s*"(?:value|somevalue|novalue)",\s*"property":\s*"(P\d+)"' + _HASH
    + rb'(?:,\s*"datavalue":\s*\{"value":\s*(?:' + _ITEM + rb',\s*"type":\s*"wikibase-entityid"|' + _OTHER
    + rb')\})?(?:,\s*"datatype":\s*"[\w-]+")?\},\s*"type":\s*"statement",\s*'
)  # fmt: skip
_SNAK = re.compile(rb'\{"snaktype":\s*"value",\s*"property":\s*"(P\d+)",\s*"datavalue":\s*\{"value":\s*')
_MAIN = re.compile(rb'\{"mainsnak":\s*\{"snaktype"')
_RANK = re.compile(rb'"rank":\s*"(normal|preferred|deprecated)"')


class IrregularError(ValueError):
    """A line whose dated statements have another form than a dump's."""


Dated = tuple[str, str, str, str, bytes]
"""A date of a statement: its property; the qualifier that holds the date, empty where it is the value; the item that a
qualifying date is about, or empty; the rank; and the time value as it stands in the bytes, a JSON object."""


def _date_pattern(marks: tuple[str, str]) -> re.Pattern[bytes]:
    """A time's last letter, unless the time is of the kinds that date no subject and are four of five: when a source
    was looked up (P813), and the first qualifier of a quantity (the day of a population). ``marks`` separate the
    items and the keys of a dump that is written with or without white space.
    """
    refused: list[bytes] = []
    for hashed in ({"hash": "0" * 40}, {}):
        snak = {
            "snaktype": "value",
            "property": "P813",
            **hashed,
            "datavalue": {"value": {"time": "+2013-12-07T00:00:00Z"}},
        }
        figure = {
            "mainsnak": {"datatype": "quantity"},
            "type": "statement",
            "qualifiers": {"P585": [snak | {"property": "P585"}]},
        }
        for written, begin, end in ((snak, '"P813"', '"P813"'), (figure, '"quantity"', '"qualifiers"')):
            text = json.dumps(written, separators=marks)
            first, last = text.index(begin), text.index(end) + len(end)
            refused.append(rb"(?<!%s.{%d})" % (re.escape(text[first:last]).encode(), text.index('Z"') + 1 - last))
    return re.compile(rb'Z(?=")(?<=:\d\dZ)' + b"".join(refused), re.DOTALL)


_DATE_ENDS = {False: _date_pattern((",", ":")), True: _date_pattern((", ", ": "))}
_WANTED = {name.encode(): name for name in (*PROPERTIES, *QUALIFIERS)}


def dated_statements(block: bytes, start: int, stop: int) -> list[Dated]:
    """The dates of the statements of the entity ``block[start:stop]`` outside of references, in their order.

    Raises IrregularError where something dated has another form than in a dump.
    """
    found: list[Dated] = []
    main = rank_at = -1  # of the statement at hand
    rank = about = item = ""
    for place in _date_ends(block, start, stop):
        opened = block.rfind(b"{", start, place)
        at = block.rfind(b"{", start, block.rfind(b"{", start, opened))
        closed = block.find(b"}", opened, stop) + 1
        if closed < place or not block.startswith(TIME_BEGINS, opened):
            if block[block.rfind(b'"', start, place) + 1] in b"+-":
                raise IrregularError("a time outside of a time value")
            continue  # another string, such as when the entity was modified
        before, _, hashed = block[at:opened].partition(b'"hash":')
        name = _read_snak(before + hashed.lstrip()[HASH_BYTES:].lstrip())
        if not block.startswith(SNAK_ENDS, closed):
            raise IrregularError("a time value of another form")
        if not name:
            continue
        if at > rank_at:
            head = block.rfind(b'{"mainsnak":', start, at)
            after = block.find(b'"rank":', head, stop) if head >= 0 else -1
            if 0 <= after < at:
                _check_reference(block, after, at)
                continue
            main, rank_at, rank = _statement(block, head, after, stop)
            about, item = ("", "") if at == main else _read_about(block[head : block.find(b'"qualifiers"', main, at)])
        if at == main:
            if name in PROPERTIES:
                found.append((name, "", "", rank, block[opened:closed]))
        elif about and name in QUALIFIERS:
            found.append((about, name, item, rank, block[opened:closed]))
    return found


def _date_ends(block: bytes, start: int, stop: int) -> Iterator[int]:
    """Where times end that may date a statement: single bytes are found fastest of all."""
    is_date = _DATE_ENDS[block.find(b'": ', start, start + HEAD_BYTES) >= 0].match
    place = block.find(b"Z", start, stop)
    while place >= 0:
        if is_date(block, place, stop):
            yield place
        place = block.find(b"Z", place + 1, stop)


@lru_cache(REMEMBERED)
def _read_snak(text: bytes) -> str:
    """The property of a snak of a time, empty where it dates nothing; ``text`` is what stands before the value."""
    match = _SNAK.fullmatch(text)
    if match is None:
        raise IrregularError("a snak of another form")
    return _WANTED.get(match[1], "")


@lru_cache(REMEMBERED)
def _read_about(text: bytes) -> tuple[str, str]:
    """Property and item that qualifying dates are about; no property where they say nothing of the subject.

    ``text`` is a statement from its beginning up to its qualifiers.
    """
    main = _ABOUT.fullmatch(text)
    if main is None:
        raise IrregularError("a value of another form")
    name, number, item, other = main.groups()
    property = name.decode()
    if number:
        return property, item.decode() if item else f"Q{number.decode()}"
    return (property if other != b"time" and property in OTHER_VALUES else ""), ""


def _statement(block: bytes, head: int, rank_at: int, stop: int) -> tuple[int, int, str]:
    """Where the value of the statement at ``head`` begins, where its rank does, and the rank."""
    main = _MAIN.match(block, head, stop) if rank_at >= 0 else None
    rank = _RANK.match(block, rank_at, stop) if main else None
    if main is None or rank is None:
        raise IrregularError("a date outside of a statement, or one without rank")
    end = main.end()
    if block.find(b'"mainsnak"', end, rank_at) >= 0 or block.find(b'"references"', end, rank_at) >= 0:
        raise IrregularError("references before the rank, or no rank")
    return end - len(b'{"snaktype"'), rank_at, rank[1].decode()


def _check_reference(block: bytes, rank_at: int, at: int) -> None:
    """Raise IrregularError where a date after the rank of a statement may not be one of its references."""
    if (
        block.find(b'"references"', rank_at, at) < 0
        or block.find(b'"qualifiers"', rank_at, at) >= 0
        or block.find(b'"mainsnak"', rank_at, at) >= 0
    ):
        raise IrregularError("a date after the rank and outside of references")
