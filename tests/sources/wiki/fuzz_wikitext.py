"""A fuzz target for the wikitext scanner: generated and mutated pages, and the promises that hold for any of them.

    python tests/sources/wiki/fuzz_wikitext.py [--seconds 60] [--seed N]

Pages come from a grammar of constructs, whole and broken, and from mutations of real wikitext where DEEPRED_SAMPLES is
set. For each the scanner must not raise, must stay within a time proportional to the length, and must give offsets that
hold and text without its own marks. A failure is cut down to a small page and printed as a line that reproduces it.
"""

import argparse
import os
import random
import sys
import time
from itertools import permutations, product
from pathlib import Path

from deepred.sources.wiki.layout import MARKS
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse

ENGLISH = Prefixes.of("en")
SECONDS_PER_100_KB = 0.5
"""What a page may cost at most; ordinary ones cost a hundredth."""
LEAST_SECONDS = 0.25
"""Below this nothing is measured: short pages cost less than the clock and the garbage collector wobble."""

OPENERS = [
    "{{", "[[", "{|", "\n{|", "<nowiki>", "<ref>", "<!--", "'''", "==", "\n==", "[http://", "{{{", "<div>",
    "&", "-{", "__",
]  # fmt: skip
CLOSERS = [
    "}}",
    "]]",
    "|}",
    "\n|}",
    "</nowiki>",
    "</ref>",
    "-->",
    "'''",
    "==",
    "]",
    "}}}",
    "</div>",
    ";",
    "}-",
    "__",
    ">",
]
ODD = ["<!--", "&nbsp;", "&#x41;", "&#2;", "&", "&bogus;", "__TOC__", "-{", "}-", "~~~~", "|", "http://a.b", "\t"]
WORDS = [
    "Mars",
    "the planet",
    "1969",
    "20 July",
    "Ünïcode",
    "漢字",
    "a",
    ".",
    ", ",
    "(",
    ")",
    " ",
    "\n",
    "\n\n",
    "\u00a0",
]
TARGETS = [
    "Mars",
    "Moon (film)",
    "File:a.jpg",
    "Category:Ships",
    "de:Mond",
    ":fr:Lune",
    "#top",
    "a#b",
    "",
    "http://a.b",
    "x_y",
]
NAMES = [
    "convert|5|km|mi", "lang|fr|mot", "birth date|1809|2|12", "Infobox ship|built=1809", "quote|text", "circa|1900",
    "unknown", "cite book|title=x", "nowrap|x", "flag|UK", "as of|2010", "transl|ru|slovo", "", "#if:x|y|z", "!", "=",
    "frac|1|2", "IPA|x", "sfn|a", "Disambiguation", "start date|1969|7|20|df=y", "convert|a|b|c", "date|x", "ubl|a|b",
]  # fmt: skip
TAGS = [
    "ref", "nowiki", "div", "span", "table", "tr", "td", "poem", "math", "gallery", "br", "sup", "sub", "pre", "small",
    "syntaxhighlight", "blockquote", "center", "score", "noinclude", "includeonly", "onlyinclude", "REF", "code", "ce",
]  # fmt: skip


def generate(pick, depth=0):
    """A random construct, most often whole, sometimes without its end, with others inside."""

    def inner():
        return "".join(generate(pick, depth + 1) for _ in range(pick.randint(0, 3 if depth < 6 else 0)))

    def maybe(closer):
        return closer if pick.random() < 0.9 else ""

    kind = pick.randrange(14)
    if kind <= 3 or depth > 8:
        return "".join(pick.choices(WORDS, k=pick.randint(1, 6)))
    if kind == 4:
        label = "|" + inner() if pick.random() < 0.5 else ""
        return f"[[{pick.choice(TARGETS)}{label}{maybe(']]')}{pick.choice(['', 's', ']'])}"
    if kind == 5:
        return "{{" + pick.choice(NAMES) + ("|" + inner()) * pick.randint(0, 2) + maybe("}}")
    if kind == 6:
        return "{{{" + inner() + "|" + inner() + maybe("}}}")
    if kind == 7:
        cells = pick.choice(["\n|", "||", "\n!", "!!", "\n|-\n|", "\n|+"])
        return "\n{| class=x" + "".join(cells + inner() for _ in range(pick.randint(0, 4))) + maybe("\n|}")
    if kind == 8:
        tag = pick.choice(TAGS)
        attributes = pick.choice(["", " name=x", " style='a'", "/", ' a=">"'])
        return f"<{tag}{attributes}>{inner()}{maybe(f'</{tag}>')}"
    if kind == 9:
        marks = "=" * pick.randint(1, 7)
        return f"\n{marks}{inner()}{maybe(marks)}\n"
    if kind == 10:
        return pick.choice(ODD) + inner()
    if kind == 11:
        return f"\n{''.join(pick.choices('*#:; ', k=pick.randint(1, 4)))}{inner()}"
    if kind == 12:
        return f"[{pick.choice(['http://a.b', '//a.b', 'mailto:x', ''])} {inner()}{maybe(']')}"
    return "'" * pick.randint(1, 6) + inner() + "'" * pick.randint(0, 6)


