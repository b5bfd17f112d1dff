"""The report as one self-contained HTML page: style and plots inline, no script, no request, light, dark and print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from deepred.evaluate.effective_cutoff import SIGNIFICANCE
from deepred.evaluate.report.conclusions import percent, points
from deepred.evaluate.report.figures import (
    arm_cell,
    cutoff_text,
    decimal,
    details,
    document,
    eras_text,
    figure_cell,
    gain_text,
    number,
    percent_or_dash,
    section,
    table,
)
from deepred.evaluate.report.finished_model import finished_section
from deepred.evaluate.report.twins_page import doses_section, placebo_section

VERDICTS = {
    "clean": "No leak found",
    "leak": "Leak found",
    "unclear": "Not decided",
    "ignorant": "Knows too little to judge",
    "nothing": "Nothing measured",
}


def write_page(report: dict[str, Any], plots: dict[str, str], samples: list[dict[str, Any]]) -> str:
    """The page."""
    title = f"{report['name']}: knowledge before and after {report['cutoff']}"
    body = [
        top(report, plots["arms"]),
        arms_section(report),
        section("When the facts could first be known", DECADES, plots["decades"]) if plots["decades"] else "",
        years_section(report, plots.get("bits", "")),
        doses_section(report),
        placebo_section(report),
        finished_section(report),
        leaks_section(report),
        filter_section(report, plots["drops"], samples),
        training_section(report, plots["loss"]),
        gates_section(report),
        stages_section(report),
        reproduce_section(report),
    ]
    return document(title, body)


SHOWN = 5
"""Leaked facts shown before the rest opens on demand."""

DECADES = (
    "Accuracy by decade, with intervals; decades with fewer than ten facts are left out. The line is the cutoff that "
    "was asked for; dashes are chance."
)


def top(report: dict[str, Any], plot: str) -> str:
    """What a reader takes away in twenty seconds: verdict, headline, finding, the arms' plot, what stays open."""
    doubts = "".join(f"<li>{escape(line)}</li>" for line in report["open"])
    return (
        f'<header>\n<p class="eyebrow">{escape(report["name"])} · cutoff {escape(report["cutoff"])}</p>\n'
        f'<p class="verdict {report["verdict"]}">{VERDICTS[report["verdict"]]}</p>\n'
        f"<h1>{escape(report['headline'])}</h1>\n"
        + (f'<p class="finding">{escape(report["finding"])}</p>\n' if report["finding"] else "")
        + "</header>\n"
        + (f"<figure>{plot}</figure>\n" if plot else "")
        + (f"<aside><h2>What this does not show</h2><ul>{doubts}</ul></aside>" if doubts else "")
    )


def arms_section(report: dict[str, Any]) -> str:
    """The table of all arms: accuracy, gain over the floor, effective cutoff."""
    if not report["arms"]:
        return ""
    rows = [
        [
            arm_cell(name),
            figure_cell(arm["before"]),
            figure_cell(arm["after"]),
            figure_cell(arm.get("gain", {}).get("before"), "gain"),
            figure_cell(arm.get("gain", {}).get("after"), "gain"),
            escape(cutoff_text(arm["effective_cutoff"])),
        ]
        for name, arm in report["arms"].items()
    ]
    families = f"{report['before']['families']} families before and {report['after']['families']} after the cutoff"
    lead = (
        f"Accuracy over {families}; a family is one fact asked in several wordings. Gains are over the floor arm, in "
        "points, paired by family. The effective cutoff is the year in which that gain falls most, found without being "
        "told the cutoff, with the size of the fall."
    )
    head = ("arm", "before", "after", "gain before", "gain after", "effective cutoff")
    return section("The arms", lead, table(head, rows, ("", "n", "n", "n", "n", "n")), method_note(report))


