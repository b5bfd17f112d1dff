"""Every stage and four commands killed and disturbed at many points: the same command must end in the same bytes.

    python benchmarks/campaign_kills.py FOLDER [STAGE, STAGE@ARM or COMMAND …]
        [--points 30] [--faults 30] [--full 8] [--random 10] [--seed 1]

``FOLDER`` is a new folder, or one that an earlier call has filled. A small run with every stage and arm is built
first; the counts of all calls in a folder are added up. Then each stage, an arm at a time, and each command
(``index``, ``download``, ``teach``, ``date-llm``) is

- killed before its first renaming or removal of a file, before its second and so on, and right after each opening
  of a file for writing (``--points``: so many of each at most, evenly spread);
- refused the first renaming or removal, opening or making of a folder, the second and so on (``--faults``);
- given a disk too small for what it writes (``--full`` sizes; where a file system can be mounted);
- killed at random moments (``--random``, by ``--seed``), all arms at the same time in two workers: half of the times
  its process alone, else all of its group.

After each the same command, undisturbed, has to end in the bytes of an undisturbed run, and no file or process may be
left. What is refused has to be told in one line that says what mends it. Prints what went wrong and a Markdown table.
"""

import argparse
import contextlib
import ctypes
import errno
import functools
import importlib
import json
import os
import pkgutil
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import typer
from campaign_scenes import RUN, SETS, command_scenes, kept_search, serve, stage_scenes

import deepred

PR_SET_CHILD_SUBREAPER = 36
NAMES = ("os.rename", "os.remove", "os.rmdir")
WRITES = os.O_WRONLY | os.O_RDWR
COLUMNS = ("points", "random kills", "injected faults", "full disks", "without a way on", "other bytes", "left behind",
           "tracebacks", "no mend told")  # fmt: skip
SLOWEST = 300.0
"""Seconds after which a command counts as hanging."""


class Trap:
    """An audit hook that acts at the ``number``-th event of a kind: ``names``, ``opens`` or ``makes``."""

    def __init__(self, kind="", number=0, kills=True):
        self.kind, self.number, self.kills = kind, number, kills
        self.seen = Counter()
        self.sprung = False

    def __call__(self, event, arguments):
        kind = "names" if event in NAMES else "makes" if event == "os.mkdir" else ""
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            path = os.fsdecode(arguments[0]) if not isinstance(arguments[0], int) else "/dev/fd"
            kind = "" if path.startswith(("/dev/null", "/dev/tty", "/dev/fd", "/proc")) else "opens"
        if not kind or self.sprung:
            return
        self.seen[kind] += 1
        if kind == self.kind and self.seen[kind] == self.number:
            self.sprung = True
            self.act(arguments)

    def act(self, arguments):
        if not self.kills:
            code = errno.EACCES if self.kind == "opens" else errno.EIO
            raise OSError(code, os.strerror(code), os.fsdecode(arguments[0]))
        if self.kind == "opens":
            with contextlib.suppress(OSError):
                os.open(arguments[0], arguments[2], 0o666)
        os.kill(os.getpid(), signal.SIGKILL)


