"""Sections of apparatus, told by their headings, in several languages and at any depth."""

import pytest

from deepred.sources.wiki.apparatus import mark_apparatus
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse


def marked(language, *sections):
    found = mark_apparatus([{"level": level, "title": title, "start": 0} for level, title in sections], language)
    return [section["title"] for section in found if section["apparatus"]]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "See also"), ("en", "SEE ALSO"), ("en", "References"), ("en", " External links "), ("en", "Notes:"),
        ("en", "Further reading"), ("en", "Discography"), ("en", "Notes and references"), ("en", "References."),
        ("de", "Einzelnachweise"), ("de", "Siehe auch"), ("de", "Weblinks"), ("fr", "Notes et références"),
        ("es", "Véase también"), ("it", "Collegamenti esterni"), ("ru", "См. также"), ("de", "References"),
        ("xx", "References"),
    ],
)  # fmt: skip
def test_a_heading_of_apparatus_is_known(language, title):
    assert marked(language, (2, title)) == [title]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "History"), ("en", "Literature"), ("en", "Works"), ("en", "Musical notes"), ("en", "Sources of energy"),
        ("en", "Referenced works"), ("en", ""), ("de", "Leben"), ("en", "Literatur"),
    ],
)  # fmt: skip
def test_other_headings_are_prose(language, title):
    assert marked(language, (2, title)) == []


def test_what_lies_below_such_a_heading_belongs_to_it():
    sections = [
        (2, "Life"),
        (2, "References"),
        (3, "Books"),
        (4, "In German"),
        (3, "Web"),
        (2, "Legacy"),
        (3, "Notes"),
        (2, "Cult"),
    ]
    assert marked("en", *sections) == ["References", "Books", "In German", "Web", "Notes"]


def test_sections_of_a_page_can_be_marked_as_they_come():
    parsed = parse("He lived.\n\n== Work ==\nHe wrote.\n\n== See also ==\n* [[Ada]]\n", Prefixes.of("en"))
    found = mark_apparatus([section._asdict() for section in parsed.sections])
    assert [(section["title"], section["apparatus"]) for section in found] == [("Work", False), ("See also", True)]
