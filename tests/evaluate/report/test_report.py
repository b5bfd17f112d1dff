"""The report says what was measured: headline, figures, gains over the floor, and nothing from outside the page."""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from deepred.base.tables import document_schema, write_rows
from deepred.evaluate.choices import Answer, summarize
from deepred.evaluate.report.report import gather, read_manifests, write_report
from deepred.evaluate.statistics import Resampling
from deepred.run.config import Report
from deepred.run.settings import Settings
from deepred.run.stage import Work

CUTOFF = 19690720
SKILL = {"filtered": (0.92, 0.26), "unfiltered": (0.9, 0.86), "floor": (0.24, 0.26)}


def make_answers(before: float, after: float, families: int, seed: str) -> list[Answer]:
    chance = random.Random(seed)
    answers: list[Answer] = []
    for n in range(2 * families):
        era, skill = ("before", before) if n < families else ("after", after)
        year = 1850 + n % 119 if era == "before" else 1970 + n % 45
        correct = tuple(float(chance.random() < skill) for _ in range(2))
        blind = tuple(float(chance.random() < 0.25) for _ in range(2))
        answers.append(Answer(f"f{n}", era, year * 10000 + 615, f"relation {n % 10}", correct, ("x", "y"), blind))
    return answers


def add(outputs: dict[str, Path], root: Path, name: str, counts: dict | None = None, **manifest: object) -> Path:
    stage, _, arm = name.partition("@")
    folder = root / stage / f"key{len(outputs)}"
    folder.mkdir(parents=True)
    empty = {"numbers": {}, "drops": {}, "tallies": {}, "notes": {}}
    values = {
        "stage": stage, "arm": arm, "version": 1, "key": folder.name, "method": f"How {stage} works.",
        "config": {}, "reads": {}, "sources": [], "needs": {}, "files": {}, "output": "f00d", "seconds": 1.5,
        "counts": empty | (counts or {}),
        "cpu_seconds": 1.4, "packages": {"torch": "2.13.0"}, "hardware": {"cores": 2}, "commit": "abc123",
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(values | manifest), encoding="utf-8")
    outputs[name] = folder
    return folder


