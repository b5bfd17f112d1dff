"""``deepred extract`` and ``deepred corpus`` as a user meets them: what they print and refuse, how they go on."""

import json
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.sources.wiki.articles import extract
from sources.wiki.test_articles import PAGES, articles, dump, page

SMALL_RANGES = (
    "import deepred.sources.wiki.dump as d; d.RANGE_BYTES = {'bz2': 1, 'xml': 20_000, 'gz': 1};"
    "from deepred.cli.main import main; main()"
)


def deepred(*arguments):
    command = [sys.executable, "-m", "deepred", "extract", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_it_ends_with_what_became_of_the_pages_and_the_templates_to_look_into(tmp_path):
    path = dump(tmp_path, [*PAGES, page(9, "Odd", "{{Odd one}} {{odd one}} {{Other}} text")])
    done = deepred(path, "--out", tmp_path / "out", "--workers", "1")
    assert done.returncode == 0
    assert "6 pages: 4 articles, 1 redirects, 1 of other namespaces, 0 dropped" in done.stdout
    assert "left out: odd one 2, other 1" in done.stdout
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["numbers"]["documents"] == 4
    assert manifest["config"]["tables"] == "drop"


def test_tables_captions_formulas_and_the_limit_are_options(tmp_path):
    text = "[[File:a.jpg|thumb|The board]]\nA &lt;math&gt;x^2&lt;/math&gt; b.\n{|\n| 1969 || Spassky\n|}\n"
    path = dump(tmp_path, [page(1, "A", text), page(2, "B", text)])
    options = ["--tables", "text", "--captions", "text", "--math", "drop", "--limit", "1", "--json"]
    done = deepred(path, "--out", tmp_path / "out", *options)
    assert json.loads(done.stdout)["counts"]["numbers"]["documents"] == 1
    (row,) = articles(tmp_path / "out")
    assert {"The board", "A b.", "1969 | Spassky"} <= set(row["text"].split("\n"))


@pytest.mark.parametrize(
    ("name", "options", "code", "words"),
    [
        ("none.xml", [], 2, "none.xml does not exist"),
        ("wiki.xml", ["--tables", "html"], 2, "'html' is not one of"),
        ("cut.xml", [], 1, "inside page 'Mond'"),
        ("wiki.7z", [], 2, "7z archive"),
        ("empty.xml", [], 2, "is empty"),
        ("wiki-multistream-index.txt.bz2", [], 2, "is the index of a multistream dump"),
    ],
)
def test_what_it_cannot_do_is_one_line(tmp_path, name, options, code, words):
    data = dump(tmp_path, PAGES).read_bytes()
    (tmp_path / "cut.xml").write_bytes(data[:-60])
    (tmp_path / "wiki.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(60))
    (tmp_path / "empty.xml").touch()
    (tmp_path / "wiki-multistream-index.txt.bz2").touch()
    done = deepred(tmp_path / name, "--out", tmp_path / "out", *options)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert words in done.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    done = deepred(dump(tmp_path, PAGES), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert [left.name for left in (tmp_path / "out").iterdir()] == ["mine"]


def command(path, out, *options):
    return [sys.executable, "-c", SMALL_RANGES, "extract", str(path), "--out", str(out), "--workers", "1", *options]


def kill_early(path, out):
    """Run the command and kill it once three ranges are done."""
    process = subprocess.Popen(command(path, out), stdout=subprocess.DEVNULL)
    done = out.with_name(out.name + ".partial") / ".shards"
    while process.poll() is None and len(list(done.glob("*.json"))) < 3:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not out.exists()
    return {file: file.stat().st_mtime_ns for file in done.glob("*.json")}


def test_after_a_kill_the_same_command_goes_on_and_gives_the_same_files(tmp_path):
    path = dump(tmp_path, [page(n, f"Title {n}", f"[[Text]] {n}. " * 300) for n in range(1, 200)])
    finished = kill_early(path, tmp_path / "out")
    assert len(finished) >= 3
    subprocess.run(command(path, tmp_path / "out"), check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 20_000, "gz": 1})
        extract(path, tmp_path / "whole")
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / name).glob("*.parquet")} for name in ("out", "whole")
    ]
    assert files[0] == files[1]


def test_another_command_after_a_kill_starts_anew(tmp_path):
    path = dump(tmp_path, [page(n, f"Title {n}", f"[[Text]] {n}. " * 300) for n in range(1, 200)])
    kill_early(path, tmp_path / "out")
    subprocess.run(command(path, tmp_path / "out", "--limit", "2"), check=True, capture_output=True)
    assert [row["page_id"] for row in articles(tmp_path / "out")] == [1, 2]


def test_export_of_a_run_that_is_not_built_is_an_error_that_names_the_command(tmp_path):
    run = tmp_path / "run.toml"
    run.write_text('name = "r"\n[world]\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["corpus", str(run), "--out", str(tmp_path / "out"), "--data", str(tmp_path)])
    assert isinstance(result.exception, UserError)
    assert "--until mixture" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("option", "value"), [("--format", "csv"), ("--arm", "article")])
def test_an_unknown_format_or_arm_is_refused(tmp_path, option, value):
    run = tmp_path / "run.toml"
    run.write_text('name = "r"\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["corpus", str(run), "--out", str(tmp_path / "out"), option, value])
    assert result.exit_code == 2
