"""From which day titles and names can have been written: sorted hash arrays that serve every cutoff.

In: the dates of articles, redirects, and the words that link to articles. Out: for a title (exact) and for a name
(words, whatever their case) the earliest day on which any of its meanings was known. A title without a date is known
since always: what is not shown to be late counts as early. Eight bytes a title and four a day, so that seven million
titles and their redirects stay flat in memory; two titles with one 64-bit hash are one in millions of millions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day
from deepred.base.files import replaced
from deepred.base.tables import read_rows
from deepred.text.word_hashes import Hashes, find_words, hash_sequence

Days = npt.NDArray[np.int32]

ALWAYS: Day = -(2**31) + 1
"""The day of what has no date."""
MISSING: Day = 2**31 - 1
"""The day of a title that there is no article of: it says nothing, and any other meaning of its name decides."""

PROPER = 0x5DEECE66D5DEECE6  # sets the hashes of proper names apart from those of common nouns
LONGEST_NAME = 6  # words; longer titles are found by their first six
_QUALIFIER = re.compile(r"\s{0,3}\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class KnownDays:
    """Sorted hashes with the day of each."""

    hashes: Hashes
    days: Days

    def look_up(self, hashes: Hashes) -> Days:
        """The day of every hash; ``MISSING`` where it is not in the table."""
        if not len(self.hashes):
            return np.full(len(hashes), MISSING, np.int32)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.days[places], MISSING).astype(np.int32)

    @staticmethod
    def earliest(hashes: Hashes, days: Days) -> KnownDays:
        """One row per hash, with the earliest of its days."""
        order = np.lexsort((days, hashes))
        hashes, days = hashes[order], days[order]
        first = np.concatenate([[True], hashes[1:] != hashes[:-1]]) if len(hashes) else np.zeros(0, np.bool_)
        return KnownDays(hashes[first], days[first])

    def save(self, path: Path) -> None:
        """Write the table; the file appears complete or not at all."""
        with replaced(path) as partial, partial.open("wb") as file:
            np.save(file, self.hashes)
            np.save(file, self.days)

    @staticmethod
    def load(path: Path) -> KnownDays:
        """The table that ``save`` wrote."""
        with path.open("rb") as file:
            return KnownDays(np.load(file), np.load(file))


def normal_title(title: str) -> str:
    """A link's target as the title it leads to: ``normal_title("new_Carthage#History") == "New Carthage"``."""
    title = title.partition("#")[0].replace("_", " ").strip()
    return title[:1].upper() + title[1:]


def hash_title(title: str) -> int:
    """A title's hash; titles differ by case (``Apple records`` is no ``Apple Records``)."""
    return int.from_bytes(
        hashlib.blake2b(normal_title(title).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def bare_name(title: str) -> str:
    """A title without what tells it from others: ``bare_name("Mercury (planet)") == "Mercury"``."""
    return _QUALIFIER.sub("", title)


def hash_name(name: str) -> int | None:
    """The hash of a name's words, or None where it has none, or none that tells it from any number or common word.

    A proper name (a capital after the first word, or one capitalised word) and a common one ("Genetic engineering")
    are hashed apart: the first is only found where the text writes it with capitals.
    """
    words = find_words(name)
    if not len(words) or bool(words.number.all()) or (len(words) == 1 and not bool(words.capital[0])):
        return None
    proper = len(words) == 1 or bool(words.capital[1:LONGEST_NAME].any())
    return hash_sequence(words.hashes[:LONGEST_NAME]) ^ (PROPER if proper else 0)


def read_titles(dates: Path, redirects: Path) -> KnownDays:
    """Every title and redirect with its day, from the folders of the stages ``dates`` and ``articles``."""
    hashes: list[int] = []
    days: list[int] = []
    for row in read_rows(dates, "dates-*.parquet", ["title", "first_known"]):
        hashes.append(hash_title(row["title"]))
        days.append(ALWAYS if row["first_known"] is None else row["first_known"])
    titles = KnownDays.earliest(np.array(hashes, np.uint64), np.array(days, np.int32))
    pairs = list(_read_redirects(redirects))
    targets = titles.look_up(np.array([target for _, target in pairs], np.uint64))
    found = targets != MISSING
    sources = np.array([source for source, _ in pairs], np.uint64)[found]
    return KnownDays.earliest(np.concatenate([titles.hashes, sources]), np.concatenate([titles.days, targets[found]]))


def _read_redirects(folder: Path) -> Iterator[tuple[int, int]]:
    for row in read_rows(folder, "redirects-*.parquet"):
        yield hash_title(row["title"]), hash_title(row["target"])


def read_names(dates: Path, redirects: Path, titles: KnownDays, anchors: KnownDays) -> KnownDays:
    """The earliest day of every name: of titles, of redirects, and of the words that link to articles."""
    hashes: list[int] = []
    days: list[int] = []

    def add(title: str, day: int) -> None:
        for name in {title, bare_name(title)}:
            value = hash_name(name)
            if value is not None and day != MISSING:
                hashes.append(value)
                days.append(day)

    for row in read_rows(dates, "dates-*.parquet", ["title", "first_known"]):
        add(row["title"], ALWAYS if row["first_known"] is None else row["first_known"])
    for row in read_rows(redirects, "redirects-*.parquet"):
        add(row["title"], int(titles.look_up(np.array([hash_title(row["target"])], np.uint64))[0]))
    both = np.concatenate([np.array(hashes, np.uint64), anchors.hashes])
    return KnownDays.earliest(both, np.concatenate([np.array(days, np.int32), anchors.days]))
