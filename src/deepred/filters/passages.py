"""Stage ``passages``: the text of every article without what could only be written after the cutoff.

In: articles, their sentences and the tables of ``emergence``, their classes. Out: ``passages-*.parquet`` (kept text with
its paragraphs and headings, and the kept spans), ``dropped-*.parquet`` (every dropped sentence with its reason and
probability), ``samples.jsonl`` (a random sample of both, with their text). The arm ``unfiltered`` keeps everything.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from deepred.config import Passages
from deepred.documents import Day, dropped_schema, passage_schema, read_rows, write_rows
from deepred.errors import FaultError
from deepred.filters.decide import CLASS, KEPT, REASONS, Decision, decide
from deepred.filters.emergence import NAMES, TERMS
from deepred.filters.evidence import Horizon, gather_evidence, segments_of
from deepred.filters.features import Ints
from deepred.filters.known import KnownDays
from deepred.filters.sentences import Segments
from deepred.filters.terms import Terms
from deepred.stage import Counts, Work

CLASSES = "ONSU"
MIN_COUNT = 5


def filter_articles(
    *,
    articles: Path,
    dates: Path,
    emergence: Path,
    classes: Path,
    config: Passages,
    cutoff: Day,
    straddling: str,
    seed: int,
    arm: str,
    out: Path,
    work: Work,
) -> Counts:
    """Filter every article, in shards."""
    files = sorted(articles.glob("articles-*.parquet"))
    if not files:
        raise FaultError(f"{articles} holds no articles", "run the stage articles again")
    common = (str(emergence), str(classes), config, cutoff, straddling, seed, arm)
    counts = work.map_shards(_filter_shard, [(path.stem, (str(path), *common)) for path in files], out)
    _merge_samples(out, config.samples)
    return counts


def load_horizon(emergence: Path, cutoff: Day, straddling: str) -> Horizon:
    """The tables of the stage ``emergence`` as seen from a cutoff."""
    terms = Terms.load(emergence / TERMS)
    return Horizon.of(cutoff, straddling, KnownDays.load(emergence / NAMES), terms.cut(cutoff), MIN_COUNT)


def load_classes(folder: Path) -> tuple[Ints, np.ndarray]:
    """Sorted page ids and the class of each as a byte."""
    pages: list[int] = []
    found = bytearray()
    for row in read_rows(folder, "classes-*.parquet", ["page_id", "class"]):
        pages.append(row["page_id"])
        found += row["class"].encode("ascii")
    ids = np.array(pages, np.int64)
    order = np.argsort(ids, kind="stable")
    return ids[order], np.frombuffer(bytes(found), np.uint8)[order]


def read_pairs(articles: Path, emergence: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The articles of one file, each with its row of sentences."""
    spans = f"sentences-{articles.stem.removeprefix('articles-')}.parquet"
    texts = read_rows(articles.parent, articles.name, ["page_id", "title", "text"])
    for article, row in zip(texts, read_rows(emergence, spans), strict=True):
        if article["page_id"] != row["page_id"]:
            raise FaultError(f"{emergence / spans} does not belong to {articles}", "run the stage emergence again")
        yield article, row


def _filter_shard(argument: tuple[str, str, str, Passages, Day, str, int, str], folder: Path) -> Counts:
    source, emergence, classes, config, cutoff, straddling, seed, arm = argument
    path = Path(source)
    horizon = load_horizon(Path(emergence), cutoff, straddling) if arm != "unfiltered" else None
    ids, kinds = load_classes(Path(classes))
    counts = Counts()
    dropped: list[dict[str, Any]] = []
    samples = Sampler(config.samples, seed)

    def rows() -> Iterator[dict[str, Any]]:
        for article, row in read_pairs(path, Path(emergence)):
            place = int(np.searchsorted(ids, row["page_id"]))
            found = place < len(ids) and ids[place] == row["page_id"]
            kind = chr(kinds[place]) if found else "U"
            if horizon is None:
                segments, decision = segments_of(row), None
            else:
                segments, evidence = gather_evidence(article, row, horizon)
                decision = decide(segments, evidence, kind)
            passage = _count_and_keep(article, kind, segments, decision, config, counts, dropped, samples)
            if passage is not None:
                yield passage

    name = path.stem.removeprefix("articles-")
    write_rows(folder / f"passages-{name}.parquet", rows(), passage_schema())
    write_rows(folder / f"dropped-{name}.parquet", dropped, dropped_schema())
    (folder / f"samples-{name}.jsonl").write_bytes(samples.to_jsonl())
    return counts


