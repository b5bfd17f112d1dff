import io
import json
import subprocess
import sys

import pytest
from pydantic import ValidationError
from rich.console import Console

from deepred.asking.answer_file import open_answers
from deepred.asking.replies import ANSWERED, REFUSED
from deepred.base.errors import FaultError, UserError
from deepred.base.tables import article_schema, fact_schema, read_rows, write_rows
from deepred.dating.by_model.agreement import compare, share_of, write_agreement
from deepred.dating.by_model.date_answers import OPENING_CHARACTERS, Answer, answer_evidence, article_key, opening
from deepred.dating.dates import date_articles, resolve
from deepred.run.config import Dates
from deepred.run.settings import Settings
from deepred.run.show import print_agreement
from deepred.run.stage import Counts, Work

USE = ("wikidata", "yago", "category", "infobox", "lead", "llm")
KINDS = Answer.model_json_schema()["properties"]["kind"]["enum"]
LINCOLN = "Abraham Lincoln (12 February 1809 – 15 April 1865) was an American statesman and lawyer."
ARTICLES = [
    (1, "Zorbic theory", "Zorbic theory is a branch of thought."),
    (2, "Abraham Lincoln", LINCOLN),
    (3, "Vell", "Vell is a small town on a hill."),
    (4, "Oru", "Oru is a habit of speech."),
]


def says(**values):
    whole = {"known": True, "kind": "idea", "first": None, "last": None, "alive": False, "first_known": None}
    return whole | {"confidence": "high"} | values


def dated(**values):
    """What an answer makes of an article that nothing else dates."""
    found = resolve(answer_evidence(Answer.model_validate(says(**values)), "m"), USE)
    return found.first, found.last, found.first_known, found.ended


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"kind": "person", "first": 1809, "last": 1865, "first_known": 1834}, (18090101, 18651231, 18340101, True)),
        ({"kind": "person", "first": 1950, "alive": True, "first_known": 1980}, (19500101, None, 19800101, False)),
        ({"kind": "person", "first": 1950, "alive": True}, (19500101, None, 19700101, False)),
        ({"kind": "person", "first": -100, "last": -44, "first_known": -60}, (-989999 + 100, -428769, -589899, True)),
        ({"kind": "work", "first": 1843, "first_known": 1843}, (18430101, 18431231, 18430101, True)),
        ({"kind": "event", "first": 1914, "last": 1918}, (19140101, 19181231, 19140101, True)),
        ({"kind": "invention", "first": 1876, "alive": True}, (18760101, None, 18760101, False)),
        ({"kind": "organisation", "first": 1890, "last": 1931}, (18900101, 19311231, 18900101, True)),
        ({"kind": "idea", "first_known": 1905, "alive": True}, (19050101, None, 19050101, False)),
        ({"known": False}, (None, None, None, False)),
    ],
)
def test_an_answer_dates_an_article_by_its_kind(values, expected):
    assert dated(**values) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_what_lives_or_survives_has_not_ended_whatever_it_is(kind):
    for years in ({"first": 1900}, {"first_known": 1900}, {"first": 1900, "first_known": 1910}):
        assert dated(kind=kind, alive=True, **years)[3] is False


@pytest.mark.parametrize("kind", ["person", "organisation", "place", "idea", "other"])
def test_an_unknown_end_is_no_end(kind):
    assert dated(kind=kind, first=1700, first_known=1720)[3] is False


@pytest.mark.parametrize("confidence", ["low", "medium", "high"])
def test_a_model_is_never_as_sure_as_any_other_source(confidence):
    rows = answer_evidence(Answer.model_validate(says(first=1900, confidence=confidence)), "m")
    assert all(row.source == "llm" and row.confidence <= 0.4 and "m, " in row.note for row in rows)


@pytest.mark.parametrize(
    "values",
    [
        {"first": 0},
        {"first": 1900, "last": 1890},
        {"first": 1900, "first_known": 1890},
        {"first": 1900, "last": 1950, "alive": True},
        {"first": "1900"},
        {"first": 1900.5},
        {"first": 99999},
        {"first": None},
        {"first": 1900, "kind": "planet"},
        {"first": 1900, "more": 1},
    ],
    ids=str,
)
def test_an_inconsistent_answer_is_refused(values):
    with pytest.raises(ValidationError):
        Answer.model_validate(says(**values))


def test_an_opening_is_whole_words_and_bounded():
    assert opening("Short text. ") == "Short text."
    long = opening("word " * 1000)
    assert len(long) <= OPENING_CHARACTERS and long.endswith("word")
    assert len(opening("x" * 5000)) <= OPENING_CHARACTERS + 1


