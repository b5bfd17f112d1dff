"""All documents as one corpus: cleaned of probes and repetitions, weighted by source, split by document.

In: the arm's passages, books, chess games and year topics, and the probes. Out: ``train-*.parquet`` and
``validation-*.parquet`` (documents), ``dropped-*.parquet`` (every drop with its reason) and ``exposures.json`` (how
often the training text states each family). A document is in the same split in every arm, and in the same order.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import orjson

from deepred.config import Mixture
from deepred.corpus.duplicates import EXACT, NONE, Bands, Signatures, SignatureWriter, find_duplicates
from deepred.corpus.floor import Permutation
from deepred.corpus.phrases import Phrases, names_of, sentences_of, words_of
from deepred.documents import document_schema, read_rows, write_rows
from deepred.errors import FaultError, UserError
from deepred.shardmap import DONE
from deepred.stage import Counts, Work

PROBE_WORDS = 13
"""Words of a probe's statement that betray it; the length by which GPT-3 and others cleaned their benchmarks out."""
SCRATCH = f"{DONE}/parts"
"""Folder of the documents before duplicates are known; it goes with the record of shards when the stage is complete."""


@dataclass(frozen=True)
class Part:
    """One file of documents on its way into the mixture."""

    name: str
    source: str
    path: Path
    probes: Path
    world: Path | None
    """The world whose facts are permuted, in its floor arm only."""
    without_names: bool
    """Whether sentences that name a probe's subject or answer go (the floor arm on real data)."""
    bands: Bands | None


@dataclass(frozen=True)
class Plan:
    """What becomes of the documents of a part."""

    part: Part
    scratch: Path
    seed: int
    epochs: float
    validation: float
    """A document whose fraction is below goes to validation."""


def mix_corpus(
    *,
    world: Path | None,
    passages: Path,
    books: Path | None,
    chess: Path | None,
    topics: Path | None,
    probes: Path,
    config: Mixture,
    seed: int,
    arm: str,
    out: Path,
    work: Work,
) -> Counts:
    """The arm's corpus in ``out``; counts hold documents, characters and drops by reason, notes the share by source."""
    files = _files({"wikipedia": passages, "books": books, "chess": chess, "topics": topics})
    floor = arm == "floor"
    bands = Bands.of(config.near_duplicates) if config.near_duplicates else None
    parts = [
        Part(name, source, path, probes / "probes.jsonl", world if floor else None, floor and world is None, bands)
        for name, source, path in files
    ]
    scratch = out / SCRATCH
    collected = work.map_shards(collect_documents, [(part.name, part) for part in parts], scratch)
    if floor and world is not None and not collected.numbers["floor_sentences"]:
        raise FaultError(
            "no sentence of the world's truth/sentences.parquet stands in the passages: no floor without one",
            "the extraction must yield the world's sentences word for word",
        )
    names = [part.name for part in parts]
    signatures = Signatures(scratch, names)
    kinds, originals = find_duplicates(signatures, config.near_duplicates)
    for name, first, last in zip(names, signatures.starts[:-1], signatures.starts[1:], strict=True):
        np.save(scratch / f"{name}.kinds.npy", kinds[first:last])
        np.save(scratch / f"{name}.originals.npy", originals[first:last])
    _save_ids(scratch, names, originals)
    validation = _validation_bound(scratch, names, kinds, seed, config.validation)
    top_up = _top_up(collected)
    plans = [Plan(p, scratch, seed, config.weights.get(p.source, 1.0) * top_up, validation) for p in parts]
    written = work.map_shards(write_documents, [(plan.part.name, plan) for plan in plans], out)
    if not written.numbers["documents"]:
        raise UserError(
            "the corpus holds no training document", "see the drops of passages and mixture with `deepred show`"
        )
    counts = Counts(Counter(documents=0, characters=0))  # what matters most stands first in the display
    counts.merge(collected)
    counts.merge(written)
    _describe(counts, probes / "probes.jsonl", out, top_up)
    return counts


def _files(folders: dict[str, Path | None]) -> list[tuple[str, str, Path]]:
    found: list[tuple[str, str, Path]] = []
    for source, folder in folders.items():
        pattern = "passages-*.parquet" if source == "wikipedia" else "documents-*.parquet"
        paths = sorted(folder.glob(pattern)) if folder else []
        found.extend((f"{source}-{number:05d}", source, path) for number, path in enumerate(paths))
    return found


def read_probes(path: Path) -> list[dict[str, Any]]:
    """The probe families of a ``probes.jsonl``."""
    with path.open("rb") as file:
        return [orjson.loads(line) for line in file if line.strip()]


