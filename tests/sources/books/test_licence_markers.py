"""Header, licence and end lines go, in the forms of all years; the work between them stays whole."""

import pytest

from deepred.sources.books.gutenberg_text import clean_book, decode

TALE = "GRIT\n\nThe ship sailed in the morning, and the men looked at the sea.\n\nThe captain said nothing.\n"
KEPT = TALE.strip()
LATER = "VOLUME TWO\n\nThe late chapter is part of the work.\n"
NEW_HEADER = "The Project Gutenberg EBook of A Tale\n\nTitle: A Tale\n\nCredits: Jane Doe\n\n"
SMALL_PRINT = """The Project Gutenberg Etext of A Tale, by An Author

Please take a look at the important information in this header.

July, 1994  [Etext #150]

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this "Small Print!" statement here?  You know: lawyers.

By using any part of it you agree.

*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

"""
LICENCE = """
***** This file should be named x.txt *****

Updated editions will replace the previous one--the old editions
will be renamed.

*** START: FULL LICENSE ***

Section 1. General Terms

1.A. By reading you agree.
"""
STARTS = [
    "***START OF THE PROJECT GUTENBERG EBOOK A TALE***",
    "*** START OF THIS PROJECT GUTENBERG EBOOK A TALE ***",
    "*** START OF THE PROJECT GUTENBERG ETEXT A TALE ***",
    "***START OF THE PROJECT GUTENBERG EBOOK A VERY LONG TALE OF THE SEA AND\nOF SHIPS***",
    "*** START OF THE PROJECT GUTENBERG EBOOK 12345 ***",
    "*** START OF THE COPYRIGHTED PROJECT GUTENBERG EBOOK A TALE ***",
    "***** START OF THIS PROJECT GUTENBERG EBOOK A TALE *****",
    "*** START OF PROJECT GUTENBERG EBOOK A TALE ***",
    "*** START OF THIS PROJECT GUTENBERG EBOOK A TALE",
    "START OF THE PROJECT GUTENBERG EBOOK A TALE",
    "  *** Start of the Project Gutenberg EBook A Tale ***",
]
ENDS = [
    "***END OF THE PROJECT GUTENBERG EBOOK A TALE***",
    "*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***",
    "*** END OF THE PROJECT GUTENBERG EBOOK A VERY LONG TALE OF THE SEA\nAND OF SHIPS ***",
    "End of Project Gutenberg's A Tale, by An Author",
    "End of the Project Gutenberg EBook of A Tale, by\nAn Author",
    "END OF PROJECT GUTENBERG ETEXT A TALE",
    "End of this Project Gutenberg Etext of A Tale",
    "This is the end of the Project Gutenberg Etext",
    "End of this Etext",
    "Ende dieses Projekt Gutenberg Etextes A Tale",
    "Ende dieses Project Gutenberg Etextes",
    "Fin du Projet Gutenberg de A Tale",
    "Fin de Project Gutenberg's A Tale",
    "Einde van Project Gutenberg's A Tale",
]
MIDDLES = [
    "End of the Project Gutenberg Etext Volume One",
    "End of Project Gutenberg's A Tale, Volume 1",
    "End of this Project Gutenberg Etext of A Tale, v1, by An Author",
    "End of the Project Gutenberg EBook of A Tale, Vol. 1,\nby An Author",
    "END OF PROJECT GUTENBERG ETEXT VOLUME ONE",
    "Ende dieses Project Gutenberg Etextes Teil Eins",
    "Fin du Projet Gutenberg de A Tale, tome 1",
]
FOOTERS = [
    "",
    "\nEnd of the Project Gutenberg Etext of A Tale\n",
    "\nEnd of Project Gutenberg's A Tale\n\n*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***\n" + LICENCE,
    "\nEnd of Project Gutenberg's A Tale\n" + LICENCE,
]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("licence", ["", LICENCE], ids=["bare", "licence"])
def test_the_work_between_the_markers_is_whole(start, end, licence):
    assert clean_book(f"{NEW_HEADER}{start}\n\n\n{TALE}\n\n{end}\n{licence}").text == KEPT


