"""Wikitext as plain text with its structure: one pass over the openers and closers, an explicit stack, nothing re-read.

In: the wikitext of one page, and the prefixes of its wiki. Out: paragraphs, headings, list items and quotations as
text, and links, sections, categories and infobox dates with offsets into that text. The pass pushes a frame per opener
and renders a frame when its closer comes, innermost first, so that every character is read once however deeply it is
nested; an opener that is never closed is forgotten at the end. It never raises but for its time limit.
Markup: https://www.mediawiki.org/wiki/Markup_spec
"""

from __future__ import annotations

import html
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from deepred.sources.infobox import InfoboxDate, find_dates, is_infobox
from deepred.sources.layout import (
    BREAK,
    CONTROL,
    KEPT,
    KEPT_END,
    LABEL,
    LINK,
    LINK_END,
    MARKS,
    PIPE,
    Link,
    Section,
    lay_out,
    plain_value,
    settle,
    strip_inline,
    take_marks,
)
from deepred.sources.prefixes import CATEGORY, FILE, Prefixes, normalise_title
from deepred.sources.templates import VOID, Arguments, drop, find_rule

Tables = Literal["drop", "text"]
Math = Literal["drop", "tex"]

MAX_DEPTH = 100
"""Frames on the stack at most; MediaWiki itself stops at 40 templates. Beyond it all open ones count as unclosed."""

