"""YAGO's facts, 4.5 in Turtle and 4 in N-Triples: dates of entities, joined with articles by Wikipedia page or QID.

YAGO 4.5 writes one triple a line, grouped by subject, with the columns separated by tabs and, for a date that qualifies
a fact, the fact in ``<< … >>``. Its dates are ISO 8601, and its years are astronomical. A name is a title of English
Wikipedia in which other characters than letters are written ``_u0028_``; names of entities without an article end in
their QID. YAGO 4 writes the same with whole addresses instead of prefixes (``.nt``, and ``.ntx`` with facts about
facts). YAGO 2 and 3 have other predicates and are refused. Format: https://yago-knowledge.org/downloads/yago-4-5
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deepred.base.days import Interval, month_length
from deepred.base.errors import FaultError, UserError
from deepred.base.formats import describe_unpacked
from deepred.base.tables import fact_schema, write_columns
from deepred.run.stage import Counts

PROPERTIES = {
    "birthDate": "P569",
    "deathDate": "P570",
    "dateCreated": "P571",
    "foundingDate": "P571",
    "dissolutionDate": "P576",
    "datePublished": "P577",
    "startDate": "P580",
    "endDate": "P582",
    "onDate": "P585",
}
"""YAGO's predicates by the Wikidata property that means the same."""

_PREFIXES = {
    "http://schema.org/": "schema:",
    "http://yago-knowledge.org/resource/": "yago:",
    "http://www.w3.org/2001/XMLSchema#": "xsd:",
    "http://www.w3.org/2002/07/owl#": "owl:",
    "http://www.wikidata.org/entity/": "wd:",
}
_ADDRESS = re.compile(rf"<({'|'.join(map(re.escape, _PREFIXES))})([^<>\s]*+)>")
READABLE = ("Turtle", "N-Triples", "RDF-star")
"""What a YAGO file that can be read is, by its first bytes."""
_NAME = r"(?:[A-Za-z][\w-]*:[^\s]+|<[^>\s]+>)"
_LITERAL = r'"(?P<value>[^"\\]*)"\^\^xsd:(?P<type>\w+)'
_DATE_TRIPLE = re.compile(rf"^(?P<subject>{_NAME})\s+(?:schema|yago):(?P<predicate>\w+)\s+{_LITERAL}\s*\.")
_ABOUT_TRIPLE = re.compile(
    rf"^<<\s*(?P<subject>{_NAME})\s+(?:schema|yago):(?P<property>\w+)\s+(?P<value_name>\S.{{0,500}}?)"
    rf"\s{{0,9}}>>\s+(?:schema|yago):(?P<predicate>\w+)\s+{_LITERAL}\s*\."
)
_SAME = re.compile(rf"^({_NAME})\s+owl:sameAs\s+wd:(Q\d{1, 15}+)\s*\.")
_PAGE = re.compile(
    rf'^({_NAME})\s+schema:(?:mainEntityOfPage|url)\s+[<"]https?://([a-z-]+)\.wikipedia\.org/wiki/([^>"]+)[>"]'
)
_STATEMENT = re.compile(rf"^(?:@prefix|@base|#|<<|{_NAME}\s|\s*$)")
_DATE = re.compile(r"^(-?\d{1,6})(?:-(\d\d))?(?:-(\d\d))?(?:T.*|Z)?$")
_ESCAPE = re.compile(r"_u([0-9A-Fa-f]{4})_")
EXPECTED = "give yago-facts.ttl of YAGO 4.5, or yago-wd-facts.nt of YAGO 4 (plain, .gz or .bz2; not in an archive)"
_OTHER_DATE = re.compile(
    r'\s(?:<([^<>\s]{1,99})>|\w{1,20}:(\w{1,80}))\s++"[^"\\]{1,40}"\^\^(?:xsd:|<[^<>\s]{1,60}#)(?:date|gYear)'
)
_PRECISIONS = {"gYear": 9, "gYearMonth": 10, "date": 11, "dateTime": 11}


@dataclass(frozen=True)
class YagoPart:
    """One YAGO file as a shard; ``folder`` holds the index of titles."""

    path: Path
    number: int
    wiki: str
    folder: Path


@dataclass
class _Subject:
    """What is known of the subject being read."""

    name: str
    entity: str = ""
    title: str = ""
    rows: list[tuple[str, str, str, Interval, int]] = field(default_factory=list[tuple[str, str, str, Interval, int]])


def check_yago(path: Path) -> None:
    """``UserError`` where a file is plainly no YAGO 4 or 4.5."""
    found = describe_unpacked(path)
    if not found.startswith(READABLE) and not found.startswith("a file that begins with"):
        raise UserError(f"{path} is no YAGO 4.5 (Turtle) or YAGO 4 (N-Triples) but {found}", EXPECTED)


