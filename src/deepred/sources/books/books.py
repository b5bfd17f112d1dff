"""Stage ``books``: Project Gutenberg texts and their catalogue come in, dated and cleaned books go out.

A book enters the corpus only with a date and its reason: every decision is a line of ``decisions-*.jsonl``. What the
distributor and its volunteers added is removed, and with it the distributor's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, Interval, year_of
from deepred.base.errors import UserError
from deepred.base.tables import document_schema, write_rows
from deepred.run.config import Books
from deepred.run.stage import Counts, Work
from deepred.sources.books.book_selection import refuse
from deepred.sources.books.catalogue import Person, Record, read_catalogue
from deepred.sources.books.first_published import (
    Dating,
    book_people,
    date_book,
    licence_of,
    rights_refusal,
    states_free_in_us,
)
from deepred.sources.books.gutenberg_text import BookText, clean_book, decode, header_number
from deepred.sources.books.introductions import cut_modern_introductions
from deepred.sources.books.themes import WHOLE, check_themes, choose_chunks

BOOKS_PER_SHARD = 16
HEAD = 20_000
"""Bytes of a file in which its e-book number stands, if it has one."""
MIN_CHARACTERS = 500
"""A text that cleaning leaves shorter is no book; the shortest of the samples keeps 37,000."""
MAX_UNREADABLE = 0.5
"""Share of files that are no text above which the source itself is wrong."""
LARGEST = 64_000_000
"""Bytes of a book at most: several times the longest that Gutenberg has."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file with its number and its catalogue record, if there are any."""

    file: str
    number: int | None
    record: Record | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """The work of one shard."""

    index: int
    volumes: tuple[Volume, ...]
    config: Books
    cutoff: Day
    straddling: str


def collect_books(
    *,
    world: Path | None,
    config: Books,
    sources: dict[str, list[Path]],
    cutoff: Day,
    straddling: str,
    out: Path,
    work: Work,
) -> Counts:
    """Write the books before the cutoff as ``documents-*.parquet``, and why each was kept or dropped.

    ``world``'s books come through ``sources`` like any other. A source that is mostly no text raises a ``UserError``.
    """
    counts = Counts()
    numbers = {path: _file_number(path) for path in sources.get("files", [])}
    known = {number for number in numbers.values() if number is not None}
    records = read_catalogue(sources.get("catalogue", []), known, counts)
    volumes = list(_volumes(numbers, records, counts))
    shelves = [
        Shelf(
            start // BOOKS_PER_SHARD,
            tuple(volumes[start : start + BOOKS_PER_SHARD]),
            config,
            cutoff,
            straddling,
        )
        for start in range(0, len(volumes), BOOKS_PER_SHARD)
    ]
    theme_file = next(iter(sources.get("theme_file", [])), None)
    if config.themes:
        check_themes(config, theme_file)
    whole = out / WHOLE if config.themes else out
    counts.merge(work.map_shards(clean_shelf, [(f"books-{shelf.index:05d}", shelf) for shelf in shelves], whole))
    unreadable = counts.drops["not-text"]
    if volumes and unreadable > MAX_UNREADABLE * len(volumes):
        raise UserError(
            f"{unreadable} of {len(volumes)} books are no text, first {volumes[0].file}",
            "books.files must name .txt files",
        )
    if config.themes:
        counts.numbers["books"] = counts.numbers.pop("documents", 0)  # from here on a document is a chunk
        del counts.numbers["bytes"]
        counts.merge(choose_chunks(whole, config, theme_file, out, work))
    return counts


def _file_number(path: Path) -> int | None:
    with path.open("rb") as file:
        stated = header_number(file.read(HEAD).decode("latin-1"))
    named = re.search(r"(?:^|_|pg)(\d{2,6})(?:-\d)?$", path.stem)
    return stated or (int(named[1]) if named else None)


def _volumes(numbers: dict[Path, int | None], records: dict[int, Record], counts: Counts) -> Iterator[Volume]:
    """Each e-book once: of several files with its number the one with the richest encoding, else the first."""
    best: dict[int, Path] = {}
    for path, number in numbers.items():
        if number is not None and (number not in best or _encoding_rank(path) > _encoding_rank(best[number])):
            best[number] = path
    for path, number in numbers.items():
        counts.add("files")
        if number is not None and best[number] != path:
            counts.drop("duplicate")
            continue
        yield Volume(str(path), number, records.get(number) if number is not None else None)


def _encoding_rank(path: Path) -> int:
    return {"-0": 3, "-8": 2}.get(path.stem[-2:], 1)


