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
from functools import lru_cache
from typing import Literal

from deepred.sources.wiki.infobox import InfoboxDate, find_dates, is_infobox
from deepred.sources.wiki.layout import (
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
    strip_tags,
    take_marks,
    whole_links,
)
from deepred.sources.wiki.prefixes import CATEGORY, FILE, Prefixes, normalise_title
from deepred.sources.wiki.quotes import EDGE, edged, shield
from deepred.sources.wiki.template_arguments import VOID, Arguments, drop
from deepred.sources.wiki.templates import find_rule

Tables = Literal["drop", "text"]
Captions = Literal["drop", "text"]
Math = Literal["drop", "tex"]

MAX_DEPTH = 100
"""Frames on the stack at most; MediaWiki itself stops at 40 templates. Beyond it all open ones count as unclosed."""

LITERAL = ("nowiki", "pre", "math", "chem", "ce", "syntaxhighlight", "source")
DROPPED = (
    "ref", "gallery", "timeline", "score", "imagemap", "graph", "mapframe", "maplink", "templatedata", "hiero",
    "templatestyles", "references", "includeonly", "categorytree", "inputbox", "indicator", "charinsert", "section",
    "rss", "youtube", "ref-web", "tabber", "gpx",
)  # fmt: skip
_TAGS = "|".join(sorted((*LITERAL, *DROPPED), key=len, reverse=True))
_LINK = r"\[\[([^\[\]{}<>|\n]++)(?:\|([^\[\]{}<>|\n]*+))?+\]\]([a-z]*+)"
_TEMPLATE_ALONE = r"\{\{([^{}\[\]<>]++)\}\}(?!\})"
_TOKENS = (
    r"\{\{+|\}\}+",
    r"\[(?:\[(?!\[[^\[])|(?=\[\[[^\[]))",  # of [[[ the first is a bracket
    r"\](?:\](?!\](?!\]))|(?=\]\](?!\])))",  # of ]]] likewise
    r"\n[ \t:]*+\{(?:\||\{(?:\{!\}\}(?!\})|\(!\}\}))",  # a table: {|, or {{{!}} and {{(!}} in a template's argument
    r"\n[ \t]*+(?:\|\}(?!\})|\{\{!(?:\)\}\}|\}\}\}(?:(?=\}\}(?!\}))|(?!\}))))",  # its end likewise
    r"<(?i:ref)(?![\w-])[^<>]*+(?<![/-])>[^<>]*+</(?i:ref)\s*+>",  # a reference with no tag inside: most are
    r"<!--[^<>-]*+(?:-(?!->)[^<>-]*+)*+-->|<!--|-->",  # a comment likewise
    rf"</?(?i:table|poem|{_TAGS})(?![\w-])[^<>]*+(?<!--)>",
)
SPLIT = re.compile(f"({_LINK}|{_TEMPLATE_ALONE}|{'|'.join(_TOKENS)})")
"""Cuts wikitext at its tokens. Groups: the token; target, label and trail of a link with nothing inside, as most are;
content of a template likewise. One group around all, of which every branch begins with a character, is what lets the
engine skip the text between."""
COMMENT = "!--"
_TABLE_CAPTION = re.compile(r"\n[ \t]*+\|\+([^\n]*+)")
_OPTION = re.compile(
    r"\d{0,6}x?\d{1,6} {0,3}px|(?:upright|alt|link|class|page|lang|thumb|frame|border|left|right|cent(?:er|re)|none).*"
)
_CELL = re.compile(r"\n[ \t]*+(?:\|-[^\n]*+|[|!]\+?)|\|\||!!|</?t[dhr][^<>]*+>")
LAYOUT_CELL = 1500
"""Characters from which a table's cell holds the article itself: tables were long used to lay out pages."""
_TAG_NAME = re.compile(r"</?([\w-]+|!--)")


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
    captions: Captions = "drop",
    math: Math = "tex",
    seconds: float = 0.0,
) -> Parsed:
    """The text and structure of a page. Raises SlowError after ``seconds`` (0: no limit).

    >>> parse("'''Mars''' is a [[Terrestrial planet|rocky]] planet.", Prefixes.of("en")).text
    'Mars is a rocky planet.'
    """
    return _Scanner(prefixes, title, tables, captions, math, seconds).parse(wikitext)


