"""The articles that a model is asked about and what it is asked, what that will cost, and the asking itself.

Asked are the articles that no other source dates, and a random sample of those that one dates to a year: what the
model says of these measures it. Each decision is appended to one file; asked again, the command goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from deepred.asking.answer_file import AnswerFile, open_answers
from deepred.asking.replies import REFUSED, Inquiry, Reply, Tally, body_hash, chat_body
from deepred.asking.replies import read_completion as read_form
from deepred.asking.session import Listener, ask_and_keep
from deepred.base.days import year_of
from deepred.base.draws import Lowest, rank_of
from deepred.base.tables import read_rows
from deepred.dating.by_model.date_answers import Answer, article_key, opening
from deepred.dating.evidence import ESTIMATE
from deepred.run.config import Llm

INSTRUCTION = """You date the subjects of encyclopedia articles. You are given a title and the beginning of the article.
Reply with one JSON object and nothing else:
known: false if you cannot date the subject, then all years are null.
kind: person, work, event, organisation, place, invention, idea or other.
first: the year of birth, founding, publication, or in which it began.
last: the year of death, closing, or in which it ended; null if it lasts or you do not know.
alive: true if the person still lives, or the thing still exists or goes on.
first_known: the year from which an encyclopedia could have had an article on the subject: for a person the year of the
deed that made them known, never the birth; for a thing its first public appearance; for an idea its first statement.
confidence: low, medium or high.
Years before Christ are negative numbers. Years are those of the subject, not of the things mentioned with it."""

OPENING = 1000
"""Characters of an opening, as a rule."""


@dataclass(frozen=True)
class Question:
    """An article that a model is asked about."""

    page_id: int
    title: str
    text: str
    holdout: bool = False


def inquiry(config: Llm) -> Inquiry[Question, Answer]:
    """What all questions about dates share."""
    return Inquiry(partial(request_body, config), read_completion)


def request_body(config: Llm, question: Question) -> dict[str, Any]:
    """The JSON of a chat completion that asks for an ``Answer``."""
    return chat_body(config, INSTRUCTION, f"Title: {question.title}\n\n{opening(question.text)}", "dates", Answer)


def request_hash(config: Llm) -> str:
    """What all decisions of a model depend on beside the article: its name, instruction, schema and options."""
    return body_hash(request_body(config, Question(0, "", "")))


def record_of(config: Llm, question: Question, reply: Reply[Answer]) -> dict[str, Any]:
    """The line that keeps a decision."""
    return {
        "request": request_hash(config),
        "article": article_key(question.title, question.text),
        "page_id": question.page_id,
        "title": question.title,
        "model": config.model,
        "holdout": question.holdout,
        "outcome": reply.outcome,
        "answer": reply.answer.model_dump() if reply.answer else None,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "seconds": round(reply.seconds, 3),
    }


def read_completion(body: bytes) -> Reply[Answer]:
    """What a chat completion says; an answer that knows nothing is a refusal."""
    reply = read_form(body, Answer)
    return replace(reply, outcome=REFUSED, answer=None) if reply.answer and not reply.answer.known else reply


@dataclass(frozen=True)
class Candidates:
    """How many articles are dated and undated, and which of the dated are held out, by page id."""

    dated: int
    undated: int
    holdout: frozenset[int]


def find_candidates(dates: Path, holdout: int, seed: int) -> Candidates:
    """Count articles, and draw ``holdout`` of those dated to a year: the ones of the lowest hash with the seed."""
    counts = {True: 0, False: 0}
    chosen = Lowest[int](holdout)
    for row in read_rows(dates, "dates-*.parquet", ["page_id", "first_known", "evidence"]):
        dated = row["first_known"] is not None
        counts[dated] += 1
        if dated and _is_exact(row):
            chosen.offer(rank_of(seed, row["page_id"]), row["page_id"])
    return Candidates(counts[True], counts[False], frozenset(page for _, page in chosen.ranked()))


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
