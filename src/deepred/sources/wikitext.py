"""Wikitext as plain text with its structure: one pass over the openers and closers, an explicit stack, nothing re-read.

In: the wikitext of one page, and the prefixes of its wiki. Out: paragraphs, headings, list items and quotations as text,
and links, sections, categories and infobox dates with offsets into that text. The pass pushes a frame per opener and
renders a frame when its closer comes, innermost first, so that every character is read once however deeply it is
nested; an opener that is never closed is forgotten at the end. It never raises but for its time limit.
Markup: https://www.mediawiki.org/wiki/Markup_spec
"""

from __future__ import annotations

import html
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from deepred.sources.infobox import InfoboxDate, find_dates, is_infobox
from deepred.sources.prefixes import CATEGORY, FILE, Prefixes
from deepred.sources.templates import EQUALS, VOID, Arguments, find_rule

Tables = Literal["drop", "text"]
Math = Literal["drop", "tex"]

MAX_DEPTH = 100
"""Frames on the stack at most; MediaWiki itself stops at 40 templates. Beyond it all open ones count as unclosed."""

# Marks inside the text while it is made. They are control characters, which XML does not allow, so no page holds them.
LINK, LABEL, LINK_END = "\x02", "\x01", "\x03"
KEPT, KEPT_END = "\x05", "\x06"  # number of a literal piece (nowiki, math, code), put back at the end
PIPE = "\x07"  # a pipe that separates nothing any more
BREAK = "\x0e"  # a line break inside a paragraph
HEADING = "\x10"
MARKS = VOID + LINK + LABEL + LINK_END + KEPT + KEPT_END + PIPE + BREAK + HEADING

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
    r"|\{\{+|\}\}+"
    r"|\[(?:\[(?!\[[^\[])|(?=\[\[[^\[]))"  # of [[[ the first is a bracket
    r"|\](?:\](?!\](?!\]))|(?=\]\](?!\])))"  # of ]]] likewise
    r"|\n[ \t:]*+\{\||\n[ \t]*+\|\}(?!\})"
    rf"|<(?:!--|(?i:{_TAGS})(?![\w-])[^<>]*+>|/?(?i:table|poem)(?![\w-])[^<>]*+>)"
)
_CELL = re.compile(r"\n[ \t]*+(?:\|-[^\n]*+|[|!]\+?)|\|\||!!|</?t[dhr][^<>]*+>")
LAYOUT_CELL = 1500
"""Characters from which a table's cell holds the article itself: tables were long used to lay out pages."""
_TAG_NAME = re.compile(r"</?([\w-]+)")
_TRAIL = re.compile(r"[a-z]+")
_HTML = re.compile(r"</?([A-Za-z][A-Za-z0-9]*+)[^<>]*+>|</?[A-Za-z][\w-]*+[ /]*+(?=\n|\Z)")
_SCRIPT = re.compile(r"<su([bp])>([^<>]*+)</su\1>")
_EXTERNAL = re.compile(
    r"\[(?:https?:|ftps?:|irc:|news:|mailto:|tel:|urn:)?+(?://|(?<=mailto:)|(?<=tel:)|(?<=news:)|(?<=urn:))"
    r"[^\s\[\]]*+[ \t]*+([^\[\]\n]*+)\]"
)
_UNCLOSED_EXTERNAL = re.compile(r"\[(?=(?:https?|ftp)://)")
_MAGIC = re.compile(r"__[A-Z_]{3,40}?__")
_MARKS = re.compile(r"\x02(\d+)\x01|\x03|\x10(\d)")
_KEPT = re.compile(r"\x05(\d+)\x06")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_ENTITY_SPACES = re.compile(r"&(?:nbsp|ensp|emsp|thinsp|hairsp|#160|#xA0|#xa0|#8201|#8239|#x202F|#x202f|#x2009);")
_ENTITY_NOTHING = re.compile(r"&(?:zwnj|zwj|lrm|rlm|shy|wbr|#8203|#x200B|#x200b|#8206|#173|#xAD);")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_BREAKING = frozenset({"br", "hr", "li", "dt", "dd", "tr"})
_SEPARATING = frozenset({"p", "div", "blockquote", "center", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6"})


class SlowError(Exception):
    """The page took longer than its time limit."""


class Section(NamedTuple):
    """A heading: its level (2 for ``== … ==``), its text, and where that begins."""

    level: int
    title: str
    start: int


class Link(NamedTuple):
    """A link to a page: ``text[start:end]`` is its anchor, ``target`` the normalised title."""

    start: int
    end: int
    target: str


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
    templates: Counter[str] = field(default_factory=lambda: Counter[str]())
    """Templates without a handler, by name: what was dropped because nobody knows its text."""


def parse(
    wikitext: str, prefixes: Prefixes, *, title: str = "", tables: Tables = "drop", math: Math = "tex", seconds: float = 0.0
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
        self.heads: list[tuple[int, int]] = []
        self.broken_table = False

    def parse(self, wikitext: str) -> Parsed:
        if any(mark in wikitext for mark in MARKS):
            wikitext = _CONTROL.sub("", wikitext)
        text = self.scan("\n" + restore(wikitext))
        self.finish(self.blocks(self.inline(text)))
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
            if match.lastindex:
                append(link(*match.groups()))
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
                    append(link(target, label if pipe else None, match[0] if match else ""))
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
            depth = max(nearest(stack, _TEMPLATE), nearest(stack, _PARAMETER))
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

    def tag(
        self, text: str, token: str, at: int, stack: list[Frame], out: list[str], unclosed: set[str]
    ) -> int:
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
        self.kept.append(_CONTROL.sub("", html.unescape(content)) if "&" in content else content)
        mark = f"{KEPT}{len(self.kept) - 1}{KEPT_END}"
        return f"\n\n{mark}\n\n" if name in ("pre", "syntaxhighlight", "source") and "\n" in content.strip("\n") else mark

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
        target = target.strip(VOID + " \t")
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
        parts = content.split("|")
        name = " ".join(parts[0].replace(VOID, "").replace("_", " ").split()).lower()
        rule = find_rule(name)
        if rule is not None:
            return rule(Arguments(name, parts)).replace("|", PIPE)
        if is_infobox(name):
            self.parsed.infobox = self.parsed.infobox or name[:1].upper() + name[1:]
            self.parsed.infobox_dates += find_dates(self.plain(part) for part in parts[1:])
        elif name in ("pagename", "fullpagename", "subpagename"):
            return self.title
        elif self.prefixes.is_disambiguation(name):
            self.parsed.disambiguation = True
        elif name:
            self.parsed.templates[name[:80]] += 1
        return VOID

    def plain(self, text: str) -> str:
        """A template's argument as text without any marks."""
        text = _EXTERNAL.sub(r"\1", text) if "[" in text else text
        text = _tags(text) if "<" in text else text
        text = _KEPT.sub(self._put_back, _MARKS.sub("", text))
        text = text.replace("'''", "").replace("''", "").replace(VOID, "").replace(BREAK, "\n")
        return " ".join(_entities(text).split(" ")).strip()

    def _put_back(self, match: re.Match[str]) -> str:
        return self.kept[int(match[1])]

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

    def inline(self, text: str) -> str:
        """Quotes, HTML tags, outward links and magic words of the rendered text, each in one linear sweep."""
        if "''" in text:
            text = text.replace("'''''", "").replace("'''", "").replace("''", "")
        if "<" in text:
            text = _tags(text)
        if "[" in text:
            text = _UNCLOSED_EXTERNAL.sub("", _EXTERNAL.sub(r"\1", text))
        if "__" in text:
            text = _MAGIC.sub("", text)
        return text.replace("-{", "").replace("}-", "") if "-{" in text else text

    def blocks(self, text: str) -> str:
        """Lines as paragraphs, list items and headings; what stands alone in a section without text goes."""
        blocks: list[tuple[int, str]] = []  # 0 paragraph, 7 list item, else the level of a heading
        lines: list[str] = []
        for line in text.split("\n"):
            bare = line.strip(" \t\x04\r")
            if not bare:
                if lines and VOID not in line:
                    blocks.append((0, " ".join(lines)))
                    lines = []
                continue
            first = bare[0]
            if first not in "=*#:;|!-{" and line[0] != " ":
                lines.append(line)
                continue
            if first == "|" or (self.broken_table and first in "!{"):
                continue
            kind, shown = _line(bare)
            if kind == 0 and line[0] != " ":
                lines.append(shown)
                continue
            if lines:
                blocks.append((0, " ".join(lines)))
                lines = []
            if shown:
                blocks.append((kind or 7, shown))
        if lines:
            blocks.append((0, " ".join(lines)))
        return _join(blocks)

    def finish(self, text: str) -> None:
        """The final text with its offsets, out of the text with marks."""
        text = _entities(text)
        text = text.replace("\t", " ")
        while "  " in text:
            text = text.replace("  ", " ")
        if VOID in text:
            text = close_gaps(text)
        if KEPT in text:
            text = _KEPT.sub(self._put_back, text)
        text = text.replace(PIPE, "|").replace(EQUALS, "=")
        if BREAK in text or "\n " in text or " \n" in text:
            text = re.sub(r" *+[\n\x0e][ \n\x0e]*+", _newlines, text)
        self.place(text.strip())

    def place(self, text: str) -> None:
        """Take the marks out of a text and note where they stood."""
        parts: list[str] = []
        add, note, targets = parts.append, self.parsed.links.append, self.targets
        first, *pieces = text.split(LINK)
        length = self.headings(first, parts, 0)
        for piece in pieces:
            number, _, rest = piece.partition(LABEL)
            label, _, rest = rest.partition(LINK_END)
            end = length + len(label)
            if label:
                add(label)
                note(Link(length, end, targets[int(number)]))
            length = end
            if HEADING in rest:
                length = self.headings(rest, parts, length)
            else:
                add(rest)
                length += len(rest)
        self.parsed.text = text = "".join(parts)
        for level, start in self.heads:
            end = text.find("\n", start)
            self.parsed.sections.append(Section(level, text[start : end if end >= 0 else len(text)], start))

    def headings(self, text: str, parts: list[str], length: int) -> int:
        """Take heading marks out of a piece that begins at ``length``; returns where the next piece begins."""
        first, *rest = text.split(HEADING)
        parts.append(first)
        length += len(first)
        for piece in rest:
            self.heads.append((int(piece[0]), length))
            parts.append(piece[1:])
            length += len(piece) - 1
        return length


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


def _line(bare: str) -> tuple[int, str]:
    """The kind and the text of a line that begins with a mark: ``_line("* item") == (7, "item")``."""
    first = bare[0]
    if first == "=":
        left = len(bare) - len(bare.lstrip("="))
        right = len(bare) - len(bare.rstrip("="))
        level = min(left, right, 6)
        if len(bare) > 2 * level and right:
            return level, bare[level : len(bare) - level].strip(" \t\x04=")
        return 0, bare.replace("==", "").lstrip()  # a heading with something after it on its line
    if first in "*#:;":
        shown = bare.lstrip("*#:; \t\x04")
        return 7, shown
    if bare.startswith("----"):
        return 7, bare.lstrip("- ")
    return 0, bare


def _join(blocks: list[tuple[int, str]]) -> str:
    """Blocks as one text with heading marks; headings of empty sections and blocks without a letter or digit go."""
    kept: list[tuple[int, str]] = []
    level = 0  # of the outermost heading since the last text; 8 after text
    for kind, shown in reversed(blocks):
        if 1 <= kind <= 6:
            if level > kind:
                kept.append((kind, f"{HEADING}{kind}{shown}"))
                level = kind
        elif shown[0].isalnum() or any(map(str.isalnum, _MARKS.sub("", shown) if LINK in shown else shown)):
            kept.append((kind, shown))
            level = 8
    parts: list[str] = []
    previous = -1
    for kind, shown in reversed(kept):
        if parts:
            parts.append("\n" if kind == 7 == previous else "\n\n")
        parts.append(shown.strip())
        previous = kind
    return "".join(parts)


def _tags(text: str) -> str:
    text = _SCRIPT.sub(_script, text) if "<su" in text else text
    return _HTML.sub(_tag, text)


def _script(match: re.Match[str]) -> str:
    """A super- or subscript in characters of its own where all of it has them: ``m<sup>2</sup>`` is ``m²``."""
    table = _SUPERSCRIPTS if match[1] == "p" else _SUBSCRIPTS
    content = match[2].strip()
    return content.translate(table) if all(ord(c) in table for c in content) else content


def _tag(match: re.Match[str]) -> str:
    name = (match[1] or "").lower()
    if name in _BREAKING:
        return BREAK if name == "br" else "\n\n" if name == "hr" else "\n* " if match[0][1] != "/" else "\n"
    return "\n\n" if name in _SEPARATING else ""


def close_gaps(text: str) -> str:
    """The text without the marks of what was dropped, the gaps closed there and nowhere else.

    >>> close_gaps("He (\x04; born 1809) \x04 was \x04, yes (\x04).")
    'He (born 1809) was, yes.'
    """
    for run in (VOID + VOID, VOID + " " + VOID):
        while run in text:
            text = text.replace(run, VOID)
    first, *rest = text.split(VOID)
    parts = [first]
    for right in rest:
        left = parts[-1]
        bare = right.lstrip(" ,;:")
        opened = left[-4:].rstrip(" ,;:")[-1:] in ("(", "（")
        if opened:
            left, right = left.rstrip(" ,;:"), bare
            if bare[:1] in (")", "）"):
                left, right = left[:-1].rstrip(" "), bare[1:]
        elif bare[:1] in (")", "）"):
            left, right = left.rstrip(" ,;:"), bare
        elif right[:2].lstrip(" ")[:1] in (".", ",", ";", ":", "!", "?", "\n", ""):
            left, right = left.rstrip(" "), right.lstrip(" ")
        elif left[-1:] in (" ", "\n", ""):
            right = right.lstrip(" ")
        parts[-1] = left
        if right:
            parts.append(right)
    return "".join(parts)


def _entities(text: str) -> str:
    if "&" not in text:
        return text
    text = _ENTITY_NOTHING.sub("", _ENTITY_SPACES.sub(" ", text))
    return html.unescape(text) if "&" in text else text


def _newlines(match: re.Match[str]) -> str:
    return "\n\n" if match[0].count("\n") > 1 else "\n"


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


def normalise_title(target: str) -> str:
    """A link's target as the title it names: ``normalise_title("moon_landing#Apollo") == "Moon landing"``."""
    if "&" in target:
        target = html.unescape(target)
    if "#" in target:
        target = target.partition("#")[0]
    if "_" in target:
        target = target.replace("_", " ")
    if not target.isprintable() or "  " in target:
        target = " ".join(target.replace(VOID, "").split())
    target = target.strip()
    return target[:1].upper() + target[1:]
