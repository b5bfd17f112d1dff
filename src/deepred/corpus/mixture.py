"""All documents as one corpus: cleaned of probes and repetitions, weighted by source, split by document.

In: the arm's passages, books, chess games, year topics and planted canaries, and the probes. Out: ``train-*.parquet``
and ``validation-*.parquet`` (documents), ``dropped-*.parquet`` (every drop with its reason) and ``exposures.json`` (how
often the training text states each family). A document is in the same split in every arm, and in the same order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.corpus.cleaned_documents import (
    Part,
    collect_documents,
    drop_one,
    dropped_documents_schema,
    dropped_row,
    read_probes,
)
from deepred.corpus.doses import SOURCE as CANARIES
from deepred.corpus.doses import times_around
from deepred.corpus.duplicates import EXACT, NONE, find_duplicates
from deepred.corpus.minhash import Bands, Signatures
from deepred.corpus.mixture_weights import Supply, check_sources, epochs_of
from deepred.corpus.probes.exposures import Exposures, family_names, summary
from deepred.run.config import Mixture
from deepred.run.stage import Counts, Work
from deepred.run.workers import DONE

SOURCES = ("wikipedia", "books", "chess", "topics", "augment")
DISTINCT = ("chess", CANARIES)
"""Sources whose documents are distinct by what their own stage compares (moves): here only equal texts are repetitions.
Diagrams of two games may differ in one square, and nothing else; canaries repeat sentences on purpose."""
SCRATCH = f"{DONE}/parts"
"""Folder of the documents before duplicates are known; it goes with the record of shards when the stage is complete."""


@dataclass(frozen=True)
class Plan:
    """What becomes of the documents of a part."""

    part: Part
    scratch: Path
    times: int
    """How often every document is read."""
    bound: float
    """A document whose draw is below is read once more."""
    validation: float
    """A document whose draw is below goes to validation."""


def mix_corpus(
    *,
    world: Path | None,
    passages: Path,
    books: Path | None,
    chess: Path | None,
    topics: Path | None,
    augment: Path | None = None,
    probes: Path,
    doses: Path | None = None,
    config: Mixture,
    seed: int,
    arm: str,
    out: Path,
    work: Work,
) -> Counts:
    """The arm's corpus in ``out``; counts hold documents, tokens and drops by reason, notes a table by source."""
    check_sources([*config.weights, *config.shares], SOURCES)
    floor = arm == "floor"
    if floor and world is not None:
        augment = None  # it tells in other words what the floor's text tells of permuted facts
    folders = {"wikipedia": passages, "books": books, "chess": chess, "topics": topics, "augment": augment}
    files = _files({**folders, CANARIES: doses})
    bands = Bands.of(config.near_duplicates) if config.near_duplicates else None
    parts = [
        Part(
            name,
            source,
            path,
            probes / "probes.jsonl",
            world if floor else None,
            floor and world is None,
            None if source in DISTINCT else bands,
            seed,
        )
        for name, source, path in files
    ]
    scratch = out / SCRATCH
    collected = work.map_shards(collect_documents, [(part.name, part) for part in parts], scratch)
    if floor and world is not None and not collected.numbers["floor_sentences"]:
        raise FaultError(
            "no sentence of the world's truth/sentences.parquet stands in the passages: no floor without one",
            "the extraction must yield the world's sentences word for word",
        )
    _mark_duplicates(scratch, [part.name for part in parts], config.near_duplicates)
    validation = _validation_bound(scratch, parts, config.validation)
    supplies = _supplies(scratch, parts, validation)
    tokens = {source: supply.total() for source, supply in supplies.items() if source != CANARIES}
    top_up = _top_up(collected)
    epochs = {
        source: times * top_up
        for source, times in epochs_of(tokens, config.weights, config.shares, config.max_epochs).items()
    }
    if doses and CANARIES in supplies:
        around = sum(tokens[source] * times for source, times in epochs.items())
        times = times_around(doses, supplies[CANARIES].total(), around)
        epochs = {source: times * epoch for source, epoch in epochs.items()} | {CANARIES: 1.0}
    plans = [
        Plan(p, scratch, int(epochs[p.source]), supplies[p.source].bound(epochs[p.source] % 1), validation)
        for p in parts
    ]
    written = work.map_shards(write_documents, [(plan.part.name, plan) for plan in plans], out)
    if not written.numbers["documents"]:
        raise UserError(
            "the corpus holds no training document", "see the drops of passages and mixture with `deepred show`"
        )
    counts = Counts(Counter(documents=0, tokens=0, characters=0))  # what matters most stands first in the display
    counts.merge(collected)
    counts.merge(written)
    _describe(counts, probes / "probes.jsonl", out, epochs)
    if top_up > 1:
        counts.notes["floor_epochs"] = round(top_up, 4)
    return counts


