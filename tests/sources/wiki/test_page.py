"""Pages of dumps in every form that XML allows, each read through the whole extraction."""

import bz2
import gzip
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import read_rows
from deepred.run.config import Articles
from deepred.sources.wiki.articles import extract
from deepred.sources.wiki.elements import ElementError, iterate_elements
from deepred.sources.wiki.page import Page, is_newer, page_by_elements, parse_page, read_time
from deepred.sources.wiki.page_splitter import SplitError, Splitter
from deepred.sources.wiki.prefixes import Prefixes

INFO = (
    "<siteinfo><sitename>Wikipedia</sitename><dbname>enwiki</dbname><namespaces>"
    '<namespace key="0" case="first-letter" /><namespace key="1" case="first-letter">Talk</namespace>'
    '<namespace key="14" case="first-letter">Category</namespace></namespaces></siteinfo>\n'
)
HEAD = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n' + INFO
FOOT = "</mediawiki>"


def revision(text: str, number: int = 100, time: str = "2020-01-01T00:00:00Z") -> str:
    stamp = f"<timestamp>{time}</timestamp>" if time else ""
    return (
        f"<revision><id>{number}</id>{stamp}<contributor><username>U</username><id>999</id></contributor>"
        f'<model>wikitext</model><format>text/x-wiki</format><text xml:space="preserve">{text}</text></revision>'
    )


def page(title: str, number: int, text: str, ns: int = 0) -> str:
    head = f"  <page>\n    <title>{title}</title>\n    <ns>{ns}</ns>\n    <id>{number}</id>\n"
    return f"{head}    {revision(text)}\n  </page>\n"


def read(
    tmp_path: Path, dump: str | bytes, **config: object
) -> tuple[list[tuple[int, str, str]], list[tuple[str, str]]]:
    path = tmp_path / "wiki.xml"
    path.write_bytes(dump if isinstance(dump, bytes) else dump.encode())
    out = tmp_path / "out"
    read.counts = extract(path, out, config=Articles(**config))
    rows = [(row["page_id"], row["title"], row["text"]) for row in read_rows(out, "articles-*.parquet")]
    return rows, [(row["title"], row["target"]) for row in read_rows(out, "redirects-*.parquet")]


A = (1, "A", "Text.")
PLAIN = HEAD + page("A", 1, "Text.") + FOOT

