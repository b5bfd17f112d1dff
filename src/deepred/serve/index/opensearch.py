"""OpenSearch: BM25 and k-NN over one search index a version, with an alias for people; through ``opensearch-py``.

The text is cut into words by OpenSearch's own analysis, set up like the embedded one (lower case, no accents, English
endings). A query reaches it as ``match`` and ``match_phrase`` of plain words, never as query syntax. Used endpoints:
``PUT /{index}``, ``HEAD /{index}``, ``POST /_bulk``, ``POST /{index}/_search``, ``POST /{index}/_refresh``,
``POST /_aliases``, ``GET /_alias/{alias}``, ``GET /{pattern}``, ``DELETE /{index}``, ``GET /``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from deepred.base.errors import UserError
from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.embedded_search import SHOWN
from deepred.serve.index.query import Filters, Hit, Unit, Vector, Words

TIMEOUT = 10
BULK = 500
"""Units of a bulk request."""

INTEGERS = ("number", "day", "until", "known", "first_known")


def connect(url: str) -> Any:
    """A client; ``https://user:password@host:9200``."""
    if not url.startswith(("http://", "https://")):
        raise UserError(f"no search engine is called {url!r}", "embedded, or OpenSearch's https://host:9200")
    try:
        from opensearchpy import OpenSearch
    except ImportError:
        raise UserError("OpenSearch needs its client", "pip install deepred[opensearch]") from None
    return OpenSearch(hosts=[url], timeout=TIMEOUT, max_retries=2, retry_on_timeout=True)


def name_of(slug: str, version: str) -> str:
    """The search index of a version."""
    return f"deepred-{slug}-{version}"


def alias_of(slug: str) -> str:
    """The alias of the current version."""
    return f"deepred-{slug}"


def mapping(dimensions: int) -> dict[str, Any]:
    """Settings and mapping of a search index; ``dimensions`` 0: without vectors."""
    properties: dict[str, Any] = {
        "body": {"type": "text", "analyzer": "deepred"},
        "text": {"type": "text", "index": False},
        "title": {"type": "keyword", "index": False, "doc_values": False},
        "section": {"type": "keyword", "index": False, "doc_values": False},
        "unit": {"type": "long"},
        "page_id": {"type": "long"},
        "kind": {"type": "keyword"},
        "source": {"type": "keyword"},
    }
    properties |= {name: {"type": "integer"} for name in INTEGERS}
    settings: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0}
    if dimensions:
        method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
        properties["vector"] = {"type": "knn_vector", "dimension": dimensions, "method": method}
        settings["knn"] = True
    analysis = {
        "filter": {"english_endings": {"type": "stemmer", "language": "english"}},
        "analyzer": {
            "deepred": {
                "type": "custom",
                "tokenizer": "standard",
                "filter": ["lowercase", "asciifolding", "english_endings"],
            }
        },
    }
    return {
        "settings": {"index": settings, "analysis": analysis},
        "mappings": {"dynamic": "strict", "properties": properties},
    }


