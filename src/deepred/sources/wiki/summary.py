"""What an extraction says when it is done: pages by what became of them, speed, what was lost and what to look into."""

from __future__ import annotations

from deepred.base.counts import Counts

SHOWN_TEMPLATES = 5
"""Templates without a rule that the summary names; the manifest holds them all."""


def summary_lines(counts: Counts, seconds: float) -> list[str]:
    """The closing lines of an extraction.

    >>> summary_lines(Counts(Counter(pages=3, documents=2, redirects=1, bytes=5_000_000)), 2.0)
    ['3 pages: 2 articles, 1 redirects, 0 of other namespaces, 0 dropped', '5.0 MB of XML in 2.0 s: 2.5 MB/s']
    """
    numbers = counts.numbers
    dropped = {reason: count for reason, count in counts.drops.items() if reason != "damaged"}
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items(), key=lambda drop: -drop[1]))
    lines = [
        f"{numbers['pages']:,} pages: {numbers['documents']:,} articles, {numbers['redirects']:,} redirects, "
        f"{numbers['other_namespaces']:,} of other namespaces, {sum(dropped.values()):,} dropped"
        + (f" ({reasons})" if reasons else "")
    ]
    megabytes = numbers["bytes"] / 1e6
    lines.append(f"{megabytes:,.1f} MB of XML in {seconds:,.1f} s: {megabytes / max(seconds, 1e-6):,.1f} MB/s")
    templates = counts.tallies.get("templates")
    if templates:
        common = ", ".join(f"{name} {count:,}" for name, count in templates.most_common(SHOWN_TEMPLATES))
        lines.append(f"templates without a rule, their text left out: {common} (all of them: manifest.json)")
    return lines + [f"lost: {note}" for name, note in counts.notes.items() if name.startswith("damage")]
