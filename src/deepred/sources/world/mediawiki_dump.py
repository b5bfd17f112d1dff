"""The generated encyclopedia as a MediaWiki dump: wikitext, other namespaces, redirects, multistream bz2 and its index.

In: articles. Out: the two files of a Wikipedia download, in the export format 0.11
(https://www.mediawiki.org/xml/export-0.11.xsd), byte for byte the same for the same articles.
"""

from __future__ import annotations

import bz2
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from deepred.base.days import Interval, year_of
from deepred.base.files import replaced, write_bytes
from deepred.sources.world.world_article import Article
from deepred.sources.world.world_facts import Entity, Facts, phrase
from deepred.sources.world.world_sentences import Sentence

DUMP = "worldwiki-pages-articles-multistream.xml.bz2"
INDEX = "worldwiki-pages-articles-multistream-index.txt.bz2"

PAGES_PER_STREAM = 100
"""As in Wikimedia's multistream dumps."""

NAMESPACES = {
    -2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Project", 5: "Project talk", 6: "File",
    7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", 10: "Template", 11: "Template talk", 12: "Help",
    13: "Help talk", 14: "Category", 15: "Category talk",
}  # fmt: skip

CLOSED = {"company": "Companies disestablished in", "building": "Buildings demolished in"}
OPENED = {
    "company": "Companies established in {}", "building": "Buildings completed in {}", "invention": "{} inventions",
    "novel": "{} novels", "tournament": "{} in chess", "institute": "Learned societies established in {}",
    "city": "Populated places established in {}", "renamed city": "Populated places established in {}",
    "province": "States and territories established in {}",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A page of the dump; ``redirect`` is the title that it leads to."""

    page_id: int
    title: str
    text: str
    namespace: int = 0
    redirect: str = ""


def wikitext(article: Article, random: Random) -> str:
    """An article's source: infobox, lead, sections of mixed paragraphs, references, a table, categories."""
    parts = [infobox(article.entity) if article.entity else "", " ".join(s.wiki for s in article.lead)]
    for heading, chains in article.sections.items():
        parts.append(f"== {heading} ==")
        parts.extend(_bullets(chains) if article.bullets else _paragraphs(chains, random))
    if article.entity and article.kind == "city":
        parts.append(_town_extras(article.entity, random))
    parts.append("== References ==\n{{reflist}}")
    parts.append("\n".join(f"[[Category:{name}]]" for name in [*article.categories, *_categories(article)]))
    source = "\n\n".join(part for part in parts if part) + "\n"
    own = re.escape(article.title)
    return re.sub(
        rf"\[\[(?:{own}\|)?([^\]|]*)\]\]",
        lambda link: link[1] if link[0][2:].startswith(article.title) else link[0],
        source,
    )


def _bullets(chains: Iterable[list[Sentence]]) -> list[str]:
    return ["\n".join("* " + " ".join(sentence.wiki for sentence in chain) for chain in chains)]


def _paragraphs(chains: list[list[Sentence]], random: Random) -> Iterator[str]:
    """Paragraphs of two to four chains, early and late side by side; now and then a reference or a comment."""
    place = 0
    while place < len(chains):
        size = random.randint(2, 4)
        sentences = [sentence for chain in chains[place : place + size] for sentence in chain]
        place += size
        marks = [random.choices(("", REFERENCE, NAMED, COMMENT), (80, 12, 5, 3))[0] for _ in sentences]
        yield " ".join(s.wiki + m for s, m in zip(sentences, marks, strict=True))


REFERENCE = "<ref>{{cite book |title=Guide to the Provinces |page=12 |url=http://example.org/guide}}</ref>"
NAMED = '<ref name="guide" />'
COMMENT = "<!-- please check -->"


def _town_extras(town: Entity, random: Random) -> str:
    """What towns have and truth leaves out: a picture, a table, converted units, an approximate date."""
    rows = "\n".join(f"|-\n| {year} || {random.randint(900, 90_000):,}" for year in (1880, 1920, 1960, 2000))
    return (
        f"[[File:{town.title} harbour.jpg|thumb|200px|The harbour of {town.title} in 1994]]\n"
        f'{{| class="wikitable"\n! Year !! Inhabitants\n{rows}\n|}}\n\n== Position ==\n\n'
        f"The coast is {{{{convert|{random.randint(3, 60)}|km|mi}}}} away. "
        f"The oldest map of the valley dates from {{{{circa|{year_of(town.first.first) + 20}}}}}."
    )


def infobox(entity: Entity) -> str:
    """The infobox of an entity with its dates."""

    def date(template: str, when: Interval) -> str:
        return f"{{{{{template}|{when.first // 10000}|{when.first // 100 % 100}|{when.first % 100}}}}}"

    def shown(when: Interval) -> str:
        return date("start date", when) if when.first == when.last else phrase(when)

    first, end = entity.first, entity.end
    values = {"name": entity.title}
    match entity.kind:
        case "person":
            stop = year_of(end.first) if end else "present"
            values |= {"birth_date": date("birth date" if end else "birth date and age", first)}
            if end:
                values["death_date"] = date("death date", end)
            values |= {"occupation": entity.profession, "years_active": f"{year_of(entity.known.first)}–{stop}"}
            kind = "person"
        case "invention":
            kind, values["invented"] = "product", shown(first)
        case "novel":
            kind, values["pub_date"] = "book", shown(first)
        case "tournament":
            kind, values["date"] = "chess tournament", shown(first)
        case "building":
            kind, values["opened"] = "building", shown(first)
            if end:
                values["demolished"] = shown(end)
        case "company":
            kind, values["founded"] = "company", shown(first)
            if end:
                values["defunct"] = shown(end)
        case "institute":
            kind, values["established"] = "organization", shown(first)
        case _:
            kind, values["established_date"] = "settlement", shown(first)
    lines = "\n".join(f"| {key} = {value}" for key, value in values.items())
    return f"{{{{Infobox {kind}\n{lines}\n}}}}"


def _categories(article: Article) -> list[str]:
    if article.kind == "year":
        return [str(article.year)]
    entity = article.entity
    if entity is None:
        return []
    year = year_of(entity.first.first)
    if entity.kind == "person":
        ended = [f"{year_of(entity.end.first)} deaths"] if entity.end else ["Living people"]
        return [f"{year} births", *ended, f"{entity.profession.capitalize()}s"]
    names = [OPENED[entity.kind].format(year)]
    if entity.end and entity.kind in CLOSED:
        names.append(f"{CLOSED[entity.kind]} {year_of(entity.end.first)}")
    return names


def other_pages(articles: list[Article], world: Facts, next_id: int) -> list[Page]:
    """Redirects, a disambiguation page, and pages of other namespaces, which are no articles."""
    found: list[tuple[str, str, int, str]] = []
    people = [a.entity for a in articles if a.kind == "person" and a.entity]
    for person in people[::4]:
        found.append((person.title.split()[1], f"#REDIRECT [[{person.title}]]", 0, person.title))
    for article in articles:
        entity = article.entity
        if entity and entity.kind == "novel" and entity.title.startswith("The Lamp"):
            found.append((f"Lamp: {entity.title[12:]}", f"#redirect [[{entity.title}]]", 0, entity.title))
    for fact in world.facts:
        if fact.relation == "renamed":
            target = fact.subject.title
            found.append((fact.object.title, f"#REDIRECT [[{target}]] {{{{R from alternative name}}}}", 0, target))
    town = next(a.title for a in articles if a.kind == "city")
    found += [
        (f"Talk:{town}", f"Should [[{town}]] have more pictures? ~~~~ 12 May 2009", 1, ""),
        ("Template:Infobox person", '<includeonly>{| class="infobox"\n| {{{name|}}}\n|}</includeonly>', 10, ""),
        ("Template:Cite book", "''{{{title}}}''<noinclude>[[Category:Templates]]</noinclude>", 10, ""),
        ("Category:Engineers", "People who build machines. [[Category:People]]", 14, ""),
        ("Category:1977 inventions", "[[Category:Inventions by year]]", 14, ""),
        ("Project:Style", "Write plainly. Since 2006 this page has been a guideline.", 4, ""),
        ("File:Harbour.jpg", "== Licensing ==\nOwn work, 2011.", 6, ""),
    ]
    return [
        Page(next_id + place, title, text, space, target) for place, (title, text, space, target) in enumerate(found)
    ]


def write_dump(pages: list[Page], out: Path) -> None:
    """Write the multistream dump and its index: a header, streams of pages, and the closing tag."""
    lines: list[str] = []
    with replaced(out / DUMP) as partial, partial.open("wb") as file:
        file.write(bz2.compress(_header().encode()))
        for start in range(0, len(pages), PAGES_PER_STREAM):
            offset = file.tell()
            part = pages[start : start + PAGES_PER_STREAM]
            lines += [f"{offset}:{page.page_id}:{page.title}\n" for page in part]
            file.write(bz2.compress("".join(_page_xml(page) for page in part).encode()))
        file.write(bz2.compress(b"</mediawiki>\n"))
    write_bytes(out / INDEX, bz2.compress("".join(lines).encode()))


def _header() -> str:
    spaces = "".join(
        f'      <namespace key="{key}" case="first-letter">{name}</namespace>\n' if name else
        f'      <namespace key="{key}" case="first-letter" />\n'
        for key, name in NAMESPACES.items()
    )  # fmt: skip
    export = "http://www.mediawiki.org/xml/export-0.11"
    return (
        f'<mediawiki xmlns="{export}/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{export}/ {export}.xsd" version="0.11" xml:lang="en">\n'
        "  <siteinfo>\n    <sitename>World</sitename>\n    <dbname>worldwiki</dbname>\n"
        "    <base>https://world.example.org/wiki/Main_Page</base>\n    <generator>MediaWiki 1.43.0</generator>\n"
        f"    <case>first-letter</case>\n    <namespaces>\n{spaces}    </namespaces>\n  </siteinfo>\n"
    )


def _page_xml(page: Page) -> str:
    data = page.text.encode()
    number = int.from_bytes(hashlib.sha1(data).digest(), "big")
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    revision = 100_000 + page.page_id
    redirect = f'    <redirect title="{escape(page.redirect, {chr(34): "&quot;"})}" />\n' if page.redirect else ""
    time = f"2015-{page.page_id % 12 + 1:02d}-{page.page_id % 28 + 1:02d}T{page.page_id % 24:02d}:30:00Z"
    return (
        f"  <page>\n    <title>{escape(page.title)}</title>\n    <ns>{page.namespace}</ns>\n"
        f"    <id>{page.page_id}</id>\n{redirect}"
        f"    <revision>\n      <id>{revision}</id>\n      <parentid>{revision - 7}</parentid>\n"
        f"      <timestamp>{time}</timestamp>\n"
        "      <contributor>\n        <username>Archivist</username>\n        <id>7</id>\n      </contributor>\n"
        "      <comment>/* History */ copy edit</comment>\n      <origin>{revision}</origin>\n"
        "      <model>wikitext</model>\n      <format>text/x-wiki</format>\n"
        f'      <text bytes="{len(data)}" sha1="{digits.zfill(31)}" xml:space="preserve">{escape(page.text)}</text>\n'
        f"      <sha1>{digits.zfill(31)}</sha1>\n    </revision>\n  </page>\n"
    )