FORMS = {
    "as Wikimedia writes it": PLAIN,
    "attributes on page": PLAIN.replace("<page>", '<page id="p1" lang="en">'),
    "a namespace on page": PLAIN.replace("<page>", '<page xmlns="http://www.mediawiki.org/xml/export-0.10/">'),
    "white space in tags": re.sub(r"<(/?)(page|title|ns|id|revision|text)\b([^>]*)>", r"<\1\2\3\n >", PLAIN),
    "tabs in tags": PLAIN.replace("<page>", "<page\t>").replace("</page>", "</page\t>"),
    "prefixes": re.sub(r"<(/?)(\w)", r"<\1mw:\2", PLAIN).replace("xmlns=", "xmlns:mw="),
    "a prefix on pages only": re.sub(r"<(/?)page>", r"<\1ns0:page>", PLAIN),
    "single quotes": PLAIN.replace('"', "'"),
    "CDATA in text": PLAIN.replace(">Text.<", "><![CDATA[Text.]]><"),
    "CDATA in a part of the text": PLAIN.replace(">Text.<", ">Te<![CDATA[x]]>t.<"),
    "CDATA in the title": PLAIN.replace(">A<", "><![CDATA[A]]><"),
    "CDATA everywhere": re.sub(r">([^<>\s][^<>]*)<", r"><![CDATA[\1]]><", PLAIN),
    "a comment between pages": PLAIN.replace("  <page>", "<!-- a page -->\n  <page>"),
    "a comment between elements": PLAIN.replace("<ns>", "<!-- number --><ns>"),
    "a comment in the text": PLAIN.replace("Text.", "Te<!-- no -->xt."),
    "a comment that holds a page": PLAIN.replace("  <page>", "<!-- " + page("No", 9, "no") + " -->  <page>"),
    "a comment in a page that holds its end": PLAIN.replace("<ns>", "<!-- </page><page> --><ns>"),
    "a processing instruction": PLAIN.replace("<ns>", "<?order asc?><ns>"),
    "one line": PLAIN.replace("\n", ""),
    "no white space": re.sub(r">\s+<", "><", PLAIN),
    "indented by tabs": PLAIN.replace("  ", "\t\t"),
    "every tag on a line": re.sub(r"><", ">\n<", PLAIN),
    "values on lines of their own": re.sub(r"<(title|ns|id)>([^<]*)<", r"<\1>\n   \2\n  <", PLAIN),
    "an XML declaration": '<?xml version="1.0" encoding="utf-8"?>\n' + PLAIN,
    "an XML declaration in single quotes": "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n" + PLAIN,
    "a byte order mark": "\ufeff" + PLAIN,
    "a document type": "<!DOCTYPE mediawiki>\n" + PLAIN,
    "an XML stylesheet": '<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?>' + PLAIN,
    "no siteinfo": PLAIN.replace(INFO, ""),
    "a siteinfo with a title": PLAIN.replace("<siteinfo>", "<siteinfo><title>Siteinfo</title><id>77</id>"),
    "no root": page("A", 1, "Text."),
    "another root": "<export>" + page("A", 1, "Text.") + "</export>",
    "a root without attributes": PLAIN.replace(HEAD.partition("\n")[0], "<mediawiki>"),
    "a root over lines": PLAIN.replace("<mediawiki ", "<mediawiki\n    ").replace("</mediawiki>", "</mediawiki\n>"),
    "id before title": PLAIN.replace("<title>A</title>", "").replace("<id>1</id>", "<id>1</id><title>A</title>"),
    "ns last": PLAIN.replace("<ns>0</ns>", "").replace("</page>", "<ns>0</ns></page>"),
    "no ns": PLAIN.replace("<ns>0</ns>", ""),
    "revision first": f"{HEAD}<page>{revision('Text.')}<title>A</title><ns>0</ns><id>1</id></page>{FOOT}",
    "contributor before ids": HEAD
    + "<page><contributor><username>U</username><id>999</id></contributor><title>A</title><ns>0</ns><id>1</id>"
    + revision("Text.")
    + "</page>"
    + FOOT,
    "contributor first in the revision": PLAIN.replace("<revision>", "<revision><contributor><id>5</id></contributor>"),
    "unknown elements": PLAIN.replace("<ns>", "<DiscussionThreading><ThreadID>7</ThreadID></DiscussionThreading><ns>"),
    "an upload": PLAIN.replace("</page>", "<upload><timestamp>2021</timestamp><text>no</text></upload></page>"),
    "another slot": PLAIN.replace("</revision>", "<content><role>x</role><text>no</text></content></revision>"),
    "attributes of a text": PLAIN.replace("<text xml", '<text bytes="5" sha1="x/y" xml'),
    "a title by numbers": PLAIN.replace(">A<", ">&#65;<"),
    "a title by hexadecimal numbers": PLAIN.replace(">A<", ">&#x41;<"),
    "a title by hexadecimal numbers in capitals": PLAIN.replace(">A<", ">&#X00041;<"),
    "CRLF": PLAIN.replace("\n", "\r\n"),
    "CR": PLAIN.replace("\n", "\r"),
    "two roots": PLAIN.replace("</mediawiki>", "</mediawiki>\n") + HEAD + page("Talk:A", 2, "x", 1) + FOOT,
    "declared as UTF-16, stored as UTF-8": '<?xml version="1.0" encoding="UTF-16"?>' + PLAIN,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_page_in_any_form_of_xml_is_the_same_page(tmp_path, form):
    assert read(tmp_path, FORMS[form]) == ([A], [])


@pytest.mark.parametrize("form", ["prefixes", "white space in tags", "single quotes", "as Wikimedia writes it"])
def test_wherever_the_pieces_and_ranges_of_a_dump_end_its_pages_are_the_same(tmp_path, monkeypatch, form):
    pages = "".join(page(f"T{number}", number, f"Text {number}.") for number in range(1, 9))
    dump = (HEAD + pages + FOOT).replace("\n", "")
    if form == "prefixes":
        dump = re.sub(r"<(/?)(\w)", r"<\1mw:\2", dump)
    elif form == "white space in tags":
        dump = re.sub(r"<(/?)page>", r"<\1page  >", dump)
    elif form == "single quotes":
        dump = dump.replace('"', "'")
    monkeypatch.setattr("deepred.sources.wiki.dump.READ_BYTES", 61)
    for size in (97, 500, 10**9):
        monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": size, "gz": 1})
        (tmp_path / str(size)).mkdir()
        rows, _ = read(tmp_path / str(size), dump)
        assert rows == [(number, f"T{number}", f"Text {number}.") for number in range(1, 9)]


def test_tags_in_cdata_are_text_in_whatever_range_they_lie(tmp_path, monkeypatch):
    text = "<![CDATA[Write <page><title>No</title><id>5</id></page> & go.]]>"
    monkeypatch.setattr("deepred.sources.wiki.dump.RANGE_BYTES", {"bz2": 1, "xml": 150, "gz": 1})
    rows, _ = read(tmp_path, HEAD + "".join(page(f"T{n}", n, text) for n in (1, 2, 3)) + FOOT)
    assert [row[:2] for row in rows] == [(1, "T1"), (2, "T2"), (3, "T3")]
    assert "& go." in rows[0][2]


LINES = {
    "CRLF": ("Para one\r\nstill one.\r\n\r\nPara two.", "Para one still one.\n\nPara two."),
    "CR": ("Para one\rstill one.\r\rPara two.", "Para one still one.\n\nPara two."),
    "a mix": ("Para one\rstill one.\n\r\nPara two.\r\n\rThree.", "Para one still one.\n\nPara two.\n\nThree."),
    "CR by number": ("Para one&#13;\nstill one.&#13;\n&#13;\nPara two.", "Para one still one.\n\nPara two."),
    "CR by hexadecimal number": ("One.&#xD;\n&#xD;\nTwo.", "One.\n\nTwo."),
    "CRLF by numbers": ("One.&#13;&#10;&#13;&#10;Two.", "One.\n\nTwo."),
    "a heading": ("One.\r\n\r\n== Life ==\r\nTwo.", "One.\n\nLife\n\nTwo."),
    "a list": ("One.\r\n* a\r\n* b\r\n", "One.\n\na\nb"),
    "a template over lines": ("One {{efn|x\r\n|y\r\n}}two.", "One two."),
    "a table": ("One.\r\n{| class=x\r\n|-\r\n| a\r\n|}\r\nTwo.", "One.\n\nTwo."),
    "at the ends": ("\r\n\r\nOne.\r\n", "One."),
    "a tab": ("One\ttwo.", "One two."),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_end_alike_whatever_ends_them_in_the_dump(tmp_path, name):
    written, text = LINES[name]
    rows, _ = read(tmp_path, HEAD + page("A", 1, written) + FOOT)
    assert rows == [(1, "A", text)]


def test_lines_of_a_dump_that_ends_them_otherwise_give_what_plain_lines_give(tmp_path):
    dump = HEAD + page("A", 1, "Para one\nstill one.\n\nPara two.") + FOOT
    for name, end in (("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")):
        (tmp_path / name).mkdir()
        assert read(tmp_path / name, dump.replace("\n", end)) == ([(1, "A", "Para one still one.\n\nPara two.")], [])


REDIRECTS = {
    "#REDIRECT [[Target]]": "Target",
    "#redirect [[Target#sec]] {{R x}}": "Target",
    "#REDIRECT: [[Target]]": "Target",
    "#Redirect :[[target]]": "Target",
    "#REDIRECT[[Target|a label]]": "Target",
    "#rEDIRECT[[Target]] and more\n\nof it": "Target",
    " \n\n\t#REDIRECT [[Target]]": "Target",
    "#REDIRECT\n[[Target]]": "Target",
    "# REDIRECT [[Target]]": "Target",
    "#REDIRECT [[:Category:Films]]": "Category:Films",
    "#REDIRECT [[moon_landing]]": "Moon landing",
    "#REDIRECT [[ Target ]]": "Target",
    "#REDIRECT [[AT&amp;amp;T]]": "AT&T",
    "#REDIRECT [[Target]] &lt;!-- a note --&gt;": "Target",
    "#WEITERLEITUNG [[Ziel]]": "Ziel",
    "#weiterleitung[[Ziel]]": "Ziel",
    "#REDIRECCIÓN [[Meta]]": "Meta",
    "#redirección [[Meta]]": "Meta",
    "#REDIRECTION [[But]]": "But",
    "#ПЕРЕНАПРАВЛЕНИЕ [[Цель]]": "Цель",
    "#перенапр [[Цель]]": "Цель",
    "#Перенаправлення [[Ціль]]": "Ціль",
    "#RINVIA [[Meta]]": "Meta",
    "#DOORVERWIJZING [[Doel]]": "Doel",
    "#PRZEKIERUJ [[Cel]]": "Cel",
    "#PATRZ [[Cel]]": "Cel",
    "#OMDIRIGERING [[Mål]]": "Mål",
    "#REDIRECIONAMENTO [[Alvo]]": "Alvo",
    "#OHJAUS [[Kohde]]": "Kohde",
    "#PŘESMĚRUJ [[Cíl]]": "Cíl",
    "#ÁTIRÁNYÍTÁS [[Cél]]": "Cél",
    "#YÖNLENDİRME [[Hedef]]": "Hedef",
    "#ΑΝΑΚΑΤΕΥΘΥΝΣΗ [[Στόχος]]": "Στόχος",
    "#転送 [[目標]]": "目標",
    "＃リダイレクト[[目標]]": "目標",
    "#重定向 [[目标]]": "目标",
    "#重新導向：[[目標]]": "目標",
    "#넘겨주기 [[목표]]": "목표",
    "#تحويل [[هدف]]": "هدف",
    "#تغییر_مسیر [[هدف]]": "هدف",
    "#הפניה [[יעד]]": "יעד",
    "#เปลี่ยนทาง [[เป้าหมาย]]": "เป้าหมาย",
    "#đổi [[Đích]]": "Đích",
    "#ALIH [[Tujuan]]": "Tujuan",
    "#PREUSMJERI [[Cilj]]": "Cilj",
    "#Преусмери [[Циљ]]": "Циљ",
    "#ALIDIREKTU [[Celo]]": "Celo",
    "#अनुप्रेषित [[लक्ष्य]]": "लक्ष्य",
}


@pytest.mark.parametrize("text", REDIRECTS)
def test_a_redirect_is_told_by_its_text_where_no_element_tells_it(tmp_path, text):
    assert read(tmp_path, HEAD + page("R", 1, text) + FOOT) == ([], [("R", REDIRECTS[text])])


@pytest.mark.parametrize(
    "text",
    [
        "A page says #REDIRECT [[Target]] in its text.",
        "Intro.\n\n#REDIRECT [[Target]]",
        "#REDIRECT",
        "#redirect Target",
        "#redirect without a link, then [[one]]",
        "#REDIRECTED [[Target]]",
        "#REDIRECT [[]]",
        "#REDIRECT [[#section]]",
        "#REDIRECT [[Target",
        "#REDIRECT [https://example.org x]",
        "REDIRECT [[Target]]",
        "&lt;nowiki&gt;#REDIRECT [[Target]]&lt;/nowiki&gt;",
        "# [[Target]]\n# [[Other]]",
        "* #REDIRECT [[Target]]",
        "#One [[Target]] of a list",
        "##REDIRECT [[Target]]",
    ],
)
def test_what_only_mentions_a_redirect_is_an_article(tmp_path, text):
    rows, redirects = read(tmp_path, HEAD + page("A", 1, text) + FOOT)
    assert ([row[0] for row in rows], redirects) == ([1], [])


@pytest.mark.parametrize(
    ("element", "target"),
    [
        ('<redirect title="Goal" />', "Goal"),
        ("<redirect title='Goal'/>", "Goal"),
        ('<redirect  title = "Goal"  ></redirect>', "Goal"),
        ('<redirect title="AT&amp;T" />', "AT&T"),
        ("<redirect />", "Other"),
        ('<redirect title="" />', "Other"),
    ],
)
def test_the_element_of_a_redirect_goes_before_its_text(tmp_path, element, target):
    dump = (HEAD + page("R", 1, "#REDIRECT [[Other]]") + FOOT).replace("<revision>", element + "<revision>")
    assert read(tmp_path, dump) == ([], [("R", target)])


def test_a_page_of_another_model_is_no_redirect_by_its_text(tmp_path):
    dump = (HEAD + page("A", 1, "#REDIRECT [[X]]") + FOOT).replace(">wikitext<", ">javascript<")
    assert read(tmp_path, dump) == ([(1, "A", "")], [])


EARLY, LATE = "2019-12-31T23:59:59Z", "2020-01-01T00:00:00Z"
REVISIONS = {
    "oldest first": ([("old", 1, EARLY), ("new", 2, LATE)], "new"),
    "newest first": ([("new", 2, LATE), ("old", 1, EARLY)], "new"),
    "newest in the middle": ([("a", 1, EARLY), ("new", 9, LATE), ("b", 2, EARLY)], "new"),
    "a lower number that is newer (imported)": ([("new", 1, LATE), ("old", 2, EARLY)], "new"),
    "equal times": ([("new", 7, LATE), ("old", 6, LATE)], "new"),
    "no times": ([("new", 7, ""), ("old", 6, "")], "new"),
    "one time missing": ([("new", 7, ""), ("old", 6, LATE)], "new"),
    "times of other zones": ([("new", 1, "2020-01-01T00:00:00-05:00"), ("old", 2, LATE)], "new"),
    "times with fractions": ([("new", 1, "2020-01-01T00:00:01.500Z"), ("old", 2, LATE)], "new"),
    "a time that is none": ([("new", 7, "yesterday"), ("old", 6, LATE)], "new"),
    "numbers as numbers, not as text": ([("new", 10, LATE), ("old", 9, LATE)], "new"),
    "the same revision twice": ([("new", 7, LATE), ("again", 7, LATE)], "new"),
    "newest is empty": ([("old", 1, EARLY), ("", 2, LATE)], ""),
}


@pytest.mark.parametrize("name", REVISIONS)
def test_of_several_revisions_the_newest_is_the_page(tmp_path, name):
    written, text = REVISIONS[name]
    head = "<page><title>A</title><ns>0</ns><id>1</id>"
    within = head + "".join(revision(*one) for one in written) + "</page>"
    assert read(tmp_path, HEAD + within + FOOT) == ([(1, "A", text)], [])
    assert read.counts.numbers["older_revisions"] == len(written) - 1
    apart = page("B", 2, "between").join(head + revision(*one) + "</page>" for one in written)
    if len(written) == 2:
        (tmp_path / "apart").mkdir()
        assert read(tmp_path / "apart", HEAD + apart + FOOT)[0] in (
            [(1, "A", text), (2, "B", "between")],
            [(2, "B", "between"), (1, "A", text)],
        )
        assert read.counts.drops == {"older_copy": 1}


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("<text />", ""),
        ('<text xml:space="preserve" />', ""),
        ('<text bytes="0" />', ""),
        ("<text></text>", ""),
        ('<text deleted="deleted" />', ""),
        ('<text bytes="9" deleted="deleted"/>', ""),
        ("<text>x</text>", "x"),
        ("", ""),
    ],
)
def test_a_page_without_text_is_an_empty_article(tmp_path, element, text):
    dump = re.sub(r"<text.*</text>", element, PLAIN)
    assert read(tmp_path, dump) == ([(1, "A", text)], [])


