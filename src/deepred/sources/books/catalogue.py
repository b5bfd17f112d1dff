"""Catalogue records of Project Gutenberg: RDF files and ``pg_catalog.csv`` come in, one record a book goes out.

The date on which Project Gutenberg issued its e-book is in both and is never read: it says nothing of the book.
"""

from __future__ import annotations

import csv
import gzip
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO, cast

from deepred.base.errors import FaultError, UserError
from deepred.base.formats import HEAD_BYTES, describe_bytes, describe_unpacked, is_packed
from deepred.base.given import read_number
from deepred.run.stage import Counts

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dcterms": "http://purl.org/dc/terms/",
    "pgterms": "http://www.gutenberg.org/2009/pgterms/",
    "dcam": "http://purl.org/dc/dcam/",
}
GZIP = b"\x1f\x8b"
COLUMNS = ("Text#", "Title", "Authors")
"""Columns without which a table is no ``pg_catalog.csv``."""
EXPECTED = "books.catalogue takes pg_catalog.csv (plain or .gz) and RDF files, unpacked"
AUTHORS = ("author", "creator", "")
LIFE = re.compile(
    r",?\s{0,3}(?:(?P<birth>(?:ca?\. ?)?\d{1,4}\??(?: BCE?)?))?"
    r"\s{0,3}-\s{0,3}(?P<death>(?:ca?\. ?)?\d{1,4}\??(?: BCE?)?)?\s{0,3}$"
)

LARGEST = 64_000_000
"""Bytes of an RDF file at most: it is held in memory, and Gutenberg's have some thousands, one a book."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who made a book: the role is author, translator, editor, …; years are signed, None where unknown."""

    name: str
    role: str = "author"
    birth: int | None = None
    death: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What a catalogue says of a book; ``published`` only where it names the original publication."""

    number: int
    title: str = ""
    people: tuple[Person, ...] = ()
    language: str = ""
    subjects: tuple[str, ...] = ()
    shelves: tuple[str, ...] = ()
    published: int | None = None
    rights: str = ""
    kind: str = "Text"
    sources: tuple[str, ...] = field(default=())

    def authors(self) -> list[Person]:
        """The people who wrote it."""
        return [person for person in self.people if person.role in AUTHORS]

    def translators(self) -> list[Person]:
        """The people who translated it."""
        return [person for person in self.people if person.role == "translator"]


def read_catalogue(files: Iterable[Path], wanted: set[int] | None, counts: Counts) -> dict[int, Record]:
    """The records of the wanted books (all where None); an RDF record completes what the CSV says of the same book."""
    records: dict[int, Record] = {}
    paths = list(files)
    for path in paths:
        reader = read_rdf if _is_xml(path) else read_csv
        for record in reader(path, counts):
            counts.add("catalogue-records")
            if wanted is None or record.number in wanted:
                known = records.get(record.number)
                records[record.number] = merge_records(known, record) if known else record
    if paths and not counts.numbers["catalogue-records"]:
        raise UserError(f"no record of a book in {paths[0]}, which is {describe_unpacked(paths[0])}", EXPECTED)
    return records


def _is_xml(path: Path) -> bool:
    """Whether a catalogue file is RDF in XML, by its first bytes; ``UserError`` for an archive."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(GZIP):
        return False
    if path.suffix.lower() not in {".rdf", ".xml"} and is_packed(head):
        raise UserError(f"{path} is {describe_bytes(head)}, not a catalogue", f"unpack it: {EXPECTED}")
    return path.suffix.lower() in {".rdf", ".xml"} or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def merge_records(first: Record, second: Record) -> Record:
    """Both records' knowledge; where both speak, the one with more about people wins."""
    better, other = (second, first) if len(second.people) >= len(first.people) else (first, second)
    return replace(
        better,
        title=better.title or other.title,
        language=better.language or other.language,
        subjects=tuple(dict.fromkeys((*better.subjects, *other.subjects))),
        shelves=tuple(dict.fromkeys((*better.shelves, *other.shelves))),
        published=better.published or other.published,
        rights=better.rights or other.rights,
        sources=tuple(dict.fromkeys((*better.sources, *other.sources))),
    )


