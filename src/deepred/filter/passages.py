"""Stage ``passages``: the text of every article without what could only be written after the cutoff.

In: articles, their sentences and the tables of ``emergence``, their classes. Out: ``passages-*.parquet`` (kept text
with its paragraphs and headings, and the kept spans), ``dropped-*.parquet`` (every dropped sentence with its reason and
probability), ``samples.jsonl`` (a random sample of both, with their text). The arm ``unfiltered`` keeps everything; the
arm ``article`` keeps or drops whole articles by their class, as is usual practice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from deepred.base.days import Day
from deepred.base.draws import Lowest, rank_of
from deepred.base.errors import FaultError, UserError
from deepred.base.files import write_bytes
from deepred.base.tables import dropped_schema, passage_schema, read_rows, write_rows
from deepred.filter.decision import APPARATUS, CLASS, KEPT, REASONS, Decision
from deepred.filter.fit import Pair, choose, fit_model
from deepred.filter.judge import MODEL, Judge, load_horizon, threshold_of
from deepred.filter.model_answers import Answered, index_answers
from deepred.filter.sentence_evidence import segments_of
from deepred.run.config import Passages
from deepred.run.stage import Counts, Work
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Ints

UNJUDGED = ("unfiltered", "article")
"""Arms whose sentences are not looked at."""

SURVEYED = 2_000
"""Articles by which ``max_residual`` picks a threshold: some 200,000 sentences."""


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
    sources: dict[str, list[Path]] | None = None,
) -> Counts:
    """Filter every article, in shards; ``sources["answers"]`` are a model's answers about doubtful sentences."""
    files = sorted(articles.glob("articles-*.parquet"))
    if not files:
        raise FaultError(f"{articles} holds no articles", "run the stage articles again")
    judged = arm not in UNJUDGED
    if judged:
        fit_passages(files, emergence, classes, cutoff, straddling, seed, out)
    threshold = threshold_of(config)
    if judged and config.max_residual is not None:
        judge = Judge.load(emergence, out, cutoff, straddling, 1.0)
        threshold = pick_threshold(files, emergence, Classes.load(classes), judge, config.max_residual, seed)
    common = (str(emergence), str(classes), config, cutoff, straddling, seed, arm, threshold)
    unused = _take_answers((sources or {}).get("answers", []), cutoff, out) if judged else 0
    counts = work.map_shards(_filter_shard, [(path.stem, (str(path), *common)) for path in files], out)
    if unused:
        counts.add("answers for another cutoff", unused)
    _merge_samples(out, config.samples)
    if judged:
        counts.notes["threshold"] = round(threshold, 4)
    return counts


def _take_answers(paths: list[Path], cutoff: Day, out: Path) -> int:
    """Index a model's answers; how many are for another cutoff. UserError without a fitted model."""
    if not paths:
        return 0
    if not (out / MODEL).exists():
        raise UserError(
            "passages.answers needs a fitted model, and this corpus has too few dated sentences for one",
            "leave answers empty: only a model's probability is doubtful",
        )
    return index_answers(paths, cutoff, out)


def pick_threshold(files: list[Path], emergence: Path, kinds: Classes, judge: Judge, most: float, seed: int) -> float:
    """The highest probability at which, by the calibrated probabilities, at most ``most`` of what is kept is late.

    Looks at ``SURVEYED`` articles; ``judge`` drops nothing but what direct evidence shows. Raises UserError without a
    fitted model: rules give no probabilities.
    """
    if judge.model is None:
        raise UserError(
            "passages.max_residual needs a fitted model, and this corpus has too few dated sentences for one",
            "set passages.preset instead",
        )
    pages = (row["page_id"] for row in read_rows(emergence, "sentences-*.parquet", ["page_id"]))
    chosen = choose(pages, seed, SURVEYED)
    found: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)]
    for path in files:
        for article, row in read_pairs(path, emergence):
            if row["page_id"] in chosen:
                _, decision = judge.judge(article, row, kinds.of(row["page_id"]))
                found.append(decision.probability[decision.reasons == KEPT])
    chances = np.sort(np.concatenate(found)).astype(np.float64)
    expected = np.cumsum(chances) / np.arange(1, len(chances) + 1)
    allowed = int(np.searchsorted(expected, most, "right"))
    return float(chances[allowed]) if allowed < len(chances) else 1.0


def fit_passages(
    files: list[Path], emergence: Path, classes: Path, cutoff: Day, straddling: str, seed: int, out: Path
) -> None:
    """Fit the cutoff's model, unless it is there already; too few dated sentences leave rules alone."""
    target = out / MODEL
    if target.exists():
        return
    horizon = load_horizon(emergence, cutoff, straddling)
    kinds = Classes.load(classes)
    pages = (row["page_id"] for row in read_rows(emergence, "sentences-*.parquet", ["page_id"]))
    chosen = choose(pages, seed)

    def read() -> Iterator[Pair]:
        for path in files:
            for article, row in read_pairs(path, emergence):
                if row["page_id"] in chosen:
                    yield article, row, kinds.of(row["page_id"])

    folds = 1 + max((row["fold"] for row in read_rows(emergence, "sentences-*.parquet", ["fold"])), default=0)
    model = fit_model(read, len(chosen), horizon, cutoff, folds, seed)
    if model is not None:
        model.save(target)