def _files(folders: dict[str, Path | None]) -> list[tuple[str, str, Path]]:
    found: list[tuple[str, str, Path]] = []
    for source, folder in folders.items():
        pattern = "passages-*.parquet" if source == "wikipedia" else "documents-*.parquet"
        paths = sorted(folder.glob(pattern)) if folder else []
        found.extend((f"{source}-{number:05d}", source, path) for number, path in enumerate(paths))
    return found


def _mark_duplicates(scratch: Path, names: list[str], threshold: float) -> None:
    """Write beside every part how its documents repeat others, and the ids of those that are repeated."""
    signatures = Signatures(scratch, names)
    kinds, originals = find_duplicates(signatures, threshold, scratch)
    repeated = np.unique(originals[originals >= 0])
    ids: dict[int, str] = {}
    for name, first, last in zip(names, signatures.starts[:-1], signatures.starts[1:], strict=True):
        np.save(scratch / f"{name}.kinds.npy", kinds[first:last])
        np.save(scratch / f"{name}.originals.npy", originals[first:last])
        wanted = set(repeated[(repeated >= first) & (repeated < last)].tolist())
        if wanted:
            rows = read_rows(scratch, f"{name}.parquet", ["id"])
            ids |= {number: row["id"] for number, row in enumerate(rows, int(first)) if number in wanted}
    (scratch / "repeated.json").write_text(json.dumps(ids), encoding="utf-8")


def _measures(scratch: Path, part: Part) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Which documents of a part are no repetition, what each drew, and its tokens."""
    load = partial(np.load, mmap_mode="r")
    name = part.name
    kept = np.asarray(load(scratch / f"{name}.kinds.npy")) == NONE
    return kept, load(scratch / f"{name}.draws.npy"), load(scratch / f"{name}.tokens.npy")


def _validation_bound(scratch: Path, parts: list[Part], share: float) -> float:
    """The share itself, or just above the smallest draw where a small corpus would leave validation empty."""
    drawn = [draws[kept, 0].min() for kept, draws, _ in (_measures(scratch, part) for part in parts) if kept.any()]
    lowest = min(drawn, default=0.0)
    return max(share, float(np.nextafter(lowest, 1.0)))


def _supplies(scratch: Path, parts: list[Part], validation: float) -> dict[str, Supply]:
    """The training tokens of every source."""
    found: dict[str, Supply] = {}
    for part in parts:
        kept, draws, tokens = _measures(scratch, part)
        train = kept & (draws[:, 0] >= validation)
        found.setdefault(part.source, Supply.empty()).add(draws[train, 1], tokens[train])
    return found


def _top_up(collected: Counts) -> float:
    """How often the floor's remaining text must be read to be as long as before its sentences were taken out."""
    left, removed = collected.numbers["characters_read"], collected.numbers["characters_floor"]
    return (left + removed) / left if left else 1.0


