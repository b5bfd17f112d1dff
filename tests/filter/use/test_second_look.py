from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chat_server import completion, llama_server, readable
from deepred.asking.replies import ANSWERED, MALFORMED, SCHEMA
from deepred.base.errors import UserError
from deepred.base.tables import read_rows, write_rows
from deepred.cli.main import app
from deepred.filter import fit
from deepred.filter.judge import MODEL
from deepred.filter.measure.label_sheet import read_labels
from deepred.filter.model_answers import sentence_hash
from deepred.filter.use.second_look import Built, look_again, request_hash
from deepred.run.config import SecondLook, load_run
from deepred.run.stage import Counts

CUTOFF = 19690720
LATE = (200, completion('{"label": "P", "why": "the network"}'))
OLD = "Horses walked by the old canal to the steam mill."
NEW = "A web server runs software on the new network."
EARLY = "The steam mill by the canal was run with horses in {Y}. Canals were used."
LATER = "The web server on the network was run with software in {Y}. Networks were used."
DOUBTFUL = 3 * 30 + 2
"""Sentences of the corpus below without a later date: two or one of every dated article, and two by themselves."""


@pytest.fixture(scope="module")
def shared() -> list[Any]:
    """The one corpus of these tests, once the first of them has made it."""
    return []


@pytest.fixture
def built(make_road: Any, monkeypatch: pytest.MonkeyPatch, shared: list[Any]) -> tuple[Any, Built]:
    """A filtered corpus in which every second sentence has no date, and its folders."""
    if not shared:
        monkeypatch.setattr(fit, "LEAST", 50)
        pages: list[tuple[str, str]] = []
        for i in range(30):
            pages.append((f"Early {i}", EARLY.replace("{Y}", str(1800 + i))))
            pages.append((f"Later {i}", LATER.replace("{Y}", str(1970 + i % 40))))
        shared.append(make_road([*pages, ("New", NEW), ("Old", OLD)]))
        shared[0].filter()
    road = shared[0]
    folders = {name: road.root / name for name in ("articles", "emergence", "classes", "passages")}
    return road, Built(**folders, cutoff=CUTOFF, straddling="drop", threshold=0.42, seed=1)


def filter_with(road: Any, out: str, *answers: Path) -> Counts:
    """The stage with answers, and with the model that was fitted before."""
    shutil.rmtree(road.root / out, ignore_errors=True)
    shutil.copy(road.root / "passages" / MODEL, road.folder(out) / MODEL)
    return road.filter(out, sources={"answers": list(answers)})


def look(built: Built, out: Path, url: str, told: list[str] | None = None, plan: bool = False, **config: Any) -> Any:
    wide = {"low": 0.0, "high": 1.0, "model": "m", "url": url} | config
    tell = (told if told is not None else []).append
    return look_again(
        built, out, config=SecondLook(**wide), plan_only=plan, tell=tell, progress=lambda tally, total: None
    )


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_bytes().splitlines()]


def answer(out: Path, **labels: str) -> Path:
    """A file of answers on the sentences of the articles Old and New."""
    texts = {"Old": OLD, "New": NEW}
    lines = [{"hash": sentence_hash(title, texts[title]), "label": label} for title, label in labels.items()]
    out.write_text("".join(json.dumps(line | {"cutoff": "1969-07-20"}) + "\n" for line in lines), encoding="utf-8")
    return out


def test_each_doubtful_sentence_is_asked_once_and_answers_are_labels(built: Any, serve: Any, tmp_path: Path) -> None:
    out, told = tmp_path / "look.jsonl", []
    server = serve(lambda title, times: LATE)
    tally = look(built[1], out, server.url, told)
    rows = rows_of(out)
    assert tally.outcomes == {ANSWERED: len(rows)} and len(rows) == DOUBTFUL
    assert read_labels([out]) == {row["hash"]: "P" for row in rows}
    assert {sentence_hash(row["title"], row["sentence"]) for row in rows} == {row["hash"] for row in rows}
    assert not any("was run with software" in row["sentence"] for row in rows), "direct evidence is not asked about"
    assert f"{DOUBTFUL} sentences have a probability" in told[0]
    assert f"{DOUBTFUL - 8} sentences to ask about" in told[1] and "tokens sent" in told[1]
    assert not look(built[1], out, server.url).outcomes, "nothing is asked twice"
    assert len(server.asked) == DOUBTFUL


def test_the_order_is_drawn_by_the_seed_and_a_limit_takes_its_beginning(built: Any, serve: Any, tmp_path: Path) -> None:
    server = serve(lambda title, times: LATE)
    hashes = []
    for name, limit in (("a", 16), ("b", 16), ("c", 8)):
        look(built[1], tmp_path / name, server.url, concurrency=1, limit=limit)
        hashes.append([row["hash"] for row in rows_of(tmp_path / name)])
    assert hashes[0] == hashes[1] and hashes[2] == hashes[0][:8] and hashes[0] != sorted(hashes[0])
    places = [row["title"] for row in rows_of(tmp_path / "a")]
    assert places != sorted(places)


