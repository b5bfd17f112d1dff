from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest

from deepred.base.errors import FaultError, UserError
from deepred.filter.measure.audit import Estimate, clopper_pearson, places_of, read_audit, reweighted, write_audit
from deepred.filter.measure.audit_examples import sample_examples
from deepred.filter.measure.label_sheet import read_labels, render_sheet, sheet_row
from deepred.filter.model_answers import sentence_hash
from deepred.run.config import Audit

PAGES = [
    (f"Town {i}", f"The mill was built in 18{10 + i}. Salt is good. It is cold here. Bread {i} is baked.")
    for i in range(20)
]


@pytest.fixture
def road(make_road: Any) -> Any:
    made = make_road(PAGES)
    made.filter()
    return made


def sheet(road: Any, folder: str = "audit") -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (road.root / folder / "sheet.jsonl").read_bytes().splitlines()]


def label(road: Any, tmp_path: Path, **labels: str) -> Path:
    """The sheet with each sentence labelled by what it begins with; clean where nothing is said."""
    rows = [
        row | {"label": next((to for start, to in labels.items() if row["sentence"].startswith(start)), "C")}
        for row in sheet(road)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def test_unlabelled_audit_states_no_bound_and_passes_unless_labels_are_required(road: Any) -> None:
    counts = road.audit()
    assert counts.notes["status"] == "unlabelled" and counts.notes["residual"] is None
    assert len(sheet(road)) >= 15
    assert all(row["label"] == "" and row["sentence"] in row["context"] for row in sheet(road))
    with pytest.raises(FaultError, match="no labels"):
        road.audit("again", config=Audit(sample=20, require=True))


def test_sheet_holds_kept_sentences_of_every_stratum(road: Any) -> None:
    road.audit()
    assert {row["stratum"] for row in sheet(road)} == {"dated", "leaning", "plain"}
    assert all(any(row["sentence"] in text for text in road.kept().values()) for row in sheet(road))


def test_labels_are_joined_by_sentence_and_give_a_bound(road: Any, tmp_path: Path) -> None:
    road.audit()
    counts = road.audit("labelled", labels=[label(road, tmp_path, It="P")])
    residual = counts.notes["residual"]
    assert counts.notes["status"] == "labelled"
    assert residual["estimate"] == pytest.approx(0.25, abs=0.01)  # one sentence in four of every article
    assert residual["low"] < residual["estimate"] < residual["high"]
    assert all(row["label"] for row in sheet(road, "labelled"))


def test_labelled_audit_above_its_bound_fails(road: Any, tmp_path: Path) -> None:
    road.audit()
    with pytest.raises(FaultError, match="may be late"):
        road.audit("labelled", labels=[label(road, tmp_path, It="P")], config=Audit(sample=20, max_residual_bound=0.1))


@pytest.mark.parametrize("line", ["{", "[]", '{"hash": "a"}', '{"hash": "a", "label": "late"}'])
def test_malformed_label_names_file_and_line(road: Any, tmp_path: Path, line: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"labels\.jsonl, line 2"):
        road.audit(labels=[path])


def test_evidence_counts_what_machines_see_among_kept_sentences(make_road: Any) -> None:
    road = make_road([("Mill", "It was made in 1890. It was sold in 1990.")])
    road.filter(arm="unfiltered")
    road.audit()
    evidence = orjson.loads((road.root / "audit" / "evidence.json").read_bytes())
    assert evidence["evidence"] == {"later years": 1}
    assert evidence["examples"]["later years"][0]["sentence"] == "It was sold in 1990."


def test_audit_that_was_written_is_labelled_further(road: Any, tmp_path: Path) -> None:
    road.audit()
    sample, evidence, labels = read_audit(road.root / "audit")
    assert labels == {}
    given = {sample[0]["hash"]: "C", sample[1]["hash"]: "P"}
    result = write_audit(sample, evidence, given, 19690720, road.folder("further"))
    assert result["status"] in ("labelled", "partly labelled") and result["labelled"] == 2
    assert read_audit(road.root / "further")[2] == given


def test_contradicting_labels_make_a_sentence_ambiguous(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"hash": "a", "label": "P"}\n{"hash": "b", "label": ""}\n{"hash": "a", "label": "C"}\n', "utf-8")
    assert read_labels([path]) == {"a": "A"}
    with pytest.raises(UserError, match="does not exist"):
        read_labels([tmp_path / "none.jsonl"])


def test_label_survives_another_cutoff_and_other_white_space() -> None:
    assert sentence_hash("Mill", "It  was\nsold.") == sentence_hash("Mill", "It was sold.")
    assert sentence_hash("Mill", "It was sold.") != sentence_hash("Hall", "It was sold.")


class Page(HTMLParser):
    """The tags of a page and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if dict(attrs).get("id") == "rows" else ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.data += data


HOSTILE = "</script><script>alert(1)</script><!-- @TITLE@ @ROWS@ & \"'\u2028 \ud800"


def test_sheet_shows_any_sentence_as_text_and_asks_no_network() -> None:
    text = f"Before. {HOSTILE} After."
    row = sheet_row("<b>Mill</b>", text, 8, 8 + len(HOSTILE), "plain") | {"label": "P"}
    row = {key: value.encode("utf-8", "replace").decode() for key, value in row.items()}
    page = Page(render_sheet([row], "Audit <i>", 19690720))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in Page(render_sheet([], "", 19690720)).tags]
    assert not any(name in ("src", "href", "action") for _, attributes in page.tags for name in attributes)
    shown = orjson.loads(page.data)
    assert [(r["title"], r["before"], r["after"], r["label"]) for r in shown] == [
        ("<b>Mill</b>", "Before. ", " After.", "P")
    ]
    assert shown[0]["sentence"] == row["sentence"]


def test_sheet_shows_a_sentence_once_and_tells_no_stratum() -> None:
    rows = [sheet_row("Mill", "It was sold.", 0, 12, kind) | {"label": ""} for kind in ("plain", "flagged")]
    page = Page(render_sheet(rows, "Audit", 19690720))
    assert len(orjson.loads(page.data)) == 1
    assert "flagged" not in page.data


@pytest.mark.parametrize(
    ("sentences", "size", "places"),
    [
        ({"a": 900, "b": 100, "c": 0}, 40, {"a": 28, "b": 12}),
        ({"a": 3, "b": 1000}, 100, {"a": 3, "b": 75}),
        ({"a": 0}, 10, {}),
        ({"a": 5}, 0, {"a": 0}),
    ],
)
def test_places_are_spread_over_strata(sentences: dict[str, int], size: int, places: dict[str, int]) -> None:
    assert places_of(sentences, size) == places


def conversation(kind: str, subject: str, *turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": turn} for i, turn in enumerate(turns)]
    return {"messages": messages, "kind": kind, "provenance": {"subject": subject}}


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    train = [
        conversation("fact", f"Mill {i}", f"When was mill {i} built?", f"It was built in 18{10 + i}.")
        for i in range(20)
    ]
    late = conversation("gold", "Hello", "Hello.", "Good day. It is 1987.", "Who won in 1999?", "I do not know.")
    (folder / "train.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in [*train, late]))
    (folder / "validation.jsonl").write_bytes(
        orjson.dumps(conversation("unknown", "Xo", "What is Xo?", "I know no Xo."))
    )
    return folder


def test_examples_are_audited_by_the_sentences_of_their_answers(road: Any, examples: Path) -> None:
    sample, evidence = sample_examples(examples, road.root / "emergence", 19690720, 1, 12)
    assert evidence["sentences"] == {"fact": 20, "gold": 3, "unknown": 1}
    assert evidence["evidence"] == {"later years": 1}  # the question's year is not the answer's
    assert evidence["examples"]["later years"] == [{"title": "Hello", "sentence": "It is 1987."}]
    assert {row["stratum"] for row in sample} == {"fact", "gold", "unknown"}
    assert all("?" in row["context"] or row["stratum"] == "gold" for row in sample)
    assert sample_examples(examples, road.root / "emergence", 19690720, 1, 12)[0] == sample


def test_damaged_example_names_file_and_line(road: Any, examples: Path) -> None:
    (examples / "train.jsonl").write_text('{"messages": []}\n', "utf-8")
    with pytest.raises(FaultError, match=r"train\.jsonl, line 1"):
        sample_examples(examples, road.root / "emergence", 19690720, 1, 12)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (0, 0, 0.0, 1.0), (4, 200, 0.0055, 0.0504)],
)
def test_bounds_are_the_published_ones(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials, 0.95) == pytest.approx((low, high), abs=1e-4)


def test_strata_count_by_what_they_stand_for_and_an_unlabelled_one_by_the_worst() -> None:
    told = reweighted([Estimate(900, 100, 0), Estimate(100, 100, 50)], 0.95)
    assert told["estimate"] == pytest.approx(0.05)
    assert told["low"] < 0.05 < told["high"] < 0.12
    assert reweighted([Estimate(500, 100, 0), Estimate(500, 0, 0)], 0.95)["high"] > 0.5