Frame = tuple[int, int]
"""A kind, and where its content begins in the list of output pieces."""
_TEMPLATE, _PARAMETER, _LINK_FRAME, _TABLE_FRAME, _HTML_FRAME, _POEM_FRAME, _GALLERY_FRAME = range(7)
_TAG_FRAMES = {"table": _HTML_FRAME, "poem": _POEM_FRAME, "gallery": _GALLERY_FRAME}


class _Scanner:
    """The state of one page: what was found beside the text, and the literal pieces that come back at the end."""

    def __init__(
        self, prefixes: Prefixes, title: str, tables: Tables, captions: Captions, math: Math, seconds: float
    ) -> None:
        self.prefixes = prefixes
        self.title = title
        self.tables = tables
        self.captions = captions
        self.math = math
        self.deadline = time.monotonic() + seconds if seconds else 0.0
        self.parsed = Parsed()
        self.targets: list[str] = []
        self.kept: list[str] = []
        self.broken_table = False
        self.out: list[str] = []
        self.stack: list[Frame] = []
        self.pieces: list[str] = []
        self.closers: Counter[str] | None = None
        self.passed: Counter[str] = Counter()
        self.reading = ""

    def parse(self, wikitext: str) -> Parsed:
        if any(mark in wikitext for mark in MARKS):
            wikitext = CONTROL.sub("", wikitext)
        text = strip_inline(self.scan("\n" + restore(wikitext)))
        text = settle(lay_out(text, self.broken_table), self.kept)
        self.parsed.text, self.parsed.sections, self.parsed.links = take_marks(text, self.targets)
        return self.parsed

    def scan(self, text: str) -> str:
        """The text with every closed frame rendered, innermost first."""
        first, *self.pieces = SPLIT.split(text)
        out, targets = self.out, self.targets
        append = out.append
        append(first)
        content: list[str] = []  # of the tag that is being read
        pieces = iter(self.pieces)
        for token, target, label, trail, alone, after in zip(*[pieces] * 6, strict=True):
            if self.reading:
                if closed(token) == self.reading:
                    append(self.finish("".join(content)) + after)
                    content.clear()
                elif self.reading in LITERAL:
                    content += (token, after)
            elif target is not None:
                title = plain_title(target)
                if title and (
                    label is None or (label and "<" not in label and label.isprintable())
                ):  # as in link(), without the call
                    append(f"{LINK}{len(targets)}{LABEL}{(label or target).strip()}{trail}{LINK_END}{after}")
                    targets.append(title)
                else:
                    append(self.link(target, label, trail) + after)
            elif alone is not None:
                append(self.template(alone) + after)
            elif token[0] == "]":
                append(self.close_bracket(token, after))
            else:
                self.token(token)
                (content if self.reading else out).append(after)
        self.broken_table = nearest(self.stack, _TABLE_FRAME) >= 0 or nearest(self.stack, _HTML_FRAME) >= 0
        return "".join(out)

    def token(self, token: str) -> None:
        """Open or close a frame."""
        first = token[0]
        if first == "{":
            open_braces(len(token), self.stack, len(self.out))
        elif first == "}":
            self.close_braces(len(token))
        elif first == "\n":
            self.out.append("\n")
            bare = token.lstrip("\n\t :")
            if bare in ("{|", "{{{!}}", "{{(!}}"):
                push(self.stack, _TABLE_FRAME, len(self.out))
                # so that the line of a table that is never closed can be told from text
                self.out.append("{|" if bare == "{|" else "{" + PIPE)
            elif (depth := nearest(self.stack, _TABLE_FRAME)) >= 0:
                self.out.append(self.table(self.take(depth)))
        elif first == "<":
            self.tag(token)
        elif token == "[[":
            push(self.stack, _LINK_FRAME, len(self.out))
        else:
            self.out.append(token)

    def take(self, depth: int) -> str:
        """Close a frame, and forget those opened inside it: its content leaves the output."""
        index = self.stack[depth][1]
        del self.stack[depth:]
        content = "".join(self.out[index:])
        del self.out[index:]
        return content

    def close_bracket(self, token: str, after: str) -> str:
        """The link that ``]]`` closes, with the text after it: letters that touch it belong to its label."""
        if len(token) == 1 or not self.stack or self.stack[-1][0] != _LINK_FRAME:
            return (token if len(token) == 1 else "") + after
        target, pipe, label = self.take(len(self.stack) - 1).partition("|")
        rest = after.lstrip("abcdefghijklmnopqrstuvwxyz")
        trail = after[: len(after) - len(rest)]
        return self.link(target, label.replace("|", PIPE) if pipe else None, trail) + rest

    def close_braces(self, count: int) -> None:
        stack = self.stack
        while count >= 2:
            inner = len(stack) - 1
            braces = inner >= 0 and stack[inner][0] <= _PARAMETER  # most often nothing else is open inside
            depth = inner if braces else max(nearest(stack, _TEMPLATE), nearest(stack, _PARAMETER))
            if depth < 0:
                return
            if stack[depth][0] == _PARAMETER and count >= 3:
                self.out.append(self.take(depth).partition("|")[2].replace("|", PIPE))
                count -= 3
            else:
                rest = "{" if stack[depth][0] == _PARAMETER else ""  # of three braces two are closed
                self.out.append(rest + self.template(self.take(depth)))
                count -= 2
        if count:
            self.out.append("}")

    def tag(self, token: str) -> None:
        """Open or close a table or poem, or begin to read the content of a tag that is kept or dropped as it is."""
        match = _TAG_NAME.match(token)
        name = match[1].lower() if match else ""
        if name in ("table", "poem") or (name == "gallery" and self.captions == "text"):
            kind = _TAG_FRAMES[name]
            if token[1] != "/":
                push(self.stack, kind, len(self.out))
            elif (depth := nearest(self.stack, kind)) >= 0:
                self.out.append(self.framed(kind, self.take(depth)))
        elif name == COMMENT:
            self.out.append(VOID)
            self.reading = COMMENT if token == "<!--" else ""  # one that is never closed hides the rest of the page
        elif token[1] == "/":
            self.passed[name] += 1
        elif token[-2] != "/" and token.find("<", 1) < 0 and self.is_closed(name):  # with a "<" it closes itself
            self.reading = name
        elif name == "nowiki" or self.out[-1][-1:] == "'":  # it shows nothing, and keeps apostrophes apart
            self.out.append(EDGE)

    def framed(self, kind: int, content: str) -> str:
        """What a table, poem or gallery in HTML tags shows."""
        if kind == _HTML_FRAME:
            return self.table(content)
        if kind == _POEM_FRAME:
            return "\n\n" + content.strip("\n").replace("\n", BREAK) + "\n\n"
        captions = (line.partition("|")[2].rpartition("|")[2].strip() for line in content.split("\n"))
        return "".join(f"\n* {caption}" for caption in captions if caption) + "\n\n"

    def caption(self, label: str) -> str:
        """The caption of a file, which stands last among its options, as a paragraph; of a framed one only.

        An image within a line shows its caption to nobody.
        """
        options = [option.strip() for option in label.split(PIPE)]
        framed = any(option.lower() in self.prefixes.thumbnails for option in options[:-1])
        return f"\n\n{options[-1]}\n\n" if framed and _OPTION.fullmatch(options[-1]) is None else VOID

    def is_closed(self, name: str) -> bool:
        """Whether a closer of this tag is still to come."""
        if self.closers is None:
            self.closers = Counter(closed(token) for token in self.pieces[::6] if token[0] in "<-")
        return self.closers[name] > self.passed[name]

    def finish(self, content: str) -> str:
        """What a tag shows whose content has been read to its closer."""
        name, self.reading = self.reading, ""
        self.passed[name] += 1
        if name in LITERAL:
            return self.literal(name, content)
        return VOID if name != "ref" else EDGE if self.out[-1][-1:] == "'" else ""

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
        if label is None and "'" in target:  # MediaWiki leaves apostrophes of titles as they are
            label, target = shield(target), target.replace(EDGE, "")
        title = plain_title(target)
        if title is None:
            return self.odd_link(target.replace(EDGE, ""), label, trail)
        return self.marked(title, target if label is None else label or without_parentheses(target), trail)

    def marked(self, title: str, label: str, trail: str) -> str:
        """A label between link marks; a link to a section of the same page is its label alone."""
        label = label.strip() + trail
        if "|" in label:
            label = label.replace("|", PIPE)
        if "\n" in label:
            label = " ".join(label.split("\n"))
        if "<" in label:  # a tag that ends a paragraph must not end it within a link
            label = " ".join(strip_tags(label).replace(BREAK, " ").split())
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
        if rest.startswith("//"):  # an outward link in two pairs of brackets
            return f"[{target}{' ' + label if label else ''}]{trail}"
        space = self.prefixes.find(prefix)
        if space is None:
            return self.marked(normalise_title(target), label or target, trail)
        if not plain:
            if space == FILE:
                return self.caption(label) + trail if self.captions == "text" and label else VOID + trail
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
            shown = rule(Arguments(name, parts, self.prefixes.language)).replace("|", PIPE)
            return edged(shown) if "'" in shown else shown
        if is_infobox(name):
            self.parsed.infobox = self.parsed.infobox or name[:1].upper() + name[1:]
            self.parsed.infobox_dates += find_dates(
                parts[1:], lambda value: plain_value(value, self.kept), self.prefixes.language
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
        if content.startswith("{" + PIPE):  # its bars came as {{!}}
            content = content.replace(PIPE, "|")
        content = content.removeprefix("{|")
        if self.tables == "drop":
            kept = _TABLE_CAPTION.findall(content) if self.captions == "text" else []
            if len(content) >= LAYOUT_CELL:
                kept += (cell for cell in _CELL.split(content) if len(cell) > LAYOUT_CELL)
            shown = (whole_links(cell.rpartition("|")[2]).strip() for cell in kept)
            return "\n\n".join(["", *shown, ""]) if kept else "\n\n"
        rows: list[str] = []
        for row in re.split(r"\n[ \t]*\|-[^\n]*|</?tr[^<>]*+>", "\n" + (content.partition("\n")[2] or content)):
            shown = [" ".join(whole_links(cell.rpartition("|")[2]).split()) for cell in _CELL.split(row)]
            line = " | ".join(cell for cell in shown if cell.strip(VOID + " "))
            if line:
                rows.append(line.replace("|", PIPE))
        return "\n\n" + "\n* ".join(["", *rows]) + "\n\n" if rows else "\n\n"


def push(stack: list[Frame], kind: int, index: int) -> None:
    """Open a frame; where too many are open, all count as never closed."""
    if len(stack) >= MAX_DEPTH:
        stack.clear()
    stack.append((kind, index))


def nearest(stack: list[Frame], kind: int) -> int:
    """The depth of the innermost open frame of a kind, -1 where none is open."""
    return next((depth for depth in range(len(stack) - 1, -1, -1) if stack[depth][0] == kind), -1)


def open_braces(count: int, stack: list[Frame], index: int) -> None:
    """Open the frames of a run of braces: of four two templates, of five a parameter in a template."""
    for _ in range(MAX_DEPTH):
        if count < 2:
            return
        parameter = count == 3 or count > 4
        push(stack, _PARAMETER if parameter else _TEMPLATE, index)
        count -= 3 if parameter else 2


@lru_cache(maxsize=100_000)
def plain_title(target: str) -> str | None:
    """The title that a link's target names, or None where there is a prefix, a mark or a line break in it."""
    return None if ":" in target or "''" in target or not target.isprintable() else normalise_title(target)


def without_parentheses(title: str) -> str:
    """What a link shows whose label is empty: ``without_parentheses("Moon (film)") == "Moon"``."""
    return title.partition(" (")[0].strip()


def closed(token: str) -> str:
    """The name of what a token closes: ``closed("</ref >") == "ref"``, ``closed("-->") == "!--"``."""
    if token == "-->":
        return COMMENT
    return token[2:-1].strip().lower() if token[:2] == "</" else ""


_ONE_LINE = re.compile(r" (?=\{\||\|[-}] |[|!] |[*#] |={2,5}[^=\n]{1,100}={2,5} )|(?<===) ")


def restore(wikitext: str) -> str:
    """Wikitext that was damaged when it was copied out of a dump: escaped twice, or all on one line."""
    wikitext = wikitext.replace("\xa0", " ")
    if "&lt;ref" in wikitext and "<" not in wikitext:
        wikitext = html.unescape(wikitext)
    if "==" in wikitext and "\n" not in wikitext[:10_000] and "\n" not in wikitext.rstrip():
        wikitext = _ONE_LINE.sub("\n", wikitext)
    return wikitext
