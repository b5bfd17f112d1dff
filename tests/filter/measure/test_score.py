from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from deepred.base.errors import UserError
from deepred.base.tables import article_schema, read_rows, write_rows
from deepred.filter.measure.curve import choose_point, curve_rows, draw_curve, plot_curve, thresholds_of
from deepred.filter.measure.labelled import Verdict, read_labelled, weigh
from deepred.filter.measure.learn_from_corpus import EMERGENCE, Held, Lesson, fold_title, learn
from deepred.filter.measure.score import Trial, compare_in_sample, report_scores, score_filter
from deepred.run.config import Passages
from deepred.run.settings import Settings
from deepred.run.stage import Work

TEXT = "The mill was built in 1890. It was sold in 1990. Salt is good.\n\nBread is baked here. It closed in 1987."
SENTENCES = [
    "The mill was built in 1890.",
    "It was sold in 1990.",
    "Salt is good.",
    "Bread is baked here.",
    "It closed in 1987.",
]


def plain(page_id: int, title: str, text: str) -> dict[str, Any]:
    return dict.fromkeys(article_schema().names) | {"page_id": page_id, "title": title, "text": text}


def paragraph(labels: str, page_id: int = 1, title: str = "Old Mill", first: int = 0, **more: Any) -> dict[str, Any]:
    shown = SENTENCES[first : first + len(labels)]
    spans = [[TEXT.index(sentence), TEXT.index(sentence) + len(sentence)] for sentence in shown]
    row = {"page_id": page_id, "title": title, "class": "other", "spans": spans, "labels": labels, "why": {}}
    return row | {"sentences": shown} | more


