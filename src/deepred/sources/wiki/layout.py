"""Rendered wikitext as the final text: tags, quotes and entities go, lines become blocks, marks become offsets.

While the text is made, control characters mark where links, headings and dropped pieces stand; they survive every
step, so that the offsets are counted once, at the end, on the text as it stays.
"""

from __future__ import annotations

import html
import re
from functools import partial
from typing import NamedTuple

from deepred.sources.wiki.hidden import drop_hidden, is_hidden
from deepred.sources.wiki.quotes import BREAK, EDGE, LABEL, LINK_END, strip_quotes
from deepred.sources.wiki.template_arguments import EQUALS, VOID

# The marks are control characters, which XML does not allow, so no page holds them.
LINK = "\x02"
KEPT, KEPT_END = "\x05", "\x06"  # number of a literal piece (nowiki, math, code), put back at the end
PIPE = "\x07"  # a pipe that separates nothing any more
HIDES = "\x11"  # the begin of an element that is not shown
HEADING = LINK + "="
MARKS = VOID + LINK + LABEL + LINK_END + KEPT + KEPT_END + PIPE + EQUALS + BREAK + EDGE + HIDES

_HTML = re.compile(r"</?([A-Za-z][A-Za-z0-9]*+)[^<>\x02\x03]*+>|</?[A-Za-z][\w-]*+[ /]*+(?=\n|\Z)")
_SCRIPT = re.compile(r"<su([bp])>([^<>]*+)</su\1>")
_SPACES = re.compile("  +")
_LONE_WORDS = frozenset({"or", "and", "also", "or simply"})
"""What nobody needs where all that it stood between has been dropped: ``(or; born 1809)``."""
_EXTERNAL = re.compile(
    r"\[(?:(?:https?:|ftps?:|irc:|news:|mailto:|tel:|urn:)?+(?://|(?<=mailto:)|(?<=tel:)|(?<=news:)|(?<=urn:))"
    r"(?:[^\s\[\]<>\"'\x01-\x10]|'(?!'))*+[ \t]*+((?:[^\[\]\n\x02\x03]|\x02\d+\x01[^\[\]\n\x03]*+\x03)*+)\]|(?=(?:https?|ftp)://))"
)
SHORTEST_HIDING = len("<b hidden>")
_MAGIC = re.compile(r"__[A-Z_]{3,40}?__")
_MARKS = re.compile(r"\x02(?:\d+\x01|=\d)|\x03")
_MARKED = re.compile(r"\x02(?:(\d+)\x01([^\x03]*+)\x03|=(\d))")  # one first character: found ten times as fast
_HALF = re.compile(r"(\x02\d+\x01[^\x01-\x03]*+\x03)|\x02\d+\x01|[\x01-\x03]")
_KEPT = re.compile(r"\x05(\d+)\x06")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_ENTITY_SPACES = re.compile(r"&(?:nbsp|ensp|emsp|thinsp|hairsp|#160|#xA0|#xa0|#8201|#8239|#x202F|#x202f|#x2009);")
_ENTITY_NOTHING = re.compile(r"&(?:zwnj|zwj|lrm|rlm|shy|wbr|#8203|#x200B|#x200b|#8206|#173|#xAD);")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_BREAKING = frozenset({"br", "hr", "li", "dt", "dd", "tr"})
_SEPARATING = frozenset(
    {"p", "div", "blockquote", "center", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
)


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


_link = partial(tuple.__new__, Link)  # a third of the time of Link(...), and a dump has half a billion


def strip_inline(text: str) -> str:
    """Outward links, quotes, HTML tags and magic words of the rendered text, each in one linear sweep."""
    if "[" in text:
        text = _EXTERNAL.sub(r"\1", text)
    text = strip_quotes(text)
    if "<" in text:
        text = strip_tags(text)
    if "__" in text:
        text = _MAGIC.sub("", text)
    return text.replace("-{", "").replace("}-", "") if "-{" in text else text


def lay_out(text: str, broken_table: bool = False) -> str:
    """Lines as paragraphs, list items and headings, which are marked; headings of sections without text go.

    ``broken_table``: a table was opened and never closed, so lines that look like its rows go too.

    >>> lay_out("One\\nline.\\n* item")
    'One line.\\n\\nitem'
    """
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
        if first == "|" or (broken_table and first in "!{"):
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


def settle(text: str, kept: list[str]) -> str:
    """The text with entities decoded, gaps and runs of spaces closed, and the literal pieces put back."""
    text = decode_entities(text)
    text = text.replace("\t", " ")
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if VOID in text:
        text = close_gaps(text)
    if KEPT in text:
        text = put_back(text, kept)
    text = text.replace(PIPE, "|").replace(EQUALS, "=")
    while " \n" in text:
        text = text.replace(" \n", "\n")
    while "\n " in text:
        text = text.replace("\n ", "\n")
    if BREAK in text:
        text = break_lines(text)
    return text.strip()


def whole_links(text: str) -> str:
    r"""A piece of marked text without the marks of links that are cut by its ends.

    >>> whole_links("a\x03 b \x020\x01c\x03 \x021\x01d")
    'a b \x020\x01c\x03 d'
    """
    return _HALF.sub(r"\1", text) if LINK in text or LINK_END in text else text


def take_marks(text: str, targets: list[str]) -> tuple[str, list[Section], list[Link]]:
    """The text without marks, the sections and the links where they stood; ``targets`` are the links' by number."""
    first, *pieces = _MARKED.split(text)
    parts = [first]
    links: list[Link] = []
    heads: list[tuple[int, int]] = []
    length = len(first)
    following = iter(pieces)
    for number, label, level, after in zip(following, following, following, following, strict=True):
        if number:
            end = length + len(label)
            bare = label.strip()
            if bare:
                begin = length if bare is label else length + label.index(bare)
                links.append(_link((begin, begin + len(bare), targets[int(number)])))
            parts.append(label)
            length = end
        else:
            heads.append((int(level), length))
        parts.append(after)
        length += len(after)
    text = "".join(parts)
    if text != text.strip():  # white space that stood between marks
        lead = len(text) - len(text.lstrip())
        text = text.strip()
        links = [Link(start - lead, end - lead, target) for start, end, target in links]
        heads = [(level, max(start - lead, 0)) for level, start in heads]
    ends = [text.find("\n", start) for _, start in heads]
    sections = [
        Section(level, text[start : end if end >= 0 else None], start)
        for (level, start), end in zip(heads, ends, strict=True)
    ]
    return text, sections, links


def plain_value(text: str, kept: list[str]) -> str:
    """A template's argument as text without any marks."""
    text = strip_inline(text)
    text = put_back(_MARKS.sub("", text), kept).replace(VOID, "").replace(BREAK, "\n").replace(PIPE, "|")
    return decode_entities(text).strip()


def put_back(text: str, kept: list[str]) -> str:
    """The text with its literal pieces in the place of their marks."""
    return _KEPT.sub(lambda match: kept[int(match[1])], text)


def _line(bare: str) -> tuple[int, str]:
    """The kind and the text of a line that begins with a mark: ``_line("* item") == (7, "item")``."""
    first = bare[0]
    if first == "=":
        left = len(bare) - len(bare.lstrip("="))
        right = len(bare) - len(bare.rstrip("="))
        level = min(left, right, 6)
        if len(bare) > 2 * level and right:
            return level, bare[level : len(bare) - level].replace(BREAK, " ").strip(" \t\x04=")
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
            if level > kind and any(map(str.isalnum, shown)):
                kept.append((kind, f"{HEADING}{kind}{shown}"))
                level = kind
        elif shown[:1].isalnum() or any(map(str.isalnum, _MARKS.sub("", shown) if LINK in shown else shown)):
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


def strip_tags(text: str) -> str:
    """The text without HTML tags and without what they hide; those that break lines or paragraphs leave the break."""
    text = _SCRIPT.sub(_script, text) if "<su" in text else text
    shown = _HTML.sub(_tag, text)
    return _HTML.sub(_tag, drop_hidden(text)).replace(HIDES, "") if HIDES in shown else shown


def _script(match: re.Match[str]) -> str:
    """A super- or subscript in characters of its own where all of it has them: ``m<sup>2</sup>`` is ``m²``."""
    table = _SUPERSCRIPTS if match[1] == "p" else _SUBSCRIPTS
    content = match[2].strip()
    return content.translate(table) if all(ord(c) in table for c in content) else content


def _tag(match: re.Match[str]) -> str:
    name = (match[1] or "").lower()
    if len(match[0]) >= SHORTEST_HIDING and is_hidden(match[0]):
        return HIDES
    if name in _BREAKING:
        return BREAK if name == "br" else "\n\n" if name == "hr" else "\n* " if match[0][1] != "/" else "\n"
    return "\n\n" if name in _SEPARATING else ""


def close_gaps(text: str) -> str:
    r"""The text without the marks of what was dropped, the gaps closed there and nowhere else.

    >>> close_gaps("He (\x04; born 1809) \x04 was \x04, yes (\x04).")
    'He (born 1809) was, yes.'
    >>> close_gaps("He (\x04, or \x04; born 1809) was")
    'He (born 1809) was'
    """
    for run in (VOID + VOID, VOID + " " + VOID):
        while run in text:
            text = text.replace(run, VOID)
    first, *rest = text.split(VOID)
    parts = [first]
    for right in rest:
        left = parts[-1]
        bare = right.lstrip(" ,;:")
        if (
            left.strip(" ,;") in _LONE_WORDS
            and right[:1] in (",", ";", ")")
            and parts[-2:-1]
            and parts[-2].endswith("(")
        ):
            parts.pop()
            left = parts[-1]
        opened = left[-4:].rstrip(" ,;:")[-1:] in ("(", "（")
        if opened:
            left, right = left.rstrip(" ,;:"), bare
            if bare[:1] in (")", "）"):
                left, right = left[:-1].rstrip(" "), bare[1:]
        elif bare[:1] in (")", "）"):
            left, right = left.rstrip(" ,;:"), bare
        elif right[:2].lstrip(" ")[:1] in (".", ",", ";", ":", "!", "?", "\n", ""):
            left, right = left.rstrip(" "), right.lstrip(" ")
            if left[-1:] in (",", ";", ":") and right[:1] in (",", ";"):  # what stood between two commas
                right = right[1:]
            elif left[-1:] in (",", ";") and right[:1] == ".":
                left = left[:-1]
        elif left[-1:] in (" ", "\n", ""):
            right = right.lstrip(" ")
        if len(right) > 2:
            parts[-1:] = (left, right)
        else:  # too little to be judged alone by the gap that follows
            parts[-1] = left + right
    return "".join(parts)


def decode_entities(text: str) -> str:
    """Character references as characters; spaces of any width as spaces, invisible ones as nothing."""
    if "&" not in text:
        return text
    text = _ENTITY_NOTHING.sub("", _ENTITY_SPACES.sub(" ", text))
    return html.unescape(text) if "&" in text else text


def break_lines(text: str) -> str:
    r"""The text with the marks of line breaks as newlines, and no more of them than there are paragraphs.

    >>> break_lines("One \x0e two\x0e\n\n three")
    'One\ntwo\n\nthree'
    """
    first, *rest = text.split(BREAK)
    parts = [first]
    for right in rest:
        left = parts[-1].rstrip(" \n")
        bare = right.lstrip(" \n")
        gap = parts[-1][len(left) :] + right[: len(right) - len(bare)]
        parts[-1] = left
        if not bare:  # nothing between two breaks: the gap before the next one
            parts.append(gap)
            continue
        parts += ("\n\n" if gap.count("\n") > 1 else "\n", bare)
    return "".join(parts)
