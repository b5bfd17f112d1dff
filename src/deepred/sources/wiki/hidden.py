"""HTML elements that a page does not show: ``<span style="display:none">`` and its kin."""

from __future__ import annotations

import re

from deepred.sources.wiki.template_arguments import VOID

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*+)([^<>]*+)>|\n\n")
_UNSEEN = re.compile(r"display\s*+:\s*+none|visibility\s*+:\s*+hidden|\bsortkey\b")
_VALUES = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_ATTRIBUTE = re.compile(r"\shidden(?:[\s=/>]|$)")
_BLOCKS = frozenset({"div", "table", "tr", "td", "th", "p", "ul", "ol", "li", "section", "blockquote", "center"})
_EMPTY = frozenset({"br", "hr", "wbr", "img", "input", "link", "meta"})


def drop_hidden(text: str) -> str:
    """The text without the elements that are not shown, each to its own end tag; an inline one ends in its paragraph.

    An element that is never closed hides nothing.

    >>> drop_hidden('Born <span style="display:none">(1977-08-21)</span>21 August').replace(VOID, "")
    'Born 21 August'
    """
    parts: list[str] = []
    place = begun = depth = 0  # what is copied so far; where the hidden element begins
    name = ""  # of the hidden element that is open
    for match in _TAG.finditer(text):
        tag = (match[2] or "").lower()
        if not name:
            opens = tag and not match[1] and tag not in _EMPTY and match[3][-1:] != "/"
            if opens and is_hidden(match[3]):
                name, depth, begun = tag, 1, match.start()
        elif not tag:
            name = name if name in _BLOCKS else ""
        elif tag == name and match[3][-1:] != "/":
            depth += -1 if match[1] else 1
            if not depth:
                parts += (text[place:begun], VOID)
                place, name = match.end(), ""
    return "".join([*parts, text[place:]]) if parts else text


def is_hidden(attributes: str) -> bool:
    """Whether an element with these attributes is not shown: ``is_hidden(' style="display:none"')``."""
    folded = attributes.lower()
    if "none" not in folded and "hidden" not in folded and "sortkey" not in folded:  # as in most
        return False
    return _UNSEEN.search(folded) is not None or _ATTRIBUTE.search(_VALUES.sub("", folded)) is not None