def test_only_the_band_is_asked_about_and_a_plan_asks_a_few(built: Any, serve: Any, tmp_path: Path) -> None:
    server = serve(lambda title, times: LATE)
    look(built[1], tmp_path / "all", server.url)
    chances = [row["probability"] for row in rows_of(tmp_path / "all")]
    middle = sorted(chances)[len(chances) // 2]
    look(built[1], tmp_path / "some", server.url, low=middle - 0.00005)  # the file rounds to four digits
    some = sorted(row["probability"] for row in rows_of(tmp_path / "some"))
    assert some == sorted(chance for chance in chances if chance >= middle)
    asked, told = len(server.asked), []
    look(built[1], tmp_path / "plan", server.url, told, plan=True)
    assert len(server.asked) - asked == 8 == len(rows_of(tmp_path / "plan"))


def test_a_question_holds_title_marked_sentence_and_cutoff(built: Any, serve: Any, tmp_path: Path) -> None:
    bodies = []
    server = serve(lambda title, times: LATE)
    server.hear = bodies.append
    look(built[1], tmp_path / "look.jsonl", server.url)
    question = next(b for b in bodies if b["messages"][1]["content"].endswith("in 1803. >>>Canals were used.<<<"))
    said = "The steam mill by the canal was run with horses in 1803. >>>Canals were used.<<<"
    assert question["messages"][1]["content"] == f"Title: Early 3\n\n{said}"
    assert "Cutoff: 1969-07-20." in question["messages"][0]["content"]
    schema = question["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["label"]["enum"] == ["P", "C", "A"]
    config = SecondLook(model="m")
    assert request_hash(config, CUTOFF) != request_hash(config, 19291029)


def test_malformed_replies_are_kept_without_a_label(built: Any, serve: Any, tmp_path: Path) -> None:
    replies = {"Old": "I think so.", "New": '{"label": "X", "why": ""}', "Later 1": "[]", "Later 2": '{"label": "P"'}
    out = tmp_path / "look.jsonl"
    server = serve(lambda title, times: (200, completion(replies[title])) if title in replies else LATE)
    tally = look(built[1], out, server.url)
    assert tally.outcomes == {ANSWERED: DOUBTFUL - 4, MALFORMED: 3, SCHEMA: 1}
    assert len(read_labels([out])) == DOUBTFUL - 4
    filter_with(built[0], "again", out)


KILLED = """
import json, sys
from pathlib import Path
from deepred.run.config import SecondLook
from deepred.filter.judge import MODEL
from deepred.filter.use.second_look import Built, look_again
built, out, url = json.loads(sys.argv[1]), *sys.argv[2:]
built |= {name: Path(built[name]) for name in ("articles", "emergence", "classes", "passages")}
look_again(Built(**built), Path(out), config=SecondLook(url=url, model="m", low=0, high=1), plan_only=False,
           tell=lambda line: None, progress=lambda tally, total: None)
"""


def test_after_a_kill_no_decision_is_lost_or_made_twice(built: Any, serve: Any, tmp_path: Path) -> None:
    out, told = tmp_path / "look.jsonl", []

    def slowly(title: str, times: int) -> tuple[int, str]:
        time.sleep(0.03)
        return LATE

    server = serve(slowly)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, json.dumps(asdict(built[1]), default=str), str(out), server.url]
    )
    while not out.exists() or out.read_bytes().count(b"\n") < 10:
        time.sleep(0.01)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with out.open("ab") as raw:
        raw.write(b'{"hash": "torn by the ki')
    kept = out.read_bytes().splitlines()[:-1]
    assert len(kept) < DOUBTFUL
    with pytest.raises(UserError, match=f"line {len(kept) + 1}: not a row"):
        filter_with(built[0], "torn", out)
    look(built[1], out, server.url, told)
    lines = out.read_bytes().splitlines()
    assert lines[: len(kept)] == kept and "1 line(s) torn" in told[0]
    assert len({row["hash"] for row in rows_of(out)}) == len(lines) == DOUBTFUL


