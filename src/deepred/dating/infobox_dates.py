"""Infobox dates to evidence: a table from parameter names to kinds of events."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deepred.base.days import Interval
from deepred.dating.evidence import Evidence, begun
from deepred.text.dates.find import find_dates

KINDS: dict[str, str] = {
    name: kind
    for kind, names in tomllib.loads(Path(__file__).with_name("infobox_dates.toml").read_text(encoding="utf-8")).items()
    for name in names.split()
}
"""Kinds of events by parameter name."""

_CONFIDENCE = {
    "birth": 0.9,
    "death": 0.9,
    "publication": 0.85,
    "start": 0.8,
    "end": 0.8,
    "discovery": 0.8,
    "point": 0.7,
}
_QUANTITY = re.compile(r"\d,\d{3}|\d\s?(?:km|m|kg|ft|people|inhabitants)\b")
_NUMBERED = re.compile(r"[_ -]*\d+$")


def infobox_evidence(dates: Iterable[Mapping[str, Any]]) -> list[Evidence]:
    """The evidence of an article's infobox dates (``tables.article_schema``), in their order.

    >>> infobox_evidence([{"key": "birth date", "value": "3 May 1955", "first": 19550503, "last": 19550503}])[0].kind
    'birth'
    """
    found: list[Evidence] = []
    for row in dates:
        name = re.sub(r"[\s-]+", "_", str(row["key"]).strip().lower())
        kind = KINDS.get(name) or KINDS.get(_NUMBERED.sub("", name))
        interval = _interval(row) if kind else None
        if kind is None or interval is None:
            continue
        note = f"{row['key']} = {row['value']}"[:120]
        if kind in ("event", "start"):
            found.append(begun(kind, interval, "infobox", _CONFIDENCE.get(kind, 0.6), note))
            continue
        found.append(
            Evidence(kind, interval.first, interval.last, "infobox", _CONFIDENCE.get(kind, 0.6), note, kind != "birth")
        )
    return found


def _interval(row: Mapping[str, Any]) -> Interval | None:
    """The first date of a value, read as prose ("c. 1478", "5–8 June 1944"), else as the extraction read it."""
    value = str(row["value"] or "")
    if spans := find_dates(f"in {value}"):
        return spans[0].interval
    if row["first"] is None or row["last"] is None or _QUANTITY.search(value):
        return None
    return Interval(row["first"], row["last"])
