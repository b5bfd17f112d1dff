"""Figures as text: shares, differences and years with their intervals or reasons; and the templates that show them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deepred.base.templating import environment, markdown_cell, markdown_table


def percent(value: float) -> str:
    """A share as people read it: ``percent(0.874) == "87%"``."""
    return f"{100 * value:.0f}%"


def percent_or_dash(value: float | None) -> str:
    """A share, or a dash."""
    return "–" if value is None else percent(value)


def points(value: float) -> str:
    """A difference in percentage points with its sign: ``points(-0.043) == "−4"``."""
    rounded = round(100 * value)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


def share(figure: Mapping[str, Any] | None, name: str = "", digits: int = 0) -> str:
    """A share or accuracy with its interval (``87% [82%, 91%]``), or bits with digits; or why there is none."""
    name = name or ("share" if figure and "share" in figure else "accuracy")
    if not figure or figure.get(name) is None:
        return str((figure or {}).get("reason", "–"))
    values = (figure[name], figure["low"], figure["high"])
    value, low, high = (f"{one:.{digits}f}" if digits else percent(one) for one in values)
    return f"{value} [{low}, {high}]"


def gain(figure: Mapping[str, Any]) -> str:
    """A gain with its interval in points: ``+62 [+55, +68] points``."""
    return f"{points(figure['gain'])} [{points(figure['low'])}, {points(figure['high'])}] points"


def gain_text(figure: Mapping[str, Any] | None) -> str:
    """A gain with its interval and the effect that could have been seen, or why there is none."""
    if figure is None:
        return "–"
    if figure["gain"] is None:
        return figure["reason"]
    return f"{gain(figure)}, detectable {points(figure['detectable'])}"


def cutoff_text(found: Mapping[str, Any]) -> str:
    """The effective cutoff with its interval and by how much knowledge falls there, or why there is none."""
    if found["year"] is None:
        return found["reason"]
    fall = points(found["level_after"] - found["level_before"])
    return f"{found['year']:.0f} [{found['low']:.0f}, {found['high']:.0f}], {fall} points"


def eras_text(bits: Mapping[str, Any]) -> str:
    """The difference before and after the cutoff in words."""
    parts = [
        f"{era} the cutoff {bits[era]['difference']:+.3f} [{bits[era]['low']:+.3f}, {bits[era]['high']:+.3f}]"
        if bits[era]["difference"] is not None
        else f"{era} the cutoff {bits[era]['reason']}"
        for era in ("before", "after")
    ]
    text = f"Twin minus model, bits per byte: {'; '.join(parts)}. Intervals are over sentences."
    return text.replace(" -", " −").replace("[-", "[−")


def decimal(value: float | None) -> str:
    """A number to three places, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def number(value: float | None) -> str:
    """A count with separators; nothing for None."""
    return "" if value is None else f"{value:,}"


def counted(numbers: Iterable[tuple[str, int]]) -> str:
    """Names with their counts: ``counted([("date", 1410)]) == "date 1,410"``."""
    return ", ".join(f"{name} {count:,}" for name, count in numbers)


PAGES: Any = environment(Path(__file__).parent / "templates")  # its filters are typed as those it has at first
"""The pages, self-contained each, and the same in Markdown; they show figures by the filters below."""
PAGES.filters.update(
    cell=markdown_cell,
    table=markdown_table,
    accuracy=share,
    percent=percent_or_dash,
    points=points,
    gain=gain_text,
    cutoff=cutoff_text,
    by_era=eras_text,
    decimal=decimal,
    number=number,
    counted=counted,
    json=lambda value: json.dumps(value, indent=1, ensure_ascii=False),
)
