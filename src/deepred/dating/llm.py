"""What a model is asked about an article, and what its reply says: a chat completion with an answer as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from deepred.config import Llm
from deepred.dating.answers import ANSWERED, REFUSED, Answer, article_key, opening

MALFORMED, SCHEMA, TIMEOUT, CONNECTION = "malformed reply", "schema violated", "timeout", "connection lost"
DECISIONS = frozenset({ANSWERED, REFUSED, MALFORMED, SCHEMA})
"""Outcomes that asking again would not change: kept. All others are asked again by the next call."""
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


@dataclass(frozen=True)
class Reply:
    """How a question ended: the outcome by name, the answer where there is one, tokens and seconds."""

    outcome: str
    answer: Answer | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    detail: str = ""


def request_body(config: Llm, question: Question) -> dict[str, Any]:
    """The JSON of a chat completion that asks for an ``Answer``."""
    return {
        "model": config.model,
        "messages": [
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": f"Title: {question.title}\n\n{opening(question.text)}"},
        ],
        "response_format": {"type": "json_schema", "json_schema": _schema()},
        **config.options,
    }


@cache
def _schema() -> dict[str, Any]:
    return {"name": "dates", "strict": True, "schema": Answer.model_json_schema()}


def request_hash(config: Llm) -> str:
    """What all decisions of a model depend on beside the article: its name, instruction, schema and options."""
    body = request_body(config, Question(0, "", ""))
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def record_of(config: Llm, question: Question, reply: Reply) -> dict[str, Any]:
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


def read_completion(body: bytes) -> Reply:
    """What a chat completion says: an answer, a refusal, or how it breaks the protocol or the schema."""
    try:
        values = json.loads(body)
        choice = values["choices"][0]
        message = choice["message"]
        content: str = message.get("content") or ""
        usage: Mapping[str, Any] = values.get("usage") or {}
        tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        return Reply(MALFORMED, detail=f"no chat completion: {error!r}")
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        return Reply(REFUSED, None, *tokens, detail=str(message.get("refusal") or "content filter"))
    try:  # some models wrap the object in a code fence or a sentence
        answer = json.loads(content[content.index("{") : content.rindex("}") + 1])
    except ValueError:
        cut = "the reply is cut off" if choice.get("finish_reason") == "length" else "no JSON object"
        return Reply(MALFORMED, None, *tokens, detail=cut)
    try:
        checked = Answer.model_validate(answer)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        return Reply(SCHEMA, None, *tokens, detail=f"{place}: {problem['msg']}".lstrip(": "))
    return Reply(ANSWERED if checked.known else REFUSED, checked if checked.known else None, *tokens)
