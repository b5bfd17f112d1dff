"""Books: what distributors added is gone, what the author wrote stays, and every date has its reason."""

import gzip
import json
import re

import pytest

from deepred.base.days import Interval
from deepred.base.errors import DeepRedError, FaultError, UserError
from deepred.base.tables import read_rows
from deepred.run.config import Books
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work
from deepred.sources.books.books import collect_books
from deepred.sources.books.catalogue import (
    Person,
    Record,
    merge_records,
    parse_people,
    read_catalogue,
    read_csv,
    read_rdf,
)
from deepred.sources.books.first_published import date_book, known_lives, name_key, title_page_years
from deepred.sources.books.gutenberg_text import clean_book, cut_page_numbers, decode
from deepred.sources.books.text_blocks import reflow

PROSE = """It was a bright cold day in the colony, and the clocks of the
observatory were striking the hour when the engineers came up from the
lower galleries to look at the plains. Nobody spoke for a long time."""

HEADER = """The Project Gutenberg EBook of The Red Plain, by Ann Author

This eBook is for the use of anyone anywhere at no cost and with
almost no restrictions whatsoever.

Title: The Red Plain
       A Romance

Author: Ann Author

Release Date: June, 1996 [EBook #545]
Language: English

*** START OF THIS PROJECT GUTENBERG EBOOK THE RED PLAIN ***




Produced by Judith Boss. HTML version by Al Haines.


"""
FOOTER = """


End of Project Gutenberg's The Red Plain, by Ann Author

*** END OF THIS PROJECT GUTENBERG EBOOK THE RED PLAIN ***

Section 1. General Terms of Use. http://www.gutenberg.org
"""
FORBIDDEN_WORDS = (
    "gutenberg", "transcriber", "proofread", "pgdp", "http:", "https:", "www.", "[illustration", "small print",
    "html version", "redactor", "scanned by", "judith boss", "archive.org", "plain vanilla",
)  # fmt: skip
FORBIDDEN = re.compile(r"\b(?:e-?texts?|e-?books?)\b|^(?:produced by|transcribed) ", re.MULTILINE)


def added_phrases(text):
    """What of an electronic edition is left in a text."""
    lower = text.lower()
    return [word for word in FORBIDDEN_WORDS if word in lower] + FORBIDDEN.findall(lower)


def book(body, header=HEADER, footer=FOOTER):
    return header + body + footer


def test_header_footer_and_credits_are_gone_and_prose_is_one_line_a_paragraph():
    cleaned = clean_book(book(f"THE RED PLAIN\n\nCHAPTER I\n\n{PROSE}\n\n{PROSE}"))
    prose = " ".join(PROSE.split())
    assert cleaned.text == f"THE RED PLAIN\n\nCHAPTER I\n\n{prose}\n\n{prose}"
    assert cleaned.fields["title"] == "The Red Plain A Romance"
    assert cleaned.number == 545


@pytest.mark.parametrize(
    "addition",
    [
        "[Illustration]",
        "[Illustration: The plain at dawn [from a sketch]\nwith two lines]",
        "[Frontispiece: The cold hollow eye of a revolver]",
        "[Transcriber's note: I have made the following changes:\n\n  12  1  teh  the]",
        "[Redactor's Note: _The Red Plain_ (Number V01) is a translation]",
        "{123}",
        "[Pg 12]",
        "[page\n12]",
        "cover",
        "E-text prepared by David Garcia and the Project Gutenberg Online\nDistributed Proofreading Team",
        "Transcribed from the 1908 Longmans edition by David Price, email ccx074@pglaf.org",
        "Produced by Suzanne Shell and the Online Distributed Proofreading Team at http://www.pgdp.net",
        "Note: Project Gutenberg also has an HTML version of this file",
        "[page intentionally blank]",
        "All rights reserved. No part of this publication may be reproduced",
    ],
)
def test_what_was_added_to_a_book_is_removed(addition):
    cleaned = clean_book(book(f"THE RED PLAIN\n\n{addition}\n\nCHAPTER I\n\n{PROSE}"))
    assert cleaned.text == f"THE RED PLAIN\n\nCHAPTER I\n\n{' '.join(PROSE.split())}"


