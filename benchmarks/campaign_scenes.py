"""What ``campaign_kills.py`` disturbs: every stage of a small run and four commands, each with what lies there before.

A scene begins in a data folder that holds links to all that its command needs, and ends in that folder's state:
every path, with the bytes of each file but for what depends on the clock.
"""

import functools
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deepred.pipeline import STAGES
from deepred.run.config import load_run
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings

RUN = Path(__file__).parents[1] / "runs" / "demo.toml"
SMALL = [
    "name=small",
    "world.facts=8",
    "world.mentions=4",
    "tokenizer.vocabulary=500",
    "pretrain.tokens=10000",
    "pretrain.checkpoint_steps=3",
    "pretrain.validate_steps=4",
    "pretrain.model.layers=1",
    "pretrain.model.width=64",
    "pretrain.model.feed_forward=128",
    "doses.levels=[0,1]",
    "augment.answers=[]",
    "examples.count=40",
    "sft.epochs=1",
    "gguf.gate_strings=50",
    "evaluate.bootstrap=100",
    "interview.families=4",
    "interview.controls=4",
    "relearn.steps=4",
    'arms=["filtered","unfiltered","floor","article","continued","dosed"]',
]
"""The smallest run that goes through with every stage and every arm."""
SETS = [word for value in SMALL for word in ("--set", value)]
LINKED = ("articles", "dates", "emergence", "classes", "passages", "topics", "books", "chess", "facts", "world")


@dataclass
class Scene:
    """A command, what lies in its data folder before, and how its end is told."""

    name: str
    words: list[str]
    finished: Path
    """The data folder of the finished run."""
    data: Path
    """The folder that the command works in."""
    links: list[str] = field(default_factory=list)
    """What of the finished run is there before."""
    patch: Callable[[], None] = lambda: None
    """What is changed in the command's process, so that it does not wait."""
    target: str = ""
    """The folder, ``stage/key``, that a stage makes."""

    def reset(self):
        """The data folder as it was before the command."""
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name in self.links:
            (self.data / name).parent.mkdir(exist_ok=True)
            (self.data / name).symlink_to(self.finished / name)

    def state(self):
        """Every path that the command made, with what its bytes say."""
        found = {}
        for root, folders, files in os.walk(self.data):
            for name in [*folders, *files]:
                path = Path(root, name)
                if not path.is_symlink():
                    found[path.relative_to(self.data).as_posix()] = "" if path.is_dir() else bytes_of(path)
        return dict(sorted(found.items()))


def bytes_of(path):
    """What of a file must be the same again: all of it, but for what depends on the clock or is drawn by a library."""
    if "logs" in path.parts or path.name in ("checksums.json", ".lock") or path.parent.name == "tantivy":
        return "logs, checksums and the search engine's own names"
    if path.suffix == ".sqlite":
        with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as database:
            return hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()
    if path.parent.name == "runs" and path.suffix == ".json":
        return json.dumps(json.loads(path.read_text(encoding="utf-8"))["outputs"], sort_keys=True)
    if path.name == "manifest.json":
        values = json.loads(path.read_text(encoding="utf-8"))
        kept = ("stage", "arm", "key", "config", "reads", "sources", "needs", "output")
        return json.dumps({name: values[name] for name in kept}, sort_keys=True)
    if path.name.endswith("answers.jsonl"):
        rows = [json.loads(line) | {"seconds": 0} for line in path.read_text(encoding="utf-8").splitlines()]
        return json.dumps(sorted(json.dumps(row, sort_keys=True) for row in rows))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept_search(scene):
    """The search engine's folder by what it finds, as its files are named by chance."""
    from deepred.serve.index.current import open_index

    found = open_index(scene.data, "small").search("town")
    return f"{found.total} {[hit.title for hit in found.results]}"


