"""Stage ``topics``: year and date articles of the extraction come in, dated events and documents a year go out.

"1923", "44 BC" and "July 4" list events, births and deaths, one a line. Each becomes an event, dated as precisely as
the page has it. All events are written, for probes need those after the cutoff too; documents hold only what lies
wholly before it and says nothing of a later year.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.days import MONTHS, Day, Interval, day, month_length, year_of
from deepred.base.tables import document_schema, read_rows, schema_of, write_rows
from deepred.run.config import Topics
from deepred.run.stage import Counts, Work

if TYPE_CHECKING:
    import pyarrow as pa

MONTH = "|".join(MONTHS)
YEAR_TITLE = re.compile(r"(?:(?:AD )?(\d{1,4})|(\d{1,4}) (?:BC|BCE))(?: \(year\))?$")
DATE_TITLE = re.compile(rf"({MONTH}) (\d{{1,2}})$")
DASH = r"\s*(?:[–—:]|\s-\s|-\s)\s*"
LINE_DATE = re.compile(rf"({MONTH}) (\d{{1,2}})(?:\s*[–—-]\s*(?:({MONTH}) )?(\d{{1,2}}))?(?:{DASH}|\s*$)")
LINE_MONTH = re.compile(rf"({MONTH})(?:{DASH}|\s*$)")
LINE_YEAR = re.compile(rf"(?:AD )?(\d{{1,4}})( BCE?)?{DASH}")
BULLET = re.compile(r"[\s*#:;•·–-]*")
KINDS = {"events": "event", "births": "birth", "deaths": "death"}
DIED = re.compile(r"\(\s{0,3}(?:d\.|died|b\.[^()\n]{0,80}?d\.)\s{0,3}(?:[^()]{0,80}?\b)?(\d{4})\s{0,3}\)")
ANY_YEAR = re.compile(r"\b(1\d{3}|20\d{2})s?\b")
MIN_TEXT = 12
"""Characters below which a line is a fragment and no event."""
LICENCE = "CC BY-SA 4.0"


def event_schema() -> pa.Schema:
    """``events-*.parquet``: what happened when, as a line of the page has it; ``links`` are the titles it links to.

    ``first``..``last`` is the day, month or year; ``kind`` is event, birth or death; ``page_id`` the page that says so.
    """
    return schema_of("first last: int32; kind text: string; links: string*; page_id: int64")


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a year or date page."""

    interval: Interval
    kind: str
    text: str
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageDate:
    """What a page's title fixes: the year, or the month and day."""

    year: int | None = None
    month: int | None = None
    number: int | None = None


def collect_events(*, articles: Path, config: Topics, cutoff: Day, out: Path, work: Work) -> Counts:
    """Write every event of the year and date articles, and a document a year that has enough before the cutoff."""
    files = sorted(articles.glob("articles-*.parquet"))
    shards = [(path.stem.replace("articles-", "events-"), str(path)) for path in files]
    counts = work.map_shards(write_events, shards, out)
    documents = write_rows(
        out / "documents-00000.parquet", _documents(out, config.min_events, cutoff, counts), document_schema(), batch=64
    )
    counts.add("documents", documents)
    return counts


def write_events(path: str, folder: Path) -> Counts:
    """The events of one file of articles."""
    counts = Counts()
    name = Path(path).name.replace("articles-", "events-")
    write_rows(folder / name, _event_rows(Path(path), counts), event_schema())
    return counts


def _event_rows(path: Path, counts: Counts) -> Iterator[dict[str, Any]]:
    for page in _date_pages(path):
        subject = page_date(page["title"])
        if subject is None or page["disambiguation"]:
            continue
        counts.add("pages")
        for event in page_events(subject, page["text"], page["sections"] or [], page["links"] or [], counts):
            counts.add("events")
            counts.tally("kind", event.kind)
            yield {
                "first": event.interval.first,
                "last": event.interval.last,
                "kind": event.kind,
                "text": event.text,
                "links": list(event.links),
                "page_id": page["page_id"],
            }