def make_run(root: Path, skill: dict[str, tuple[float, float]] = SKILL, families: int = 200) -> dict[str, Path]:
    outputs: dict[str, Path] = {}
    add(outputs, root, "world", {"numbers": {"documents": 400}}, config={"seed": 1})
    source = {"key": "dumps", "path": "wiki/dump.xml.bz2", "sha256": "9" * 64, "bytes": 12345}
    add(outputs, root, "articles", {"numbers": {"documents": 380}, "drops": {"redirect": 20}}, sources=[source])
    drops = {"date": 410, "entity": 300, "coref": 120, "term": 90, "status": 33}
    numbers = {"sentences": 5000, "kept sentences": 4047, "documents": 380}
    passages = add(outputs, root, "passages@filtered", {"drops": drops, "numbers": numbers})
    samples = [
        {"text": f"Sentence {n} with <b>marks</b> & more.", "title": f"{n}", "reason": reason, "probability": 0.5}
        for n, reason in enumerate([""] * 20 + ["date", "entity"] * 10)
    ]  # fmt: skip
    (passages / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples), encoding="utf-8")
    audit = add(outputs, root, "audit")
    (audit / "audit.json").write_text('{"status": "not labelled", "residual": null}', encoding="utf-8")
    probes = add(outputs, root, "probes", {"notes": {"hash": "ab" * 32}, "numbers": {"families": 400}})
    asked = [
        {"family": one.family, "era": one.era, "known": one.known, "relation": one.relation,
         "subject": f"Thing {one.family}", "answer_text": f"Person {one.family}"}
        for one in make_answers(0, 0, families, "")
    ]  # fmt: skip
    (probes / "probes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    for arm, (before, after) in skill.items():
        sources = {"wikipedia": {"documents": 380, "characters": 1_200_000, "share": 1.0}}
        mixture = add(outputs, root, f"mixture@{arm}", {"notes": {"sources": sources, "exposures": {"median": 14}}})
        late = f"f{families}"
        stated = {row["family"]: 12 for row in asked if row["era"] == "before"} | {late: 1}
        (mixture / "exposures.json").write_text(json.dumps(stated), encoding="utf-8")
        document = dict.fromkeys(document_schema().names) | {
            "id": "wikipedia:7",
            "source": "wikipedia",
            "title": "Leaky",
        }
        document["text"] = f"All is well. Thing {late} was made by Person {late}."
        write_rows(mixture / "train-wikipedia.parquet", [document], document_schema())
        pretrain = add(
            outputs,
            root,
            f"pretrain@{arm}",
            {"numbers": {"tokens": 400_000, "parameters": 650_000}, "notes": {"loss": 2.1}},
        )
        lines = [{"step": n, "tokens": n * 2048, "loss": 7 / (1 + n / 30) + 1} for n in range(1, 196)]
        lines += [
            {"step": n, "tokens": n * 2048, "validation": 7 / (1 + n / 30) + 1.2, "bits_per_byte": 1.1}
            for n in (60, 120, 195)
        ]
        (pretrain / "curves.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        folder = add(outputs, root, f"evaluate@{arm}")
        answers = make_answers(before, after, families, arm)
        results = summarize(answers, 4, Resampling(200, 0.95, 1)) | {"probes": "ab" * 32}
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        (folder / "items.jsonl").write_text(
            "".join(json.dumps(asdict(one)) + "\n" for one in answers), encoding="utf-8"
        )
        cost = {"filtered": 180.0, "unfiltered": 130.0}.get(arm, 180.0)
        bits = [
            {"name": f"{year}", "year": year, "bits": 130.0 if year < 1970 else cost, "size": 100}
            for year in range(1850, 2015)
            if year != 1969
        ]
        (folder / "sentences.jsonl").write_text("".join(json.dumps(one) + "\n" for one in bits), encoding="utf-8")
    gates = [{"name": "token ids", "file": "deep-red.Q8_0.gguf", "value": 0.0, "limit": 0.0, "passed": True}]
    gguf = add(outputs, root, "gguf", {"notes": {"gates": gates}})
    (gguf / "chat.json").write_text('{"file": "deep-red.Q8_0.gguf"}', encoding="utf-8")
    return outputs


def report_of(outputs: dict[str, Path], out: Path, name: str = "demo") -> dict:
    out.mkdir(parents=True, exist_ok=True)
    write_report(outputs=outputs, config=Report(), cutoff=CUTOFF, out=out, work=Work(Settings()), name=name)
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, run: dict[str, Path]) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("report") / "key.partial"
    return report_of(run, out), out


def test_report_names_the_figures_that_scripts_read(demo: tuple[dict, Path]):
    report, _ = demo
    for era in ("before", "after"):
        assert set(report[era]) >= {"accuracy", "low", "high", "families"}
        assert set(report["unfiltered"][era]) == set(report["floor"][era]) == set(report[era])
        assert set(report["gain"][era]) >= {"gain", "low", "high", "families", "detectable"}
    assert report["chance"] == 0.25
    assert report["cutoff"] == "1969-07-20"
    assert report["name"] == "demo"
    assert report["gguf"].endswith("deep-red.Q8_0.gguf")
    assert report["audit"]["status"] == "not labelled"
    row = next(row for row in report["stages"] if row["name"] == "articles")
    assert row["method"] == "How articles works."
    assert row["drops"] == {"redirect": 20}
    assert row["documents"] == 380


def test_paths_are_those_of_the_finished_folder(demo: tuple[dict, Path]):
    report, out = demo
    assert report["html"] == str(out.with_name("key") / "report.html")
    assert ".partial" not in (out / "report.html").read_text(encoding="utf-8")


def test_gain_over_the_floor_is_paired_by_family(demo: tuple[dict, Path]):
    report, _ = demo
    difference = report["before"]["accuracy"] - report["floor"]["before"]["accuracy"]
    assert report["gain"]["before"]["gain"] == pytest.approx(difference, abs=1e-3)
    assert report["gain"]["before"]["families"] == 200
    assert report["gain"]["after"]["low"] < 0 < report["gain"]["after"]["high"]


def test_a_later_fact_in_the_training_text_is_shown_with_its_document(demo: tuple[dict, Path]):
    report, out = demo
    assert report["exposures"]["filtered"]["after"] == {"families": 200, "stated": 1, "statements": 1, "median": 0}
    assert [row["family"] for row in report["leaks"]] == ["f200"]
    assert report["finding"].endswith("Its training text still states 1 of the 200 later facts.")
    assert report["leaks"][0]["traces"][0]["sentence"] == "Thing f200 was made by Person f200."
    assert "Thing f200 was made by Person f200." in (out / "report.html").read_text(encoding="utf-8")


def test_html_is_one_file_without_requests_or_scripts(demo: tuple[dict, Path]):
    _, out = demo
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'<script|<link|<img|<iframe|@import|src=|href="(?!#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert page.count("<svg") == 5
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_html_is_well_formed_and_escapes_what_corpora_say(demo: tuple[dict, Path]):
    _, out = demo
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Sentence 0 with &lt;b&gt;marks&lt;/b&gt; &amp; more." in page
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "path", "use", "rect"}:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in {"path", "use", "rect"}:
                assert open_tags.pop() == tag

    Balance().feed(page)
    assert open_tags == []


