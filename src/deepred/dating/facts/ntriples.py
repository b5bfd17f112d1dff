"""Truthy N-Triples of Wikidata to dated facts: ``prop/direct`` triples with a date, and sitelinks as ``schema:about``.

Such a dump holds one statement a line, no qualifiers and no deprecated claims, and of a date neither precision nor
calendar: days are proleptic Gregorian, years astronomical, and what was not stated is 01. So 1 January is read as the
year and the 1st of another month as the month: an interval that is too long is safe, one that is too short is not.
A decade or a century looks like a year here and is only told apart in the JSON dump.
Format: https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from deepred.base.days import Interval, month_length
from deepred.dating.facts.dump_lines import Block
from deepred.dating.facts.entities import Row
from deepred.dating.facts.properties import PROPERTIES
from deepred.dating.facts.time_values import LARGEST_YEAR, TIMES, BadTimeError, Time
from deepred.run.stage import Counts
from deepred.text.dates.parts import Precision

_IRI = rb"<http://www\.wikidata\.org/%s>"
_DATE_TYPE = re.compile(rb"XMLSchema#date(?:Time)?>")
_DATED = re.compile(
    _IRI % rb"entity/Q(\d{1,15}+)"
    + rb"\s+"
    + _IRI % rb"prop/direct/(P\d+)"
    + rb'\s+"([^"]*)"\^\^<http://www\.w3\.org/2001/XMLSchema#date(?:Time)?>\s*\.\s*(?:#.*)?$',
    re.MULTILINE,
)
_TIME = re.compile(r"([+-]?)(\d{1,16})-(\d\d)-(\d\d)(?:T[\d:]{8}(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_WHOLE_LINE = re.compile(
    rb"\s*(?:(?:<[^>\s]*>|_:\S+)\s+<[^>\s]*>\s+"
    rb'(?:<[^>\s]*>|_:\S+|".*"(?:@[\w-]+|\^\^<[^>\s]*>)?)\s*\.\s*)?(?:#.*)?'
)
_PROJECTS = ("wikiquote", "wikisource", "wikivoyage", "wikinews", "wikibooks", "wikiversity", "wiktionary")
_HOSTS = {"commonswiki": "commons.wikimedia.org", "specieswiki": "species.wikimedia.org"}


def host_of(wiki: str) -> str:
    """The host of a wiki by its database name.

    >>> host_of("zh_min_nanwiki"), host_of("dewikiquote")
    ('zh-min-nan.wikipedia.org', 'de.wikiquote.org')
    """
    project = next((name for name in _PROJECTS if wiki.endswith(name)), "")
    language = wiki.removesuffix(project or "wiki").replace("_", "-")
    return _HOSTS.get(wiki) or f"{language}.{project or 'wikipedia'}.org"


class TripleReader:
    """Reads blocks of triples: facts come out, still without titles, and QIDs with titles gather in ``names``."""

    def __init__(self, wiki: str, counts: Counts) -> None:
        self.names: list[Row] = []
        self.counts = counts
        self._properties = counts.tallies.setdefault("properties", Counter())
        self._about = re.compile(
            rb"<https://%s/wiki/([^>\s]*)>\s+<http://schema\.org/about>\s+" % re.escape(host_of(wiki).encode())
            + _IRI % rb"entity/Q(\d{1,15}+)"
        )

    def read(self, block: Block) -> Iterator[Row]:
        """The facts of a block's triples, as rows of ``tables.fact_schema`` without any title."""
        data, start, last = block
        self.counts.add("bytes", last - start)
        self._count_lines(data, start, last)
        for match in self._about.finditer(data, start, last):
            self.names.append((int(match[2]), title_of(match[1].decode(errors="replace"))))
        for match in _DATE_TYPE.finditer(data, start, last):
            triple = _DATED.match(data, data.rfind(b"\n", start, match.start()) + 1, last)
            name = triple[2].decode() if triple else ""
            if triple is None or name not in PROPERTIES:
                continue  # the date of a revision, or of something else
            time = _time_in(triple[3].decode(errors="replace"))
            if isinstance(time, str):
                self.counts.drop(time)
                continue
            self.counts.add("facts")
            self._properties[name] += 1
            yield (
                f"Q{triple[1].decode()}", "", name, "", "", "", time.first, time.last, time.precision,
                "normal", time.calendar, "wikidata",
            )  # fmt: skip

    def _count_lines(self, data: bytes, start: int, last: int) -> None:
        """Count the lines; which ones are broken is looked for only where some do not end as a triple."""
        lines = data.count(b"\n", start, last)
        if lines == data.count(b" .\n", start, last) and data[last - 1 : last] == b"\n":
            self.counts.add("records", lines)
            return
        for line in data[start:last].splitlines():
            if _WHOLE_LINE.fullmatch(line):
                self.counts.add("records")
            else:
                self.counts.drop("malformed")
                self.counts.notes.setdefault("first malformed", line[:60].decode(errors="replace"))


def title_of(path: str) -> str:
    r"""The title in the path of an article's address.

    >>> title_of("Emile_Zola%27s_J%E2%80%99Accuse")
    'Emile Zola's J’Accuse'
    """
    plain = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), path)
    return unquote(plain).replace("_", " ")


def read_time(text: str) -> Time:
    """What a date of the triples says.

    >>> read_time("-0043-03-15T00:00:00Z")
    Time(first=-429685, last=-429685, precision=11, calendar='gregorian')

    Raises BadTimeError for a day that does not exist and for years that are too far.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadTimeError("impossible date")
    year, month, number = int(match[2]), int(match[3]), int(match[4])
    if year > LARGEST_YEAR:
        raise BadTimeError("date coarser than a millennium")
    year = -year if match[1] == "-" else year
    if month > 12 or (month == 0 and number > 0):
        raise BadTimeError("impossible date")
    if month == 0 or (month == 1 and number <= 1):
        interval, precision = Interval.of(year), Precision.YEAR
    elif number <= 1:
        interval, precision = Interval.of(year, month), Precision.MONTH
    elif number <= month_length(year, month):
        interval, precision = Interval.of(year, month, number), Precision.DAY
    else:
        raise BadTimeError("impossible date")
    return Time(interval.first, interval.last, int(precision), "gregorian")


@lru_cache(TIMES)
def _time_in(text: str) -> Time | str:
    """What a date says, or why it says nothing."""
    try:
        return read_time(text)
    except BadTimeError as error:
        return str(error)
