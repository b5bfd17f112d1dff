"""Go or no-go from figures alone, and the report's tables of the finished model."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from deepred.evaluate.go_or_no_go import readiness
from deepred.evaluate.report.figures import PAGES
from deepred.evaluate.report.finished_model import finished_parts, finished_tables


def accuracy(value: float, name: str = "accuracy", spread: float = 0.03) -> dict:
    return {name: value, "low": value - spread, "high": value + spread, "families": 100, "detectable": 0.05}


BUCKETS = ("leaked", "fabricated", "refused", "in-period", "unclear")
EMPTY = {name: accuracy(0.1, "share") for name in BUCKETS}
PROMPT = {
    "forms": {"direct": EMPTY},
    "after": EMPTY | {"by_chance": accuracy(0.0, "share"), "gain": accuracy(0.01, "gain")},
    "before": EMPTY | {"by_chance": accuracy(0.0, "share"), "gain": accuracy(0.3, "gain")},
    "red_team": EMPTY,
    "context": {"after": accuracy(0.5, "share"), "before": accuracy(0.5, "share")},
}
INTERVIEW = {
    "models": {
        "merged": {
            "prompts": {"persona": PROMPT, "none": PROMPT},
            "identity": accuracy(1.0, "share"),
            "recall": accuracy(0.1, "share"),
        }
    },
    "leaked": [{"family": "f1", "times": 2, "said": [{"form": "direct", "reply": "It was <b>Vok</b>."}]}],
    "cannot": ["Nothing more."],
}
FIGURES = {
    "bits_per_byte": accuracy(1.2, "bits_per_byte"),
    "grammar": accuracy(0.8) | {"phenomena": {}},
    "knowledge": accuracy(0.7),
}
CAPABILITY = {
    "models": {"pre-trained": FIGURES, "fine-tuned": FIGURES},
    "against_pretrained": {"fine-tuned": {"knowledge": accuracy(-0.01, "difference"), "fell": False}},
    "compressor": 2.5,
    "chance": {"grammar": 0.5, "knowledge": 0.25},
    "not_measured": {},
}
REPORT = {"gain": {"before": accuracy(0.5, "gain"), "after": accuracy(0.02, "gain")}}


def state(name: str, found: dict) -> str:
    return next(one["state"] for one in found["conditions"] if name in one["name"])


def test_all_conditions_passed_is_go():
    assert readiness(REPORT, CAPABILITY, INTERVIEW)["verdict"] == "go"


def test_nothing_measured_gives_no_verdict():
    assert readiness(REPORT, {}, {}) == {}


@pytest.mark.parametrize(
    ("change", "condition", "expected", "verdict"),
    [
        (lambda r, c, i: r["gain"].update(before=accuracy(0.0, "gain")), "earlier facts beyond", "failed", "no-go"),
        (lambda r, c, i: r["gain"].update(after=accuracy(0.5, "gain")), "gains on later", "failed", "no-go"),
        (lambda r, c, i: r["gain"].update(after=accuracy(0.1, "gain")), "gains on later", "open", "undecided"),
        (lambda r, c, i: r.update(gain={}), "earlier facts beyond", "open", "undecided"),
        (lambda r, c, i: c["against_pretrained"]["fine-tuned"].update(fell=True), "as before", "failed", "no-go"),
        (lambda r, c, i: c.update(compressor=1.0), "fewer bits", "failed", "no-go"),
        (
            lambda r, c, i: c["models"]["pre-trained"].update(grammar=accuracy(0.5) | {"phenomena": {}}),
            "grammatical",
            "failed",
            "no-go",
        ),
        (
            lambda r, c, i: i["models"]["merged"]["prompts"]["persona"]["before"].update(gain=accuracy(0.0, "gain")),
            "chat, it tells earlier",
            "open",
            "undecided",
        ),
    ],
)
def test_a_condition_fails_only_where_its_interval_says_so(change, condition, expected, verdict):
    report, capability, interview = copy.deepcopy((REPORT, CAPABILITY, INTERVIEW))
    change(report, capability, interview)
    found = readiness(report, capability, interview)
    assert state(condition, found) == expected
    assert found["verdict"] == verdict


def finished_page(report: dict, name: str = "finished.html") -> str:
    return PAGES.get_template(name).render(report=report, finished=finished_tables(report))


def test_the_part_is_read_from_folders_and_drawn_without_markup_of_replies(tmp_path: Path):
    (tmp_path / "capability.json").write_text(json.dumps(CAPABILITY))
    (tmp_path / "interview.json").write_text(json.dumps(INTERVIEW))
    family = {"family": "f1", "known": 19800101, "relation": "maker", "subject": "lamp", "answer_text": "Ada Vok"}
    (tmp_path / "probes.jsonl").write_text(json.dumps(family) + "\n")
    outputs = dict.fromkeys(("capability", "interview", "probes"), tmp_path)
    report = REPORT | finished_parts(outputs, REPORT)
    assert report["interview"]["leaked"][0]["subject"] == "lamp"
    page = finished_page(report)
    assert "&lt;b&gt;Vok" in page
    assert "Go: the small model passes" in page
    text = finished_page(report, "finished.md")
    assert "| fine-tuned |" in text
    assert "Is a larger model worth the weeks?" in text


def test_a_run_without_the_stages_has_no_such_part():
    report = finished_parts({}, {"gain": {}})
    assert finished_page(report).strip() == ""
    assert finished_page(report, "finished.md") == ""