def read_rdf(path: Path, counts: Counts) -> Iterator[Record]:
    """The records of an RDF file; one that is no XML, or far longer than any, is counted and passed over."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path} is larger than the record of a book")
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, LookupError, ValueError):  # no XML, or in an encoding that nobody knows
        counts.drop("unreadable-catalogue-record")
        counts.tally("unreadable catalogue files", path.name)
        return
    for book in root.iter(_tag("pgterms:ebook")):
        number = re.search(r"(?<!\d)(\d{1,9})$", book.get(_tag("rdf:about"), ""))
        if not number:
            counts.drop("unreadable-catalogue-record")
            continue
        shelves, subjects = _values(book, "pgterms:bookshelf"), _subjects(book)
        yield Record(
            int(number[1]),
            " ".join(book.findtext("dcterms:title", "", NAMESPACES).split()),
            tuple(_people(book)),
            "; ".join(_values(book, "dcterms:language")),
            tuple(subjects),
            tuple(shelves),
            _published(book),
            book.findtext("dcterms:rights", "", NAMESPACES),
            "; ".join(_values(book, "dcterms:type")) or "Text",
            (path.name,),
        )


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _values(book: ElementTree.Element, name: str) -> list[str]:
    return [
        (value.text or "").strip()
        for place in book.findall(name, NAMESPACES)
        for value in place.iter(_tag("rdf:value"))
    ]


def _subjects(book: ElementTree.Element) -> list[str]:
    found: list[str] = []
    for place in book.findall("dcterms:subject", NAMESPACES):
        scheme = place.find(".//dcam:memberOf", NAMESPACES)
        if scheme is not None and scheme.get(_tag("rdf:resource"), "").endswith("LCC"):
            continue
        found += [(value.text or "").strip() for value in place.iter(_tag("rdf:value"))]
    return found


ROLES = {
    "creator": "author",
    "trl": "translator",
    "edt": "editor",
    "ill": "illustrator",
    "aui": "introducer",
    "ctb": "contributor",
}


def _people(book: ElementTree.Element) -> Iterator[Person]:
    for element in book:
        role = element.tag.rpartition("}")[2]
        agents = element.findall("pgterms:agent", NAMESPACES)
        for agent in agents:
            yield Person(
                agent.findtext("pgterms:name", "", NAMESPACES).strip(),
                ROLES.get(role, role),
                _year(agent.findtext("pgterms:birthdate", "", NAMESPACES)),
                _year(agent.findtext("pgterms:deathdate", "", NAMESPACES)),
            )


def _published(book: ElementTree.Element) -> int | None:
    """The original publication's year: MARC 906 where present, else the year that ends MARC 260's imprint."""
    exact = re.search(r"\b(\d{4})\b", book.findtext("pgterms:marc906", "", NAMESPACES))
    if exact:
        return int(exact[1])
    imprint = re.search(r"\b(1[4-9]\d\d|20\d\d)\b\D*$", book.findtext("pgterms:marc260", "", NAMESPACES))
    return int(imprint[1]) if imprint else None


def _year(text: str) -> int | None:
    match = re.search(r"-?\d{1,4}", text or "")
    return int(match[0]) if match else None


def _open(path: Path) -> TextIO:
    """A table as text, also where it is packed by gzip, as it is published too."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "replace", "newline": ""}
    return cast("TextIO", gzip.open(path, "rt", **how)) if packed else path.open(**how)


def read_csv(path: Path, counts: Counts) -> Iterator[Record]:
    """The records of ``pg_catalog.csv``; a row without a number is counted and passed over."""
    with _open(path) as file:
        rows = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
            names = ", ".join(rows.fieldnames or ())[:200]
            raise FaultError(
                f"{path} has no column {', '.join(missing)}; it is {describe_unpacked(path)} and has {names or 'none'}",
                EXPECTED,
            )
        for row in rows:
            number = (row.get("Text#") or "").strip()
            if read_number(number) is None:
                counts.drop("unreadable-catalogue-record")
                continue
            yield Record(
                int(number),
                " ".join((row.get("Title") or "").split()),
                tuple(parse_people(row.get("Authors") or "")),
                (row.get("Language") or "").strip(),
                tuple(_parts(row.get("Subjects"))),
                tuple(_parts(row.get("Bookshelves"))),
                kind=(row.get("Type") or "Text").strip(),
                sources=(path.name,),
            )


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def parse_people(text: str) -> list[Person]:
    """The people of a CSV row's ``Authors``.

    >>> parse_people("Verne, Jules, 1828-1905; Frith, Henry, 1840-1917? [Translator]")[1]
    Person(name='Frith, Henry', role='translator', birth=1840, death=1917)
    """
    people: list[Person] = []
    for part in _parts(text):
        role = re.search(r"\[([^\]]+)\]\s*$", part)
        name = part[: role.start()].strip() if role else part
        life = LIFE.search(name)
        if life and life.start() == 0:
            life = None
        people.append(
            Person(
                name[: life.start()].strip().rstrip(",") if life else name,
                role[1].strip().lower() if role else "author",
                _signed(life["birth"]) if life else None,
                _signed(life["death"]) if life else None,
            )
        )
    return people


def _signed(text: str | None) -> int | None:
    year = _year((text or "").replace("-", ""))
    # 44 BCE is the astronomical year -43
    return 1 - year if year is not None and "BC" in (text or "") else year