def probe_statements(families: list[dict[str, Any]]) -> list[str]:
    """What no training text may contain: every probe with its answer, by its 13-grams where it is longer.

    >>> probe_statements([{"items": [{"prompt": "The Moon is", "options": ["flat", "round"], "answer": 1}]}])
    ['the moon is round']
    """
    found: dict[str, None] = {}
    for family in families:
        for item in family["items"]:
            words = words_of(f"{item['prompt']} {item['options'][item['answer']]}")
            for start in range(max(1, len(words) - PROBE_WORDS + 1)):
                found[" ".join(words[start : start + PROBE_WORDS])] = None
    return list(found)


def family_names(families: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(family, subject, answer) of the families that name both."""
    named = (f for f in families if f.get("subject") and f.get("answer_text"))
    return [(str(f["family"]), str(f["subject"]), str(f["answer_text"])) for f in named]


def collect_documents(part: Part, folder: Path) -> Counts:
    """One part's documents, cleaned, with the signatures that duplicates are found by."""
    counts = Counts()
    dropped: list[dict[str, Any]] = []
    writer = SignatureWriter(folder, part.name, part.bands)
    schema = document_schema()
    write_rows(folder / f"{part.name}.parquet", _cleaned(part, writer, dropped, counts), schema)
    writer.close()
    write_rows(folder / f"{part.name}.dropped.parquet", dropped, dropped_documents_schema())
    return counts


def dropped_documents_schema() -> Any:
    """``dropped-*.parquet``: a dropped document or sentence, why, and which document it repeats."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("id", "source", "reason", "text", "repeats")])


def _cleaned(
    part: Part, writer: SignatureWriter, dropped: list[dict[str, Any]], counts: Counts
) -> Iterator[dict[str, Any]]:
    families = read_probes(part.probes)
    unwanted = [("probe", Phrases(probe_statements(families)))]
    if part.without_names:
        names = {name for _, subject, answer in family_names(families) for name in (subject, answer)}
        unwanted.append(("floor", Phrases(sorted(names), names_of)))
    permutation = Permutation.of_world(part.world) if part.world else None
    for row, page in _read(part):
        counts.add("read")
        counts.add("bytes", len(row["text"].encode()))
        text = row["text"]
        if permutation:
            text, n = (
                permutation.replace_on_page(page, text) if page is not None else permutation.replace_in_document(text)
            )
            counts.add("floor_sentences", n)
        for reason, phrases in unwanted:
            before = len(text)
            text, removed = phrases.remove_sentences(text)
            if removed:
                counts.drop(reason, len(removed))
                counts.add(f"characters_{reason}", before - len(text))
                dropped.extend(_drop(row, reason, sentence) for sentence in removed)
        if not text.strip():
            counts.drop("empty")
            dropped.append(_drop(row, "empty", ""))
            continue
        counts.add("characters_read", len(text))
        writer.add(text, words_of(text))
        yield {**row, "text": text}


def _drop(row: dict[str, Any], reason: str, text: str, repeats: str = "") -> dict[str, Any]:
    return {"id": row["id"], "source": row["source"], "reason": reason, "text": text, "repeats": repeats}


def _read(part: Part) -> Iterator[tuple[dict[str, Any], int | None]]:
    """The rows of a part as documents, with the page where it is an article's text."""
    rows = read_rows(part.path.parent, part.path.name)
    if part.source != "wikipedia":
        yield from ((row, None) for row in rows)
        return
    for row in rows:
        page = int(row["page_id"])
        text = f"{row['title']}\n\n{row['text']}" if row["text"].strip() else ""
        document = {"id": f"wikipedia:{page}", "source": "wikipedia", "title": row["title"], "text": text}
        yield document | {"licence": "CC BY-SA 4.0", "origin": f"page {page}"}, page


def fraction(seed: int, purpose: str, name: str) -> float:
    """A number in [0, 1) that a name draws, equal in every arm and on every machine."""
    digest = hashlib.blake2b(f"{seed}:{purpose}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def _ids(scratch: Path, name: str) -> Iterator[str]:
    return (row["id"] for row in read_rows(scratch, f"{name}.parquet", ["id"]))


def _save_ids(scratch: Path, names: list[str], originals: np.ndarray[Any, Any]) -> None:
    """The ids of the documents that others repeat, so that a drop names what it repeats."""
    wanted = {int(number) for number in originals if number >= 0}
    numbered = enumerate(identity for name in names for identity in _ids(scratch, name))
    found = {number: identity for number, identity in numbered if number in wanted}
    (scratch / "repeated.json").write_text(json.dumps(found), encoding="utf-8")


def _validation_bound(scratch: Path, names: list[str], kinds: np.ndarray[Any, Any], seed: int, share: float) -> float:
    """The share itself, or just above the smallest fraction where a small corpus would leave validation empty."""
    ids = (identity for name in names for identity in _ids(scratch, name))
    lowest = min((fraction(seed, "split", i) for i, kind in zip(ids, kinds, strict=True) if kind == NONE), default=0.0)
    return max(share, float(np.nextafter(lowest, 1.0)))


def _top_up(collected: Counts) -> float:
    """How often the floor's remaining text must be read to be as long as before its sentences were taken out."""
    left, removed = collected.numbers["characters_read"], collected.numbers["characters_floor"]
    return (left + removed) / left if left else 1.0


def write_documents(plan: Plan, folder: Path) -> Counts:
    """One part's share of the training and the validation split, and its drops."""
    counts = Counts()
    name, scratch = plan.part.name, plan.scratch
    kinds = np.load(scratch / f"{name}.kinds.npy")
    originals = np.load(scratch / f"{name}.originals.npy")
    repeated = json.loads((scratch / "repeated.json").read_text(encoding="utf-8"))
    dropped = list(read_rows(scratch, f"{name}.dropped.parquet"))
    copies: list[int] = []
    for row, kind, original in zip(
        read_rows(scratch, f"{name}.parquet", ["id", "source"]), kinds, originals, strict=True
    ):
        copies.append(0)
        if kind != NONE:
            reason = "duplicate" if kind == EXACT else "near-duplicate"
            counts.drop(reason)
            dropped.append(_drop(row, reason, "", repeated[str(original)]))
        elif fraction(plan.seed, "split", row["id"]) < plan.validation:
            copies[-1] = -1
        else:
            whole = int(plan.epochs)
            copies[-1] = whole + (fraction(plan.seed, "weight", row["id"]) < plan.epochs - whole)
            if not copies[-1]:
                counts.drop("weight")
                dropped.append(_drop(row, "weight", ""))
    _write(folder / f"train-{name}.parquet", _train_rows(plan, copies, counts))
    _write(folder / f"validation-{name}.parquet", _validation_rows(plan, copies, counts))
    write_rows(folder / f"dropped-{name}.parquet", dropped, dropped_documents_schema())
    return counts


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    if not write_rows(path, rows, document_schema()):
        path.unlink()


def _train_rows(plan: Plan, copies: list[int], counts: Counts) -> Iterator[dict[str, Any]]:
    exposures = Exposures(family_names(read_probes(plan.part.probes)))
    for epoch in range(max(copies, default=0)):
        # epoch by epoch: two copies side by side in one training sequence would teach copying
        for row, times in zip(read_rows(plan.scratch, f"{plan.part.name}.parquet"), copies, strict=True):
            if times > epoch:
                counts.add("documents")
                counts.tally("train_documents", plan.part.source)
                counts.tally("train_characters", plan.part.source, len(row["text"]))
                for family in exposures.of(row["text"]):
                    counts.tally("exposures", family)
                yield row


def _validation_rows(plan: Plan, copies: list[int], counts: Counts) -> Iterator[dict[str, Any]]:
    for row, times in zip(read_rows(plan.scratch, f"{plan.part.name}.parquet"), copies, strict=True):
        if times == -1:
            counts.tally("validation_documents", plan.part.source)
            counts.tally("validation_characters", plan.part.source, len(row["text"]))
            yield row


class Exposures:
    """Which families a text states: a sentence that names both the subject and the answer."""

    def __init__(self, families: list[tuple[str, str, str]]) -> None:
        names = sorted({name for _, subject, answer in families for name in (subject, answer)})
        number = {name: n for n, name in enumerate(names)}
        self._phrases = Phrases(names, names_of)
        self._family: dict[tuple[int, int], list[str]] = {}
        for family, subject, answer in families:
            a, b = sorted((number[subject], number[answer]))
            self._family.setdefault((a, b), []).append(family)

    def of(self, text: str) -> Iterator[str]:
        """The families of a text, once for every sentence that states one."""
        if not self._family or len(self._phrases.numbers_in(text)) < 2:
            return
        for start, end in sentences_of(text):
            for pair in combinations(sorted(self._phrases.numbers_in(text[start:end])), 2):
                yield from self._family.get(pair, ())


def _describe(counts: Counts, probes: Path, out: Path, top_up: float) -> None:
    """Notes for people: the table by source, the length of the second pass, and exposures."""
    documents, characters = counts.tallies.get("train_documents", {}), counts.tallies.get("train_characters", {})
    total = sum(characters.values())
    counts.add("characters", total)
    counts.notes["sources"] = {
        source: {"documents": documents[source], "characters": n, "share": round(n / total, 4)}
        for source, n in sorted(characters.items())
    }
    if top_up > 1:
        counts.notes["floor_epochs"] = round(top_up, 4)
    seen = counts.tallies.pop("exposures", {})
    families = {family: seen.get(family, 0) for family, _, _ in family_names(read_probes(probes))}
    (out / "exposures.json").write_text(json.dumps(families, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    if families:
        values = list(families.values())
        rare = sum(value < 2 for value in values)
        counts.notes["exposures"] = {
            "median": median(values),
            "min": min(values),
            "max": max(values),
            "below_two": rare,
        }