def record(number, request="r", **more):
    return {"request": request, "article": f"{number:016x}", "outcome": REFUSED, "model": "m", "answer": None} | more


def test_what_was_appended_is_known_when_the_file_is_opened_again(tmp_path):
    path = tmp_path / "deep" / "answers.jsonl"
    with open_answers(path) as file:
        for number in range(3):
            file.append(record(number))
    with open_answers(path) as file:
        assert file.known == {f"r{number:016x}" for number in range(3)}
        assert file.torn == 0


@pytest.mark.parametrize("torn", [b'{"request": "r", "arti', b'{"request": "r"}', b"\xff\xfe", b"[1]\n", b"\n"])
def test_a_torn_line_is_counted_and_nothing_is_written_behind_it(tmp_path, torn):
    path = tmp_path / "answers.jsonl"
    with open_answers(path) as file:
        file.append(record(1))
    with path.open("ab") as raw:
        raw.write(torn)
    with open_answers(path) as file:
        assert file.torn == 1
        file.append(record(2))
    with open_answers(path) as file:
        assert {f"r{1:016x}", f"r{2:016x}"} == file.known
    assert b"}{" not in path.read_bytes()


def test_a_file_of_nothing_but_a_torn_line_is_begun_afresh(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"request"' + b"x" * 70_000)
    with open_answers(path) as file:
        file.append(record(1))
    assert len(path.read_bytes().splitlines()) == 1


def test_two_processes_never_write_one_file(tmp_path):
    path = tmp_path / "answers.jsonl"
    code = f"""
from pathlib import Path
from deepred.asking.answer_file import open_answers
with open_answers(Path({str(path)!r})):
    pass
"""
    with open_answers(path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is being written by another process" in done.stderr


@pytest.fixture
def inputs(tmp_path):
    articles, facts = tmp_path / "articles", tmp_path / "facts"
    for folder in (articles, facts):
        folder.mkdir()
    blank = dict.fromkeys(article_schema().names)
    for number in range(2):
        rows = [blank | {"page_id": p, "title": t, "text": x} for p, t, x in ARTICLES[2 * number : 2 * number + 2]]
        write_rows(articles / f"articles-{number:05d}.parquet", rows, article_schema())
    write_rows(facts / "facts-00000.parquet", [], fact_schema())
    return articles, facts


def given(path, *answers):
    """A file of answers: of each the article's page id, and what it says (None: refused)."""
    texts = {page: (title, text) for page, title, text in ARTICLES}
    lines = []
    for page, answer, holdout in answers:
        line = record(0, article=article_key(*texts[page]), holdout=holdout)
        lines.append(line | ({"outcome": ANSWERED, "answer": answer} if answer else {}))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run_stage(inputs, out, files, use=USE, workers=1):
    out.mkdir()
    articles, facts = inputs
    config = Dates(use=list(use))
    counts = date_articles(
        articles=articles, facts=facts, config=config, out=out, work=Work(Settings(workers=workers)),
        sources={"answers": files},
    )  # fmt: skip
    return {row["page_id"]: row for row in read_rows(out, "dates-*.parquet")}, counts


def test_an_answer_dates_what_nothing_else_dates_and_changes_nothing_else(inputs, tmp_path):
    file = given(
        tmp_path / "answers.jsonl",
        (1, says(first_known=1911, alive=True), False),
        (2, says(kind="person", first=1700, last=1750, first_known=1720), True),
        (4, None, False),
    )
    rows, counts = run_stage(inputs, tmp_path / "out", [file])
    without, _ = run_stage(inputs, tmp_path / "without", [])
    assert (rows[1]["first_known"], rows[1]["evidence"][0]["source"]) == (19110101, "llm")
    assert [without[page]["first_known"] for page in (1, 3, 4)] == [None, None, None]
    assert all(rows[page] == without[page] for page in (2, 3, 4))
    assert counts.numbers["answers"] == 2


def test_the_model_is_measured_on_what_was_held_out(inputs, tmp_path):
    known = run_stage(inputs, tmp_path / "without", [])[0][2]["first_known"] // 10000
    file = given(
        tmp_path / "answers.jsonl",
        (2, says(kind="person", first=1809, last=1866, first_known=known + 8), True),
        (1, says(first_known=1911), False),
    )
    run_stage(inputs, tmp_path / "out", [file])
    found = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert found["held_out"] == {ANSWERED: 1}
    assert found["years"] == [0, 1, 10]
    within = {name: [share["count"] for share in asked["within"]] for name, asked in found["questions"].items()}
    assert within == {"first known": [0, 0, 1], "first": [1, 1, 1], "last": [0, 1, 1], "ended": [1]}
    shown = Console(file=io.StringIO(), width=80)
    print_agreement(found, shown)
    rows = [line.split() for line in shown.file.getvalue().splitlines()]
    assert ["last", "1", "0%", "[0%,", "98%]", "100%", "[2%,", "100%]", "100%", "[2%,", "100%]"] in rows


def test_without_answers_there_is_no_agreement_to_tell_of(inputs, tmp_path):
    run_stage(inputs, tmp_path / "out", [])
    assert not (tmp_path / "out" / "agreement.json").exists()


def test_a_source_that_is_not_in_use_is_not_heard(inputs, tmp_path):
    file = given(tmp_path / "answers.jsonl", (1, says(first_known=1911), False))
    rows, _ = run_stage(inputs, tmp_path / "out", [file], use=USE[:-1])
    assert rows[1]["first_known"] is None


def test_an_answer_for_another_wording_is_not_used(inputs, tmp_path):
    file = tmp_path / "answers.jsonl"
    line = record(0, article=article_key("Zorbic theory", "Another text."), outcome=ANSWERED, answer=says(first=1911))
    file.write_text(json.dumps(line) + "\n")
    rows, _ = run_stage(inputs, tmp_path / "out", [file])
    assert rows[1]["first_known"] is None


def test_of_several_answers_on_an_article_the_last_counts(inputs, tmp_path):
    one = given(tmp_path / "one.jsonl", (1, says(first=1911), False), (1, says(first=1912), False))
    two = given(tmp_path / "two.jsonl", (1, says(first=1913), False))
    assert run_stage(inputs, tmp_path / "a", [one])[0][1]["first_known"] == 19120101
    assert run_stage(inputs, tmp_path / "b", [one, two])[0][1]["first_known"] == 19130101


def test_the_stage_writes_the_same_bytes_with_any_number_of_workers(inputs, tmp_path):
    file = given(tmp_path / "answers.jsonl", (1, says(first=1911), False), (2, says(first=1809), True))
    for workers in (1, 2):
        run_stage(inputs, tmp_path / str(workers), [file], workers=workers)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir() if p.is_file()} for n in ("1", "2"))
    assert one == two and "agreement.json" in one and not any(name.startswith("join-") for name in one)