def _date_pages(path: Path) -> Iterator[dict[str, Any]]:
    """The year and date pages of a file; row groups without one are never read beyond their titles."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ["page_id", "title", "text", "sections", "links", "disambiguation"]
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            titles = file.read_row_group(group, columns=["title"]).column("title").to_pylist()
            wanted = [index for index, title in enumerate(titles) if page_date(title) is not None]
            if wanted:
                yield from file.read_row_group(group, columns=columns).take(pa.array(wanted)).to_pylist()


def page_date(title: str) -> PageDate | None:
    """What a title dates; None for any other page.

    >>> page_date("44 BC"), page_date("July 4"), page_date("1984 (novel)")
    (PageDate(year=-43, month=None, number=None), PageDate(year=None, month=7, number=4), None)
    """
    match = YEAR_TITLE.match(title)
    if match:
        year = int(match[1]) if match[1] else 1 - int(match[2])
        return PageDate(year=year) if match[2] or year > 0 else None
    match = DATE_TITLE.match(title)
    if match and 1 <= int(match[2]) <= month_length(2000, MONTHS.index(match[1]) + 1):
        return PageDate(month=MONTHS.index(match[1]) + 1, number=int(match[2]))
    return None


def page_events(
    subject: PageDate, text: str, sections: list[dict[str, Any]], links: list[dict[str, Any]], counts: Counts
) -> Iterator[Event]:
    """The events of one page, in its order; lines of other sections and fragments are counted."""
    kind, month, heading = "", None, ""
    bounds = {section["start"]: section for section in sections}
    starts = sorted(bounds)
    passed = 0
    carried: Interval | None = None
    for start, line in _lines(text):
        while passed < len(starts) and starts[passed] <= start:
            section = bounds[starts[passed]]
            kind, month = _section(section["title"], section["level"], kind, month)
            heading, carried, passed = section["title"].strip(), None, passed + 1
        bare = line.strip().rstrip(".")
        # plain-text sources have no sections: a line that is a known heading alone is one
        if bare.lower() in KINDS or (not sections and bare in MONTHS):
            kind, month = _section(bare, 2 if bare.lower() in KINDS else 3, kind, month)
            carried = None
            continue
        if bare == heading or not bare:
            continue
        if not kind:
            counts.drop("other-section")
            continue
        interval, said, dated = _line_date(subject, month, line)
        if dated and not said:
            carried = interval
            continue
        if dated:
            carried = None
        interval = interval if dated or carried is None else carried
        if interval is None:
            counts.drop("line-without-year")
        elif len(said) < MIN_TEXT:
            counts.drop("fragment")
        else:
            yield Event(interval, kind, said, _targets(links, start, start + len(line)))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _section(title: str, level: int, kind: str, month: int | None) -> tuple[str, int | None]:
    """The kind and month in force below a heading: a main section sets the kind, one below it at most the month."""
    name = title.strip()
    named = next((number for number, month_name in enumerate(MONTHS, 1) if name == month_name), None)
    if level <= 2 or name.lower() in KINDS:
        return KINDS.get(name.lower(), ""), None
    return kind, named


def _line_date(subject: PageDate, month: int | None, line: str) -> tuple[Interval | None, str, bool]:
    """A line's interval, what it says without its date, and whether it states one itself."""
    said = line[BULLET.match(line).end() :].strip()  # type: ignore[union-attr]
    if subject.year is None:
        match = LINE_YEAR.match(said)
        if not match or not (subject.month and subject.number) or int(match[1]) == 0:
            return None, said, False
        year = 1 - int(match[1]) if match[2] else int(match[1])
        if subject.number > month_length(year, subject.month):
            return None, said, False
        return Interval.of(year, subject.month, subject.number), said[match.end() :].strip(), True
    match = LINE_DATE.match(said)
    if match:
        interval = _span(subject.year, match)
        if interval:
            return interval, said[match.end() :].strip(), True
    match = LINE_MONTH.match(said)
    if match:
        return Interval.of(subject.year, MONTHS.index(match[1]) + 1), said[match.end() :].strip(), True
    return Interval.of(subject.year, month), said, False


