import fcntl
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.run import status
from deepred.run.build import execute
from deepred.run.config import Run
from deepred.run.runner import Pipeline, is_complete, read_manifest
from deepred.run.settings import Settings
from deepred.run.stage import Silent, Stage
from deepred.run.unfinished import hold_lock

NUMBERS = Stage("shards", 1, "fakes:write_numbers", "numbers", reads=("seed",))


def pipeline(tmp_path, stages=(NUMBERS,), workers=1, **keys):
    run = Run.model_validate({"name": "test", "arms": ["filtered", "floor"], **keys})
    return Pipeline(run, stages, Settings(data=tmp_path / "data", workers=workers))


def build(line, until=None):
    execute(line, Silent(), until)
    return line.folder(line.nodes[-1])


def test_a_stage_writes_its_files_manifest_and_counts(tmp_path):
    folder = build(pipeline(tmp_path))
    manifest = read_manifest(folder)
    assert sorted(manifest["files"]) == [f"numbers-{index:05d}.txt" for index in range(4)]
    assert manifest["counts"]["numbers"] == {"documents": 40}
    assert manifest["counts"]["drops"] == {"odd": 6}
    assert not folder.with_name(folder.name + ".partial").exists()


def test_running_again_does_nothing(tmp_path):
    folder = build(pipeline(tmp_path))
    before = (folder / "manifest.json").stat().st_mtime_ns
    build(pipeline(tmp_path))
    assert (folder / "manifest.json").stat().st_mtime_ns == before


def test_output_does_not_depend_on_the_number_of_workers(tmp_path):
    one = read_manifest(build(pipeline(tmp_path / "one")))
    two = read_manifest(build(pipeline(tmp_path / "two", workers=2)))
    assert one["output"] == two["output"]
    assert one["counts"] == two["counts"]


def test_the_key_changes_with_what_the_stage_reads_and_with_nothing_else(tmp_path):
    line = pipeline(tmp_path)
    key = line.key(line.nodes[0])
    for keys, changes in [
        ({"seed": 2}, True),
        ({"shards": {"tokens_per_file": 5000}}, True),
        ({"cutoff": date(1990, 1, 1)}, False),
        ({"pretrain": {"tokens": 1000}}, False),
    ]:
        other = pipeline(tmp_path, **keys)
        assert (other.key(other.nodes[0]) != key) is changes, keys


def test_a_raised_version_changes_the_key_of_the_stage_and_of_what_follows(tmp_path):
    follow = Stage("report", 1, "fakes:list_outputs", "list", reads=("cutoff",), needs_all=True)
    old = pipeline(tmp_path, (NUMBERS, follow))
    new = pipeline(tmp_path, (Stage("shards", 2, "fakes:write_numbers", "numbers", reads=("seed",)), follow))
    assert old.key(old.nodes[0]) != new.key(new.nodes[0])
    assert old.key(old.nodes[1]) != new.key(new.nodes[1])


def test_an_arm_that_does_not_differ_uses_the_filtered_output(tmp_path):
    mixture = Stage("passages", 1, "fakes:write_numbers", "x", reads=("seed",))
    armed = Stage(
        "mixture", 1, "fakes:write_numbers", "y", needs=("passages",), reads=("arm",), arms=("filtered", "floor")
    )
    line = pipeline(tmp_path, (mixture, armed))
    assert [node.name for node in line.nodes] == ["passages", "mixture@filtered", "mixture@floor"]
    assert line.nodes[1].needs["passages"] is line.nodes[2].needs["passages"]
    assert line.key(line.nodes[1]) != line.key(line.nodes[2])


def test_a_stage_of_the_whole_run_is_given_every_folder(tmp_path):
    follow = Stage("report", 1, "fakes:list_outputs", "list", reads=("cutoff",), needs_all=True)
    folder = build(pipeline(tmp_path, (NUMBERS, follow)))
    assert (folder / "names.txt").read_text(encoding="utf-8") == "shards"


def test_an_absent_optional_section_leaves_its_stage_out(tmp_path):
    books = Stage("books", 1, "fakes:copy_files", "books")
    assert not pipeline(tmp_path, (books,)).nodes


def test_files_enter_the_key_by_content_not_by_place(tmp_path):
    books = Stage("books", 1, "fakes:copy_files", "books")
    keys = []
    for folder, text in [("a", "one"), ("b", "one"), ("c", "two")]:
        path = tmp_path / folder / "book.txt"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        line = pipeline(tmp_path, (books,), books={"files": [str(path)]})
        keys.append(line.key(line.nodes[0]))
    assert keys[0] == keys[1] != keys[2]


def test_a_missing_file_is_found_before_anything_runs(tmp_path):
    books = Stage("books", 1, "fakes:copy_files", "books")
    line = pipeline(tmp_path, (NUMBERS, books), books={"files": [str(tmp_path / "none.txt")]})
    with pytest.raises(UserError, match=r"books\.files: .*none\.txt does not exist"):
        execute(line, Silent())
    assert not (tmp_path / "data" / "shards").exists()


