"""The articles that a model is asked about, what that will cost, and the asking itself.

Asked are the articles that no other source dates, and a random sample of those that one dates to a year: what the
model says of these measures it. Each decision is appended to one file; asked again, the command goes on.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from deepred.asking.answer_file import AnswerFile, open_answers
from deepred.asking.replies import Tally
from deepred.asking.session import Listener, ask_and_keep
from deepred.base.days import year_of
from deepred.base.tables import read_rows
from deepred.dating.by_model.date_answers import article_key, opening
from deepred.dating.by_model.llm import INSTRUCTION, Question, inquiry, record_of, request_hash
from deepred.dating.evidence import ESTIMATE
from deepred.run.config import Llm

OPENING = 1000
"""Characters of an opening, as a rule."""


@dataclass(frozen=True)
class Candidates:
    """How many articles are dated and undated, and which of the dated are held out, by page id."""

    dated: int
    undated: int
    holdout: frozenset[int]


def find_candidates(dates: Path, holdout: int, seed: int) -> Candidates:
    """Count articles, and draw ``holdout`` of those dated to a year: the ones of the lowest hash with the seed."""
    counts = {True: 0, False: 0}
    chosen: list[tuple[int, int]] = []
    for row in read_rows(dates, "dates-*.parquet", ["page_id", "first_known", "evidence"]):
        dated = row["first_known"] is not None
        counts[dated] += 1
        if dated and _is_exact(row):
            digest = hashlib.blake2b(f"{seed}:{row['page_id']}".encode(), digest_size=8).digest()
            entry = (-int.from_bytes(digest, "big"), row["page_id"])
            if len(chosen) < holdout:
                heapq.heappush(chosen, entry)
            elif chosen and entry > chosen[0]:
                heapq.heapreplace(chosen, entry)
    return Candidates(counts[True], counts[False], frozenset(page for _, page in chosen))


def _is_exact(row: dict[str, Any]) -> bool:
    deciding = row["evidence"][0]
    return deciding["kind"] != ESTIMATE and year_of(deciding["first"]) == year_of(deciding["last"])


def held_out_questions(articles: Path, holdout: frozenset[int]) -> Iterator[Question]:
    """The held-out articles, found without reading the others' text."""
    import pyarrow.dataset as ds

    paths = sorted(articles.glob("articles-*.parquet"))
    for path in paths if holdout else []:
        data: Any = ds.dataset(str(path), format="parquet")
        rows = data.to_table(columns=["page_id", "title", "text"], filter=ds.field("page_id").isin(sorted(holdout)))
        for row in rows.to_pylist():
            yield Question(row["page_id"], row["title"], opening(row["text"]), holdout=True)


def undated_questions(articles: Path, dates: Path) -> Iterator[Question]:
    """The undated articles in their order, without disambiguation pages and those without text."""
    columns = ["page_id", "title", "text", "disambiguation"]
    rows = read_rows(articles, "articles-*.parquet", columns)
    for article, row in zip(rows, read_rows(dates, "dates-*.parquet", ["first_known"]), strict=True):
        if row["first_known"] is None and not article["disambiguation"] and article["text"].strip():
            yield Question(article["page_id"], article["title"], opening(article["text"]))


def date_undated(
    articles: Path,
    dates: Path,
    out: Path,
    *,
    config: Llm,
    seed: int,
    plan_only: bool,
    tell: Callable[[str], None],
    progress: Callable[[Tally, int], None],
) -> Tally:
    """Ask a model about the articles that nothing else dates, held-out ones first, and append its decisions to ``out``.

    ``dates`` must have been made without any model's answers: they would measure themselves.
    The estimate is told after ``TRIALS`` calls, and with ``plan_only`` nothing more is asked.
    """
    with open_answers(out) as file:
        if file.torn:
            tell(f"{out}: {file.torn} line(s) torn by an interruption are ignored; their articles are asked again")
        candidates = find_candidates(dates, config.holdout, seed)
        tell(f"{candidates.dated:,} articles are dated, {candidates.undated:,} are not")
        undated = undated_questions(articles, dates)
        wanted = islice(undated, config.limit) if config.limit else undated
        held_out = held_out_questions(articles, candidates.holdout)
        questions = _open_questions(config, chain(held_out, wanted), file)
        total = len(candidates.holdout) + min(candidates.undated, config.limit or candidates.undated)

        request = request_hash(config)
        left = max(total - sum(key.startswith(request) for key in file.known), 0)
        return ask_and_keep(
            config, inquiry(config), questions, left, file, partial(record_of, config), Listener(tell, progress),
            noun="articles", characters=len(INSTRUCTION) + OPENING, plan_only=plan_only,
        )  # fmt: skip


def _open_questions(config: Llm, questions: Iterator[Question], file: AnswerFile) -> Iterator[Question]:
    """The questions that this model has not decided yet."""
    request = request_hash(config)
    return (
        question for question in questions if f"{request}{article_key(question.title, question.text)}" not in file.known
    )
