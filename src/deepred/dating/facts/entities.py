"""The lines of a Wikidata JSON dump to dated facts about the entities that have an article in one wiki.

Sixteen of seventeen entities have none: of their lines only the ends are looked at, where the sitelinks lie. Of the
others QID, title and dated statements are found in the bytes (``statements.py``). A line that is not written as a
dump writes it, with other white space, order or escapes, is parsed as a whole and gives the same facts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from deepred.dating.facts.dump_lines import Block
from deepred.dating.facts.statements import Dated, IrregularError, dated_statements
from deepred.dating.facts.time_values import statements_of, time_in
from deepred.run.stage import Counts

Row = tuple[Any, ...]
OPENING, CLOSING, COMMA, COLON = b"{},:"
SITELINKS = b'"sitelinks"'
_ID = re.compile(rb'\{[^{}\[\]]*?"id":\s*"Q(\d{1,15}+)"')
"""An id before which no other object begins is the entity's own."""


class EntityReader:
    """Reads blocks of entity lines: facts come out, QIDs and titles gather in ``names``, and all else is counted."""

    def __init__(self, wiki: str, counts: Counts) -> None:
        self.wiki = wiki
        self.names: list[Row] = []
        self.counts = counts
        self._seen: set[int] = set()
        self._properties = counts.tallies.setdefault("properties", Counter())
        self._site = b'"' + wiki.encode() + b'"'
        self._sitelink = re.compile(re.escape(self._site) + rb':\s*\{[^{}]*?"title":\s*("(?:[^"\\]++|\\.)*+")')

    def read(self, block: Block) -> Iterator[Row]:
        """The facts of a block's entities, as rows of ``tables.fact_schema`` without the titles of items."""
        data, start, last = block
        self.counts.add("bytes", last - start)
        skipped = 0
        while start < last:
            end = data.find(b"\n", start, last)
            end = last if end < 0 else end
            stop = end - 1 if data[end - 1] == COMMA else end
            if data[start] != OPENING or data[stop - 1] != CLOSING:
                yield from self._odd_line(data[start:end])
            else:
                links = data.find(SITELINKS, data.rfind(b"$", start, stop), stop)  # "$" is in every statement's id
                if links < 0:
                    links = data.rfind(SITELINKS, start, stop)
                regular = links >= 0 and data[links + len(SITELINKS)] == COLON
                place = data.find(self._site, links if regular else start, stop)
                if place < 0:
                    skipped += 1
                else:
                    yield from self._line(data, start, stop, place if regular else -1)
            start = end + 1
        if skipped:
            self.counts.add("records", skipped)
            self.counts.drop("no article in this wiki", skipped)

    def _odd_line(self, line: bytes) -> Iterator[Row]:
        """A line that does not begin and end as an entity: a bracket, white space around one, or broken."""
        line = line.strip().rstrip(b",").rstrip()
        if line[:1] == b"{" and line[-1:] == b"}":
            yield from self._line(line, 0, len(line), -1)
        elif line not in (b"", b"[", b"]"):
            self._malformed(line)

    def _line(self, data: bytes, start: int, stop: int, place: int) -> list[Row]:
        """The facts of one line; ``place`` is where its sitelink should be, -1 where the line is irregular."""
        try:
            rows = self._regular(data, start, stop, place) if place >= 0 else None
            return self._parsed(data[start:stop]) if rows is None else rows
        except (ValueError, KeyError, TypeError, AttributeError):
            self._malformed(data[start:stop])
            return []

    def _regular(self, data: bytes, start: int, stop: int, place: int) -> list[Row] | None:
        """The facts of a line that is written as a dump writes it, else None."""
        import orjson

        link, qid = self._sitelink.match(data, place, stop), _ID.match(data, start, place)
        if link is None or qid is None:
            return None
        try:
            dated = dated_statements(data, start, stop)
        except IrregularError:
            return None
        return self._rows(int(qid[1]), orjson.loads(link[1]), dated)

    def _parsed(self, line: bytes) -> list[Row]:
        """The facts of a line in any form."""
        rows: list[Row] = []
        for entity in entities_of(line):
            link = (entity.get("sitelinks") or {}).get(self.wiki)
            name: str = entity["id"]
            if link and name[:1] == "Q":
                rows += self._rows(int(name[1:]), link["title"], list(statements_of(entity)))
            else:
                self.counts.add("records")
                self.counts.drop("no article in this wiki")
        return rows

    def _rows(self, number: int, title: str, dated: list[Dated]) -> list[Row]:
        """The facts of an entity; deprecated claims and impossible dates are counted and left out."""
        if number in self._seen:
            self.counts.drop("duplicate entity")
            return []
        rows: list[Row] = []
        qid = f"Q{number}"
        for name, qualifier, value, rank, raw in dated:
            time = "deprecated claim" if rank == "deprecated" else time_in(raw)
            if isinstance(time, str):
                self.counts.drop(time)
            else:
                first, last, precision, calendar = time
                rows.append(
                    (qid, title, name, qualifier, value, "", first, last, precision, rank, calendar, "wikidata")
                )
        self._seen.add(number)
        self.names.append((number, title))
        self.counts.numbers.update(("records", "dated entities" if rows else "undated entities"))
        if rows:
            self.counts.add("facts", len(rows))
            self._properties.update([row[2] for row in rows])
        return rows

    def _malformed(self, line: bytes) -> None:
        self.counts.drop("malformed")
        self.counts.notes.setdefault("first malformed", line[:60].decode(errors="replace"))


def entities_of(line: bytes) -> Iterator[dict[str, Any]]:
    """The entities of a JSON document: one, or several as the API and KGTK write them.

    >>> [entity["id"] for entity in entities_of(b'{"entities": {"Q42": {"claims": {}}}}')]
    ['Q42']
    """
    import orjson

    value = cast("dict[str, Any]", orjson.loads(line))
    if "id" in value and ("claims" in value or "labels" in value):
        yield value
        return
    for key, entity in cast("dict[str, dict[str, Any]]", value.get("entities", value)).items():
        yield {"id": key, **entity}