def test_finished_output_opens_without_its_files(tmp_path):
    books = Stage("books", 1, "fakes:copy_files", "books")
    follow = Stage("report", 1, "fakes:list_outputs", "list", reads=("cutoff",), needs_all=True)
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path in paths:
        path.write_text(path.stem, encoding="utf-8")

    def line(*stages, **books):
        return pipeline(tmp_path, stages, books={"files": [str(tmp_path / "*.txt")], **books})

    folder = build(line(books))
    for path in paths:
        path.unlink()
    assert line(books).folder(line(books).nodes[0]) == folder
    assert status.node_status(line(books), line(books).nodes[0])["state"] == "done"
    assert status.verify_node(line(books), line(books).nodes[0]) == ([], 1)
    assert is_complete(build(line(books, follow)))  # what comes after it can be built
    with pytest.raises(UserError, match=r"books\.files: no file matches"):  # another output needs them
        execute(line(books, public_domain=["US"]), Silent())
    paths[0].write_text("other", encoding="utf-8")  # what is there counts, not what was
    other = line(books)
    assert other.key(other.nodes[0]) != folder.name


def test_a_full_disk_is_one_line_and_leaves_nothing_that_counts_as_complete(tmp_path):
    full = Stage("gguf", 1, "fakes:fail_on_disk", "full")
    line = pipeline(tmp_path, (full,))
    with pytest.raises(FaultError, match=r"gguf: the disk is full at .*more\.txt"):
        execute(line, Silent())
    assert not line.folder(line.nodes[0]).exists()


def test_an_occupied_output_is_refused(tmp_path):
    line = pipeline(tmp_path)
    folder = line.folder(line.nodes[0])
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"exists but holds no manifest\.json"):
        execute(line, Silent())
    assert (folder / "thesis.txt").exists()


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write to"):
        execute(pipeline(tmp_path), Silent())


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from run.test_runner import build, pipeline
if __name__ == "__main__":
    build(pipeline(Path({tmp!r}), workers=2))