def test_emphasis_marks_go_and_blanks_stay():
    long = "It was _very_ cold, said _The Times_, and Mr. ____ went to x_1.\n\n_A note over\n\ntwo paragraphs._"
    assert clean_book(book(long)).text == (
        "It was very cold, said The Times, and Mr. ____ went to x_1.\n\nA note over\n\ntwo paragraphs."
    )


def test_an_unclosed_marker_costs_one_line_and_not_the_book():
    cleaned = clean_book(book(f"[Illustration: never closed\n\nCHAPTER I\n\n{PROSE}"))
    assert cleaned.text.startswith("CHAPTER I")


def test_a_transcribers_note_at_the_end_goes_to_the_end():
    long = "\n\n".join([PROSE] * 60)
    cleaned = clean_book(
        book(f"{long}\n\n\nTranscriber's Notes\n\n\n 1. Silently corrected errors.\n\n 2. Kept spelling.")
    )
    assert cleaned.text.endswith("for a long time.")


def test_the_author_may_speak_of_producing_and_of_the_printer_gutenberg():
    long = "\n\n".join([PROSE] * 50)
    said = "Produced by the wind, the dunes moved on. Gutenberg of Mainz had printed no map of them."
    assert said in clean_book(book(f"{long}\n\n{said}\n\n{long}")).text


@pytest.mark.parametrize(
    "small_print",
    [
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*",
    ],
)
def test_an_old_file_without_markers_begins_after_the_small_print(small_print):
    header = f"Project Gutenberg's Etext of Looking Backward\n\nAugust, 1996  [Etext #624]\n\n{small_print}\n\n"
    cleaned = clean_book(book(f"CHAPTER I\n\n{PROSE}", header, "\n\nEnd of Project Gutenberg's Etext of Looking\n"))
    assert cleaned.text == f"CHAPTER I\n\n{' '.join(PROSE.split())}"
    assert cleaned.number == 624


def test_a_file_without_any_marker_loses_its_boilerplate():
    cleaned = clean_book(f"The Project Gutenberg Etext of X\n\nPlease visit www.example.org\n\nCHAPTER I\n\n{PROSE}\n")
    assert cleaned.text == f"CHAPTER I\n\n{' '.join(PROSE.split())}"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb", "a\nb"),
        ("Zürich".encode("latin-1"), "Zürich"),
        (b"\xef\xbb\xbf" + "Zürich".encode(), "Zürich"),
        ("Zürich".encode("utf-16"), "Zürich"),
        (b"\x93said\x94", "“said”"),
        (b"\0\1\2", None),
        (b"", ""),
    ],
)
def test_every_encoding_is_read_and_bytes_that_are_no_text_are_not(data, text):
    assert decode(data) == text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["CHAPTER I"], "CHAPTER I"),
        (["  Tyger Tyger, burning bright,", "  In the night"], "Tyger Tyger, burning bright,\nIn the night"),
        (["HAMLET. To be, or not to be,", "  that is the question.", "OPHELIA. Good my lord."], None),
        (["a dash stands at the end of this line, so--", "on"], "a dash stands at the end of this line, so--on"),
        (["KING        1", "QUEEN       2", "ROOK        3"], None),
        (["Mr. Polly", "Potwell Inn", "Kent"], None),
    ],
)  # fmt: skip
def test_only_wrapped_lines_are_joined(lines, text):
    assert reflow(lines, 48) == ("\n".join(lines) if text is None else text)


def test_lone_page_numbers_go_but_numbered_sections_stay():
    pages = "\n\n".join(f"{PROSE}\n\n{number}" for number in range(1, 60))
    sections = "\n\n".join(f"{number}\n\n{PROSE}" for number in range(1, 12))
    assert "\n59" not in cut_page_numbers(pages, Counts().drops)
    assert cut_page_numbers(sections, Counts().drops) == sections


