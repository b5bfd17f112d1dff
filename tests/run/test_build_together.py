from dataclasses import replace

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.run.build import execute, execute_side_by_side
from deepred.run.config import Run
from deepred.run.runner import Pipeline, is_complete
from deepred.run.settings import Settings
from deepred.run.stage import Silent, Stage

ARMS = ("filtered", "unfiltered", "floor")
TRAIN = Stage("pretrain", 1, "fakes:train", "x", reads=("arm", "seed"), arms=ARMS, together=True)


class Recorder(Silent):
    """Keeps what was shown, of all lines."""

    def __init__(self, seen, label=""):
        self.seen = seen
        self.label = label

    def line(self, label=""):
        return Recorder(self.seen, label)

    def start(self, stage, arm, total):
        self.seen.append(("start", ", ".join(filter(None, (arm, self.label)))))

    def finish(self, state, seconds, counts):
        self.seen.append((state, counts.numbers["steps"] if counts else None))


def pipeline(tmp_path, together=True):
    run = Run.model_validate({"name": "test"})
    return Pipeline(run, (TRAIN,), Settings(data=tmp_path / "data", workers=2, together=together))


def test_arms_built_together_are_the_same_as_one_after_the_other(tmp_path):
    outputs = []
    for together in (True, False):
        line = pipeline(tmp_path / str(together), together)
        execute(line, Silent())
        outputs.append([(line.folder(node) / "model.txt").read_text(encoding="utf-8") for node in line.nodes])
    assert outputs[0] == outputs[1] == [f"{arm} 1\n" for arm in ARMS]


def test_every_arm_is_shown_on_a_line_of_its_own(tmp_path):
    seen = []
    execute(pipeline(tmp_path), Recorder(seen))
    assert sorted(seen, key=str) == sorted([("start", arm) for arm in ARMS] + [("done", 3)] * 3, key=str)


def test_an_arm_that_fails_is_explained_and_the_others_end(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_FAIL", "unfiltered")
    line = pipeline(tmp_path)
    with pytest.raises(UserError, match=r"unfiltered is wrong \(mend it\)"):
        execute(line, Silent())
    assert [is_complete(line.folder(node)) for node in line.nodes] == [True, False, True]


def test_an_arm_whose_process_dies_is_a_fault_and_the_next_run_builds_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DIE", "floor")
    line = pipeline(tmp_path)
    with pytest.raises(FaultError, match="pretrain@floor: its process died"):
        execute(line, Silent())
    monkeypatch.delenv("FAKE_DIE")
    execute(line, Silent())
    assert all(is_complete(line.folder(node)) for node in line.nodes)


def test_an_arm_that_begins_with_another_waits_for_it_and_is_given_it(tmp_path):
    for together in (True, False):
        line = continuing(tmp_path / str(together), together)
        execute(line, Silent())
        text = (line.folder(line.node("pretrain", "continued")) / "model.txt").read_text(encoding="utf-8")
        assert text == "continued 1\nafter unfiltered 1\n"


def test_an_arm_whose_beginning_failed_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_FAIL", "unfiltered")
    line = continuing(tmp_path, together=True)
    with pytest.raises(UserError, match="unfiltered is wrong"):
        execute(line, Silent())
    built = {node.arm for node in line.nodes if is_complete(line.folder(node))}
    assert built == {"filtered", "floor"}


def test_more_arms_than_workers_take_turns(tmp_path):
    line = continuing(tmp_path, together=True, workers=1)
    execute(line, Silent())
    assert all(is_complete(line.folder(node)) for node in line.nodes)


def test_arms_of_several_runs_are_built_side_by_side_and_what_they_share_once(tmp_path):
    first, second, same = (continuing(tmp_path, together=True, seed=seed) for seed in (1, 2, 1))
    seen = []
    lines = {"seed 1": first, "seed 2": second, "seed 1 again": same}
    execute_side_by_side(lines, Recorder(seen), ("pretrain",))
    shown = [arm for kind, arm in seen if kind == "start"]
    assert sorted(shown) == sorted(f"{arm}, seed {seed}" for arm in (*ARMS, "continued") for seed in (1, 2))
    assert all(is_complete(line.folder(node)) for line in lines.values() for node in line.nodes)


def test_what_waits_for_another_arm_begins_last(tmp_path):
    lines = {f"seed {seed}": continuing(tmp_path, together=True, workers=1, seed=seed) for seed in (1, 2)}
    seen = []
    execute_side_by_side(lines, Recorder(seen), ("pretrain",))
    shown = [arm.rpartition(",")[0] for kind, arm in seen if kind == "start"]
    assert shown == [*ARMS, *ARMS, "continued", "continued"]


def test_a_process_builds_one_arm_after_another_and_is_replaced_where_it_died(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DIE", "unfiltered")
    line = continuing(tmp_path, together=True, workers=1)
    with pytest.raises(FaultError, match="pretrain@unfiltered: its process died"):
        execute(line, Silent())
    assert {node.arm for node in line.nodes if is_complete(line.folder(node))} == {"filtered", "floor"}
    monkeypatch.delenv("FAKE_DIE")
    execute(line, Silent())
    processes = {node.arm: (line.folder(node) / "process.txt").read_text(encoding="utf-8") for node in line.nodes}
    assert processes["unfiltered"] == processes["continued"]
    assert len(set(processes.values())) == 3


def continuing(tmp_path, together, workers=2, seed=1):
    stage = replace(TRAIN, arms=(*ARMS, "continued"), begins_with=(("continued", "unfiltered"),))
    run = Run.model_validate({"name": "test", "seed": seed, "arms": ["continued", *ARMS]})
    return Pipeline(run, (stage,), Settings(data=tmp_path / "data", workers=workers, together=together))
