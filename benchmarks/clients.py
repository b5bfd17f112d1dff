#!/usr/bin/env python3
"""Many clients at once at a server of the encyclopedia, and whether its health check still answers.

    deepred run runs/demo.toml --until report && deepred index runs/demo.toml
    python benchmarks/clients.py runs/demo.toml [--clients 200] [--searches 20]

The server is a process of its own (`deepred serve`), the clients are connections of another one, and a third asks for
`/api/health` every 50 ms. Every client waits for an answer before it asks again.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import time
from urllib.parse import quote

WORDS = ("town", "river", "novel", "published", "bridge", "music", "capital", "minister", "society", "history")
MODES = ("bm25", "hybrid", "semantic")
AS_OF = ("1900-01-01", "1939-09-01", "1955-06-01", "1969-07-20")


async def client(port, seed, searches, found):
    draw = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(searches):
        query = quote(" ".join(draw.sample(WORDS, 2)))
        path = f"/api/search?q={query}&mode={draw.choice(MODES)}&as_of={draw.choice(AS_OF)}"
        started = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        body = json.loads(await reader.readexactly(length))
        found.append((int(head.split()[1]), time.perf_counter() - started, len(body.get("results", ()))))
    writer.close()


def watch_health(port, stop, out):
    """Seconds of every health check, and the codes."""
    found = []
    while not stop.is_set():
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        found.append((answer.status, time.perf_counter() - started))
        time.sleep(0.05)
    out.put(found)


async def ask(port, clients, searches):
    found = []
    await asyncio.gather(*(client(port, seed, searches, found) for seed in range(clients)))
    return found


def percentiles(seconds):
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms, most {1000 * max(seconds):.0f} ms"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run_file")
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--searches", type=int, default=20)
    given = options.parse_args()
    command = [sys.executable, "-m", "deepred", "serve", given.run_file, "--port", "0", "--no-chat"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = next(int(line.split(":")[-1].strip("/\n ")) for line in server.stdout if line.startswith("pages"))
        asyncio.run(ask(port, 4, 20))  # it listens already; the first searches open the index
        context = multiprocessing.get_context("spawn")
        stop, out = context.Event(), context.Queue()
        watcher = context.Process(target=watch_health, args=(port, stop, out))
        watcher.start()
        started = time.perf_counter()
        found = asyncio.run(ask(port, given.clients, given.searches))
        seconds = time.perf_counter() - started
        stop.set()
        health = out.get(timeout=90)
        watcher.join()
    finally:
        server.terminate()
        server.wait()
    bad = sum(code != 200 for code, *_ in found)
    print(f"{len(found):,} searches by {given.clients} clients: {bad} errors, {len(found) / seconds:.0f} a second")
    print(f"searches  {percentiles([taken for _, taken, _ in found])}")
    failed = sum(code != 200 for code, _ in health)
    print(f"health    {percentiles([taken for _, taken in health])}; {len(health)} checks, {failed} failed")


if __name__ == "__main__":
    main()