def method_note(report: dict[str, Any]) -> str:
    """How the figures were made, for those who doubt them."""
    detectable = report["gain"].get("after", {}).get("detectable")
    blind = report["arms"].get("filtered", {}).get("answer_only", {})
    digest = report["probes"].get("notes", {}).get("hash", "")
    sentences = [
        "An option’s score is log P(option | prompt) − log P(option | neutral prompt); the options are answers to the "
        "same relation and era, never the floor’s own. Intervals are bootstrapped over families."
    ]
    if blind:
        alone = f"{percent_or_dash(blind['before'])} before, {percent_or_dash(blind['after'])} after"
        sentences.append(f"The neutral prompt alone, which names no subject, is right on {alone}.")
    if detectable:
        size = f"{100 * detectable:.0f} points"
        sentences.append(f"A gain of {size} after the cutoff would be missed one time in five, a smaller one oftener.")
    if digest:
        sentences.append(f"Probe list, fixed before training: {digest[:16]}….")
    return f'<p class="note">{escape(" ".join(sentences))}</p>'


def years_section(report: dict[str, Any], plot: str) -> str:
    """Bits per byte by year against the twin, and the mass on later years, which is no more than smoke."""
    bits = report.get("bits_per_byte")
    if not bits:
        return ""
    found = bits["changepoint"]
    where = (
        f"It falls most in {found['year']:.0f} [{found['low']:.0f}, {found['high']:.0f}]."
        if found["year"] is not None
        else f"No year can be named from which it falls: {found['reason']}."
    )
    rows = [
        [arm_cell(name), figure_cell(arm["late_mass"], "mass")]
        for name, arm in report["arms"].items()
        if arm.get("late_mass")
    ]
    smoke = (
        "Share of a year’s probability that falls on years after the cutoff’s, over neutral beginnings: a smoke signal "
        "only, it misleads in both directions."
    )
    return section(
        "Text by year",
        "Bits per byte of dated sentences: what the unfiltered twin needs beyond the filtered model. Below zero the "
        f"twin reads more easily, having seen what the filter took out. {where}",
        f"<figure>{plot}</figure>" if plot else "",
        f'<p class="note">{escape(eras_text(bits))}</p>',
        (
            f'<h3>Probability of later years</h3><p class="note">{escape(smoke)}</p>'
            + table(("arm", "share"), rows, ("", "n"))
        )
        if rows
        else "",
    )


def leaks_section(report: dict[str, Any]) -> str:
    """How often each arm's training text states the probed facts, and the sentences of later ones that remain."""
    if not report["exposures"]:
        return ""
    rows = [
        [arm_cell(arm), *(cell for era in ("before", "after") for cell in exposure_cells(eras[era]))]
        for arm, eras in report["exposures"].items()
    ]
    head = ("arm", "facts before: stated", "median times", "facts after: stated", "median times")
    lead = (
        "What each model could have learned: probed facts that its training text states, a statement being a sentence "
        "that names both the subject and the answer. Counted in the text, whatever the model has learned from it."
    )
    return section(
        "Probed facts in the training text",
        lead,
        table(head, rows, ("", "n", "n", "n", "n")),
        relations_note(report),
        stated_note(report.get("stated_gain", {})),
        leaks_table(report["leaks"]),
    )


def stated_note(figure: dict[str, Any]) -> str:
    """The gain on later facts that the filtered text states, or why there is none."""
    if not figure or not figure["families"]:
        return ""
    shown = gain_text(figure) if figure["gain"] is not None else f"not given ({figure['reason']})"
    lead = "On the later facts alone that the filtered text still states, the model’s gain over the blind floor is"
    text = f"{lead} {shown}; facts: {figure['families']}."
    return f'<p class="note">{escape(text)}</p>'


def exposure_cells(values: dict[str, Any]) -> list[str]:
    """How many facts are stated at all, and how often in the median."""
    if not values["families"]:
        return ["–", "–"]
    return [f"<b>{values['stated']}</b> of {values['families']}", f"{values['median']:g}"]


