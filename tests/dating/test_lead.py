"""First sentences to evidence."""

from __future__ import annotations

import pytest

from deepred.dating.lead import lead_evidence

LEADS = [
    (
        "Abraham Lincoln (12 February 1809 – 15 April 1865) was the 16th president.",
        {("birth", 18090212), ("death", 18650415)},
    ),
    ("Ada (born 3 May 1955) is an engineer.", {("birth", 19550503), ("alive", None)}),
    ("Star Wars is a 1977 American epic space opera film.", {("publication", 19770101)}),
    ("2001: A Space Odyssey is a 1968 epic science fiction film.", {("publication", 19680101)}),
    ("Acme Corporation is a company founded in 1971 in Zor.", {("start", 19710101), ("alive", None)}),
    ("Warren was a politician who served as President from 1921 to 1923. He won.", {("event", 19210101)}),
    ("The Battle of X was fought on 4 July 1863.", {("point", 18630704)}),
    ("The Treaty was signed on 28 June 1919.", {("point", 19190628)}),
    ("The Weimar Republic (1919–1933) was the German state.", {("start", 19190101), ("end", 19330101)}),
    ("Augustus (23 September 63 BC – 19 August AD 14) was a statesman.", {("birth", -619077), ("death", 140819)}),
    (
        "Albert the Bear (c. 1100 – 18 November 1170) was the first Margrave.",
        {("birth", 11000101), ("death", 11701118)},
    ),
    ("Water is a chemical substance.", {("alive", None)}),
]


@pytest.mark.parametrize(("text", "expected"), LEADS)
def test_lead_dates_its_subject(text: str, expected: set[tuple[str, int | None]]) -> None:
    assert {(row.kind, row.first) for row in lead_evidence("", text)} == expected


def test_title_line_and_audio_notice_are_no_lead() -> None:
    text = "Braille\n\nListen to this article () This audio file was made in 2006.\nBraille was invented in 1824."
    assert [row.first for row in lead_evidence("Braille", text)] == [18240101]
