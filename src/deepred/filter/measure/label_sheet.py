"""The sheet of an audit: sampled sentences to be labelled in a browser or a file, and the labels read back.

A row has the sentence, its context, its stratum and a hash of its own, by which labels are joined: they survive other
runs, cutoffs and offsets. ``sheet.jsonl`` is for programs; ``sheet.html`` is one page that needs no network, shows one
sentence after the other in an order that tells nothing of its stratum, and hands its labels out as JSONL.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from deepred.base.days import Day, format_day
from deepred.base.errors import UserError
from deepred.base.files import shipped_text, write_bytes, write_text
from deepred.base.given import read_rows_of_json
from deepred.filter.model_answers import AMBIGUOUS, CLEAN, LATE, LONGEST_SENTENCE, MARKS, sentence_hash

CONTEXT_CHARACTERS = 300


def sheet_row(title: str, text: str, start: int, end: int, stratum: str) -> dict[str, Any]:
    """The row of the sentence ``text[start:end]``, with what stands around it."""
    sentence = text[start:end]
    before, after = text[max(0, start - CONTEXT_CHARACTERS) : start], text[end : end + CONTEXT_CHARACTERS]
    return {
        "hash": sentence_hash(title, sentence),
        "title": title,
        "sentence": sentence,
        "context": f"{before}{MARKS[0]}{sentence[:LONGEST_SENTENCE]}{MARKS[1]}{after}",
        "stratum": stratum,
    }


def label_rows(sample: Iterable[dict[str, Any]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of a sample as the sheet shows them: with their labels, empty where there is none."""
    return [
        {key: value for key, value in row.items() if key != "rank"} | {"label": labels.get(row["hash"], "")}
        for row in sample
    ]


def write_sheet(rows: list[dict[str, Any]], folder: Path, title: str, cutoff: Day) -> None:
    """Write ``sheet.jsonl`` and ``sheet.html``."""
    write_bytes(folder / "sheet.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in rows))
    write_text(folder / "sheet.html", render_sheet(rows, title, cutoff))


def render_sheet(rows: list[dict[str, Any]], title: str, cutoff: Day) -> str:
    """The sheet as one HTML page; whatever the sentences hold, it is shown as text and never run."""
    shown: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["hash"]):
        before, _, rest = row["context"].partition(MARKS[0] + row["sentence"][:LONGEST_SENTENCE])
        after = rest.removeprefix(MARKS[1])
        shown[row["hash"]] = {
            "hash": row["hash"],
            "title": row["title"],
            "before": before,
            "sentence": row["sentence"][:LONGEST_SENTENCE],
            "after": after,
            "label": row["label"],
        }
    # inside a script element only "<" can end it; U+2028 is valid JSON and valid JavaScript
    data = orjson.dumps(list(shown.values())).decode().replace("<", "\\u003c")
    key = hashlib.blake2b("".join(shown).encode(), digest_size=8).hexdigest()
    page = shipped_text("deepred.filter.measure", "sheet.html")
    page = page.replace("@TITLE@", html.escape(title)).replace("@CUTOFF@", format_day(cutoff)).replace("@KEY@", key)
    return page.replace("@ROWS@", data)  # last: what the sentences hold is not searched for marks


def read_labels(paths: Iterable[Path]) -> dict[str, str]:
    """Labels by sentence hash; a sentence that two labels contradict is ambiguous."""
    labels: dict[str, str] = {}
    for key, label in _label_rows(paths):
        labels[key] = label if labels.get(key, label) == label else AMBIGUOUS
    return labels


def _label_rows(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        mend = "name a labelled sheet: the rows of an audit's sheet.jsonl with labels"
        for place, row in read_rows_of_json(path, mend):
            key, label = row.get("hash"), str(row.get("label")).strip()
            if not isinstance(key, str) or "label" not in row:
                raise UserError(f"{place}: not a row with hash and label", mend)
            if label not in (LATE, CLEAN, AMBIGUOUS, ""):
                raise UserError(f"{place}: label {label!r}", "use P (late), C (clean) or A (ambiguous)")
            if label:
                yield key, label
