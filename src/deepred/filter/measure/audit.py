"""Stage ``audit``: how much slips through, as a sheet to label, automatic evidence, and, once labelled, a bound.

In: kept passages, their articles, the tables of ``emergence``, and label files (JSONL with ``hash`` and ``label``).
Out: ``sheet.jsonl`` and ``sheet.html`` (a stratified random sample of kept sentences with their context, to be labelled
by a person or a judge), ``evidence.json`` (what machines can see: later years, later names, emergent terms among all
kept sentences) and ``audit.json`` (status, and for a labelled sheet the share of late sentences with its exact bound
after Clopper and Pearson, 1934, per stratum and re-weighted to the corpus). Labels are joined by the sentence's own
hash, so that they survive re-runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from deepred.base.days import Day
from deepred.base.draws import Lowest, rank_of
from deepred.base.errors import FaultError
from deepred.base.files import write_bytes
from deepred.base.tables import read_rows
from deepred.filter.judge import load_horizon
from deepred.filter.measure.label_sheet import label_rows, read_labels, sheet_row, write_sheet
from deepred.filter.model_answers import CLEAN, LATE
from deepred.filter.passages import read_pairs
from deepred.filter.sentence_evidence import Evidence, gather_evidence
from deepred.run.config import Audit
from deepred.run.stage import Counts, Work

STRATA = ("flagged", "modern", "leaning", "dated", "plain")
"""Strata of kept sentences, the first that fits: evidence of lateness left; a word of the writer's present; leans on
another sentence; an early date; nothing of these."""
CONFIDENCE = 0.95
EXAMPLES = 20  # kept sentences with evidence that are shown


@dataclass(frozen=True, slots=True)
class Estimate:
    """A stratum: how many sentences it stands for, how many of them were labelled, and how many of these are late."""

    sentences: int
    labelled: int
    late: int


def clopper_pearson(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval of a share; ``(0, 1)`` without trials.

    >>> [round(bound, 4) for bound in clopper_pearson(0, 100, 0.95)]
    [0.0, 0.0362]
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return low, high


def reweighted(strata: Sequence[Estimate], confidence: float) -> dict[str, float]:
    """The share of late sentences over all strata, weighted by their sizes, with conservative bounds.

    Every stratum's interval holds at a level that makes all hold together (Bonferroni), so that their weighted sum is
    a bound of the whole; a stratum without labels counts as anything from none to all.
    """
    total = sum(stratum.sentences for stratum in strata)
    joint = 1 - (1 - confidence) / max(len(strata), 1)
    estimate = low = high = 0.0
    for stratum in strata:
        weight = stratum.sentences / total
        bounds = clopper_pearson(stratum.late, stratum.labelled, joint)
        estimate += weight * (stratum.late / stratum.labelled if stratum.labelled else 0.5)
        low += weight * bounds[0]
        high += weight * bounds[1]
    return {"estimate": estimate, "low": low, "high": high}


def audit_passages(
    *,
    articles: Path,
    passages: Path,
    emergence: Path,
    config: Audit,
    sources: dict[str, list[Path]],
    cutoff: Day,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Sample, collect evidence, join labels, and state the residual."""
    files = sorted(articles.glob("articles-*.parquet"))
    shards = [(path.stem, (str(path), str(passages), str(emergence), cutoff, seed, config.sample)) for path in files]
    counts = work.map_shards(_audit_shard, shards, out)
    sample, evidence = _merge(out, config.sample)
    result = write_audit(sample, evidence, read_labels(sources.get("labels", [])), cutoff, out)
    counts.notes.update({"status": result["status"], "residual": result["residual"]})
    counts.add("sampled", len(sample))
    _gate(result, config)
    return counts


def write_audit(
    sample: Sequence[dict[str, Any]],
    evidence: dict[str, Any],
    labels: dict[str, str],
    cutoff: Day,
    out: Path,
    title: str = "Audit of kept sentences",
) -> dict[str, Any]:
    """Write the sheet, the evidence and what the labels say, and return that: the content of ``audit.json``."""
    write_sheet(label_rows(sample, labels), out, title, cutoff)
    write_bytes(out / "evidence.json", orjson.dumps(evidence, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    result = judge(sample, labels, evidence["sentences"])
    write_bytes(out / "audit.json", orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return result


def read_audit(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, str]]:
    """The sample, the evidence and the labels of an audit that was written before: it can be labelled further."""
    sample = [orjson.loads(line) for line in (folder / "sheet.jsonl").read_bytes().splitlines()]
    labels = {row["hash"]: row["label"] for row in sample if row["label"]}
    return sample, orjson.loads((folder / "evidence.json").read_bytes()), labels


def stratum_of(evidence: Evidence, i: int) -> str:
    """The stratum of a kept sentence."""
    if evidence.late_date[i] or evidence.late_link[i] or evidence.late_name[i] or evidence.emergent[i]:
        return "flagged"
    if evidence.status[i]:
        return "modern"
    if evidence.opening[i]:
        return "leaning"
    return "dated" if evidence.early_date[i] else "plain"


@dataclass
class _Findings:
    """Of a shard: sampled sentences per stratum, and counts and examples of evidence left."""

    sample: dict[str, Lowest[bytes]]
    sentences: Counter[str] = field(default_factory=Counter[str])
    evidence: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])


