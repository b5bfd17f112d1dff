"""What templates say: from a template's name and arguments to the text that it puts into an article.

Which name is rendered how stands in ``templates.toml``; the functions here are its rules. A rule gets the arguments,
rendered already, and returns text (with wiki markup where that is simplest) or ``VOID``, the mark of something
dropped, at which the scanner closes the gap.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from deepred.base.files import shipped_table
from deepred.sources.wiki.infobox import MONTHS

VOID = "\x04"
"""Stands where something was dropped."""
EQUALS = "\x0f"
"""An equals sign that names no argument."""
FUNCTIONS = frozenset({"lc", "uc", "lcfirst", "ucfirst", "formatnum", "subst", "safesubst"})
"""Parser functions whose text after the colon is shown."""
VARIABLES = frozenset(
    {
        "defaultsort", "displaytitle", "sortierung", "defaultsortkey", "padleft", "int", "fullurl", "localurl",
        "filepath", "canonicalurl", "ns", "noexternallanglinks", "currentyear", "currentmonth", "currentday",
        "currentdate", "currentmonthname", "numberofarticles", "clef de tri", "ordena",
    }
)  # fmt: skip
"""Parser functions and variables that show nothing; no template of such a name exists that could be unknown."""


class Arguments:
    """A template's arguments: ``a[1]`` the first positional one, ``a["key"]`` a named one, empty if missing.

    ``name`` is the template's in lower case, ``wiki`` the language of the wiki.
    """

    def __init__(self, name: str, parts: list[str], wiki: str = "") -> None:
        self.name = name
        self.wiki = wiki
        self.values: dict[str, str] = {}
        self.positional: list[str] = []
        for part in parts[1:]:
            key, equals, value = part.partition("=")
            key = key.strip()
            # marks, tags and line breaks before the sign: it belongs to the text
            if equals and len(key) < 40 and "<" not in key and key.isprintable():
                self.values[key.lower()] = value.strip()
            else:
                self.positional.append(part.strip())

    def __getitem__(self, key: int | str) -> str:
        if isinstance(key, str):
            return self.values.get(key, "")
        numbered = self.values.get(str(key))
        if numbered is not None:
            return numbered
        return self.positional[key - 1] if key <= len(self.positional) else ""

    def first(self, *keys: int | str) -> str:
        """The first of some arguments that is not empty."""
        return next((value for key in keys if (value := self[key]).strip(VOID + " ")), "")

    def all(self) -> list[str]:
        """The positional arguments, those numbered by name included, without empty ones."""
        numbers = [int(key) for key in self.values if key.isdecimal() and len(key) < 3]
        count = max([len(self.positional), *numbers])
        return [value for number in range(1, count + 1) if (value := self[number]).strip(VOID + " ")]


Rule = Callable[[Arguments], str]


def drop(a: Arguments) -> str:
    """Nothing, with the gap closed."""
    return VOID


def convert(a: Arguments) -> str:
    """The value and unit that the source states, ranges and pairs included; the computed conversion is left out.

    ``{{convert|10|to|20|km|mi}}`` is "10 to 20 km", ``{{convert|5|ft|10|in|m}}`` "5 ft 10 in".
    """
    parts = a.positional
    if not parts:
        return VOID
    shown, at = parts[0], 1
    while at + 1 < len(parts) and parts[at].lower() in RANGES:
        shown += RANGES[parts[at].lower()] + parts[at + 1]
        at += 2
    if at >= len(parts):
        return shown
    shown = f"{shown} {_unit(parts[at])}"
    while at + 2 < len(parts) and _is_number(parts[at + 1]) and parts[at + 2].lower() in PAIRED:
        shown += f" {parts[at + 1]} {_unit(parts[at + 2])}"
        at += 2
    return shown


def _unit(code: str) -> str:
    return UNITS.get(code.lower(), code)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-−+]?[\d.,]+(?:[⁄/]\d+)?", text) is not None


def words(a: Arguments) -> str:
    """``{{lang|fr|Pays-Bas}}``: the words."""
    return a.first(2, "text") or VOID


def language(a: Arguments) -> str:
    """``{{lang-fr|Pays-Bas}}`` and ``{{langx|fr|Pays-Bas}}``: French: Pays-Bas, with how it is read and what it means.

    The language is named on English wikis, whose names of them are known.
    """
    offset = 1 if a.name in ("langx", "langwithname") else 0
    code = (a[1] if offset else a.name.removeprefix("lang-")).lower()
    shown = a.first(1 + offset + (a.name == "langwithname"), "text")
    if not shown:
        return VOID
    name = a[2] if a.name == "langwithname" else LANGUAGES.get(code, "")
    if name and a.wiki in ENGLISH and a["label"] != "none" and a["link"] != "none":
        shown = f"{name}: {shown}"
    latin = shown[-1:].isascii()
    romanized = a.first("translit", "tr") or ("" if latin else a[2 + offset])
    meaning = a.first("lit", "translation") or (a[2 + offset] if latin else a[3 + offset])
    if a.name == "langwithname":
        return shown
    return shown + (f", romanized: {romanized}" if romanized else "") + (f", lit. '{meaning}'" if meaning else "")


def labelled(a: Arguments) -> str:
    """``{{zh|c=北京|p=Běijīng}}``: Chinese: 北京; pinyin: Běijīng; what stands without a name as it is."""
    labels = LABELS["korean" if a.name.startswith("ko") else "chinese"]
    named = [(labels[key], value) for key, value in a.values.items() if value and key in labels]
    if a.wiki not in ENGLISH or a["labels"] == "no":
        named = [("", value) for _, value in named]
    return "; ".join([*a.all(), *(f"{label}: {value}" if label else value for label, value in named)]) or VOID


def transliteration(a: Arguments) -> str:
    """``{{transl|ar|ALA|Allāh}}``: the words, which stand last."""
    return a.first(3, 2, 1) or VOID


def _named_month(month: str) -> str:
    """A month's name: ``_named_month("07") == "July"``."""
    number = month.lstrip("0")
    return MONTHS[int(number) - 1].capitalize() if number.isdecimal() and 1 <= int(number) <= 12 else month


