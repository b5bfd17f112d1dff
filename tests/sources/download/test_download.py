"""Downloads against a server that cuts, stalls, lies and serves the wrong bytes."""

import contextlib
import gzip
import hashlib
import io
import json
import resource
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.cli.data_commands import _default_ids
from deepred.run.unfinished import hold_lock
from deepred.sources.download.download import (
    RECORD,
    Options,
    Plan,
    fetch_plan,
    listed_checksum,
    own_sources,
    plan_download,
    shipped_sources,
    unpack,
)
from deepred.sources.download.transfer import Item, Transfer, seconds_to_wait

DATA = bytes(range(256)) * 4000
SHA1 = hashlib.sha1(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``files``; ``faults`` are used up one a request, then the server behaves."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.asked, self.tag, self.ranges = {}, [], [], '"one"', True
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        data = self.server.files.get(self.path.lstrip("/"))
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()

    def do_GET(self):
        server = self.server
        if self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"0" * (1 << 16))
            return
        server.asked.append((self.path, self.headers.get("Range"), self.headers.get("User-Agent")))
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = server.files.get(self.path.lstrip("/"))
        fault = server.faults.pop(0) if server.faults else ""
        if data is None or fault.isdigit():
            self.send_response(int(fault or 404))
            if fault in ("429", "503"):
                self.send_header("Retry-After", "7")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        wanted = self.headers.get("Range")
        fresh = self.headers.get("If-Range") in (None, server.tag)
        if wanted and server.ranges and fresh:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        body = data[start:]
        if fault == "wrong":
            body = b"x" * len(body)
        stated = {"longer": len(body) + 500, "shorter": len(body) - 500}.get(fault, len(body))
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(stated))
        self.end_headers()
        if fault in ("cut", "stall"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if fault == "stall":
            server.released.wait(5)
        if fault:
            self.close_connection = True


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def naps():
    return []


@pytest.fixture
def transfer(naps):
    return Transfer(pause=0.0, stalled=0.3, sleep=naps.append)


def item(server, **said):
    server.files["dump.bz2"] = DATA
    return Item("dump.bz2", (f"{server.url}/dump.bz2",), **{"size": len(DATA), "checksum": f"sha1:{SHA1}", **said})


@pytest.mark.parametrize(
    "faults",
    [
        [],
        ["cut"],
        ["cut", "cut", "cut"],
        ["stall"],
        ["longer"],
        ["shorter"],
        ["wrong"],
        ["503"],
        ["429", "cut"],
        ["500"] * 4,
    ],
)
def test_a_faulty_server_still_gives_the_right_file(server, transfer, tmp_path, faults):
    server.faults = list(faults)
    path = transfer.fetch(item(server), tmp_path)
    assert path.read_bytes() == DATA
    assert [left.name for left in tmp_path.iterdir()] == ["dump.bz2"]


@pytest.mark.parametrize("fault", ["cut", "stall", "longer"])
def test_without_a_published_size_the_stated_length_is_the_gate(server, transfer, tmp_path, fault):
    server.faults = [fault]
    assert transfer.fetch(item(server, size=None, checksum=""), tmp_path).read_bytes() == DATA


def test_a_cut_transfer_resumes_where_it_stopped(server, transfer, tmp_path):
    server.faults = ["cut"]
    transfer.fetch(item(server), tmp_path)
    assert [wanted for _, wanted, _ in server.asked] == [None, f"bytes={len(DATA) // 2}-"]


def test_a_part_of_an_earlier_run_is_resumed(server, transfer, tmp_path):
    (tmp_path / "dump.bz2.part").write_bytes(DATA[:1000])
    transfer.fetch(item(server), tmp_path)
    assert [wanted for _, wanted, _ in server.asked] == ["bytes=1000-"]


def test_a_complete_part_needs_no_more_bytes(server, transfer, tmp_path):
    (tmp_path / "dump.bz2.part").write_bytes(DATA)
    assert transfer.fetch(item(server), tmp_path).read_bytes() == DATA


def test_a_file_that_changed_on_the_server_starts_anew(server, transfer, tmp_path):
    (tmp_path / "dump.bz2.part").write_bytes(b"old" * 100)
    (tmp_path / "dump.bz2.part.json").write_text(json.dumps({"tag": '"zero"'}), encoding="utf-8")
    assert transfer.fetch(item(server), tmp_path).read_bytes() == DATA


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, transfer, tmp_path):
    server.ranges, server.faults = False, ["cut"]
    assert transfer.fetch(item(server), tmp_path).read_bytes() == DATA


