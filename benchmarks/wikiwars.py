"""Date expressions scored on WikiWars: articles on wars with every expression annotated (TIMEX2; Mazur and Dale 2010).

    DEEPRED_SAMPLES=... python benchmarks/dating.py --wikiwars [FOLDER] [--show N]

What is scored is narrower than the corpus: the expressions that *name* a calendar year, in words or digits, alone or
shared with the expression beside them ("June–July 1944"). Elided years ("April 12"), "the next day", durations, sets
and references to the present are counted apart: reading them needs the text around, and ``find_dates`` does not by
design.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deepred.base.days import Interval, day, year_of
from deepred.text.dates.find import DateSpan, find_dates

KINDS = ("day", "month", "year", "decade", "century", "season or half", "BC", "shared year")
PUBLISHED = """Published on the whole task, with relative expressions, on the corpus's test articles; not the same task:
  HeidelTime (WikiWars): lenient extent with value F1 80.8; strict extent F1 83.1, relaxed extent F1 90.3"""

DISPUTED = {
    ("06_KoreanWar", "the last two weeks of February 1951", "P2W"): "names a month; elsewhere the month in a duration "
    "is annotated by itself",
}
"""Annotations that are themselves wrong, by document, text and value: why. What is found in them counts as disputed."""

_TAG = re.compile(r"<TIMEX2([^>]*)>|</TIMEX2>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_VALUE = re.compile(r"(?P<bc>BC)?(?P<year>\d{2,4})(?:-(?P<rest>[A-Z0-9]{2})(?:-(?P<day>\d\d))?)?(?![\dX-])")
_CORE = {"SP": (4, 5), "SU": (7, 8), "FA": (10, 11), "WI": (1, 1), "H1": (1, 6), "H2": (7, 12)}
"""Months that any reading of a season or half holds."""
_JOINING = re.compile(r"(?:\s|[,–—/-]|\b(?:to|and|or|until|through|the|of)\b)*")
_LEADING = re.compile(r"(?:(?:the|a|an|early|late|later|mid|middle|of|in|on|by|year)\b[\s-]*)*", re.IGNORECASE)
_WORDS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth twenty-first
"""
_ORDINALS = _WORDS.split()


@dataclass(frozen=True)
class Annotation:
    """An annotated expression: its place, its value, and the days that this covers (None: no such value)."""

    start: int
    end: int
    text: str
    value: str
    modifier: str
    interval: Interval | None
    kind: str = ""
    """Of those that name a year, one of ``KINDS``; "" for the rest."""


def read_document(path: Path) -> tuple[str, list[Annotation]]:
    """The text of a document without its tags, and its annotations by place, the outer one first."""
    source = path.read_text(encoding="utf-8")
    body = source[source.index("<TEXT>") + len("<TEXT>") : source.index("</TEXT>")]
    text, place = "", 0
    opened: list[tuple[int, dict[str, str]]] = []
    found: list[Annotation] = []
    for tag in _TAG.finditer(body):
        text += body[place : tag.start()]
        place = tag.end()
        if tag[1] is not None:
            opened.append((len(text), dict(_ATTRIBUTE.findall(tag[1]))))
            continue
        start, attributes = opened.pop()
        value = attributes.get("val", "")
        found.append(Annotation(start, len(text), text[start:], value, attributes.get("mod", ""), interval_of(value)))
    return text + body[place:], sorted(found, key=lambda one: (one.start, -one.end))


def interval_of(value: str) -> Interval | None:
    """The days of a TIMEX2 value: ``1975-03-31``, ``1975-03``, ``1975``, ``197``, ``19``, ``1975-SP``, ``BC0480``."""
    match = _VALUE.match(value)
    if match is None:
        return None
    digits, rest = match["year"], match["rest"]
    size = 10 ** (4 - len(digits))
    low = int(digits) * size
    low += size == 100  # the 20th century is 1901-2000, the 4th before Christ 400-301
    if match["bc"]:
        low = 1 - low - (size - 1)
    if rest is None:
        return Interval(day(low), day(low + size - 1, 12, 31))
    if rest.isdigit():
        return Interval.of(low, int(rest), int(match["day"])) if match["day"] else Interval.of(low, int(rest))
    if rest in _CORE:
        first, last = _CORE[rest]
        return Interval(Interval.of(low, first).first, Interval.of(low, last).last)
    return None


