"""Which books are taken, and which introductions are modern."""

import pytest

from deepred.run.config import Books
from deepred.sources.books.book_selection import reading_list, refuse
from deepred.sources.books.catalogue import Person, Record
from deepred.sources.books.introductions import cut_modern_introductions

LOWELL = Record(
    1, "Mars", (Person("Lowell, Percival", "author", 1855, 1916),), "en", ("Mars (Planet)",), ("Astronomy",)
)
COOKING = Record(2, "Pies", (Person("Cook, Ann", "author", 1800, 1870),), "en", ("Cooking",))
VERNE = Record(3, "Lune", (Person("Verne, Jules", "author", 1828, 1905),), "fr", ("Space flight -- Fiction",))


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (Books(), [1, 2, 3]),
        (Books(reading="deepred"), [1, 3]),
        (Books(reading="deepred", ids=[2]), [1, 2, 3]),
        (Books(languages=["en"]), [1, 2]),
        (Books(languages=["en"], reading="deepred"), [1]),
        (Books(subjects=["cook"]), [2]),
        (Books(shelves=["astronomy"]), [1]),
        (Books(authors=["Jules Verne"]), [3]),
        (Books(authors=["Verne"], subjects=["cook"]), [2, 3]),
        (Books(ids=[99]), []),
    ],
)
def test_a_book_is_wanted_by_language_and_any_of_the_wishes(config, wanted):
    taken = [book.number for book in (LOWELL, COOKING, VERNE) if not refuse(config, book.number, book, "", "")]
    assert taken == wanted


def test_a_book_without_a_record_is_judged_by_its_header():
    assert refuse(Books(reading="deepred"), None, None, "H. G. Wells", "English") == ""
    assert refuse(Books(reading="deepred"), None, None, "Ann Cook", "English") == "not-selected"
    assert refuse(Books(languages=["en"]), None, None, "Ann Cook", "French") == "language"
    assert refuse(Books(languages=["en"]), None, None, "Ann Cook", "") == ""


def test_the_shipped_reading_list_has_its_eight_themes():
    assert len(reading_list()) == 8
    assert all(wish.subjects and wish.authors for wish in reading_list().values())


MODERN = "Verne is read again. The film of 1961 brought Verne new readers, and this edition is for them."
OLD = "I wrote this story in the winter of 1872, and have nothing to add to it but my thanks."


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (f"TITLE\n\nINTRODUCTION\n\n{MODERN}\n\nCHAPTER I\n\nIt began.", 1),
        (f"TITLE\n\nIntroduction by A. Critic\n\n{MODERN}\n\nA. CRITIC\n\nCHAPTER I\n\nIt began.", 1),
        (f"TITLE\n\nCHAPTER I\n\nIt began.\n\nABOUT THE AUTHOR\n\n{MODERN}\n\nNOTES\n\nNone.", 1),
        (f"TITLE\n\nPREFACE\n\n{OLD}\n\nCHAPTER I\n\nIt began.", 0),
        (
            f"TITLE\n\nAUTHOR'S PREFACE\n\n{MODERN}\n\nCHAPTER I\n\nIt began.",
            0,
        ),  # a novel set in the future may pretend
        (f"TITLE\n\nINTRODUCTION\n\n{MODERN.replace('1961', '1865')}\n\nCHAPTER I\n\nIt began.", 0),  # a contemporary's
        (f"TITLE\n\nCHAPTER I\n\n{MODERN}\n\nCHAPTER II\n\nIt went on.", 0),  # no introduction
    ],
)
def test_only_an_introduction_that_knows_a_later_year_is_cut(text, cut):
    left, number = cut_modern_introductions(text, "Verne, Jules", 1873)
    assert number == cut
    assert ("1961" in left) == (cut == 0 and "1961" in text)
    assert "It began." in left or "CHAPTER II" in left


def test_an_introduction_without_an_end_never_takes_the_book():
    text = "INTRODUCTION\n\n" + "\n\n".join([MODERN] * 500)
    assert cut_modern_introductions(text, "Verne, Jules", 1873) == (text, 0)
