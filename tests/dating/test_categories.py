"""Categories and infobox parameters to evidence."""

from __future__ import annotations

import pytest

from deepred.dating.categories import category_evidence
from deepred.dating.infobox import infobox_evidence

CATEGORIES = [
    ("1809 births", "birth", 18090101, 18091231),
    ("44 BC deaths", "death", -429899, -428769),
    ("100 BC births", "birth", -989899, -988769),
    ("844 deaths", "death", 8440101, 8441231),
    ("1950 deaths", "death", 19500101, 19501231),
    ("1977 films", "publication", 19770101, 19771231),
    ("1968 science fiction novels", "publication", 19680101, 19681231),
    ("Films released in 1977", "publication", 19770101, 19771231),
    ("Companies established in 1976", "start", 19760101, 19761231),
    ("1976 establishments in California", "start", 19760101, 19761231),
    ("1991 disestablishments in the Soviet Union", "end", 19910101, 19911231),
    ("Buildings and structures completed in 1931", "start", 19310101, 19311231),
    ("Populated places established in the 12th century", "start", 11010101, 12001231),
    ("Astronomical objects discovered in 1846", "discovery", 18460101, 18461231),
    ("Plants described in 1753", "discovery", 17530101, 17531231),
    ("Conflicts in 1848", "point", 18480101, 18481231),
    ("1964 in American law", "point", 19640101, 19641231),
    ("Spacecraft launched in 1969", "start", 19690101, 19691231),
    ("19th-century novelists", "work", 18010101, 19001231),
    ("20th-century American politicians", "work", 19010101, 20001231),
    ("Organizations established in the 1960s", "start", 19600101, 19691231),
]


@pytest.mark.parametrize(("name", "kind", "first", "last"), CATEGORIES)
def test_category_dates_its_articles(name: str, kind: str, first: int, last: int) -> None:
    row = category_evidence(name)
    assert row is not None
    assert (row.kind, row.first, row.last) == (kind, first, last)


@pytest.mark.parametrize(
    "name",
    [
        "Films set in 1942",
        "Articles with dead links from July 2012",
        "Use dmy dates from May 2011",
        "American novelists",
        "Fiction set in the 1960s",
        "Route 66",
        "Year of birth missing",
        "0 births",
        "Novels about 1917",
    ],
)
def test_category_that_says_nothing_is_left_out(name: str) -> None:
    assert category_evidence(name) is None


def test_births_make_nobody_known_and_the_living_are_noted() -> None:
    born, alive = category_evidence("1955 births"), category_evidence("Living people")
    assert born is not None
    assert not born.known
    assert alive is not None
    assert alive.kind == "alive"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("birth_date", "birth"),
        ("Released", "publication"),
        ("term_start2", "event"),
        ("date", "point"),
        ("founded", "start"),
    ],
)
def test_infobox_parameter_names_its_event(key: str, kind: str) -> None:
    (row,) = infobox_evidence([{"key": key, "value": "1955", "first": 19550101, "last": 19551231}])
    assert row.kind == kind


def test_unknown_infobox_parameter_says_nothing() -> None:
    assert infobox_evidence([{"key": "census", "value": "1955", "first": 19550101, "last": 19551231}]) == []