def _count_and_keep(
    article: dict[str, Any],
    kind: str,
    segments: Segments,
    decision: Decision | None,
    config: Passages,
    counts: Counts,
    dropped: list[dict[str, Any]],
    samples: Sampler,
) -> dict[str, Any] | None:
    """The article's passage, or None where too little is left; drops, counts and samples are noted."""
    count = len(segments)
    reasons = np.zeros(count, np.int8) if decision is None else decision.reasons
    chances = np.zeros(count, np.float32) if decision is None else decision.probability
    counts.add("documents")
    counts.add("bytes", len(article["text"]))
    counts.add("sentences", count)
    for i, (start, end) in enumerate(zip(segments.starts, segments.ends)):
        reason = REASONS[reasons[i]]
        if reason:
            dropped.append(
                {"page_id": article["page_id"], "start": start, "end": end, "reason": reason, "probability": chances[i]}
            )
            counts.drop(reason)
        samples.offer(article, start, end, reason, float(chances[i]))
    if decision is not None and count and bool((reasons == CLASS).all()):
        counts.add("articles of class N")
        return None
    text = kept_text(article["text"], segments, reasons == KEPT, decision.late_headings if decision else frozenset())
    if len(text) < config.min_characters:
        counts.add("articles too short")
        return None
    counts.add("kept sentences", int((reasons == KEPT).sum()))
    counts.add("kept characters", len(text))
    spans = [{"start": segments.starts[i], "end": segments.ends[i]} for i in np.flatnonzero(reasons == KEPT)]
    return {"page_id": article["page_id"], "title": article["title"], "class": kind, "text": text, "spans": spans}


def kept_text(text: str, segments: Segments, kept: np.ndarray, late_headings: frozenset[int] = frozenset()) -> str:
    """The kept sentences in their paragraphs, under those headings that still have text and tell of no later day.

    >>> from deepred.filters.sentences import segment
    >>> text = "He came. He saw.\\n\\nLater life.\\n\\nHe won."
    >>> kept_text(text, segment(text), np.array([True, True, False]))
    'He came. He saw.'
    """
    parts: list[str] = []
    section = paragraph = 0
    for i in np.flatnonzero(kept).tolist():
        if segments.sections[i] != section:
            section = segments.sections[i]
            start, end = segments.headings[section - 1]
            if start < end and section - 1 not in late_headings:
                parts.append(("\n\n" if parts else "") + text[start:end])
        if parts:
            parts.append(" " if segments.paragraphs[i] == paragraph and parts[-1] else "\n\n")
        paragraph = segments.paragraphs[i]
        parts.append(text[segments.starts[i] : segments.ends[i]])
    return "".join(parts)


class Sampler:
    """A random sample of kept and of dropped sentences: those of the smallest hashes, whatever the order."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.heaps: dict[bool, list[tuple[int, bytes]]] = {True: [], False: []}

    def offer(self, article: dict[str, Any], start: int, end: int, reason: str, probability: float) -> None:
        """Consider a sentence."""
        heap = self.heaps[not reason]
        key = hashlib.blake2b(f"{self.seed}:{article['page_id']}:{start}".encode(), digest_size=8).digest()
        rank = -int.from_bytes(key, "big")
        if not self.size or (len(heap) >= self.size and rank <= heap[0][0]):
            return
        sample = {"page_id": article["page_id"], "title": article["title"], "start": start, "end": end}
        sample |= {
            "text": article["text"][start:end],
            "reason": reason,
            "probability": round(probability, 4),
            "rank": -rank,
        }
        entry = (rank, orjson.dumps(sample))
        if len(heap) < self.size:
            heapq.heappush(heap, entry)
        else:
            heapq.heapreplace(heap, entry)

    def to_jsonl(self) -> bytes:
        """The sample, kept sentences first, each as a line."""
        lines = [line for kept in (True, False) for _, line in sorted(self.heaps[kept], reverse=True)]
        return b"".join(line + b"\n" for line in lines)


def _merge_samples(out: Path, size: int) -> None:
    """Join the shards' samples: the sentences of the smallest hashes again."""
    target = out / "samples.jsonl"
    parts = sorted(out.glob("samples-*.jsonl"))
    if not target.exists():
        lines = [orjson.loads(line) for part in parts for line in part.read_bytes().splitlines()]
        lines.sort(key=lambda line: (bool(line["reason"]), line["rank"]))
        kept = [line for line in lines if not line["reason"]][:size]
        chosen = kept + [line for line in lines if line["reason"]][:size]
        partial = target.with_name(target.name + ".tmp")
        partial.write_bytes(
            b"".join(orjson.dumps({k: v for k, v in line.items() if k != "rank"}) + b"\n" for line in chosen)
        )
        partial.replace(target)
    for part in parts:
        part.unlink()