def _written(year: str, month: str, number: str, day_first: bool) -> str:
    """A date as English writes it: ``_written("1969", "7", "20", False) == "July 20, 1969"``."""
    if year.lstrip("-").isdecimal():
        year = year.strip("-").lstrip("0") + (" BC" if year.startswith("-") else "")
    month, number = _named_month(month), number.lstrip("0") if number.isdecimal() else number
    if not month:
        return year
    if not number:
        return f"{month} {year}"
    return f"{number} {month} {year}" if day_first else f"{month} {number}, {year}"


def date(a: Arguments) -> str:
    """``{{birth date|1809|2|12}}``: February 12, 1809; 12 February 1809 with ``df=yes``; of two dates the first."""
    year, month = a[1], a[2]
    if not month and not year.lstrip("-").isdecimal():
        return year or VOID
    return _written(year, month, a[3], a["df"].lower() in ("y", "yes", "1", "true")) or VOID


def sortable_date(a: Arguments) -> str:
    """``{{date|2009-07-20|mdy}}``, ``{{dts|1969|7|20}}``, ``{{dts|20 July 1969}}``."""
    if a[1].isdecimal() and a[2]:
        return date(a)
    if match := re.fullmatch(r"(\d{1,4})-(\d\d)-(\d\d)", a[1]):
        return _written(match[1], match[2], match[3], a[2].lower() != "mdy")
    return a[1] or VOID


def old_style(a: Arguments) -> str:
    """``{{OldStyleDate|12 April|1743|2 April}}``: 12 April 1743 [O.S. 2 April]."""
    shown = f"{a[1]} {a[2]}".strip()
    return f"{shown} [O.S. {a[3]}]" if a[3] else shown or VOID


def circa(a: Arguments) -> str:
    """``{{circa|1500|1550}}``: c. 1500 – c. 1550."""
    return f"c. {a[1]}".rstrip() + (f" – c. {a[2]}" if a[2] else "")


def reign(a: Arguments) -> str:
    """``{{reign|1509|1547}}``: r. 1509–1547; ``{{fl.|1200}}``: fl. 1200."""
    return ("r. " if a.name.startswith("r") else "fl. ") + "–".join(part for part in (a[1], a[2]) if part)


def as_of(a: Arguments) -> str:
    """``{{as of|1969|7|20}}``: As of 20 July 1969; day first, unlike other date templates."""
    if a["alt"]:
        return a["alt"]
    word = "since" if a["since"] else "as of"
    written = _written(a[1], a[2], a[3], a["df"].lower() != "us")
    return f"{word if a['lc'] else word.capitalize()} {written}{a['post']}"


def age(a: Arguments) -> str:
    """An age depends on today and is nothing, unless both dates are given: then it is a number of years."""
    numbers = [int(part) for part in a.all() if part.isdecimal()]
    if len(numbers) < 6 or "days" in a.name:
        return VOID
    birth, end = numbers[:3], numbers[3:6]
    return str(end[0] - birth[0] - (end[1:] < birth[1:]))