def relations_note(report: dict[str, Any]) -> str:
    """Relations in which the filtered arm surely gains after the cutoff, or that there is none."""
    relations = report["arms"].get("filtered", {}).get("late_relations", [])
    if not relations:
        return ""
    sure = [
        f"{row['relation']} ({points(row['gain'])} points)" for row in relations if row["p_adjusted"] < SIGNIFICANCE
    ]
    found = f"in {', '.join(sure)}" if sure else "in none"
    return (
        f'<p class="note">Of {len(relations)} relations looked at one by one, the filtered model gains over the floor '
        f"after the cutoff {escape(found)} (Holm-adjusted p below {SIGNIFICANCE}).</p>"
    )


def leaks_table(rows: Sequence[dict[str, Any]]) -> str:
    """Later facts in the filtered training text: what fixes the filter next."""
    if not rows:
        return "<p>No probed fact from after the cutoff is stated in the filtered training text.</p>"
    cells = [
        [
            f"{escape(row['subject'])}: {escape(row['answer_text'])}",
            f"{row['known'] // 10000}",
            str(row["statements"]),
            "–" if row["score"] is None else percent(row["score"]),
            "<br>".join(f"{escape(one['sentence'])} <cite>{escape(one['title'])}</cite>" for one in row["traces"]),
        ]
        for row in rows
    ]
    head = ("later fact", "known", "statements", "answered right", "training sentences")
    kinds = ("", "n", "n", "n", "wide")
    more = details(f"{len(cells) - SHOWN} more", table(head, cells[SHOWN:], kinds)) if len(cells) > SHOWN else ""
    return f"<h3>Later facts that slipped through</h3>{table(head, cells[:SHOWN], kinds)}{more}"


def filter_section(report: dict[str, Any], plot: str, samples: list[dict[str, Any]]) -> str:
    """What the sentence filter dropped and why, what the audit says of what it kept, and samples of both."""
    if not report["passages"]:
        return ""
    counts = report["passages"].get("filtered", {}).get("numbers", {})
    total, kept = counts.get("sentences"), counts.get("kept sentences", counts.get("kept"))
    lead = f"{kept:,} of {total:,} sentences were kept." if total and kept else ""
    audit = report["audit"]
    found = [f"<b>Audit of kept sentences:</b> {escape(str(audit['status']))}."]
    residual = audit.get("residual")
    if isinstance(residual, dict):
        found.append(
            escape(
                ", ".join(f"{key} {value}" for key, value in residual.items() if not isinstance(value, (dict, list)))
            )
        )
    return section(
        "What the filter did",
        lead,
        f"<figure>{plot}</figure>" if plot else "",
        f"<p>{' '.join(found)}</p>",
        samples_table("Sentences it kept", [row for row in samples if not row["reason"]]),
        samples_table("Sentences it dropped", [row for row in samples if row["reason"]]),
    )


def samples_table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """A sample of sentences with their articles and reasons, drawn by hash and not by hand."""
    if not rows:
        return ""
    cells = [
        [
            escape(row["text"]),
            f"<cite>{escape(row['title'])}</cite>",
            escape(row["reason"]),
            f"{row['probability']:.2f}",
        ]
        for row in rows
    ]
    return f"<h3>{escape(title)}</h3>" + table(
        ("sentence", "article", "reason", "P(late)"), cells, ("wide", "", "", "n")
    )


def training_section(report: dict[str, Any], plot: str) -> str:
    """Loss curves, tokens and the mixture of every arm."""
    rows = [training_row(arm, counts) for arm, counts in report["pretrain"].items()]
    head = ("arm", "tokens", "parameters", "last training loss", "validation loss", "bits per byte")
    if not rows:
        return ""
    return section(
        "Training",
        "Line: training loss, smoothed; dots: validation loss on held-out documents of the arm’s own corpus.",
        f"<figure>{plot}</figure>" if plot else "",
        table(head, rows, ("", "n", "n", "n", "n", "n")),
        mixture_table(report),
    )


