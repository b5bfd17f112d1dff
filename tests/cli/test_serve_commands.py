"""The commands and a real index of the world: started, asked over HTTP and stdio, ended by signals."""

import os
import signal
import socket
import subprocess
import sys
import time

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.serve.iso_days import iso_day, parse_day
from deepred.serve.server import Door, listen
from serve.index.conftest import world as world  # built here once more: a fixture of another folder
from shelf_server import served


@pytest.fixture(scope="module")
def built(world):
    world.index()
    return world


def command(*words, data, **options):
    words = [sys.executable, "-m", "deepred", *words, "--data", str(data)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "deepred index"),
        (["--host", "0.0.0.0"], "no API key"),
        (["--host", "0.0.0.0", "--api-key", "short"], "at least 8"),
    ],
)
def test_what_keeps_it_from_serving_is_told_in_one_line(built, tmp_path, words, message):
    env = {name: value for name, value in os.environ.items() if name != "DEEPRED_API_KEY"}
    process = command("serve", str(built.run_file), "--no-chat", *words, data=tmp_path, env=env)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2, errors
    assert message in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_serves_until_it_is_told_to_end(built, sign):
    port = free_port()
    process = command("serve", str(built.run_file), "--no-chat", "--port", str(port), data=built.data)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 300
        while True:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            try:
                if httpx.get(f"{address}/api/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        assert httpx.get(f"{address}/api/search", params={"q": "company"}).json()["total"] > 0
        assert httpx.get(f"{address}/pipeline").status_code == 200
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.settimeout(20)
            try:
                raw.sendall(b"GET /api/search?q=" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                answer = raw.recv(100)
            except ConnectionError:  # closed before all of it was sent
                answer = b"HTTP/1.1 4"
            assert answer.startswith(b"HTTP/1.1 4")
        assert httpx.get(f"{address}/api/health").status_code == 200
    finally:
        process.send_signal(sign)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"{address}/mcp" in printed
    assert "Traceback" not in errors


def test_a_client_over_stdio_searches_the_world(built):
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "deepred", "mcp", str(built.run_file), "--no-chat", "--data", str(built.data)],
        env=dict(os.environ),
    )

    async def conversation():
        async with Client(stdio_client(server)) as client:
            tools = await client.list_tools()
            found = await client.call_tool("search", {"query": "company", "as_of": "1900-01-01"})
            return tools.tools, found

    tools, found = anyio.run(conversation)
    assert len(tools) == 5
    assert found.structured_content["results"]
    assert all(result["first_known"] < "1900-01-01" for result in found.structured_content["results"])


@pytest.mark.parametrize("as_of", ["1700-01-01", "1850-06-15", "1930-01-01", "1969-07-20", "2015-01-01"])
def test_no_route_tells_of_a_later_day(built, as_of):
    """Over the whole world: every article by every way, and what search finds, against the days of its sentences."""
    limit = min(parse_day(as_of), 19690720)
    index = built.open()
    dates = built.pipeline.folder(built.pipeline.node("dates"))
    known = {row["page_id"]: row["first_known"] for row in read_rows(dates, "dates-*.parquet")}
    told = 0
    with served(index) as address, httpx.Client(base_url=address) as client:
        for page_id in sorted(known)[::7]:
            answer = client.get(f"/api/articles/{page_id}", params={"as_of": as_of})
            if known[page_id] is not None and known[page_id] >= limit:
                assert answer.status_code == 404
            if answer.status_code == 404:
                continue
            article = answer.json()
            assert article["as_of"] == iso_day(limit)
            sentences = [s for part in article["paragraphs"] for s in part["sentences"]]
            assert all(sentence["kept"] for sentence in sentences)
            assert all(sentence["day"] is None or parse_day(sentence["day"]) < limit for sentence in sentences)
            told += len(sentences)
            page = client.get(f"/articles/{page_id}", params={"as_of": as_of})
            assert page.status_code == 200
            assert 'class="cut"' not in page.text
        for query in ("company", "novel", "the", "invented in"):
            for mode in ("hybrid", "bm25", "semantic"):
                found = client.get("/api/search", params={"q": query, "as_of": as_of, "mode": mode, "size": 50}).json()
                days = [result["first_known"] for result in found["results"] if result["first_known"]]
                assert all(parse_day(day) < limit for day in days)
        for year in range(1955, 1985):
            events = client.get(f"/api/years/{year}", params={"as_of": as_of}).json()["events"]
            assert all(parse_day(event["last"]) < limit for event in events)
    assert told > 0 or as_of < "1800"


def test_a_port_that_is_taken_is_a_user_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="choose another --port"):
            listen(Door(port=taken.getsockname()[1]))