NO_PAGES = {
    "an empty root": (FOOT.replace("/", "") + FOOT, "no page was found.* elements are mediawiki"),
    "only a siteinfo": (HEAD + FOOT, "no page was found; its elements are mediawiki, siteinfo, sitename"),
    "logs": (HEAD + "<logitem><id>1</id></logitem>" + FOOT, "no page was found"),
    "pages in capitals": (PLAIN.replace("<page>", "<PAGE>").replace("</page>", "</PAGE>"), "no page was found.*PAGE"),
    "abstracts": (
        "<feed>\n<doc>\n<title>Wikipedia: A</title><abstract>x</abstract></doc></feed>",
        "a dump of abstracts",
    ),
    "SQL": ("-- MySQL dump 10.19\n--\nDROP TABLE IF EXISTS `page`;\n", "an SQL dump"),
    "an index": ("600:10:Apollo 11\n600:12:Moon\n", "the index of a multistream dump"),
    "HTML": ("<!DOCTYPE html>\n<html><body>x</body></html>", "an HTML page"),
    "JSON": ('{"title": "A"}\n', "JSON"),
    "a stub": (re.sub(r"<text.*</text>", '<text bytes="5120" id="77" />', PLAIN), "a stub dump"),
    "a stub of history": (
        re.sub(r"<text.*</text>", '<text id="77" bytes="5120" sha1="x" location="tt:1" model="wikitext"/>', PLAIN),
        "a stub dump",
    ),
    "titles": ("A\nApollo_11\nMoon\n", "begins with 'A"),
}


