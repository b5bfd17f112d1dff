"""Vectors of paragraphs and queries: fitted on the corpus, from an endpoint, or from a model on this machine.

``lsa``: TF-IDF and a truncated SVD fitted on the corpus itself; needs no server and no download, and is saved as arrays
and a JSON vocabulary. ``openai``: any OpenAI-compatible endpoint. ``minilm``: a sentence-transformer from a local
folder. All vectors have length one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deepred.base.errors import UserError
from deepred.base.files import replaced, write_json
from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.query import Vector, words_of

DIMENSIONS = 128
VOCABULARY = 50_000
"""Words that the vectors of ``lsa`` know, the most common ones."""
COMMON = 0.5
"""Share of paragraphs from which a word says nothing."""
FITTED = 50_000
"""Units that ``lsa`` is fitted on, drawn evenly."""
PREFIXES = {
    "nomic": ("search_document: ", "search_query: "),
    "e5": ("passage: ", "query: "),
    "bge": ("", "Represent this sentence for searching relevant passages: "),
    "mxbai": ("", "Represent this sentence for searching relevant passages: "),
}
"""What some models want before a document and before a query, by a part of their name."""
ENDPOINT_BATCH = 64
LOCAL_BATCH = 16


class Embedder(Protocol):
    """Texts to vectors of length one; a text of which nothing is known becomes zeros."""

    def documents(self, texts: Sequence[str]) -> Vector:
        """A row a text."""
        ...

    def query(self, text: str) -> Vector:
        """One vector."""
        ...


@dataclass(frozen=True)
class Lsa:
    """Latent semantic analysis (Deerwester et al., 1990)."""

    vocabulary: dict[str, int]
    components: Vector
    """A row a word, its inverse document frequency included."""

    @staticmethod
    def fit(texts: Sequence[str], seed: int) -> Lsa | None:
        """Fitted on texts; None where they are too few or too alike for two dimensions."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from threadpoolctl import threadpool_limits

        most = max(COMMON, 2 / max(len(texts), 1))
        options: dict[str, Any] = {"analyzer": words_of, "max_df": most, "sublinear_tf": True, "dtype": np.float32}
        vectorizer: Any = TfidfVectorizer(max_features=VOCABULARY, **options)
        try:
            weights: Any = vectorizer.fit_transform(texts)
        except ValueError:  # no word is left
            return None
        size = min(DIMENSIONS, weights.shape[0] - 1, weights.shape[1] - 1)
        if size < 2:
            return None
        with threadpool_limits(1):  # how many threads share a sum changes its last digits
            svd: Any = TruncatedSVD(size, n_iter=4, random_state=seed).fit(weights)
        scaled: Vector = (svd.components_ * vectorizer.idf_).T.astype(np.float32)
        return Lsa({word: int(place) for word, place in vectorizer.vocabulary_.items()}, np.ascontiguousarray(scaled))

    def save(self, folder: Path) -> None:
        """Write ``lsa.npy`` and, last, ``lsa.json``."""
        with replaced(folder / "lsa.npy") as partial, partial.open("wb") as file:
            np.save(file, self.components, allow_pickle=False)
        write_json(folder / "lsa.json", sorted(self.vocabulary, key=self.vocabulary.__getitem__))

    @staticmethod
    def load(folder: Path) -> Lsa:
        """What ``save`` wrote."""
        words: list[str] = json.loads((folder / "lsa.json").read_text(encoding="utf-8"))
        return Lsa({word: place for place, word in enumerate(words)}, np.load(folder / "lsa.npy", mmap_mode="r"))

    def documents(self, texts: Sequence[str]) -> Vector:
        """A row a text."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            rows = [self._sum(words_of(text)) for text in texts]
        return _normal(np.stack(rows)) if rows else np.zeros((0, self.components.shape[1]), np.float32)

    def query(self, text: str) -> Vector:
        """One vector."""
        return _normal(self._sum(words_of(text))[None])[0]

    def _sum(self, words: list[str]) -> Vector:
        counts = Counter(place for word in words if (place := self.vocabulary.get(word)) is not None)
        places = np.fromiter(counts.keys(), np.int64, len(counts))
        weights = 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
        return (weights @ self.components[places]).astype(np.float32)


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint, from ``DEEPRED_EMBEDDINGS_*``."""

    url: str
    model: str
    key: str
    document_prefix: str
    query_prefix: str

    @staticmethod
    def from_environment() -> Endpoint:
        """URL and MODEL must be set; KEY, DOCUMENT_PREFIX and QUERY_PREFIX may be."""
        url, model = (os.environ.get(f"DEEPRED_EMBEDDINGS_{name}", "") for name in ("URL", "MODEL"))
        if not url or not model:
            raise UserError(
                "embeddings from an endpoint need its address and a model",
                "set DEEPRED_EMBEDDINGS_URL (http://localhost:1234/v1) and DEEPRED_EMBEDDINGS_MODEL",
            )
        known = next((pair for name, pair in PREFIXES.items() if name in model.lower()), ("", ""))
        return Endpoint(
            url.rstrip("/"),
            model,
            os.environ.get("DEEPRED_EMBEDDINGS_KEY", ""),
            os.environ.get("DEEPRED_EMBEDDINGS_DOCUMENT_PREFIX", known[0]),
            os.environ.get("DEEPRED_EMBEDDINGS_QUERY_PREFIX", known[1]),
        )

    def documents(self, texts: Sequence[str]) -> Vector:
        """A row a text."""
        parts = [
            self._ask([self.document_prefix + text for text in texts[start : start + ENDPOINT_BATCH]])
            for start in range(0, len(texts), ENDPOINT_BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def query(self, text: str) -> Vector:
        """One vector."""
        return self._ask([self.query_prefix + text])[0]

    def _ask(self, texts: list[str]) -> Vector:
        import httpx

        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            reply = httpx.post(
                f"{self.url}/embeddings", json={"model": self.model, "input": texts}, headers=headers, timeout=60
            )
            reply.raise_for_status()
            rows = sorted(reply.json()["data"], key=lambda row: row["index"])
            found = np.array([row["embedding"] for row in rows], np.float32)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise UnavailableError(
                f"no embeddings from {self.url}: {type(error).__name__} {error}", "start it, or check the model's name"
            ) from None
        if found.shape[:1] != (len(texts),) or found.ndim != 2:
            raise UnavailableError(f"{self.url} gave {len(found)} vectors for {len(texts)} texts", "check the endpoint")
        return _normal(found)


class MiniLm:
    """A sentence-transformer (mean of its last layer) from a folder on this machine, through transformers."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(str(folder), local_files_only=True).eval()

    @staticmethod
    def from_environment() -> MiniLm:
        """From ``DEEPRED_EMBEDDINGS_MODEL``, a folder."""
        folder = os.environ.get("DEEPRED_EMBEDDINGS_MODEL", "")
        if not folder or not (Path(folder) / "config.json").is_file():
            raise UserError(
                f"minilm needs a model on this machine, and {folder or 'none'} is no such folder",
                "fetch one, such as sentence-transformers/all-MiniLM-L6-v2, and set DEEPRED_EMBEDDINGS_MODEL to it",
            )
        return MiniLm(Path(folder))

    def documents(self, texts: Sequence[str]) -> Vector:
        """A row a text."""
        parts = [self._embed(list(texts[start : start + LOCAL_BATCH])) for start in range(0, len(texts), LOCAL_BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def query(self, text: str) -> Vector:
        """One vector."""
        return self._embed([text])[0]

    def _embed(self, texts: list[str]) -> Vector:
        import torch

        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            states = self.model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None].to(states.dtype)
        mean: Any = (states * mask).sum(1) / mask.sum(1)
        return _normal(mean.float().numpy())


def _normal(rows: Vector) -> Vector:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def describe(kind: str) -> str:
    """What makes the vectors, as part of a version: a kind, and the model of an endpoint or folder."""
    if kind == "openai":
        endpoint = Endpoint.from_environment()
        return f"openai {endpoint.model} {endpoint.document_prefix!r} {endpoint.query_prefix!r}"
    if kind == "minilm":
        MiniLm.from_environment()
        return f"minilm {Path(os.environ['DEEPRED_EMBEDDINGS_MODEL']).name}"
    return kind


def open_embedder(kind: str, folder: Path) -> Embedder | None:
    """The embedder of an index by its kind; that of ``lsa`` lies in the index's folder."""
    if kind == "openai":
        return Endpoint.from_environment()
    if kind == "minilm":
        return MiniLm.from_environment()
    if kind == "lsa" and (folder / "lsa.json").is_file():
        return Lsa.load(folder)
    return None
