from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.base.tables import write_rows
from deepred.cli.main import app

ARTICLES = [
    (1, "Mill", "The mill was built in 1890. It was sold in 1990. Salt is good and old."),
    (2, "Port", "The port was dug in 1810. The laser came to it in 1970. Bread is baked here."),
]


def deepred(*arguments: object, stdin: bytes = b"", **variables: object) -> Result:
    environment = {"COLUMNS": "160"} | {name: str(value) for name, value in variables.items()}
    return CliRunner().invoke(app, [str(word) for word in arguments], input=stdin, env=environment)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two articles, built up to its audit."""
    import pyarrow as pa

    root = tmp_path_factory.mktemp("run")
    schema = pa.schema([("page_id", pa.int64()), ("title", pa.string()), ("text", pa.string())])
    names = ("page_id", "title", "text")
    write_rows(root / "articles.parquet", (dict(zip(names, row)) for row in ARTICLES), schema)
    run_file = root / "tiny.toml"
    run_file.write_text(
        f'name = "tiny"\narms = ["filtered"]\n[articles]\nplain = ["{root / "articles.parquet"}"]\n'
        "[passages]\nmin_characters = 5\n",
        encoding="utf-8",
    )
    done = deepred("run", run_file, "--until", "audit", "--workers", "1", DEEPRED_DATA=root / "data")
    assert done.exit_code == 0, done.output
    return run_file


def of_run(run: Path, *arguments: object, stdin: bytes = b"") -> Result:
    return deepred(*arguments, stdin=stdin, DEEPRED_DATA=run.parent / "data")


def test_text_without_a_model_says_so_and_passes_bytes_unchanged() -> None:
    done = deepred("filter", "text", stdin=b"Salt is good. \xff\xfe\r\nIn 1987 it closed.\r\n\x00\r\n")
    assert done.stdout_bytes == b"Salt is good. \xff\xfe\r\n\x00\r\n"
    assert b"later dates alone decide" in done.stderr_bytes
    assert deepred("filter", "text", "--cutoff", "1800-01-01", stdin=b"In 1850 it rose.").stdout_bytes == b""


def test_text_of_a_pipe_that_is_closed_early_ends_quietly() -> None:
    command = f"yes 'Salt is good.' | head -c 9000000 | {sys.executable} -m deepred filter text | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120, check=False)
    assert done.stdout == b"Salt is good.\n"
    assert b"Traceback" not in done.stderr and b"Broken" not in done.stderr


def test_text_as_json_is_a_line_a_sentence() -> None:
    done = deepred("filter", "text", "--json", stdin=b"Salt is good \xff. In 1987 it closed.")
    rows = [orjson.loads(line) for line in done.stdout_bytes.splitlines()]
    assert [(row["text"], row["kept"], row["reason"]) for row in rows] == [
        ("Salt is good \ufffd.", True, ""),
        ("In 1987 it closed.", False, "date"),
    ]
    assert deepred("filter", "text", "--json").stdout_bytes == b""


def test_text_with_a_run_uses_what_it_learned(run: Path) -> None:
    done = of_run(run, "filter", "text", "--model", run, stdin=b"Salt is good. It closed in 1987.")
    assert done.stdout_bytes == b"Salt is good."
    assert b"rules" in done.stderr_bytes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["filter", "text", "--model", "nothing"], "holds nothing that a filter learned"),
        (["filter", "score", "--labels", "none.jsonl", "--articles", "none.parquet"], "none.jsonl does not exist"),
        (["filter", "drops", "RUN", "--reason", "bad"], "no sentence is dropped for 'bad'"),
        (["emergence", "RUN", "?!"], "holds no word"),
        (["audit", "RUN", "--labels", "none.jsonl"], "none.jsonl does not exist"),
        (["audit", "RUN", "--of", "examples"], "is not built yet"),
    ],
)
def test_what_a_user_can_mend_is_said(run: Path, arguments: list[str], message: str) -> None:
    done = of_run(run, *(run if word == "RUN" else word for word in arguments))
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)


def test_drops_are_listed_as_lines_and_as_json(run: Path) -> None:
    done = of_run(run, "filter", "drops", run, "--reason", "date", "--json")
    rows = [orjson.loads(line) for line in done.stdout_bytes.splitlines()]
    assert [(row["title"], row["text"]) for row in rows] == [
        ("Mill", "It was sold in 1990."),
        ("Port", "The laser came to it in 1970."),
    ]
    assert b"Mill: It was sold in 1990." in of_run(run, "filter", "drops", run, "--title", "mill").stdout_bytes


def test_emergence_draws_a_curve_and_gives_json(run: Path) -> None:
    shown = of_run(run, "emergence", run, "laser").stdout
    assert "unknown: too rare" in shown and "1970s █" in shown and "Port: The laser came to it in 1970." in shown
    found = json.loads(of_run(run, "emergence", run, "laser", "--json").stdout)
    assert found["dated_sentences"] == 1 and found["since"] is None


def test_audit_draws_a_sheet_and_reads_its_labels_back(run: Path, tmp_path: Path) -> None:
    done = of_run(run, "audit", run, "--out", tmp_path)
    assert done.exit_code == 0 and b"status unlabelled" in done.stdout_bytes
    rows = [orjson.loads(line) for line in (tmp_path / "sheet.jsonl").read_bytes().splitlines()]
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    labels = tmp_path / "labels.jsonl"
    labels.write_bytes(b"".join(orjson.dumps({"hash": row["hash"], "label": "C"}) + b"\n" for row in rows))
    found = json.loads(of_run(run, "audit", run, "--out", tmp_path, "--labels", labels, "--json").stdout)
    assert found["status"] == "labelled"
    assert found["residual"]["estimate"] == 0 and 0 < found["residual"]["high"] <= 1
    again = of_run(run, "audit", run, "--out", tmp_path, "--sample", "1", "--workers", "1")
    assert again.exit_code == 0, again.output
    assert len((tmp_path / "sheet.jsonl").read_bytes().splitlines()) >= 1


def paragraph(page_id: int, title: str, text: str) -> dict[str, Any]:
    spans, start = [], 0
    for part in text.split(". "):
        spans.append([start, start + len(part)])
        start += len(part) + 2
    return {"page_id": page_id, "title": title, "class": "other", "spans": spans, "labels": "CPC"}


def test_score_and_curve_give_json_with_intervals(run: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_bytes(orjson.dumps(paragraph(*ARTICLES[0])))
    given = ["--labels", labels, "--articles", run.parent / "articles.parquet", "--work", tmp_path / "work"]
    found = json.loads(deepred("filter", "score", *given, "--json", "--workers", "1").stdout)
    assert found["recall"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert {"recall", "precision", "clean_kept", "by_why", "by_stratum", "residual"} <= found.keys()
    shown = deepred("filter", "curve", *given, "--workers", "1", "--plot", tmp_path / "c.png").stdout
    assert "balanced" in shown and (tmp_path / "c.png").stat().st_size > 10_000
    learned = deepred("filter", "text", "--model", found["learned"], stdin=b"Salt is good. It closed in 1987.")
    assert learned.stdout_bytes == b"Salt is good."
    early = deepred("filter", "text", "--model", found["learned"], "--cutoff", "1800-01-01", stdin=b"In 1850 it rose.")
    assert early.stdout_bytes == b""
