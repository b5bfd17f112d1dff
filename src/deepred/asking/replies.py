"""What a model's server says: an answer that fits its schema, a refusal, a named failure, an error, pieces of a stream.

In: the body of an OpenAI-compatible chat completion and the form its answer must have (a pydantic model). Out: a
``Reply``, tokens counted. Nothing here knows what was asked, nor how it was sent (``endpoint.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from deepred.base.chat_markers import disarm_values
from deepred.base.errors import FaultError
from deepred.run.config import Asked

ANSWERED, REFUSED = "answered", "refused"
MALFORMED, SCHEMA, TIMEOUT, CONNECTION = "malformed reply", "schema violated", "timeout", "connection lost"
DECISIONS = frozenset({ANSWERED, REFUSED, MALFORMED, SCHEMA})
"""Outcomes that asking again would not change: kept. All others are asked again by the next call."""

Q = TypeVar("Q")
A = TypeVar("A")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Reply(Generic[A]):
    """How a question ended: the outcome by name, the answer where there is one, tokens and seconds."""

    outcome: str
    answer: A | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    detail: str = ""
    address: str = ""
    """Which of several addresses answered."""


@dataclass(frozen=True)
class Inquiry(Generic[Q, A]):
    """What all questions of one purpose share: how they are put to a model, and how its replies are read."""

    body: Callable[[Q], dict[str, Any]]
    """The JSON of a chat completion."""
    read: Callable[[bytes], Reply[A]]
    """What the body of a chat completion says."""


@dataclass
class Tally:
    """What came of the questions so far."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    """Seconds of requests, summed over those that ran side by side."""

    def add(self, reply: Reply[Any]) -> None:
        """Count a reply."""
        self.outcomes[reply.outcome] += 1
        self.tokens_in += reply.tokens_in
        self.tokens_out += reply.tokens_out
        self.seconds += reply.seconds

    @property
    def replies(self) -> int:
        """Questions that a model decided."""
        return sum(count for outcome, count in self.outcomes.items() if outcome in DECISIONS)


def chat_body(config: Asked, instruction: str, question: str, name: str, form: type[BaseModel]) -> dict[str, Any]:
    """The JSON of a chat completion whose answer is bound to a form."""
    return {
        "model": config.model,
        "messages": disarm_values([{"role": "system", "content": instruction}, {"role": "user", "content": question}]),
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": form.model_json_schema()},
        },
        **config.options,
    }


def body_hash(body: Mapping[str, Any]) -> str:
    """What a decision depends on beside the question, as 16 hexadecimal digits: ``body`` of an empty question."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def read_completion(body: bytes, form: type[M]) -> Reply[M]:
    """What a chat completion says: an answer of that form, a refusal, or how it breaks the protocol or the schema."""
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
    except (ValueError, AttributeError):
        cut = "the reply is cut off" if choice.get("finish_reason") == "length" else "no JSON object"
        return Reply(MALFORMED, None, *tokens, detail=cut)
    try:
        return Reply(ANSWERED, form.model_validate(answer), *tokens)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        return Reply(SCHEMA, None, *tokens, detail=f"{place}: {problem['msg']}".lstrip(": "))


def read_pieces(line: str, who: str) -> list[str]:
    """The pieces of text in a line of a streamed chat completion; ``FaultError`` where it says that ``who`` stopped."""
    event = line.removeprefix("data:").strip()
    if event in ("", "[DONE]") or not line.startswith("data:"):
        return []
    try:
        values: dict[str, Any] = json.loads(event)
        if "error" in values:
            raise FaultError(f"{who} stopped: {read_problem(event.encode())}")
        found = [(choice.get("delta") or {}).get("content") for choice in values.get("choices", [])]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise FaultError(f"{who} sent what is no piece of an answer: {event[:80]!r}") from None
    return [piece for piece in found if piece and isinstance(piece, str)]


def read_problem(body: bytes) -> str:
    """What an error's body says, short: the message of OpenAI's form, or its beginning."""
    try:
        values = json.loads(body)
        said = values["error"]["message"] if isinstance(values["error"], dict) else values["error"]
    except (ValueError, KeyError, TypeError):
        said = body.decode("utf-8", "replace")
    return " ".join(str(said).split())[:200] or "no explanation"
