"""Credits and transcriber's notes go; a paragraph that merely holds a word of theirs stays."""

import time

import pytest

from deepred.sources.books.gutenberg_text import clean_book, decode

HEADER = """The Project Gutenberg EBook of A Tale, by An Author

This eBook is for the use of anyone anywhere at no cost and with
almost no restrictions whatsoever.

Title: A Tale

Author: An Author

*** START OF THIS PROJECT GUTENBERG EBOOK A TALE ***


"""
FOOTER = """
End of the Project Gutenberg EBook of A Tale, by An Author

*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***

***** This file should be named 10293-8.txt or 10293-8.zip *****
"""
TITLE = "GRIT\n\nOR\n\nThe Young Boatman\n\n"


def story(paragraphs):
    """So many paragraphs of a work, each of three lines and another number."""
    return "".join(
        f"The ship sailed on the {number} th morning of the voyage, and the men looked at\n"
        "the sea with the sort of dread that only sailors know when the wind is up.\n"
        "The captain said nothing at all and went below to his own cabin.\n\n"
        for number in range(paragraphs)
    )


def cleaned(body):
    """The paragraphs of a work between header and footer."""
    return clean_book(HEADER + body + FOOTER).text.split("\n\n")


NOTES = {
    "one line": "Transcriber's Note: Spelling retained.",
    "two lines": "Transcriber's Note: Obvious errors have been corrected\nand the spelling retained.",
    "heading": "Transcriber's Note\n\nInconsistent hyphenation has been preserved.",
    "capitals": "TRANSCRIBER'S NOTES:\n\nInconsistent hyphenation has been kept.\n\nObvious errors were corrected.",
    "curly": "TRANSCRIBER’S NOTE\n\nItalic text is denoted by _underscores_.",
    "bold": "=Transcriber's Note.= Spelling retained.",
    "italic": "_Transcriber's Note._ Spelling retained.",
    "dash": "Transcriber's Note—Spelling retained.",
    "abbreviated": "TN: Spelling retained.",
    "by": "Notes from the transcriber\n\nSpelling retained.",
    "box": "+----------------------+\n| Transcriber's Note:  |\n|                      |\n| Spelling kept.       |\n"
    "+----------------------+",
    "box of stars": "************************\n* Transcriber's Note:  *\n*                      *\n"
    "* Spelling kept.       *\n************************",
    "open box": "+----------------------+\n\n| Transcriber's Note:  |\n\n| Spelling kept.       |\n\n"
    "+----------------------+",
    "rules": "------------------------\n\nTranscriber's Note:\n\nSpelling kept as it stood.\n\n"
    "The map faces the door.\n\n------------------------",
    "tight rules": "========================\nTRANSCRIBER'S NOTE\nSpelling kept as it stood.\n========================",
    "square": "[Transcriber's Notes:\n\n1. A [sic] was added.\n\n2. B.]",
    "never closed": "[Transcriber's note: Spelling retained\nas it was.",
    "round": "(Transcriber's note: Spelling retained.)",
    "curled": "{Transcriber's note: Spelling retained.}",
    "only Note": "Note:\n\nThe spelling of the original edition has been preserved.",
    "list": "Transcriber's Notes\n\n1. Page 3: 'teh' changed to 'the'.\n\n2. Page 9: 'adn' changed to 'and'.",
    "table": "Note: I have made the following changes to the text:\n\nPAGE  LINE  ORIGINAL   CHANGED TO\n"
    "   3     4  teh        the",
    "bookmarks": "ETEXT EDITOR'S BOOKMARKS:\n\nA woman is never late\nBut for this house\nMen like to be asked\nNo",
    "no heading": "Obvious typographical errors have been corrected.",
    "cover": "The cover image was created by the transcriber and is placed in the\npublic domain.",
    "German": "Anmerkungen zur Transkription:\n\nOffensichtliche Fehler wurden korrigiert.",
    "German without its words": "Anmerkung zur Transkription\n\nDer Text wurde 1905 in Berlin gesetzt.",
    "German box": "+-------------------------------+\n| Anmerkungen zur Transkription |\n"
    "|                               |\n| Fehler wurden korrigiert.     |\n+-------------------------------+",
    "German bracket": "[Anmerkungen zur Transkription: Im folgenden werden alle Änderungen\naufgeführt.]",
    "Spanish": "Nota del Transcriptor:\n\nSe ha respetado la ortografía y la acentuación del original.\n\n"
    "Errores obvios de imprenta han sido corregidos.",
    "Spanish capitals": "NOTA DE TRANSCRIPCIÓN\n\nLos errores de imprenta han sido corregidos.",
    "French": "Note sur la transcription: Les erreurs clairement introduites par le\ntypographe ont été corrigées.",
    "French plural": "Notes de transcription\n\nL'orthographe a été conservée.",
    "French reader": "[Note au lecteur de ce fichier digital:\n\nSeules les erreurs introduites ont été corrigées.]",
    "misspelt": "Transciber's Note: Spelling retained.",
    "amendments": "Transcriber’s Amendments\n\nPage 3: 'teh' changed to 'the'.",
    "notice of notes": "Transcriber's notes can be found at the end of the book.",
    "list alone": "The following typographical errors have been corrected:\n\nPage 3   teh   the\nPage 9   adn   and",
    "magazine": "Transcriber's Note:\n\nThis etext was produced from If Worlds of Science Fiction March 1956.\n"
    "Extensive research did not uncover any evidence that the U.S. copyright on\nthis publication was renewed.",
    "Italian": "Nota del Trascrittore\n\nSono stati corretti i refusi.",
    "Portuguese": "Notas de transcrição:\n\nForam corrigidos os erros.",
    "Dutch": "Opmerkingen van de bewerker\n\nDe spelling is behouden.",
}
CREDITS = [
    "Produced by Jane Doe and John Roe",
    "Produced by\nJane Doe",
    "Produced by an anonymous volunteer",
    "E-text prepared by Jane Doe",
    "This etext was prepared by Jane Doe <jd@example.org>",
    "Prepared by Jane Doe",
    "Transcribed from the 1895 Methuen edition by David Price",
    "Transcribed from the 1895 Chatto & Windus edition by David Price, email\nccx074@pglaf.org",
    "Special thanks are due to Some Person for extensive\nproofreading and correction.",
    "Special thanks to Jane Doe for scanning this book.",
    "With thanks to Jane Doe, who typed this text.",
    "Produced by Jane Doe\n\nSpecial thanks to John Roe.",
    "Dieser Text wurde von Jane Doe eingescannt.",
    "Ce livre a été numérisé par Jane Doe.",
    "Este libro fue digitalizado por Jane Doe.",
    "Entered by Jane Doe",
    "Converted to electronic text by Jane Doe",
    "Scanned by Jane Doe",
    "Scanned and proofed by Jane Doe and John Roe",
    "Text scanned by Jane Doe, proofread by John Roe.",
    "This book was scanned by C D.",
    "This text was typed by Jane Doe and proofread by John Roe.",
    "HTML version by Jane Doe",
    "Credits: Jane Doe and John Roe",
    "Digitized by Jane Doe",
    "OCR by Jane Doe",
    "Proofread by Jane Doe",
    "Updated editions will replace the previous one--the old editions\nwill be renamed.",
    "Images of the original pages are available through the Internet Archive.",
    "This file was produced from images generously made available by\nThe Internet Archive.",
]
ADDITIONS = [*NOTES.values(), *CREDITS]
NAMES = [*NOTES, *(credit[:24] for credit in CREDITS)]