@pytest.mark.parametrize(
    ("front", "years"),
    [
        ("LONDON: CHAPMAN & HALL, LD.\n1902", [1902]),
        ("COPYRIGHT, 1921, BY\nHARCOURT", [1921]),
        ("New York, MCMXIII", [1913]),
        ("TENTH IMPRESSION\n1908\n_First printed serially_, 1890.", [1908, 1890]),
        ("CONTENTS\n\n1902", []),
        ("LOOKING BACKWARD\nAUTHOR'S PREFACE\nShawmut College, Boston,\nDecember 26, 2000", []),
        ("The World Publishing House\nNew Yowk, 1877", [1877]),
        ("Looking Backward, from 2000 to 1887", []),
        ("I met him on Mars Day, June 10, 1967, in the Blue Room of the Liner\n" * 5, []),
    ],
)
def test_years_are_read_from_imprint_lines_of_the_title_page_only(front, years):
    assert [year for year, _ in title_page_years(front)] == years


DOYLE = Person("Doyle, Arthur Conan", "author", 1859, 1930)
VERNE = Person("Verne, Jules", "author", 1828, 1905)
FRITH = Person("Frith, Henry", "translator", 1840, 1917)


@pytest.mark.parametrize(
    ("record", "front", "undated", "interval", "by"),
    [
        (Record(1, people=(DOYLE,), published=1902), "", "drop", Interval.of(1902), "catalogue"),
        (Record(1, people=(VERNE,)), "LONDON\n1879", "drop", Interval.of(1879), "title-page"),
        (Record(1, people=(DOYLE,)), "Copyright 1911\nFirst published 1902", "drop", Interval.of(1902), "title-page"),
        (
            Record(1, people=(DOYLE,)),
            "COPYRIGHT, 1921\n© 1949 BY A WIDOW",
            "drop",
            Interval(19210101, 19491231),
            "title-page",
        ),
        (Record(1, people=(VERNE,)), "Copyright, 2008", "author-death", Interval.of(2008), "title-page"),
        (Record(1, people=(DOYLE,)), "LONDON\n1802", "author-death", Interval(18710101, 19301231), "author-death"),
        (Record(1, people=(DOYLE,)), "", "author-death", Interval(18710101, 19301231), "author-death"),
        (Record(1, people=(VERNE,)), "", "drop", None, "undated"),
        # a translation has its own date, and the original's year does not date it
        (Record(1, people=(VERNE, FRITH), published=1873), "LONDON\n1879", "drop", Interval.of(1879), "title-page"),
        (Record(1, people=(VERNE, FRITH)), "", "author-death", Interval(18520101, 19171231), "translator-death"),
        (Record(1, people=(VERNE,)), "Translated by N. N.", "author-death", None, "undated"),
        (Record(1, people=(Person("Living, A.", "author", 1930, None),)), "", "author-death", None, "undated"),
        (None, "", "author-death", None, "undated"),
    ],
)
def test_a_book_is_dated_by_the_first_authority_that_speaks(record, front, undated, interval, by):
    dating = date_book(record, {}, front, "", undated)
    assert (dating.interval, dating.by) == (interval, by)
    assert dating.reason


def test_a_known_author_dates_a_book_that_no_catalogue_names():
    assert date_book(None, {"author": "H. G. (Herbert George) Wells"}, "", "", "author-death").interval == Interval(
        18780101, 19461231
    )
    assert name_key("Tolstoy, Leo, graf") == name_key("Leo Tolstoy")


