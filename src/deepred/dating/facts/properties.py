"""Wikidata's dating properties: what kind of date each gives, and whether it makes its subject known.

``known`` answers: could an encyclopedia have named the subject from this date on, because of what happened then? A
birth does not do that, nor a school, a marriage or a job; a publication, a discovery, an opening, an office do.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """What a date of a property says of its subject."""

    kind: str
    """birth, death, start, end, publication, point, event or work."""
    known: bool
    """Whether the subject is known from then on because of it."""
    label: str


PROPERTIES: dict[str, Meaning] = {
    "P569": Meaning("birth", False, "date of birth"),
    "P1636": Meaning("birth", False, "date of baptism"),
    "P570": Meaning("death", True, "date of death"),
    "P4602": Meaning("death", True, "date of burial"),
    "P746": Meaning("death", True, "date of disappearance"),
    "P571": Meaning("start", True, "inception"),
    "P1619": Meaning("start", True, "date of official opening"),
    "P729": Meaning("start", True, "service entry"),
    "P606": Meaning("start", True, "first flight"),
    "P619": Meaning("start", True, "launch"),
    "P580": Meaning("start", True, "start time"),
    "P7589": Meaning("start", True, "date of assent or promulgation"),
    "P7588": Meaning("start", True, "effective date"),
    "P5204": Meaning("start", True, "date of commercialization"),
    "P10786": Meaning("start", True, "date of incorporation"),
    "P2754": Meaning("start", True, "production date"),
    "P9448": Meaning("start", True, "introduced on (a bill)"),
    "P6949": Meaning("event", True, "announcement date"),
    "P10135": Meaning("event", False, "recording date"),
    "P576": Meaning("end", True, "dissolved, abolished or demolished"),
    "P730": Meaning("end", True, "service retirement"),
    "P2669": Meaning("end", True, "discontinued"),
    "P3999": Meaning("end", True, "date of official closure"),
    "P582": Meaning("end", True, "end time"),
    "P8556": Meaning("end", True, "extinction date"),
    "P621": Meaning("end", True, "time of orbit decay"),
    "P620": Meaning("event", True, "time of landing"),
    "P622": Meaning("event", True, "docking date"),
    "P577": Meaning("publication", True, "publication date"),
    "P1191": Meaning("publication", True, "first performance"),
    "P10673": Meaning("publication", True, "debut date"),
    "P575": Meaning("discovery", True, "time of discovery or invention"),
    "P574": Meaning("discovery", True, "year of publication of a scientific name"),
    "P1249": Meaning("discovery", True, "time of earliest written record"),
    "P585": Meaning("point", True, "point in time"),
    "P1317": Meaning("work", True, "floruit"),
    "P2031": Meaning("event", True, "work period (start)"),
    "P2032": Meaning("work", True, "work period (end)"),
    "P1734": Meaning("event", True, "oath of office"),
    "P9667": Meaning("event", True, "date of resignation"),
}
"""Properties whose value is a date. Left out because they date no subject: fiction (P2913 date depicted), records
(P813 retrieved, P2960 archived, P5017 last update), rights (P3893 public domain), what a collection covers (P7103,
P7104), the first and last of a number of things (P7124, P7125), bounds of an unknown date (P1319, P1326, P8554,
P8555) and astronomy's orbits (P2285). A coronation is an event (P793) with a point in time."""

QUALIFIERS: dict[str, str] = {
    "P585": "event",
    "P580": "event",
    "P582": "event",
    "P577": "publication",
    "P574": "publication",
}
"""Dates that qualify a claim whose own value is something else: a term of office, a prize, a software version."""

OTHER_VALUES = frozenset({"P348", "P225"})
"""Claims that are no items and whose qualifying date counts: software versions, scientific names."""

_PRIVATE = """
P26 P451 P22 P25 P40 P3373 P1038 P69 P512 P108 P551 P937 P263 P19 P20 P27 P102 P140 P103 P1412 P6886 P1066 P184
P185 P802 P607 P241 P410 P2962 P1344 P119 P509 P1050 P1196 P2842 P53 P21 P91 P106 P101 P412 P1340 P1884 P2021
P1087 P18 P94 P41 P154 P856 P2002 P2013 P2003 P2397 P8687 P1082 P1538 P2046 P1128 P2139 P2295 P2403 P2218 P4010
P2131 P2132 P1081 P17 P131 P276 P159 P421 P30 P150 P1376 P47 P530 P37 P38 P122 P1435 P527 P361 P138 P910 P1424
P1343 P973
"""
PRIVATE: frozenset[str] = frozenset(_PRIVATE.split())
"""Claims whose qualifying date says nothing of when the subject became known: private life, figures measured on a
day, symbols, and relations of places that existed long before (a country's member states, a town's district)."""


def meaning(property: str, qualifier: str) -> Meaning:
    """What a claim's date says of the subject.

    >>> meaning("P39", "P580").known
    True
    """
    if not qualifier:
        return PROPERTIES.get(property) or Meaning("event", False, property)
    return Meaning(QUALIFIERS.get(qualifier, "event"), property not in PRIVATE, f"{property} ({qualifier})")