def training_row(arm: str, counts: dict[str, Any]) -> list[str]:
    """An arm's line of the training table."""
    sizes = [number(counts["numbers"].get(key)) for key in ("tokens", "parameters")]
    losses = [decimal(counts["notes"].get(key)) for key in ("loss", "validation", "bits_per_byte")]
    return [arm_cell(arm), *sizes, *losses]


def mixture_table(report: dict[str, Any]) -> str:
    """Training text by source and arm, and how often the probed facts were stated in it."""
    rows: list[list[str]] = []
    for arm, counts in report["mixture"].items():
        exposures = counts["notes"].get("exposures", {})
        for source, values in counts["notes"].get("sources", {}).items():
            sizes = [number(values.get(key)) for key in ("documents", "tokens", "characters")]
            lost = ", ".join(f"{reason} {count:,}" for reason, count in values.get("drops", {}).items())
            stated = escape(str(exposures.get("median", "–")))
            read = f"{values.get('epochs', 1):g}"
            share = percent(values.get("share", 0))
            rows.append([arm_cell(arm), escape(source), *sizes, share, read, escape(lost) or "–", stated])
    head = ("arm", "source", "documents", "tokens (estimated)", "characters", "share", "epochs", "dropped")
    kinds = ("", "", "n", "n", "n", "n", "n", "", "n")
    head = (*head, "median statements of a probed fact")
    return "<h3>Mixture</h3>" + table(head, rows, kinds) if rows else ""


def gates_section(report: dict[str, Any]) -> str:
    """What was checked of the GGUF files before they were published."""
    if not report["gates"]:
        return ""
    rows = [
        [
            escape(gate["name"]),
            escape(gate["file"]),
            f"{gate['value']:g}",
            f"{gate['limit']:g}",
            "passed" if gate["passed"] else "<b>failed</b>",
        ]
        for gate in report["gates"]
    ]
    lead = f"Published only if all pass. Open with: deepred chat {report['gguf']}"
    return section("GGUF gates", lead, table(("gate", "file", "value", "limit", ""), rows, ("", "", "n", "n", "")))


def stages_section(report: dict[str, Any]) -> str:
    """Every stage with its method in a line, counts, drops and seconds."""
    rows = [
        [
            escape(row["name"]) + (f" <small>{escape(row['arm'])}</small>" if row["arm"] else ""),
            escape(row["method"]),
            number(row["documents"]),
            escape(
                ", ".join(
                    f"{reason} {count:,}"
                    for reason, count in sorted(row["drops"].items(), key=lambda item: -item[1])[:6]
                )
            ),
            f"{row['seconds']:,.1f}",
        ]
        for row in report["stages"]
    ]
    return section(
        "Stages", "", table(("stage", "method", "documents", "dropped", "seconds"), rows, ("", "wide", "n", "", "n"))
    )


def reproduce_section(report: dict[str, Any]) -> str:
    """Sources with checksums, configuration, program, packages and machine."""
    again = report["reproduce"]
    rows = [
        [
            escape(row["path"].rsplit("/", 1)[-1]),
            f"{row['bytes']:,}",
            f"<code>{escape(row['sha256'][:16])}…</code>",
            escape(", ".join(row["stages"])),
        ]
        for row in report["sources"]
    ]
    commits = ", ".join(again["commits"]) or "not recorded"
    return section(
        "To make it again",
        f"Commit {commits}. The same configuration and sources give the same outputs on the same kind of machine.",
        table(("source", "bytes", "sha256", "read by"), rows, ("", "n", "", ""))
        if rows
        else "<p>No file from outside was read.</p>",
        *(
            details(summary, f"<pre>{escape(json.dumps(content, indent=1, ensure_ascii=False))}</pre>")
            for summary, content in (
                ("Configuration", again["config"]),
                ("Keys read from the run", again["reads"]),
                ("Packages and machine", {**again["packages"], **again["hardware"]}),
                ("Hashes of all outputs", again["outputs"]),
            )
        ),
    )