def test_a_wrong_checksum_is_an_error_that_states_both_and_leaves_nothing(server, transfer, tmp_path):
    with pytest.raises(FaultError, match=SHA1):
        transfer.fetch(item(server, checksum=f"sha1:{'0' * 40}"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_mirror_is_followed_by_the_next(server, transfer, tmp_path):
    good = item(server)
    server.files["bad.bz2"] = DATA[::-1]
    urls = (f"{server.url}/missing", f"{server.url}/bad.bz2", *good.urls)
    assert transfer.fetch(Item(good.name, urls, good.size, good.checksum), tmp_path).read_bytes() == DATA


def test_a_mirror_that_never_sends_a_byte_is_given_up(server, transfer, tmp_path):
    server.faults = ["500"] * 50
    with pytest.raises(FaultError, match="HTTP 500"):
        transfer.fetch(item(server), tmp_path)
    assert len(server.asked) == 5


def test_a_finished_file_is_not_asked_for_again_and_a_damaged_one_is(server, transfer, tmp_path):
    wanted = item(server)
    transfer.fetch(wanted, tmp_path)
    transfer.fetch(wanted, tmp_path)
    assert len(server.asked) == 1
    (tmp_path / "dump.bz2").write_bytes(b"damaged")
    assert transfer.fetch(wanted, tmp_path).read_bytes() == DATA


def test_the_client_names_itself_waits_between_requests_and_obeys_retry_after(server, tmp_path, naps):
    server.faults = ["429"]
    Transfer(pause=3.0, sleep=naps.append).fetch(item(server), tmp_path)
    assert all("deepred" in agent for _, _, agent in server.asked)
    assert 7 in naps
    assert any(2.5 < nap <= 3.0 for nap in naps)


def test_a_full_disk_is_said_before_anything_is_fetched(server, transfer, tmp_path):
    with pytest.raises(UserError, match="are free"):
        transfer.fetch(item(server, size=1 << 60), tmp_path)
    assert server.asked == []


def sources(server, **table):
    return {"wikipedia": {"mirrors": [server.url], "licence": "CC BY-SA 4.0", "pause": 0.0, "rate": 1000, **table}}


def test_a_plan_knows_sizes_and_checksums_before_it_starts(server, transfer, tmp_path):
    name = "{wiki}-{date}-pages.xml.bz2"
    server.files["simplewiki-latest-pages.xml.bz2"] = DATA
    server.files["simplewiki-latest-sha1sums.txt"] = f"{SHA1}  simplewiki-20260101-pages.xml.bz2\n".encode()
    table = sources(server, files=[name], checksums="{wiki}-{date}-sha1sums.txt")
    plan = plan_download("wikipedia", Options(), transfer, table)
    assert plan.items[0].checksum == f"sha1:{SHA1}"
    assert plan.statement() == "wikipedia: 1 files, 1.0 MB, about 17 minutes at 1.0 kB/s. Licence: CC BY-SA 4.0."
    assert fetch_plan(plan, tmp_path, transfer)[0].read_bytes() == DATA


def test_missing_checksums_and_unlisted_files_are_errors(server, transfer):
    table = sources(server, files=["{wiki}.bz2"], checksums="{wiki}-sums.txt")
    with pytest.raises(FaultError, match="checksums"):
        plan_download("wikipedia", Options(), transfer, table)
    with pytest.raises(FaultError, match=r"do not name simplewiki-latest-b\.bz2"):
        listed_checksum(f"{SHA1}  simplewiki-20260101-a.bz2", "simplewiki-latest-b.bz2", "latest")


@pytest.mark.parametrize(("kind", "ids"), [("paintings", ()), ("gutenberg", ("../etc/passwd",)), ("chess-books", ())])
def test_what_cannot_be_downloaded_is_a_user_error(transfer, kind, ids):
    with pytest.raises(UserError):
        plan_download(kind, Options(ids=ids, mirrors=("http://127.0.0.1:9",)), transfer)


def test_one_missing_file_does_not_stop_the_others(server, transfer, tmp_path):
    good = item(server)
    plan = Plan("gutenberg", (Item("gone.txt", (f"{server.url}/gone",)), good), "", 0.0, 1)
    with pytest.raises(FaultError, match="1 of 2"):
        fetch_plan(plan, tmp_path, transfer)
    assert (tmp_path / "gutenberg" / good.name).read_bytes() == DATA


def test_archives_of_games_are_unpacked_by_base_name_and_damaged_ones_removed(server, transfer, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../Morphy.pgn", '[Event "A"]')
        archive.writestr("readme.txt", "no")
    server.files["Morphy.zip"], server.files["Bad.zip"] = packed.getvalue(), b"no archive"
    plan = Plan("chess", (Item("Morphy.zip", (f"{server.url}/Morphy.zip",)),), "", 0.0, 1, ("*.pgn",))
    assert fetch_plan(plan, tmp_path, transfer) == [tmp_path / "chess" / "Morphy.pgn"]
    with pytest.raises(FaultError, match="damaged"):
        bad = (Item("Bad.zip", (f"{server.url}/Bad.zip",)),)
        fetch_plan(Plan("chess", bad, "", 0.0, 1, ("*.pgn",)), tmp_path, transfer)
    assert not (tmp_path / "chess" / "Bad.zip").exists()


def test_texts_of_the_archive_carry_the_size_and_checksum_of_their_metadata(server, transfer):
    server.files["meta/mybook"] = json.dumps(
        {"files": [{"name": "mybook_djvu.txt", "size": str(len(DATA)), "sha1": SHA1}]}
    ).encode()
    archive = {"mirrors": [server.url], "each": ["{id}/{id}_djvu.txt"], "metadata": server.url + "/meta/{id}"}
    table = {"chess-books": {**archive, "licence": "", "rate": 1, "pause": 0.0}}
    plan = plan_download("chess-books", Options(ids=("mybook",)), transfer, table)
    assert (plan.items[0].size, plan.items[0].checksum) == (len(DATA), f"sha1:{SHA1}")
    with pytest.raises(FaultError, match="no metadata"):
        plan_download("chess-books", Options(ids=("other",)), transfer, table)


def test_every_shipped_kind_has_mirrors_a_licence_and_a_polite_pause():
    for kind, table in shipped_sources().items():
        assert table["mirrors"] and table["licence"], kind
        assert table["pause"] >= 1.0
        assert table.get("files") or table.get("each")


def test_mirrors_that_cannot_be_reached_are_named():
    transfer = Transfer(pause=0.0)
    with pytest.raises(FaultError, match=r"no mirror gives [\w.-]+ \(127\.0\.0\.1:9: "):
        transfer.text(("http://127.0.0.1:9/list.txt",))


def test_a_redirect_is_followed_and_resumed_behind_it(server, transfer, tmp_path):
    wanted = item(server)
    server.faults = ["cut"]
    moved = Item(wanted.name, (f"{server.url}/moved/dump.bz2",), wanted.size, wanted.checksum)
    assert transfer.fetch(moved, tmp_path).read_bytes() == DATA
    assert [wanted for path, wanted, _ in server.asked if path == "/dump.bz2"] == [None, f"bytes={len(DATA) // 2}-"]


def test_a_part_that_nothing_can_verify_is_not_built_upon(server, transfer, tmp_path):
    (tmp_path / "dump.bz2.part").write_bytes(b"old" * 100)
    unknown = item(server, size=None, checksum="")
    assert transfer.fetch(unknown, tmp_path).read_bytes() == DATA
    other = {"url": "http://127.0.0.1:9/dump.bz2", "tag": '"one"'}
    (tmp_path / "dump.bz2").rename(tmp_path / "first")
    (tmp_path / "dump.bz2.part").write_bytes(b"old" * 100)
    (tmp_path / "dump.bz2.part.json").write_text(json.dumps(other), encoding="utf-8")
    assert transfer.fetch(unknown, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("Thu, 01 Jan 1970 00:01:00 GMT", 50), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("soon", 0), ("", 0)],
)
def test_retry_after_is_a_number_or_a_date(text, seconds):
    assert seconds_to_wait(text, now=10.0) == seconds


def test_the_rate_limit_slows_a_transfer_down(server, tmp_path, naps):
    Transfer(pause=0.0, sleep=naps.append, rate_limit=len(DATA) // 4).fetch(item(server), tmp_path)
    assert max(naps) > 3


def test_the_contact_is_sent_with_every_request(server, tmp_path):
    Transfer(pause=0.0, contact="me@example.org").fetch(item(server), tmp_path)
    assert all("me@example.org" in agent for _, _, agent in server.asked)


def test_where_no_checksum_is_published_the_own_one_is_recorded_and_checked(server, transfer, tmp_path):
    plan = Plan("gutenberg", (item(server, size=None, checksum=""),), "", 0.0, 1)
    assert "1 without a published checksum (length checked, SHA-256 recorded in SHA256SUMS)" in plan.statement()
    (path,) = fetch_plan(plan, tmp_path, transfer)
    record = path.parent / RECORD
    assert record.read_text(encoding="utf-8") == f"{hashlib.sha256(DATA).hexdigest()}  dump.bz2\n"
    fetch_plan(plan, tmp_path, transfer)
    assert len(server.asked) == 1
    path.write_bytes(DATA[::-1])
    assert fetch_plan(plan, tmp_path, transfer)[0].read_bytes() == DATA


def test_the_newest_date_with_checksums_stands_for_latest(server, transfer):
    server.files["entities/"] = b'<a href="20260105/">a</a><a href="20260112/">b</a><a href="20260119/">c</a>'
    server.files["20260112/sums.txt"] = f"{SHA1}  all-20260112.bz2\n".encode()
    server.files["20260112/all-20260112.bz2"] = DATA
    server.files["20260119/sums.txt"] = f"{SHA1}  other-20260119.bz2\n".encode()
    table = sources(
        server, files=["{date}/all-{date}.bz2"], latest=["all.bz2"], dates="entities/", checksums="{date}/sums.txt"
    )
    plan = plan_download("wikipedia", Options(), transfer, table)
    assert (plan.items[0].name, plan.items[0].checksum) == ("all-20260112.bz2", f"sha1:{SHA1}")
    del server.files["20260112/sums.txt"]
    plan = plan_download("wikipedia", Options(), transfer, table)
    assert (plan.items[0].name, plan.items[0].checksum) == ("all.bz2", "")


def test_a_text_of_the_archive_is_found_by_its_format_and_a_lent_one_refused(server, transfer, tmp_path):
    described = {"files": [{"name": "My Book_djvu.txt", "format": "DjVuTXT", "md5": hashlib.md5(DATA).hexdigest()}]}
    server.files["meta/book"] = json.dumps(described).encode()
    server.files["book/My%20Book_djvu.txt"] = DATA
    lent = {"files": [], "metadata": {"access-restricted-item": "true"}}
    server.files["meta/lent"] = json.dumps(lent).encode()
    archive = {"mirrors": [server.url], "each": ["{id}/{id}_djvu.txt"], "metadata": server.url + "/meta/{id}"}
    table = {"chess-books": {**archive, "licence": "", "rate": 1, "pause": 0.0}}
    plan = plan_download("chess-books", Options(ids=("book",)), transfer, table)
    (path,) = fetch_plan(plan, tmp_path, transfer)
    assert (path.name, path.read_bytes()) == ("book_djvu.txt", DATA)
    with pytest.raises(UserError, match="only lent"):
        plan_download("chess-books", Options(ids=("lent",)), transfer, table)


def test_the_data_folder_can_name_other_mirrors(tmp_path):
    path = tmp_path / "downloads.toml"
    path.write_text('[wikipedia]\nmirrors = ["https://near.example.org"]\n', encoding="utf-8")
    tables = own_sources(tmp_path)
    assert tables["wikipedia"]["mirrors"] == ["https://near.example.org"]
    assert tables["wikipedia"]["files"] == shipped_sources()["wikipedia"]["files"]
    path.write_text("[paintings]\n", encoding="utf-8")
    with pytest.raises(UserError, match="'paintings' is nothing to download"):
        own_sources(tmp_path)


def test_books_of_chess_have_no_default_and_say_how_to_name_one(transfer):
    with pytest.raises(UserError, match=r"no default ids ship for chess-books .*archive\.org"):
        plan_download("chess-books", Options(), transfer)


def test_without_ids_the_reading_list_is_what_is_fetched_of_gutenberg():
    assert {"35", "5614", "7303"} <= set(_default_ids("gutenberg"))
    assert _default_ids("chess") == []


def test_endless_list_is_read_no_further_than_any_list_is_long(server, transfer, monkeypatch):
    monkeypatch.setattr("deepred.sources.download.transfer.LONGEST_TEXT", 1 << 20)
    with pytest.raises(FaultError, match=r"no mirror gives endless \(.*more than 1 MB of a list"):
        transfer.text((f"{server.url}/endless",))


def test_list_that_unpacks_to_far_more_is_read_no_further(transfer, monkeypatch):
    body = gzip.compress(b"0" * (1 << 24))

    class Packed(Handler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    monkeypatch.setattr("deepred.sources.download.transfer.LONGEST_TEXT", 1 << 20)
    with ThreadingHTTPServer(("127.0.0.1", 0), Packed) as packed:
        thread = threading.Thread(target=packed.serve_forever, args=(0.01,))
        thread.start()
        with pytest.raises(FaultError, match="more than 1 MB of a list"):
            transfer.text((f"http://127.0.0.1:{packed.server_address[1]}/list",))
        packed.shutdown()
        thread.join()


def test_disk_that_fills_up_under_way_is_one_line(server, transfer, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(UserError, match=r"the disk is full: dump.bz2 cannot be written"):
            transfer.fetch(item(server), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert transfer.fetch(item(server), tmp_path).read_bytes() == DATA


def test_file_of_unknown_size_stops_before_the_disk_is_full(server, transfer, tmp_path, monkeypatch):
    free = iter([10 << 30, 10 << 30, 1 << 20])
    monkeypatch.setattr("deepred.sources.download.transfer.CHECK_SPACE", 1 << 16)
    monkeypatch.setattr(
        "deepred.sources.download.transfer.shutil.disk_usage", lambda _: SimpleNamespace(free=next(free, 1 << 20))
    )
    with pytest.raises(UserError, match="to spare, 1,048,576 are free"):
        transfer.fetch(Item("endless", (f"{server.url}/endless",)), tmp_path)
    assert 0 < (tmp_path / "endless.part").stat().st_size < 1 << 20


def test_archive_that_would_fill_the_disk_is_not_unpacked(server, transfer, tmp_path, monkeypatch):
    path = tmp_path / "games.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("games.pgn", b"0" * (1 << 20))
    monkeypatch.setattr(
        "deepred.sources.download.transfer.shutil.disk_usage", lambda _: SimpleNamespace(free=256 << 20)
    )
    with pytest.raises(UserError, match=r"games.pgn needs 1,048,576 bytes"):
        unpack(path, ["*.pgn"])
    monkeypatch.undo()
    whole = path.read_bytes()
    path.write_bytes(whole.replace((1 << 20).to_bytes(4, "little"), (1 << 10).to_bytes(4, "little")))  # it lies
    with pytest.raises(FaultError, match="damaged archive"):
        unpack(path, ["*.pgn"])
    assert not list(tmp_path.glob("*.pgn*"))


def test_what_a_kill_left_beside_whole_files_goes(server, transfer, tmp_path):
    place = tmp_path / "chess"
    server.files["games.txt"] = DATA
    plan = Plan("chess", (item(server), Item("games.txt", (f"{server.url}/games.txt",), len(DATA))), "none", 0.0, 1)
    fetch_plan(plan, tmp_path, transfer)
    whole = sorted(path.name for path in place.iterdir())
    for name in ("dump.bz2.part.json", "games.txt.part.json", "games.txt.part", "SHA256SUMS.7.tmp", "a.pgn.7.tmp"):
        (place / name).write_text("half", encoding="utf-8")
    asked = len(server.asked)
    fetch_plan(plan, tmp_path, transfer)
    assert sorted(path.name for path in place.iterdir()) == whole and len(server.asked) == asked


def test_two_downloads_of_a_kind_do_not_write_the_same_files(server, transfer, tmp_path):
    plan = Plan("chess", (item(server),), "none", 0.0, 1)
    with hold_lock(tmp_path / "chess"), pytest.raises(UserError, match="chess is being built by process"):
        fetch_plan(plan, tmp_path, transfer)
    assert fetch_plan(plan, tmp_path, transfer)[0].read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["chess"]