def stage_scenes(finished: Path, data: Path, wanted: set[str], by_arm: bool):
    """A scene a stage with all its arms missing, or one an arm with only that one missing."""
    line = Pipeline(load_run(RUN, SMALL), STAGES, Settings(data=finished))
    folders = {node.name: line.folder(node).relative_to(finished).as_posix() for node in line.nodes}
    names = [node.stage.name for node in line.nodes]
    for stage in dict.fromkeys(names):
        nodes = [node for node in line.nodes if node.stage.name == stage]
        chosen = [node for node in nodes if not wanted or wanted & {stage, node.name}]
        before = line.nodes[: names.index(stage) + len(nodes)]
        for missing in [[node] for node in chosen] if by_arm else [nodes] * bool(chosen):
            links = [folders[node.name] for node in before if node not in missing]
            name = missing[0].name if by_arm else stage
            words = ["run", str(RUN), "--data", str(data), "--until", stage, *SETS]
            yield Scene(name, words, finished, data, links)


def command_scenes(finished: Path, data: Path, url: str):
    """The commands beside the stages; the models and publishers that they ask are a server of this machine."""
    line = Pipeline(load_run(RUN, SMALL), STAGES, Settings(data=finished))
    links = [line.folder(node).relative_to(finished).as_posix() for node in line.nodes if node.stage.name in LINKED]
    run = [str(RUN), "--data", str(data), *SETS]
    asked = [f"{key}={value}" for section in ("teacher", "llm") for key, value in
             {f"{section}.url": f"{url}/v1", f"{section}.model": "m", f"{section}.concurrency": 2}.items()]  # fmt: skip
    asked = [word for value in [*asked, "teacher.count=30", "llm.holdout=20"] for word in ("--set", value)]
    answers = str(data / "answers.jsonl")
    mirror = ["--data", str(data), "--mirror", url]
    yield Scene("`deepred index`", ["index", *run], finished, data, links)
    wiki = ["download", "wikipedia", "--wiki", "small", "--date", "20260101", *mirror]
    yield Scene("`deepred download wikipedia`", wiki, finished, data, patch=hurry)
    yield Scene("`deepred download chess`", ["download", "chess", "--id", "Tal", *mirror], finished, data, patch=hurry)
    yield Scene("`deepred teach`", ["teach", *run, *asked, "--out", answers], finished, data, links)
    yield Scene("`deepred date-llm`", ["date-llm", *run, *asked, "--out", answers], finished, data, links)


def hurry():
    """No pause between requests, and no megabytes to spare, so that a small disk is full when it is full."""
    from deepred.sources.download import transfer

    transfer.Transfer.wait = lambda self, url: None
    transfer.SPARE, transfer.CHECK_SPACE = 0, 1 << 16
    transfer.require_space = lambda target, needed: None


@functools.cache
def public_files():
    """What the server gives to ``deepred download``."""
    import io
    import zipfile

    dump = bytes(range(256)) * 4000
    listing = [f"small-20260101-pages-articles-multistream{end}" for end in (".xml.bz2", "-index.txt.bz2")]
    sums = "".join(f"{hashlib.sha1(dump).hexdigest()}  {name}\n" for name in listing)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Tal.pgn", '[White "Tal"]\n\n1. e4 e5 *\n\n' * 20_000)
    files = {f"/small/20260101/{name}": dump for name in listing}
    return files | {"/small/20260101/small-20260101-sha1sums.txt": sums.encode(), "/Tal.zip": packed.getvalue()}


DATED = {"known": True, "kind": "idea", "first": 1900, "last": None, "alive": True, "first_known": 1905}
TOLD = {"turns": [{"user": "What is it?", "assistant": "It is told of in the library, comrade."}]}


class Handler(BaseHTTPRequestHandler):
    """A publisher of public files and a model that always answers."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(public_files().get(self.path), body=False)

    def do_GET(self):
        content = public_files().get(self.path)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.answer(content, start)

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps(TOLD if b'"turns"' in asked else DATED | {"confidence": "low"})
        choice = {"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        self.answer(json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}).encode())

    def answer(self, content, start=0, body=True):
        self.send_response(404 if content is None else 206 if start else 200)
        content = content or b""
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        try:
            if body:
                self.wfile.write(content[start:])
        except OSError:
            pass  # the client was killed

    def log_message(self, format, *arguments):
        pass


def serve():
    """Start the server in a process of its own; its number and address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, address: None  # a client that was killed
    child = os.fork()
    if not child:
        server.serve_forever()
    server.server_close()
    return child, f"http://127.0.0.1:{server.server_port}"
