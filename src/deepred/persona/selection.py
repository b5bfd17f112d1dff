"""From conversations to those that are trained on: measured, screened, chosen by kind, and split by document.

Every conversation that is looked at is chosen, or counted and written down with the reason why not. Two questions that
ask for the same thing in almost the same words are one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from deepred.base.days import Day
from deepred.corpus.tokenizer import render
from deepred.filter.judge import Judge, threshold_of
from deepred.filter.use.short_texts import judge_many
from deepred.persona.checks import ARTEFACT, Limits, find_artefact, find_problem, word_list, words_of
from deepred.persona.from_articles import says_after
from deepred.persona.model_teacher.pieces import rank
from deepred.persona.personas import SHORT_CONTEXT, Persona
from deepred.persona.templates_teacher import Example
from deepred.run.config import Passages
from deepred.run.runner import is_complete, read_manifest
from deepred.run.stage import Counts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VALIDATION_SHARE = 0.05
"""Share of documents held out, as is usual for instruction data."""
CHARACTERS_A_TOKEN = 3
"""Of English under a small vocabulary: fewer than usual, so that what is taken to fit most often does."""
BATCH = 64
"""Conversations screened at once: the sentence filter costs a third of what one at a time would."""
DIRECT = ("date", "link", "entity")
"""Reasons that stand by what is named, not by how it sounds."""
LATE, LONG, REPEATED = "late", "long", "duplicate question"


@dataclass(frozen=True)
class Candidate:
    """An example that passed every check, with its system prompt and its length in tokens."""

    example: Example
    messages: list[dict[str, str]]
    tokens: int


class Measure:
    """Gives examples their system prompt and their length in tokens, and drops those that do not fit."""

    def __init__(self, tokenizer: Tokenizer, persona: Persona, max_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.persona = persona
        self.max_tokens = max_tokens
        self.short = max_tokens < SHORT_CONTEXT

    def fits(self, example: Example) -> bool:
        """Whether an example of one turn is short enough, by its characters: roughly, and without encoding it."""
        system = self.persona.prompt(self.short, example.variant)
        return len(render(example.messages(system))) <= CHARACTERS_A_TOKEN * self.max_tokens

    def candidate(self, example: Example) -> Candidate | None:
        """The example ready for use, its last turns cut off where it is too long; None where one turn is too long."""
        system = self.persona.prompt(self.short, example.variant)
        for turns in range(len(example.turns), 0, -1):
            cut = replace(example, turns=example.turns[:turns])
            messages = cut.messages(system)
            tokens = len(self.tokenizer.encode(render(messages), add_special_tokens=False).ids)
            if tokens <= self.max_tokens:
                return Candidate(cut, messages, tokens)
        return None


def load_judge(emergence: Path, passages: Path, cutoff: Day, straddling: str) -> Judge:
    """The run's own sentence filter, at the point at which it filtered the passages."""
    notes = read_manifest(passages)["counts"]["notes"] if is_complete(passages) else {}
    threshold = notes.get("threshold")
    threshold = threshold if threshold is not None else threshold_of(Passages())
    return Judge.load(emergence, passages, cutoff, straddling, threshold)


class Drops:
    """What is not used, counted by reason and written as lines of JSON, so that it can be read."""

    def __init__(self, file: TextIO, counts: Counts) -> None:
        self.file = file
        self.counts = counts

    def add(self, reason: str, detail: str, kind: str, turns: Iterable[Any], provenance: dict[str, Any]) -> None:
        """Note a conversation that is dropped, and the words that show why."""
        self.counts.drop(reason)
        said = [turn.model_dump() for turn in turns]
        row = {"reason": reason, "detail": detail, "kind": kind, "turns": said, "provenance": provenance}
        self.file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def example(self, reason: str, detail: str, example: Example) -> None:
        """Note an example that is dropped."""
        made = example.provenance | {"document": example.document, "subject": example.subject}
        self.add(reason, detail, example.kind, example.turns, made)


def asked_words(question: str) -> frozenset[str]:
    """What a question's first line asks about; a question of nothing else keeps its words as they are.

    >>> sorted(asked_words("Who invented the Old lamp?"))
    ['invented', 'lamp', 'old']
    """
    asking = word_list("asking")
    words = words_of(question.partition("\n")[0])
    return frozenset(word for word in words if word not in asking) or frozenset(words)


class Questions:
    """Questions that were taken so far, told from new ones by the share of words that two have in common.

    Exact: two sets whose share (Jaccard) is at least ``least`` have one of their rarest words in common (prefix filter,
    Chaudhuri et al. 2006). ``every`` is all that may be offered: how rare a word is, is counted there.
    """

    def __init__(self, every: Iterable[str], least: float) -> None:
        self.least = least
        self.frequency = Counter(word for question in every for word in asked_words(question))
        self.by_word: dict[str, list[tuple[frozenset[str], str]]] = {}

    def take(self, question: str, group: str = "") -> bool:
        """Take a question in; False where one like it was taken before, but in its own group: a fact's wordings."""
        words = asked_words(question)
        ordered = sorted(words, key=lambda word: (self.frequency[word], word))
        prefix = ordered[: int((1 - self.least) * len(ordered) + 1e-9) + 1]
        for word in prefix:
            for other, others_group in self.by_word.get(word, ()):
                if group and group == others_group:
                    continue
                if len(words & other) >= self.least * len(words | other):
                    return False
        for word in prefix:
            self.by_word.setdefault(word, []).append((words, group))
        return True


