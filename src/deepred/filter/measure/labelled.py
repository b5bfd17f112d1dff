"""Labelled sentences and what the filter does with them at any number of thresholds.

In: labelled paragraphs (JSONL with ``page_id``, ``title``, ``class``, ``spans``, ``labels``, ``why``), the articles
that they were drawn from, and a folder of what was learned (``learn_from_corpus.py``). Whole articles are filtered, by
their own class and dates. Out: a ``Verdict`` per sentence; one counts as dropped when more than half of its characters
are absent from the kept text.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from deepred.base.days import Day, Interval
from deepred.base.errors import UserError
from deepred.base.given import read_object, read_rows_of_json
from deepred.base.tables import article_schema, read_rows, write_rows
from deepred.dating.dates import gather, resolve
from deepred.filter.classes import FEWEST_SENTENCES, classify
from deepred.filter.decision import KEPT, Decision
from deepred.filter.emergence import describe_article, fold_of, sentence_years
from deepred.filter.judge import Judge
from deepred.filter.measure.learn_from_corpus import EMERGENCE, PASSAGES, read_articles
from deepred.filter.passages import kept_text
from deepred.run.config import Classes, Dates, Emergence, Passages
from deepred.run.stage import Counts, Work
from deepred.text.sentences import Segments

LATE, CLEAN, AMBIGUOUS = "P", "C", "A"
PART = 40
"""Articles of a shard of judging: loading the tables costs about as much as judging ten."""
FOLDS = Emergence().folds


@dataclass(frozen=True, slots=True)
class Verdict:
    """A labelled sentence and what the filter did with it at every threshold."""

    page_id: int
    label: str
    why: str
    stratum: str
    """The class of its paragraph, by which it is weighted."""
    characters: int
    dropped: tuple[bool, ...]
    probability: float


@dataclass(frozen=True)
class Task:
    """One shard of judging: a file of labelled articles, their labels, what was learned, and where to cut."""

    articles: Path
    labels: tuple[dict[str, Any], ...]
    learned: Path
    config: Passages
    cutoff: Day
    straddling: str
    seed: int
    thresholds: tuple[float, ...]
    cross_fitted: bool
    """Whether the model that did not see an article's fold judges it; else one that did."""


def read_labelled(path: Path) -> list[dict[str, Any]]:
    """The labelled paragraphs of a file; ``UserError`` names the line that is none."""
    mend = "name a file of labelled paragraphs (JSONL)"
    rows = [_read_paragraph(row, place) for place, row in read_rows_of_json(path, mend)]
    if not any(label in (LATE, CLEAN) for row in rows for label in row["labels"]):
        raise UserError(f"{path} holds no labelled sentence", "labels are P (late), C (clean) and A (ambiguous)")
    return rows


def _read_paragraph(row: dict[str, Any], place: str) -> dict[str, Any]:
    try:
        found = {key: row[key] for key in ("page_id", "title", "class", "spans", "labels")}
        why = row.get("why") or {}
        reasons = dict(why) if isinstance(why, dict) else {str(i): reason for i, reason in enumerate(why)}
        found |= {"why": reasons, "sentences": row.get("sentences") or []}
        spans = [(int(start), int(end)) for start, end in row["spans"]]
        if not isinstance(row["page_id"], int) or not all(isinstance(row[key], str) for key in ("title", "class")):
            raise TypeError("page_id is a number, title and class are texts")
        if not all(isinstance(label, str) for label in row["labels"]):
            raise TypeError("labels are a list of texts")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"{place}: no labelled paragraph ({error!r})", "needed are page_id, title, class, spans and labels"
        ) from None
    if len(spans) != len(found["labels"]) or set(found["labels"]) - {LATE, CLEAN, AMBIGUOUS}:
        raise UserError(f"{place}: labels {found['labels']!r} for {len(spans)} spans", "one of P, C, A for each span")
    if any(start < 0 or end <= start for start, end in spans):
        raise UserError(f"{place}: an empty span", "a span is [start, end) in the article's text")
    return found


def read_labelled_articles(paragraphs: list[dict[str, Any]], articles: Path) -> list[dict[str, Any]]:
    """The articles that the labels are of, as rows of ``article_schema``; ``UserError`` where they do not fit."""
    wanted = {row["page_id"] for row in paragraphs}
    empty: dict[str, Any] = dict.fromkeys(article_schema().names) | {"sections": [], "links": [], "categories": []}
    found = {row["page_id"]: empty | row for row in read_articles(articles) if row["page_id"] in wanted}
    if missing := sorted(wanted - found.keys()):
        raise UserError(
            f"{len(missing)} labelled articles are not in {articles}, such as {missing[0]}",
            "name the articles that were labelled",
        )
    for row in paragraphs:
        text = found[row["page_id"]]["text"]
        for (start, end), sentence in zip(row["spans"], row["sentences"]):
            if text[start:end] != sentence:
                raise UserError(
                    f"{row['title']!r}: the labelled sentence is not at {start} to {end} of its text",
                    f"are the labels of another version of {articles}?",
                )
        if max(end for _, end in row["spans"]) > len(text):
            raise UserError(f"{row['title']!r}: a span ends after its text", f"another version of {articles}?")
    return list(found.values())


