"""The dated statements of an entity line, cut out of its bytes, so that only they are parsed as JSON.

In a dump every statement is an object with the keys ``mainsnak``, ``qualifiers``, ``rank`` and ``references``, in this
order; quotes inside strings are escaped, so these names with their quotes and a colon are always keys. What stands
from ``mainsnak`` to ``rank`` says everything that matters; references (most of the bytes, and most of the time
values: when a source was looked up) lie after it. A line in another order is left to the JSON parser as a whole.
"""

from __future__ import annotations

import re
from typing import Any

from deepred.dating.properties import PROPERTIES

DATED = b"calendarmodel"
"""Bytes that every time value holds."""

_RANK = re.compile(rb'"rank"\s*:\s*"(?:normal|preferred|deprecated)"')
_QUALIFIERS = re.compile(rb'"qualifiers"\s*:')
_REFERENCES = re.compile(rb'"references"\s*:')


_PROPERTY = re.compile(rb'"property"\s*:\s*"(P\d+)"')
_ITEM = b"wikibase-entityid"
OTHER_VALUES = frozenset({"P348", "P225"})
"""Claims that are no items and whose qualifying date counts: software versions, scientific names."""


class IrregularError(ValueError):
    """A line whose statements are not in the order of a dump."""


def dated_statements(line: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The statements that hold a date outside of their references, each with its property.

    Raises IrregularError where the order of keys is another one, and ValueError for what is no JSON.
    """
    import orjson

    pieces = line.split(b'"mainsnak"')
    if line.count(b'{"mainsnak"') != len(pieces) - 1:
        raise IrregularError("a statement that does not begin with its value")
    found: list[tuple[str, dict[str, Any]]] = []
    for piece in pieces[1:]:
        if DATED not in piece:
            continue
        rank = _RANK.search(piece)
        if rank is None:
            raise IrregularError("a statement without rank after its value")
        head, rest = piece[: rank.end()], piece[rank.end() :]
        if _REFERENCES.search(head) or _QUALIFIERS.search(rest):
            raise IrregularError("references before, or qualifiers after the rank")
        if DATED not in head or not _may_date(head):
            continue
        statement: dict[str, Any] = orjson.loads(b'{"mainsnak"' + head + b"}")
        found.append((statement["mainsnak"]["property"], statement))
    return found


def _may_date(head: bytes) -> bool:
    """Whether a statement has a property, or an item as its value, with which its date says something.

    What is left out unparsed is measured on a day, such as populations.
    """
    match = _PROPERTY.search(head)
    name = match[1].decode() if match else ""
    return not name or name in PROPERTIES or name in OTHER_VALUES or _ITEM in head