class Campaign:
    """Scenes tried one after another; what went wrong, by scene."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.said = folder / "said.txt"
        self.kept = folder / "rows.json"
        rows = json.loads(self.kept.read_text()) if self.kept.is_file() else {}
        self.rows = {name: Counter(row) for name, row in rows.items()}
        self.ends = {}
        self.random = random.Random(1)

    def start(self, scene, trap=None, workers=1):
        """Fork a process that runs the scene's command; its number."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = 99
        try:
            os.setsid()
            handle = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            os.environ |= {"DEEPRED_WORKERS": str(workers), "DEEPRED_TOGETHER": str(int(workers > 1)),
                           "TERM": "dumb", "COLUMNS": "200"}  # fmt: skip
            scene.patch()
            sys.argv = ["deepred", *scene.words]
            from deepred.cli.main import main

            if trap is not None:
                sys.addaudithook(trap)
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        if trap is not None:
            trap.sprung = True
            (self.folder / "seen.json").write_text(json.dumps([trap.seen, sorted(sys.modules)]))
        sys.stdout.flush()
        os._exit(code)

    def end(self, child):
        """Wait for a process and for all that it started; its exit status, and how many had to be killed."""
        deadline = time.monotonic() + SLOWEST
        while not (done := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                done = os.waitpid(child, 0)
                self.note("without a way on", "hangs")
                break
            time.sleep(0.005)
        deadline = time.monotonic() + 10
        while self.orphans() and time.monotonic() < deadline:
            time.sleep(0.01)
        left = self.orphans()
        for number in left:
            os.kill(number, signal.SIGKILL)
        return os.waitstatus_to_exitcode(done[1]), len(left)

    def orphans(self):
        """Processes that outlived the command: they become children of this one."""
        found = []
        for number in map(int, Path("/proc/thread-self/children").read_text().split()):
            if number != self.server and os.waitpid(number, os.WNOHANG) == (0, 0):
                found.append(number)
        return found

    def undisturbed(self, scene):
        """The end that counts: the scene's state, events by kind, seconds."""
        if scene.name in self.ends:
            return self.ends[scene.name]
        scene.reset()
        trap, began = Trap(), time.monotonic()
        code, _ = self.end(self.start(scene, trap))
        if code:
            raise SystemExit(f"{scene.name} fails undisturbed: {self.said.read_text()}")
        seconds = time.monotonic() - began
        seen, modules = json.loads((self.folder / "seen.json").read_text())
        for name in modules:
            if name not in sys.modules and not name.startswith("__"):
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        self.ends[scene.name] = self.state(scene), seen, seconds
        return self.ends[scene.name]

    def state(self, scene):
        found = scene.state()
        if scene.name == "`deepred index`":
            found = {name: value for name, value in found.items() if "/tantivy/" not in name}
            found["search"] = kept_search(scene)
        return found

    def check(self, expected, where, processes=0):
        """Run the command undisturbed and compare."""
        code, _ = self.end(self.start(self.scene))
        if code:
            return self.note("without a way on", f"{where}: the rerun fails: {self.said.read_text()[-600:]}")
        self.compare(expected, where)
        if processes:
            self.note("left behind", f"{where}: {processes} processes")
        return None

    def compare(self, expected, where, strictly=True):
        """Whether the state is the expected one; what is left beside it is for the next call, if not ``strictly``."""
        found = self.state(self.scene)
        if strictly and (more := sorted(found.keys() - expected.keys())):
            self.note("left behind", f"{where}: {more[:4]}")
        if other := sorted(name for name in expected if found.get(name) != expected[name]):
            self.note("other bytes", f"{where}: {other[:4]}")

    def note(self, column, what):
        self.row[column] += 1
        print(f"  {self.scene.name}: {column}: {what}", file=sys.stderr, flush=True)

    def take(self, scene):
        self.scene = scene
        self.row = self.rows.setdefault(scene.name.partition("@")[0], Counter())

    def points(self, scene, most, kills=True):
        """Kills (or refusals) at the events of a command."""
        self.take(scene)
        expected, seen, _ = self.undisturbed(scene)
        for kind in ("names", "opens") if kills else ("names", "opens", "makes"):
            total = seen.get(kind, 0)
            for number in sorted({1 + i * total // min(most, total) for i in range(min(most, total))}):
                scene.reset()
                where = f"{'killed' if kills else 'refused'} at {kind} {number} of {total}"
                code, left = self.end(self.start(scene, Trap(kind, number, kills)))
                if kills and code == -signal.SIGKILL:
                    self.row["points"] += 1
                elif not kills:
                    self.row["injected faults"] += 1
                    self.told(code, where)
                    if not code:
                        self.compare(expected, where + " and ends well", strictly=False)
                self.check(expected, where, left)

    def told(self, code, where):
        """Whether a refusal was told as it should be."""
        text = self.said.read_text(errors="replace")
        if "Traceback" in text:
            self.note("tracebacks", f"{where}: {text[-900:]}")
        elif code and not any(line.startswith("error:") and line.endswith(")") for line in text.splitlines()):
            self.note("no mend told", f"{where}: {text[-400:]}")

    def full(self, scene, sizes):
        """A disk that is too small, and then large enough."""
        self.take(scene)
        expected, _, _ = self.undisturbed(scene)
        scene.reset()
        self.end(self.start(scene))
        used = sum(-(-path.stat().st_size // 4096) * 4096 for path in scene.data.rglob("*") if not path.is_symlink())
        for number in range(sizes):
            scene.reset()
            size = max(2, used * (number + 1) // (sizes + 1) // 4096)
            mounted(scene.data, f"nr_blocks={size}")
            try:
                scene.reset()
                where = f"a disk of {size} blocks"
                code, left = self.end(self.start(scene))
                self.row["full disks"] += bool(code)
                self.told(code, where)
                subprocess.run(["mount", "-o", "remount,nr_blocks=1000000", scene.data], check=True)
                self.check(expected, where, left)
            finally:
                subprocess.run(["umount", scene.data], check=True)

    def random_kills(self, scene, number):
        """Kills at random moments, in two workers."""
        self.take(scene)
        expected, _, seconds = self.undisturbed(scene)
        for _ in range(number):
            scene.reset()
            child = self.start(scene, workers=2)
            wait, alone = self.random.uniform(0, seconds), self.random.random() < 0.5
            time.sleep(wait)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL) if alone else os.killpg(child, signal.SIGKILL)
            _, left = self.end(child)
            self.row["random kills"] += 1
            self.check(expected, f"killed {'alone ' if alone else ''}after {wait:.2f} s", left)

    def keep(self):
        self.kept.write_text(json.dumps(self.rows))

    def table(self):
        lines = [f"| stage or command | {' | '.join(COLUMNS)} |", "|---|" + "---|" * len(COLUMNS)]
        total = sum(self.rows.values(), Counter())
        for name, row in [*self.rows.items(), ("all", total)]:
            lines.append(f"| {name} | {' | '.join(str(row[column]) for column in COLUMNS)} |")
        return "\n".join(lines)


def mounted(folder, option):
    subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", folder], check=True)


def prepare(folder):
    """Build the small run once, in a process of its own."""
    finished = folder / "finished"
    words = [sys.executable, "-m", "deepred", "run", str(RUN), "--data", str(finished), *SETS]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return finished


def warm():
    """Import all that commands import, and build the command line, once: a fork then begins its work at once."""
    for module in ("pandas", *(found.name for found in pkgutil.walk_packages(deepred.__path__, "deepred."))):
        if not module.endswith("__main__"):
            importlib.import_module(module)
    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(importlib.import_module("deepred.cli.main").app)


def ready(folder):
    """The small run built, all imported and a server started: campaign, the run's folder, one to work in, address."""
    os.environ |= {"DEEPRED_DEVICE": "cpu", "DEEPRED_THREADS": "1", "OMP_NUM_THREADS": "1", "DEEPRED_WORKERS": "1",
                   "DEEPRED_TOGETHER": "0", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    finished, data = prepare(folder), folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    warm()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    server, url = serve()
    campaign = Campaign(folder, server)
    return campaign, finished, data, url


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("only", nargs="*", metavar="STAGE|STAGE@ARM|COMMAND")
    for name, default in {"points": 30, "faults": 30, "full": 8, "random": 10, "seed": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    campaign, finished, data, url = ready(options.folder)
    campaign.random.seed(options.seed)
    wanted = set(options.only)
    commands = [scene for scene in command_scenes(finished, data, url)
                if not wanted or scene.words[0] in wanted]  # fmt: skip
    by_arm = [*stage_scenes(finished, data, wanted, by_arm=True), *commands]
    together = [*stage_scenes(finished, data, wanted, by_arm=False), *commands]
    try:
        for scenes, most, way in [
            (by_arm, options.points, campaign.points),
            (by_arm, options.faults, lambda scene, most: campaign.points(scene, most, kills=False)),
            (by_arm, options.full, campaign.full),
            (together, options.random, campaign.random_kills),
        ]:
            for scene in scenes if most else ():
                began = time.monotonic()
                way(scene, most)
                campaign.keep()
                print(
                    f"{scene.name}  {time.monotonic() - began:.0f} s  {dict(campaign.row)}", file=sys.stderr, flush=True
                )
    finally:
        os.kill(campaign.server, signal.SIGKILL)
    print(campaign.table())


if __name__ == "__main__":
    sys.exit(main())