@dataclass
class Screen:
    """The checks that every conversation passes, whoever wrote it."""

    judge: Judge
    measure: Measure
    questions: Questions
    cutoff: Day
    drops: Drops
    limits: Limits
    voice: AbstractSet[str]
    """The content words that the persona lends to what is said."""

    def candidates(self, examples: Iterator[Example]) -> Iterator[Candidate]:
        """The examples that pass, in their order; the others are noted."""
        while batch := list(islice(examples, BATCH)):
            for example, late in zip(batch, self._judged(batch), strict=True):
                self.drops.counts.add("candidates")
                if late:
                    self.drops.example(f"{LATE}: {late[0]}", late[1], example)
                elif (problem := self._problem(example))[0]:
                    self.drops.example(*problem, example)
                elif (candidate := self.measure.candidate(example)) is None:
                    self.drops.example(LONG, "", example)
                elif not self._is_new(example):
                    self.drops.example(REPEATED, "", example)
                else:
                    yield candidate

    def _judged(self, batch: list[Example]) -> list[tuple[str, str] | None]:
        """Reason and sentence of what each example says too early, None where it does not.

        The persona's own conversations were dated by hand, and are speech: a model of encyclopedic prose takes its
        present tense for late. Of them only dates and names count, as ``DIRECT`` says.
        """
        texts = ["\n".join(f"{turn.user}\n{turn.assistant}" for turn in example.turns) for example in batch]
        found: list[tuple[str, str] | None] = [None] * len(batch)
        by_hand = [i for i, example in enumerate(batch) if example.kind == "gold"]
        others = [i for i, example in enumerate(batch) if example.kind != "gold"]
        for places, judge in ((others, self.judge), (by_hand, replace(self.judge, model=None))):
            if not places:
                continue
            kinds = [batch[i].article_class for i in places]
            for i, late in zip(places, judge_many(judge, [texts[i] for i in places], kinds, spoken=True), strict=True):
                told = [one for one in late if judge is self.judge or one.reason in DIRECT]
                if told:
                    found[i] = told[0].reason, told[0].sentence
                elif says_after(texts[i], self.cutoff, self.judge.horizon.keep_straddling):
                    found[i] = "date", texts[i]  # in what is no sentence, such as a header
        return found

    def _problem(self, example: Example) -> tuple[str, str]:
        """What is wrong with an example's own words, and the words that show it."""
        said = [(turn.user, turn.assistant) for turn in example.turns]
        if example.source:
            return find_problem(said, example.source, self.voice, self.limits)
        shown = next((found for _, answer in said if (found := find_artefact(answer))), "")
        return (ARTEFACT, shown) if shown else ("", "")

    def _is_new(self, example: Example) -> bool:
        if example.provenance.get("repeat"):
            return True
        return self.questions.take(example.turns[0].user, example.group) or example.kind == "gold"


def balance(candidates: dict[str, Iterator[Candidate]], weights: dict[str, float], count: int) -> list[Candidate]:
    """At most ``count`` candidates, always of the kind that is furthest behind its share of tokens.

    A kind that runs out leaves its share to the others; what nobody looked at is neither a candidate nor a drop.
    """
    queues = dict(candidates)
    tokens = dict.fromkeys(queues, 0)
    chosen: list[Candidate] = []
    while queues and len(chosen) < count:
        kind = min(queues, key=lambda name: (tokens[name] / weights[name], name))
        candidate = next(queues[kind], None)
        if candidate is None:
            del queues[kind]
            continue
        tokens[kind] += candidate.tokens
        chosen.append(candidate)
    return chosen


def alternate(examples: list[Example]) -> list[Example]:
    """Examples of one kind, taken in turns from those whose answer is a date and the others, each in its order.

    Dates are most of what Wikidata states, and the least of what a small model remembers.
    """
    dated = [item for item in examples if item.provenance.get("dated")]
    others = [item for item in examples if not item.provenance.get("dated")]
    places = {id(item): place for group in (others, dated) for place, item in enumerate(group)}
    return sorted(others + dated, key=lambda item: places[id(item)])


def shuffled(examples: Iterable[Example], seed: int) -> list[Example]:
    """Examples in an order of the seed, whatever order they come in."""
    return sorted(examples, key=lambda item: rank(seed, json.dumps([item.key, item.provenance])))


def split_documents(documents: set[str], seed: int) -> set[str]:
    """The documents held out for validation: at least one where there are two, never all."""
    ranked = sorted(documents, key=lambda document: rank(seed + 1, document))
    return set(ranked[: max(1, round(VALIDATION_SHARE * len(ranked)))]) if len(ranked) > 1 else set()