def weigh(paragraphs: list[dict[str, Any]], strata: Path | None) -> dict[str, float]:
    """What a labelled paragraph of each class stands for in the natural mix; all the same without a table of strata."""
    counts = Counter(row["class"] for row in paragraphs)
    if strata is None:
        return dict.fromkeys(counts, 1.0)
    values = read_object(strata, "name a table of strata: classes with class and share")
    try:
        classes = values["classes"]
        shares = {row["class"]: float(row["share"]) for row in classes}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{strata}: no table of strata ({error!r})", "classes with class and share") from None
    if missing := sorted(counts.keys() - shares.keys()):
        raise UserError(f"{strata} has no share of the class {missing[0]!r}", f"it has {', '.join(shares)}")
    return {name: shares[name] / count for name, count in counts.items()}


def judge_labelled(
    paragraphs: list[dict[str, Any]],
    articles: list[dict[str, Any]],
    learned: Path,
    *,
    config: Passages,
    cutoff: Day,
    straddling: str,
    seed: int,
    thresholds: Sequence[float],
    work: Work,
    cross_fitted: bool = True,
) -> list[Verdict]:
    """The verdict on every labelled sentence, in the order of the articles; judged in shards, nothing is kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shards: list[tuple[str, Task]] = []
        for first in range(0, len(articles), PART):
            part = articles[first : first + PART]
            path = folder / f"labelled-{first:06d}.parquet"
            write_rows(path, part, article_schema())
            pages = {row["page_id"] for row in part}
            labels = tuple(row for row in paragraphs if row["page_id"] in pages)
            task = Task(
                path, labels, learned, config, cutoff, straddling, seed, tuple(thresholds), cross_fitted
            )  # fmt: skip
            shards.append((path.stem, task))
        out = folder / "verdicts"
        out.mkdir()
        work.map_shards(_judge_shard, shards, out)
        lines = [line for path in sorted(out.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [Verdict(**(row | {"dropped": tuple(row["dropped"])})) for row in map(orjson.loads, lines)]


def _judge_shard(task: Task, folder: Path) -> Counts:
    judge = Judge.load(
        task.learned / EMERGENCE, task.learned / PASSAGES, task.cutoff, task.straddling, task.thresholds[0]
    )
    counts = Counts()
    verdicts: list[Verdict] = []
    for article in read_rows(task.articles.parent, task.articles.name):
        verdicts += _judge_article(article, task, judge)
        counts.add("documents")
        counts.add("bytes", len(article["text"]))
    lines = [orjson.dumps(asdict(verdict)) for verdict in verdicts]
    (folder / f"{task.articles.stem}.jsonl").write_bytes(b"\n".join(lines))
    return counts


def _judge_article(article: dict[str, Any], task: Task, judge: Judge) -> Iterator[Verdict]:
    row, segments, dates = describe_article(article, judge.titles)
    fold = fold_of(article["page_id"], FOLDS, task.seed)
    row["fold"] = fold if task.cross_fitted else (fold + 1) % FOLDS
    kind = own_class(article, [year for year in sentence_years(segments, dates) if year is not None], task)
    kept: list[npt.NDArray[np.int64]] = []
    weighed = judge.weigh(article, row, kind)
    segments, decision = weighed.segments, None
    for threshold in task.thresholds:
        decision = weighed.decide(threshold)
        kept.append(_kept_before(article["text"], segments, decision, task.config.min_characters))
    chance = np.zeros(len(article["text"]), np.float32)
    if decision is not None:
        for start, end, p in zip(segments.starts, segments.ends, decision.probability):
            chance[start:end] = p
    for paragraph in task.labels:
        if paragraph["page_id"] != article["page_id"]:
            continue
        for i, ((start, end), label) in enumerate(zip(paragraph["spans"], paragraph["labels"])):
            dropped = tuple(bool((sums[end] - sums[start]) * 2 < end - start) for sums in kept)
            why = str(paragraph["why"].get(str(i), ""))
            probability = float(np.median(chance[start:end]))
            yield Verdict(article["page_id"], label, why, paragraph["class"], end - start, dropped, probability)


def own_class(article: dict[str, Any], years: list[int], task: Task) -> str:
    """The class of an article by its own dates, as the stages ``dates`` and ``classes`` would give it."""
    use = tuple(Dates().use)
    dating = resolve(list(gather(article, (), use)), use)
    row = {"first_known": dating.first_known, "last": dating.last, "ended": dating.ended}
    sides = [Interval.of(year).side(task.cutoff) for year in years]
    late = sum(side == "after" or (side == "straddling" and task.straddling == "drop") for side in sides)
    share = late / len(years) if len(years) >= FEWEST_SENTENCES else None
    evidence = {"evidence": [found.row() for found in dating.evidence]}
    return classify(row | evidence, share, task.cutoff, task.straddling, Classes().late_share)[0]


def _kept_before(text: str, segments: Segments, decision: Decision, least: int) -> npt.NDArray[np.int64]:
    """Kept characters before every offset; headings that are shown count, and an article too short is dropped."""
    kept = decision.reasons == KEPT
    flags = np.zeros(len(text) + 1, np.int64)
    if len(kept_text(text, segments, kept, decision.late_headings)) < least:
        return flags
    for place in np.flatnonzero(kept).tolist():
        flags[segments.starts[place] + 1 : segments.ends[place] + 1] = 1
    for section in {segments.sections[place] for place in np.flatnonzero(kept).tolist()} - {0}:
        if section - 1 not in decision.late_headings:
            start, end = segments.headings[section - 1]
            flags[start + 1 : end + 1] = 1
    return np.cumsum(flags)
