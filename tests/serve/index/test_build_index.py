"""Loading: idempotent, resumable after kill -9, switched in one step, while the old index answers."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import httpx
import pytest

from deepred.base.errors import FaultError, UserError
from deepred.serve.index.contract import UnavailableError
from shelf_server import served


def rows_of(home):
    """All rows of the current version of a SQLite store."""
    version = json.loads((home / "current.json").read_text(encoding="utf-8"))["version"]
    with closing(sqlite3.connect(home / version / "articles.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}


def home_of(built):
    (home,) = (built.data / "index").iterdir()
    return home


def answers(opened):
    return [
        opened.search(query, mode=mode, size=20)
        for query in ("town river", "published novel", '"is a"')
        for mode in ("bm25", "hybrid", "semantic")
    ]


def test_twice_is_once(copied):
    first, was_there = copied.index()
    assert not was_there
    before = rows_of(home_of(copied))
    again, was_there = copied.index()
    assert was_there and again == first
    assert rows_of(home_of(copied)) == before


def test_nothing_indexed_says_what_to_do(copied):
    with pytest.raises(UserError, match="deepred index"):
        copied.open()


def test_unbuilt_stages_say_what_to_do(copied):
    (copied.data / "passages").unlink()
    with pytest.raises(UserError, match="deepred run"):
        copied.index()


def test_another_index_is_taken_up_while_the_old_one_answers(copied, monkeypatch):
    monkeypatch.setattr("deepred.serve.index.current.LOOK_SECONDS", 0.0)
    copied.index(embeddings="none")
    opened = copied.open()
    old = opened.health()
    assert old.embeddings == "none" and opened.search("town").total > 0
    seen = []
    monkeypatch.setattr(
        "deepred.serve.index.build_index._Build._report",
        lambda self, note, done, total: seen.append((note, opened.health().version, opened.search("town").total)),
    )
    pointer, _ = copied.index(embeddings="lsa")
    assert {note for note, *_ in seen} >= {"rows", "vectors", "store", "search"}
    assert {version for _, version, _ in seen} == {old.version}
    assert opened.health().version == pointer["version"] != old.version
    assert opened.search("town", mode="semantic").total > 0
    copied.index(embeddings="none")  # an older one again: built anew or still there, and two are kept at most
    assert len([path for path in home_of(copied).iterdir() if path.is_dir()]) == 2


SCRIPT = """
import sys
from pathlib import Path
from deepred.run.config import load_run
from deepred.serve.index import build_index
from deepred.pipeline import STAGES
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings
from deepred.run.stage import Silent, Work
run_file, data, store, stop = sys.argv[1:]
report = build_index._Build._report
def stopping(self, note, done, total):
    if note == stop and (done == 1 or total <= 1 or note in ("rows", "vectors", "fitting vectors")):
        print("here", flush=True)
        import time
        time.sleep(60)
    report(self, note, done, total)
