"""What a model is asked about an article, and what its reply says: a chat completion with an answer as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deepred.asking.replies import REFUSED, Inquiry, Reply, body_hash, chat_body
from deepred.asking.replies import read_completion as read_form
from deepred.dating.by_model.date_answers import Answer, article_key, opening
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