def span(a: Arguments) -> str:
    """``{{start and end dates|1969|7|16|1969|7|24}}``: 16 July 1969 – 24 July 1969, month first without ``df``."""
    day_first = a["df"].lower() in ("y", "yes", "1", "true")
    numbers = a.all()
    half = len(numbers) // 2
    sides: list[str] = []
    for side in (numbers[:half], numbers[half:]):
        year, month, number = (*side, "", "", "")[:3]
        sides.append(_written(year, month, number, day_first))
    return " – ".join(filter(None, sides)) or VOID


def gauge(a: Arguments) -> str:
    """``{{track gauge|1435mm}}``: 1,435 mm; ``{{track gauge|4ft8.5in}}``: 4 ft 8.5 in."""
    if a[1].lower() in ("sg", "standard"):
        return "standard gauge"
    spaced = re.sub(r"(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)", " ", a[1].lower())
    return re.sub(r"\b(\d)(\d{3})\b", r"\1,\2", spaced) or VOID


def ordinal(a: Arguments) -> str:
    """``{{ordinal|3}}``: 3rd."""
    if not a[1].isdecimal():
        return a[1] or VOID
    last = int(a[1]) % 100
    return a[1] + ("th" if 10 < last < 14 else {1: "st", 2: "nd", 3: "rd"}.get(last % 10, "th"))


def routes(a: Arguments) -> str:
    """``{{jct|state=CA|I|80|US|50}}``: I-80 / US 50, the signs of the pairs as they are spoken of."""
    parts = a.positional
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return " / ".join(f"{kind}{'-' if kind == 'I' else ' '}{number}" for kind, number in pairs if number) or VOID


def fraction(a: Arguments) -> str:
    """``{{frac|1|2}}``: 1/2; ``{{frac|3|1|2}}``: 3 1/2; ``{{frac|2}}``: 1/2."""
    parts = a.all()
    if len(parts) == 3:
        return f"{parts[0]} {parts[1]}/{parts[2]}"
    return "/".join(parts if len(parts) == 2 else ["1", *parts])


def number(a: Arguments) -> str:
    """``{{nts|1234567}}``: 1,234,567."""
    return f"{int(a[1]):,}" if a[1].isdecimal() else a[1] or VOID


def value(a: Arguments) -> str:
    """``{{val|1.23|0.05|e=6|u=kg}}``: 1.23 ± 0.05 × 10⁶ kg."""
    shown = a["p"] + a[1] + (f" ± {a[2]}" if a[2] else "") + (f" × 10<sup>{a['e']}</sup>" if a["e"] else "")
    unit = a.first("u", "ul", "upl")
    return f"{shown} {unit}".strip() or VOID


def height(a: Arguments) -> str:
    """``{{height|ft=5|in=10}}``: 5 ft 10 in."""
    return " ".join(f"{a[unit]} {unit}" for unit in ("m", "cm", "ft", "in") if a[unit]) or VOID


def quotation(a: Arguments) -> str:
    """A paragraph of its own, and one for who said it and where."""
    quoted = a.first("text", "quote", "quotetext", "content", 1)
    signed = ", ".join(
        part for part in (a.first("author", "by", "sign", "cite", 2), a.first("source", "title", 3)) if part
    )
    return f"\n\n{quoted}\n\n" + (f"— {signed}\n\n" if signed else "") if quoted else VOID


def items(a: Arguments) -> str:
    """Lists: each argument a line of its own."""
    shown = a.all()
    return "\n* " + "\n* ".join(shown) + "\n" if len(shown) > 1 else "".join(shown) or VOID


def in_a_row(a: Arguments) -> str:
    """Lists within a line: commas between."""
    return ", ".join(part.strip("* ").replace("\n*", ",") for part in a.all()) or VOID


def concatenated(a: Arguments) -> str:
    """``{{chem|H|2|O}}``: H2O."""
    return "".join(a.all()) or VOID


def nihongo(a: Arguments) -> str:
    """``{{nihongo|Tokyo|東京|Tōkyō}}``: Tokyo (東京, Tōkyō)."""
    inside = ", ".join(part for part in (a[2], a[3]) if part)
    if not a[1]:
        return f"{a[3]} ({a[2]})" if a[2] and a[3] else inside or VOID
    return f"{a[1]} ({inside})" if inside else a[1]


def link(a: Arguments) -> str:
    """``{{ill|Name|de|Name}}``: a red link with one to another wiki; the words only."""
    return a.first("lt", "display", 1) or VOID


def flag(a: Arguments) -> str:
    """``{{flag|France}}`` and its kin: the country's or team's name."""
    return a.first("name", 1) or VOID


