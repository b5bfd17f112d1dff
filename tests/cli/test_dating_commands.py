import json
import signal
import sys
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.cli.dating_commands import classify_parquet
from deepred.cli.main import main
from deepred.run.settings import Settings
from deepred.run.stage import Silent

LATE = " ".join(f"It grew in {year}." for year in range(1990, 2000))
ARTICLES = [
    (1, "Abraham Lincoln", "Abraham Lincoln (12 February 1809 – 15 April 1865) was an American statesman.", "O"),
    (2, "Vellworks", "Vellworks is a company founded in 1921.", "S"),
    (3, "Star Song", "Star Song is a 1977 American film.", "N"),
    (4, "Stone", "A stone is a hard thing.", "U"),
    (5, "Webbing", f"Webbing is a habit. {LATE}", "N"),
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "articles.parquet"
    page, title, text, _ = zip(*ARTICLES)
    pq.write_table(pa.table({"page_id": page, "title": title, "text": text, "label": ["x"] * len(page)}), path)
    return path


def classify(file, out, cutoff="1969-07-20", workers=1, **options):
    settings = Settings(workers=workers)
    day = date.fromisoformat(cutoff)
    classify_parquet(file, out, cutoff=day, wikidata=options.get("wikidata", []), settings=settings, display=Silent())
    return {row["page_id"]: row["class"] for row in read_rows(out, "classes-*.parquet")}


def test_plain_articles_are_dated_and_classed_without_wikidata(file, tmp_path):
    assert classify(file, tmp_path / "out") == {page: label for page, _, _, label in ARTICLES}
    rows = {row["page_id"]: row for row in read_rows(tmp_path / "out", "dates-*.parquet")}
    assert rows[3]["first_known"] == 19770101
    coverage = json.loads((tmp_path / "out" / "coverage.json").read_text())
    assert coverage["classes"] == {"O": 1, "S": 1, "N": 2, "U": 1}


def test_another_cutoff_gives_other_classes(file, tmp_path):
    found = classify(file, tmp_path / "out", cutoff="1990-01-01")
    assert (found[3], found[2]) == ("O", "S")


def test_nothing_but_the_result_is_left(file, tmp_path):
    classify(file, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "classes-000-00000.parquet", "coverage.json", "dates-000-00000.parquet", "manifest.json",
    ]  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {"articles.parquet", "out"}


def test_categories_and_other_optional_columns_count(tmp_path):
    path = tmp_path / "articles.parquet"
    large = pa.array([["1809 births", "1865 deaths"], None], pa.large_list(pa.large_string()))
    rows = {"page_id": pa.array([1, 2], pa.int32()), "title": ["A B", "C D"], "text": ["Text.", None]}
    pq.write_table(pa.table(rows | {"categories": large}), path)
    assert classify(path, tmp_path / "out") == {1: "O", 2: "U"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": [1], "title": ["A"], "body": ["B"]}, "lacks the columns page_id, text; it has id, title, body"),
        ({"page_id": ["1"], "title": ["A"], "text": ["B"]}, "the column page_id is string, not int64"),
        ({"page_id": [1], "title": ["A"], "text": ["B"], "links": ["x"]}, "the column links is string, not list"),
        ({"page_id": [1, None], "title": ["A", "B"], "text": ["B", "C"]}, "row 1 has no page_id or no title"),
        ({"page_id": [1], "title": pa.array([None], pa.string()), "text": ["B"]}, "row 0 has no page_id or no title"),
    ],
)
def test_a_file_of_other_columns_is_an_error_that_names_them(tmp_path, columns, message):
    path = tmp_path / "articles.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(UserError, match=message):
        classify(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_parquet_is_a_user_error(tmp_path):
    path = tmp_path / "articles.parquet"
    path.write_text("page_id,title,text\n")
    with pytest.raises(UserError, match="is no Parquet file"):
        classify(path, tmp_path / "out")
    with pytest.raises(UserError, match="does not exist"):
        classify(tmp_path / "none.parquet", tmp_path / "out")


def test_a_folder_that_is_there_is_not_overwritten(file, tmp_path):
    classify(file, tmp_path / "out")
    with pytest.raises(UserError, match="is there already"):
        classify(file, tmp_path / "out")


def test_a_wikidata_dump_joins_by_title(file, tmp_path):
    time = {"time": "+1850-00-00T00:00:00Z", "precision": 9, "calendarmodel": "http://www.wikidata.org/entity/Q1985727"}
    snak = {"snaktype": "value", "property": "P575", "datatype": "time", "datavalue": {"type": "time", "value": time}}
    claim = {"mainsnak": snak, "type": "statement", "rank": "normal"}
    links = {"enwiki": {"site": "enwiki", "title": "Stone"}}
    entity = {"type": "item", "id": "Q22731", "sitelinks": links, "claims": {"P575": [claim]}}
    dump = tmp_path / "dump.json"
    dump.write_text("[\n" + json.dumps(entity) + "\n]\n")
    assert classify(file, tmp_path / "out", wikidata=[dump])[4] != "U"
    row = next(row for row in read_rows(tmp_path / "out", "dates-*.parquet") if row["page_id"] == 4)
    assert (row["first_known"], row["evidence"][0]["source"]) == (18500101, "wikidata")


@pytest.fixture
def deepred(monkeypatch, capsys):
    """The command line in this process: exit code, standard output and standard error of a command."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["deepred", *map(str, words)])
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as end:
            main()
        signal.signal(signal.SIGTERM, before)
        return end.value.code, *capsys.readouterr()

    return call


def test_the_command_prints_the_coverage_and_draws_the_plot(deepred, file, tmp_path):
    plot = tmp_path / "plot.png"
    code, told, problem = deepred("classify", file, "--out", tmp_path / "out", "--plot", plot, "--workers", 1)
    assert code == 0, problem
    rows = [line.split() for line in told.splitlines()]
    assert ["all", "1", "1", "2", "1", "5", "100.0%"] in rows
    assert ["lead", "1", "1", "1", "·", "3", "60.0%"] in rows
    assert plot.read_bytes().startswith(b"\x89PNG")


RUN = """
name = "small"
[articles]
plain = ["{file}"]
{more}
"""


@pytest.fixture
def built(deepred, file, tmp_path):
    """A run whose classes are built, and the command line's words for it."""
    run = tmp_path / "run.toml"
    run.write_text(RUN.format(file=file, more='[llm]\nurl = "http://127.0.0.1:9/v1"\nmodel = "m"\n'))
    words = [run, "--data", tmp_path / "data"]
    code, _, problem = deepred("why", run, "Stone", *words[1:])
    assert (code, problem.startswith("error: articles of this run is not built yet")) == (2, True)
    code, _, problem = deepred("run", *words, "--until", "classes", "--workers", 1)
    assert code == 0, problem
    return words


def test_why_show_and_date_llm_answer_from_a_built_run(deepred, built, tmp_path):
    _, told, _ = deepred("why", built[0], "Star_Song", *built[1:])
    assert told.splitlines()[:2] == ["Star Song", "class        N: first known 1977 (publication, lead)"]
    _, told, _ = deepred("why", built[0], "Stone", *built[1:], "--json")
    found = json.loads(told)
    assert (found["class"], found["cutoff"], found["sentences"]) == ("U", "1969-07-20", None)
    code, _, problem = deepred("why", built[0], "Star Sing", *built[1:])
    assert (code, "near it: Star Song" in problem) == (2, True)
    code, _, problem = deepred("date-llm", built[0], "--out", tmp_path / "a.jsonl", *built[1:])
    assert code == 1 and "cannot reach http://127.0.0.1:9/v1" in problem
    _, told, _ = deepred("show", built[0], "classes", *built[1:])
    assert "by source" in told and "by first known" in told
