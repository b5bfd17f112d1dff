"""What templates say: from a template's name and arguments to the text that it puts into an article.

Which name is rendered how stands in ``templates.toml``; the functions here are its rules. A rule gets the arguments,
rendered already, and returns text (with wiki markup where that is simplest) or ``VOID``, the mark of something
dropped, at which the scanner closes the gap.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from deepred.base.files import shipped_table
from deepred.sources.wiki import template_dates
from deepred.sources.wiki.infobox import ENGLISH
from deepred.sources.wiki.parser_functions import FUNCTIONS, VARIABLES
from deepred.sources.wiki.template_arguments import EQUALS, VOID, Arguments, Rule, drop


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


def circa(a: Arguments) -> str:
    """``{{circa|1500|1550}}``: c. 1500 – c. 1550."""
    return f"c. {a[1]}".rstrip() + (f" – c. {a[2]}" if a[2] else "")


def reign(a: Arguments) -> str:
    """``{{reign|1509|1547}}``: r. 1509–1547; ``{{fl.|1200}}``: fl. 1200."""
    return ("r. " if a.name.startswith("r") else "fl. ") + "–".join(part for part in (a[1], a[2]) if part)


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
    """``{{nihongo|Tokyo|東京|Tōkyō}}``: Tokyo (東京, Tōkyō); the kinds 3 and krt begin with the Japanese.

    A fourth argument stands in the brackets too, a fifth after them.
    """
    english, kanji, romaji = a[1], a[2], a[3]
    first, *rest = {
        "nihongo3": (romaji, kanji, english),
        "nihongo krt": (kanji, romaji, english),
        "nihongo foot": (english,),
    }.get(a.name, (english or romaji, kanji, romaji if english else ""))
    inside = ", ".join(part for part in (*rest, a.first("extra", 4)) if part)
    shown = (f"{first} ({inside})" if inside else first) if first else inside
    after = a.first("extra2", 5)
    return f"{shown} {after}" if shown and after else shown or VOID


def as_spelled(a: Arguments) -> str:
    """``{{sic|reci|eved}}``: recieved; the words that are spelled so on purpose, which may come in pieces."""
    return "".join(part for part in a.all() if part != "?") or VOID


def marked_words(a: Arguments) -> str:
    """``{{clarify|text=some words|date=May 2010}}``: the words that a remark is about; without them nothing."""
    return a["text"] or VOID


def harvard(a: Arguments) -> str:
    """``{{harvtxt|Smith|Jones|1990|p=5}}``: Smith & Jones (1990)."""
    *names, year = a.all() or [""]
    if len(names) > 3:
        names = [f"{names[0]} et al."]
    shown = " & ".join([part for part in (", ".join(names[:-1]), *names[-1:]) if part])
    return f"{shown} ({year})" if shown else year or VOID


def roman(a: Arguments) -> str:
    """``{{Roman|14}}``: XIV."""
    if not (a[1].isdecimal() and 0 < int(a[1]) < 4000):
        return a[1] or VOID
    rest, shown = int(a[1]), ""
    for worth, sign in ROMAN:
        shown += sign * (rest // worth)
        rest %= worth
    return shown


def music(a: Arguments) -> str:
    """``{{music|flat}}``: ♭; ``{{music|time|3|4}}``: 3/4; what has no sign of its own stays a word."""
    if a[1] in ("time", "timesig", "time signature"):
        return "/".join(a.all()[1:])
    return "".join([MUSIC.get(part.lower(), part) for part in a.all()]) or VOID


def keys(a: Arguments) -> str:
    """``{{keypress|Ctrl|C}}``: Ctrl+C."""
    return "+".join(a.all()) or VOID


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


ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
MUSIC = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮", "doubleflat": "𝄫", "bb": "𝄫",
    "doublesharp": "𝄪", "x": "𝄪", "##": "𝄪",
}  # fmt: skip

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *template_dates.RULES, drop, convert, words, language, labelled, transliteration, gauge, ordinal, routes,
        circa, reign, fraction, number, value, height, quotation, items, in_a_row, concatenated, nihongo, as_spelled,
        marked_words, harvard, roman, music, keys, link, flag,
        station, player, ship, sort_name, marriage, verse, first, second,
    )
}  # fmt: skip
"""The rules that ``templates.toml`` may name."""


def pattern(text: str) -> Rule:
    """The rule that fills ``$1``, ``$2`` … of a text: ``pattern("$1–$2")``."""
    if "$" not in text:
        shown = text.replace("=", EQUALS) or VOID
        return lambda a: shown
    return lambda a: re.sub(r"\$(\d)", lambda match: a[int(match[1])], text).strip() or VOID


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
    space, colon, rest = name.partition(":")
    if colon and space in NAMESPACES:
        name = rest.strip()
    return name, _table().get(name) or _family(name)


def _family(name: str) -> Rule | None:
    data = shipped_table("deepred.sources.wiki", "templates.toml")
    for place, matches in (("prefixes", name.startswith), ("suffixes", name.endswith)):
        for family, affixes in data[place].items():
            if matches(tuple(affixes)):
                return RULES[family]
    function, colon, _ = name.partition(":")
    if colon and (rule := FUNCTIONS.get(function)):
        return rule
    return drop if function in VARIABLES or name.startswith("#") else None


NAMESPACES = frozenset({"template", "vorlage", "modèle", "plantilla", "шаблон", "predefinição", "subst", "safesubst"})
"""What may stand before a template's name and a colon."""
LANGUAGES: dict[str, str] = shipped_table("deepred.sources.wiki", "languages.toml")["languages"]
LABELS: dict[str, dict[str, str]] = shipped_table("deepred.sources.wiki", "languages.toml")["labels"]
RANGES: dict[str, str] = shipped_table("deepred.sources.wiki", "units.toml")["ranges"]
UNITS: dict[str, str] = shipped_table("deepred.sources.wiki", "units.toml")["units"]
PAIRED: frozenset[str] = frozenset(shipped_table("deepred.sources.wiki", "units.toml")["paired"])
