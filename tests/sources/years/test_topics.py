"""Year and date pages: lines become dated events, and only the past becomes text."""

import pytest

from deepred.base.days import Interval
from deepred.base.tables import article_schema, read_rows, write_rows
from deepred.run.config import Topics
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work
from deepred.sources.years.topics import Event, PageDate, admits, collect_events, page_date, page_events

MEMEL = "January 9 – Lithuania seizes the Memel Territory."


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("1923", PageDate(year=1923)),
        ("44 BC", PageDate(year=-43)),
        ("1 BC", PageDate(year=0)),
        ("AD 79", PageDate(year=79)),
        ("July 4", PageDate(month=7, number=4)),
        ("February 29", PageDate(month=2, number=29)),
        ("February 30", None),
        ("0", None),
        ("1984 (novel)", None),
        ("1923 in film", None),
        ("July 4th", None),
        ("20th century", None),
        ("10000", None),
    ],
)
def test_only_years_and_days_are_date_pages(title, expected):
    assert page_date(title) == expected


def page(*blocks):
    """Text and sections of a page from (level, heading, lines) blocks."""
    text, sections = "It was a year.\n", []
    for level, heading, lines in blocks:
        sections.append({"level": level, "title": heading, "start": len(text)})
        text += f"{heading}\n" + "".join(f"{line}\n" for line in lines)
    return text, sections


def events(title, *blocks):
    text, sections = page(*blocks)
    counts = Counts()
    return list(page_events(page_date(title), text, sections, [], counts)), counts


def test_a_year_page_gives_days_months_and_years():
    found, counts = events(
        "1923",
        (2, "Events", ["The dollar is worth 4.2 trillion marks."]),
        (3, "January", [MEMEL, "* January 1–5 – A congress meets in Rome.", "A strike begins in Essen."]),
        (2, "Births", ["January 5 – Sam Phillips, producer (d. 2003)"]),
        (2, "Deaths", ["March 26 - Sarah Bernhardt, actress (b. 1844)"]),
        (2, "Nobel Prizes", ["Physics – Robert Millikan, in Stockholm"]),
    )  # fmt: skip
    assert found == [
        Event(Interval.of(1923), "event", "The dollar is worth 4.2 trillion marks."),
        Event(Interval.of(1923, 1, 9), "event", "Lithuania seizes the Memel Territory."),
        Event(Interval(19230101, 19230105), "event", "A congress meets in Rome."),
        Event(Interval.of(1923, 1), "event", "A strike begins in Essen."),
        Event(Interval.of(1923, 1, 5), "birth", "Sam Phillips, producer (d. 2003)"),
        Event(Interval.of(1923, 3, 26), "death", "Sarah Bernhardt, actress (b. 1844)"),
    ]
    assert counts.drops == {"other-section": 2}  # the lead, and the line of another section


def test_a_date_alone_dates_the_lines_below_it():
    found, _ = events(
        "1923",
        (2, "Events", ["January 9", "– Lithuania seizes it.", "– More happens here.", "January 12 – A third thing."]),
    )  # fmt: skip
    assert [event.interval for event in found] == [Interval.of(1923, 1, 9)] * 2 + [Interval.of(1923, 1, 12)]


def test_a_day_page_gives_that_day_of_each_year():
    found, counts = events(
        "July 4",
        (2, "Events", ["1776 – The Declaration is adopted.", "362 BC – Mantinea is fought over.", "Undated, too."]),
        (2, "Births", ["1804 – Nathaniel Hawthorne, writer (d. 1864)"]),
    )  # fmt: skip
    assert found == [
        Event(Interval.of(1776, 7, 4), "event", "The Declaration is adopted."),
        Event(Interval.of(-361, 7, 4), "event", "Mantinea is fought over."),
        Event(Interval.of(1804, 7, 4), "birth", "Nathaniel Hawthorne, writer (d. 1864)"),
    ]
    assert counts.drops["line-without-year"] == 1


