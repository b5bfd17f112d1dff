from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from deepred.config import Audit
from deepred.errors import FaultError, UserError

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
