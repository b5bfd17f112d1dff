import json

import pytest

from deepred.base.counts import Counts
from deepred.base.errors import UserError
from deepred.filter.class_coverage import by_era, count_article, plot_coverage, write_coverage

ARTICLES = [
    ("O", "lead", 18650101),
    ("O", "category", 18090212),
    ("S", "lead", -429685),
    ("N", "wikidata", 19770525),
    ("U", "", None),
    ("N", "lead", None),
]


@pytest.fixture
def coverage(tmp_path):
    counts = Counts()
    for label, source, known in ARTICLES:
        count_article(counts, label, source, known)
    write_coverage(counts, 19690720, tmp_path)
    assert set(counts.tallies) == {"classes"}, "the tables stand in the file, not in every manifest"
    return json.loads((tmp_path / "coverage.json").read_text())


def test_every_article_stands_once_in_every_table(coverage):
    assert coverage["articles"] == len(ARTICLES)
    assert coverage["classes"] == {"O": 2, "S": 1, "N": 2, "U": 1}
    for table in ("by_source", "by_decade", "by_era"):
        assert sum(sum(row.values()) for row in coverage[table].values()) == len(ARTICLES), table


def test_an_undated_article_is_decided_by_nothing_or_by_its_own_years(coverage):
    assert coverage["by_source"]["none"] == {"O": 0, "S": 0, "N": 0, "U": 1}
    assert coverage["by_source"]["late share"] == {"O": 0, "S": 0, "N": 1, "U": 0}
    assert coverage["by_source"]["lead"] == {"O": 1, "S": 1, "N": 0, "U": 0}


def test_decades_stand_in_the_order_of_time_and_the_undated_last(coverage):
    assert list(coverage["by_decade"]) == ["-50", "1800", "1860", "1970", "undated"]
    assert list(coverage["by_era"]) == ["before 500", "1800 to 1899", "1970s", "undated"]


def test_eras_add_up_their_decades():
    assert by_era({"1820": {"O": 2, "N": 0}, "1890": {"O": 1, "N": 4}}) == {"1800 to 1899": {"O": 3, "N": 4}}


@pytest.mark.parametrize("cutoff", ["1969-07-20", "1815-06-18", "2030-01-01"])
def test_a_plot_is_drawn_for_any_cutoff(coverage, tmp_path, cutoff):
    path = tmp_path / "plot.png"
    plot_coverage(coverage | {"cutoff": cutoff}, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_plot_of_nothing_dated_is_drawn_too(tmp_path):
    coverage = {"cutoff": "1969-07-20", "articles": 1, "by_decade": {"undated": {"U": 1}}}
    plot_coverage(coverage, tmp_path / "plot.png")


@pytest.mark.parametrize("name", ["none/plot.png", "plot.xyz"])
def test_a_place_that_cannot_be_drawn_to_is_a_user_error(coverage, tmp_path, name):
    with pytest.raises(UserError, match="cannot draw"):
        plot_coverage(coverage, tmp_path / name)