def test_an_event_knows_the_articles_that_its_line_links_to():
    text, sections = page((2, "Events", [MEMEL]))
    links = [
        {"start": text.index("January 9"), "end": text.index(" – Lith"), "target": "January 9"},
        {"start": text.index("Memel"), "end": text.index("."), "target": "Klaipėda Region"},
        {"start": 0, "end": 2, "target": "Elsewhere"},
    ]
    found = list(page_events(PageDate(year=1923), text, sections, links, Counts()))
    assert found[0].links == ("Klaipėda Region",)


@pytest.mark.parametrize(
    ("event", "admitted"),
    [
        (Event(Interval.of(1969, 7, 19), "event", "A rocket is on its way."), True),
        (Event(Interval.of(1969, 7, 20), "event", "A rocket has landed."), False),
        (Event(Interval.of(1969), "event", "A thing happens this year."), False),
        (Event(Interval.of(1923), "event", "A law is passed, repealed in 1971."), False),
        (Event(Interval.of(1923, 1, 5), "birth", "Sam Phillips, producer (d. 2003)"), False),
        (Event(Interval.of(1923, 1, 5), "birth", "Somebody, later known for something"), False),
        (Event(Interval.of(1804, 7, 4), "birth", "Nathaniel Hawthorne, writer (d. 1864)"), True),
    ],
)
def test_a_document_holds_only_what_was_known_before_the_cutoff(event, admitted):
    assert admits(event, 19690720) is admitted


def collect(tmp_path, pages, workers=1, cutoff=19690720):
    articles, out = tmp_path / "articles", tmp_path / f"out-{workers}"
    articles.mkdir(exist_ok=True)
    out.mkdir()
    empty = dict.fromkeys(article_schema().names)
    for index, (title, (text, sections)) in enumerate(pages.items()):
        row = {
            **empty,
            "page_id": index,
            "title": title,
            "text": text,
            "sections": sections,
            "links": [],
            "disambiguation": False,
        }
        write_rows(articles / f"articles-{index % 2:05d}-{index}.parquet", [row], article_schema())
    counts = collect_events(
        articles=articles, config=Topics(min_events=2), cutoff=cutoff, out=out, work=Work(Settings(workers=workers))
    )
    return out, counts


PAGES = {
    "1923": page((2, "Events", [MEMEL, "The mark loses all its value."])),
    "January 9": page((2, "Events", ["1923 – The first flight of an autogyro.", "1997 – Something later happens."])),
    "1970": page((2, "Events", ["January 1 – Unix time begins to count.", "January 2 – Another thing happens."])),
    "1800": page((2, "Events", ["May 1 – Only one thing happens here."])),
    "Chess": ("Chess is a game.\nJanuary 1 – No event.", []),
}


def test_events_of_all_years_are_written_and_documents_only_of_years_before_the_cutoff(tmp_path):
    out, counts = collect(tmp_path, PAGES)
    assert counts.numbers["pages"] == 4
    assert len(list(read_rows(out, "events-*.parquet"))) == 7
    documents = list(read_rows(out, "documents-*.parquet"))
    assert [row["title"] for row in documents] == ["Events of 1923"]
    assert documents[0]["text"] == (
        "Events of 1923\nThe mark loses all its value.\n9 January: Lithuania seizes the Memel Territory.\n"
        "9 January: The first flight of an autogyro."
    )
    assert (documents[0]["first"], documents[0]["last"]) == (19230101, 19231231)
    assert counts.drops["few-events"] == 1
    assert counts.drops["after-cutoff"] == 3


def test_another_cutoff_lets_more_years_in(tmp_path):
    out, _ = collect(tmp_path, PAGES, cutoff=20000101)
    assert [row["title"] for row in read_rows(out, "documents-*.parquet")] == ["Events of 1923", "Events of 1970"]


def test_plain_text_pages_are_split_by_their_headings():
    text = "1923\n\nEvents.\n\nJanuary 9 – Lithuania seizes it.\n\nDeaths.\n\nMarch 26 – Sarah Bernhardt, actress.\n"
    found = list(page_events(PageDate(year=1923), text, [], [], Counts()))
    assert [event.kind for event in found] == ["event", "death"]