@pytest.mark.parametrize("addition", ADDITIONS, ids=NAMES)
@pytest.mark.parametrize(("paragraphs", "blank_lines"), [(6, 1), (6, 2), (6, 4), (60, 2)])
def test_an_addition_goes_and_nothing_beside_it(addition, paragraphs, blank_lines):
    body = story(paragraphs)
    gap = "\n" * (blank_lines + 1)
    for title in (TITLE, "TALE\n\n", "CHAPTER I\n\n", "Chapter 1. The Sea\n\n", ""):
        assert cleaned(addition + gap + title + body) == cleaned(title + body)
    assert cleaned(TITLE + body.rstrip() + gap + addition + "\n") == cleaned(TITLE + body)


@pytest.mark.parametrize("addition", ADDITIONS, ids=NAMES)
def test_an_addition_in_the_middle_takes_nothing_of_the_work_with_it(addition):
    for paragraphs in (6, 60):
        body = story(paragraphs)
        for gap in ("\n\n", "\n\n\n\n\n"):
            kept = cleaned(TITLE + body.rstrip() + gap + addition + gap + body)
            assert [text for text in kept if "ship sailed" in text] == cleaned(body + body)


WORK = [
    "These passages were added long after by way of notes by the transcribers.",
    "The transcriber of the old manuscript has erred in this place.",
    "Transcribers' notes are seldom to be trusted, said the monk, for they\nerr at every line.",
    "It was transcribed by the scribe Ahmes in the reign of Apepi.",
    "Transcribed by the monks at Iona from an older roll, the psalter is\nhere printed for the first time.",
    "Transcription was then the only means by which books were multiplied.",
    "[The transcriber adds here a line in Greek.]",
    "(The transcriber here omits a leaf.)",
    "Der Schreiber machte Anmerkungen zur Transkription des Namens.",
    "Johannes Gutenberg of Mainz printed the Bible in the year 1455.",
    "Produced by the wind, the dunes moved on toward the town.",
    "Produced by heat and pressure, the stone is hard.",
    "Produced by Mr. Belasco at the Savoy Theatre, London, on 12 January 1910",
    "Prepared by long study, he entered the hall.",
    "Prepared by the Committee of Ten",
    "The text was prepared by monks of the abbey, who wrote upon vellum.",
    "This book was produced in the author's seventieth year.",
    "Scanned by his eager eyes, the horizon showed no sail.",
    "Typed by her own hand, the letter lay on the desk.",
    "Special thanks are due to the Governor for the loan of his ship.",
    "Special thanks to Sir John Smith.",
    "Thanks to Captain Smith and Mr. Jones the ship was saved.",
    "Note: the captain was not a Dane, but a Swede.",
    "Note.--The reader may skip this page.",
    "The small print! cried the lawyer, nobody reads it.",
    "She liked plain vanilla ice better than any other.",
    "Images of the saints stood on the wall.",
    "Images of Saint Peter and Saint Paul",
    "The play was produced by Henry Irving at the Lyceum.",
    "The credits: ten pounds; the debits: nine.",
    "Edited by John Smith",
    "Illustrated by John Roe",
    "End of the First Part",
    "The end of the text is lost.",
    "THE TRANSCRIBER'S TALE",
    "A NOTE ON THE TEXT",
    "[Music plays.]",
    "The ship changed its course.",
]


