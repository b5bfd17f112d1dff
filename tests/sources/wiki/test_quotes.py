"""Apostrophes that mark italics and bold, and those that are apostrophes, as MediaWiki shows them."""

import pytest

from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse

ENGLISH = Prefixes.of("en")


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        # balanced, line by line
        ("''Foo'''s end", "Foo's end"),
        ("'''Foo''''s end", "Foo's end"),
        ("'''Foo'''s end", "Foos end"),
        ("the ''Titanic'''s '''bold''' crew", "the Titanic's bold crew"),
        ("l'''Étoile'' du nord", "l'Étoile du nord"),
        ("dell'''arte'' nova", "dell'arte nova"),
        ("L''''amour''' fou", "L'amour fou"),
        ("rock ''n''' roll", "rock n' roll"),
        ("''a''\n'''b's", "a b's"),
        ("''a''<br>'''b''' and '''c'' d", "a\n'b and c d"),
        ("* ''one'''s\n* '''two'''", "one's\ntwo"),
        ("''Foo'' and '''bar", "Foo and bar"),
        ("'''''both'''''s and '''''Foo''' bar'' and '''''Foo'' bar'''", "boths and Foo bar and Foo bar"),
        ("''''Foo''''", "'Foo'"),
        ("''''''six''''''", "'six'"),
        ("x ''a'''b '''c'' d", "x ab c d"),  # two bold runs are even
        # what keeps apostrophes apart
        ("{{lang|fr|''mot''}}'s end", "mot's end"),
        ("{{nowrap|'''Foo'''}}'s end", "Foo's end"),
        ("'''Foo'''<nowiki/>'s", "Foo's"),
        ("'''Foo'''<nowiki />s", "Foos"),
        ("''Foo''<ref>x</ref>'s", "Foo's"),
        ("'''Foo'''<ref name=a />'s", "Foo's"),
        ("'''Foo'''<ref>a <i>b</i></ref>'s", "Foo's"),
        ("'''Foo'''<span>'s</span>", "Foo's"),
        ("'''Foo'''{{'s}} and ''Bar''{{'}}", "Foo's and Bar'"),
        ("l{{'}}''amour''", "l'amour"),
        ("'''Foo'''&#39;s", "Foo's"),
        ("''Foo {{'\"}}bar{{\"'}}''", "Foo '\"bar\"'"),
        # links are balanced by themselves
        ("''[[Foo]]'''s end", "Foo's end"),
        ("[[Foo|''Foo'']]'s end", "Foo's end"),
        ("''The'' [[A|''B'']] ''C'''s", "The B C's"),
        ("[[Lista d''e paise]] and ''x''", "Lista d''e paise and x"),
        ("[[Foo{{'}}s|''Foo'''s]] bar", "Foo's bar"),
    ],
)
def test_apostrophes_are_those_that_mediawiki_shows(wikitext, expected):
    assert parse(wikitext, ENGLISH).text == expected


def test_link_with_an_apostrophe_keeps_its_target():
    assert [link.target for link in parse("[[Foo{{'}}s]] and [[D''e b|''x'']]", ENGLISH).links] == ["Foo's", "D''e b"]


def test_long_line_of_quotes_costs_linear_time():
    assert len(parse("l'''a'' " * 20_000, ENGLISH).text) > 50_000
