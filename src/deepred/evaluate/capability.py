"""Stage ``capability``: whether the model can still write, and what fine-tuning and quantization did to what it knew.

In: held-out passages, minimal pairs, probes of earlier facts; the base model (where there is one), the pre-trained,
the fine-tuned and merged one, and its GGUF files (their weights read back into the same architecture, so that all are
scored alike). Out: ``capability.json``: bits per byte, grammar and knowledge of each with intervals, and differences
from the pre-trained model paired by passage, pair and fact, each with the smallest one that would have been seen.

The minimal pairs differ in one point, in words of no era (``grammar.toml``), as many of each phenomenon: any model of
English finds the grammatical sentence likelier as a whole, whatever it knows (Warstadt et al. 2020, BLiMP).
"""

from __future__ import annotations

import json
import lzma
import math
import random
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from deepred.base.draws import rank_of
from deepred.base.errors import DeepRedError, FaultError
from deepred.base.files import write_json
from deepred.base.tables import read_rows
from deepred.evaluate.chat_questions import choose_families
from deepred.evaluate.choices import TIE, Scorer, answer_families, read_families
from deepred.evaluate.interview import gguf_files
from deepred.evaluate.model_scores import ModelScorer
from deepred.evaluate.statistics import (
    MIN_FAMILIES,
    Figure,
    Resampling,
    interval,
    mean_over_families,
    paired_gain,
    too_few,
)
from deepred.export.llama_server import quiet
from deepred.run.config import Capability
from deepred.run.stage import Counts, Work
from deepred.train.device import set_threads

RESULTS = "capability.json"
PRETRAINED = "pre-trained"
FINE_TUNED = "fine-tuned"
BASE = "base"


@dataclass(frozen=True)
class Material:
    """What every model is measured on."""

    documents: Sequence[str]
    pairs: Sequence[MinimalPair]
    families: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Measured:
    """A model's raw results, by passage, pair and family."""

    bits: list[float]
    right: list[float]
    known: dict[str, float]


def measure_capability(
    *, mixture: Path, probes: Path, pretrain: Path, merge: Path, gguf: Path, config: Capability, seed: int, out: Path,
    work: Work,
) -> Counts:  # fmt: skip
    """Score every model on the same material and write figures and differences."""
    set_threads(work.settings.threads)
    how = Resampling(config.bootstrap, config.confidence, seed)
    families = choose_families(read_families(probes), "before", config.families, seed)
    documents = held_out(mixture, config.passages, config.characters, seed)
    material = Material(documents, make_pairs(config.pairs, seed), families)
    models = dict(model_folders(pretrain, merge, gguf, config.gguf))
    counts = Counts()
    raw: dict[str, Measured] = {}
    missing: dict[str, str] = {}
    for number, (name, source) in enumerate(models.items()):
        try:
            raw[name] = measure(load_scorer(source, merge / "model", work.settings.device), material)
        except DeepRedError as error:
            if name in {PRETRAINED, FINE_TUNED}:
                raise
            missing[name] = str(error)
        work.report(counts, number + 1, len(models), name)
    results: dict[str, Any] = {
        "models": {name: figures(one, material, how) for name, one in raw.items()},
        "against_pretrained": {
            name: differences(one, raw[PRETRAINED], material, how) for name, one in raw.items() if name != PRETRAINED
        },
        "compressor": round(compressed_bits(documents), 4),
        "chance": {"grammar": 0.5, "knowledge": chance_of(families)},
        "not_measured": missing,
    }
    write_json(out / RESULTS, results)
    counts.add("models", len(raw))
    counts.add("passages", len(documents))
    counts.add("pairs", len(material.pairs))
    counts.add("families", len(families))
    counts.notes |= {name: in_words(values) for name, values in results["models"].items()}
    return counts


def model_folders(pretrain: Path, merge: Path, gguf: Path, which: str) -> list[tuple[str, Path]]:
    """The models by name: a folder, or a GGUF file."""
    base = json.loads((pretrain / "manifest.json").read_text(encoding="utf-8"))["config"].get("model", {}).get("base")
    found = [(BASE, Path(base))] if base else []
    found += [(PRETRAINED, pretrain / "model"), (FINE_TUNED, merge / "model")]
    return found + [(path.name, path) for path in gguf_files(gguf, which)]