@pytest.mark.parametrize("paragraph", WORK)
@pytest.mark.parametrize("before", ["", TITLE, TITLE + story(60)], ids=["first", "after the title", "late"])
@pytest.mark.parametrize("after", ["", story(60)], ids=["last", "before the work"])
def test_a_paragraph_that_holds_a_word_of_an_addition_stays(paragraph, before, after):
    body = f"{before}{paragraph}\n\n{after}"
    kept = cleaned(body)
    assert " ".join(paragraph.split()) in kept
    assert len(kept) == len(body.strip().split("\n\n"))


@pytest.mark.parametrize("paragraph", WORK[3:6] + WORK[9:13] + WORK[19:22] + WORK[35:])
@pytest.mark.parametrize("note", ["one line", "heading", "square", "box"])
def test_what_follows_a_note_is_the_works(paragraph, note):
    for gap in ("\n\n", "\n\n\n"):
        kept = cleaned(NOTES[note] + gap + paragraph + "\n\n" + story(60))
        assert " ".join(paragraph.split()) in kept
        assert len(kept) == 61


def test_a_long_note_that_tells_of_the_author_goes_up_to_the_gap_that_ends_it():
    prose = "\n\n".join(
        [f"John Sartain was an English artist who went to America in the year\n184{n}." for n in range(5)]
    )
    note = f"REDACTOR'S NOTE\n\nFrom a magazine of May 1852.\n\n{prose}\n\nJane Doe\nRockville, Maryland\n\n\n\n\n"
    assert cleaned(note + TITLE + story(9)) == cleaned(TITLE + story(9))


def test_a_contents_line_that_names_the_note_takes_no_contents_with_it():
    contents = "TABLE OF CONTENTS\n\n\n\nINFORMATION ABOUT THIS E-TEXT EDITION\n\nINTRODUCTION\n\nPART I: THE GAME\n\n"
    assert cleaned(contents + story(9))[:3] == ["TABLE OF CONTENTS", "INTRODUCTION", "PART I: THE GAME"]


def test_what_was_taken_out_is_counted_and_kept_as_notes():
    book = clean_book(HEADER + NOTES["heading"] + "\n\n\n" + TITLE + CREDITS[0] + "\n\n" + story(9) + FOOTER)
    assert {name: number for name, number in book.removed.items() if number} == {
        "header": 1, "end-line": 1, "licence": 1, "transcriber-note": 2, "credit": 1,
    }  # fmt: skip
    assert "hyphenation" in book.notes
    assert "Jane Doe" in book.notes


@pytest.mark.parametrize(
    "piece",
    [
        "[", "*", "+-----\n", "+-----\n\n", "Transcriber's Note\n\n", "[Transcriber's note ", "\n(Transcriber's note",
        "Note:\n\n", "Produced by ", "scanned and ", "thanks to ", "<<this electronic ", "\r", "_ ", "*END ", "end of ",
        "read ", "*** START OF THE PROJECT GUTENBERG ", "End of the Project Gutenberg\n\n",
    ],
)  # fmt: skip
def test_time_grows_with_length_only(piece):
    begun = time.process_time()
    text = decode((piece * (20_000 // len(piece))).encode())
    clean_book(HEADER + text + FOOTER)
    clean_book(text)
    assert time.process_time() - begun < 2
