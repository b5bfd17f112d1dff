"""Stage ``examples``: instruction conversations in the persona's voice, from what was known before the cutoff.

In: kept passages, books, games, the chronicle of years, dated facts, the tokenizer, a persona file, and what a teacher
answered (``examples.answers``). Out: ``train.jsonl`` and ``validation.jsonl``, one ``{"messages", "kind", "persona",
"provenance"}`` a line, ``dropped.jsonl`` with every conversation that was looked at and not used, and ``persona.json``
with the system prompt that chat uses. No document is in both splits. Memory is bounded by ``examples.count``.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepred.base.days import Day
from deepred.base.errors import FaultError, UserError
from deepred.base.files import replaced, write_json, write_text
from deepred.persona.checks import Limits
from deepred.persona.from_articles import (
    Sampled,
    document_of,
    grounding,
    read_origins,
    reject_fact,
    sample_documents,
    sample_sources,
)
from deepred.persona.from_documents import book_examples, chess_examples, topic_examples
from deepred.persona.model_teacher.pieces import Library
from deepred.persona.model_teacher.teacher_answers import read_told
from deepred.persona.personas import Persona, load_persona
from deepred.persona.selection import (
    Candidate,
    Drops,
    Measure,
    Questions,
    Screen,
    alternate,
    balance,
    load_judge,
    shuffled,
    split_documents,
)
from deepred.persona.templates_teacher import (
    Example,
    fact_examples,
    gold_examples,
    lead_sentences,
    passage_example,
    unknown_example,
)
from deepred.run.config import Examples
from deepred.run.stage import Counts, Work

BUILT_IN = "built-in"
GOLD_REPEATS = 4
"""Times a gold conversation may occur where `examples.repeats` says nothing: each is worth more than a template."""
BOOK_CHARACTERS = 20_000
"""Characters of a book that are held to take excerpts from."""
KINDS = ("fact", "passage", "book", "chess", "topic", "gold", "unknown", "taught")


def make_examples(
    *,
    articles: Path,
    passages: Path,
    emergence: Path,
    dates: Path,
    facts: Path,
    books: Path | None,
    chess: Path | None,
    topics: Path | None,
    tokenizer: Path,
    config: Examples,
    sources: dict[str, list[Path]],
    cutoff: Day,
    straddling: str,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Make, screen, balance and split the examples; every conversation that is not used is counted by reason."""
    from tokenizers import Tokenizer

    persona = load_persona(_only(sources["persona"]))
    if unknown := sorted(set(config.kinds) - set(KINDS)):
        raise UserError(f"examples.kinds: {unknown[0]} does not exist", f"choose of {', '.join(KINDS)}")
    if unknown := sorted(set(config.repeats) - set(persona.themes)):
        raise UserError(
            f"examples.repeats: {persona.name} has no theme {unknown[0]}", f"choose of {', '.join(persona.themes)}"
        )
    if sources.get("answers") and not config.kinds.get("taught"):
        raise UserError("examples.answers are given, but the kind `taught` has no weight", "name it in examples.kinds")
    measure = Measure(Tokenizer.from_file(str(tokenizer / "tokenizer.json")), persona, config.max_tokens)
    counts = Counts()
    with replaced(out / "dropped.jsonl") as partial, partial.open("w", encoding="utf-8") as file:
        drops = Drops(file, counts)
        maker = Maker(
            sample_sources(passages, dates, facts, config.count, seed, counts),
            Library(passages, books, chess, topics),
            persona, config, measure, cutoff, seed, drops, sources.get("answers", []),
        )  # fmt: skip
        made = maker.make()
        asked = (example.turns[0].user for examples in made.values() for example in examples)
        screen = Screen(
            load_judge(emergence, passages, cutoff, straddling), measure,
            Questions(asked, config.near_duplicates), cutoff, drops,
            Limits(config.max_copied, config.min_grounded), persona.vocabulary(),
        )  # fmt: skip
        candidates = {kind: screen.candidates(iter(examples)) for kind, examples in made.items()}
        weights = {kind: weight for kind, weight in config.kinds.items() if weight > 0}
        chosen = balance(candidates, weights, config.count)
    if not chosen:
        raise FaultError(f"no example can be made; dropped: {dict(counts.drops)}", "raise examples.max_tokens")
    pages = {item.example.provenance["page_id"] for item in chosen if "page_id" in item.example.provenance}
    origins = read_origins(articles, pages)
    write_split(chosen, origins, persona, measure.short, seed, out, counts)
    work.report(counts, len(chosen), len(chosen))
    return counts


def _only(paths: list[Path]) -> Path:
    if len(paths) != 1:
        raise UserError(
            f"examples.persona names {len(paths)} files, not one", 'for example persona = ["persona:deep-red"]'
        )
    return paths[0]