@pytest.mark.needs("gguf")
def test_a_real_server_keeps_the_protocol(built: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPRED_LLM_KEY", "s3cret")
    out, wanted = tmp_path / "look.jsonl", 8
    with llama_server(tmp_path) as url:
        options = {"temperature": 0.8, "max_tokens": 120} | readable(tmp_path)
        tally = look(built[1], out, url, limit=wanted, concurrency=2, options=options)
    rows = rows_of(out)
    assert len({row["hash"] for row in rows}) == len(rows) == tally.replies == wanted
    assert any(row["outcome"] == ANSWERED for row in rows)
    assert all(row["label"] in ("P", "C", "A") for row in rows if row["outcome"] == ANSWERED)
    assert set(read_labels([out]).values()) <= {"P", "C", "A"} and tally.tokens_in > wanted * 100


@pytest.mark.parametrize(("label", "old_is_kept", "used"), [("P", False, 1), ("C", True, 1), ("A", True, 0)])
def test_the_stage_takes_answers(built: Any, tmp_path: Path, label: str, old_is_kept: bool, used: int) -> None:
    road, _ = built
    assert "Old" in road.kept() and "New" not in road.kept()
    file = answer(tmp_path / "a.jsonl", Old=label, New="C")
    counts = filter_with(road, "looked", file)
    assert ("Old" in road.kept("looked")) == old_is_kept
    assert counts.tallies["answers"].total() == 1 + used
    assert {k: v for k, v in road.kept("looked").items() if k not in ("Old", "New")} == {
        k: v for k, v in road.kept().items() if k not in ("Old", "New")
    }


def test_direct_evidence_is_stronger_than_an_answer(built: Any, tmp_path: Path) -> None:
    road, _ = built
    sentence = "The web server on the network was run with software in 1971."
    line = {"hash": sentence_hash("Later 1", sentence), "label": "C"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    filter_with(road, "looked", tmp_path / "a.jsonl")
    assert road.dropped("looked")[sentence] == "date"


def test_answers_for_another_cutoff_or_contradicting_ones_change_nothing(built: Any, tmp_path: Path) -> None:
    road, _ = built
    one, two = answer(tmp_path / "a.jsonl", Old="P"), answer(tmp_path / "b.jsonl", Old="C")
    filter_with(road, "contradicted", one, two)
    one.write_text(one.read_text().replace("1969-07-20", "1929-10-29"), encoding="utf-8")
    counts = filter_with(road, "other", one)
    assert road.kept("contradicted") == road.kept("other") == road.kept()
    assert counts.numbers["answers for another cutoff"] == 1


def test_answers_need_a_model_and_an_unfiltered_arm_ignores_them(make_road: Any, tmp_path: Path) -> None:
    road = make_road([("Old", OLD)])
    file = answer(tmp_path / "a.jsonl", Old="P")
    with pytest.raises(UserError, match=r"passages\.answers needs a fitted model"):
        road.filter(sources={"answers": [file]})
    road.filter("all", arm="unfiltered", sources={"answers": [file]})
    assert road.kept("all") == {"Old": OLD}


def test_a_file_that_is_none_of_answers_is_named(built: Any, tmp_path: Path) -> None:
    for text, said in (("hello\n", "line 1: not a row"), ('{"hash": "a", "label": "late"}\n', "label 'late'")):
        (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=said):
            filter_with(built[0], "looked", tmp_path / "a.jsonl")


def test_a_band_upside_down_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('name = "r"\n[second_look]\nmodel = "m"\nlow = 0.7\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"low = 0\.7 is not below high"):
        load_run(file)


def deepred(*words: object, data: Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], env={"DEEPRED_DATA": str(data), "COLUMNS": "160"})
    assert done.exit_code == 0, f"{done.output}{done.exception}"
    return done.output


def test_the_command_asks_and_the_run_takes_its_answers(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The section enters no stage's key; its answers enter that of passages, and an unanswered run stays as it was."""
    import pyarrow as pa

    monkeypatch.setattr(fit, "LEAST", 50)
    names = ("page_id", "title", "text")
    pages = [(i, f"{name} {i}", text.replace("{Y}", str(year + i % 40)))
             for i in range(30) for name, text, year in (("Early", EARLY, 1800), ("Later", LATER, 1970))]  # fmt: skip
    pages.append((99, "Old", OLD))
    schema = pa.schema([("page_id", pa.int64()), ("title", pa.string()), ("text", pa.string())])
    rows = (dict(zip(names, (number, *page[1:]), strict=True)) for number, page in enumerate(pages))
    write_rows(tmp_path / "articles.parquet", rows, schema)
    file, out, data = tmp_path / "run.toml", tmp_path / "look.jsonl", tmp_path / "data"
    text = f'name = "r"\narms = ["filtered"]\n[articles]\nplain = ["{tmp_path / "articles.parquet"}"]\n[passages]\n'
    file.write_text(text, encoding="utf-8")
    deepred("run", file, "--until", "passages", "--workers", "1", data=data)
    server = serve(lambda title, times: LATE)
    section = f'[second_look]\nmodel = "m"\nurl = "{server.url}"\nlow = 0.0\nhigh = 1.0\n'
    file.write_text(text + section, encoding="utf-8")
    said = deepred("filter", "look", file, "--out", out, data=data)
    assert "sentences to ask about" in said and f"answered {len(rows_of(out))}" in said
    file.write_text(text + f'answers = ["{out}"]\n' + section, encoding="utf-8")
    deepred("run", file, "--until", "passages", "--workers", "1", data=data)
    folders = list((data / "passages").iterdir())
    kept = [sum(1 for _ in read_rows(folder, "passages-*.parquet", ["title"])) for folder in folders]
    assert len(kept) == 2 and min(kept) < max(kept), "every answer was P"
    assert "nothing left to ask" in deepred("filter", "look", file, "--out", out, data=data)


def test_the_command_names_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('name = "r"\n', encoding="utf-8")
    for more, said in (("", "names no model"), ('[second_look]\nmodel = "m"\n', "not built yet without")):
        file.write_text(f'name = "r"\n{more}', encoding="utf-8")
        done = CliRunner().invoke(
            app, ["filter", "look", str(file), "--out", str(tmp_path / "o")], env={"DEEPRED_DATA": str(tmp_path)}
        )
        assert said in f"{done.output}{done.exception}"