@pytest.mark.parametrize("name", NO_PAGES)
@pytest.mark.parametrize("pack", ["plain", "gz", "bz2"])
def test_what_holds_no_page_is_refused_with_what_it_is(tmp_path, name, pack):
    written, words = NO_PAGES[name]
    data = {"plain": bytes, "gz": gzip.compress, "bz2": bz2.compress}[pack](written.encode())
    with pytest.raises(UserError, match=words):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04", "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"ZIM\x04", "a ZIM file"),
        (b"%PDF-1.4", "a PDF"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"PAR1", "a Parquet file"),
    ],
)
def test_another_container_is_named(tmp_path, head, words):
    with pytest.raises(UserError, match=words):
        read(tmp_path, head + bytes(200))


def test_what_is_packed_is_seen_in_the_bytes_and_not_in_the_name(tmp_path):
    for name, pack in (
        ("a.xml", gzip.compress),
        ("b.xml", bz2.compress),
        ("c.xml.bz2", bytes),
        ("d.bz2", gzip.compress),
    ):
        (tmp_path / name).write_bytes(pack(PLAIN.encode()))
        extract(tmp_path / name, tmp_path / f"out-{name}")
        assert [row["title"] for row in read_rows(tmp_path / f"out-{name}", "articles-*.parquet")] == ["A"]


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("koi8-r", "koi8-r"), ("UTF-8", "utf-8")],
)
def test_a_dump_in_its_declared_encoding_is_read(tmp_path, declared, encoding):
    letters = "Мир" if encoding == "koi8-r" else "Ærø é"
    dump = f'<?xml version="1.0" encoding="{declared}"?>\n' + HEAD + page(letters, 1, letters) + FOOT
    assert read(tmp_path, dump.encode(encoding)) == ([(1, letters, letters)], [])