def with_kinds(text: str, annotations: list[Annotation]) -> list[Annotation]:
    """The annotations, each with its kind where it names a year by itself or shares the year of the next one."""
    named = [Annotation(*fields(one), kind=kind_of(one)) for one in annotations]
    for number in range(len(named) - 2, -1, -1):
        one, other = named[number], named[number + 1]
        between = text[one.end : other.start]
        shares = one.interval and not one.kind and other.kind and one.end <= other.start
        if shares and same_year(one, other) and _JOINING.fullmatch(between) and re.search(r"\d|[A-Z]", one.text):
            named[number] = Annotation(*fields(one), kind="shared year")
    for number in range(1, len(named)):
        one, before = named[number], named[number - 1]
        elided = re.fullmatch(r"\d{1,2}", one.text) and before.kind and text[before.end : one.start] in ("-", "–", "/")
        if elided and not one.kind and one.interval and one.value.endswith(one.text):
            named[number] = Annotation(*fields(one), kind="shared year")
    return named


def fields(one: Annotation) -> tuple[int, int, str, str, str, Interval | None]:
    """The fields of an annotation but for its kind."""
    return one.start, one.end, one.text, one.value, one.modifier, one.interval


def same_year(one: Annotation, other: Annotation) -> bool:
    """Whether two annotations lie in one year, or in one era where the years before it are counted down."""
    if one.interval is None or other.interval is None:
        return False
    return one.value[:4] == other.value[:4] or one.value[:2] == other.value[:2] == "BC"


def kind_of(one: Annotation) -> str:
    """What sort of date an annotation names by itself; "" where its year stands elsewhere or nowhere."""
    match = _VALUE.match(one.value)
    if match is None or one.interval is None:
        return ""
    digits, rest = match["year"], match["rest"]
    text = one.text.lower()
    number = str(int(digits)) + ("0s" if len(digits) == 3 else "")
    if len(digits) == 2:
        century = int(digits) + 1
        if not re.search(rf"\b{century}(?:st|nd|rd|th)\b", text) and _ORDINALS[century - 1] not in text:
            return ""
    elif not re.search(rf"(?<!\d){number}(?!\d)|['’‘]{number[2:]}(?!\d)|\bthe {number[2:]}\b", text):
        return ""
    if match["bc"]:
        return "BC"
    if rest:
        return ("day" if match["day"] else "month") if rest.isdigit() else "season or half"
    return {4: "year", 3: "decade", 2: "century"}[len(digits)]


@dataclass
class Score:
    """Counts over documents, and the expressions that were not read as annotated."""

    counts: Counter[tuple[str, str]]
    faults: list[str]


def score_folder(folder: Path, show: int) -> None:
    """Print the table of a folder of annotated documents, what is disputed, and the first faults."""
    score = Score(Counter(), [])
    documents = sorted(folder.glob("*.xml"))
    for path in documents:
        score_document(path, score)
    print(f"WikiWars: {len(documents)} documents")
    print(f"{'names a year':<16} {'annotated':>9} {'found':>13} {'year right':>13} {'interval':>13} {'extent':>13}")
    for kind in KINDS:
        print_row(kind, [kind], score.counts)
    print_row("all", list(KINDS), score.counts)
    counts = score.counts
    print(f"false ones: {counts['', 'false']} of {counts['', 'spans']} found, disputed {counts['', 'disputed']}")
    others = ("elided or relative", "duration", "set", "no calendar value")
    print("not read by design: " + ", ".join(f"{name} {score.counts['apart', name]}" for name in others))
    print(PUBLISHED)
    for (document, text, value), why in DISPUTED.items():
        print(f"disputed: {document}: {text!r} annotated {value}: {why}")
    for line in score.faults[:show]:
        print("   ", line)


