"""What extraction promises, measured: each promise is a command, ``all`` runs them and states which targets hold.

    python benchmarks/extraction.py marks|verbatim|kept|links|speed|all [PATH ...] [--examples N] [--json FILE]

PATH is a dump, a file of raw wikitext, or a folder of such files; by default the sample data's ``wikipedia`` and
``wikitext`` (DEEPRED_SAMPLES); ``speed`` takes the largest bz2 dump among them. The source is read by other code than
the scanner's (``articles.py``). Times are CPU time on one core, interleaved.
"""

import argparse
import html
import json
import os
import re
from collections import Counter
from itertools import chain
from pathlib import Path

from articles import read_articles, read_source
from extraction_speed import measure_speed

from deepred.base.days import MONTHS
from deepred.sources.wiki.wikitext import parse

NAMED = {
    "braces": r"\{\{|\}\}",
    "brackets": r"\[\[|\]\]",
    "table": r"\{\||\|\}|^\|-|^!.*!!",
    "reference": r"</?ref\b|<references",
    "bold": r"'''",
    "entity": r"&(?:[a-z]{2,8}|#\d+|#x[0-9a-f]+);",
    "attribute": r"\b(?:style|class|align|valign|bgcolor|colspan|rowspan|width|scope) ?= ?[\"\w]",
    "picture": r"\bthumb\||\d+px\||\|\s*(?:thumb|right|left|center)\b",
}
"""The marks that the targets name."""
OTHER = {
    "comment": r"<!--|-->",
    "tag": r"</?(?:div|span|br|small|big|sup|sub|nowiki|gallery|center|table|td|tr|th|blockquote|math|code|p|i|b|u|s|"
    r"li|ul|ol|dl|dd|dt|font|poem|cite|score|pre|hr|tt|abbr|includeonly|noinclude|onlyinclude|section|time|del|ins|kbd|var|h\d)"
    r"\b[^<>\n]*>",
    "italics": r"(?<!')''(?!')",
    "heading": r"^=+.*=+$|====",
    "cell": r"\|\|",
    "magic word": r"__[A-Z]{3,}__",
    "external link": r"\[(?:https?:)?//",
    "prefix": r"\b(?:File|Image|Category):\S",
    "list": r"^[*#:;]",
}
KINDS = {name: re.compile(pattern, re.MULTILINE) for name, pattern in (NAMED | OTHER).items()}
TARGETS = {
    "marks per 1,000 articles": ("at most", 50),
    "clean articles": ("at least", 0.97),
    "sentences kept verbatim": ("at least", 0.999),
    "template text kept": ("at least", 0.95),
    "link offsets that hold": ("at least", 1.0),
    "times the CPU of decoding alone": ("at most", 3.0),
    "MB at the peak of a worker": ("at most", 250),
}


def measure_marks(articles, examples):
    """Residual marks per 1,000 articles, by kind, and the share of articles without any."""
    counts, shown = Counter(), {kind: [] for kind in KINDS}
    total = clean = clean_of_named = 0
    for article in articles:
        text = parse(article.text, article.prefixes, title=article.title).text
        found = {kind: list(pattern.finditer(text)) for kind, pattern in KINDS.items()}
        for kind, marks in found.items():
            counts[kind] += len(marks)
            shown[kind] += [
                f"{article.title}: …{text[max(0, mark.start() - 50) : mark.end() + 50]!r}…" for mark in marks
            ]
        total += 1
        clean += not any(found.values())
        clean_of_named += not any(found[kind] for kind in NAMED)
    for kind, lines in shown.items():
        show(kind, lines, examples)
    return {
        "articles": total,
        "marks per 1,000 articles": 1000 * ratio(sum(counts[kind] for kind in NAMED), total),
        "clean articles": ratio(clean_of_named, total, 1.0),
        "marks of any kind per 1,000 articles": 1000 * ratio(counts.total(), total),
        "articles clean of any kind": ratio(clean, total, 1.0),
        "by kind": dict(counts.most_common()),
    }


SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])")
NOT_PLAIN = re.compile(r"[\[\]{}<>&|\0]|''|__|~~|https?://|-\{")
LEAST = 30
"""Characters from which a sentence counts: shorter ones stand in any text by chance."""


def plain_sentences(prose):
    """The markup-free sentences of prose: a capital at the start, a full stop at the end, on one line, nothing else."""
    for line in prose.split("\n"):
        bare = line.lstrip("*#:; ")
        if line[:1] in "|!={" or not bare:
            continue
        for sentence in SENTENCE.split(bare):
            sentence = sentence.strip()
            ends = sentence[:1].isupper() and sentence[-1] in ".!?"
            if ends and len(sentence) >= LEAST and not NOT_PLAIN.search(sentence):
                yield " ".join(sentence.split())