@pytest.mark.parametrize(
    ("fields", "front", "notes", "interval", "by"),
    [
        # an English text of an author who wrote in French has a translator, whoever that was
        ({"author": "Jules Verne", "language": "English"}, "", "", None, "undated"),
        ({"author": "Jules Verne", "language": "French"}, "", "", Interval(18400101, 19051231), "author-death"),
        (
            {"author": "Leo Tolstoy"},
            "Translated by Constance Garnett",
            "",
            Interval(18730101, 19461231),
            "translator-death",
        ),
        (
            {"author": "Jules Verne"},
            "",
            "a Google Books scan of\nan 1879 edition, printed in 1879",
            Interval.of(1879),
            "edition-note",
        ),
        (
            {"author": "Edward Lasker"},
            "",
            "an e-text of the book, copyright 1918, made in 2003",
            Interval.of(1918),
            "edition-note",
        ),
    ],
)
def test_translators_are_sought_on_the_title_page_and_editions_in_notes(fields, front, notes, interval, by):
    dating = date_book(None, fields, front, notes, "author-death")
    assert (dating.interval, dating.by) == (interval, by)


def test_public_domain_by_age_is_the_last_authority():
    record = Record(1, people=(Person("Anon", "author"),), rights="Public domain in the USA.")
    assert date_book(record, {}, "", "", "author-death").interval == Interval(14500101, 19631231)
    assert date_book(record, {}, "", "", "drop").interval is None


def test_people_of_the_csv_have_roles_and_lives():
    people = parse_people(
        "Marx, Karl, 1818-1883; Engels, Friedrich, 1820-1895 [Editor]; Caesar, Julius, 101 BCE-45 BCE; Various"
    )
    assert people == [
        Person("Marx, Karl", "author", 1818, 1883),
        Person("Engels, Friedrich", "editor", 1820, 1895),
        Person("Caesar, Julius", "author", -100, -44),
        Person("Various", "author", None, None),
    ]


def test_csv_rows_without_a_number_are_counted(tmp_path):
    path = tmp_path / "pg_catalog.csv"
    path.write_text("Text#,Type,Issued,Title,Language,Authors\n7,Text,1999-01-01,T,en,X\n,Text,,,,\n", encoding="utf-8")
    counts = Counts()
    assert [record.number for record in read_csv(path, counts)] == [7]
    assert counts.drops == {"unreadable-catalogue-record": 1}
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FaultError, match="Text#"):
        list(read_csv(path, Counts()))


CSV = "Text#,Type,Issued,Title,Language,Authors\n7,Text,1999-01-01,T,en,X\n"
RDF = (
    '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:pgterms="http://www.gutenberg.org/2009/pgterms/"><pgterms:ebook rdf:about="ebooks/7"/></rdf:RDF>'
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pg_catalog.csv", CSV.encode()),
        ("pg_catalog.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("catalogue", CSV.encode("utf-8-sig")),
        ("pg7.rdf", RDF.encode()),
        ("catalogue", RDF.encode()),
    ],
)
def test_a_catalogue_is_told_by_its_bytes(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert list(read_catalogue([tmp_path / name], None, Counts())) == [7]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rdf-files.tar.bz2", b"BZh9" + bytes(50), "bzip2, not a catalogue"),
        ("rdf-files.tar.zip", b"PK\x03\x04" + bytes(50), "a zip archive, not a catalogue"),
        ("pg_catalog.csv", b"PK\x03\x04" + bytes(50), "a zip archive"),
        ("pg_catalog.csv.gz", gzip.compress(bytes(257) + b"ustar", mtime=0), "no column Text#"),
        ("books.csv", b"id,title,author\n7,T,X\n", "no column Text#, Title, Authors;.*has id, title, author"),
        ("books.csv", b"Text#,Name\n7,T\n", "no column Title, Authors;.*has Text#, Name"),
        ("pg_catalog.csv", CSV.split("\n")[0].encode(), "no record of a book"),
        ("catalog.rdf", RDF.replace("ebook", "etext").encode(), "no record of a book.*RDF in XML"),
        ("pg7.rdf", b"<html>404</html>", "no record of a book.*an HTML page"),
        ("list.json", b'{"7": "T"}', "no column.*JSON"),
    ],
)
def test_another_catalogue_is_an_error_that_says_what_was_seen(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DeepRedError, match=words):
        read_catalogue([tmp_path / name], None, Counts())


def test_damaged_rdf_is_counted(tmp_path):
    path = tmp_path / "pg1.rdf"
    path.write_text("<rdf:RDF", encoding="utf-8")
    counts = Counts()
    assert list(read_rdf(path, counts)) == []
    assert counts.drops == {"unreadable-catalogue-record": 1}