def station(a: Arguments) -> str:
    """Stations: the name, which stands last where a line or a country stands first."""
    return a.first(2, 1) or VOID


def player(a: Arguments) -> str:
    """A player in a squad's list: number, position, name."""
    return " ".join(part for part in (a["no"], a["pos"], a["name"]) if part) or VOID


def ship(a: Arguments) -> str:
    """``{{USS|Enterprise|CV-6}}``: USS Enterprise; ``{{ship|HMS|Victory}}``: HMS Victory."""
    return f"{a[1]} {a[2]}".strip() or VOID if a.name == "ship" else f"{a.name.upper()} {a[1]}".strip()


def sort_name(a: Arguments) -> str:
    """``{{sortname|Ada|Lovelace}}``: Ada Lovelace."""
    return " ".join(a.all()[:2]) or VOID


def marriage(a: Arguments) -> str:
    """``{{marriage|Mary Todd|1842|1865}}``: Mary Todd (m. 1842–1865)."""
    years = "–".join(part for part in (a[2], a[3]) if part)
    return f"{a[1]} (m. {years})" if years else a[1] or VOID


def verse(a: Arguments) -> str:
    """``{{bibleverse|1|John|3:16}}``: 1 John 3:16."""
    return " ".join(a.all()[:3]) or VOID


def first(a: Arguments) -> str:
    """Markup around its first argument."""
    return a.first(1, "text", "content") or VOID


def second(a: Arguments) -> str:
    """Markup around its second argument, such as a colour before a text."""
    return a.first(2, 1, "text") or VOID


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        drop, convert, words, language, labelled, transliteration, date, span, gauge, ordinal, routes, sortable_date,
        old_style, circa, reign, as_of, age, fraction, number, value, height, quotation, items, in_a_row,
        concatenated, nihongo, link, flag, station, player, ship, sort_name, marriage, verse, first, second,
    )
}  # fmt: skip
"""The rules that ``templates.toml`` may name."""


def pattern(text: str) -> Rule:
    """The rule that fills ``$1``, ``$2`` … of a text: ``pattern("$1–$2")``."""
    if "$" not in text:
        shown = text.replace("=", EQUALS) or VOID
        return lambda a: shown
    return lambda a: re.sub(r"\$(\d)", lambda match: a[int(match[1])], text).strip() or VOID


def after_colon(a: Arguments) -> str:
    """``{{lc:TEXT}}``, ``{{formatnum:1234567}}``: what stands after the colon."""
    function, _, text = a.name.partition(":")
    text = text.strip()
    return f"{int(text):,}" if function == "formatnum" and text.isdecimal() else text or VOID


@cache
def _table() -> dict[str, Rule]:
    data = shipped_table("deepred.sources.wiki", "templates.toml")
    table: dict[str, Rule] = dict.fromkeys(data["drop"]["names"], drop)
    table.update((name, pattern(text)) for name, text in data["text"].items())
    table.update((name, RULES[rule]) for rule, names in data["rules"].items() for name in names)
    return table


@lru_cache(maxsize=100_000)
def find_rule(written: str) -> tuple[str, Rule | None]:
    """A template's name (lower case, spaces for underscores) as it was written, and what renders it; None if unknown.

    >>> find_rule(" Cite_web ") == ("cite web", drop)
    True
    """
    name = " ".join(written.replace(VOID, "").replace("_", " ").split()).lower()
    return name, _table().get(name) or _family(name)


def _family(name: str) -> Rule | None:
    data = shipped_table("deepred.sources.wiki", "templates.toml")
    for place, matches in (("prefixes", name.startswith), ("suffixes", name.endswith)):
        for family, affixes in data[place].items():
            if matches(tuple(affixes)):
                return RULES[family]
    function, colon, _ = name.partition(":")
    if function in VARIABLES or name.startswith("#"):
        return drop
    return after_colon if colon and function in FUNCTIONS else None


ENGLISH = frozenset({"en", "simple"})
LANGUAGES: dict[str, str] = shipped_table("deepred.sources.wiki", "languages.toml")["languages"]
LABELS: dict[str, dict[str, str]] = shipped_table("deepred.sources.wiki", "languages.toml")["labels"]
RANGES: dict[str, str] = shipped_table("deepred.sources.wiki", "units.toml")["ranges"]
UNITS: dict[str, str] = shipped_table("deepred.sources.wiki", "units.toml")["units"]
PAIRED: frozenset[str] = frozenset(shipped_table("deepred.sources.wiki", "units.toml")["paired"])