@dataclass(frozen=True)
class Maker:
    """Everything that conversations are made from."""

    sampled: Sampled
    library: Library
    persona: Persona
    config: Examples
    measure: Measure
    cutoff: Day
    seed: int
    drops: Drops
    answers: list[Path]

    def make(self) -> dict[str, list[Example]]:
        """The conversations of every kind that has a weight, in an order of the seed."""
        makers: dict[str, Callable[[], Iterator[Example]]] = {
            "fact": self._from_facts,
            "passage": self._from_passages,
            "book": self._from_books,
            "chess": self._from_chess,
            "topic": self._from_topics,
            "gold": self._from_gold,
            "unknown": self._from_nothing,
            "taught": self._from_answers,
        }
        made: dict[str, list[Example]] = {}
        for kind, weight in self.config.kinds.items():
            if weight > 0:
                voiced = map(self._voiced, makers[kind]())
                made[kind] = alternate(shuffled(voiced, self.seed))
        return made

    def _chance(self, *names: Any) -> random.Random:
        return random.Random(" ".join(map(str, (self.seed, *names))))

    def _voiced(self, example: Example) -> Example:
        """An example of the built-in teacher under one of the persona's prompts, every second time the primary one."""
        if example.kind in ("gold", "taught") or self.measure.short:
            return example
        chance = self._chance("voice", example.key)
        return replace(example, variant=chance.choice(["primary", chance.choice(list(self.persona.system))]))

    def _from_facts(self) -> Iterator[Example]:
        for number, fact in enumerate(self.sampled.facts):
            if reason := reject_fact(fact, self.sampled, self.cutoff):
                self.drops.counts.drop(reason)
                continue
            passage = grounding(fact, self.sampled.passages) or {}
            chance = self._chance("fact", fact["entity"], number)
            for example in fact_examples(fact, self.persona, chance):
                yield _of_passage(example, passage)

    def _from_passages(self) -> Iterator[Example]:
        for title, passage in self.sampled.passages.items():
            sentences = lead_sentences(passage["text"], title)
            if not sentences:
                self.drops.counts.drop("subject not named")
                continue
            bits = self._chance("passage", title).getrandbits(64)
            for kept in range(len(sentences), 0, -1):
                example = passage_example(passage, sentences[:kept], random.Random(bits))
                if kept == 1 or self.measure.fits(example):
                    yield _of_passage(example, passage)
                    break

    def _from_books(self) -> Iterator[Example]:
        for row in sample_documents(self.library.books, self.config.count, self.seed, BOOK_CHARACTERS):
            yield from book_examples(row, self.persona, self._chance("book", row["id"]))

    def _from_chess(self) -> Iterator[Example]:
        for row in sample_documents(self.library.chess, self.config.count, self.seed):
            yield from chess_examples(row, self.persona, self._chance("chess", row["id"]))

    def _from_topics(self) -> Iterator[Example]:
        for row in sample_documents(self.library.topics, self.config.count, self.seed):
            yield from topic_examples(row, self._chance("topic", row["id"]))

    def _from_gold(self) -> Iterator[Example]:
        for example, known in gold_examples(self.persona):
            if known >= self.cutoff:
                self.drops.example("after cutoff", "", example)
                continue
            others = [name for name in self.persona.system if name != example.variant] or ["primary"]
            for repeat in range(self.config.repeats.get(example.provenance["theme"], GOLD_REPEATS)):
                own = self.measure.short or repeat == 0
                variant = example.variant if own else others[repeat % len(others)]
                yield replace(example, variant=variant, provenance=example.provenance | {"repeat": repeat})

    def _from_nothing(self) -> Iterator[Example]:
        words = {word.casefold() for title in self.sampled.passages for word in title.split()}
        for number in range(self.config.count):
            example = unknown_example(self.persona, number, self.seed)
            if example.subject.casefold() in words:
                self.drops.counts.drop("exists")
                continue
            yield example

    def _from_answers(self) -> Iterator[Example]:
        for told in read_told(self.answers, self.library, ("conversation",), self.drops.counts):
            row, piece = told.row, told.piece
            made: dict[str, Any] = {"source": piece.kind, "licence": piece.licence, "piece": piece.name}
            made |= {"task": row.task, "teacher": row.model, "theme": row.theme}
            if piece.kind == "passage":
                made["page_id"] = int(piece.document.partition(":")[2])
            document = document_of(piece.document, piece.title)
            example = Example(
                "taught", piece.title, tuple(row.turns), row.variant, made, document, piece.article_class,
                f"{piece.title}\n{piece.text}",
            )  # fmt: skip
            if row.persona != self.persona.name or row.variant not in self.persona.system:
                self.drops.example("another persona", f"{row.persona}, {row.variant}", example)
            else:
                yield example


def _of_passage(example: Example, passage: dict[str, Any]) -> Example:
    """An example with the passage that says what it says."""
    return replace(
        example,
        document=document_of(f"wikipedia:{passage['page_id']}", passage["title"]),
        article_class=passage["class"],
        provenance=example.provenance | {"page_id": passage["page_id"], "title": passage["title"]},
    )


def write_split(
    chosen: list[Candidate],
    origins: dict[int, dict[str, Any]],
    persona: Persona,
    short: bool,
    seed: int,
    out: Path,
    counts: Counts,
) -> None:
    """Write both splits and ``persona.json``; a document is wholly in one of them."""
    held_out = split_documents({candidate.example.document for candidate in chosen}, seed)
    lines: dict[str, list[str]] = {"train": [], "validation": []}
    for candidate in chosen:
        example = candidate.example
        split = "validation" if example.document in held_out else "train"
        if split == "validation" and example.provenance.get("repeat"):
            counts.drop("repeated")
            continue
        provenance = {"teacher": BUILT_IN, "theme": ""} | example.provenance
        provenance |= origins.get(example.provenance.get("page_id", -1), {})
        provenance |= {"subject": example.subject, "document": example.document, "variant": example.variant}
        row = {"messages": candidate.messages, "kind": example.kind, "persona": persona.name, "provenance": provenance}
        lines[split].append(json.dumps(row, ensure_ascii=False) + "\n")
        counts.add(f"{split} examples")
        counts.add("documents")
        counts.tally("examples by kind", example.kind)
        counts.tally("tokens by kind", example.kind, candidate.tokens)
        counts.tally("examples by teacher", provenance["teacher"])
    for split, rows in lines.items():
        write_text(out / f"{split}.jsonl", "".join(rows))
    values = {
        "name": persona.name,
        "description": persona.description,
        "system_prompt": persona.prompt(short),
        "variants": {name: persona.prompt(False, name) for name in persona.system},
        "kinds": dict(sorted(counts.tallies["examples by kind"].items())),
    }
    write_json(out / "persona.json", values)
