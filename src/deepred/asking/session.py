"""Many questions put to a model by a command: first a few, by which the whole is estimated, then all others.

Every decision is appended to a file and synced before the next is asked, so that the same command goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from deepred.asking.answer_file import AnswerFile
from deepred.asking.endpoint import addresses
from deepred.asking.many import ask_all
from deepred.asking.replies import A, Inquiry, Q, Reply, Tally
from deepred.run.config import Asked

TRIALS = 8
"""Questions asked before the estimate is stated; their decisions are kept."""
CHARACTERS_A_TOKEN = 4
"""English text per token, where a server does not count tokens: the usual rule for byte-level BPE."""
REPLY_TOKENS = 80
"""Tokens of a reply, where a server does not count them: an object of a few short fields."""


@dataclass(frozen=True)
class Estimate:
    """What is still to be asked, and what it will take, from the calls made so far."""

    noun: str
    questions: int
    tokens_in: int
    tokens_out: int
    cost: float
    seconds: float

    def __str__(self) -> str:
        cost = f", cost {self.cost:,.2f}" if self.cost else ", no price given"
        return (
            f"{self.questions:,} {self.noun} to ask about: about {self.tokens_in:,} tokens sent and "
            f"{self.tokens_out:,} received{cost}, {_duration(self.seconds)}"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def estimate(config: Asked, questions: int, tally: Tally, noun: str, characters: int) -> Estimate:
    """What so many further questions will take, from what the ones asked took; without any, tokens by length alone."""
    asked = max(tally.replies, 1)
    each_in = tally.tokens_in / asked or characters / CHARACTERS_A_TOKEN
    each_out = tally.tokens_out / asked or REPLY_TOKENS
    tokens = round(each_in * questions), round(each_out * questions)
    cost = (tokens[0] * config.price_in + tokens[1] * config.price_out) / 1e6
    side_by_side = config.concurrency * len(addresses(config))
    return Estimate(noun, questions, *tokens, cost, tally.seconds / asked * questions / side_by_side)


@dataclass(frozen=True)
class Listener:
    """How a command hears of its progress: lines to print, and the tally with the number of all questions."""

    tell: Callable[[str], None]
    progress: Callable[[Tally, int], None]


def ask_and_keep(
    config: Asked,
    inquiry: Inquiry[Q, A],
    questions: Iterator[Q],
    left: int,
    file: AnswerFile,
    record_of: Callable[[Q, Reply[A]], Mapping[str, Any]],
    listener: Listener,
    *,
    noun: str,
    characters: int,
    plan_only: bool,
) -> Tally:
    """Ask about ``left`` open questions and append the decisions to ``file``; the tally of this call.

    The estimate is told after ``TRIALS`` calls, and with ``plan_only`` nothing more is asked. ``noun`` names what is
    asked about, ``characters`` the usual length of a request.
    """
    tally = Tally()

    def keep(question: Q, reply: Reply[A]) -> None:
        file.append(record_of(question, reply))
        listener.progress(tally, left)

    ask_all(config, inquiry, islice(questions, TRIALS), keep, tally, tell=listener.tell)
    listener.tell(str(estimate(config, max(left - tally.replies, 0), tally, noun, characters)))
    if not plan_only:
        ask_all(config, inquiry, questions, keep, tally, tell=listener.tell)
    return tally
