"""OpenAI-compatible servers for the tests: one that answers what a test scripts, and a random model under llama.cpp."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


def completion(content, finish="stop", **message):
    choice = {"message": {"role": "assistant", "content": content} | message, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 300, "completion_tokens": 40}})


DRIP = ("X-Drip", "a byte now and then")


class Server(ThreadingHTTPServer):
    """A chat endpoint of the tests: what it answers is a function of the title and how often that was asked."""

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.lock = threading.Lock()
        self.asked = []
        self.keys = set()
        self.under_way = self.most = 0
        self.hear = lambda body: None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.hear(body)
        title = body["messages"][-1]["content"].partition("\n")[0].removeprefix("Title: ")
        with self.server.lock:
            self.server.asked.append(title)
            self.server.keys.add(self.headers.get("Authorization"))
            self.server.under_way += 1
            self.server.most = max(self.server.most, self.server.under_way)
            times = self.server.asked.count(title)
        try:
            status, text, *headers = self.server.script(title, times)
        finally:
            with self.server.lock:
                self.server.under_way -= 1
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            for byte in text.encode() if headers == [DRIP] else [text.encode()]:
                self.wfile.write(bytes([byte]) if headers == [DRIP] else byte)
                time.sleep(0.05 if headers == [DRIP] else 0)
        except OSError:
            pass  # the client has given up

    def log_message(self, format, *arguments):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(script):
        server = Server(script)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@contextmanager
def llama_server(folder, key="s3cret"):
    """The address of a tiny random model that llama.cpp serves: its words mean nothing, but a schema binds them."""
    from deepred.serve.serve_model import serve_model
    from tiny_llama import write_tiny_gguf

    stop, started, found = threading.Event(), threading.Event(), []
    gguf = write_tiny_gguf(folder, context=4096)
    options = {"port": 0, "key": key, "threads": 1, "until": stop}
    options["ready"] = lambda address: (found.append(address), started.set())
    thread = threading.Thread(target=serve_model, args=(gguf,), kwargs=options)
    thread.start()
    try:
        assert started.wait(60)
        yield found[0]
    finally:
        stop.set()
        thread.join(30)


def readable(folder):
    """What keeps that model from writing bytes that are no UTF-8, which its server answers with HTTP 500, and from
    texts without an end."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
    broken = [token for token in range(tokenizer.get_vocab_size()) if "\ufffd" in tokenizer.decode([token])]
    return {"logit_bias": [[tokenizer.token_to_id('"'), 4.0], *([token, False] for token in broken)]}
