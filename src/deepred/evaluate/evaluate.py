"""Stage ``evaluate``: what a pre-trained model knows before and after the cutoff, by likelihood alone.

In: a checkpoint, the probe families, and dated sentences of the world or of the articles. Out: ``results.json``
(figures with intervals), ``items.jsonl`` (every family's answer, from which gains over another arm are computed in
pairs) and ``sentences.jsonl`` (bits of every dated sentence). Nothing is generated and no refusal is counted: a model
is credited only with putting the true answer above others of its relation and era.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepred.base.days import Day
from deepred.base.files import write_json, write_text
from deepred.evaluate.bits_by_year import Bits, bits_by_decade, dated_sentences, late_mass, score_sentences
from deepred.evaluate.choices import ERAS, Answer, answer_families, read_families, summarize
from deepred.evaluate.model_scores import ModelScorer
from deepred.evaluate.statistics import Resampling
from deepred.run.config import Evaluate
from deepred.run.stage import Counts, Work
from deepred.train.device import set_threads

RESULTS = "results.json"
ITEMS = "items.jsonl"
SENTENCES = "sentences.jsonl"

METHOD = (
    "choice by log P(option | prompt) - log P(option | neutral prompt); accuracy by family (mean over its prompts); "
    "percentile bootstrap over families"
)


def evaluate_model(
    *,
    pretrain: Path,
    probes: Path,
    articles: Path,
    emergence: Path,
    world: Path | None = None,
    config: Evaluate,
    cutoff: Day,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Score every probe family under the checkpoint and write figures and answers."""
    set_threads(work.settings.threads)
    counts = Counts()
    families = read_families(probes)
    answers: list[Answer] = []
    sentences = dated_sentences(world, articles, emergence, cutoff, seed)
    how = Resampling(config.bootstrap, config.confidence, seed)
    scored: list[Bits] = []
    mass: dict[str, Any] = {}
    if families or sentences:  # a model is loaded only where there is something to ask
        scorer = ModelScorer.load(checkpoint_folder(pretrain), work.settings.device)
        answers = answer_families(families, scorer)
        scored = score_sentences(sentences, scorer)
        mass = late_mass(scorer, cutoff, how)
    options = max((len(item["options"]) for family in families for item in family["items"]), default=4)
    results = summarize(answers, options, how)
    results |= {"bits_by_decade": bits_by_decade(scored, cutoff, how), "late_mass": mass}
    results |= {"cutoff": cutoff, "method": METHOD, "probes": probes_hash(probes)}
    write_json(out / RESULTS, results)
    write_text(out / ITEMS, "".join(json.dumps(asdict(answer), ensure_ascii=False) + "\n" for answer in answers))
    write_text(out / SENTENCES, "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in scored))
    counts.add("families", len(answers))
    counts.add("sentences", len(scored))
    counts.add("items", sum(len(answer.correct) for answer in answers))
    counts.notes |= {era: sentence(results[era]) for era in ERAS}
    work.report(counts, len(answers), len(answers))
    return counts


def checkpoint_folder(pretrain: Path) -> Path:
    """The folder of the Hugging Face checkpoint in a finished ``pretrain`` folder."""
    return pretrain / "model"


def probes_hash(probes: Path) -> str:
    """The hash of the probe list that was fixed before training."""
    return (probes / "probes.sha256").read_text(encoding="utf-8").split()[0]


def sentence(values: dict[str, Any]) -> str:
    """A figure in words: ``0.91 [0.87, 0.95] of 200 families``."""
    if values["accuracy"] is None:
        return values["reason"]
    return f"{values['accuracy']:.2f} [{values['low']:.2f}, {values['high']:.2f}] of {values['families']} families"
