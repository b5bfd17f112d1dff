"""The filter against labelled sentences: recall, precision, and what is left of late sentences in the natural mix.

In: labelled paragraphs (JSONL with ``page_id``, ``class``, ``sentences``, ``spans``, ``labels``, ``why``), the articles
that they were drawn from, and a corpus to learn from. The labelled articles are never learned from: their page ids and
titles are taken out of the corpus here. Out: one JSON-like report with bootstrap intervals over articles.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from deepred.config import Emergence, Passages
from deepred.documents import Day, article_schema, class_schema, date_schema, write_rows
from deepred.errors import UserError
from deepred.filters.decide import KEPT
from deepred.filters.emergence import fold_of, learn_emergence
from deepred.filters.judge import Judge, threshold_of
from deepred.filters.passages import fit_passages
from deepred.stage import Work

FOLDS = 5
SHARD = 500  # articles of a shard of the corpus
RESAMPLES = 1000
LATE, CLEAN = "P", "C"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A labelled sentence and what the filter did with it."""

    page_id: int
    late: bool
    why: str
    stratum: str
    weight: float
    dropped: bool
    probability: float


def score_filter(
    *,
    labels: Path,
    articles: Path,
    corpus: Path | None,
    strata: Path | None,
    config: Passages,
    cutoff: Day,
    straddling: str,
    seed: int,
    limit: int,
    folder: Path,
    work: Work,
) -> dict[str, Any]:
    """Learn from the corpus without the labelled articles, filter these, and compare with their labels.

    ``limit`` articles of the corpus are read at most (0: all); ``folder`` keeps what was learned for the next call.
    """
    paragraphs = [orjson.loads(line) for line in labels.read_bytes().splitlines() if line.strip()]
    if not paragraphs:
        raise UserError(f"{labels} holds no labelled paragraphs")
    held = {row["page_id"] for row in paragraphs}
    titles = {row["title"] for row in paragraphs}
    emergence, fitted = folder / "emergence", folder / "passages"
    _learn(corpus or articles, held, titles, limit, folder, cutoff, straddling, seed, work)
    judge = Judge.load(emergence, fitted, cutoff, straddling, threshold_of(config))
    verdicts = list(_compare(paragraphs, articles, judge, _weights(paragraphs, strata), seed))
    return report_scores(verdicts, seed) | {
        "threshold": judge.threshold,
        "preset": config.preset,
        "learned": judge.model is not None,
        "labels": labels.name,
    }


def _learn(
    corpus: Path,
    held: set[int],
    titles: set[str],
    limit: int,
    folder: Path,
    cutoff: Day,
    straddling: str,
    seed: int,
    work: Work,
) -> None:
    """The stages ``emergence`` and the fitting of ``passages`` over a corpus; what is there already is used again."""
    names = {name: folder / name for name in ("articles", "dates", "emergence", "classes", "passages")}
    for path in names.values():
        path.mkdir(parents=True, exist_ok=True)
    if not (names["dates"] / "dates-00000.parquet").exists():
        for number, rows in enumerate(_batches(corpus, held, titles, limit)):
            write_rows(names["articles"] / f"articles-{number:05d}.parquet", rows, article_schema())
        write_rows(names["classes"] / "classes-00000.parquet", [], class_schema())
        write_rows(names["dates"] / "dates-00000.parquet", [], date_schema())
    learn_emergence(
        articles=names["articles"], dates=names["dates"], config=Emergence.model_validate({"folds": FOLDS}), seed=seed,
        out=names["emergence"], work=work,
    )  # fmt: skip
    files = sorted(names["articles"].glob("articles-*.parquet"))
    fit_passages(files, names["emergence"], names["classes"], cutoff, straddling, seed, names["passages"])


def _batches(corpus: Path, held: set[int], titles: set[str], limit: int) -> Iterator[list[dict[str, Any]]]:
    empty = dict.fromkeys(article_schema().names) | {"sections": [], "links": []}
    batch: list[dict[str, Any]] = []
    count = 0
    for row in _plain(corpus):
        if row["page_id"] in held or row["title"] in titles or (limit and count >= limit):
            continue
        count += 1
        batch.append(empty | row)
        if len(batch) == SHARD:
            yield batch
            batch = []
    if batch:
        yield batch