def _audit_shard(argument: tuple[str, str, str, Day, int, int], folder: Path) -> Counts:
    source, passages, emergence, cutoff, seed, size = argument
    path, counts = Path(source), Counts()
    findings = _Findings({name: Lowest[bytes](size) for name in STRATA})
    horizon = load_horizon(Path(emergence), cutoff, "drop")
    name = path.stem.removeprefix("articles-")
    kept = read_rows(Path(passages), f"passages-{name}.parquet", ["page_id", "spans"])
    passage = next(kept, None)
    for article, row in read_pairs(path, Path(emergence)):
        if passage is None or passage["page_id"] != article["page_id"]:
            continue
        spans, passage = passage["spans"], next(kept, None)
        segments, evidence = gather_evidence(article, row, horizon)
        places = {start: i for i, start in enumerate(segments.starts)}
        counts.add("documents")
        counts.add("bytes", len(article["text"]))
        counts.add("kept sentences", len(spans))
        for span in spans:
            _look_at(article, span["start"], span["end"], evidence, places[span["start"]], seed, findings)
    record = {
        "sentences": dict(findings.sentences),
        "evidence": dict(findings.evidence),
        "examples": findings.examples,
        "sample": [orjson.loads(line) for stratum in STRATA for _, line in findings.sample[stratum].ranked()],
    }
    (folder / f"findings-{name}.json").write_bytes(orjson.dumps(record))
    return counts


def _look_at(
    article: dict[str, Any], start: int, end: int, evidence: Evidence, i: int, seed: int, findings: _Findings
) -> None:
    text: str = article["text"]
    stratum = stratum_of(evidence, i)
    findings.sentences[stratum] += 1
    for name, flags in (
        ("later years", evidence.late_date),
        ("later links", evidence.late_link),
        ("later names", evidence.late_name),
        ("emergent terms", evidence.emergent),
    ):
        if flags[i]:
            findings.evidence[name] += 1
            shown = findings.examples.setdefault(name, [])
            if len(shown) < EXAMPLES:
                shown.append(
                    {"page_id": article["page_id"], "title": article["title"], "sentence": text[start:end][:1000]}
                )
    rank = rank_of(seed, "audit", article["page_id"], start)
    if findings.sample[stratum].takes(rank):
        row = sheet_row(article["title"], text, start, end, stratum) | {"page_id": article["page_id"], "rank": rank}
        findings.sample[stratum].offer(rank, orjson.dumps(row))


def _merge(out: Path, size: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The shards' findings as one sample, spread over the strata, and one table of evidence."""
    sentences: Counter[str] = Counter()
    found: Counter[str] = Counter()
    examples: dict[str, list[dict[str, Any]]] = {}
    pool: dict[str, list[dict[str, Any]]] = {name: [] for name in STRATA}
    for path in sorted(out.glob("findings-*.json")):
        record = orjson.loads(path.read_bytes())
        sentences.update(record["sentences"])
        found.update(record["evidence"])
        for name, shown in record["examples"].items():
            examples[name] = (examples.get(name, []) + shown)[:EXAMPLES]
        for row in record["sample"]:
            pool[row["stratum"]].append(row)
    sample: list[dict[str, Any]] = []
    for stratum, share in places_of({name: sentences[name] for name in STRATA}, size).items():
        sample += sorted(pool[stratum], key=lambda row: row["rank"])[:share]
    evidence = {"sentences": {name: sentences[name] for name in STRATA}, "evidence": dict(found), "examples": examples}
    return sample, evidence


def places_of(sentences: Mapping[str, int], size: int) -> dict[str, int]:
    """Places in the sheet: half by each stratum's size, half equally, so that small strata are seen too.

    >>> places_of({"plain": 900, "dated": 100, "leaning": 0}, 40)
    {'plain': 28, 'dated': 12}
    """
    filled = [name for name, count in sentences.items() if count]
    least, total = min(size, 1), sum(sentences.values())
    shares = {name: size * (0.5 / len(filled) + 0.5 * sentences[name] / total) for name in filled}
    return {name: min(sentences[name], max(round(share), least)) for name, share in shares.items()}


def judge(sample: Sequence[dict[str, Any]], labels: Mapping[str, str], sentences: Mapping[str, int]) -> dict[str, Any]:
    """The status of an audit and, where the sheet is labelled, the residual per stratum and of the corpus.

    ``sentences`` says what each stratum stands for; ambiguous sentences are left out of both sides of a share.
    """
    strata: dict[str, dict[str, Any]] = {}
    estimates: list[Estimate] = []
    for name in sentences:
        given = [
            labels[row["hash"]] for row in sample if row["stratum"] == name and labels.get(row["hash"]) in (LATE, CLEAN)
        ]
        late = sum(label == LATE for label in given)
        low, high = clopper_pearson(late, len(given), CONFIDENCE)
        strata[name] = {"sentences": sentences[name], "labelled": len(given), "late": late, "low": low, "high": high}
        if sentences[name]:
            estimates.append(Estimate(sentences[name], len(given), late))
    labelled = sum(estimate.labelled for estimate in estimates)
    if not labelled:
        return {"status": "unlabelled", "residual": None, "strata": strata}
    complete = all(estimate.labelled for estimate in estimates)
    return {
        "status": "labelled" if complete else "partly labelled",
        "labelled": labelled,
        "residual": reweighted(estimates, CONFIDENCE),
        "strata": strata,
    }


def _gate(result: dict[str, Any], config: Audit) -> None:
    if result["status"] == "unlabelled":
        if config.require:
            raise FaultError(
                "the audit has no labels", "label the sheet and name it in [audit] labels, or set require = false"
            )
        return
    bound = result["residual"]["high"]
    if bound > config.max_residual_bound:
        raise FaultError(
            f"up to {bound:.1%} of the kept sentences may be late: over max_residual_bound {config.max_residual_bound}",
            "choose a stricter preset, label more sentences, or raise the bound",
        )
