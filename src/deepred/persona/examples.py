"""Stage ``examples``: instruction conversations in the persona's voice, from what was known before the cutoff.

In: kept passages, dates, facts, the tokenizer and a persona file. Out: ``train.jsonl`` and ``validation.jsonl``, one
``{"messages", "kind", "persona", "provenance"}`` a line, and ``persona.json`` with the system prompt that chat uses.
No subject is in both files. Memory is bounded by ``examples.count``, not by the corpus.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepred.config import Examples
from deepred.documents import Day
from deepred.errors import FaultError, UserError
from deepred.persona.material import Sampled, rank, reject_fact, sample_sources, says_after
from deepred.persona.personas import Persona, load_persona
from deepred.persona.teacher import (
    Example,
    fact_examples,
    gold_examples,
    lead_sentences,
    passage_example,
    unknown_example,
)
from deepred.stage import Counts, Work
from deepred.train.chatml import render

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VALIDATION_SHARE = 0.05
"""Share of subjects held out, as is usual for instruction data."""
SHORT_CONTEXT = 512
"""Tokens of a conversation below which the persona's one-line system prompt is used: a full one would fill a third."""
GOLD_REPEATS = 4
"""Times a gold conversation may occur: few were written, and each is worth more than a template."""


def make_examples(
    *,
    passages: Path,
    dates: Path,
    facts: Path,
    topics: Path | None,
    tokenizer: Path,
    config: Examples,
    sources: dict[str, list[Path]],
    cutoff: Day,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Make, validate, balance and split the examples; every candidate that is not used is counted by reason."""
    from tokenizers import Tokenizer as Fast

    persona = load_persona(_only(sources["persona"]))
    measure = Measure(Fast.from_file(str(tokenizer / "tokenizer.json")), persona, config.max_tokens, seed)
    counts = Counts()
    sampled = sample_sources(passages, dates, facts, config.count, seed, counts)
    candidates: dict[str, list[Candidate]] = {}
    for kind, made in make_candidates(sampled, persona, measure, config, cutoff, seed, counts).items():
        candidates[kind] = alternate(_shuffled(made, seed))
    chosen = balance(candidates, config.kinds, config.count)
    if not chosen:
        raise FaultError(f"no example can be made; dropped: {dict(counts.drops)}", "raise examples.max_tokens")
    counts.drop("not needed", sum(map(len, candidates.values())) - len(chosen))
    write_split(chosen, persona, measure.short, seed, out, counts)
    work.report(counts, len(chosen), len(chosen))
    return counts


def _only(paths: list[Path]) -> Path:
    if len(paths) != 1:
        raise UserError(
            f"examples.persona names {len(paths)} files, not one", 'for example persona = ["persona:deep-red"]'
        )
    return paths[0]


@dataclass(frozen=True)
class Candidate:
    """An example that passed every check, with its system prompt and its length in tokens."""

    example: Example
    messages: list[dict[str, str]]
    tokens: int


class Measure:
    """Gives examples their system prompt and their length in tokens, and drops those that do not fit."""

    def __init__(self, tokenizer: Tokenizer, persona: Persona, max_tokens: int, seed: int) -> None:
        self.tokenizer = tokenizer
        self.persona = persona
        self.max_tokens = max_tokens
        self.seed = seed
        self.short = max_tokens < SHORT_CONTEXT

    def candidate(self, example: Example) -> Candidate | None:
        """The example ready for use, its last turns cut off where it is too long; None where one turn is too long."""
        system = self.persona.prompt(self.short, example.variant)
        for turns in range(len(example.turns), 0, -1):
            cut = Example(example.kind, example.subject, example.turns[:turns], example.variant, example.provenance)
            messages = cut.messages(system)
            tokens = len(self.tokenizer.encode(render(messages), add_special_tokens=False).ids)
            if tokens <= self.max_tokens:
                return Candidate(cut, messages, tokens)
        return None


def make_candidates(
    sampled: Sampled, persona: Persona, measure: Measure, config: Examples, cutoff: Day, seed: int, counts: Counts
) -> dict[str, list[Candidate]]:
    """Every candidate by kind; what is dropped is counted."""
    makers = {
        "fact": lambda: _from_facts(sampled, persona, cutoff, seed, counts),
        "passage": lambda: _from_passages(sampled, measure, seed, counts),
        "gold": lambda: _from_gold(persona, measure.short, cutoff, counts),
        "unknown": lambda: _from_nothing(sampled, persona, config.count, seed, counts),
    }
    if unknown := sorted(set(config.kinds) - set(makers)):
        raise UserError(f"examples.kinds: {unknown[0]} does not exist", f"choose of {', '.join(makers)}")
    found: dict[str, list[Candidate]] = {}
    for kind, weight in config.kinds.items():
        if weight > 0:
            found[kind] = list(_valid(makers[kind](), measure, cutoff, counts))
    return found


def _valid(examples: Iterable[Example], measure: Measure, cutoff: Day, counts: Counts) -> Iterator[Candidate]:
    for example in examples:
        counts.add("candidates")
        if any(says_after(text, cutoff) for turn in example.turns for text in (turn.user, turn.assistant)):
            counts.drop("after cutoff")
        elif (candidate := measure.candidate(example)) is None:
            counts.drop("long")
        else:
            yield candidate


def _from_facts(sampled: Sampled, persona: Persona, cutoff: Day, seed: int, counts: Counts) -> Iterator[Example]:
    for number, fact in enumerate(sampled.facts):
        if reason := reject_fact(fact, sampled, cutoff):
            counts.drop(reason)
            continue
        yield from fact_examples(fact, persona, random.Random(f"{seed} fact {fact['entity']} {number}"))


def _from_passages(sampled: Sampled, measure: Measure, seed: int, counts: Counts) -> Iterator[Example]:
    for title, passage in sampled.passages.items():
        sentences = lead_sentences(passage["text"], title)
        if not sentences:
            counts.drop("subject not named")
            continue
        chance = random.Random(f"{seed} passage {title}").getrandbits(64)
        for kept in range(len(sentences), 0, -1):
            example = passage_example(passage, sentences[:kept], random.Random(chance))
            if kept == 1 or measure.candidate(example):
                yield example
                break


def _from_gold(persona: Persona, short: bool, cutoff: Day, counts: Counts) -> Iterator[Example]:
    for example, known in gold_examples(persona):
        if known >= cutoff:
            counts.drop("after cutoff")
            continue
        others = [name for name in persona.system if name != example.variant]
        for repeat in range(GOLD_REPEATS):
            variant = example.variant if short or repeat == 0 else others[repeat % len(others)] if others else "primary"
            yield Example(
                example.kind, example.subject, example.turns, variant, example.provenance | {"repeat": repeat}
            )


def _from_nothing(sampled: Sampled, persona: Persona, count: int, seed: int, counts: Counts) -> Iterator[Example]:
    words = {word.casefold() for title in sampled.passages for word in title.split()}
    for number in range(count):
        example = unknown_example(persona, number, seed)
        if example.subject.casefold() in words:
            counts.drop("exists")
            continue
        yield example


def _shuffled(candidates: list[Candidate], seed: int) -> list[Candidate]:
    return sorted(
        candidates, key=lambda item: rank(seed, json.dumps(item.messages) + json.dumps(item.example.provenance))
    )


def alternate(candidates: list[Candidate]) -> list[Candidate]:
    """Candidates of one kind, taken in turns from those whose answer is a date and the others, each in its order.

    Dates are most of what Wikidata states, and the least of what a small model remembers.
    """
    dated = [item for item in candidates if item.example.provenance.get("dated")]
    others = [item for item in candidates if not item.example.provenance.get("dated")]
    places = {id(item): place for group in (others, dated) for place, item in enumerate(group)}
    return sorted(others + dated, key=lambda item: places[id(item)])


def balance(candidates: dict[str, list[Candidate]], weights: dict[str, float], count: int) -> list[Candidate]:
    """At most ``count`` candidates, always of the kind that is furthest behind its share of tokens.

    A kind that runs out leaves its share to the others.
    """
    queues = {kind: iter(found) for kind, found in candidates.items()}
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


def write_split(chosen: list[Candidate], persona: Persona, short: bool, seed: int, out: Path, counts: Counts) -> None:
    """Write both splits and ``persona.json``; a subject is wholly in one of them."""
    held_out = split_subjects({candidate.example.subject for candidate in chosen}, seed)
    lines: dict[str, list[str]] = {"train": [], "validation": []}
    for candidate in chosen:
        split = "validation" if candidate.example.subject in held_out else "train"
        if split == "validation" and candidate.example.provenance.get("repeat"):
            counts.drop("repeated")
            continue
        row = {"messages": candidate.messages, "kind": candidate.example.kind, "persona": persona.name}
        row |= {
            "provenance": candidate.example.provenance | {"subject": candidate.example.subject, "teacher": "built-in"}
        }
        lines[split].append(json.dumps(row, ensure_ascii=False) + "\n")
        counts.add(f"{split} examples")
        counts.add("documents")
        counts.tally("examples by kind", candidate.example.kind)
        counts.tally("tokens by kind", candidate.example.kind, candidate.tokens)
    for split, rows in lines.items():
        _write(out / f"{split}.jsonl", "".join(rows))
    values = {
        "name": persona.name,
        "description": persona.description,
        "system_prompt": persona.prompt(short),
        "variants": {name: persona.prompt(False, name) for name in persona.system},
        "kinds": dict(sorted(counts.tallies["examples by kind"].items())),
    }
    _write(out / "persona.json", json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def split_subjects(subjects: set[str], seed: int) -> set[str]:
    """The subjects held out for validation: at least one where there are two, never all."""
    ranked = sorted(subjects, key=lambda subject: rank(seed + 1, subject))
    return set(ranked[: max(1, round(VALIDATION_SHARE * len(ranked)))]) if len(ranked) > 1 else set()


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