def test_two_records_of_a_book_complete_each_other():
    csv = Record(1, "T", (VERNE,), "en", ("Mars",), ("SF",))
    rdf = Record(1, "T", (VERNE, FRITH), published=1879, subjects=("Mars", "Canals"))
    merged = merge_records(csv, rdf)
    assert (merged.people, merged.published, merged.subjects) == ((VERNE, FRITH), 1879, ("Mars", "Canals"))
    assert merged.shelves == ("SF",)


def collect(tmp_path, files, catalogue="", cutoff=19690720, straddling="drop", undated="author-death"):
    paths = []
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        paths.append(path)
    records = []
    if catalogue:
        records = [tmp_path / "pg_catalog.csv"]
        records[0].write_text(f"Text#,Type,Issued,Title,Language,Authors\n{catalogue}", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    counts = collect_books(
        world=None, config=Books(undated=undated), sources={"files": paths, "catalogue": records}, cutoff=cutoff,
        straddling=straddling, out=out, work=Work(Settings()),
    )  # fmt: skip
    decisions = [
        json.loads(line)
        for path in sorted(out.glob("decisions-*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return list(read_rows(out, "documents-*.parquet")), counts, decisions


BODY = "THE RED PLAIN\n\nLONDON\n{year}\n\nCHAPTER I\n\n" + "\n\n".join([PROSE] * 4)


def test_the_issue_date_of_the_electronic_book_never_dates_it(tmp_path):
    rows, counts, decisions = collect(
        tmp_path, {"545.txt": book(BODY.format(year=""))}, '545,Text,1950-06-01,T,en,"Author, Ann"\n'
    )
    assert rows == []
    assert counts.drops == {"undated": 1}
    assert decisions[0]["why"] == "no publication year, and the death of author Author, Ann is unknown"


@pytest.mark.parametrize(
    ("year", "straddling", "reason"),
    [(1968, "drop", ""), (1969, "drop", "straddling"), (1969, "keep", ""), (1970, "keep", "after-cutoff")],
)
def test_the_cutoff_decides_by_the_books_interval(tmp_path, year, straddling, reason):
    rows, counts, decisions = collect(tmp_path, {"545.txt": book(BODY.format(year=year))}, straddling=straddling)
    assert (len(rows), decisions[0]["reason"]) == ((0, reason) if reason else (1, ""))
    assert dict(counts.drops) == ({reason: 1} if reason else {})


def test_a_kept_book_carries_title_author_date_and_origin_but_not_the_distributors_name(tmp_path):
    rows, _, decisions = collect(
        tmp_path, {"545.txt": book(BODY.format(year=1908))}, '545,Text,1996-06-01,T,en,"Author, Ann, 1860-1920"\n'
    )
    row = rows[0]
    assert (row["id"], row["title"], row["author"]) == ("book:545", "The Red Plain A Romance", "Author, Ann")
    assert (row["first"], row["last"], row["origin"]) == (19080101, 19081231, "545.txt")
    assert added_phrases(str(row)) == []
    assert decisions[0]["why"] == "the title page names 1908"


def test_of_two_files_of_one_book_the_richer_encoding_stays(tmp_path):
    one = book(BODY.format(year=1908))
    rows, counts, _ = collect(tmp_path, {"545.txt": one, "545-8.txt": one.replace("Nobody", "Nobód").encode("latin-1")})
    assert "Nobód" in rows[0]["text"]
    assert counts.drops == {"duplicate": 1}


def test_a_file_far_longer_than_a_book_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.sources.books.books.LARGEST", 5_000)
    long = book(BODY.format(year=1908)).replace("#545", "#546") + "It was a day. " * 1_000
    rows, counts, _ = collect(tmp_path, {"545.txt": book(BODY.format(year=1908)), "546.txt": long})
    assert len(rows) == 1 and counts.drops == {"too-large": 1}


def test_empty_binary_and_short_files_are_counted_and_most_of_them_is_an_error(tmp_path):
    good = {f"{number}.txt": book(BODY.format(year=1908)).replace("#545", f"#{number}") for number in (100, 101)}
    _, counts, _ = collect(tmp_path, good | {"empty.txt": b"", "binary.txt": b"\0\1"})
    assert counts.drops == {"not-text": 1, "short": 1}
    bad = tmp_path / "bad"
    bad.mkdir()
    with pytest.raises(UserError, match=r"binary\.txt"):
        collect(bad, {"binary.txt": b"\0\1"})


def test_no_licence_or_transcriber_phrase_is_left_in_the_sample_books(samples):
    for path in sorted((samples / "gutenberg").glob("*.txt")):
        cleaned = clean_book(decode(path.read_bytes()))
        assert added_phrases(cleaned.text) == [], path.name
        assert len(cleaned.text) > 30_000, path.name


def test_sample_catalogue_records_are_read(samples):
    counts = Counts()
    records = [
        record for path in sorted((samples / "gutenberg-rdf").glob("*.rdf")) for record in read_rdf(path, counts)
    ]
    assert len(records) == 8
    assert not counts.drops
    assert all(record.people and record.title for record in records)


def test_known_lifetimes_are_those_of_people():
    for name, (birth, death, language) in known_lives().items():
        assert 15 <= death - birth <= 105, name
        assert death <= 2026, name
        assert re.fullmatch("[a-z]{2}", language), name


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02" * 400, b"*** START OF", b"\xff\xfe\x00", b"[" * 5000, b"_" * 5000]
)
def test_empty_binary_and_truncated_files_are_counted_and_never_crash(tmp_path, data):
    rows, counts, decisions = collect(tmp_path, {"odd.txt": data, "1.txt": book(BODY.format(year=1900)), "2.txt": b"x"})
    assert len(rows) == 1
    assert counts.numbers["files"] == 3
    assert counts.drops.total() == 2
    assert [decision["kept"] for decision in decisions].count(True) == 1


NOTICE = "**This is a COPYRIGHTED Project Gutenberg eBook, Details Below**"


def test_a_book_distributed_by_permission_is_not_taken(tmp_path):
    free, kept = book(BODY.format(year=1900)), book(BODY.format(year=1901))
    rows, counts, _ = collect(tmp_path, {"a.txt": free.replace("[EBook #545]", ""), "b.txt": f"{NOTICE}\n\n{kept}"})
    assert counts.drops == {"copyrighted": 1}
    assert rows[0]["licence"] == "United States: public domain; countries of life + 70 years: unknown"


def test_a_catalogue_file_far_longer_than_a_record_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.sources.books.catalogue.LARGEST", 1_000)
    path = tmp_path / "1.rdf"
    path.write_text("<a>" + " " * 1_000 + "</a>", encoding="utf-8")
    counts = Counts()
    assert list(read_rdf(path, counts)) == [] and counts.drops == {"unreadable-catalogue-record": 1}


def test_numbers_of_books_that_nobody_can_mean_are_none(tmp_path):
    from deepred.sources.books.gutenberg_text import header_number

    assert header_number("[EBook #" + "9" * 5000 + "]") is None
    path, counts = tmp_path / "pg_catalog.csv", Counts()
    rows = "".join(f"{number},Text,1999-01-01,T,en,X\n" for number in ("²", "9" * 5000, "7"))
    path.write_text("Text#,Type,Issued,Title,Language,Authors\n" + rows, encoding="utf-8")
    assert [record.number for record in read_csv(path, counts)] == [7]
    assert counts.drops == {"unreadable-catalogue-record": 2}


@pytest.mark.parametrize("encoding", ["qtf-8", ""])
def test_a_catalogue_in_no_known_encoding_is_counted(tmp_path, encoding):
    path, counts = tmp_path / "pg1.rdf", Counts()
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><a/>')
    assert list(read_rdf(path, counts)) == []
    assert counts.drops == {"unreadable-catalogue-record": 1}
