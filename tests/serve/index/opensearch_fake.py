"""An HTTP server that answers just the requests that ``serve/index/opensearch.py`` makes, and fails on any other.

It checks bodies strictly (unknown endpoints, parameters, fields and query clauses are errors, as in OpenSearch) and
ranks by plain counts of words, so that order differs from BM25; what is tested is the protocol, filters and paging.
"""

import json
import re
from fnmatch import fnmatch
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qs, urlsplit

import numpy as np

from deepred.serve.index.query import words_of

TYPES = {"text", "keyword", "long", "integer", "knn_vector"}
MAPPING_KEYS = {
    "text": {"type", "analyzer", "index"},
    "keyword": {"type", "index", "doc_values"},
    "long": {"type"},
    "integer": {"type"},
    "knn_vector": {"type", "dimension", "method"},
}


@lru_cache(maxsize=1 << 16)
def held_words(text):
    """A document's words, cut once."""
    return words_of(text)


class Refused(Exception):  # noqa: N818
    """A request that OpenSearch would refuse."""

    def __init__(self, status, kind, reason):
        super().__init__(reason)
        self.status, self.kind = status, kind


def require(condition, reason, kind="parsing_exception", status=400):
    if not condition:
        raise Refused(status, kind, reason)


def only(body, *names):
    require(isinstance(body, dict), f"an object, not {body!r}")
    require(set(body) <= set(names), f"unknown key [{', '.join(sorted(set(body) - set(names)))}]")


class Cluster:
    """Search indexes with their documents, visible after a refresh, and aliases."""

    def __init__(self):
        self.lock = Lock()
        self.indexes = {}
        self.aliases = {}
        self.requests = []

    def create(self, name, body):
        require(name not in self.indexes, f"index [{name}] already exists", "resource_already_exists_exception")
        require(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name), f"invalid index name [{name}]", "invalid_index_name")
        only(body, "settings", "mappings")
        only(body["settings"], "index", "analysis")
        only(body["settings"]["index"], "number_of_shards", "number_of_replicas", "knn")
        only(body["mappings"], "dynamic", "properties")
        require(body["mappings"]["dynamic"] == "strict", "dynamic")
        analyzers = body["settings"]["analysis"]["analyzer"]
        for field, described in body["mappings"]["properties"].items():
            require(described.get("type") in TYPES, f"No handler for type [{described.get('type')}] on [{field}]")
            only(described, *MAPPING_KEYS[described["type"]])
            require(described.get("analyzer") in (None, *analyzers), f"analyzer of [{field}] not found")
            if described["type"] == "knn_vector":
                require(body["settings"]["index"].get("knn") is True, "knn is off")
                only(described["method"], "name", "engine", "space_type")
        self.indexes[name] = {"body": body, "pending": {}, "documents": {}}
        return {"acknowledged": True, "shards_acknowledged": True, "index": name}

    def bulk(self, lines):
        items = []
        pairs = iter(lines)
        for action in pairs:
            only(action, "index")
            only(action["index"], "_index", "_id")
            name, number = action["index"]["_index"], action["index"]["_id"]
            source = next(pairs)
            require(name in self.indexes, f"no such index [{name}]", "index_not_found_exception", 404)
            properties = self.indexes[name]["body"]["mappings"]["properties"]
            for field, value in source.items():
                require(
                    field in properties, f"mapping set to strict, [{field}] is not allowed", "strict_dynamic_mapping"
                )
                self._check_value(field, value, properties[field])
            if "vector" in source:
                source["vector"] = np.array(source["vector"])
            self.indexes[name]["pending"][number] = source
            items.append({"index": {"_index": name, "_id": number, "status": 201, "result": "created"}})
        return {"took": 1, "errors": False, "items": items}

    @staticmethod
    def _check_value(field, value, described):
        kind = described["type"]
        if kind in ("integer", "long") and value is not None:
            bits = 31 if kind == "integer" else 63
            require(isinstance(value, int) and -(2**bits) <= value < 2**bits, f"[{field}] of {value!r}")
        elif kind == "knn_vector":
            require(len(value) == described["dimension"], f"vector of {len(value)}")
            require(any(value), "zero vector is not supported when space type is [cosinesimil]")
        elif kind in ("text", "keyword"):
            require(isinstance(value, str), f"[{field}] of {value!r}")

    def search(self, name, body):
        require(name in self.indexes, f"no such index [{name}]", "index_not_found_exception", 404)
        only(body, "query", "from", "size", "sort", "track_total_hits", "_source")
        require(body.get("from", 0) + body["size"] <= 10_000, "Result window is too large")
        properties = self.indexes[name]["body"]["mappings"]["properties"]
        documents = self.indexes[name]["documents"]
        limit = body["query"]["knn"]["vector"]["k"] if "knn" in body["query"] else None
        found = self._matches(body["query"], documents, properties)
        scored = [(-score, documents[number]["unit"], number, documents[number]) for number, score in found.items()]
        scored.sort(key=lambda found: found[:2])
        scored = scored[:limit]
        first = body.get("from", 0)
        hits = [
            {"_index": name, "_id": number, "_score": -score, "_source": {k: source.get(k) for k in body["_source"]}}
            for score, _, number, source in scored[first : first + body["size"]]
        ]
        return {
            "took": 1,
            "timed_out": False,
            "hits": {"total": {"value": len(scored), "relation": "eq"}, "hits": hits},
        }

    def _matches(self, query, documents, properties):
        """The documents that match a query, with their scores."""
        require(len(query) == 1, "one clause")
        ((kind, body),) = query.items()
        if kind == "bool":
            return self._combined(body, documents, properties)
        if kind == "knn":
            return self._nearest(body, documents, properties)
        ((field, wanted),) = body.items()
        require(field in properties, f"no field [{field}]")
        require(properties[field].get("index", True), f"Cannot search on field [{field}] since it is not indexed")
        if kind == "range":
            only(wanted, "lt", "gte")
            low, high = wanted.get("gte", -(2**63)), wanted.get("lt", 2**63)
            return {n: 0.0 for n, d in documents.items() if (value := d.get(field)) is not None and low <= value < high}
        if kind == "terms":
            return {number: 0.0 for number, document in documents.items() if document.get(field) in wanted}
        require(kind in ("match", "match_phrase"), f"unknown query [{kind}]")
        only(wanted, "query", "operator")
        asked = words_of(wanted["query"])
        counted = count_runs if kind == "match_phrase" else count_words
        scores = {number: counted(asked, document[field]) for number, document in documents.items()}
        return {number: score for number, score in scores.items() if score}

    def _combined(self, body, documents, properties):
        only(body, "must", "should", "filter")
        for part in body.get("filter", []):
            documents = {number: documents[number] for number in self._matches(part, documents, properties)}
        scores = dict.fromkeys(documents, 0.0)
        for part in body.get("must", []):
            found = self._matches(part, documents, properties)
            scores = {number: scores[number] + score for number, score in found.items() if number in scores}
        for part in body.get("should", []):
            for number, score in self._matches(part, documents, properties).items():
                if number in scores:
                    scores[number] += score
        return scores

    def _nearest(self, body, documents, properties):
        only(body, "vector")
        only(body["vector"], "vector", "k", "filter")
        asked = np.array(body["vector"]["vector"])
        require(len(asked) == properties["vector"]["dimension"], "dimension")
        passed = self._matches(body["vector"]["filter"], documents, properties)
        numbers = [number for number in passed if "vector" in documents[number]]
        if not numbers:
            return {}
        vectors = np.array([documents[number]["vector"] for number in numbers])
        cosines = vectors @ asked / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(asked))
        return dict(zip(numbers, ((1 + cosines) / 2).tolist()))