def mutate(pick, text):
    """A piece of a real page with pieces moved, doubled, dropped or replaced by openers, closers and odd characters."""
    start = pick.randrange(max(1, len(text) - 20_000))
    text = text[start : start + pick.randint(10, 20_000)]
    for _ in range(pick.randint(1, 20)):
        at = pick.randrange(len(text) + 1)
        end = min(len(text), at + pick.choice([0, 1, 2, 10, 200]))
        piece = pick.choice(
            [
                "",
                text[at:end] * 2,
                pick.choice(OPENERS),
                pick.choice(CLOSERS),
                pick.choice(OPENERS) * pick.randint(1, 300),
                chr(pick.choice([0, 1, 2, 3, 4, 5, 6, 7, 14, 9, 13, 127, 0x200E, 0xFEFF, 0xFFFF, 0x1F600])),
                generate(pick),
            ]
        )
        text = text[:at] + piece + text[end:]
    return text


def problem(wikitext, tables="drop"):
    """What is wrong with the scanner's answer to a page, or nothing."""
    began = time.process_time()
    try:
        parsed = parse(wikitext, ENGLISH, title="Page", tables=tables)
    except Exception as error:
        return f"it raised {type(error).__name__}: {error}"
    seconds = time.process_time() - began
    if seconds > max(LEAST_SECONDS, SECONDS_PER_100_KB * len(wikitext.encode("utf-8", "replace")) / 100_000):
        return f"it took too long: {seconds:.2f} s for {len(wikitext):,} characters"
    text = parsed.text
    if found := set(text) & set(MARKS):
        return f"the scanner's own marks are in the text: {found!r}"
    if text != text.strip():
        return "the text begins or ends with white space"
    at = 0
    for link in parsed.links:
        if not at <= link.start < link.end <= len(text):
            return f"a link lies outside the text or overlaps the one before it: {link}"
        if not text[link.start : link.end].strip() or not link.target.strip():
            return f"a link has no anchor or no target: {link}"
        at = link.end
    at = -1
    for section in parsed.sections:
        if section.start <= at or not text.startswith(section.title, section.start):
            return f"a section does not begin where it says: {section}"
        if section.start and text[section.start - 1] != "\n":
            return f"a section does not begin a line: {section}"
        at = section.start
    return ""


def shrink(wikitext, tables, seconds=5.0):
    """A shorter page with a problem of the same kind: pieces are left out while it remains."""
    kind = problem(wikitext, tables).partition(":")[0]
    until = time.monotonic() + seconds
    size = len(wikitext) // 2
    while size and time.monotonic() < until:
        at = 0
        while at < len(wikitext) and time.monotonic() < until:
            shorter = wikitext[:at] + wikitext[at + size :]
            if problem(shorter, tables).partition(":")[0] == kind:
                wikitext = shorter
            else:
                at += size
        size //= 2
    return wikitext


def repetitions(characters=100_000):
    """Pages of nothing but openers: each, every pair, triples of the most common, and openers half closed."""
    for parts in [*((opener,) for opener in OPENERS), *permutations(OPENERS, 2), *permutations(OPENERS[:8], 3)]:
        unit = "".join(parts)
        yield unit * (characters // len(unit))
    for opener, closer in product(OPENERS, CLOSERS):
        half = characters // 2
        yield opener * (half // len(opener)) + closer * (half // len(closer))
        unit = f"{opener}a{opener}b|{closer} "
        yield unit * (characters // len(unit))


def real_pages():
    """The samples' raw wikitext; nothing where they are not there."""
    folder = os.environ.get("DEEPRED_SAMPLES")
    files = sorted((Path(folder) / "wikitext").glob("*.txt")) if folder else []
    return [file.read_text(encoding="utf-8") for file in files]


def fuzz(seed, seconds=1e9, most=1 << 62):
    """Random pages until the time or the number is up: how many, and the first that fails (page, problem, tables)."""
    pick, pages, count = random.Random(seed), real_pages(), 0
    until = time.monotonic() + seconds
    while count < most and time.monotonic() < until:
        count += 1
        text = mutate(pick, pick.choice(pages)) if pages and pick.random() < 0.5 else ""
        text = text or "".join(generate(pick) for _ in range(pick.randint(1, 40)))
        tables = pick.choice(["drop", "text"])
        if problem(text, tables):
            text = shrink(text, tables)
            return count, (text, problem(text, tables), tables)
    return count, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--openers", action="store_true", help="also 100 KB of every combination of openers (minutes)")
    options = parser.parse_args()
    if options.openers:
        slow = [(text, wrong) for text in repetitions() if (wrong := problem(text))]
        for text, wrong in slow:
            print(f"{text[:40]!r}… {wrong}")
        if slow:
            sys.exit(1)
    count, failure = fuzz(options.seed, options.seconds)
    print(f"seed {options.seed}: {count:,} pages")
    if failure:
        text, wrong, tables = failure
        print(f"{wrong}\nreproduce: parse({text!r}, Prefixes.of('en'), tables={tables!r})")
        sys.exit(1)


if __name__ == "__main__":
    main()