def measure_verbatim(articles, examples):
    """The share of markup-free sentences of the source that stand in the text as they are, but for white space."""
    total, lost = 0, []
    for article in articles:
        text = " ".join(parse(article.text, article.prefixes, title=article.title).text.split())
        for sentence in plain_sentences(read_source(article.text).prose):
            total += 1
            if sentence not in text:
                lost.append(f"{article.source} {article.title}: {sentence}")
    show("lost", lost, examples)
    return {"sentences": total, "lost": len(lost), "sentences kept verbatim": 1 - ratio(len(lost), total)}


CONVERT = {"convert", "cvt"}
DATES = {
    "start date", "start date and age", "end date", "end date and age", "birth date", "birth date and age",
    "death date", "death date and age", "bda", "dda", "dts", "date", "film date", "death-date", "birth-date",
}  # fmt: skip
CONTEXT = 12
"""Characters of the prose before a template that must stand before its text too."""


def template_text(raw):
    """The family of a template and the texts of which one must stand in its place; no family for all others."""
    name, *arguments = raw[2:-2].split("|")
    name = re.sub(r"[\s_]+", " ", name).strip().lower()
    named = {argument.partition("=")[0].strip() for argument in arguments if "=" in argument}
    values = [argument.strip() for argument in arguments if "=" not in argument]
    if name in CONVERT and values:
        return "convert", number_forms(values[0])
    if name in ("lang", "langx", "transl", "transliteration") and len(values) > 1:
        return name.removesuffix("x")[:6], [values[-1] if name.startswith("transl") else values[1]]
    if name.startswith("lang-") and values:
        return "lang", [values[0]]
    if name in DATES and values and values[0].isdigit():
        return "date", date_forms(values[:3] if name != "dts" else [])
    if name in ("as of", "asof") and values and "alt" not in named:
        return "as of", [f"{word} {date}" for word in ("As of", "as of") for date in date_forms(values[:3])]
    if name in ("circa", "c.") and values and values[0]:
        return "circa", [f"c. {values[0]}", f"c.{values[0]}"]
    if name in ("nowrap", "nobr") and values:
        return "nowrap", [values[0]]
    return "", []


INNER = re.compile(r"\{\{([^{}|]+)\|([^{}]*)\}\}")


def infobox_days(raw):
    """The days that date templates directly in an infobox name, as ``year * 10000 + month * 100 + day``."""
    for name, arguments in INNER.findall(raw):
        numbers = [value.strip() for value in arguments.split("|") if "=" not in value][:3]
        known = re.sub(r"[\s_]+", " ", name).strip().lower() in DATES
        if known and len(numbers) == 3 and all(value.isdigit() and int(value) for value in numbers):
            year, month, day = map(int, numbers)
            yield year * 10000 + month * 100 + day


def number_forms(value):
    """A number as it may be written: ``number_forms("12000") == ["12000", "12,000"]``."""
    forms = [value, value.replace("-", "−"), value.replace("-", "–")]
    if value.isdigit():
        forms.append(f"{int(value):,}")
    return forms


def date_forms(values):
    """A date as it may be written: ``date_forms(["1969", "7", "20"])`` holds "July 20, 1969" and "20 July 1969"."""
    year, *rest = values or [""]
    if not rest:
        return [year]
    month = MONTHS[int(rest[0]) - 1] if rest[0].isdigit() and 1 <= int(rest[0]) <= 12 else rest[0]
    if len(rest) < 2:
        return [f"{month} {year}"]
    return [f"{month} {rest[1]}, {year}", f"{rest[1]} {month} {year}"]


def measure_kept(articles, examples):
    """The share of convert, lang, transl and date templates whose text stands in its place, by family.

    Counted are those in prose, whose text must follow what stands before them; and dates in infoboxes, which must be
    among the infobox dates. Templates in tables, captions and references go with these and are not counted.
    """
    total, kept, lost = Counter(), Counter(), []
    for article in articles:
        parsed = parse(article.text, article.prefixes, title=article.title)
        text = " ".join(parsed.text.split())
        source = read_source(article.text)
        days = {date.first for date in parsed.infobox_dates}
        for place, raw in source.templates:
            if raw[2:].lstrip().lower().startswith("infobox"):
                for day in infobox_days(raw):
                    total["date in an infobox"] += 1
                    kept["date in an infobox"] += day in days
                    lost += [] if day in days else [f"{article.title}: {day} is no infobox date"]
            family, forms = template_text(raw)
            forms = [form for form in (plain(form) for form in forms) if form and not NOT_PLAIN.search(form)]
            if not forms:
                continue
            before = source.prose[source.prose.rfind("\n", 0, place) + 1 : place]
            before = re.split(r"[\[\]{}<>&|\0='*#:;()]", before)[-1][-CONTEXT:].lstrip(" ,;.")
            total[family] += 1
            named = [f": {form}" for form in forms if "lang-" in raw.lower()]  # {{lang-ru|…}} names the language first
            if any(" ".join(wanted.split()) in text for wanted in [*named, *(before + form for form in forms)]):
                kept[family] += 1
            else:
                lost.append(f"{article.title}: …{before}{raw}")
    show("lost", lost, examples)
    by_family = {family: f"{kept[family]} of {count}" for family, count in total.most_common()}
    share = ratio(kept.total(), total.total(), 1.0)
    return {"templates": total.total(), "template text kept": share, "by family": by_family}