def test_bytes_that_no_declaration_explains_are_counted(tmp_path):
    pages = "".join(page(f"T{number}", number, "x") for number in range(2, 30))
    read(tmp_path, (HEAD + page("Ærø", 1, "x")).encode("latin-1") + (pages + FOOT).encode())
    assert read.counts.drops == {"not_utf8": 1}


@pytest.mark.parametrize("text", ["<b>bold</b> text", "one <br/> two", "one <b> two", "</b>", "<a><b></a></b>"])
def test_text_with_tags_that_are_not_escaped_is_malformed_not_half_read(tmp_path, text):
    pages = "".join(page(f"T{number}", number, "x") for number in range(2, 30))
    rows, _ = read(tmp_path, HEAD + page("A", 1, text) + pages + FOOT)
    assert len(rows) == 28
    assert read.counts.drops == {"malformed": 1}


def test_a_comment_without_end_is_damage(tmp_path, monkeypatch):
    with pytest.raises(FaultError, match="inside page 'A'"):
        read(tmp_path, PLAIN.replace("<ns>", "<!-- <ns>"))


@pytest.mark.parametrize(
    "unit", ["<", "<!--", "<![CDATA[", "<a ", "</", "<a b='", "<page ", "&", "<?", "<a:", "x" * 70 + ":"]
)
def test_odd_bytes_take_linear_time(unit):
    data = (unit * 20_000)[:400_000].encode()
    begun = time.process_time()
    splitter = Splitter()
    splitter.add(b"<page>" + data, 6 + len(data))
    with suppress(SplitError):
        list(splitter.elements())
    with suppress(ElementError):
        list(iterate_elements(data))
    parse_page(b"<page>" + data + b"</page>", 0)
    Prefixes.of("en").redirect_target("#" + data.decode())
    Prefixes.of("en").redirect_target("#REDIRECT" + " " * 20_000 + "[[" + data.decode())
    assert time.process_time() - begun < 2


