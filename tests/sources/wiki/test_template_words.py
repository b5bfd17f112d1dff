"""Templates and markup that carry a sentence's words, and markup that hides some: the words stay, the hidden go."""

import pytest

from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse

ENGLISH = Prefixes.of("en")


def text_of(wikitext: str) -> str:
    return parse(wikitext, ENGLISH).text


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        (
            'He wrote that he "{{sic|recieved}} it" and {{notatypo|teh}} end.',
            'He wrote that he "recieved it" and teh end.',
        ),
        ("{{sic|reci|eved|hide=y}} {{sic|?}}{{sic|nolink=y|wrod|expected=word}}", "recieved wrod"),
        ("It{{sic}} was {{as written|publi|shed}} {{typo|thsi}}", "It was published thsi"),
        ("{{Template:Sic|foo}} {{subst:nowrap|bar}}", "foo bar"),
        ("{{nihongo|Tokyo|東京|Tōkyō}}", "Tokyo (東京, Tōkyō)"),
        ("{{nihongo|Tokyo|東京||old|tower}}", "Tokyo (東京, old) tower"),
        ("{{nihongo||東京|Tōkyō}}, {{nihongo|''[[a]]''|時代劇|}}", "Tōkyō (東京), a (時代劇)"),
        ("{{nihongo3|Red Castle|赤城|Akagi}}", "Akagi (赤城, Red Castle)"),
        ("{{nihongo krt|Tokyo|東京|Tōkyō}}", "東京 (Tōkyō, Tokyo)"),
        ("{{nihongo foot|Tokyo|東京|Tōkyō}} fell", "Tokyo fell"),
        ("{{citation needed span|It fell.|date=May 2010}} {{dubious span|So}}", "It fell. So"),
        ("{{clarify|text=some words|date=May}} stay{{clarify|date=May}}{{when|date=May}}.", "some words stay."),
        ("{{harvtxt|Artin|1970}} and {{harvtxt|Smith|Jones|1990|p=5}}", "Artin (1970) and Smith & Jones (1990)"),
        ("{{harvcoltxt|A|B|C|D|1990}}", "A et al. (1990)"),
        ("B{{music|flat}} in {{music|time|3|4}} {{Roman|14}} {{keypress|Ctrl|C}}", "B♭ in 3/4 XIV Ctrl+C"),
        ("{{script/Hebrew|abc}} {{h:title|hover|shown}} {{shy|foot|ball}}", "abc shown football"),
        ("a{{hidden text|not seen}}b", "ab"),
    ],
)
def test_templates_give_the_words_of_their_sentence(wikitext, expected):
    assert text_of(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("{{#if:x|yes|no}} {{#if: |yes|no}} {{#if:{{xyzzy}}|yes|no}}", "yes no no"),
        ("{{#ifexist: Foo | [[Foo]] | Foo}} {{#ifexist:Foo||Bar}}", "Foo Bar"),
        ("{{#ifeq: a |a|same|other}} {{#ifeq:a|b|same|other}}", "same other"),
        ("{{#switch:b|a=1|b|c=2|#default=3}} {{#switch:x|a=1|#default=3}} {{#switch:x|a=1|4}}", "2 3 4"),
        ("{{#iferror:fine|bad}} {{#ifexpr: 1 > 0 | more | less}}", "fine more"),
        ("{{lc:ABC}} {{uc:abc}} {{ucfirst:abc}} {{lcfirst:ABC}}", "abc ABC Abc aBC"),
        ("{{formatnum:10056}} {{formatnum:34.62}} {{formatnum:1,234|R}} {{padleft:7|3|0}}", "10,056 34.62 1234 007"),
        ("{{plural:1|page|pages}} {{plural:2|page|pages}} {{grammar:genitive|word}}", "page pages word"),
        ("Text{{#tag:ref|a note}}. {{#tag:poem|a verse}} {{#invoke:Module|f}}{{DEFAULTSORT:Q}}", "Text. a verse"),
        ("{{#formatdate:20 July 1969|mdy}} {{#dateformat:1969-07-20}}", "20 July 1969 1969-07-20"),
    ],
)
def test_parser_functions_give_what_their_author_saw(wikitext, expected):
    assert text_of(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ('Born <span style="display:none">(1977-08-21)</span>21 August 1977.', "Born 21 August 1977."),
        ("A<span style='DISPLAY : none;'>x <span>y</span> z</span>B", "AB"),
        ('<div style="display:none">\n\nx\n\n</div>C', "C"),
        ('<span style="visibility:hidden">00</span>7', "7"),
        ('<span class="sortkey">Zeta</span>A', "A"),
        ("<span hidden>x</span>G and <b style='display:none'>q</b>J", "G and J"),
        ("{{nowrap|<span style=display:none>x</span>I}}", "I"),
        ('He (<span style="display:none">x</span>) left', "He left"),
        ('[[A|<span style="display:none">k</span>label]]', "label"),
        ('<span style="overflow: hidden ;">H</span> <span style="color:red">none</span>', "H none"),
        (
            '<span style="display:none">never closed. E\n\nF <span style="display:none">x</span>G',
            "never closed. E\n\nF G",
        ),
    ],
)
def test_hidden_elements_go_and_no_others(wikitext, expected):
    assert text_of(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("[http://example.com/''Example''] is ok.", "Example is ok."),
        ("[http://e.com'''b'''] x", "b x"),
        ("[http://e.com<b>Label</b>] x", "Label x"),
        ('[http://e.com"L"] x', '"L" x'),
        ("[http://e.com<nowiki/>Label] x", "Label x"),
        ("[http://e.com {{nowrap|a b}}] x", "a b x"),
        ("[http://e.com/it's label] and [http://e.com]x", "label and x"),
        ("[//e.com/?a=1&b={2} label] [mailto:a@b.c Me]", "label Me"),
    ],
)
def test_outward_links_keep_their_label(wikitext, expected):
    assert text_of(wikitext) == expected


@pytest.mark.parametrize(
    "table",
    [
        '{{{!}} class="wikitable"\n{{!}}-\n{{!}} cell\n{{!}}}',
        "{{(!}} class=x\n{{!}} cell\n{{!)}}",
        ":{{{!}}\n{{!}} cell\n {{!}}}",
        "{|\n| cell {{{!}}\n|}",
        "{{{!}}\n{{!}}\n{{{!}}\n{{!}} inner\n{{!}}}\n{{!}}}",
    ],
)
def test_table_whose_bars_are_templates_is_a_table(table):
    assert text_of(f"Before.\n\n{table}\nAfter.") == "Before.\n\nAfter."
    assert text_of(f"{{{{quote|Said.\n{table}\n}}}}\nAfter.").split() == ["Said.", "After."]


def test_table_whose_bars_are_templates_becomes_lines_where_they_are_asked_for():
    wikitext = "{{{!}} class=x\n! Year !! Winner\n{{!}}-\n{{!}} 1969 {{!}}{{!}} [[Spassky]]\n{{!}}}"
    assert parse(wikitext, ENGLISH, tables="text").text == "Year | Winner\n1969 | Spassky"


def test_table_ends_the_paragraph_before_it():
    assert text_of("One.\n{|\n| cell\n|}\nTwo.") == "One.\n\nTwo."


def test_parameters_and_templates_share_braces():
    assert text_of("a {{{x|y}}} {{{!|z}}} {{{nowrap|b}} c") == "a y z {b c"
