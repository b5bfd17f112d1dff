"""Four-way choices: a scorer's log-likelihoods become a choice, a family's score, and figures by era, decade, relation.

A scorer is a function from ``(context, continuation)`` pairs to log-probabilities of the continuations; it may be a
model or, in tests, a dictionary. An option's score is ``log P(option | prompt) - log P(option | neutral prompt)``
(pointwise mutual information; Holtzman et al. 2021), so that a frequent or short option wins nothing by being so.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, month_of, year_of
from deepred.base.errors import FaultError
from deepred.corpus.probes.families import BLANK
from deepred.evaluate.effective_cutoff import effective_cutoff
from deepred.evaluate.statistics import Figure, Resampling, mean_over_families

Pair = tuple[str, str]
Scorer = Callable[[Sequence[Pair]], list[float]]

ERAS = ("before", "after")

HEADLINE = "statement"
"""Kind of the families that the headline figures are about; other kinds have figures of their own."""

TIE = 1e-4
"""Scores nearer than this (nats) are one score: float32 sums of a few dozen log-probabilities differ by about 1e-5."""


@dataclass(frozen=True)
class Answer:
    """How a family was answered, prompt by prompt.

    ``correct`` is 1 or 0, or the chance of a right draw where the best options tie; ``chosen`` the option (the first of
    a tie); ``blind`` like ``correct``, for the choice that the neutral prompt alone makes, and ``plain`` for the one
    that the prompt makes without the neutral one taken off.
    """

    family: str
    era: str
    known: Day
    relation: str
    correct: tuple[float, ...]
    chosen: tuple[str, ...]
    blind: tuple[float, ...]
    plain: tuple[float, ...] = ()
    kind: str = HEADLINE

    @staticmethod
    def of(row: dict[str, Any]) -> Answer:
        """The answer of a line of ``items.jsonl``."""
        return Answer(
            row["family"],
            row["era"],
            row["known"],
            row["relation"],
            tuple(row["correct"]),
            tuple(row["chosen"]),
            tuple(row["blind"]),
            tuple(row.get("plain", ())),
            row.get("kind", HEADLINE),
        )

    @property
    def score(self) -> float:
        """The share of the family's prompts answered right."""
        return sum(self.correct) / len(self.correct)

    @property
    def blind_score(self) -> float:
        """The same for answer-only scoring, which never saw the subject."""
        return sum(self.blind) / len(self.blind)

    @property
    def year(self) -> float:
        """The first-knowable day as a year with its fraction: 1969.55."""
        return year_of(self.known) + (month_of(self.known) - 1) / 12 + (self.known % 100 - 1) / 365


def read_families(probes: Path) -> list[dict[str, Any]]:
    """The probe families of a finished ``probes`` folder."""
    path = probes / "probes.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        raise FaultError(f"{path} does not exist", "run the stage probes again") from None


def read_answers(path: Path) -> list[Answer]:
    """The answers that an evaluation wrote into ``items.jsonl``."""
    with path.open(encoding="utf-8") as file:
        return [Answer.of(json.loads(line)) for line in file]


def pair_of(prompt: str, option: str) -> Pair:
    """What is scored of an option: itself after the prompt, or from the prompt's blank on.

    >>> pair_of("The Moon is", "round"), pair_of("It was ___ who won.", "Anna")
    (('The Moon is', ' round'), ('It was', ' Anna who won.'))
    """
    before, blank, rest = prompt.partition(BLANK)
    return (before.rstrip(), f" {option}{rest}") if blank else (prompt, f" {option}")


def pairs_of(family: dict[str, Any]) -> list[Pair]:
    """Every context and continuation that a family needs scored, the neutral ones included."""
    return [
        pair_of(prompt, option)
        for item in family["items"]
        for prompt in (item["prompt"], item["neutral"])
        for option in item["options"]
    ]


def answer_families(families: Sequence[dict[str, Any]], score: Scorer) -> list[Answer]:
    """Each family's answer under a scorer, in the order given; every distinct pair is scored once."""
    pairs = list(dict.fromkeys(pair for family in families for pair in pairs_of(family)))
    known = dict(zip(pairs, score(pairs)))
    return [answer_family(family, known) for family in families]


def answer_family(family: dict[str, Any], known: dict[Pair, float]) -> Answer:
    """The family's answer by the scores of its pairs."""
    correct: list[float] = []
    chosen: list[str] = []
    blind: list[float] = []
    plain: list[float] = []
    for item in family["items"]:
        options: list[str] = item["options"]
        neutral = [known[pair_of(item["neutral"], option)] for option in options]
        stated = [known[pair_of(item["prompt"], option)] for option in options]
        gain = [score - base for score, base in zip(stated, neutral)]
        best = best_options(gain)
        right: int = item["answer"]
        correct.append(1 / len(best) if right in best else 0.0)
        chosen.append(options[best[0]])
        for scores, found in ((neutral, blind), (stated, plain)):
            best = best_options(scores)
            found.append(1 / len(best) if right in best else 0.0)
    return Answer(
        family["family"],
        family["era"],
        family["known"],
        family["relation"],
        tuple(correct),
        tuple(chosen),
        tuple(blind),
        tuple(plain),
        family.get("kind", HEADLINE),
    )


def best_options(scores: Sequence[float]) -> list[int]:
    """The places of the highest scores, all that tie: ``best_options([1.0, 3.0, 3.0]) == [1, 2]``."""
    highest = max(scores)
    return [place for place, score in enumerate(scores) if score >= highest - TIE]


def headline(answers: Sequence[Answer]) -> list[Answer]:
    """The answers that the headline figures are about: to statements, or all where there are none."""
    statements = [answer for answer in answers if answer.kind == HEADLINE]
    return statements or list(answers)


def summarize(every: Sequence[Answer], options: int, how: Resampling) -> dict[str, Any]:
    """All figures of an evaluation: before and after, blind, by decade, relation and kind, and the effective cutoff."""
    answers = headline(every)
    eras = {era: [answer for answer in answers if answer.era == era] for era in ERAS}
    return {
        **{era: figure(members, how).to_json() for era, members in eras.items()},
        "chance": round(1 / options, 4),
        "answer_only": {
            era: mean_over_families([answer.blind_score for answer in members], how).to_json()
            for era, members in eras.items()
        },
        "plain": {
            era: mean_over_families([sum(one.plain) / len(one.plain) for one in members if one.plain], how).to_json()
            for era, members in eras.items()
        },
        "effective_cutoff": effective_cutoff(
            [answer.year for answer in answers], [answer.score for answer in answers], how
        ).to_json(),
        "by_decade": grouped(answers, "decade", lambda answer: year_of(answer.known) // 10 * 10, how),
        "by_relation": grouped(answers, "relation", lambda answer: answer.relation, how),
        "by_kind": grouped(every, "kind", lambda answer: answer.kind, how),
        "resampling": asdict(how),
    }


def figure(answers: Iterable[Answer], how: Resampling) -> Figure:
    """The accuracy of some answers with its interval."""
    return mean_over_families([answer.score for answer in answers], how)


def grouped(
    answers: Sequence[Answer], name: str, key: Callable[[Answer], Any], how: Resampling
) -> list[dict[str, Any]]:
    """Figures by a key and era: the decade of the cutoff appears once for each of its sides."""
    groups: defaultdict[tuple[Any, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[key(answer), answer.era].append(answer)
    ordered = sorted(groups, key=lambda group: (group[0], ERAS.index(group[1])))
    return [{name: group[0], "era": group[1], **figure(groups[group], how).to_json()} for group in ordered]