build_index._Build._report = stopping
pipeline = Pipeline(load_run(Path(run_file), []), STAGES, Settings(data=Path(data), workers=1))
build_index.build_index(pipeline, Path(run_file), build_index.Options(store=store), Work(pipeline.settings, Silent()))
"""


def kill_while(built, stop, store="sqlite"):
    """Index in a process of its own, and kill it where it has come to a step."""
    command = [sys.executable, "-c", SCRIPT, str(built.run_file), str(built.data), store, stop]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        assert process.stdout.readline() == b"here\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_kill_9_then_the_same_command_gives_the_same_index(world, copied):
    for stop in ("vectors", "store", "search"):
        kill_while(copied, stop)
        with pytest.raises(UserError):
            copied.open()
    copied.index()
    world.index()
    assert rows_of(home_of(copied)) == rows_of(home_of(world))
    assert answers(copied.open()) == answers(world.open())
    assert not list(home_of(copied).glob("*/work"))


def test_full_disk_that_the_database_reports_in_its_own_words_is_one_line(copied, monkeypatch):
    def full(*arguments):
        raise RuntimeError("INTERNAL: failed to execute: database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("deepred.serve.index.versions.SqliteHome.load", full)
        with pytest.raises(FaultError, match=r"index: the disk is full at .* \(free space; the same command goes on"):
            copied.index()
    copied.index()
    assert copied.open().search("town").total > 0


def test_kill_while_what_it_was_built_from_is_removed_leaves_a_whole_index(copied, monkeypatch):
    def torn(folder, **options):
        if folder.parent.name != home_of(copied).name and folder.is_dir():
            next(folder.glob("units-*.parquet")).unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("deepred.serve.index.build_index.shutil.rmtree", torn)
        with pytest.raises(KeyboardInterrupt):
            copied.index()
    _, was_there = copied.index()
    assert was_there and copied.open().search("town").total > 0
    assert not list(home_of(copied).glob("*/removed")) and not list(home_of(copied).glob("*/work"))


def test_kill_9_while_loading_postgresql_leaves_no_duplicates(copied, database):
    kill_while(copied, "store", database)
    kill_while(copied, "search", database)
    pointer, _ = copied.index(database)
    copied.index()
    opened, other = copied.open(database), copied.open()
    assert opened.health().counts == other.health().counts == pointer["counts"]
    assert opened.article("List of novels") == other.article("List of novels")


def test_a_version_of_another_data_folder_in_the_same_database_is_not_taken_for_ones_own(world, copied, database):
    pointer, _ = world.index(database)
    for stop in ("rows", "search"):
        kill_while(copied, stop, database)
    again, was_there = copied.index(database)
    assert not was_there and again == pointer
    assert answers(copied.open(database)) == answers(world.open(database))
    assert copied.index(database) == (pointer, True)


def test_files_that_are_read_are_replaced(copied):
    copied.index()
    opened = copied.open()
    before = answers(opened)
    (version,) = (path.parent for path in home_of(copied).glob("*/units.bin"))
    (version / "work").mkdir()  # as after a kill between the switch and the removal
    held = {path: path.stat().st_ino for path in version.glob("*.*") if path.suffix in (".bin", ".npy", ".usearch")}
    assert len(held) >= 4
    _, was_there = copied.index()
    assert not was_there and all(path.stat().st_ino != number for path, number in held.items())
    assert answers(opened) == answers(copied.open()) == before


@pytest.mark.parametrize("harm", ["garbage", "no object", "another version", "version removed", "all removed"])
def test_a_server_goes_on_with_what_it_opened_when_files_are_harmed(copied, monkeypatch, harm):
    monkeypatch.setattr("deepred.serve.index.current.LOOK_SECONDS", 0.0)
    copied.index()
    home, opened = home_of(copied), copied.open()
    before = answers(opened)
    pointer = home / "current.json"
    kept = pointer.read_bytes()
    version = next(path.parent for path in home.glob("*/units.bin"))
    if harm == "all removed":
        shutil.rmtree(home)
    elif harm == "version removed":
        shutil.rmtree(version)
    else:
        other = kept.replace(version.name.encode(), b"0" * 12)
        found = {"garbage": b"{oops", "no object": b"[]", "another version": other}
        home.joinpath("new").write_bytes(found[harm])
        home.joinpath("new").replace(pointer)
    assert answers(opened) == before == answers(opened)
    if harm != "version removed":
        with pytest.raises((FaultError, UserError)):
            answers(copied.open())


def test_postgresql_may_stop_and_come_back(copied, postgres):
    copied.index(postgres.dsn)
    opened = copied.open(postgres.dsn)
    page = opened.random(seed=1).page_id
    postgres.stop()
    try:
        for _ in range(3):
            with pytest.raises(UnavailableError) as caught:
                opened.article(page)
            assert "postgres@" not in str(caught.value)
        health = opened.health()
        assert not health.ready and health.parts["store"] != "ok"
        time.sleep(1.1)
        with pytest.raises(UnavailableError):
            opened.article(page)
    finally:
        postgres.start()
    assert opened.article(page).page_id == page
    assert opened.health().ready


def test_a_server_answers_503_while_postgresql_is_down_and_recovers_by_itself(copied, postgres):
    copied.index(postgres.dsn)
    opened = copied.open(postgres.dsn)
    page = opened.random(seed=1).page_id
    paths = (f"/api/articles/{page}", "/api/random", f"/articles/{page}")
    with served(opened) as address, httpx.Client(base_url=address, timeout=30, follow_redirects=True) as client:
        assert [client.get(path).status_code for path in paths] == [200] * 3
        postgres.stop()
        try:
            for path in paths:
                answer = client.get(path)
                assert answer.status_code == 503, path
                assert "postgres@" not in answer.text and "Traceback" not in answer.text
            assert client.get("/api/health").status_code == 503
        finally:
            postgres.start()
        assert [client.get(path).status_code for path in paths] == [200] * 3
        time.sleep(1.1)  # health is asked for once a second at most
        assert client.get("/api/health").status_code == 200


def test_a_server_that_is_not_there_is_unavailable(copied, postgres):
    for store in ("postgresql://nobody@127.0.0.1:1/none",):
        with pytest.raises(UnavailableError):
            copied.index(store)
    with pytest.raises(UserError):
        copied.index("mysql://host/database")
    with pytest.raises(UserError):
        copied.index(search="ftp://host")


def test_opensearch_stops_and_comes_back(copied, fake_opensearch):
    url = f"http://127.0.0.1:{fake_opensearch.server_address[1]}"
    copied.index(search=url)
    opened = copied.open(search=url)
    assert opened.search("town").total > 0
    kept = dict(fake_opensearch.cluster.indexes)
    fake_opensearch.cluster.indexes.clear()
    with pytest.raises(UnavailableError):
        opened.search("town")
    assert not opened.health().ready
    fake_opensearch.cluster.indexes |= kept
    assert opened.search("town").total > 0 and opened.health().ready


def test_the_alias_moves_in_one_step_and_old_search_indexes_go(copied, fake_opensearch):
    url = f"http://127.0.0.1:{fake_opensearch.server_address[1]}"
    cluster = fake_opensearch.cluster
    for embeddings in ("none", "lsa"):
        pointer, _ = copied.index(search=url, embeddings=embeddings)
        (alias,) = [names for name, names in cluster.aliases.items() if "small" in name]
        assert {name.rpartition("-")[2] for name in alias} == {pointer["version"]}
    assert len([name for name in cluster.indexes if "small" in name]) <= 3


def test_two_at_once_are_refused(copied):
    import fcntl

    from deepred.serve.index.current import folder_of

    folder = folder_of(copied.data, "small")
    folder.mkdir(parents=True)
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process"):
            copied.index()
    shutil.rmtree(folder)