def _plain(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        known = [name for name in article_schema().names if name in file.schema_arrow.names]
        for part in file.iter_batches(batch_size=SHARD, columns=known):
            yield from part.to_pylist()


def _weights(paragraphs: list[dict[str, Any]], strata: Path | None) -> dict[str, float]:
    """What a labelled paragraph of each class stands for; all the same without a table of strata."""
    counts = Counter(row["class"] for row in paragraphs)
    if strata is None:
        return dict.fromkeys(counts, 1.0)
    shares = {row["class"]: row["share"] for row in json.loads(strata.read_text(encoding="utf-8"))["classes"]}
    return {name: shares[name] / count for name, count in counts.items()}


def _compare(
    paragraphs: list[dict[str, Any]], articles: Path, judge: Judge, weights: dict[str, float], seed: int
) -> Iterator[Verdict]:
    by_page: dict[int, list[dict[str, Any]]] = {}
    for row in paragraphs:
        by_page.setdefault(row["page_id"], []).append(row)
    for article in _plain(articles):
        found = by_page.pop(article["page_id"], None)
        if found is None:
            continue
        fold = fold_of(article["page_id"], FOLDS, seed)
        segments, decision = judge.judge_text(article["text"], article["title"], fold=fold)
        kept = np.zeros(len(article["text"]) + 1, np.int64)
        chance = np.zeros(len(article["text"]), np.float32)
        for start, end, reason, p in zip(segments.starts, segments.ends, decision.reasons, decision.probability):
            chance[start:end] = p
            if reason == KEPT:
                kept[start + 1 : end + 1] = 1
        kept = np.cumsum(kept)
        for row in found:
            for i, ((start, end), label) in enumerate(zip(row["spans"], row["labels"])):
                if label in (LATE, CLEAN):
                    dropped = (kept[end] - kept[start]) * 2 < end - start
                    why = row["why"].get(str(i), "")
                    yield Verdict(
                        row["page_id"], label == LATE, why, row["class"], weights[row["class"]], bool(dropped),
                        float(np.median(chance[start:end])),
                    )  # fmt: skip
    if by_page:
        raise UserError(
            f"{len(by_page)} labelled articles are not in {articles}", "name the articles that were labelled"
        )


def report_scores(verdicts: list[Verdict], seed: int) -> dict[str, Any]:
    """The figures of a set of verdicts, each with its bootstrap interval over articles."""
    late = np.array([v.late for v in verdicts])
    dropped = np.array([v.dropped for v in verdicts])
    weight = np.array([v.weight for v in verdicts])
    pages = np.array([v.page_id for v in verdicts])
    figures = _figures(late, dropped, weight, np.ones(len(late)))
    low, high = _bootstrap(late, dropped, weight, pages, seed)
    report: dict[str, Any] = {
        name: {"value": round(value, 4), "low": round(low[name], 4), "high": round(high[name], 4)}
        for name, value in figures.items()
    }
    report["sentences"] = {"late": int(late.sum()), "clean": int((~late).sum()), "articles": len(np.unique(pages))}
    report["by_why"] = {
        why: {"late": int(chosen.sum()), "recall": round(float(dropped[chosen].mean()), 4)}
        for why in sorted({v.why for v in verdicts if v.late})
        if (chosen := np.array([v.late and v.why == why for v in verdicts])).any()
    }
    report["by_stratum"] = {
        name: {k: round(v, 4) for k, v in _figures(late[m], dropped[m], weight[m], np.ones(int(m.sum()))).items()}
        for name in sorted({v.stratum for v in verdicts})
        if (m := np.array([v.stratum == name for v in verdicts])).any()
    }
    return report


def _figures(
    late: npt.NDArray[np.bool_], dropped: npt.NDArray[np.bool_], weight: npt.NDArray[Any], times: npt.NDArray[Any]
) -> dict[str, float]:
    """Recall and precision on the strata as labelled; residual and clean kept in the natural mix."""
    natural = weight * times

    def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> float:
        return float(part.sum() / whole.sum()) if whole.sum() else float("nan")

    return {
        "recall": share(times * (late & dropped), times * late),
        "precision": share(times * (late & dropped), times * dropped),
        "clean_kept": share(natural * (~late & ~dropped), natural * ~late),
        "residual": share(natural * (late & ~dropped), natural * ~dropped),
    }


def _bootstrap(
    late: npt.NDArray[np.bool_],
    dropped: npt.NDArray[np.bool_],
    weight: npt.NDArray[Any],
    pages: npt.NDArray[Any],
    seed: int,
) -> tuple[dict[str, float], dict[str, float]]:
    names, place = np.unique(pages, return_inverse=True)
    random = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        times = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))[place]
        for name, value in _figures(late, dropped, weight, times).items():
            found.setdefault(name, []).append(value)
    low = {name: float(np.nanquantile(values, 0.025)) for name, values in found.items()}
    high = {name: float(np.nanquantile(values, 0.975)) for name, values in found.items()}
    return low, high
