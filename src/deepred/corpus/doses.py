"""Stage ``doses``: later facts put back on purpose, so that a leak of a known size can be looked for.

In: the articles unfiltered, and the probes. Out: ``documents-00000.parquet`` (paragraphs of sentences that state later
facts) and ``doses.json`` (how often each later fact is stated, and in how many tokens of text). Facts take the doses in
turn, by hash. The arm ``dosed`` trains on the filtered text, repeated or cut to that many tokens, with these documents
once: so a dose is how often a fact is read in the whole training. The smallest dose whose facts its model knows beyond
the floor is the smallest leak that the evaluation can see.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from deepred.base.days import Day
from deepred.base.draws import rank_of
from deepred.base.errors import UserError
from deepred.base.files import write_text
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.corpus.probes.exposures import Exposures, family_names
from deepred.corpus.probes.families import filled
from deepred.run.config import Doses
from deepred.run.stage import Counts, Work
from deepred.text.phrases import Phrases, sentences_of

DOSES = "doses.json"
SOURCE = "canaries"

WORDINGS = 16
"""Sentences kept of a fact; a higher dose states them again."""

SENTENCES = 8
"""Sentences of a document: of several facts, as an article mixes them."""


def plant_facts(
    *, articles: Path, probes: Path, config: Doses, cutoff: Day, seed: int, out: Path, work: Work
) -> Counts:
    """Write the planted documents and each later fact's dose; drops count facts that no sentence states."""
    with (probes / "probes.jsonl").open("rb") as file:
        families = [orjson.loads(line) for line in file]
    late = [family for family in families if family["era"] == "after"]
    known = {family["family"]: int(family["known"]) for family in late}
    found = stating_sentences(articles, late)
    counts = Counts()
    counts.add("facts", len(late))
    if unstated := len(known) - len(found):
        counts.drop("unstated", unstated)
    if not found:
        raise UserError(
            "no sentence of the articles names a later probed fact's subject and answer: there is nothing to put back",
            "leave the arm dosed out of arms",
        )
    doses = deal(list(found), config.levels, seed)
    planted = shuffled(found, doses, seed)
    write_rows(out / "documents-00000.parquet", _documents(planted, known), document_schema())
    text = json.dumps({"tokens": config.tokens, "facts": doses}, indent=0, sort_keys=True)
    write_text(out / DOSES, text + "\n")
    counts.add("sentences", len(planted))
    counts.add("documents", -(-len(planted) // SENTENCES))
    for dose in doses.values():
        counts.tally("doses", str(dose))
    work.report(counts, 1, 1)
    return counts


def read_doses(folder: Path) -> dict[str, int]:
    """How often each later fact was planted."""
    return json.loads((folder / DOSES).read_text(encoding="utf-8"))["facts"]


def times_around(folder: Path, planted: int, others: float) -> float:
    """How often the text around the planted documents is to be read, by the tokens of both.

    Raises UserError where the planted sentences would be more than half of what is read.
    """
    tokens = int(json.loads((folder / DOSES).read_text(encoding="utf-8"))["tokens"])
    if 2 * planted > tokens:
        raise UserError(
            f"the planted sentences hold {planted:,} of the {tokens:,} tokens of the arm dosed, more than half",
            "lower doses.levels or probes.families, or raise pretrain.tokens",
        )
    return (tokens - planted) / max(1.0, others)


def stating_sentences(articles: Path, families: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """For every family the first different sentences of the articles that state it, and no probe's own wording."""
    wanted = Exposures(family_names(list(families)))
    probes = Phrases(
        filled(item["prompt"], item["options"][item["answer"]]) for family in families for item in family["items"]
    )
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in read_rows(articles, "articles-*.parquet", ["text"]):
        if not any(wanted.of(row["text"])):
            continue
        for start, end in sentences_of(row["text"]):
            sentence = row["text"][start:end].strip()
            for family in wanted.of(sentence):
                if len(found[family]) < WORDINGS and not probes.numbers_in(sentence):
                    found[family][sentence] = None
    return {family: list(found[family]) for family in sorted(found) if found[family]}


def deal(families: Sequence[str], levels: Sequence[int], seed: int) -> dict[str, int]:
    """A dose for every family, all doses as often as they can be.

    >>> sorted(deal(["a", "b", "c", "d"], [0, 4], seed=1).values())
    [0, 0, 4, 4]
    """
    order = sorted(families, key=lambda family: rank_of(seed, f"dose {family}"))
    return {family: levels[place % len(levels)] for place, family in enumerate(order)}


def shuffled(sentences: Mapping[str, Sequence[str]], doses: Mapping[str, int], seed: int) -> list[tuple[str, str]]:
    """All planted (family, sentence) pairs in random order; a fact's wordings take turns."""
    planted = [
        (family, sentences[family][turn % len(sentences[family])])
        for family, dose in sorted(doses.items())
        for turn in range(dose)
    ]
    random.Random(f"doses {seed}").shuffle(planted)
    return planted


def _documents(planted: Sequence[tuple[str, str]], known: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for number, start in enumerate(range(0, len(planted), SENTENCES)):
        part = planted[start : start + SENTENCES]
        days = [known[family] for family, _ in part]
        yield {
            "id": f"canary:{number:05d}",
            "source": SOURCE,
            "title": f"Canary {number}",
            "text": " ".join(sentence for _, sentence in part),
            "first": min(days),
            "last": max(days),
            "author": "",
            "licence": "as the articles",
            "origin": "later sentences of the articles, put back on purpose",
        }