def test_damaged_lines_are_counted_and_invalid_answers_left_out(inputs, tmp_path):
    file = given(tmp_path / "answers.jsonl", *[(1, says(first=1911), False)] * 20, (3, says(first=0), False))
    with file.open("ab") as raw:
        raw.write(b'{"request": "torn')
    rows, counts = run_stage(inputs, tmp_path / "out", [file])
    assert counts.drops == {"answer invalid": 1, "answer unreadable": 1}
    assert (rows[1]["first_known"], rows[3]["first_known"]) == (19110101, None)


def test_a_file_that_holds_no_answers_is_a_fault(inputs, tmp_path):
    file = tmp_path / "prose.txt"
    file.write_text("This is prose.\n" * 10)
    with pytest.raises(FaultError, match="10 of 10 lines are no answers"):
        run_stage(inputs, tmp_path / "out", [file])


def test_an_agreement_states_its_interval(tmp_path):
    counts = Counts()
    for year in (1900, 1900, 1905, 1950):
        compare(Answer.model_validate(says(first_known=year)), None, None, (19000101, 19001231), False, counts)
    write_agreement(counts, tmp_path)
    found = json.loads((tmp_path / "agreement.json").read_text())["questions"]["first known"]
    assert (found["compared"], [share["count"] for share in found["within"]]) == (4, [2, 2, 3])
    assert found["within"][0] == {"count": 2, "share": 0.5, "low": 0.0676, "high": 0.9324}
    assert not counts.tallies
    assert share_of(0, 0) == {"count": 0, "share": 0.0, "low": 0.0, "high": 1.0}


def test_a_folder_is_no_file_of_answers(tmp_path):
    with pytest.raises(UserError, match=r"cannot write .*: Is a directory"), open_answers(tmp_path):
        pass


def test_one_process_never_opens_a_file_twice(tmp_path):
    with open_answers(tmp_path / "a"), pytest.raises(UserError, match="another process"), open_answers(tmp_path / "a"):
        pass