def test_both_ways_to_read_a_page_agree():
    for number, text in enumerate(["x", "a &amp;amp; b", "é\r\nb", "&lt;ref&gt;"]):
        element = page("T &amp; U", number, text).strip().encode()
        assert isinstance(parse_page(element, 0), Page)
        assert parse_page(element, 0) == page_by_elements(element, 0)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-01-02T03:04:05Z", 20200102030405),
        ("2020-01-02T03:04:05", 20200102030405),
        ("2020-01-02T01:04:05-02:00", 20200102030405),
        ("", 0),
        ("soon", 0),
    ],
)
def test_times_become_numbers(text, time):
    assert read_time(text) == time


def test_newer_is_by_time_then_by_number():
    assert is_newer(2, 1, 1, 9)
    assert not is_newer(1, 9, 2, 1)
    assert is_newer(0, 2, 5, 1)
    assert not is_newer(5, 1, 5, 1)


@pytest.mark.parametrize("field", ["page", "namespace", "revision"])
@pytest.mark.parametrize("digits", ["9223372036854775808", "9" * 5000])
@pytest.mark.parametrize("form", ["<page>", '<page xmlns="x">'])
def test_number_beyond_64_bits_is_one_malformed_page(tmp_path, field, digits, form):
    number = {"page": "2", "namespace": "0", "revision": "7", field: digits}
    pages = "".join(
        f"{form}<title>{title}</title><ns>{space}</ns><id>{page}</id><revision><id>{revision}</id>"
        f"<timestamp>2020-01-01T00:00:00Z</timestamp><text>{title} is a town.</text></revision></page>"
        for title, page, space, revision in [
            *((f"A{n}", str(100 + n), "0", "5") for n in range(12)),
            ("B", number["page"], number["namespace"], number["revision"]),
            ("C", "9223372036854775807", "0", "6"),
        ]
    )
    path = tmp_path / "dump.xml"
    path.write_text(f"<mediawiki><siteinfo><dbname>enwiki</dbname></siteinfo>{pages}</mediawiki>", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    assert extract(path, out).drops["malformed"] == 1
    titles = [row["title"] for row in read_rows(out, "articles-*.parquet", ["title"])]
    assert titles == [*(f"A{n}" for n in range(12)), "C"]
