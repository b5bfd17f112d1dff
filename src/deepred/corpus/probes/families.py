"""A family: one dated fact with its paraphrased prompts, the true answer and the options to choose from.

Everything here is deterministic by seed and by the family's own name, so that a family keeps its options whatever other
families are made.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from deepred.base.days import Day, year_of
from deepred.base.draws import rank_of

Era = Literal["before", "after"]

BLANK = "___"
"""Where a cloze's options stand."""

YEAR_WINDOW = 30
"""Years that the options of a question for a year span at most: near enough that an epoch alone does not answer it."""


def filled(prompt: str, option: str) -> str:
    """A statement with an option in its place: at its end, or where the blank stands.

    >>> filled("The Moon is", "round"), filled("It was ___ who won.", "Anna")
    ('The Moon is round', 'It was Anna who won.')
    """
    return prompt.replace(BLANK, option) if BLANK in prompt else f"{prompt} {option}"


@dataclass(frozen=True)
class Item:
    """One choice: the statement's beginning, the same without its subject, the options, and the right one's place."""

    prompt: str
    neutral: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Family:
    """A fact that could first be known on a day, with the items that ask for it."""

    family: str
    kind: str
    era: Era
    known: Day
    relation: str
    subject: str
    answer_text: str
    aliases: tuple[str, ...]
    floor_answer: str
    items: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, one line of ``probes.jsonl``."""
        return asdict(self)


@dataclass(frozen=True)
class Question:
    """A fact before its options are drawn."""

    family: str
    kind: str
    era: Era
    known: Day
    relation: str
    subject: str
    answer: str
    object_type: str
    prompts: tuple[str, ...]
    neutral: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    floor_answer: str = ""
    cloze: tuple[str, str] | None = None
    """The statement with a blank in it, with and without its subject, where there is one."""
    options: tuple[str, ...] = ()
    """The options, where the question brings its own."""
    true_answers: frozenset[str] = frozenset()
    """Every answer that is right for this subject and relation, at any time."""

    def with_options(self, options: Sequence[str]) -> Family:
        """The family of this question with its options."""
        right = options.index(self.answer)
        items = tuple(
            Item(prompt, neutral, tuple(options), right) for prompt, neutral in zip(self.prompts, self.neutral)
        )
        return Family(
            self.family, self.kind, self.era, self.known, self.relation, self.subject, self.answer, self.aliases,
            self.floor_answer, items,
        )  # fmt: skip


def select(questions: Iterable[Question], most: int, seed: int) -> list[Question]:
    """At most ``most`` questions of each era, as evenly over relations as there are enough, in order of their names."""
    chosen: list[Question] = []
    by_era: defaultdict[Era, defaultdict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
    for question in questions:
        by_era[question.era][question.relation].append(question)
    for relations in by_era.values():
        # the n-th of every relation comes before the (n+1)-th of any
        turns = [
            (turn, relation, question)
            for relation, members in relations.items()
            for turn, question in enumerate(sorted(members, key=lambda one: rank_of(seed, one.family)))
        ]
        turns.sort(key=lambda turn: turn[:2])
        chosen += [question for _, _, question in turns[:most]]
    return sorted(chosen, key=lambda one: one.family)


def draw_options(question: Question, pool: Sequence[str], number: int, seed: int) -> tuple[str, ...] | None:
    """The answer among ``number`` options, shuffled; None where the pool holds too few others.

    ``pool`` lists an answer once for every question that it answers, so that options are drawn as often as they are
    answers: who knows only which names are common scores chance. The floor's own answer stays out of the options, or
    a model that learned the permuted facts would score below chance.
    """
    generator = random.Random(f"{seed}:{question.family}")
    out = {question.answer, question.floor_answer, *question.aliases, *question.true_answers}
    others: list[str] = []
    for other in generator.sample(sorted(pool), len(pool)):
        if other not in out:
            out.add(other)
            others.append(other)
        if len(others) == number - 1:
            options = [question.answer, *others]
            generator.shuffle(options)
            return tuple(options)
    return None


def draw_years(question: Question, span: tuple[int, int], number: int, seed: int) -> tuple[str, ...] | None:
    """The answer's year among years of one window inside ``span`` that lies anywhere around it; None where too narrow.

    The window is drawn first and the answer may lie anywhere in it: years drawn around the answer would make the
    middle one right more often than chance.
    """
    generator = random.Random(f"{seed}:{question.family}")
    year = int(question.answer)
    low, high = max(span[0], year - YEAR_WINDOW), min(span[1], year + YEAR_WINDOW)
    starts = range(low, max(low, min(year, high - YEAR_WINDOW)) + 1)
    start = generator.choice(starts)
    others = [other for other in range(start, min(high, start + YEAR_WINDOW) + 1) if other != year]
    if len(others) < number - 1:
        return None
    options = [question.answer, *(str(other) for other in generator.sample(others, number - 1))]
    generator.shuffle(options)
    return tuple(options)


def complete(
    questions: Sequence[Question], pools: Collection[Question], number: int, cutoff: Day, seed: int
) -> tuple[list[Family], int]:
    """The families of questions for which enough options exist, and how many questions had too few.

    Options are answers that ``pools`` give to the same relation in the same era: an author among inventors would be
    ruled out by who knows the names' trades and no fact. Where a relation has too few, all answers of the type and era
    serve. Years are drawn on the answer's own side of the cutoff, so that a side alone never tells the answer.
    """
    answers: defaultdict[tuple[str, Era], list[str]] = defaultdict(list)
    for question in pools:
        for kind in (question.relation, question.object_type):
            answers[kind, question.era].append(question.answer)
    families: list[Family] = []
    for question in questions:
        of_relation, of_type = (answers[kind, question.era] for kind in (question.relation, question.object_type))
        if question.options:
            options = question.options
        elif question.object_type == "year":
            options = draw_years(question, year_span(int(question.answer), of_relation, cutoff), number, seed)
        else:
            options = draw_options(question, of_relation, number, seed) or draw_options(question, of_type, number, seed)
        if options:
            families.append(question.with_options(options))
    return families, len(questions) - len(families)


def year_span(year: int, pool: Sequence[str], cutoff: Day) -> tuple[int, int]:
    """The years that may stand beside a year: those of the pool's range on its own side of the cutoff."""
    years = [int(other) for other in pool]
    first, last = min(years), max(years)
    edge = year_of(cutoff)
    return (first, min(last, edge - 1)) if year < edge else (max(first, edge), last)


def with_true_answers(questions: Sequence[Question]) -> list[Question]:
    """The questions, each knowing every answer that is right for its subject and relation."""
    right: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for question in questions:
        right[question.subject, question.relation].add(question.answer)
    return [
        replace(question, true_answers=question.true_answers | right[question.subject, question.relation])
        for question in questions
    ]
