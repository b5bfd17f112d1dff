"""Parser functions of MediaWiki: ``{{#if:…}}``, ``{{lc:…}}``, ``{{formatnum:…}}`` and the others that hold text.

What depends on the wiki (whether a page exists) or on today is taken to be as the author of the page saw it: the page
exists. Documentation: https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions, …/Help:Magic_words
"""

from __future__ import annotations

import re

from deepred.sources.wiki.template_arguments import VOID, Arguments, Rule

VARIABLES = frozenset(
    {
        "defaultsort", "displaytitle", "sortierung", "defaultsortkey", "int", "fullurl", "localurl", "urlencode",
        "filepath", "canonicalurl", "ns", "noexternallanglinks", "currentyear", "currentmonth", "currentday",
        "currentdate", "currentmonthname", "numberofarticles", "clef de tri", "ordena",
    }
)  # fmt: skip
"""Functions and variables that show nothing; no template of such a name exists that could be unknown."""

_NUMBER = re.compile(r"([-−]?\d+)(\.\d+)?")
_DROPPED_TAGS = frozenset({"ref", "references", "gallery", "timeline", "templatestyles", "section", "indicator"})


def _given(text: str) -> str:
    """The text without marks of what was dropped: empty where there is nothing."""
    return text.strip(VOID + " \n")


def if_given(a: Arguments) -> str:
    """``{{#if:condition|then|else}}``."""
    return (a[1] if _given(a.head) else a[2]) or VOID


def if_equal(a: Arguments) -> str:
    """``{{#ifeq:one|other|then|else}}``."""
    return (a[2] if _given(a.head) == _given(a[1]) else a[3]) or VOID


def if_exists(a: Arguments) -> str:
    """``{{#ifexist:page|then|else}}``: the page exists; so for a condition in numbers (``#ifexpr``)."""
    return a.first(1, 2) or VOID


def if_error(a: Arguments) -> str:
    """``{{#iferror:text|error|else}}``: there is none."""
    return a[2] or _given(a.head) or VOID


def switch(a: Arguments) -> str:
    """``{{#switch:key|a=1|b|c=2|#default=3}}``: a case without a value has that of the next one that has."""
    key = _given(a.head)
    falls = False
    default = ""
    for part in a.written[1:]:
        case, equals, value = part.partition("=")
        case = case.strip()
        if not equals:
            falls = falls or case == key
            default = case
        elif falls or case == key:
            return value.strip() or VOID
        elif case.lower() == "#default":
            default = value.strip()
    return default or VOID


def tag(a: Arguments) -> str:
    """``{{#tag:poem|text}}``: the text, unless the tag's is dropped."""
    return VOID if _given(a.head).lower() in _DROPPED_TAGS else a[1] or VOID


def after_colon(a: Arguments) -> str:
    """``{{anchorencode:text}}``, ``{{#formatdate:20 July 1969|mdy}}``: what stands after the colon."""
    return a.head or VOID


def lower(a: Arguments) -> str:
    """``{{lc:TEXT}}``."""
    return a.head.lower() or VOID


def upper(a: Arguments) -> str:
    """``{{uc:text}}``."""
    return a.head.upper() or VOID


def lower_first(a: Arguments) -> str:
    """``{{lcfirst:TEXT}}``."""
    return a.head[:1].lower() + a.head[1:] or VOID


def upper_first(a: Arguments) -> str:
    """``{{ucfirst:text}}``."""
    return a.head[:1].upper() + a.head[1:] or VOID


def format_number(a: Arguments) -> str:
    """``{{formatnum:1234567.5}}``: 1,234,567.5; with R the number as a machine writes it."""
    if a[1].upper() == "R":
        return a.head.replace(",", "") or VOID
    match = _NUMBER.fullmatch(a.head)
    return f"{int(match[1].replace('−', '-')):,}{match[2] or ''}" if match and len(a.head) < 40 else a.head or VOID


def pad_left(a: Arguments) -> str:
    """``{{padleft:7|3|0}}``: 007."""
    width = int(a[1]) if a[1].isdecimal() and len(a[1]) < 3 else 0
    return a.head.rjust(width, (a[2] or "0")[0])


def plural(a: Arguments) -> str:
    """``{{plural:3|page|pages}}``: pages."""
    return (a[1] if _given(a.head) == "1" else a.first(2, 1)) or VOID


def case(a: Arguments) -> str:
    """``{{grammar:genitive|word}}``, ``{{gender:name|he|she}}``: the first word."""
    return a[1] or VOID


FUNCTIONS: dict[str, Rule] = {
    "#if": if_given, "#ifeq": if_equal, "#ifexist": if_exists, "#ifexpr": if_exists, "#iferror": if_error,
    "#switch": switch, "#tag": tag, "#formatdate": after_colon, "#dateformat": after_colon, "lc": lower, "uc": upper,
    "lcfirst": lower_first, "ucfirst": upper_first, "formatnum": format_number, "padleft": pad_left,
    "anchorencode": after_colon, "plural": plural, "grammar": case, "gender": case,
}  # fmt: skip
"""The functions that show text, by name; any other ``#function`` shows nothing."""