LITERAL = ("nowiki", "pre", "math", "chem", "ce", "syntaxhighlight", "source")
DROPPED = (
    "ref", "gallery", "timeline", "score", "imagemap", "graph", "mapframe", "maplink", "templatedata", "hiero",
    "templatestyles", "references", "includeonly", "categorytree", "inputbox", "indicator", "charinsert", "section",
    "rss", "youtube", "ref-web", "tabber", "gpx",
)  # fmt: skip
_CLOSERS = {
    name: re.compile("</" + "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in name) + r"\s*+>")
    for name in (*LITERAL, *DROPPED)
}
_TAGS = "|".join(sorted(_CLOSERS, key=len, reverse=True))
TOKEN = re.compile(
    r"\[\[([^\[\]{}<|\n]++)(?:\|([^\[\]{}<|\n]*+))?+\]\](?!\])([a-z]*+)"  # a link with nothing inside: most are
    r"|\{\{([^{}\[\]<]++)\}\}(?!\})"  # a template likewise
    r"|\{\{+|\}\}+"
    r"|\[(?:\[(?!\[[^\[])|(?=\[\[[^\[]))"  # of [[[ the first is a bracket
    r"|\](?:\](?!\](?!\]))|(?=\]\](?!\])))"  # of ]]] likewise
    r"|\n[ \t:]*+\{\||\n[ \t]*+\|\}(?!\})"
    rf"|<(?:!--|(?i:{_TAGS})(?![\w-])[^<>]*+>|/?(?i:table|poem)(?![\w-])[^<>]*+>)"
)
_CELL = re.compile(r"\n[ \t]*+(?:\|-[^\n]*+|[|!]\+?)|\|\||!!|</?t[dhr][^<>]*+>")
LAYOUT_CELL = 1500
"""Characters from which a table's cell holds the article itself: tables were long used to lay out pages."""
_DIGIT = re.compile(r"\d")
_TAG_NAME = re.compile(r"</?([\w-]+)")
_TRAIL = re.compile(r"[a-z]+")


class SlowError(Exception):
    """The page took longer than its time limit."""


@dataclass(slots=True)
class Parsed:
    """What a page says, without markup; offsets count characters of ``text``."""

    text: str = ""
    sections: list[Section] = field(default_factory=list[Section])
    links: list[Link] = field(default_factory=list[Link])
    categories: list[str] = field(default_factory=list[str])
    infobox: str = ""
    infobox_dates: list[InfoboxDate] = field(default_factory=list[InfoboxDate])
    disambiguation: bool = False
    templates: Counter[str] = field(default_factory=Counter[str])
    """Templates without a rule, by name: what was dropped because nobody knows its text."""


def parse(
    wikitext: str,
    prefixes: Prefixes,
    *,
    title: str = "",
    tables: Tables = "drop",
    math: Math = "tex",
    seconds: float = 0.0,
) -> Parsed:
    """The text and structure of a page. Raises SlowError after ``seconds`` (0: no limit).

    >>> parse("'''Mars''' is a [[Terrestrial planet|rocky]] planet.", Prefixes.of("en")).text
    'Mars is a rocky planet.'
    """
    return _Scanner(prefixes, title, tables, math, seconds).parse(wikitext)


Frame = tuple[int, int]
"""A kind, and where its content begins in the list of output pieces."""
_TEMPLATE, _PARAMETER, _LINK_FRAME, _TABLE_FRAME, _HTML_FRAME, _POEM_FRAME = range(6)


class _Scanner:
    """The state of one page: what was found beside the text, and the literal pieces that come back at the end."""

    def __init__(self, prefixes: Prefixes, title: str, tables: Tables, math: Math, seconds: float) -> None:
        self.prefixes = prefixes
        self.title = title
        self.tables = tables
        self.math = math
        self.deadline = time.monotonic() + seconds if seconds else 0.0
        self.parsed = Parsed()
        self.targets: list[str] = []
        self.kept: list[str] = []
        self.broken_table = False

    def parse(self, wikitext: str) -> Parsed:
        if any(mark in wikitext for mark in MARKS):
            wikitext = CONTROL.sub("", wikitext)
        text = strip_inline(self.scan("\n" + restore(wikitext)))
        text = settle(lay_out(text, self.broken_table), self.kept)
        self.parsed.text, self.parsed.sections, self.parsed.links = take_marks(text, self.targets)
        return self.parsed

    def scan(self, text: str) -> str:
        """The text with every closed frame rendered, innermost first."""
        out: list[str] = []
        stack: list[Frame] = []
        unclosed: set[str] = set()
        search, append, link = TOKEN.search, out.append, self.link
        at = 0
        while match := search(text, at):
            start, end = match.span()
            if start > at:
                append(text[at:start])
            at = end
            if kind := match.lastindex:
                append(link(*match.group(1, 2, 3)) if kind == 3 else self.template(match[4]))
                continue
            token = text[start:end]
            first = token[0]
            if first == "[":
                if end - start == 2:
                    push(stack, _LINK_FRAME, len(out))
                else:
                    append(token)
            elif first == "]":
                if end - start == 1:
                    append(token)
                elif stack and stack[-1][0] == _LINK_FRAME:
                    target, pipe, label = take(stack, out, len(stack) - 1).partition("|")
                    match = _TRAIL.match(text, at)
                    at = match.end() if match else at
                    append(link(target, label.replace("|", PIPE) if pipe else None, match[0] if match else ""))
            elif first == "{":
                open_braces(end - start, stack, len(out))
            elif first == "}":
                self.close_braces(end - start, stack, out)
            elif first == "\n":
                append("\n")
                if token[-1] == "|":
                    push(stack, _TABLE_FRAME, len(out))
                else:
                    depth = nearest(stack, _TABLE_FRAME)
                    append(self.table(take(stack, out, depth)) if depth >= 0 else "")
            elif token == "<!--":
                close = text.find("-->", at)
                at = close + 3 if close >= 0 else len(text)
                append(VOID)
            else:
                at = self.tag(text, token, at, stack, out, unclosed)
        append(text[at:])
        self.broken_table = nearest(stack, _TABLE_FRAME) >= 0 or nearest(stack, _HTML_FRAME) >= 0
        return "".join(out)

    def close_braces(self, count: int, stack: list[Frame], out: list[str]) -> None:
        while count >= 2:
            inner = len(stack) - 1
            braces = inner >= 0 and stack[inner][0] <= _PARAMETER  # most often nothing else is open inside
            depth = inner if braces else max(nearest(stack, _TEMPLATE), nearest(stack, _PARAMETER))
            if depth < 0:
                return
            if stack[depth][0] == _PARAMETER and count >= 3:
                out.append(take(stack, out, depth).partition("|")[2].replace("|", PIPE))
                count -= 3
            else:
                out.append(self.template(take(stack, out, depth)))
                count -= 2
        if count:
            out.append("}")

    def tag(self, text: str, token: str, at: int, stack: list[Frame], out: list[str], unclosed: set[str]) -> int:
        """Render an extension tag with its content, or open or close a table or poem; returns where to read on."""
        match = _TAG_NAME.match(token)
        name = match[1].lower() if match else ""
        if name in ("table", "poem"):
            kind = _HTML_FRAME if name == "table" else _POEM_FRAME
            if token[1] != "/":
                push(stack, kind, len(out))
                return at
            depth = nearest(stack, kind)
            if depth >= 0:
                content = take(stack, out, depth)
                poem = content.strip("\n").replace("\n", BREAK)
                out.append(self.table(content) if name == "table" else f"\n\n{poem}\n\n")
            return at
        if token[-2] == "/":
            return at
        closer = None if name in unclosed else _CLOSERS[name].search(text, at)
        if closer is None:
            # searched to the end once: never again for this tag, or repeated openers would cost the square
            unclosed.add(name)
            return at
        if name in LITERAL:
            out.append(self.literal(name, text[at : closer.start()]))
        elif name != "ref":
            out.append(VOID)
        return closer.end()

    def literal(self, name: str, content: str) -> str:
        """A mark for a piece that stays as it is written."""
        if name in ("math", "chem", "ce"):
            if self.math == "drop":
                return VOID
            # TeX reads "} }" as "}}", and no reader takes it for a template
            content = re.sub(r"([{}\[\]])(?=\1)", r"\1 ", " ".join(content.split()))
        self.kept.append(CONTROL.sub("", html.unescape(content)) if "&" in content else content)
        mark = f"{KEPT}{len(self.kept) - 1}{KEPT_END}"
        return (
            f"\n\n{mark}\n\n" if name in ("pre", "syntaxhighlight", "source") and "\n" in content.strip("\n") else mark
        )

    def link(self, target: str, label: str | None, trail: str) -> str:
        """A closed ``[[…]]``: its label between link marks, or nothing for files, categories and other languages."""
        # marks and line breaks are not printable, so one test finds all that is out of the ordinary
        if ":" in target or not target.isprintable():
            return self.odd_link(target, label, trail)
        if label is None:
            label = target
        elif not label:
            label = without_parentheses(target)
        title = normalise_title(target)
        label = label.strip() + trail
        if not title or not label.isprintable():
            return self.marked(title, label, "")
        self.targets.append(title)
        return f"{LINK}{len(self.targets) - 1}{LABEL}{label}{LINK_END}"

    def marked(self, title: str, label: str, trail: str) -> str:
        """A label between link marks; a link to a section of the same page is its label alone."""
        label = label.strip() + trail
        if "|" in label:
            label = label.replace("|", PIPE)
        if not title or LINK in label or not label.strip(VOID + " "):
            return label.removeprefix("#")
        self.targets.append(title)
        return f"{LINK}{len(self.targets) - 1}{LABEL}{label}{LINK_END}"

    def odd_link(self, target: str, label: str | None, trail: str) -> str:
        """A link with a prefix, or a broken one."""
        target = target.replace(VOID, "").strip()
        if "\n" in target or LINK in target or not target:
            return (target if label is None else label).replace("|", PIPE) + trail
        plain = target[0] == ":"
        target = target.lstrip(": ")
        prefix, _, rest = target.partition(":")
        space = self.prefixes.find(prefix)
        if space is None:
            return self.marked(normalise_title(target), label or target, trail)
        if not plain:
            if space == FILE:
                return VOID + trail
            if space == CATEGORY:
                self.parsed.categories.append(normalise_title(rest))
                return VOID + trail
            if prefix in self.prefixes.languages:
                return VOID + trail
        return self.marked("", label or without_parentheses(target.rpartition(":")[2]), trail)

    def template(self, content: str) -> str:
        """A closed ``{{…}}`` as its handler renders it; a mark of something dropped where there is none."""
        if self.deadline and time.monotonic() > self.deadline:
            raise SlowError(self.title)
        name, rule = find_rule(content.partition("|")[0])
        if rule is drop:
            return VOID
        parts = content.split("|")
        if rule is not None:
            return rule(Arguments(name, parts)).replace("|", PIPE)
        if is_infobox(name):
            self.parsed.infobox = self.parsed.infobox or name[:1].upper() + name[1:]
            self.parsed.infobox_dates += find_dates(
                plain_value(part, self.kept) for part in parts[1:] if _DIGIT.search(part)
            )
        elif name in ("pagename", "fullpagename", "subpagename"):
            return self.title
        elif self.prefixes.is_disambiguation(name):
            self.parsed.disambiguation = True
        elif name:
            self.parsed.templates[name[:80]] += 1
        return VOID

    def table(self, content: str) -> str:
        """A closed table: nothing, or a line of text per row."""
        if self.tables == "drop":
            if len(content) < LAYOUT_CELL:
                return VOID
            cells = (cell.rpartition("|")[2] for cell in _CELL.split(content) if len(cell) > LAYOUT_CELL)
            return "\n\n".join(["", *cells, ""]) or VOID
        rows: list[str] = []
        for row in re.split(r"\n[ \t]*\|-[^\n]*|</?tr[^<>]*+>", "\n" + (content.partition("\n")[2] or content)):
            shown = [" ".join(cell.rpartition("|")[2].split()) for cell in _CELL.split(row)]
            line = " | ".join(cell for cell in shown if cell.strip(VOID + " "))
            if line:
                rows.append(line.replace("|", PIPE))
        return "\n\n" + "\n* ".join(["", *rows]) + "\n\n" if rows else VOID


def push(stack: list[Frame], kind: int, index: int) -> None:
    """Open a frame; where too many are open, all count as never closed."""
    if len(stack) >= MAX_DEPTH:
        stack.clear()
    stack.append((kind, index))


def nearest(stack: list[Frame], kind: int) -> int:
    """The depth of the innermost open frame of a kind, -1 where none is open."""
    return next((depth for depth in range(len(stack) - 1, -1, -1) if stack[depth][0] == kind), -1)


def take(stack: list[Frame], out: list[str], depth: int) -> str:
    """Close a frame, and forget those opened inside it: its content leaves the output."""
    index = stack[depth][1]
    del stack[depth:]
    content = "".join(out[index:])
    del out[index:]
    return content


def open_braces(count: int, stack: list[Frame], index: int) -> None:
    """Open the frames of a run of braces: of four two templates, of five a parameter in a template."""
    for _ in range(MAX_DEPTH):
        if count < 2:
            return
        parameter = count == 3 or count > 4
        push(stack, _PARAMETER if parameter else _TEMPLATE, index)
        count -= 3 if parameter else 2


def without_parentheses(title: str) -> str:
    """What a link shows whose label is empty: ``without_parentheses("Moon (film)") == "Moon"``."""
    return title.partition(" (")[0].strip()


_ONE_LINE = re.compile(r" (?=\{\||\|[-}] |[|!] |[*#] |={2,5}[^=\n]{1,100}={2,5} )|(?<===) ")


def restore(wikitext: str) -> str:
    """Wikitext that was damaged when it was copied out of a dump: escaped twice, or all on one line."""
    if "&lt;ref" in wikitext and "<" not in wikitext:
        wikitext = html.unescape(wikitext)
    if "==" in wikitext and "\n" not in wikitext[:10_000] and "\n" not in wikitext.rstrip():
        wikitext = _ONE_LINE.sub("\n", wikitext)
    return wikitext
