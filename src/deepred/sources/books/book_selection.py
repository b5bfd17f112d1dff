"""Which books a run wants: by language, subject, bookshelf, author or number, or by the shipped reading list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from deepred.base.files import shipped_table
from deepred.run.config import Books
from deepred.sources.books.catalogue import Record
from deepred.sources.books.first_published import name_key

LANGUAGES = {"english": "en", "french": "fr", "german": "de", "russian": "ru", "spanish": "es", "italian": "it"}
"""Languages as headers name them, by the catalogue's codes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One set of wishes; a book that meets any of them is wanted."""

    subjects: tuple[str, ...] = ()
    shelves: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    def meets(self, number: int | None, record: Record | None, author: str) -> bool:
        """Whether a book has one of the numbers, authors, subjects or shelves."""
        if number in self.ids or _names_any(author, self.authors):
            return True
        if record is None:
            return False
        named = any(_names_any(person.name, self.authors) for person in record.authors())
        return named or _any_in(self.subjects, record.subjects) or _any_in(self.shelves, record.shelves)


def refuse(config: Books, number: int | None, record: Record | None, author: str, language: str) -> str:
    """Why a book is not wanted: ``language``, ``not-selected``, or empty where it is."""
    spoken = (record.language if record and record.language else LANGUAGES.get(language.lower(), language)).lower()
    if config.languages and spoken and not any(code in config.languages for code in spoken.replace(";", " ").split()):
        return "language"
    wishes = list(reading_list().values()) if config.reading == "deepred" else []
    own = Wish(tuple(config.subjects), tuple(config.shelves), tuple(config.authors), tuple(config.ids))
    if own != Wish():
        wishes.append(own)
    return "" if not wishes or any(wish.meets(number, record, author) for wish in wishes) else "not-selected"


@cache
def reading_list() -> dict[str, Wish]:
    """The themes of ``reading.toml``."""
    return {
        theme: Wish(
            tuple(table.get("subjects", ())),
            tuple(table.get("shelves", ())),
            tuple(table.get("authors", ())),
            tuple(table.get("ids", ())),
        )
        for theme, table in shipped_table("deepred.sources.books", "reading.toml").items()
    }


def _any_in(wanted: Iterable[str], found: Iterable[str]) -> bool:
    lower = [name.lower() for name in found]
    return any(wish.lower() in name for wish in wanted for name in lower)


def _names_any(name: str, wanted: Iterable[str]) -> bool:
    """Whether a name holds every word of one of the wanted names, in whatever order."""
    words = set(name_key(name).split())
    return any(words >= set(name_key(wish).split()) for wish in wanted if name_key(wish))