def count_words(asked, text):
    held = held_words(text)
    return sum(held.count(word) for word in asked) / (10 + len(held))


def count_runs(asked, text):
    held = held_words(text)
    return float(sum(held[i : i + len(asked)] == asked for i in range(len(held))))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        cluster = self.server.cluster
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8")
        with cluster.lock:
            cluster.requests.append((self.command, address.path))
            try:
                status, reply = self.route(cluster, address.path.strip("/"), parse_qs(address.query), body)
            except Refused as error:
                cause = {"type": error.kind, "reason": str(error)}
                status, reply = error.status, {"error": {"root_cause": [cause], **cause}, "status": error.status}
        data = b"" if reply is None or self.command == "HEAD" else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

    def route(self, cluster, path, parameters, body):
        command = self.command
        require(set(parameters) <= {"refresh"}, f"unrecognized parameters {sorted(parameters)}")
        if command == "HEAD":
            return (200 if path in cluster.indexes else 404), None
        if command == "PUT":
            return 200, cluster.create(path, json.loads(body))
        if (command, path) == ("POST", "_bulk"):
            return 200, cluster.bulk([json.loads(line) for line in body.splitlines()])
        if command == "POST" and path.endswith("/_search"):
            return 200, cluster.search(path.removesuffix("/_search"), json.loads(body))
        if command == "POST" and path.endswith("/_refresh"):
            index = cluster.indexes[path.removesuffix("/_refresh")]
            index["documents"] |= index["pending"]
            index["pending"] = {}
            return 200, {"_shards": {"total": 1, "successful": 1, "failed": 0}}
        if (command, path) == ("POST", "_aliases"):
            for action in json.loads(body)["actions"]:
                ((kind, what),) = action.items()
                only(what, "index", "alias")
                names = cluster.aliases.setdefault(what["alias"], set())
                names.add(what["index"]) if kind == "add" else names.discard(what["index"])
            return 200, {"acknowledged": True}
        if command == "GET" and path.startswith("_alias/"):
            names = cluster.aliases.get(path.removeprefix("_alias/"))
            require(names, "alias missing", "aliases_not_found_exception", 404)
            return 200, {name: {"aliases": {}} for name in names}
        if command == "GET" and path.endswith("*"):
            return 200, {name: {} for name in cluster.indexes if fnmatch(name, path)}
        if command == "DELETE" and path in cluster.indexes:
            del cluster.indexes[path]
            return 200, {"acknowledged": True}
        raise Refused(405, "unsupported", f"{command} {path}")

    def log_message(self, *arguments):
        """Nothing."""


def start():
    """A server on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.cluster = Cluster()
    return server