def write_documents(plan: Plan, folder: Path) -> Counts:
    """One part's share of the training and the validation split, and its drops."""
    counts = Counts()
    name, scratch = plan.part.name, plan.scratch
    originals = np.load(scratch / f"{name}.originals.npy")
    kinds = np.load(scratch / f"{name}.kinds.npy")
    _, draws, tokens = _measures(scratch, plan.part)
    copies = np.where(kinds == NONE, plan.times + (draws[:, 1] < plan.bound), 0)
    copies[(kinds == NONE) & (draws[:, 0] < plan.validation)] = -1
    repeated = json.loads((scratch / "repeated.json").read_text(encoding="utf-8"))
    dropped = list(read_rows(scratch, f"{name}.dropped.parquet"))
    for row, kind, original, times in zip(
        read_rows(scratch, f"{name}.parquet", ["id", "source"]), kinds, originals, copies, strict=True
    ):
        if not times:
            reason = {EXACT: "duplicate", NONE: "weight"}.get(int(kind), "near-duplicate")
            drop_one(counts, plan.part.source, reason)
            dropped.append(dropped_row(row, reason, "", repeated[str(original)] if kind != NONE else ""))
    counts.tally("train_tokens", plan.part.source, int((tokens * np.maximum(copies, 0)).sum()))
    _write(folder / f"train-{name}.parquet", _train_rows(plan, copies, counts))
    _write(folder / f"validation-{name}.parquet", _validation_rows(plan, copies, counts))
    write_rows(folder / f"dropped-{name}.parquet", dropped, dropped_documents_schema())
    return counts


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    if not write_rows(path, rows, document_schema()):
        path.unlink()


def _train_rows(plan: Plan, copies: NDArray[np.int64], counts: Counts) -> Iterator[dict[str, Any]]:
    exposures = Exposures(family_names(read_probes(plan.part.probes)))
    for epoch in range(int(copies.max(initial=0))):
        # epoch by epoch: two copies side by side in one training sequence would teach copying
        for row, times in zip(read_rows(plan.scratch, f"{plan.part.name}.parquet"), copies, strict=True):
            if times > epoch:
                counts.add("documents")
                counts.tally("train_documents", plan.part.source)
                counts.tally("train_characters", plan.part.source, len(row["text"]))
                for family in exposures.of(row["text"]):
                    counts.tally("exposures", family)
                yield row


def _validation_rows(plan: Plan, copies: NDArray[np.int64], counts: Counts) -> Iterator[dict[str, Any]]:
    for row, times in zip(read_rows(plan.scratch, f"{plan.part.name}.parquet"), copies, strict=True):
        if times == -1:
            counts.tally("validation_documents", plan.part.source)
            counts.tally("validation_characters", plan.part.source, len(row["text"]))
            yield row


def _describe(counts: Counts, probes: Path, out: Path, epochs: dict[str, float]) -> None:
    """Notes for people and reports: the mixture's table by source, and exposures."""
    of = {name: counts.tallies.get(name, Counter[str]()) for name in ("train_tokens", "train_documents", "read")}
    characters = counts.tallies.get("train_characters", Counter[str]())
    total = of["train_tokens"].total()
    counts.add("characters", characters.total())
    counts.add("tokens", total)
    counts.notes["sources"] = {
        source: {
            "read": of["read"][source],
            "documents": of["train_documents"][source],
            "tokens": of["train_tokens"][source],
            "characters": characters[source],
            "share": round(of["train_tokens"][source] / max(1, total), 4),
            "epochs": round(epochs[source], 4),
            "validation": counts.tallies.get("validation_documents", Counter[str]())[source],
            "drops": dict(sorted(counts.tallies.pop(f"dropped {source}", Counter[str]()).items())),
        }
        for source in sorted(epochs)
    }
    seen = counts.tallies.pop("exposures", Counter[str]())
    families = {family: seen[family] for family, _, _ in family_names(read_probes(probes))}
    (out / "exposures.json").write_text(json.dumps(families, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    if families:
        counts.notes["exposures"] = summary(families)
