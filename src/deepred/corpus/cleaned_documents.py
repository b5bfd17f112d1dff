"""The documents of a mixture's parts, cleaned: without probes and, in the floor arm, without the facts asked about.

In: one file of documents. Out: the cleaned documents, the signatures that duplicates are found by, what each document
draws for the split and for a part of an epoch, and every drop with its reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.corpus.floor import Permutation
from deepred.corpus.minhash import Bands, SignatureWriter
from deepred.corpus.probes.exposures import family_names
from deepred.corpus.probes.families import filled
from deepred.run.stage import Counts
from deepred.text.chunks import estimate_tokens
from deepred.text.phrases import Phrases, names_of, words_of

PROBE_WORDS = 13
"""Words of a probe's statement that betray it; the length by which GPT-3 and others cleaned their benchmarks out."""
REWRITTEN = "#"
"""In an id, before it stands that of the document which this one was made from; both go into the same split."""


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
    """None where only equal texts are sought."""
    seed: int


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
            words = words_of(filled(item["prompt"], item["options"][item["answer"]]))
            for start in range(max(1, len(words) - PROBE_WORDS + 1)):
                found[" ".join(words[start : start + PROBE_WORDS])] = None
    return list(found)


def collect_documents(part: Part, folder: Path) -> Counts:
    """One part's documents, cleaned, with the signatures that duplicates are found by."""
    counts = Counts()
    dropped: list[dict[str, Any]] = []
    writer = SignatureWriter(folder, part.name, part.bands)
    sizes = Sizes()
    write_rows(folder / f"{part.name}.parquet", _cleaned(part, writer, sizes, dropped, counts), document_schema())
    writer.close()
    sizes.save(folder, part)
    write_rows(folder / f"{part.name}.dropped.parquet", dropped, dropped_documents_schema())
    return counts


@dataclass
class Sizes:
    """Ids and estimated tokens of a part's documents."""

    ids: list[str] = field(default_factory=list[str])
    tokens: list[int] = field(default_factory=list[int])

    def save(self, folder: Path, part: Part) -> None:
        """Write the tokens and what each document draws for the split and for a part of an epoch."""
        draws = [
            [fraction(part.seed, "split", name.partition(REWRITTEN)[0]), fraction(part.seed, "weight", name)]
            for name in self.ids
        ]
        np.save(folder / f"{part.name}.tokens.npy", np.array(self.tokens, np.int64))
        np.save(folder / f"{part.name}.draws.npy", np.array(draws, np.float64).reshape(-1, 2))


def drop_one(counts: Counts, source: str, reason: str, n: int = 1) -> None:
    """Count a drop, by source as well."""
    counts.drop(reason, n)
    counts.tally(f"dropped {source}", reason, n)


def dropped_documents_schema() -> Any:
    """``dropped-*.parquet``: a dropped document or sentence, why, and which document it repeats."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("id", "source", "reason", "text", "repeats")])


def _cleaned(
    part: Part, writer: SignatureWriter, sizes: Sizes, dropped: list[dict[str, Any]], counts: Counts
) -> Iterator[dict[str, Any]]:
    families = read_probes(part.probes)
    unwanted = [("probe", Phrases(probe_statements(families)))]
    if part.without_names:
        names = {name for _, subject, answer in family_names(families) for name in (subject, answer)}
        unwanted.append(("floor", Phrases(sorted(names), names_of)))
    permutation = Permutation.of_world(part.world) if part.world else None
    for row, page in _read(part):
        counts.add("read")
        counts.tally("read", part.source)
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
                drop_one(counts, part.source, reason, len(removed))
                counts.add(f"characters_{reason}", before - len(text))
                dropped.extend(dropped_row(row, reason, sentence) for sentence in removed)
        if not text.strip():
            drop_one(counts, part.source, "empty")
            dropped.append(dropped_row(row, "empty", ""))
            continue
        counts.add("characters_read", len(text))
        writer.add(text, names_of(text) if part.bands else [])
        sizes.ids.append(row["id"])
        sizes.tokens.append(estimate_tokens(text))
        yield {**row, "text": text}


def dropped_row(row: dict[str, Any], reason: str, text: str, repeats: str = "") -> dict[str, Any]:
    """A line of ``dropped-*.parquet``."""
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
