"""Stages and commands disturbed from beside: another user, a clock that jumps, a second run, ``clean`` while one runs.

    python benchmarks/campaign_disturbed.py FOLDER [--times 5]

Run it as root: only root can become another user. ``FOLDER`` as for ``campaign_kills.py``. What is refused has to be
told in one line with its mend, and afterwards the same command has to end in the bytes of an undisturbed run.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from campaign_kills import mounted, ready
from campaign_scenes import Scene, command_scenes, stage_scenes

NOBODY = 65534


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def jump():
    """A clock that is days ahead or behind at every look."""
    real, drawn = time.time, random.Random(1)
    time.time = lambda: real() + drawn.uniform(-1e6, 1e6)


def with_patch(scene, patch):
    """The scene with something more changed in its process."""
    before = scene.patch

    def both():
        before()
        patch()

    return Scene(scene.name, scene.words, scene.finished, scene.data, scene.links, both)


def refused(campaign, scene, name, prepare):
    """A command of another user, or on a disk that cannot be written; then that is mended."""
    campaign.take(scene)
    expected, _, _ = campaign.undisturbed(scene)
    scene.reset()
    campaign.said.touch()
    campaign.said.chmod(0o666)
    mend = prepare(scene)
    try:
        code, left = campaign.end(campaign.start(with_patch(scene, become_nobody)))
        campaign.row[name] += 1
        campaign.told(code, name)
        if not code:
            campaign.note("without a way on", f"{name}: it is not refused")
    finally:
        mend()
    campaign.check(expected, name, left)


def owned_by_another(scene):
    """The data folder belongs to another user."""
    scene.data.chmod(0o755)
    return lambda: None


def locks_of_another(scene):
    """All can write, but a lock that a killed process of another user left is there."""
    stage, key = scene.target.split("/")
    (scene.data / stage).mkdir(exist_ok=True)
    (scene.data / stage / f"{key}.lock").write_text("1")
    for path in (scene.data, scene.data / stage):
        path.chmod(0o777)
    return lambda: scene.data.chmod(0o755)


def partial_of_another(scene):
    """All can write, but the unfinished folder is another user's."""
    stage, key = scene.target.split("/")
    (scene.data / stage / f"{key}.partial" / ".shards").mkdir(parents=True)
    for path in (scene.data, scene.data / stage):
        path.chmod(0o777)
    return lambda: scene.data.chmod(0o755)


def read_only(scene):
    """The data folder lies on a disk that is mounted for reading."""
    mounted(scene.data, "size=64m")
    scene.reset()
    scene.data.chmod(0o777)
    subprocess.run(["mount", "-o", "remount,ro", scene.data], check=True)
    return lambda: subprocess.run(["umount", scene.data], check=True)


def jumping(campaign, scene):
    """The clock jumps under the command; the bytes are the same."""
    campaign.take(scene)
    expected, _, _ = campaign.undisturbed(scene)
    scene.reset()
    code, left = campaign.end(campaign.start(with_patch(scene, jump)))
    campaign.row["clock"] += 1
    campaign.told(code, "a clock that jumps")
    campaign.compare(expected, "a clock that jumps")
    campaign.check(expected, "a clock that jumps", left)


def twice(campaign, scene, wait):
    """The same command twice at once: each ends well or says who is at it."""
    campaign.take(scene)
    expected, _, _ = campaign.undisturbed(scene)
    scene.reset()
    said, codes = campaign.said, []
    first, campaign.said = campaign.start(scene), campaign.folder / "second.txt"
    time.sleep(wait)
    second = campaign.start(scene)
    for child, told in ((second, campaign.said), (first, said)):
        campaign.said = told
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        campaign.told(codes[-1], f"two at once, {codes}")
    campaign.row["two at once"] += 1
    if 0 not in codes:
        campaign.note("without a way on", f"two at once: {codes}: {campaign.said.read_text()[-500:]}")
    campaign.check(expected, f"two at once after {wait:.2f} s")


def beside_clean(campaign, scene, data):
    """A run from its beginning, with ``deepred clean`` again and again beside it."""
    campaign.take(scene)
    expected, _, _ = campaign.undisturbed(scene)
    scene.reset()
    said, campaign.said = campaign.said, campaign.folder / "clean.txt"
    clean = Scene("clean", ["clean", "--data", str(data)], scene.finished, data)
    child = campaign.start(scene)
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        code = os.waitstatus_to_exitcode(os.waitpid(campaign.start(clean), 0)[1])
        campaign.row["clean beside it"] += 1
        if code:
            campaign.told(code, "clean")
    campaign.said = said
    if os.waitstatus_to_exitcode(done[1]):
        campaign.note("without a way on", f"clean beside it: {(campaign.folder / 'clean.txt').read_text()[-600:]}")
    campaign.check(expected, "clean beside it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    campaign, finished, data, url = ready(options.folder)
    campaign.rows, campaign.keep = {}, lambda: None
    stages = {scene.name: scene for scene in stage_scenes(finished, data, set(), by_arm=True)}
    commands = {scene.name: scene for scene in command_scenes(finished, data, url)}
    try:
        for name in ("books", "pretrain@filtered"):
            scene = stages[name]
            scene.target = target(campaign, scene)
            for what in (owned_by_another, locks_of_another, partial_of_another, read_only):
                refused(campaign, scene, "another user or a read-only disk", what)
        for scene in commands.values():
            refused(campaign, scene, "another user or a read-only disk", owned_by_another)
        for scene in [*(stages[name] for name in ("books", "tokenizer", "pretrain@filtered", "sft", "merge", "report")),
                      *commands.values()]:  # fmt: skip
            jumping(campaign, scene)
        drawn = random.Random(1)
        for scene in (stages["articles"], stages["tokenizer"], stages["pretrain@filtered"], *commands.values()):
            for _ in range(options.times):
                twice(campaign, scene, drawn.uniform(0, 0.5))
        whole = Scene("classes, from the beginning", stages["classes"].words, finished, data)
        beside_clean(campaign, whole, data)
    finally:
        os.kill(campaign.server, signal.SIGKILL)
    columns = ("another user or a read-only disk", "clock", "two at once", "clean beside it", "without a way on",
               "other bytes", "left behind", "tracebacks", "no mend told")  # fmt: skip
    print(f"| stage or command | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, row in [*campaign.rows.items(), ("all", sum(campaign.rows.values(), Counter()))]:
        print(f"| {name} | {' | '.join(str(row[column]) for column in columns)} |")


def target(campaign, scene):
    """The folder, stage/key, that a stage's scene makes."""
    expected, _, _ = campaign.undisturbed(scene)
    return next(name.removesuffix("/manifest.json") for name in expected if name.endswith("/manifest.json"))


if __name__ == "__main__":
    sys.exit(main())
