"""The whole road on a small world: once, again, with another cutoff, and interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepred.pipeline import STAGES as EVERY_STAGE
from deepred.run.build import execute
from deepred.run.config import load_run
from deepred.run.runner import Pipeline, is_complete, read_manifest
from deepred.run.settings import Settings
from deepred.run.stage import Silent

pytestmark = pytest.mark.needs("gguf")

ROOT = Path(__file__).parents[1]
SMALL = [
    "name=small",
    "world.facts=12",
    "world.mentions=4",
    "tokenizer.vocabulary=600",
    "pretrain.tokens=40000",
    "pretrain.checkpoint_steps=4",
    "pretrain.validate_steps=10",
    "pretrain.model.layers=1",
    "pretrain.model.width=64",
    "pretrain.model.feed_forward=128",
    "examples.count=60",
    "sft.epochs=1",
    "gguf.gate_strings=50",
    "evaluate.bootstrap=100",
]
STAGES = tuple(stage for stage in EVERY_STAGE if stage.name not in {"augment", "relearn"})
"""The demo has no teacher, so that it has no augmented text, and does not learn again what was cut."""
CUTOFF_FREE = {"world", "articles", "facts", "dates", "emergence"}


def small(data, *overrides):
    run = load_run(ROOT / "runs" / "demo.toml", [*SMALL, *overrides])
    return Pipeline(run, STAGES, Settings(data=data, workers=2, threads=1, device="cpu"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    data = tmp_path_factory.mktemp("road") / "data"
    execute(small(data), Silent())
    return data


def test_every_stage_of_the_table_ran_and_is_complete(finished):
    line = small(finished)
    in_filtered = [stage.name for stage in STAGES if "filtered" in stage.arms]
    assert [node.stage.name for node in line.nodes if node.arm == "filtered"] == in_filtered
    assert all(is_complete(line.folder(node)) for node in line.nodes)


def test_the_report_holds_what_it_promises(finished):
    line = small(finished)
    folder = line.folder(line.node("report"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for arm in (report, report["unfiltered"], report["floor"]):
        for side in ("before", "after"):
            assert set(arm[side]) >= {"accuracy", "low", "high", "families"}
            assert 0 <= arm[side]["low"] <= arm[side]["accuracy"] <= arm[side]["high"] <= 1
            assert arm[side]["families"] >= 10
    assert report["chance"] == 0.25
    assert Path(report["gguf"]).is_file()
    assert Path(report["html"]).is_file()
    assert {row["name"] for row in report["stages"]} == {node.stage.name for node in line.nodes} - {"report"}


def test_the_page_needs_nothing_from_outside(finished):
    line = small(finished)
    page = (line.folder(line.node("report")) / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    for part in ('src="http', 'href="http', "@import", "url(http"):
        assert part not in page, part


def test_running_again_does_nothing(finished):
    stamps = {path: path.stat().st_mtime_ns for path in finished.rglob("manifest.json")}
    execute(small(finished), Silent())
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("manifest.json")} == stamps


def test_another_cutoff_runs_again_from_classes_on_and_no_earlier(finished):
    old, new = small(finished), small(finished, "cutoff=1929-10-29")
    changed = {a.stage.name for a, b in zip(old.nodes, new.nodes, strict=True) if old.key(a) != new.key(b)}
    assert changed == {node.stage.name for node in old.nodes} - CUTOFF_FREE


def test_another_world_changes_everything(finished):
    old, new = small(finished), small(finished, "world.seed=2")
    assert all(old.key(a) != new.key(b) for a, b in zip(old.nodes, new.nodes, strict=True))


def test_nothing_was_dropped_without_a_reason(finished):
    line = small(finished)
    for node in line.nodes:
        drops = read_manifest(line.folder(node))["counts"]["drops"]
        assert all(reason and isinstance(count, int) for reason, count in drops.items()), node.name


def test_no_kept_sentence_names_a_later_year(finished):
    import re

    from deepred.base.tables import read_rows

    line = small(finished)
    later = re.compile(r"\b(?:19[789]\d|20[01]\d)\b(?! (?:km|men|copies))")
    passages = line.folder(line.node("passages"))
    texts = [row["text"] for row in read_rows(passages, "passages-*.parquet", ["text"])]
    assert texts
    in_year = [match.group() for text in texts for match in re.finditer(rf"\b[Ii]n {later.pattern}", text)]
    assert in_year == []


def run_small(data, until, **options):
    words = ["-m", "deepred", "run", str(ROOT / "runs" / "demo.toml"), "--data", str(data), "--workers", "2"]
    words += ["--until", until, *(word for override in SMALL for word in ("--set", override))]
    env = {**os.environ, "DEEPRED_THREADS": "1", "DEEPRED_DEVICE": "cpu"}
    return subprocess.Popen(
        [sys.executable, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


@pytest.mark.parametrize(
    ("stage", "sign"),
    [("articles", ""), ("shards", ""), ("pretrain", "checkpoints/*")],
)
def test_kill_9_then_the_same_command_gives_the_same_hashes(finished, tmp_path, stage, sign):
    data = tmp_path / "data"
    whole = small(finished)
    for node in whole.nodes:  # everything before the stage is there already: only the stage itself is interrupted
        if node.stage.name == stage:
            break
        folder = data / whole.folder(node).relative_to(finished)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(whole.folder(node))
    line = small(data)
    partial = line.folder(line.node(stage)).with_suffix(".partial")
    process = run_small(data, stage)
    deadline = time.monotonic() + 300
    while not (list(partial.glob(sign)) if sign else partial.exists()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_complete(line.folder(line.node(stage)))
    again = run_small(data, stage)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output
    for node in line.nodes:
        if node.stage.name == stage:
            expected = read_manifest(whole.folder(whole.node(node.name)))
            found = read_manifest(line.folder(node))
            assert found["output"] == expected["output"], node.name
            assert found["counts"]["drops"] == expected["counts"]["drops"]


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(finished, tmp_path):
    process = run_small(tmp_path / "data", "report", start_new_session=True)
    while not (tmp_path / "data" / "articles").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "the same command goes on" in output
    assert "Traceback" not in output


def test_probes_ask_about_the_worlds_own_facts(finished):
    line = small(finished)
    assert line.node("probes").needs["world"] is line.node("world")
    numbers = read_manifest(line.folder(line.node("probes")))["counts"]["numbers"]
    assert numbers["families_before"] == numbers["families_after"] == 120