class Writer:
    """Loads units into the search index of a version; a unit's number is its id, so a part may be sent again."""

    def __init__(self, url: str, slug: str, version: str, dimensions: int) -> None:
        self.client = connect(url)
        self.slug, self.name = slug, name_of(slug, version)
        with answered(url):
            if not self.client.indices.exists(index=self.name):
                self.client.indices.create(index=self.name, body=mapping(dimensions))
        self.url = url

    def add_part(self, first: int, count: int, rows: Iterator[dict[str, Any]]) -> None:
        """Send the units of a part."""
        from opensearchpy import helpers

        with answered(self.url):
            helpers.bulk(self.client, self._actions(first, rows), chunk_size=BULK, max_retries=3, refresh=False)

    def _actions(self, first: int, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        from deepred.serve.index.embedded_search import body_of

        for unit, row in enumerate(rows, first):
            vector = row.pop("vector", None)
            source = row | {"unit": unit, "body": body_of(row)}
            if vector is not None and vector.any():  # the cosine of nothing is refused
                source["vector"] = [round(float(value), 5) for value in vector]
            yield {"_op_type": "index", "_index": self.name, "_id": str(unit), "_source": source}

    def close(self) -> None:
        """Make all units visible, and point the alias to them in one step."""
        with answered(self.url):
            self.client.indices.refresh(index=self.name)
            old = self.client.indices.get_alias(name=alias_of(self.slug), ignore=[404])
            names = [name for name in old if name.startswith("deepred-") and name != self.name]
            actions: list[dict[str, Any]] = [
                {"remove": {"index": name, "alias": alias_of(self.slug)}} for name in names
            ]
            actions.append({"add": {"index": self.name, "alias": alias_of(self.slug)}})
            self.client.indices.update_aliases(body={"actions": actions})


def drop_others(url: str, slug: str, kept: set[str]) -> None:
    """Remove the search indexes of versions that are not kept."""
    client = connect(url)
    with answered(url):
        for name in client.indices.get(index=f"{alias_of(slug)}-*", ignore=[404]):
            version = name.removeprefix(f"{alias_of(slug)}-")
            if name.startswith(f"{alias_of(slug)}-") and version not in kept:
                client.indices.delete(index=name)


class OpenSearchEngine:
    """The engine over the search index of a version."""

    def __init__(self, url: str, slug: str, version: str) -> None:
        self.client = connect(url)
        self.url, self.name = url, name_of(slug, version)

    def find_words(self, words: Words, filters: Filters, offset: int, limit: int) -> tuple[list[Hit], int]:
        """Units by BM25."""
        must: list[dict[str, Any]] = [
            {"match_phrase": {"body": {"query": " ".join(phrase)}}} for phrase in words.phrases
        ]
        should: list[dict[str, Any]] = []
        if words.words:
            match = {"match": {"body": {"query": " ".join(words.words), "operator": "or"}}}
            (should if must else must).append(match)
        if not must:
            return [], 0
        query = {"bool": {"must": must, "should": should, "filter": _filters(filters)}}
        sort: list[Any] = [{"_score": "desc"}, {"unit": "asc"}]
        body = {"query": query, "from": offset, "size": limit, "sort": sort, "track_total_hits": True}
        return self._search(body)

    def find_nearest(self, vector: Vector, filters: Filters, limit: int) -> list[Hit]:
        """Units by the cosine of their vectors, filtered while the graph is walked."""
        if not vector.any():
            return []
        near = {"vector": vector.tolist(), "k": limit, "filter": {"bool": {"filter": _filters(filters)}}}
        return self._search({"query": {"knn": {"vector": near}}, "size": limit})[0]

    def _search(self, body: dict[str, Any]) -> tuple[list[Hit], int]:
        with answered(self.url):
            reply = self.client.search(index=self.name, body=body | {"_source": ["unit", *SHOWN]})
        found = reply["hits"]
        hits: list[Hit] = []
        for row in found["hits"]:
            source = row["_source"]
            hits.append(Hit(source["unit"], row["_score"], Unit(*(source.get(name) for name in SHOWN))))
        return hits, found["total"]["value"]

    def show(self, hits: list[Hit]) -> list[Unit]:
        """The units of hits, which came along."""
        return [hit.shown for hit in hits if hit.shown is not None]

    def check(self) -> None:
        """Raise ``UnavailableError`` where the server does not answer or lacks the search index."""
        with answered(self.url):
            if not self.client.indices.exists(index=self.name):
                raise UnavailableError(f"OpenSearch has no {self.name}", "deepred index RUN.toml makes it")

    def close(self) -> None:
        """Close connections."""
        self.client.close()


def _filters(filters: Filters) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"range": {"day": {"lt": filters.as_of}}},
        {"range": {"until": {"gte": filters.as_of}}},
    ]
    if filters.after is not None:
        found.append({"range": {"known": {"gte": filters.after}}})
    for name, values in (("kind", filters.kinds), ("source", filters.sources)):
        if values:
            found.append({"terms": {name: list(values)}})
    return found


@contextmanager
def answered(url: str) -> Generator[None]:
    """Turn what the client raises into ``UnavailableError``, without passwords in the address."""
    from opensearchpy.exceptions import OpenSearchException

    try:
        yield
    except OpenSearchException as error:
        host = url.rpartition("@")[2].removeprefix("https://").removeprefix("http://")
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UnavailableError(f"OpenSearch at {host} does not answer: {said}", "start it") from None
