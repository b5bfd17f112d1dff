"""Prefixes of titles: which namespace, wiki or language stands before the colon, in any language.

A dump's siteinfo names its namespaces; aliases (``Bild:`` for ``Datei:``) and the words of redirects are not in it and
come from ``prefixes.toml``. File and category names of every language are understood everywhere, for pages are
copied between wikis and no article's title begins with one.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from deepred.base.files import shipped_table

FILE, CATEGORY, OTHER = 6, 14, 1
"""File and category by MediaWiki's numbers; OTHER for any other prefix that is no article's."""
_REDIRECT = re.compile(
    r"\s*+[#＃]\s{0,9}+(?P<word>[^\s:：\[#＃]{1,40}+(?: to)?+)\s*+[:：]?+\s*+"
    r"\[\[(?P<target>[^\[\]|\n]{1,1000}+)(?:\|[^\[\]]*+)?+\]\]",
    re.IGNORECASE,
)
"""MediaWiki's magic word, a colon if any, and a link, at the very beginning of a page."""

CANONICAL = {
    -2: "media", -1: "special", 1: "talk", 2: "user", 3: "user talk", 4: "wikipedia", 5: "wikipedia talk", 6: "file",
    7: "file talk", 8: "mediawiki", 9: "mediawiki talk", 10: "template", 11: "template talk", 12: "help",
    13: "help talk", 14: "category", 15: "category talk", 100: "portal", 118: "draft", 710: "timedtext", 828: "module",
}  # fmt: skip
"""English namespace names, understood by every wiki beside its own."""


@dataclass(frozen=True)
class Prefixes:
    """The prefixes of one wiki, in lower case."""

    spaces: Mapping[str, int]
    languages: frozenset[str]
    thumbnails: frozenset[str]
    """Options of an image that is framed with its caption."""
    disambiguations: frozenset[str]
    redirects: frozenset[str]
    language: str = ""

    @staticmethod
    def of(language: str, namespaces: Mapping[int, str] | None = None) -> Prefixes:
        """The prefixes of a language's wiki, with the namespaces that its siteinfo names.

        >>> Prefixes.of("de", {6: "Datei", 14: "Kategorie"}).find("Bild") == FILE
        True
        """
        table = shipped_table("deepred.sources.wiki", "prefixes.toml")
        spaces: dict[str, int] = {}
        for prefix in (*table["languages"], *table["wikis"], *table["language_wikis"]):
            spaces[prefix] = OTHER
        for key, name in (*CANONICAL.items(), *(namespaces or {}).items()):
            if name:
                spaces[name.lower()] = key if key in (FILE, CATEGORY) else OTHER
        spaces["media"] = FILE
        for key, name in (namespaces or {}).items():
            if key == -2 and name:
                spaces[name.lower()] = FILE
        spaces.update((name, FILE) for name in table["file"])
        spaces.update((name, CATEGORY) for name in table["category"])
        names = {*table["disambiguation"]["all"], *table["disambiguation"].get(language, ())}
        thumbnails, languages = frozenset(table["thumbnail"]), frozenset(table["languages"])
        return Prefixes(
            spaces,
            languages,
            thumbnails,
            frozenset(names),
            frozenset(word.casefold() for word in table["redirect"]),
            language,
        )

    def find(self, prefix: str) -> int | None:
        """FILE, CATEGORY or OTHER for a prefix that no article's title has, else None: ``find("2001")`` is None."""
        return self.spaces.get(prefix.strip().replace("_", " ").lower())

    def is_disambiguation(self, template: str) -> bool:
        """Whether a template's name (lower case) says that its page only tells namesakes apart."""
        return template in self.disambiguations or template.endswith(" disambiguation")

    def redirect_target(self, text: str) -> str | None:
        """The title that a page's text redirects to, by the words of all languages, or None: it must begin with one.

        >>> Prefixes.of("en").redirect_target("#REDIRECT: [[moon_landing#Apollo|landing]]")
        'Moon landing'
        """
        match = _REDIRECT.match(text)
        if match is None or match["word"].casefold() not in self.redirects:
            return None
        return normalise_title(match["target"].lstrip(": ")) or None


def normalise_title(target: str) -> str:
    """A link's target as the title it names: ``normalise_title("moon_landing#Apollo") == "Moon landing"``."""
    if "&" in target:
        target = html.unescape(target)
    if "#" in target:
        target = target.partition("#")[0]
    if "_" in target:
        target = target.replace("_", " ")
    if not target.isprintable() or "  " in target:
        target = " ".join(target.split())
    target = target.strip()
    return target[:1].upper() + target[1:]


def fold_title(title: str) -> str:
    """A title without what redirects to it may differ in: ``fold_title("Time_Magazine ") == "time magazine"``."""
    return " ".join(unicodedata.normalize("NFKC", title).replace("_", " ").split()).casefold()