@pytest.mark.parametrize("middle", MIDDLES)
@pytest.mark.parametrize("header", ["", f"{NEW_HEADER}{STARTS[0]}\n\n", SMALL_PRINT], ids=["none", "marker", "old"])
@pytest.mark.parametrize("footer", FOOTERS, ids=["none", "line", "marker", "licence"])
def test_an_end_line_inside_a_file_cuts_nothing_off(middle, header, footer):
    assert clean_book(f"{header}{TALE}\n{middle}\n\n\n{LATER}{footer}").text == f"{KEPT}\n\n{LATER.strip()}"


@pytest.mark.parametrize(
    ("header", "footer"),
    [
        ("", ""),
        ("", FOOTERS[1]),
        (SMALL_PRINT, ""),
        (SMALL_PRINT, FOOTERS[1]),
        ("", FOOTERS[1] + "\n" + SMALL_PRINT),  # the small print behind the work
        ("The Project Gutenberg Etext of A Tale\n\n", FOOTERS[1] + "\n" + SMALL_PRINT),
        ("The Project Gutenberg Etext of A Tale\n\nCopyright laws are changing.\n\nTitle: A Tale\n\n", FOOTERS[1]),
        ('*SMALL PRINT! for A TALE*\nYou know: lawyers.\n\n["Small Print" V.12.08.93]\n\n', ""),
    ],
)
def test_old_and_short_files_keep_their_work(header, footer):
    assert clean_book(header + TALE + footer).text == KEPT


def test_an_end_marker_inside_a_file_cuts_nothing_off():
    inner = "*** END OF THIS PROJECT GUTENBERG EBOOK A TALE, VOLUME ONE ***"
    text = f"{NEW_HEADER}{STARTS[1]}\n\n{TALE}\n{MIDDLES[1]}\n\n{inner}\n\n\n{LATER}{FOOTERS[2]}"
    assert clean_book(text).text == f"{KEPT}\n\n{LATER.strip()}"


def test_whole_files_joined_are_both_kept():
    for header, footer in ((f"{NEW_HEADER}{STARTS[1]}\n\n", FOOTERS[2]), (SMALL_PRINT, FOOTERS[1])):
        joined = f"{header}{TALE}{footer}\n\n{header}{LATER}{footer}"
        assert clean_book(joined).text == f"{KEPT}\n\n{LATER.strip()}"


def test_a_notice_repeated_within_the_work_goes_alone():
    notice = (
        "<<THIS ELECTRONIC VERSION OF THE COMPLETE WORKS OF WILLIAM SHAKESPEARE IS COPYRIGHT\n"
        "1990-1993 BY WORLD LIBRARY, INC., AND IS PROVIDED BY PROJECT GUTENBERG ETEXT.>>"
    )
    for parted in ("\n", "\n\n"):
        assert LATER.strip() in clean_book(f"{NEW_HEADER}{STARTS[0]}\n\n{TALE}{parted}{notice}{parted}{LATER}").text


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_line_ends_and_encodings_change_nothing(line_end, encoding):
    whole = f"{NEW_HEADER}{STARTS[1]}\n\n{TALE}\n\nDer Käpt’n schwieg.\n{FOOTERS[2]}"
    assert clean_book(decode(whole.replace("\n", line_end).encode(encoding))).text == f"{KEPT}\n\nDer Käpt’n schwieg."


def test_every_end_of_the_licence_is_counted():
    book = clean_book(f"{NEW_HEADER}{STARTS[1]}\n\n{TALE}\n{MIDDLES[0]}\n\n{LATER}{FOOTERS[2]}")
    assert (book.removed["header"], book.removed["end-line"], book.removed["licence"]) == (1, 2, 1)