def plain(wikitext):
    """A template's argument as a reader sees it, where it holds no more than links, quotes and entities."""
    text = re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]", r"\1", wikitext)
    return " ".join(html.unescape(re.sub(r"''+|</?(?:small|nowiki|i|b)>", "", text)).split())


DOUBLE = re.compile(r"\[\[|\]\]|\{\{|\}\}|''|[\0-\x08\n|]")
"""What no anchor may hold: markup that was not read, and the scanner's own marks."""
LINK = re.compile(r"\[\[([^\[\]{}<>|\n:#&\0]+)(?:\|([^\[\]{}<>|\n&\0]+))?\]\]([a-z]*)")


def measure_links(articles, examples):
    """Emitted links whose offsets cut out a label, and the source's simple links that came out with their anchor."""
    emitted = held = simple = found = 0
    broken, missing = [], []
    for article in articles:
        parsed = parse(article.text, article.prefixes, title=article.title)
        pairs = Counter()
        for link in parsed.links:
            anchor = parsed.text[link.start : link.end]
            emitted += 1
            inside = 0 <= link.start < link.end <= len(parsed.text)
            if inside and anchor == anchor.strip() and not DOUBLE.search(anchor):
                held += 1
            else:
                broken.append(f"{article.title}: [{link.start}:{link.end}] {anchor!r} -> {link.target}")
            pairs[link.target, " ".join(anchor.split())] += 1
        for target, label, trail in LINK.findall(read_source(article.text).prose):
            target = " ".join(target.replace("_", " ").split())
            anchor = " ".join(re.sub(r"''+", "", (label.strip() or target) + trail).split())
            if not target or not anchor or target[0] in "/":
                continue
            simple += 1
            key = (target[0].upper() + target[1:], anchor)
            if pairs[key]:
                found += 1
                pairs[key] -= 1
            else:
                missing.append(f"{article.title}: {key}")
    show("broken", broken, examples)
    show("not emitted", missing, examples)
    return {
        "links": emitted,
        "link offsets that hold": ratio(held, emitted, 1.0),
        "simple links of the source": simple,
        "of them emitted with target and anchor": ratio(found, simple, 1.0),
    }


def ratio(part, whole, empty=0.0):
    return part / whole if whole else empty


def show(name, lines, most):
    for line in lines[:most]:
        print(f"  {name}: {line[:300]}")


def print_results(results):
    """The results as a table, each target with what it asks and whether it holds."""
    for command, values in results.items():
        print(command)
        for name, value in values.items():
            shown = f"{value:,.5f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
            sense, bound = TARGETS.get(name, ("", 0))
            holds = value <= bound if sense == "at most" else value >= bound if sense else True
            target = f"   target: {sense} {bound}{'' if holds else '  MISSED'}" if sense else ""
            print(f"  {name:<42}{shown}{target}")


CHECKS = {"marks": measure_marks, "verbatim": measure_verbatim, "kept": measure_kept, "links": measure_links}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=[*CHECKS, "speed", "all"])
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--examples", type=int, default=0, help="show so many of what was found or lost, a kind")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the speed measurement")
    parser.add_argument("--repeat", type=int, default=4, help="times that the dump is written behind itself for it")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples = os.environ.get("DEEPRED_SAMPLES")
    if not options.paths and not samples:
        parser.error("name dumps or files of wikitext, or set DEEPRED_SAMPLES")
    paths = options.paths or [Path(samples) / "wikipedia", Path(samples) / "wikitext"]
    results = {}
    for name, check in CHECKS.items():
        if options.command in (name, "all"):
            results[name] = check(read_articles(paths), options.examples)
    if options.command in ("speed", "all"):
        files = chain(*(sorted(path.iterdir()) if path.is_dir() else [path] for path in paths))
        largest = max((path for path in files if path.suffix == ".bz2"), key=lambda path: path.stat().st_size)
        results["speed"] = measure_speed(largest, options.rounds, options.repeat)
    print_results(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
