"""Portions of an article, whatever its sentences are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepred.serve.article_portions import TOKEN_BYTES, Cursor, read_portion
from deepred.serve.index.index_records import Paragraph
from deepred.serve.iso_days import iso_day, parse_day
from shelf import article, sentence

texts = st.lists(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400), min_size=1), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(50, 300))
def test_portions_are_bounded_and_lose_nothing(paragraphs, tokens):
    found = article(9, "T", 1900, [Paragraph(n, 0, tuple(map(sentence, p))) for n, p in enumerate(paragraphs)])
    cursor, read = Cursor(found.as_of, 0, 0, 0), []
    for _ in range(2000):
        portion = read_portion(found, cursor, tokens)
        assert len(portion.text.encode()) <= tokens * TOKEN_BYTES
        read.append(portion.text)
        if portion.next is None:
            break
        assert portion.next != cursor
        cursor = Cursor.parse(portion.next.text(), found.as_of)
    else:
        raise AssertionError("it never ends")
    whole = "".join("".join(p) for p in paragraphs)
    assert "".join("".join(read).split()) == "".join(whole.split())


@pytest.mark.parametrize("day", [19690720, 10101, 0 * 10000 + 101, -429685, -1999999899])
def test_days_survive_the_wire(day):
    assert parse_day(iso_day(day)) == day


@pytest.mark.parametrize(
    "text",
    ["", "69", "1969-7-20", "1969-02-29", "1969-00-01", "1969-13-01", "99999999", "1969-07-20T00:00", "１９６９"],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r"day|year"):
        parse_day(text)