def test_every_plot_uses_the_pages_colours_and_describes_itself(demo: tuple[dict, Path]):
    _, out = demo
    page = (out / "report.html").read_text(encoding="utf-8")
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert "aria-label=" in svg
        assert not re.search(r"(fill|stroke): #0[0-9a]0", svg)
        assert "var(--" in svg


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, run: dict[str, Path], demo: tuple[dict, Path]):
    _, out = demo
    report_of(run, tmp_path / "key.partial")
    for name in ("report.html", "report.md", "report.json"):
        again = (tmp_path / "key.partial" / name).read_text(encoding="utf-8")
        assert again.replace(str(tmp_path), str(out.parent)) == (out / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("skill", "verdict", "words"),
    [
        (SKILL, "clean", "no leak was found"),
        (SKILL | {"filtered": (0.92, 0.5)}, "leak", "it knows some of the later facts"),
        (SKILL | {"filtered": (0.26, 0.26)}, "ignorant", "knows too little"),
        ({"filtered": (0.92, 0.26), "unfiltered": (0.9, 0.9)}, "unclear", "no floor arm in this run"),
    ],
)
def test_verdict_follows_the_figures(tmp_path: Path, skill: dict[str, tuple[float, float]], verdict: str, words: str):
    outputs = make_run(tmp_path, skill)
    report = gather(outputs, read_manifests(outputs), CUTOFF, "demo", tmp_path)
    assert report["verdict"] == verdict
    assert words in report["finding"]


def test_too_few_families_conclude_nothing_and_no_number_is_shown(tmp_path: Path):
    report = report_of(make_run(tmp_path, families=5), tmp_path / "report" / "key")
    assert report["verdict"] == "nothing"
    assert report["before"] == {
        "accuracy": None,
        "low": None,
        "high": None,
        "families": 5,
        "reason": "too few families: 5",
    }
    page = (tmp_path / "report" / "key" / "report.html").read_text(encoding="utf-8")
    assert "Nothing can be concluded" in page
    assert "too few families: 5" in page


def test_a_run_that_ended_early_still_has_a_page(tmp_path: Path):
    outputs: dict[str, Path] = {}
    add(outputs, tmp_path, "articles")
    report = report_of(outputs, tmp_path / "report" / "key")
    assert report["headline"] == "No model was evaluated."
    assert report["gguf"] is None
    assert report["audit"] == {"status": "missing"}


def test_a_floor_that_answered_other_probes_gives_no_gain(tmp_path: Path):
    outputs = make_run(tmp_path)
    path = outputs["evaluate@floor"] / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"probes": "other"}), encoding="utf-8")
    report = gather(outputs, read_manifests(outputs), CUTOFF, "demo", tmp_path)
    assert report["gain"]["after"]["reason"] == "the floor answered another list of probes"
    assert report["verdict"] == "unclear"


def test_the_report_says_how_long_the_model_trained(demo: tuple[dict, Path]):
    report, _ = demo
    (line,) = [line for line in report["open"] if "parameters" in line]
    assert "650,000 parameters" in line
    assert "400,000 tokens" in line
    assert "minutes" in line


def test_text_by_year_and_placebo_cutoffs_are_shown(tmp_path):
    report = report_of(make_run(tmp_path / "data"), tmp_path / "out")
    assert report["bits_per_byte"]["after"]["difference"] == -0.5
    assert report["bits_per_byte"]["changepoint"]["low"] <= 1969.55 <= report["bits_per_byte"]["changepoint"]["high"]
    assert [row["fall"] > 0.4 for row in report["placebo"] if row["applied"]] == [True]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for heading in ("Text by year", "Placebo cutoffs"):
        assert f"<h2>{heading}</h2>" in page
    assert "smallest leak" not in page


def test_a_small_leak_shows_on_the_facts_that_the_text_still_states(tmp_path):
    outputs = make_run(tmp_path / "data", SKILL | {"filtered": (0.92, 0.26)})
    folder = outputs["evaluate@filtered"]
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()]
    leaked = [row["family"] for row in rows if row["era"] == "after"][:12]
    for row in rows:
        if row["family"] in leaked:
            row["correct"] = [1.0, 1.0]
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    exposures = outputs["mixture@filtered"] / "exposures.json"
    exposures.write_text(json.dumps(dict.fromkeys(leaked, 1)), encoding="utf-8")
    report = report_of(outputs, tmp_path / "out")
    assert report["gain"]["after"]["high"] < 0.2
    assert report["stated_gain"]["low"] > 0.4
    assert report["stated_gain"]["families"] == 12
    assert "still states, the model" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