def check_dated(paths: Sequence[Path], wiki: str, counts: Counts) -> None:
    """``UserError`` where files of YAGO hold no date under a known predicate, or none of a subject with an article."""
    if not paths or counts.numbers["facts"]:
        return
    names = ", ".join(str(path) for path in paths[:3])
    dated = counts.numbers["dated statements"]
    if dated:
        raise UserError(
            f"{names}: {dated:,} dates, none of a subject with an article in {wiki}",
            "check facts.wiki; YAGO 4 names articles of English Wikipedia only",
        )
    others = ", ".join(counts.tallies.get("predicates of other dates", {})) or "none"
    raise UserError(
        f"{names}: no date under a predicate of YAGO 4 or 4.5 ({', '.join(PROPERTIES)}); "
        f"seen is {describe_unpacked(paths[0])}, predicates of dates: {others}",
        EXPECTED,
    )


def read_yago(argument: YagoPart, folder: Path) -> Counts:
    """Write ``facts-yago-N.parquet``: the dated facts of a YAGO file whose subjects have an article."""
    from deepred.dating.facts.titles import Titles

    counts = Counts()
    titles = Titles(argument.folder)
    rows = _rows(argument, titles, counts)
    write_columns(folder / f"facts-yago-{argument.number:05d}.parquet", rows, fact_schema())
    return counts


def _rows(argument: YagoPart, titles: Any, counts: Counts) -> Iterator[tuple[Any, ...]]:
    import numpy as np

    language = argument.wiki.removesuffix("wiki")
    for subject in _subjects(argument.path, language, counts):
        if not subject.rows:
            continue
        title = ""
        if subject.entity:
            (title,) = titles.find(np.array([int(subject.entity[1:])], dtype=np.int64))
        title = title or subject.title or (title_of(subject.name) if language == "en" else "")
        if not title:
            counts.drop("no article in this wiki", len(subject.rows))
            continue
        for property, qualifier, value, interval, precision in subject.rows:
            counts.add("facts")
            yield (
                subject.entity, title, property, qualifier, "", value, interval.first, interval.last, precision,
                "normal", "gregorian", "yago",
            )  # fmt: skip


def _subjects(path: Path, language: str, counts: Counts) -> Iterator[_Subject]:
    """The subjects of a file, each with the dated facts of one run of its lines."""
    current = _Subject("")
    for line in _lines(path):
        counts.add("bytes", len(line))
        if "<http" in line:
            line = _ADDRESS.sub(lambda match: _PREFIXES[match[1]] + match[2], line)
        match = _DATE_TRIPLE.match(line) or _ABOUT_TRIPLE.match(line)
        about = _SAME.match(line) or _PAGE.match(line) if match is None else None
        name = match["subject"] if match else about[1] if about else ""
        if match is None or match["predicate"] not in PROPERTIES:
            if other := _OTHER_DATE.search(line):
                counts.tally("predicates of other dates", other[1] or other[2])
        else:
            counts.add("dated statements")
        if not name:
            counts.drop("malformed") if not _STATEMENT.match(line) else counts.add("records")
            continue
        counts.add("records")
        if name != current.name:
            yield current
            current = _Subject(name, entity=_qid(name))
        if match:
            _add_date(current, match, counts)
        elif about and len(about.groups()) == 2:
            current.entity = about[2]
        elif about and about[2] == language:
            current.title = unquote(about[3]).replace("_", " ")
    yield current


def _lines(path: Path) -> Iterator[str]:
    opened: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
    with path.open("rb") as raw:
        unpack = opened.get(raw.read(2), open)
    try:
        with unpack(path, "rt", encoding="utf-8") as file:
            yield from file
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FaultError(f"{path} cannot be read: {error}", "download it again") from None


def _qid(name: str) -> str:
    """The QID that a name is or ends in: "wd:Q42", "yago:Some_thing_Q123456"."""
    match = re.search(r"(?:^wd:|_)(Q\d{1,15}+)$", name)
    return match[1] if match else ""


def title_of(name: str) -> str:
    """The title that a YAGO name encodes, empty for an entity without an article.

    >>> title_of("yago:The_Rock__u0028_film_u0029_")
    'The Rock (film)'
    """
    if not name.startswith("yago:") or _qid(name):
        return ""
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name.removeprefix("yago:"))
    return plain.replace("_", " ")


def _add_date(subject: _Subject, match: re.Match[str], counts: Counts) -> None:
    property = PROPERTIES.get(match["predicate"])
    if property is None:
        return
    found = read_date(match["value"], match["type"])
    if found is None:
        counts.drop("impossible date")
        return
    groups = match.groupdict()
    if "property" in groups:
        value = title_of(groups["value_name"])
        subject.rows.append((groups["property"], property, value, *found))
    else:
        subject.rows.append((property, "", "", *found))


def read_date(value: str, kind: str) -> tuple[Interval, int] | None:
    """The interval and precision of an XSD date, None for an impossible one; a gYear may be written as a day.

    >>> read_date("1970-01-01", "gYear")
    (Interval(first=19700101, last=19701231), 9)
    """
    match = _DATE.match(value)
    precision = _PRECISIONS.get(kind)
    if match is None or precision is None or abs(int(match[1])) > 200_000:
        return None
    year, month, number = int(match[1]), match[2], match[3]
    if precision == 9 or month is None:
        return Interval.of(year), 9
    if not 1 <= int(month) <= 12:
        return None
    if precision == 10 or number is None:
        return Interval.of(year, int(month)), 10
    if not 1 <= int(number) <= month_length(year, int(month)):
        return None
    return Interval.of(year, int(month), int(number)), 11