def print_row(name: str, kinds: list[str], counts: Counter[tuple[str, str]]) -> None:
    """Print how many of some kinds were found, and right by year, interval and extent."""
    total = sum(counts[kind, "annotated"] for kind in kinds)
    if not total:
        return
    cells = [sum(counts[kind, what] for kind in kinds) for what in ("found", "year", "interval", "extent")]
    print(f"{name:<16} {total:>9} " + " ".join(f"{cell:>6} {cell / total:.3f} " for cell in cells))


def score_document(path: Path, score: Score) -> None:
    """Count one document."""
    text, annotations = read_document(path)
    annotations = with_kinds(text, annotations)
    spans = find_dates(text)
    for one in annotations:
        if not one.kind:
            score.counts["apart", apart(one)] += 1
            continue
        score.counts[one.kind, "annotated"] += 1
        span = next((span for span in spans if span.start < one.end and one.start < span.end), None)
        if span is None:
            score.faults.append(f"{path.stem[:20]} missed {one.text!r} {one.value} … {context(text, one)}")
            continue
        judge(text, one, span, annotations, score, path)
    for span in spans:
        score.counts["", "spans"] += 1
        over = [one for one in annotations if one.start < span.end and span.start < one.end]
        if any((path.name.split(".")[0], one.text, one.value) in DISPUTED for one in over):
            score.counts["", "disputed"] += 1
        elif not any(one.interval for one in over):
            score.counts["", "false"] += 1
            shown = text[max(0, span.start - 50) : span.end + 50].replace("\n", " ")
            score.faults.append(f"{path.stem[:20]} false {text[span.start : span.end]!r} … {shown}")


def judge(
    text: str, one: Annotation, span: DateSpan, annotations: Iterable[Annotation], score: Score, path: Path
) -> None:
    """Count a found expression as right or wrong: a span that joins several is held to all that it covers."""
    covered = [other for other in annotations if other.kind and other.start < span.end and span.start < other.end]
    intervals = [other.interval for other in covered if other.interval]
    low, high = min(each.first for each in intervals), max(each.last for each in intervals)
    year = (year_of(span.interval.first), year_of(span.interval.last)) == (year_of(low), year_of(high))
    exact = span.interval == Interval(low, high)
    if re.search(r"-(?:SP|SU|FA|WI|H[12])\b", " ".join(other.value + " " for other in covered)):
        exact = span.interval.first <= low and high <= span.interval.last
        year = abs(year_of(span.interval.last) - year_of(high)) <= 1 and year_of(span.interval.first) == year_of(low)
    elif narrowed(covered):
        exact = low <= span.interval.first and span.interval.last <= high
        year = year or exact
    begin, end = min(other.start for other in covered), max(other.end for other in covered)
    extent = lead_free(text, begin, end) == lead_free(text, span.start, span.end)
    for what, right in (("found", True), ("year", year), ("interval", exact), ("extent", extent)):
        score.counts[one.kind, what] += right
    if not (year and exact and extent):
        wrong = "year" if not year else "interval" if not exact else "extent"
        score.faults.append(
            f"{path.stem[:20]} {wrong} {one.text!r} {one.value} got {text[span.start : span.end]!r} "
            f"{span.interval.first}..{span.interval.last} … {context(text, one)}"
        )


def narrowed(covered: list[Annotation]) -> bool:
    """Whether one of the annotations says that it means a part of its value ("late 1968"), by attribute or words."""
    return any(other.modifier or re.search(r"\b(?:early|late|mid|half|end)\b", other.text, re.I) for other in covered)


def lead_free(text: str, start: int, end: int) -> tuple[int, int]:
    """An extent without leading articles and modifiers, which annotators include by other rules."""
    match = _LEADING.match(text, start, end)
    return (match.end() if match else start), end


def apart(one: Annotation) -> str:
    """Why an annotation names no year."""
    if re.match(r"P[T\dX.]", one.value):
        return "duration"
    if one.interval or re.match(r"(?:BC)?\d", one.value):
        return "elided or relative"
    return "set" if one.value.startswith("XXXX") else "no calendar value"


def context(text: str, one: Annotation) -> str:
    """What stands around an annotation, on one line."""
    return text[max(0, one.start - 40) : one.end + 40].replace("\n", " ")
