"""Stage ``probes``: families of statements with their first-knowable day, fixed and hashed before any training.

In: the world's truth where there is one, else dated facts (``facts``) and dated articles (``dates``). Out:
``probes.jsonl`` (one family a line), ``probes.sha256`` (its hash, also a note of the manifest). Every family lies
wholly before or wholly on or after the cutoff; its options are answers to the same relation and era. The same inputs,
cutoff and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from deepred.base.days import Day
from deepred.base.errors import FaultError
from deepred.base.files import write_bytes, write_text
from deepred.base.tables import read_rows
from deepred.corpus.probes.families import Era, Family, Question, complete, select, with_true_answers
from deepred.corpus.probes.from_events import event_questions
from deepred.corpus.probes.from_facts import SPARE, claim_questions
from deepred.corpus.probes.from_files import file_questions, known_titles
from deepred.corpus.probes.match_eras import matched, name_counts
from deepred.run.config import Probes
from deepred.run.stage import Counts, Work

PROBES = "probes.jsonl"
HASH = "probes.sha256"

FEW_FAMILIES = 50
"""Families of an era below which an interval is wider than about 25 points, so the notes say that they are few."""


def build_probes(
    *,
    world: Path | None,
    articles: Path,
    dates: Path,
    facts: Path,
    topics: Path | None,
    config: Probes,
    cutoff: Day,
    seed: int,
    out: Path,
    work: Work,
    sources: dict[str, list[Path]] | None = None,
) -> Counts:
    """Write the probe families of a cutoff and their hash; drops count questions by reason."""
    counts = Counts()
    families: list[Family] = []
    for kind in dict.fromkeys(config.kinds):
        questions = with_true_answers(
            questions_of(kind, world, articles, dates, facts, topics, config, cutoff, seed, counts, sources or {})
        )
        chosen = select(questions, config.families, seed)
        made, few = complete(chosen, questions, config.options, cutoff, seed)
        families += made
        for reason, number in (("over_limit", len(questions) - len(chosen)), ("few_options", few)):
            if number:
                counts.drop(reason, number)
    if config.match:
        pairs = matched(families, name_counts(articles, families))
        counts.drop("unmatched", len(families) - len(pairs))
        families = pairs
    counts.notes["hash"] = write_families(families, out)
    count_families(families, counts)
    work.report(counts, len(families), len(families))
    return counts


def questions_of(
    kind: str,
    world: Path | None,
    articles: Path,
    dates: Path,
    facts: Path,
    topics: Path | None,
    config: Probes,
    cutoff: Day,
    seed: int,
    counts: Counts,
    sources: Mapping[str, list[Path]],
) -> list[Question]:
    """The questions of one kind before their options are drawn."""
    if kind == "event":
        return event_questions(topics, config.families * SPARE, cutoff, seed, counts) if topics else []
    if kind == "question":
        files = sources.get("questions", [])
        titles = known_titles(read_rows(dates, "dates-*.parquet", ["title", "first_known"])) if files else {}
        return file_questions(files, titles, cutoff, counts)
    if world is not None:
        found = world_questions(world, cutoff)
    else:
        found = claim_questions(articles, dates, facts, config.families, cutoff, seed, counts)
    if kind != "cloze":
        return found
    clozes = [one for one in map(clozed, found) if one is not None]
    if len(clozes) < len(found):
        counts.drop("no_cloze", len(found) - len(clozes))
    return clozes


def clozed(question: Question) -> Question | None:
    """The question as a cloze, its answer in the middle of a statement; None where no such statement is known."""
    if question.cloze is None:
        return None
    prompts, neutral = ((text,) for text in question.cloze)
    return replace(question, family=f"cloze {question.family}", kind="cloze", prompts=prompts, neutral=neutral)


def world_questions(world: Path, cutoff: Day) -> list[Question]:
    """The world's probed facts as questions, before or after any cutoff, not only the world's own hinge."""
    path = world / "truth" / "facts.parquet"
    if not path.is_file():
        raise FaultError(f"{path} does not exist", "remove the world's folder and run again")
    return [
        Question(
            family=row["fact"],
            kind="statement",
            era="before" if row["known"] < cutoff else "after",
            known=row["known"],
            relation=row["relation"],
            subject=row["subject"],
            answer=row["object"],
            object_type=row["object_type"],
            prompts=tuple(row["prompts"]),
            neutral=tuple(row["neutral"]),
            aliases=tuple(row["aliases"]),
            floor_answer=row["floor_object"],
        )
        for row in read_rows(world / "truth", "facts.parquet")
    ]


def write_families(families: Sequence[Family], out: Path) -> str:
    """Write families and their hash, complete or not at all; returns the SHA-256 of ``probes.jsonl``."""
    lines = [json.dumps(family.to_json(), ensure_ascii=False) + "\n" for family in families]
    content = "".join(lines).encode("utf-8")
    digest = hashlib.sha256(content).hexdigest()
    write_bytes(out / PROBES, content)
    write_text(out / HASH, f"{digest}  {PROBES}\n")
    return digest


def count_families(families: Sequence[Family], counts: Counts) -> None:
    """Count families and items by era, relation and kind, and note an era with few of them."""
    counts.add("families", len(families))
    counts.add("items", sum(len(family.items) for family in families))
    eras: tuple[Era, ...] = ("before", "after")
    for era in eras:
        number = sum(family.era == era for family in families)
        counts.add(f"families_{era}", number)
        if number < FEW_FAMILIES:
            counts.notes[f"few_{era}"] = f"only {number} families {era} the cutoff: intervals will be wide, or missing"
    for family in families:
        counts.tally("relations", f"{family.relation} {family.era}")
        counts.tally("kinds", family.kind)