def clean_shelf(shelf: Shelf, folder: Path) -> Counts:
    """Clean, date and judge one shard's books."""
    counts = Counts()
    decisions: list[dict[str, Any]] = []
    write_rows(
        folder / f"documents-{shelf.index:05d}.parquet",
        _documents(shelf, counts, decisions),
        document_schema(),
        batch=8,
    )
    lines = "".join(json.dumps(decision, ensure_ascii=False) + "\n" for decision in decisions)
    (folder / f"decisions-{shelf.index:05d}.jsonl").write_text(lines, encoding="utf-8")
    return counts


def _documents(shelf: Shelf, counts: Counts, decisions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for volume in shelf.volumes:
        is_large = Path(volume.file).stat().st_size > LARGEST
        text = None if is_large else decode(Path(volume.file).read_bytes())
        if text is None:
            counts.drop("too-large" if is_large else "not-text")
            decisions.append(_decision(volume, None, None, "too-large" if is_large else "not-text"))
            continue
        book = clean_book(text)
        dating = date_book(volume.record, book.fields, book.front, book.notes, shelf.config.undated)
        reason = _refusal(volume, book, dating, shelf)
        decisions.append(_decision(volume, book, dating, reason))
        counts.tally("dated by", dating.by)
        if reason:
            counts.drop(reason)
            continue
        for name, number in book.removed.items():
            counts.tally("removed", name, number)
        book.text, modern = cut_modern_introductions(
            book.text, _author(volume, book), year_of(dating.interval.last) if dating.interval else 0
        )
        counts.tally("removed", "modern-introduction", modern)
        counts.add("documents")
        counts.add("bytes", len(book.text.encode()))
        yield _document(volume, book, dating.interval)


def _refusal(volume: Volume, book: BookText, dating: Dating, shelf: Shelf) -> str:
    record = volume.record
    unwanted = refuse(shelf.config, volume.number, record, _author(volume, book), book.fields.get("language", ""))
    if unwanted:
        return unwanted
    if record and record.kind not in ("", "Text"):
        return "not-a-text-work"
    if book.copyrighted or (record and record.rights.lower().startswith("copyright")):
        return "copyrighted"
    if len(book.text) < MIN_CHARACTERS:
        return "short"
    if dating.interval is None:
        return "undated"
    unfree = rights_refusal(shelf.config, _people(volume, book), dating.interval, _stated_free(volume, book))
    if unfree:
        return unfree
    side = dating.interval.side(shelf.cutoff)
    if side == "after":
        return "after-cutoff"
    return "straddling" if side == "straddling" and shelf.straddling == "drop" else ""


def _document(volume: Volume, book: BookText, interval: Interval | None) -> dict[str, Any]:
    return {
        "id": f"book:{volume.number}" if volume.number is not None else f"book:{Path(volume.file).stem}",
        "source": "books",
        "title": _title(volume, book),
        "text": book.text,
        "first": interval.first if interval else None,
        "last": interval.last if interval else None,
        "author": _author(volume, book),
        "licence": licence_of(_people(volume, book), interval, _stated_free(volume, book)),
        "origin": Path(volume.file).name,
    }


def _people(volume: Volume, book: BookText) -> list[Person]:
    authors, translators = book_people(volume.record, book.fields, book.front)
    return [*authors, *translators]


def _stated_free(volume: Volume, book: BookText) -> bool:
    return states_free_in_us(volume.record, book.removed["header"] > 0 and not book.copyrighted)


def _title(volume: Volume, book: BookText) -> str:
    return book.fields.get("title", "") or (volume.record.title if volume.record else "") or Path(volume.file).stem


def _author(volume: Volume, book: BookText) -> str:
    named = "; ".join(person.name for person in volume.record.authors()) if volume.record else ""
    return named or book.fields.get("author", "")


def _decision(volume: Volume, book: BookText | None, dating: Dating | None, reason: str) -> dict[str, Any]:
    return {
        "file": Path(volume.file).name,
        "number": volume.number,
        "title": _title(volume, book) if book else "",
        "author": _author(volume, book) if book else "",
        "kept": not reason,
        "reason": reason,
        "first": dating.interval.first if dating and dating.interval else None,
        "last": dating.interval.last if dating and dating.interval else None,
        "by": dating.by if dating else "",
        "why": dating.reason if dating else "the file holds bytes that are no text",
        "catalogue": asdict(volume.record)["sources"] if volume.record else [],
        "removed": dict(book.removed) if book else {},
    }
