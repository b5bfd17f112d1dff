"""The commands ``trace`` and ``leaks`` on a small world: a sentence put back by hand is found, with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.cli.options import open_pipeline
from deepred.run.build import execute
from deepred.run.progress import Display

RUN = """
name = "tiny"
arms = ["filtered", "unfiltered"]
[world]
facts = 4
mentions = 4
[articles]
dumps = ["world:worldwiki-pages-articles-multistream.xml.bz2"]
[facts]
wikidata = ["world:wikidata.json.bz2"]
wiki = "worldwiki"
[chess]
files = ["world:games.pgn"]
limit = 20
"""


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    path = folder / "run.toml"
    path.write_text(RUN, encoding="utf-8")
    from rich.console import Console

    execute(open_pipeline(path, None, folder / "data", 1), Display(Console(quiet=True)), "mixture")
    return path


def call(*arguments: str) -> dict:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    return json.loads(result.stdout)


def families(run_file: Path) -> list[dict]:
    path = next((run_file.parent / "data" / "probes").glob("*/probes.jsonl"))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_later_fact_is_traced_in_the_unfiltered_text_and_not_in_the_filtered(run_file: Path):
    late = next(one for one in families(run_file) if one["era"] == "after")
    data = ["--data", str(run_file.parent / "data"), "--workers", "1"]
    leaky = call("trace", str(run_file), "--probe", late["family"], "--arm", "unfiltered", *data)["facts"][0]
    assert leaky["traces"]
    for trace in leaky["traces"]:
        assert late["answer_text"] in trace["passage"]
        assert "keeps every sentence" in trace["why"]["sentence"]["reason"]
    clean = call("trace", str(run_file), "--probe", late["family"], *data)["facts"][0]
    assert clean["traces"] == []


def test_an_early_sentence_is_traced_with_its_class_and_why_it_was_kept(run_file: Path):
    early = next(one for one in families(run_file) if one["era"] == "before")
    data = ["--data", str(run_file.parent / "data"), "--workers", "1"]
    traced = call("trace", str(run_file), "--probe", early["family"], *data)["facts"][0]["traces"][0]
    found = call("trace", str(run_file), traced["passage"], *data)["matches"][0]
    assert found["exact"]
    assert found["document"] == traced["document"]
    assert found["why"]["class"] in {"O", "S", "U"}
    assert found["why"]["sentence"]["verdict"] == "kept"


def test_a_game_is_admitted_by_its_date(run_file: Path):
    data = ["--data", str(run_file.parent / "data"), "--workers", "1"]
    from deepred.base.tables import read_rows

    mixture = next(path.parent for path in (run_file.parent / "data" / "mixture").glob("*/train-chess-*.parquet"))
    game = next(read_rows(mixture, "train-chess-*.parquet"))
    found = call("trace", str(run_file), game["text"][:200], *data)["matches"][0]
    assert "before the cutoff 1969-07-20" in found["why"]["reason"]


def test_leaks_of_a_report_name_the_documents(run_file: Path, tmp_path: Path):
    early = next(one for one in families(run_file) if one["era"] == "before")  # stands in for a leak: it is stated
    report = tmp_path / "report.json"
    row = {key: early[key] for key in ("family", "known", "relation", "subject", "answer_text")}
    report.write_text(json.dumps({"leaks": [row | {"score": 1.0, "statements": 3}]}), encoding="utf-8")
    data = ["--data", str(run_file.parent / "data"), "--workers", "1"]
    found = call("leaks", str(report), "--run", str(run_file), *data)["leaks"]
    assert found[0]["traces"][0]["document"].startswith("wikipedia:")
    assert early["answer_text"] in found[0]["traces"][0]["passage"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one of a text"),
        (["--probe", "inventor-befor-00"], "near it: inventor-before-00"),
        (["--leaks", "none.json"], "none.json does not exist"),
    ],
)
def test_wrong_input_is_a_line_with_a_mend(run_file: Path, arguments: list[str], said: str):
    data = ["--data", str(run_file.parent / "data"), "--workers", "1"]
    with pytest.raises(UserError, match=said):
        CliRunner().invoke(app, ["trace", str(run_file), *arguments, *data], catch_exceptions=False)