"""


def run_script(tmp_path, **environment):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parents[1]), tmp=str(tmp_path)), encoding="utf-8")
    env = {**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        [sys.executable, str(script)], env=env, capture_output=True, text=True, timeout=300, check=False
    )


def test_kill_9_then_the_same_command_gives_the_same_output(tmp_path):
    expected = read_manifest(build(pipeline(tmp_path / "whole")))
    (tmp_path / "kill").touch()
    killed = run_script(tmp_path, FAKE_KILL=str(tmp_path / "kill"))
    assert killed.returncode == -signal.SIGKILL
    line = pipeline(tmp_path)
    folder = line.folder(line.nodes[0])
    assert not is_complete(folder)
    assert status.node_status(line, line.nodes[0])["state"] == "begun"
    assert run_script(tmp_path).returncode == 0
    manifest = read_manifest(folder)
    assert manifest["output"] == expected["output"]
    assert manifest["counts"] == expected["counts"]


def test_a_worker_that_is_killed_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "kill").touch()
    monkeypatch.setenv("FAKE_KILL", str(tmp_path / "kill"))
    monkeypatch.setenv("FAKE_WORKER", "1")
    with pytest.raises(FaultError, match="a worker process died"):
        execute(pipeline(tmp_path, workers=2), Silent())


def test_verify_finds_damage_loss_and_strangers(tmp_path):
    line = pipeline(tmp_path)
    folder = build(line)
    assert status.verify_node(line, line.nodes[0]) == ([], 4)
    (folder / "numbers-00000.txt").write_text("9", encoding="utf-8")
    (folder / "numbers-00001.txt").unlink()
    (folder / "stranger.txt").touch()
    problems, _ = status.verify_node(line, line.nodes[0])
    for part in ("00000.txt is damaged", "00001.txt is missing", "stranger.txt does not belong"):
        assert any(part in problem for problem in problems), part


def test_clean_keeps_what_the_latest_run_uses_and_removes_the_rest(tmp_path):
    old = build(pipeline(tmp_path, seed=1))
    new = build(pipeline(tmp_path, seed=2))
    unfinished = new.with_name("0123.partial")
    unfinished.mkdir()
    settings = Settings(data=tmp_path / "data")
    assert [folder for folder, _ in status.remove_unused(settings, None, dry_run=True)] == sorted([old, unfinished])
    assert old.exists()
    assert len(list(status.remove_unused(settings, None, dry_run=False))) == 2
    assert not old.exists()
    assert new.exists()
    assert [folder for folder, _ in status.remove_unused(settings, "test", dry_run=False)] == [new]


def test_clean_beside_a_run_or_after_its_kill_leaves_what_it_uses(tmp_path):
    line = pipeline(tmp_path, (NUMBERS, Stage("tokenizer", 1, "fakes:stop_here", "stops", needs=("shards",))))
    with pytest.raises(KeyboardInterrupt):
        execute(line, Silent())
    removed = [folder.name for folder, _ in status.remove_unused(line.settings, None, dry_run=False)]
    assert removed == [f"{line.key(line.nodes[1])}.partial"]
    other = pipeline(tmp_path, seed=2)
    build(other)  # the run has another seed now: what an older one began is given up
    assert [folder for folder, _ in status.remove_unused(line.settings, None, dry_run=False)] == [
        line.folder(line.nodes[0])
    ]


def test_clean_does_not_forget_a_run_that_is_under_way(tmp_path):
    line = pipeline(tmp_path)
    build(line)
    with hold_lock(line.folder(line.nodes[0])), pytest.raises(UserError, match="test is under way"):
        list(status.remove_unused(line.settings, "test", dry_run=False))
    assert len(list(status.remove_unused(line.settings, "test", dry_run=False))) == 1


def test_lock_that_its_holder_removes_while_another_takes_it_is_taken_anew(tmp_path, monkeypatch):
    final, path = tmp_path / "key", tmp_path / "key.lock"
    flock, taken = fcntl.flock, []

    def late(file, how):
        if not taken:
            path.unlink()  # between the opening and the locking
        taken.append(file)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with hold_lock(final):
        assert len(taken) == 2 and path.read_text(encoding="utf-8") == str(os.getpid())
        with pytest.raises(UserError, match=f"is being built by process {os.getpid()}"), hold_lock(final):
            pass
    assert not path.exists()


@pytest.mark.parametrize("refused", ["mkdir", "rename"])
def test_what_the_system_refuses_is_one_line_wherever_in_a_stage(tmp_path, monkeypatch, refused):
    line = pipeline(tmp_path)
    call = getattr(os, refused)

    def refusing(path, *arguments, **options):
        if str(path).endswith(".partial"):
            raise OSError(5, "Input/output error", str(path))
        return call(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, refused, refusing)
        if refused == "rename":
            patch.setattr(os, "replace", refusing)
        with pytest.raises(FaultError, match=r"shards: Input/output error: .*partial \(the same command goes on"):
            build(line)
    assert is_complete(build(line))


def test_clean_keeps_what_a_run_built_beyond_the_last_stage_that_was_asked_for(tmp_path):
    stages = (NUMBERS, Stage("tokenizer", 1, "fakes:write_numbers", "more numbers", reads=("seed",)))
    settings = Settings(data=tmp_path / "data")
    trained = build(pipeline(tmp_path, stages))
    build(pipeline(tmp_path, stages), "shards")
    assert list(status.remove_unused(settings, None, dry_run=True)) == []
    build(pipeline(tmp_path, stages, seed=2), "shards")
    removed = [folder for folder, _ in status.remove_unused(settings, None, dry_run=True)]
    assert len(removed) == 2 and trained in removed


def test_two_runs_do_not_build_the_same_output(tmp_path):
    line = pipeline(tmp_path)
    folder = line.folder(line.nodes[0])
    folder.parent.mkdir(parents=True)
    with folder.with_name(folder.name + ".lock").open("w", encoding="utf-8") as lock:
        lock.write("4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert status.node_status(line, line.nodes[0])["state"] == "running"
        with pytest.raises(UserError, match="is being built by process 4711"):
            execute(line, Silent())
    execute(line, Silent())
    assert is_complete(folder)


def test_kill_before_any_renaming_or_removal_leaves_what_the_same_command_finishes(tmp_path):
    script = [sys.executable, str(Path(__file__).with_name("crash_points.py")), str(tmp_path), "facts"]
    small = ["--set", "world.facts=4", "--set", "world.mentions=2"]
    done = subprocess.run([*script, *small], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[1]) > 20, "the stage renames and removes more than that"


def test_stage_finds_the_same_process_whatever_ran_before_it(tmp_path):
    import torch  # a stage that loads it itself states its threads itself

    assert torch.get_num_threads()
    traces = Stage("shards", 1, "fakes:leave_traces", "traces")
    state = Stage("tokenizer", 1, "fakes:note_state", "state")
    alone = build(pipeline(tmp_path / "alone", (state,)))
    behind = build(pipeline(tmp_path / "behind", (traces, state)))
    assert (alone / "state.txt").read_text() == (behind / "state.txt").read_text()
    assert "left" not in (behind / "state.txt").read_text()


def test_small_training_leaves_its_thread_to_itself():
    import torch

    from deepred.train.device import DEFAULT_THREADS, set_threads

    before = torch.get_num_threads()
    try:
        set_threads(0, torch.nn.Linear(2, 2))
        assert torch.get_num_threads() == 1
        set_threads(0)
        assert torch.get_num_threads() == DEFAULT_THREADS
    finally:
        torch.set_num_threads(before)
