"""The apostrophes that mark bold and italics, and those that are apostrophes, as MediaWiki tells them apart.

It balances them line by line, after templates are expanded and links are replaced: of a run of four one is an
apostrophe, of more than five all but five; and where both the bold and the italic runs of a line are odd in number,
one bold run is an apostrophe and an italic mark: ``''Foo'''s`` is "Foo's", ``l'''Étoile''`` is "l'Étoile".
Source: ``Parser::doQuotes``, https://www.mediawiki.org/wiki/Help:Formatting
"""

from __future__ import annotations

import re

BREAK = "\x0e"  # a line break inside a paragraph
EDGE = "\x10"
"""Stands between apostrophes that do not touch: at the edge of a template, of a reference, of ``<nowiki/>``."""
LABEL, LINK_END = "\x01", "\x03"  # around the label of a link
_LABEL = re.compile(f"(?<={LABEL})[^{LABEL}{LINK_END}]*+(?={LINK_END})")
_RUN = re.compile(r"''+")
_MARKS = re.compile(r"''(?:'(?:'')?+)?+")


def strip_quotes(text: str) -> str:
    """The text without the marks of bold and italics.

    >>> strip_quotes("''Foo'''s '''bold''' l'''Étoile''")
    "Foo's bold l'Étoile"
    """
    if "''" in text:
        text = _MARKS.sub("", _keep_apostrophes(text) if "'''" in text else text)
    return text.replace(EDGE, "") if EDGE in text else text


def _keep_apostrophes(text: str) -> str:
    """The text with those lines stripped in which not every run is a mark; only lines with bold runs can be such."""
    parts: list[str] = []
    done = end = 0
    while (bold := text.find("'''", end)) >= 0:
        begin = max(end, text.rfind("\n", end, bold))
        end = text.find("\n", bold)
        end = len(text) if end < 0 else end
        line = text[begin:end]
        marks = line.count("'''")
        if "''''" in line or BREAK in line or (marks % 2 and (line.count("''") - marks) % 2):
            parts += (text[done:begin], BREAK.join([_strip_line(part) for part in line.split(BREAK)]))
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def shield(text: str) -> str:
    """The text with its apostrophes as they stand: they mark nothing, and touch none outside."""
    return text.replace("'", f"{EDGE}'{EDGE}")


def edged(text: str) -> str:
    """What a template shows, kept apart from the apostrophes around it."""
    if text[:1] == "'":
        text = EDGE + text
    return text + EDGE if text[-1:] == "'" else text


def _strip_line(line: str) -> str:
    if LABEL in line:  # the label of a link is balanced by itself
        line = _LABEL.sub(lambda match: _strip_line(match[0]) if "''" in match[0] else match[0], line)
    lengths = [len(run) for run in _RUN.findall(line)]
    bold = sum(length > 2 for length in lengths)
    italic = sum(length == 2 or length > 4 for length in lengths)
    pieces = _RUN.split(line)
    shown = ["'" * (length - 5 if length > 5 else length == 4) for length in lengths]
    if bold % 2 and italic % 2 and (taken := _unbalanced(pieces, shown, lengths)) is not None:
        shown[taken] += "'"
    return pieces[0] + "".join([shield(kept) + piece for kept, piece in zip(shown, pieces[1:], strict=True)])


def _unbalanced(pieces: list[str], shown: list[str], lengths: list[int]) -> int | None:
    """Which bold run of an unbalanced line is an apostrophe and an italic mark, by what stands before it.

    The first after a word of one letter, else the first after a longer one, else the first after a space.
    """
    kinds: dict[str, int] = {}
    for at, length in enumerate(lengths):
        if length not in (3, 4):
            continue
        before = pieces[at] + shown[at]
        kind = "space" if before[-1:] == " " else "letter" if before[-2:-1] == " " else "word"
        kinds.setdefault(kind, at)
    return next((kinds[kind] for kind in ("letter", "word", "space") if kind in kinds), None)
