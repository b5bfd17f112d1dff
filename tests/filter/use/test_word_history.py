from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepred.base.errors import UserError
from deepred.filter.term_years import FIRST_YEAR, UNDATED
from deepred.filter.use.word_history import Curve, find_earliest, tell_history


def curve(counts: dict[int, int], yearly: int = 1000) -> Curve:
    """A word that occurs so often by year, in a corpus of equally many terms from 1800 to 2010."""
    sentences, totals = np.zeros(UNDATED, np.int64), np.zeros(UNDATED, np.int64)
    totals[1800 - FIRST_YEAR : 2011 - FIRST_YEAR] = yearly
    for year, count in counts.items():
        sentences[year - FIRST_YEAR] = count
    return Curve(sentences, totals, 0, 0.1)


@pytest.mark.parametrize(
    ("counts", "since"),
    [
        ({1960: 5, 1970: 20, 1990: 30}, 1960),
        ({1820: 1, 1960: 5, 1970: 20, 1990: 30}, 1960),  # one early sentence is a slip
        (dict.fromkeys(range(1800, 2010), 1), None),  # as old as the corpus
        ({1960: 2}, None),  # too rare
        ({}, None),
        ({1801: 40}, None),  # the corpus tells nothing of the years before
        ({2009: 3, 2010: 4}, 2009),
    ],
)
def test_year_is_the_last_before_which_a_word_hardly_occurs(counts: dict[int, int], since: int | None) -> None:
    year, confidence = curve(counts).since(min_count=5)
    assert year == since
    assert (confidence > 0.9) == (since is not None)


def test_confidence_grows_with_counts() -> None:
    assert curve({1900: 8}).since(5)[1] < curve({1900: 80}).since(5)[1] <= 1


def test_decades_reach_from_the_first_to_the_last_use() -> None:
    rows = curve({1961: 2, 1985: 1}).decades()
    assert [(row["decade"], row["sentences"]) for row in rows] == [(1960, 2), (1970, 0), (1980, 1)]
    assert rows[0]["per_million"] == 200.0
    assert curve({}).decades() == []


@pytest.fixture
def road(make_road: Any) -> Any:
    old = [
        (f"Town {i}", f"The mill was built in 18{10 + i}. It was sold in 18{30 + i}. Salt is good.") for i in range(60)
    ]
    new = [
        (f"Lab {i}", f"The laser was shown in 19{62 + i}. A laser is bright. Deep Thought was built in 1989.")
        for i in range(20)
    ]
    return make_road([*old, *new], known={"Deep Thought": 19880101, "Atlas": None})


def tell(road: Any, word: str) -> dict[str, Any]:
    return tell_history(word, road.root / "articles", road.root / "emergence")


def test_word_is_told_with_its_curve_and_its_earliest_sentences(road: Any) -> None:
    found = tell(road, "laser")
    assert found["since"] == 1962 and found["confidence"] > 0.95
    assert (found["dated_sentences"], found["undated_sentences"]) == (20, 20)
    assert [row["decade"] for row in found["decades"]] == [1960, 1970, 1980]
    assert [row["year"] for row in found["earliest"]] == [1962, 1963, 1964, 1965, 1966]
    assert found["earliest"][0] == {"year": 1962, "title": "Lab 0", "sentence": "The laser was shown in 1962."}
    assert found["articles_scanned"] == 80


def test_name_is_told_with_the_day_from_which_it_is_known(road: Any) -> None:
    found = tell(road, "Deep Thought")
    assert (found["name_known"], found["title_known"]) == ("1988-01-01", "1988-01-01")
    assert found["since"] == 1989
    assert tell(road, "Atlas")["name_known"] == "always"


@pytest.mark.parametrize(("word", "dated"), [("xylophone", 0), ("salt is good", None), ("salt good", None)])
def test_unknown_word_is_said_to_be_unknown(road: Any, word: str, dated: int | None) -> None:
    found = tell(road, word)
    assert (found["since"], found["dated_sentences"], found["earliest"]) == (None, dated, [])


@pytest.mark.parametrize("word", ["", "  ", "!?"])
def test_what_is_no_word_is_refused(road: Any, word: str) -> None:
    with pytest.raises(UserError, match="holds no word"):
        tell(road, word)


def test_word_is_found_whole_and_whatever_its_case(road: Any) -> None:
    assert find_earliest("LASER", road.root / "articles", road.root / "emergence", 1)[0][0]["year"] == 1962
    assert find_earliest("lase", road.root / "articles", road.root / "emergence", 1)[0] == []