@dataclass(frozen=True, slots=True)
class Classes:
    """The class of every article: sorted page ids, and a byte each."""

    pages: Ints
    kinds: npt.NDArray[np.uint8]

    @staticmethod
    def load(folder: Path) -> Classes:
        """The classes that the stage ``classes`` wrote."""
        pages: list[int] = []
        found = bytearray()
        for row in read_rows(folder, "classes-*.parquet", ["page_id", "class"]):
            pages.append(row["page_id"])
            found += row["class"].encode("ascii")
        ids = np.array(pages, np.int64)
        order = np.argsort(ids, kind="stable")
        return Classes(ids[order], np.frombuffer(bytes(found), np.uint8)[order])

    def of(self, page_id: int) -> str:
        """An article's class; U where it has none."""
        place = int(np.searchsorted(self.pages, page_id))
        found = place < len(self.pages) and self.pages[place] == page_id
        return chr(self.kinds[place]) if found else "U"


def read_pairs(articles: Path, emergence: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The articles of one file, each with its row of sentences."""
    spans = f"sentences-{articles.stem.removeprefix('articles-')}.parquet"
    texts = read_rows(articles.parent, articles.name, ["page_id", "title", "text"])
    for article, row in zip(texts, read_rows(emergence, spans), strict=True):
        if article["page_id"] != row["page_id"]:
            raise FaultError(f"{emergence / spans} does not belong to {articles}", "run the stage emergence again")
        yield article, row


def _filter_shard(argument: tuple[str, str, str, Passages, Day, str, int, str, float], folder: Path) -> Counts:
    source, emergence, classes, config, cutoff, straddling, seed, arm, threshold = argument
    path = Path(source)
    kinds = Classes.load(Path(classes))
    judge = answered = None
    if arm not in UNJUDGED:
        fitted = folder.parent.parent  # the stage's own folder, in which the model was fitted before the shards
        judge = Judge.load(Path(emergence), fitted, cutoff, straddling, threshold)
        answered = Answered.load(fitted)
    counts = Counts()
    dropped: list[dict[str, Any]] = []
    samples = Sampler(config.samples, seed)

    def rows() -> Iterator[dict[str, Any]]:
        for article, row in read_pairs(path, Path(emergence)):
            kind = kinds.of(row["page_id"])
            if judge is None:
                segments = segments_of(row)
                decision = whole_article(len(segments), kind) if arm == "article" else None
            else:
                weighed = judge.weigh(article, row, kind)
                if answered is not None:
                    weighed = answered.apply(article, weighed, counts)
                segments, decision = weighed.segments, weighed.decide(threshold)
                if config.leak:
                    put_back(decision, segments, article["page_id"], config.leak, seed, counts)
            if config.apparatus == "drop":
                decision = without_apparatus(decision, segments, row["apparatus"])
            passage = _count_and_keep(article, kind, segments, decision, config, counts, dropped, samples)
            if passage is not None:
                yield passage

    name = path.stem.removeprefix("articles-")
    write_rows(folder / f"passages-{name}.parquet", rows(), passage_schema())
    write_rows(folder / f"dropped-{name}.parquet", dropped, dropped_schema())
    (folder / f"samples-{name}.jsonl").write_bytes(samples.to_jsonl())
    return counts


def whole_article(sentences: int, kind: str) -> Decision | None:
    """All of an article of class N dropped, any other kept whole."""
    return Decision(np.full(sentences, CLASS, np.int8), np.ones(sentences, np.float32)) if kind == "N" else None


def without_apparatus(decision: Decision | None, segments: Segments, apparatus: list[int]) -> Decision | None:
    """The sentences of certain sections dropped too, unless their whole article is; None keeps all the others."""
    if not apparatus:
        return decision
    count = len(segments)
    if decision is None:
        decision = Decision(np.zeros(count, np.int8), np.zeros(count, np.float32))
    inside = np.isin(np.array(segments.sections, np.int64), apparatus)
    decision.reasons[inside & (decision.reasons != CLASS)] = APPARATUS
    return decision


def put_back(decision: Decision, segments: Segments, page_id: int, share: float, seed: int, counts: Counts) -> None:
    """Keep a share of the dropped sentences all the same, drawn by their places: a leak on purpose."""
    for i in np.flatnonzero(decision.reasons != KEPT).tolist():
        if rank_of(seed, "leak", page_id, segments.starts[i]) < share * 2**64:
            decision.reasons[i] = KEPT
            counts.add("put back")


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

    >>> from deepred.text.sentences import segment
    >>> text = "He came. He saw.\\n\\nLater life.\\n\\nHe won."
    >>> kept_text(text, segment(text), np.array([True, True, False]))
    'He came. He saw.'
    """
    parts: list[str] = []
    section, paragraph = 0, -1
    for i in np.flatnonzero(kept).tolist():
        if segments.sections[i] != section:
            section, paragraph = segments.sections[i], -1
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
        self.seed = seed
        self.lowest = {kept: Lowest[bytes](size) for kept in (True, False)}

    def offer(self, article: dict[str, Any], start: int, end: int, reason: str, probability: float) -> None:
        """Consider a sentence."""
        lowest, rank = self.lowest[not reason], rank_of(self.seed, article["page_id"], start)
        if not lowest.takes(rank):
            return
        sample = {"page_id": article["page_id"], "title": article["title"], "start": start, "end": end}
        sample |= {
            "text": article["text"][start:end],
            "reason": reason,
            "probability": round(probability, 4),
            "rank": rank,
        }
        lowest.offer(rank, orjson.dumps(sample))

    def to_jsonl(self) -> bytes:
        """The sample, kept sentences first, each as a line."""
        lines = [line for kept in (True, False) for _, line in self.lowest[kept].ranked()]
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
        rows = (orjson.dumps({k: v for k, v in line.items() if k != "rank"}) + b"\n" for line in chosen)
        write_bytes(target, b"".join(rows))
    for part in parts:
        part.unlink()