def load_scorer(source: Path, merged: Path, device: str) -> ModelScorer:
    """The scorer of a folder, or of a GGUF file whose weights are read back (dequantized) into the merged model."""
    if source.suffix != ".gguf":
        return ModelScorer.load(source, device)
    import torch
    from transformers import AutoModelForCausalLM

    scorer = ModelScorer.load(merged, device)
    try:
        with quiet():  # it draws a progress bar of its own
            model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    except (OSError, ValueError, ImportError, KeyError, NotImplementedError, RuntimeError) as error:
        raise FaultError(f"the weights of {source.name} cannot be read back: {error}") from error
    return ModelScorer(model, scorer.tokenizer, scorer.device)


def held_out(mixture: Path, most: int, characters: int, seed: int) -> list[str]:
    """At most ``most`` passages of the validation split, drawn by a hash; the first of every document come first."""
    rows: list[tuple[int, int, str]] = []
    for row in read_rows(mixture, "validation-*.parquet", ["id", "text"]):
        text = row["text"]
        passages = [text[start : start + characters] for start in range(0, len(text), characters)]
        rows += [
            (turn, rank_of(seed, f"{row['id']} {turn}"), passage)
            for turn, passage in enumerate(passages[:most])
            if passage.strip() and (len(passage) == characters or turn == 0)
        ]
        rows = sorted(rows)[: max(most, 1)]
    return [text for _, _, text in rows][:most]


def measure(scorer: ModelScorer, material: Material) -> Measured:
    """A model's results on all material."""
    return Measured(
        [document_bits(scorer, text) for text in material.documents],
        judge_pairs(material.pairs, scorer),
        {answer.family: answer.score for answer in answer_families([dict(one) for one in material.families], scorer)},
    )


def document_bits(scorer: Scorer, text: str) -> float:
    """The bits that a model needs for a text, read line by line, long lines in pieces: small windows hold no more."""
    pieces = [piece for line in text.splitlines(keepends=True) for piece in cut(line)]
    return -sum(scorer([("", piece) for piece in pieces])) / math.log(2)


PIECE = 160
"""Characters of a piece: within a window of 128 tokens for any byte-level vocabulary, but for text without spaces."""


def cut(line: str) -> list[str]:
    """A line in pieces of at most ``PIECE`` characters, cut before a space where there is one."""
    pieces: list[str] = []
    while len(line) > PIECE:
        at = line.rfind(" ", PIECE // 2, PIECE)
        at = PIECE if at < 0 else at
        pieces.append(line[:at])
        line = line[at:]
    return [*pieces, line] if line else pieces


def figures(one: Measured, material: Material, how: Resampling) -> dict[str, Any]:
    """A model's figures with intervals."""
    return {
        "bits_per_byte": bits_per_byte(one.bits, sizes(material), how).to_json("bits_per_byte"),
        "grammar": summarize_pairs(material.pairs, one.right, how),
        "knowledge": mean_over_families(list(one.known.values()), how).to_json(),
    }


def sizes(material: Material) -> list[int]:
    """The bytes of every passage."""
    return [len(text.encode()) for text in material.documents]


def bits_per_byte(bits: Sequence[float], lengths: Sequence[int], how: Resampling) -> Figure:
    """Total bits over total bytes, with a bootstrap interval over passages."""
    if len(bits) < MIN_FAMILIES:
        return too_few(len(bits))
    cost, size = np.array(bits), np.array(lengths, np.float64)
    draws = np.random.default_rng(how.seed).multinomial(len(bits), np.full(len(bits), 1 / len(bits)), how.resamples)
    low, high = interval((draws @ cost) / (draws @ size), how.confidence)
    return Figure(float(cost.sum() / size.sum()), low, high, len(bits))


def differences(one: Measured, before: Measured, material: Material, how: Resampling) -> dict[str, Any]:
    """A model minus the pre-trained one, in pairs; ``fell`` is whether less knowledge is shown beyond the interval."""
    per_byte = [
        {str(n): bits / size for n, (bits, size) in enumerate(zip(found.bits, sizes(material)))}
        for found in (one, before)
    ]
    knowledge = paired_gain(one.known, before.known, how)
    pairs = [{str(n): value for n, value in enumerate(found.right)} for found in (one, before)]
    return {
        "bits_per_byte": paired_gain(per_byte[0], per_byte[1], how).to_json("difference"),
        "grammar": paired_gain(pairs[0], pairs[1], how).to_json("difference"),
        "knowledge": knowledge.to_json("difference"),
        "fell": None if knowledge.high is None else knowledge.high < 0,
    }


def compressed_bits(documents: Sequence[str]) -> float:
    """Bits per byte of the best general compressor at hand (LZMA) on the same texts: a bar that knows no language."""
    data = "\n".join(documents).encode()
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9}])
    return 8 * len(packed) / max(1, len(data))


