import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepred.sources.wiki.layout import MARKS
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import Link, SlowError, parse

ENGLISH = Prefixes.of("en", {6: "File", 14: "Category"})


def text_of(wikitext: str) -> str:
    return parse(wikitext, ENGLISH).text


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Mars''' is a ''red'' planet.", "Mars is a red planet."),
        ("One line\nand the next.\n\nA paragraph.", "One line and the next.\n\nA paragraph."),
        ("* one\n* two\n\nText.", "one\ntwo\n\nText."),
        ("# first\n## second", "first\nsecond"),
        ("A<!-- hidden -->B", "AB"),
        ("One.\n<!-- hidden -->\nTwo.", "One. Two."),
        ("Fact.<ref>{{cite book|title=X}}</ref> More.", "Fact. More."),
        ('Fact.<ref name="a/b" /> More.', "Fact. More."),
        ("a&nbsp;b &amp; c &lt; d", "a b & c < d"),
        ("<nowiki>''[[raw]]''</nowiki> text", "''[[raw]]'' text"),
        ("<math>x^2 | y</math> holds", "x^2 | y holds"),
        ("10 m<sup>2</sup> and H<sub>2</sub>O and 1<sup>st</sup>", "10 m² and H₂O and 1st"),
        ("[https://example.org the site] and [//example.org x]", "the site and x"),
        ("one<br />two", "one\ntwo"),
        ("{| class=x\n|-\n| cell\n|}\nText.", "Text."),
        ("[[File:A.jpg|thumb|A [[cat]] on ''it'']]Text.", "Text."),
        ("[[de:Mond]][[Category:Moons]]Moon.", "Moon."),
        ("{{Infobox person|name=A}}\nA was born.", "A was born."),
        ("Known {{unknown thing|x}}, yes ({{IPA|x}}; born 1809).", "Known, yes (born 1809)."),
        ("He ({{lang-fr|le roi}}) ruled.", "He (French: le roi) ruled."),
        ("A run of {{convert|10|to|20|km|mi|abbr=on}}.", "A run of 10 to 20 km."),
        ("{{convert|5|ft|10|in|m}} tall", "5 ft 10 in tall"),
        ("Born {{birth date|1809|2|12}}.", "Born February 12, 1809."),
        ("Born {{birth date|df=yes|1809|2|12}}.", "Born 12 February 1809."),
        ("{{as of|1969|7|20}}, all is well.", "As of 20 July 1969, all is well."),
        ("{{circa|1500}} years {{frac|1|2}}", "c. 1500 years 1/2"),
        ("He said:\n{{quote|Dare to know.|Kant}}\nThus.", "He said:\n\nDare to know.\n\n— Kant\n\nThus."),
        ("{{nowrap|a {{lang|de|b}} c}}", "a b c"),
        ("({{lang-grc|λόγος|lógos|word}})", "(Ancient Greek: λόγος, romanized: lógos, lit. 'word')"),
        ("{{langx|de|Haus|lit=house}} {{lang-de|Hof|label=none}}", "German: Haus, lit. 'house' Hof"),
        ("'''Beijing''' ({{zh|c=北京|p=Běijīng}})", "Beijing (Chinese: 北京; pinyin: Běijīng)"),
        (
            "'''Moscow''' ({{IPAc-en|x}}, {{small|or}} {{IPAc-en|y}}; {{lang-ru|Москва}}) is",
            "Moscow (Russian: Москва) is",
        ),
        ("one, {{xyzzy}}, two; {{xyzzy}}, {{xyzzy}}.", "one, two."),
        ("A {{track gauge|1435mm}} line, {{railgauge|4ft8.5in}}", "A 1,435 mm line, 4 ft 8.5 in"),
        ("the {{ordinal|21}} and {{nth|12}}", "the 21st and 12th"),
        ("on {{jct|state=CA|I|80|US|50}}", "on I-80 / US 50"),
        ("{{start and end dates|1969|7|16|1969|7|24|df=y}}", "16 July 1969 – 24 July 1969"),
        ("10{{sup|3}} H{{sub|2}}O", "10³ H₂O"),
        ("[[http://example.org the site]] and [[A|b]]] c", "the site and b] c"),
        ("[[A|one\ntwo]] and [[B|<div>three</div>]]", "one two and three"),
        ("a\xa0b", "a b"),
        ("<!-- [[a --> b <!-- <ref --> c", "b c"),
        ("<nowiki><!--</nowiki> shown <nowiki>--></nowiki>", "<!-- shown -->"),
        ("<ref>a</ref>b<ref name=x>{{cite|<i>t</i>}}</ref>c <ref>never closed", "bc never closed"),
        ("{{{1|fallback}}} text", "fallback text"),
        ("It is unclosed {{here and [[there", "It is unclosed here and there"),
        ("x ]] y }} z", "x y z"),
        ("<poem>\nA line\nand a line\n</poem>", "A line\nand a line"),
        ("<blockquote>Said.</blockquote> After.", "Said.\n\nAfter."),
        ("__NOTOC__Text.", "Text."),
        ("", ""),
    ],
)
def test_markup_is_rendered_as_readers_see_it(wikitext, expected):
    assert text_of(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("One.\n[[File:A.jpg|thumb|200px|alt=x|A [[cat]], 1969]]\nTwo.", "One.\n\nA cat, 1969\n\nTwo."),
        ("One.\n[[Bild:A.jpg|mini|Eine Katze]]\nTwo.", "One.\n\nEine Katze\n\nTwo."),
        ("An [[File:A.svg|20px|icon]] in a line, and [[File:B.jpg|thumb|left]] none.", "An in a line, and none."),
        ("<gallery>\nFile:A.jpg|A [[dog]]\nFile:B.jpg\n</gallery>\nEnd.", "A dog\n\nEnd."),
        ("{| class=x\n|+ The title\n|-\n| cell\n|}\nEnd.", "The title\n\nEnd."),
    ],
)
def test_captions_are_kept_where_they_are_asked_for(wikitext, expected):
    parsed = parse(wikitext, ENGLISH, captions="text")
    assert parsed.text == expected
    assert all(parsed.text[k.start : k.end] in ("cat", "dog") for k in parsed.links)


def test_headings_keep_level_and_offset_and_empty_sections_go():
    parsed = parse("Lead.\n== Life ==\nBorn.\n=== Youth ===\nYoung.\n== References ==\n{{reflist}}", ENGLISH)
    assert parsed.text == "Lead.\n\nLife\n\nBorn.\n\nYouth\n\nYoung."
    assert [(s.level, s.title, parsed.text[s.start :].split("\n")[0]) for s in parsed.sections] == [
        (2, "Life", "Life"),
        (3, "Youth", "Youth"),
    ]


def test_links_hold_their_anchor_and_a_normalised_target():
    wikitext = (
        "The [[moon_landing#Apollo|first landing]]s of [[astronaut]]s, ({{x}}; [[2001: A Space Odyssey]]), [[w:X|y]]."
    )
    parsed = parse(wikitext, ENGLISH)
    assert parsed.text == "The first landings of astronauts, (2001: A Space Odyssey), y."
    assert [(parsed.text[k.start : k.end], k.target) for k in parsed.links] == [
        ("first landings", "Moon landing"),
        ("astronauts", "Astronaut"),
        ("2001: A Space Odyssey", "2001: A Space Odyssey"),
    ]
    assert parse("[[a]]", ENGLISH).links == [Link(0, 1, "A")]


def test_infobox_dates_are_signed_intervals():
    parsed = parse(
        "{{Infobox person\n| name = Ada [[Lovelace]]\n| birth_date = {{birth date|df=yes|1815|12|10}}\n"
        "| death_date = 27 November 1852\n| years_active = 1833–1852\n| founded = 44 BC\n| spouse = none\n}}Text",
        ENGLISH,
    )
    assert parsed.infobox == "Infobox person"
    assert [(d.key, d.value, d.first, d.last) for d in parsed.infobox_dates] == [
        ("birth_date", "10 December 1815", 18151210, 18151210),
        ("death_date", "27 November 1852", 18521127, 18521127),
        ("years_active", "1833–1852", 18330101, 18521231),
        ("founded", "44 BC", -429899, -428769),
    ]


def test_categories_disambiguation_and_unknown_templates_are_noted():
    parsed = parse("{{Disambiguation}}{{Odd one|1}}[[Category:Ships of_the line|x]][[Kategorie:Schiffe]]", ENGLISH)
    assert parsed.categories == ["Ships of the line", "Schiffe"]
    assert parsed.disambiguation
    assert parsed.templates == {"odd one": 1}


def test_tables_become_lines_where_they_are_asked_for():
    wikitext = "{| class=x\n! Year !! Winner\n|-\n| 1969 || [[Spassky]]\n|}"
    parsed = parse(wikitext, ENGLISH, tables="text")
    assert parsed.text == "Year | Winner\n1969 | Spassky"
    assert [k.target for k in parsed.links] == ["Spassky"]


@pytest.mark.parametrize(
    "opener", ["{{", "[[", "{|", "\n{|", "<nowiki>", "<ref>", "<!--", "[http://a", "<table>", "{{a|", "''", "("]
)
def test_unclosed_openers_cost_linear_time(opener):
    # ten times the text may cost ten times the time, never a hundred; the limit is far above what linear needs
    parse(opener * (100_000 // len(opener)), ENGLISH, seconds=5)


def test_a_page_over_its_time_limit_is_an_error():
    with pytest.raises(SlowError):
        parse("{{nowrap|x}}" * 1000, ENGLISH, seconds=1e-9)


PIECES = [
    "{{",
    "}}",
    "{{{",
    "}}}",
    "[[",
    "]]",
    "[",
    "]",
    "|",
    "=",
    "{|",
    "|}",
    "|-",
    "!",
    "==",
    "'",
    "'''",
    "<ref>",
    "</ref>",
    "<!--",
    "-->",
    "<nowiki>",
    "</nowiki>",
    "<table>",
    "</table>",
    "<br/>",
    "<",
    ">",
    "&nbsp;",
    "&#2;",
    "*",
    ";",
    ":",
    "(",
    ")",
    ",",
    "http://a.b",
    "word",
    "1969",
    "<math>",
    "</math>",
    "<poem>",
    "</poem>",
    "#x",
    "convert|1|km",
    "lang|fr|mot",
    "quote|x",
    "File:a.jpg",
    "Category:B",
    "de:C",
    "Infobox_x|born=1809",
    "Ünïcode",
    "漢字",
    "NEWLINE",
    "SPACE",
    "LINK",
    "VOID",
]
CHARACTERS = {"NEWLINE": "\n", "SPACE": " ", "LINK": "\x02", "VOID": "\x04"}
PIECES = [CHARACTERS.get(piece, piece) for piece in PIECES]
WIKITEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=60).map("".join)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WIKITEXT, st.sampled_from(["drop", "text"]))
def test_any_text_is_parsed_with_offsets_that_hold(wikitext, tables):
    parsed = parse(wikitext, ENGLISH, tables=tables)
    assert not set(parsed.text) & set(MARKS)
    assert parsed.text == parsed.text.strip()
    for link in parsed.links:
        assert 0 <= link.start < link.end <= len(parsed.text)
        assert link.target
    for section in parsed.sections:
        assert parsed.text.startswith(section.title, section.start)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(whitelist_categories=["L", "Nd"]), min_size=1, max_size=30), st.text(max_size=20))