def write_labels(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(Settings(data=tmp_path))


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    towns = [plain(100 + i, f"Town {i}", f"The town was founded in 18{10 + i}. It has a port.") for i in range(30)]
    same = [
        plain(1, "Old Mill", TEXT),
        plain(2, "Town Hall", "The hall was built in 1901. It fell in 1999."),
        plain(50, "OLD_mill", "Another text on the mill of 1890."),
        plain(51, "Copy", TEXT),
    ]
    articles = tmp_path / "articles.parquet"
    write_rows(articles, same + towns, article_schema())
    rows = [paragraph("CPC", why={"1": "date"}), paragraph("CP", first=3, why={"1": "coref"}) | {"class": "odd"}]
    hall = {"page_id": 2, "title": "Town Hall", "class": "odd", "spans": [[0, 27], [28, 44]], "labels": "PA", "why": {}}
    return Trial(write_labels(tmp_path / "labels.jsonl", *rows, hall), articles, config=Passages(min_characters=5))


@pytest.fixture
def strata(tmp_path: Path) -> Path:
    path = tmp_path / "strata.json"
    path.write_bytes(orjson.dumps({"classes": [{"class": "other", "share": 0.9}, {"class": "odd", "share": 0.1}]}))
    return path


def test_score_reports_every_figure_with_its_interval(trial: Trial, work: Work, tmp_path: Path) -> None:
    found = score_filter(trial, tmp_path / "learned", work)
    assert found["recall"]["value"] == pytest.approx(2 / 3, abs=1e-3)  # "P" of the hall names 1901 only, and is kept
    assert found["precision"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["clean_kept"]["value"] == 1.0
    assert found["residual"]["value"] == 0.25
    assert found["residual"]["low"] <= 0.25 <= found["residual"]["high"]
    assert {why: row["value"] for why, row in found["by_why"].items()} == {"coref": 1.0, "date": 1.0, "none": 0.0}
    assert found["by_stratum"]["other"]["recall"]["value"] == 1.0
    assert found["sentences"] == {"late": 3, "clean": 3, "articles": 2}
    assert found["model"] is False


def test_nothing_is_learned_from_labelled_articles_whatever_they_are_called(
    trial: Trial, work: Work, tmp_path: Path
) -> None:
    found = score_filter(trial, tmp_path / "learned", work)
    pages = {row["page_id"] for row in read_rows(Path(found["learned"]) / EMERGENCE, "sentences-*.parquet")}
    assert pages == set(range(100, 130))


def test_what_was_learned_is_used_again_until_something_changes(trial: Trial, work: Work, tmp_path: Path) -> None:
    base = tmp_path / "learned"
    first = score_filter(trial, base, work)
    stamp = (Path(first["learned"]) / "manifest.json").stat().st_mtime_ns
    assert score_filter(trial, base, work) == first
    assert (Path(first["learned"]) / "manifest.json").stat().st_mtime_ns == stamp
    changed = Trial(trial.labels, trial.articles, cutoff=19500101, config=trial.config)
    limited = Trial(trial.labels, trial.articles, limit=10, config=trial.config)
    folders = {score_filter(other, base, work)["learned"] for other in (changed, limited)}
    assert len(folders | {first["learned"]}) == 3


def test_interrupted_learning_is_gone_on_with(trial: Trial, work: Work, tmp_path: Path) -> None:
    lesson = Lesson(trial.articles, Held(), 0, 19690720, "drop", 1)
    whole = learn(lesson, tmp_path / "whole", work)
    partial = tmp_path / "broken" / f"{whole.name}.partial"
    (partial / "articles").mkdir(parents=True)
    (partial / "articles" / "articles-00000.parquet.tmp").write_bytes(b"half")
    again = learn(lesson, tmp_path / "broken", work)
    for name in ("emergence/terms.parquet", "emergence/names.days", "emergence/sentences-00000.parquet"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name


def test_limit_draws_the_same_articles_and_more_with_a_higher_one(trial: Trial, work: Work, tmp_path: Path) -> None:
    def pages(limit: int) -> set[int]:
        folder = learn(Lesson(trial.articles, Held(), limit, 19690720, "drop", 1), tmp_path, work)
        return {row["page_id"] for row in read_rows(folder / EMERGENCE, "sentences-*.parquet")}

    assert len(pages(5)) == 5
    assert pages(5) < pages(12)


def test_in_sample_learns_from_the_labelled_articles(trial: Trial, work: Work, tmp_path: Path) -> None:
    found = compare_in_sample(trial, tmp_path / "learned", work)
    assert list(found) == ["cross_fitted", "in_sample"]
    pages = {r["page_id"] for r in read_rows(Path(found["in_sample"]["learned"]) / EMERGENCE, "sentences-*.parquet")}
    assert {1, 2} <= pages


def test_figures_do_not_depend_on_workers(trial: Trial, tmp_path: Path) -> None:
    reports = [
        score_filter(trial, tmp_path / "learned", Work(Settings(data=tmp_path, workers=workers))) for workers in (1, 2)
    ]
    assert reports[0] == reports[1]


def verdict(label: str, dropped: bool, page: int = 1, stratum: str = "a", why: str = "") -> Verdict:
    return Verdict(page, label, why, stratum, 10, (dropped,), 0.5)


def test_residual_and_kept_are_of_the_natural_mix_but_recall_is_of_the_labels() -> None:
    verdicts = [verdict("P", False, 1, "rare"), verdict("P", True, 2, "rare"), verdict("C", False, 3, "common")]
    found = report_scores(verdicts, {"rare": 0.05, "common": 0.9}, seed=1)
    assert found["recall"]["value"] == 0.5
    assert found["residual"]["value"] == round(0.05 / 0.95, 4)
    assert found["kept"]["value"] == 0.95


def test_ambiguous_sentences_count_as_text_only() -> None:
    found = report_scores([verdict("A", True), verdict("C", False), verdict("P", True)], {"a": 1.0}, seed=1)
    assert (found["precision"]["value"], found["recall"]["value"], found["residual"]["value"]) == (1.0, 1.0, 0.0)
    assert found["kept"]["value"] == round(1 / 3, 4)


def test_figure_without_sentences_is_none() -> None:
    assert report_scores([verdict("C", False)], {"a": 1.0}, seed=1)["recall"] == dict.fromkeys(("value", "low", "high"))


def test_interval_is_wider_where_sentences_share_articles() -> None:
    def width(pages: int) -> float:
        rows = [verdict("P", i % 2 == 0 if pages > 2 else i < 50, i % pages) for i in range(100)]
        found = report_scores([*rows, verdict("C", False)], {"a": 1.0}, seed=1)["recall"]
        return found["high"] - found["low"]

    assert width(2) == 0  # both articles alike: no uncertainty between them
    assert 0.1 < width(100) < 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": "CPX"}, "line 1: labels 'CPX' for 3 spans"),
        ({"labels": "CP"}, "line 1: labels 'CP' for 3 spans"),
        ({"spans": [[0, 0], [1, 2], [2, 3]]}, "line 1: an empty span"),
        ({"spans": 7}, "line 1: no labelled paragraph"),
        ({"labels": "AAA"}, "holds no labelled sentence"),
    ],
)
def test_malformed_labels_name_file_and_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_labels(tmp_path / "labels.jsonl", paragraph("CPC") | change)
    with pytest.raises(UserError, match=message):
        read_labelled(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (paragraph("CPC", page_id=77), "1 labelled articles are not in"),
        (paragraph("CPC", sentences=["Another sentence."] * 3), "is not at 0 to 27 of its text"),
        (paragraph("C", spans=[[0, 9000]], sentences=[]), "ends after its text"),
    ],
)
def test_labels_of_other_articles_are_refused(
    trial: Trial, work: Work, tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    labels = write_labels(tmp_path / "other.jsonl", row)
    with pytest.raises(UserError, match=message):
        score_filter(Trial(labels, trial.articles), tmp_path, work)


def test_paragraphs_are_weighted_by_the_share_of_their_class(strata: Path, tmp_path: Path) -> None:
    rows = [{"class": "other"}, {"class": "odd"}, {"class": "odd"}]
    assert weigh(rows, strata) == {"other": 0.9, "odd": 0.05}
    assert weigh(rows, None) == {"other": 1.0, "odd": 1.0}
    with pytest.raises(UserError, match="has no share of the class 'new'"):
        weigh([{"class": "new"}], strata)
    with pytest.raises(UserError, match="table of strata"):
        weigh(rows, tmp_path / "none.json")


@pytest.mark.parametrize("title", ["Old Mill", "old mill", "Old_Mill", " OLD  MILL ", "Ｏｌｄ Mill"])
def test_titles_that_redirect_to_each_other_fold_alike(title: str) -> None:
    assert fold_title(title) == "old mill"


def test_corpus_without_other_articles_is_refused(trial: Trial, work: Work, tmp_path: Path) -> None:
    alone = tmp_path / "alone.parquet"
    write_rows(alone, [plain(1, "Old Mill", TEXT)], article_schema())
    with pytest.raises(UserError, match="holds no article beside"):
        score_filter(Trial(trial.labels, trial.articles, alone), tmp_path / "learned", work)


def test_curve_marks_presets_and_keeps_more_as_the_threshold_rises(
    trial: Trial, strata: Path, work: Work, tmp_path: Path
) -> None:
    found = draw_curve(Trial(trial.labels, trial.articles, strata=strata, config=trial.config), tmp_path, work)
    assert [point["threshold"] for point in found["points"]] == sorted(point["threshold"] for point in found["points"])
    assert [point["preset"] for point in found["points"] if point["preset"]] == ["strict", "balanced", "lenient"]
    kept = [point["kept"]["value"] for point in found["points"]]
    assert kept == sorted(kept)
    assert len(curve_rows(found)) == len(found["points"])
    plot_curve(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="cannot draw"):
        plot_curve(found, tmp_path / "curve.doc")


def test_point_with_most_text_within_a_residual_is_chosen() -> None:
    def point(threshold: float, residual: float | None, kept: float) -> dict[str, Any]:
        return {"threshold": threshold, "residual": {"value": residual}, "kept": {"value": kept}}

    curve = {"points": [point(0.1, None, 0.0), point(0.2, 0.02, 0.2), point(0.3, 0.01, 0.4), point(0.5, 0.09, 0.6)]}
    assert choose_point(curve, 0.05)["threshold"] == 0.3
    assert choose_point(curve, 1.0)["threshold"] == 0.5
    with pytest.raises(UserError, match=r"the least is 1\.0%"):
        choose_point(curve, 0.001)


def test_thresholds_rise_and_hold_the_presets() -> None:
    found = thresholds_of({"strict": 0.123})
    assert found == sorted(found) and 0.123 in found and 0 < found[0] < found[-1] < 1