def _span(year: int, match: re.Match[str]) -> Interval | None:
    first_month, first_number = MONTHS.index(match[1]) + 1, int(match[2])
    last_month = MONTHS.index(match[3]) + 1 if match[3] else first_month
    last_number = int(match[4]) if match[4] else first_number
    if not 1 <= first_number <= month_length(year, first_month) or not 1 <= last_number <= month_length(
        year, last_month
    ):
        return None
    first, last = day(year, first_month, first_number), day(year, last_month, last_number)
    return Interval(first, last) if first <= last else None


def _targets(links: list[dict[str, Any]], start: int, end: int) -> tuple[str, ...]:
    found = (link["target"] for link in links if start <= link["start"] < end)
    return tuple(dict.fromkeys(target for target in found if page_date(target) is None))


def admits(event: Event, cutoff: Day) -> bool:
    """Whether an event may stand in a document: wholly before the cutoff, and its line says nothing of a later year.

    A birth was news only once the person was known; it is admitted where the line has their death before the cutoff.
    """
    if event.interval.last >= cutoff:
        return False
    last_year = year_of(cutoff)
    if any(int(year) >= last_year for year in ANY_YEAR.findall(event.text)):
        return False
    return event.kind != "birth" or bool(DIED.search(event.text))


def _documents(out: Path, min_events: int, cutoff: Day, counts: Counts) -> Iterator[dict[str, Any]]:
    years: dict[int, set[tuple[Day, Day, str, str]]] = defaultdict(set)
    for row in read_rows(out, "events-*.parquet", ["first", "last", "kind", "text"]):
        event = Event(Interval(row["first"], row["last"]), row["kind"], row["text"])
        if not admits(event, cutoff):
            counts.drop("after-cutoff" if event.interval.last >= cutoff else "names-later-year-or-unknown-birth")
            continue
        years[year_of(event.interval.first)].add((row["first"], row["last"], row["kind"], row["text"]))
    for year in sorted(years):
        lines = sorted(years[year])
        if sum(kind == "event" for _, _, kind, _ in lines) < min_events:
            counts.drop("few-events", len(lines))
            continue
        text = _year_text(year, lines)
        counts.add("bytes", len(text.encode()))
        name = str(year) if year > 0 else f"{1 - year} BC"
        yield {
            "id": f"topic:{name}",
            "source": "topics",
            "title": f"Events of {name}",
            "text": text,
            "first": min(first for first, _, _, _ in lines),
            "last": max(last for _, last, _, _ in lines),
            "author": "",
            "licence": LICENCE,
            "origin": f"year and date articles: {name}",
        }


def _year_text(year: int, lines: list[tuple[Day, Day, str, str]]) -> str:
    """The year's page: events, births and deaths, each dated line by line."""
    name = str(year) if year > 0 else f"{1 - year} BC"
    parts: list[str] = []
    for kind, heading in (("event", "Events of"), ("birth", "Births in"), ("death", "Deaths in")):
        chosen = [(first, last, text) for first, last, found, text in lines if found == kind]
        if chosen:
            parts.append("\n".join([f"{heading} {name}", *(_dated(first, last, text) for first, last, text in chosen)]))
    return "\n\n".join(parts)


def _dated(first: Day, last: Day, text: str) -> str:
    month, number = first % 10000 // 100, first % 100
    if first == last:
        return f"{number} {MONTHS[month - 1]}: {text}"
    if first // 100 == last // 100:
        return (
            f"{MONTHS[month - 1]}: {text}"
            if number == 1 and last % 100 >= 28
            else f"{number}-{last % 100} {MONTHS[month - 1]}: {text}"
        )
    if last - first == 1130:
        return text
    return f"{number} {MONTHS[month - 1]} to {last % 100} {MONTHS[last % 10000 // 100 - 1]}: {text}"
