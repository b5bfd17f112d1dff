from __future__ import annotations

import time

import pytest

from deepred.text.sentences import segment, split_sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He came. He saw.", ["He came.", "He saw."]),
        ("Dr. Smith met J. R. R. Tolkien. They spoke.", ["Dr. Smith met J. R. R. Tolkien.", "They spoke."]),
        ("It rose 3.5 m. in the U.S. Navy yard.", ["It rose 3.5 m. in the U.S. Navy yard."]),
        ('"Stop!" he said. She went.', ['"Stop!" he said.', "She went."]),
        ('He said "It is done." Then he left.', ['He said "It is done."', "Then he left."]),
        ("See No. 5 and vol. 3. It ends.", ["See No. 5 and vol. 3.", "It ends."]),
        ("He died c. 1890 in St. Ives. Later it grew.", ["He died c. 1890 in St. Ives.", "Later it grew."]),
        ("Was it so? Yes! It was...", ["Was it so?", "Yes!", "It was..."]),
        ("He waited ... and left.", ["He waited ... and left."]),
        ("東京は首都です。大阪は違います。", ["東京は首都です。", "大阪は違います。"]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है।", "यह दूसरा है।"]),
        ("Ноги устали. Он сел.", ["Ноги устали.", "Он сел."]),
        ("It drew us.A club met in 1990.Then it left.", ["It drew us.", "A club met in 1990.", "Then it left."]),
        ("The site is example.com and Node.js too.", ["The site is example.com and Node.js too."]),
        ("… – ***", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_offsets_point_into_the_text_whatever_the_white_space() -> None:
    text = " \n\n  One here.   Two\u00a0there. \r\n\x00Three it was.\n"
    spans = segment(text)
    assert [text[a:b] for a, b in zip(spans.starts, spans.ends)] == [
        "One here.",
        "Two\u00a0there.",
        "\x00Three it was.",
    ]
    assert spans.paragraphs == [0, 0, 1]


def test_sections_of_the_dump_are_headings() -> None:
    text = "Lead text.\n\nHistory\n\nIt began."
    spans = segment(text, [{"level": 2, "title": "History", "start": text.index("History")}])
    assert [text[a:b] for a, b in spans.headings] == ["History"]
    assert spans.sections == [0, 1]


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("Early life.", True),
        ("Teaching Alexander the Great.", True),
        ("It rains.", False),
        ("He was tall.", False),
        ("This is a much longer line that goes on until nobody could take it for a heading.", False),
        ("An ending without stop", False),
    ],
)
def test_plain_text_marks_a_heading_by_a_short_line_with_a_stop(line: str, heading: bool) -> None:
    spans = segment(
        f"Title\n\nThe lead is here, and it is long.\n{line}\nThen comes the text, as it was.", (), "Title", plain=True
    )
    assert (len(spans.headings) == 2) is heading


@pytest.mark.parametrize("unit", ["word ", "a.", "x. y ", "A. ", '."', "\x01", "\n", ". "])
def test_a_long_text_of_anything_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    spans = segment(unit * (300_000 // len(unit)))
    assert time.process_time() - started < 10
    assert all(start < end for start, end in zip(spans.starts, spans.ends))
