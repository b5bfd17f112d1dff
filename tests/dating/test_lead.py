"""First sentences to evidence."""

from __future__ import annotations

import pytest

from deepred.dating.lead import lead_evidence, opening

LEADS = [
    # title, text, (kind, first day) of what is found
    (
        "Abraham Lincoln",
        "Abraham Lincoln (12 February 1809 – 15 April 1865) was the 16th president.",
        {("birth", 18090212), ("death", 18650415)},
    ),
    ("Ada", "Ada (born 3 May 1955) is an engineer.", {("birth", 19550503), ("alive", None)}),
    ("Ada", "Ada (b. 1950) is a poet.", {("birth", 19500101), ("alive", None)}),
    ("Ada Bo", "Ada Bo (; November 10, 1928) is an Italian composer.", {("birth", 19281110), ("alive", None)}),
    ("Ada Bo", "Ada Bo (born Ada Li; died 11 February 824) was a nun.", {("death", 8240211)}),
    (
        "Pope Bo II",
        "Pope Bo II (died 8 March 1144), born Guido di Castello, was Pope from 26 September 1143 to his death in 1144.",
        {("death", 11440308), ("event", 11430926)},
    ),
    (
        "Eadwig",
        "Eadwig (died 1 October 959) was King of England; reigning from 955 until his death in 959.",
        {("death", 9591001), ("event", 9550101)},
    ),
    (
        "Augustus",
        "Augustus (23 September 63 BC – 19 August AD 14) was a statesman.",
        {("birth", -619077), ("death", 140819)},
    ),
    (
        "Hammurabi",
        "Hammurabi (c. 1810 BC – c. 1750 BC) was the sixth king of Babylon, reigning from 1792 BC to 1750 BC.",
        {("birth", -18089899), ("death", -17489899), ("event", -17909899)},
    ),
    ("Zor-Enlil", "Zor-Enlil (r. 1792–1750 BC) was a king.", {("event", -17909899)}),
    (
        "Albert the Bear",
        "Albert the Bear (c. 1100 – 18 November 1170) was the first Margrave.",
        {("birth", 11000101), ("death", 11701118)},
    ),
    (
        "Warren",
        "Warren was a politician who served as President from 1921 to 1923. He won.",
        {("event", 19210101)},
    ),
    # works
    ("Star Wars", "Star Wars is a 1977 American epic space opera film.", {("publication", 19770101)}),
    (
        "2001: A Space Odyssey (film)",
        "2001: A Space Odyssey is a 1968 epic science fiction film.",
        {("publication", 19680101)},
    ),
    (
        "Brave New World",
        "Brave New World is a novel written in 1931 by Aldous Huxley and published in 1932.",
        {("publication", 19320101)},
    ),
    (
        "The Trial",
        "The Trial is a novel written by Franz Kafka in 1914 but not published until 1925.",
        {("publication", 19250101)},
    ),
    (
        "Ohm (album)",
        "Ohm is the debut studio album by the English rock band Ohm. It was released on 12 January 1969.",
        {("publication", 19690112)},
    ),
    (
        "Life",
        "Life is a magazine first published in 1883.",
        {("publication", 18830101), ("alive", None)},
    ),
    # what lasts, what ended
    ("Acme", "Acme Corporation is a company founded in 1971 in Zor.", {("start", 19710101), ("alive", None)}),
    (
        "Acme",
        "Acme is a company established in 1935. Acme was closed in 1946.",
        {("start", 19350101), ("end", 19460101), ("alive", None)},
    ),
    ("The Zors", "The Zors are an American rock band formed in 1968 in Ohio.", {("start", 19680101), ("alive", None)}),
    (
        "Jakarta",
        "Jakarta is the capital of Indonesia. It was established in 1527.",
        {("start", 15270101), ("alive", None)},
    ),
    (
        "The Weimar Republic",
        "The Weimar Republic (1919–1933) was the German state.",
        {("start", 19190101), ("end", 19330101)},
    ),
    (
        "Crisis of the Third Century",
        "The Crisis of the Third Century (AD 235–284) was a period in which an emperor lost his throne.",
        {("start", 2350101), ("end", 2840101)},
    ),
    (
        "Imperial Airways",
        "Imperial Airways was an airline, operating from 1924 to 1939.",
        {("start", 19240101), ("end", 19390101)},
    ),
    (
        "Zorynia",
        'Zorynia (German: "Zoringen"; 1939–1945 Zorhafen) is a city in Poland.',
        {("alive", None)},
    ),
    (
        "John, 1st Duke of Zor",
        "John, 1st Duke of Zor, (6 March 1340 – 3 February 1399) was a nobleman.",
        {("birth", 13400306), ("death", 13990203)},
    ),
    (
        "Abd III",
        "Abd III (11 January 889 – 15 October 961) was the Emir and Caliph of Zor (912–961).",
        {("birth", 8890111), ("death", 9611015), ("event", 9120101)},
    ),
    (
        "Zorian",
        'Zorian (; Latin: "Zorianus"; 24 October 51 – 18 September 96) was Roman emperor from 81 to 96.',
        {("birth", 511024), ("death", 960918), ("event", 810101)},
    ),
    ("Debt of Zor", "Debt of Zor (1994) is a thriller novel by a writer.", {("publication", 19940101)}),
    (
        "Zortah",
        "Zortah is generally identified with the leadership of its founder, until his death on 11 November 2004.",
        {("alive", None)},
    ),
    ("HMS Zor (1863)", "HMS Zor was an ironclad.", {("start", 18630101)}),
    # events and acts
    ("The Battle of X", "The Battle of X was fought on 4 July 1863.", {("point", 18630704)}),
    (
        "Battle of Zor",
        "The Battle of Zor took place on September 13, 533 between two armies. It is well known.",
        {("point", 5330913)},
    ),
    ("The Treaty", "The Treaty was signed on 28 June 1919.", {("point", 19190628)}),
    ("Civil Rights Act of 1964", "The Civil Rights Act of 1964 is a landmark law.", {("point", 19640101)}),
    (
        "Apollo 11",
        "Apollo 11 was the spaceflight that landed the first two people on the Moon on July 20, 1969.",
        {("point", 19690720)},
    ),
    ("United States presidential election, 1788–89", "It was held in 1788.", {("point", 17880101)}),
    ("715", "Year 715 (DCCXV) was a common year starting on Tuesday.", {("period", 7150101)}),
    ("1969", "Year 1969 was a common year.", {("period", 19690101)}),
    # what says nothing
    ("Water", "Water is a chemical substance.", {("alive", None)}),
    ("Salmon", "Salmon is a species of fish in the family Salmonidae.", {("alive", None)}),
    ("7", "7 is the number after 6.", {("alive", None)}),
    ("History of Zor", "Zor was first inhabited between 1000 and 500 BC.", set()),
    ("Peisistratus (disambiguation)", "Peisistratus was a tyrant between 561 and 528 BC.", set()),
    ("Kumquat", "The kumquat is a fruit. It was introduced to Europe in 1846.", {("alive", None)}),
    (
        "Hamamelidales",
        "Hamamelidales is an order of plants accepted in systems such as the Cronquist system published in 1968.",
        {("alive", None)},
    ),
]


@pytest.mark.parametrize(("title", "text", "expected"), LEADS)
def test_lead_dates_its_subject(title: str, text: str, expected: set[tuple[str, int | None]]) -> None:
    found = {(row.kind, row.first) for row in lead_evidence(title, text) if row.kind != "mention"}
    assert found == expected


def test_title_line_and_audio_notice_are_no_lead() -> None:
    text = "Braille\n\nListen to this article () This audio file was made in 2006.\nBraille was invented in 1824."
    assert opening("Braille", text) == "Braille was invented in 1824."
    assert [row.first for row in lead_evidence("Braille", text)] == [18240101]


def test_decretal_of_a_pope_is_no_deed_before_his_birth() -> None:
    text = (
        "Pope Bo (1145 – 22 August 1241) was Pope from 19 March 1227 to his death in 1241. "
        "He is known for the decretal Ad abolendam, issued in 1184."
    )
    assert {row.first for row in lead_evidence("Pope Bo", text) if row.kind == "event"} == {12270319}
