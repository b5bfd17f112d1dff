"""Files that two processes may write, and one may die over."""

import os
import subprocess
import sys

from deepred.base.files import remove_abandoned, write_json


def test_what_a_dead_process_left_of_its_writing_goes_and_what_a_living_one_writes_stays(tmp_path):
    path = tmp_path / "runs[1].json"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, own, other = (tmp_path / f"runs[1].json.{end}.tmp" for end in (gone.pid, os.getpid(), "x"))
    for left in (dead, own, other, tmp_path / f"runs1.json.{gone.pid}.tmp"):
        left.write_text("half", encoding="utf-8")
    remove_abandoned(path)
    assert not dead.exists() and own.exists() and other.exists() and (tmp_path / f"runs1.json.{gone.pid}.tmp").exists()
    write_json(path, {})
    assert not own.exists()