def test_plain_words_survive_any_neighbour_paragraph(words, other):
    other = re.sub(r"[<\[{|=\x00-\x1f]", "", other)
    assert words in parse(f"{other}\n\n{words} and {words}.", ENGLISH).text


@pytest.mark.parametrize(
    "unit",
    [
        "{{",
        "[[",
        "{|",
        "<nowiki>",
        "<ref>",
        "{{a|",
        "[[a|",
        "{{nowrap|x",
        "(\x04,",
        "<poem>",
        "  ",
        "{{x}} ",
        "[http://a ",
    ],
)
def test_ten_times_the_markup_costs_about_ten_times_the_steps(unit):
    import sys

    def steps(count: int) -> int:
        calls = 0

        def count_calls(frame, event, argument):
            nonlocal calls
            calls += 1

        sys.setprofile(count_calls)
        try:
            parse(unit * count, ENGLISH)
        finally:
            sys.setprofile(None)
        return calls

    assert steps(3000) < 15 * steps(300) + 2000


@pytest.mark.parametrize("tables", ["drop", "text"])
@pytest.mark.parametrize("label", ["a\n{|\n|}1{{{\n|!!}}}", "a!!b", "a\n!b"])
def test_a_link_that_a_cell_cuts_leaves_none_of_its_marks(label, tables):
    for page in (f"{{|[[{label}]]\n|}}", f"{{|\n|x\n|[[{label}]]!!{'y ' * 2000}\n|}}"):
        assert not set(parse(page, ENGLISH, tables=tables, captions="text").text) & set(MARKS)
