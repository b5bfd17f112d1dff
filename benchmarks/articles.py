"""The articles that the extraction benchmarks read, and what their wikitext holds outside templates and tables.

The reading of the source here is another one than the scanner's, and much simpler: it only tells which places are plain
prose, so that what the scanner made of them can be checked.
"""

import html
import re
from dataclasses import dataclass, field

from deepred.base.errors import UserError
from deepred.sources.wiki.dump import DamageError, iterate_pages, read_site
from deepred.sources.wiki.page import Page
from deepred.sources.wiki.prefixes import Prefixes

HIDDEN = "\0"
"""Stands in prose for what was taken out of it: a template, a table, a file, a reference, a comment."""
_EXTENSION = (
    "ref|references|gallery|math|chem|ce|nowiki|pre|timeline|syntaxhighlight|source|score|code|imagemap|includeonly|poem"
    "|graph|mapframe|hiero|templatedata|inputbox|templatestyles|section|tabber|categorytree"
)
_TOKEN = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({_EXTENSION})\b[^<>]*/>|<({_EXTENSION})\b[^<>]*>.*?(?:</\2\s*>|\Z)"
    r"|\{\{|\}\}|(?:^|(?<=\n))[ :]*\{\||\n[ ]*\|\}(?!\})|<table\b|</table>|\[\[(?=[^\[\]|{}\n]{0,60}:)|\[\[|\]\]",
    re.DOTALL | re.IGNORECASE,
)


@dataclass
class Article:
    """An article's wikitext, where it is from, and the prefixes of its wiki."""

    source: str
    title: str
    text: str
    prefixes: Prefixes


@dataclass
class Source:
    """Wikitext without what is no prose, and the outermost templates that stood in it, by their place in ``prose``."""

    prose: str
    templates: list[tuple[int, str]] = field(default_factory=list)


def read_articles(paths):
    """Every article of dumps, of text files (raw wikitext), and of folders of both; damaged dumps up to the damage."""
    for path in paths:
        if path.is_dir():
            yield from read_articles(sorted(path.iterdir()))
        elif path.suffix in (".txt", ".wiki", ".wikitext"):
            text = path.read_text(encoding="utf-8", errors="replace")
            yield Article(path.name, path.stem.replace("_", " "), text, Prefixes.of("en"))
        else:
            yield from _dump_articles(path)


def _dump_articles(path):
    try:
        site = read_site(path)
        language = site.name.removesuffix("wiki").replace("_", "-") if site.name.endswith("wiki") else "en"
        prefixes = Prefixes.of(language, site.namespaces)
        for _, page in iterate_pages(path, 0, 1 << 62):
            if not isinstance(page, Page) or not page.text or page.redirect is not None:
                continue
            space = page.namespace if page.namespace is not None else site.namespace_of(page.title)
            if space == 0 and prefixes.redirect_target(page.text) is None:
                yield Article(path.name, page.title, page.text, prefixes)
    except (DamageError, UserError):  # what can be read of it is read; other files of a folder are none of ours
        return


def read_source(wikitext):
    """What of a page's wikitext is prose: no template, table, file, comment, reference or other extension tag."""
    found = Source("")
    if "&lt;ref" in wikitext and "<" not in wikitext:  # a copy that was escaped once more than a dump's text
        wikitext = html.unescape(wikitext)
    parts, stack, at, length, began = [], [], 0, 0, 0

    def keep(text):
        nonlocal length
        parts.append(text)
        length += len(text)

    for match in _TOKEN.finditer(wikitext):
        hidden = any(kind != "link" for kind in stack)
        if not hidden:
            keep(wikitext[at : match.start()])
        at = match.end()
        token = match[0].lstrip("\n :").lower()
        if token.startswith("<") and not token.startswith(("<table", "</table")):
            if not hidden:
                keep(HIDDEN)
            continue
        if token in ("{{", "{|", "<table", "[["):
            kind = {"{{": "template", "{|": "table", "<table": "table"}.get(token, "link")
            if kind == "link" and re.match(r"[^\[\]|{}\n]{0,60}:", wikitext[at : at + 61]):
                kind = "file"
            if kind == "link" and not hidden:
                keep("[[")
            elif not hidden:
                began = match.start()
            stack.append(kind)
            continue
        kinds = {"}}": ("template",), "]]": ("link", "file")}.get(token, ("table",))
        depth = next((depth for depth in range(len(stack) - 1, -1, -1) if stack[depth] in kinds), -1)
        if depth < 0:
            if not hidden:
                keep(match[0])
            continue
        closed = stack[depth]
        del stack[depth:]
        if any(kind != "link" for kind in stack):
            continue
        if closed == "link":
            keep("]]")
            continue
        if closed == "template":
            found.templates.append((length, wikitext[began:at]))
        keep(HIDDEN)
    if all(kind == "link" for kind in stack):
        keep(wikitext[at:])
    found.prose = "".join(parts)
    return found
