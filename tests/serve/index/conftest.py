"""A small world built to ``topics`` once, and an index of it in every combination of backends."""

import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from conftest import POSTGRESQL, demand
from deepred.pipeline import STAGES
from deepred.run.build import execute
from deepred.run.config import load_run
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings
from deepred.run.stage import Silent, Work
from deepred.serve.index.build_index import Options, build_index
from deepred.serve.index.current import open_index
from serve.index import opensearch_fake

RUN = """
name = "small"
cutoff = 1969-07-20
seed = 1
[world]
seed = 3
facts = 10
mentions = 6
[articles]
dumps = ["world:worldwiki-pages-articles-multistream.xml.bz2"]
[facts]
wikidata = ["world:wikidata.json.bz2"]
wiki = "worldwiki"
[books]
files = ["world:books/*.txt"]
catalogue = ["world:books/pg_catalog.csv"]
[topics]
"""


@dataclass
class Built:
    """A run's pipeline, its run file and data folder."""

    pipeline: Pipeline
    run_file: Path
    data: Path
    opened: list = field(default_factory=list)

    def index(self, store="sqlite", search="embedded", embeddings="lsa"):
        work = Work(self.pipeline.settings, Silent())
        return build_index(self.pipeline, self.run_file, Options(store, search, embeddings), work)

    def open(self, store="sqlite", search="embedded"):
        self.opened.append(open_index(self.data, "small", store=store, search=search))
        return self.opened[-1]

    def close(self):
        for index in self.opened:
            index.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The world's finished stages."""
    folder = tmp_path_factory.mktemp("index")
    run_file = folder / "run.toml"
    run_file.write_text(RUN, encoding="utf-8")
    pipeline = Pipeline(load_run(run_file, []), STAGES, Settings(data=folder / "data", workers=1))
    execute(pipeline, Silent(), "topics")
    built = Built(pipeline, run_file, folder / "data")
    yield built
    built.close()


@pytest.fixture
def copied(world, tmp_path):
    """The world with an index folder of its own, for tests that break things."""
    data = tmp_path / "data"
    data.mkdir()
    for path in world.data.iterdir():
        if path.name != "index":
            (data / path.name).symlink_to(path)
    pipeline = Pipeline(load_run(world.run_file, []), STAGES, Settings(data=data, workers=1))
    built = Built(pipeline, world.run_file, data)
    yield built
    built.close()


class Postgres:
    """A private server: its own folder, socket and port, run by a user who is not root."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.numbers = count()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self.call("initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")

    def call(self, tool, *arguments):
        command = [str(POSTGRESQL / tool), *map(str, arguments)]
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run([*as_user, *command], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.call("pg_ctl", "-D", self.folder / "data", "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    demand("postgresql")
    # not below pytest's own folder, which only its owner may enter
    folder = Path("/tmp") / f"deepred-postgres-{os.getpid()}-{time.time_ns()}"
    folder.mkdir(mode=0o755)
    server = Postgres(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres):
    """The address of an empty database."""
    name = f"empty{next(postgres.numbers)}"
    postgres.call("createdb", "-h", "127.0.0.1", "-p", postgres.port, "-U", "postgres", name)
    return postgres.dsn.removesuffix("postgres") + name


@pytest.fixture(scope="session")
def fake_opensearch():
    """The strict fake, whatever OPENSEARCH_URL says."""
    server = opensearch_fake.start()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def opensearch(request):
    """A real server where OPENSEARCH_URL names one, else the fake."""
    if url := os.environ.get("OPENSEARCH_URL"):
        return url
    return f"http://127.0.0.1:{request.getfixturevalue('fake_opensearch').server_address[1]}"
