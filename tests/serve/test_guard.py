"""The gate: names, keys, sessions, sizes, rates, other sites' pages."""

import contextlib
import socket
import threading
import time

import httpx
import pytest
from fastapi.testclient import TestClient

from deepred.base.errors import UserError
from deepred.serve import connections
from deepred.serve.guard import Buckets
from deepred.serve.index_pool import Library
from deepred.serve.server import Door, Parts, build_app
from deepred.serve.web.pages import local_path
from shelf import Shelf

KEY = "a-key-of-length"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def locked():
    app = build_app(Parts(Library(Shelf())), Door("0.0.0.0", key=KEY))
    with TestClient(app, base_url="http://library.example", follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:8000", 200), ("[::1]:8000", 200), ("LOCALHOST", 200), ("evil.example", 421),
     ("127.0.0.1.evil.example", 421), ("", 421), ("localhost.evil.example:8000", 421)],
)  # fmt: skip
def test_on_loopback_only_this_machines_names_are_answered(client, host, status):
    for path in ("/api/search?q=chess", "/"):
        assert client.get(path, headers={"Host": host}).status_code == status
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Host": host, "Accept": "application/json, text/event-stream"}
    assert client.post("/mcp", json=body, headers=accept).status_code in ({200, 400} if status == 200 else {421})


def test_a_name_that_was_allowed_is_answered():
    with TestClient(build_app(Parts(Library(Shelf())), Door(names=("Library.example",)))) as client:
        assert client.get("/api/random", headers={"Host": "library.example"}).status_code == 200


def test_beyond_this_machine_a_key_is_demanded():
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        with pytest.raises(UserError, match="no API key"):
            Door(host).check()
        with pytest.raises(UserError, match="at least 8"):
            Door(host, key="short").check()
        Door(host, key=KEY).check()
    for host in ("127.0.0.1", "::1", "localhost"):
        Door(host).check()


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}, {"X-API-Key": KEY}]
)
def test_the_key_opens(locked, headers):
    assert locked.get("/api/search?q=chess", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"X-API-Key": KEY + "x"}, {"X-API-Key": ""},
     {"Authorization": f"Basic {KEY}"},
     {"Cookie": "deepred=9999999999.deadbeef"}, {"Cookie": "deepred=."}, {"X-API-Key": "\u00fc".encode()}],
)  # fmt: skip
def test_without_the_key_nothing_is_told(locked, headers):
    for path in ("/api/search?q=chess", "/api/openapi.json", "/mcp", "/articles/1", "/report/page"):
        answer = locked.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "Chess" not in answer.text
    assert locked.get("/api/health").status_code == 200


def test_a_browser_comes_in_by_the_form_and_leaves(locked):
    away = locked.get("/articles/1?as_of=1900", headers=PAGE)
    assert away.status_code == 303
    assert away.headers["location"] == "/login?next=%2Farticles%2F1%3Fas_of%3D1900"
    assert "/articles/1?as_of=1900" in locked.get(away.headers["location"]).text
    wrong = locked.post("/login", data={"key": "wrong", "next": "/"})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    right = locked.post("/login", data={"key": KEY, "next": "/articles/1"})
    assert (right.status_code, right.headers["location"]) == (303, "/articles/1")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert KEY not in cookie
    assert locked.get("/articles/1", headers=PAGE).status_code == 200
    locked.post("/logout")
    assert locked.get("/articles/1", headers=PAGE).status_code == 303


def test_a_session_is_no_good_at_another_server(locked):
    locked.post("/login", data={"key": KEY, "next": "/"})
    other = build_app(Parts(Library(Shelf())), Door("0.0.0.0", key=KEY))
    with TestClient(other, base_url="http://library.example") as client:
        assert client.get("/api/random", headers={"Cookie": f"deepred={locked.cookies['deepred']}"}).status_code == 401


def test_attempts_at_the_key_are_slowed_down(locked):
    statuses = [locked.post("/login", data={"key": f"guess {n}", "next": "/"}).status_code for n in range(15)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nSet-Cookie:x"],
)
def test_after_the_key_nobody_is_sent_elsewhere(locked, target):
    assert local_path(target) == "/"
    assert locked.post("/login", data={"key": KEY, "next": target}).headers["location"] == "/"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://localhost"])
def test_pages_of_other_sites_may_not_post(client, origin):
    body = {"messages": [{"role": "user", "content": "a"}]}
    for path in ("/api/chat", "/mcp"):
        assert client.post(path, json=body, headers={"Origin": origin}).status_code == 403
    assert client.post("/api/chat", json=body, headers={"Origin": "http://127.0.0.1"}).status_code == 200


def test_no_answer_lets_another_origin_read_it(client):
    for method in ("GET", "OPTIONS"):
        answer = client.request(method, "/api/search?q=chess", headers={"Origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_answer_carries_the_security_headers(client):
    for path in ("/", "/api/search?q=chess", "/api/nothing", "/static/reader.js", "/articles/2", "/login"):
        headers = client.get(path, headers=PAGE).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize("path", ["/api/chat", "/mcp", "/login", "/api/search?q=chess"])
def test_a_body_of_ten_megabytes_is_refused(client, path):
    for content in (b"a" * 10_000_000, iter([b"a" * 1_000_000] * 10)):
        answer = client.request("POST", path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


def test_buckets_let_a_burst_in_and_then_the_rate():
    buckets = Buckets(rate=2, burst=4)
    assert [buckets.take("a", 0.0) > 0 for _ in range(5)] == [False] * 4 + [True]
    assert buckets.take("b", 0.0) == 0
    assert buckets.take("a", 0.25) == pytest.approx(0.25)
    assert buckets.take("a", 0.5) == 0


def test_a_client_that_asks_too_often_is_told_when_to_come_back():
    with TestClient(build_app(Parts(Library(Shelf())), Door(rate=0.2)), base_url="http://127.0.0.1") as client:
        answers = [client.get("/api/random") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1


def test_head_is_answered_as_get_is_without_its_body(client):
    for path in ("/", "/api/health", "/api/search?q=chess"):
        asked, told = client.get(path), client.head(path)
        assert (told.status_code, told.headers["content-type"]) == (asked.status_code, asked.headers["content-type"])


def test_nobody_is_sent_to_the_host_that_a_request_names(locked):
    answer = locked.get("/api/health/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "wrong", [{"temperature": False}, {"temperature": "1"}, {"max_tokens": True}, {"max_tokens": 2.5}]
)
def test_numbers_of_a_chat_request_are_numbers(client, wrong):
    body = {"messages": [{"role": "user", "content": "Who?"}], **wrong}
    assert client.post("/api/chat", json=body).status_code == 422


def test_connection_that_sends_no_whole_request_is_closed(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    listener = connections.listen("127.0.0.1", 0)
    server = connections.make_server(build_app(Parts(Library(Shelf())), Door()))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    place = listener.getsockname()
    try:
        slow = [socket.create_connection(place, 10) for _ in range(5)]
        for each in slow[1:]:
            each.send(b"GET /api/health HTTP/1.1\r\nX: ")
        began = time.monotonic()
        quick = httpx.Client(base_url=f"http://127.0.0.1:{place[1]}")
        assert [quick.get("/api/health").status_code for _ in range(3)] == [200] * 3
        for each in slow:
            each.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1000) == b""
            each.close()
        assert time.monotonic() - began < 4
        quick.close()
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