def chance_of(families: Sequence[Mapping[str, Any]]) -> float:
    """The accuracy of guessing among the options."""
    options = [len(item["options"]) for one in families for item in one["items"]]
    return round(sum(1 / number for number in options) / len(options), 4) if options else 0.25


def in_words(values: Mapping[str, Any]) -> str:
    """A model's figures in a line."""
    bits, grammar, knowledge = values["bits_per_byte"], values["grammar"], values["knowledge"]

    def text(value: Mapping[str, Any], name: str, form: str) -> str:
        return f"{value[name]:{form}}" if value[name] is not None else str(value["reason"])

    return (
        f"{text(bits, 'bits_per_byte', '.2f')} bits a byte, grammar {text(grammar, 'accuracy', '.0%')}, "
        f"earlier facts {text(knowledge, 'accuracy', '.0%')}"
    )


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences of which only the first is grammatical."""

    phenomenon: str
    good: str
    bad: str


def make_pairs(each: int, seed: int) -> list[MinimalPair]:
    """At most ``each`` distinct pairs of every phenomenon, fewer where its words do not give so many."""
    values = tomllib.loads((files("deepred.evaluate") / "grammar.toml").read_text(encoding="utf-8"))
    found: list[MinimalPair] = []
    for row in values["phenomenon"]:
        chance = random.Random(f"{seed} {row['name']}")
        made: dict[str, MinimalPair] = {}
        for _ in range(20 * each):
            words = draw_words(values, chance)
            pair = MinimalPair(row["name"], row["good"].format(**words), row["bad"].format(**words))
            made.setdefault(pair.good, pair)
            if len(made) == each:
                break
        found += made.values()
    return found


def draw_words(values: dict[str, Any], chance: random.Random) -> dict[str, str]:
    """One draw of words for every placeholder; the second noun is another than the first."""
    rows = {name: [one.split() for one in values[name].split(",")] for name in ("nouns", "people", "verbs")}
    lists = {name: [one.strip() for one in values[name].split(",")] for name in ("adjectives", "prepositions")}
    (n, ns), (m, ms) = chance.sample(rows["nouns"], 2)
    man, men, himself = chance.choice(rows["people"])
    v, vs, ved, ven = chance.choice(rows["verbs"])
    herself = "herself" if himself == "himself" else "himself"
    return {
        "n": n, "ns": ns, "m": m, "ms": ms, "man": man, "men": men, "himself": himself, "herself": herself,
        "v": v, "vs": vs, "ved": ved, "ven": ven, "a": chance.choice(lists["adjectives"]),
        "p": chance.choice(lists["prepositions"]),
        **{name: chance.choice(values[name].split(",")).strip() for name in ("vowel", "consonant")},
    }  # fmt: skip


def judge_pairs(pairs: Sequence[MinimalPair], score: Scorer) -> list[float]:
    """1 for each pair whose grammatical sentence is likelier, 0 for the other, ½ for a tie."""
    scores = score([("", sentence) for pair in pairs for sentence in (pair.good, pair.bad)])
    differences = [good - bad for good, bad in zip(scores[::2], scores[1::2])]
    return [0.5 if abs(difference) <= TIE else float(difference > 0) for difference in differences]


def summarize_pairs(pairs: Sequence[MinimalPair], right: Sequence[float], how: Resampling) -> dict[str, Any]:
    """Accuracy over all pairs and by phenomenon; every phenomenon weighs the same."""
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for pair, value in zip(pairs, right):
        groups[pair.phenomenon].append(value)
    return {
        **mean_over_families(list(right), how).to_json(),
        "phenomena": {name: mean_over_families(values, how).to_json() for name, values in groups.items()},
    }
