"""Runs side by side: their own figures, under names that differ, with what may not be compared."""

import json

import pytest

from deepred.base.errors import UserError
from deepred.evaluate.report.compare_page import compare_lines, compare_page, compare_reports, distinct, read_report


def report(name="demo", digest="a", cutoff="1969-07-20", gain=0.6):
    figure = {"accuracy": 0.8, "low": 0.7, "high": 0.9, "families": 200}
    none = {"gain": None, "low": None, "high": None, "families": 0, "reason": "no floor arm in this run"}
    known = {"gain": gain, "low": gain - 0.1, "high": gain + 0.1, "families": 200, "detectable": 0.1}
    arm = {
        "gain": dict.fromkeys(("before", "after"), known if gain else none),
        "leak_ratio": {"ratio": 0.1},
        "effective_cutoff": {"year": None, "low": None, "high": None, "reason": "no fall"},
    }
    return {
        "name": name,
        "cutoff": cutoff,
        "verdict": "clean",
        "before": figure,
        "after": figure,
        "arms": {"filtered": arm},
        "probes": {"notes": {"hash": digest}},
        "pretrain": {"filtered": {"numbers": {"parameters": 650_000, "tokens": 1_000_000}}},
        "html": "x.html",
    }


def test_runs_of_one_name_are_told_apart():
    assert distinct(["a", "b", "a"]) == ["a (1)", "b", "a (2)"]


def test_every_model_keeps_its_own_figures():
    compared = compare_reports([report("a"), report("b", gain=0.3)])
    assert [model["gain_before"]["gain"] for model in compared["models"]] == [0.6, 0.3]
    assert compared["caveats"] == []
    assert any("gain before +60" in line for line in compare_lines(compared))


@pytest.mark.parametrize(
    ("other", "word"),
    [({"digest": "b"}, "different lists"), ({"cutoff": "1990-01-01"}, "cutoffs differ"), ({"gain": 0}, "no gain")],
)
def test_what_cannot_be_compared_is_said(other, word):
    compared = compare_reports([report("a"), report("b", **other)])
    assert any(word in line for line in compared["caveats"]), compared["caveats"]


def test_the_page_needs_nothing_from_outside_and_escapes_names():
    page = compare_page(compare_reports([report("<b>a"), report("b")]))
    assert "&lt;b&gt;a" in page
    assert "<b>a<" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"name": 1}', "no json", '{"name": 3, "cutoff": [], "arms": {"filtered": 4}}']
)
def test_a_file_that_is_no_report_is_named(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"report\.json is no report"):
        read_report(path)


def test_a_report_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report()), encoding="utf-8")
    assert read_report(path) == report()
