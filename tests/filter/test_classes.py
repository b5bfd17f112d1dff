"""Dating and cutoff to a class: no living or surviving subject is old."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepred.base.tables import date_schema, read_rows, write_rows
from deepred.dating.dates import Dating, gather, resolve
from deepred.dating.evidence import Evidence
from deepred.filter.classes import classify, classify_articles
from deepred.run.config import Classes
from deepred.run.settings import Settings
from deepred.run.stage import Work

USE = ("wikidata", "yago", "category", "infobox", "lead")
CUTOFF = 19690720

SUBJECTS: list[tuple[str, str, list[str], str]] = [
    # title, lead, categories, class at 1969-07-20
    (
        "2001: A Space Odyssey",
        "2001: A Space Odyssey is a 1968 science fiction film directed by Stanley Kubrick.",
        ["1968 films"],
        "O",
    ),
    (
        "Civil Rights Act of 1964",
        "The Civil Rights Act of 1964 was enacted on July 2, 1964.",
        ["1964 in American law"],
        "O",
    ),
    (
        "Apollo 11",
        "Apollo 11 was the spaceflight that landed on the Moon on July 20, 1969.",
        ["Spacecraft launched in 1969"],
        "N",
    ),
    (
        "Augustus",
        "Augustus (23 September 63 BC – 19 August AD 14) was the first emperor. He ruled from 27 BC.",
        ["63 BC births", "14 deaths"],
        "O",
    ),
    ("Hammurabi", "Hammurabi (c. 1810 BC – c. 1750 BC) was the sixth king of Babylon. He ruled.", [], "O"),
    (
        "A living engineer",
        "A living engineer (born 3 May 1925) is an engineer. He built bridges.",
        ["1925 births", "Living people"],
        "S",
    ),
    ("A late engineer", "A late engineer (born 3 May 1955) is an engineer.", ["1955 births", "Living people"], "N"),
    (
        "Rene Hurlemann",
        "Rene Hurlemann is a German psychiatrist (born 1975). He teaches.",
        ["1975 births", "Living people"],
        "N",
    ),
    ("Acme", "Acme is a company founded in 1871.", ["Companies established in 1871"], "S"),
    ("Acme", "Acme was a company founded in 1871 and dissolved in 1931.", ["Companies disestablished in 1931"], "O"),
    ("Star Wars", "Star Wars is a 1977 film.", ["1977 films"], "N"),
    ("Acme", "Acme is a company established in 1935. Acme was closed in 1946.", [], "O"),
    ("Acme", "Acme is a mill built in 1835. It was closed in 1946 and reopened in 1950.", [], "S"),
    ("Zorynia", 'Zorynia (German: "Zoringen"; 1939–1945 Zorhafen) is a city in Poland.', [], "U"),
    (
        "Zorën",
        "Zorën is a car maker. Founded in 1919 by the industrialist Ada Zorën (1878–1935), it makes cars.",
        [],
        "S",
    ),
    ("Zorford", "Zorford is a city and was the seat of Zor County until Zorland disbanded it in 1960.", [], "S"),
    ("Zorianism", "Zorianism is based on the ideas of the theologian Jacob Zor (1560–1609) and of others.", [], "U"),
    ("Tuba", "The tuba is the largest musical instrument of its family. It first appeared in the 1830s.", [], "S"),
    ("Nebuzor II", "Nebuzor II (c. 634 BC – c. 562 BC) was king of Zor from 605 BC to 562 BC.", [], "O"),
    ("Old Bush", "Old Bush (born June 12, 1924) is a politician who was President from 1989 to 1993.", [], "S"),
    ("A living poet", "A living poet (; November 10, 1928) is an Italian poet.", [], "S"),
    (
        "Zor Island",
        "Zor Island is an island.",
        ["1804 disestablishments in Zor", "1636 establishments in Zor", "1986 establishments in Zor"],
        "S",
    ),
    (
        "Jakarta",
        "Jakarta is the capital of Indonesia. It was established in 1527.",
        ["Populated places established in the 16th century"],
        "S",
    ),
    ("Long life", "Long life (1 May 1900 – 2 June 1980) was a poet. She wrote.", ["1900 births", "1980 deaths"], "S"),
    ("1969", "Year 1969 was a common year.", [], "S"),
    ("1968", "Year 1968 was a leap year.", [], "O"),
    ("2nd millennium BC", "The 2nd millennium BC.", [], "O"),
    ("Water", "Water is a chemical substance.", [], "U"),
    ("Life", "Life is a magazine first published in 1883.", [], "S"),
]


def date(title: str, text: str, categories: list[str]) -> Dating:
    article = {"title": title, "text": text, "categories": categories, "infobox_dates": []}
    return resolve(list(gather(article, [], USE)), USE)


def row_of(dating: Dating) -> dict[str, Any]:
    return {
        "first": dating.first,
        "last": dating.last,
        "first_known": dating.first_known,
        "ended": dating.ended,
        "evidence": [row.row() for row in dating.evidence],
    }


@pytest.mark.parametrize(("title", "text", "categories", "expected"), SUBJECTS)
def test_subject_has_its_class(title: str, text: str, categories: list[str], expected: str) -> None:
    label, reason = classify(row_of(date(title, text, categories)), None, CUTOFF, "drop", 0.8)
    assert label == expected, reason


@pytest.mark.parametrize("born", [1850, 1900, 1940, 1955])
def test_living_person_is_never_old(born: int) -> None:
    dating = date("A", f"A (born 3 May {born}) is a poet.", [f"{born} births", "Living people"])
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] in "SN"
    assert classify(row_of(dating), None, 20300101, "drop", 0.8)[0] == "S"


def test_birth_alone_is_never_old() -> None:
    dating = resolve([Evidence("birth", 18000101, 18001231, "wikidata", 0.9, known=False)], USE)
    assert not dating.ended
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] == "S"


def test_straddling_year_follows_the_setting() -> None:
    dating = date("A", "A is a 1969 film.", ["1969 films"])
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] == "N"
    assert classify(row_of(dating), None, CUTOFF, "keep", 0.8)[0] == "O"


def test_undated_article_of_late_sentences_is_new() -> None:
    nothing = row_of(Dating(None, None, None, False, ()))
    assert classify(nothing, 0.93, CUTOFF, "drop", 0.8) == ("N", "undated; late share 0.93")
    assert classify(nothing, 0.5, CUTOFF, "drop", 0.8)[0] == "U"


def test_stage_writes_a_row_an_article_in_the_order_of_the_dates(tmp_path: Path) -> None:
    dates, emergence, out = (tmp_path / name for name in ("dates", "emergence", "classes"))
    for folder in (dates, emergence, out):
        folder.mkdir()
    rows = [
        {"page_id": n, "title": title, **row_of(date(title, text, []))}
        for n, (title, text) in enumerate({"Film": "Film is a 1950 film.", "Zor": "Zor is a town."}.items())
    ]
    write_rows(dates / "dates-00000.parquet", rows, date_schema())
    classify_articles(
        articles=tmp_path,
        dates=dates,
        emergence=emergence,
        config=Classes(),
        cutoff=CUTOFF,
        straddling="drop",
        out=out,
        work=Work(Settings()),
    )
    found = [(row["title"], row["class"]) for row in read_rows(out, "classes-*.parquet")]
    assert found == [("Film", "O"), ("Zor", "U")]
