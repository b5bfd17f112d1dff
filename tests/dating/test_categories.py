"""Categories and infobox parameters to evidence."""

from __future__ import annotations

import re

import pytest

from deepred.base.days import Interval
from deepred.dating.categories import category_evidence
from deepred.dating.infobox_dates import infobox_evidence

CATEGORIES = """
1809 births|birth|1809
44 BC deaths|death|-44
100 BC births|birth|-100
0s BC births|birth|-9..-1
4th-century BC deaths|death|-400..-301
844 deaths|death|844
1950 deaths|death|1950
1960s births|birth|1960..1969
Politicians from Zor, died 1950|death|1950
People executed in 1793|death|1793
UK MPs 1910–1918|event|1910
MEPs for Ireland 1979–84|event|1979
Gymnasts at the 1936 Summer Olympics|event|1936
1966 FIFA World Cup players|event|1966
United States presidential candidates, 1936|event|1936
1977 films|publication|1977
1968 science fiction novels|publication|1968
1965 live albums|publication|1965
1503 paintings|publication|1503
1889 sculptures|publication|1889
1967 American television episodes|publication|1967
1998 video games|publication|1998
1957 musicals|publication|1957
1851 operas|publication|1851
1599 plays|publication|1599
1960s science fiction films|publication|1960..1969
Films released in 1977|publication|1977
Works published in 1850|publication|1850
Paintings of 1888|publication|1888
1876 inventions|publication|1876
Astronomical objects discovered in 1846|discovery|1846
Minor planets discovered in 1801|discovery|1801
Plants described in 1753|discovery|1753
Species described in 1859|discovery|1859
Meteorites found in 1950|discovery|1950
1922 archaeological discoveries|discovery|1922
Companies established in 1976|start|1976
1976 establishments in California|start|1976
13th-century establishments in England|start|1201..1300
Establishments in 1821|start|1821
Populated places established in the 12th century|start|1101..1200
Populated places established in the 8th century BC|start|-800..-701
Buildings and structures completed in 1931|start|1931
Railway stations opened in 1863|start|1863
Organizations established in the 1960s|start|1960..1969
Sports clubs established in 1892|start|1892
Musical groups established in 1960|start|1960
Magazines established in 1883|start|1883
Spacecraft launched in 1969|start|1969
Ships built in 1911|start|1911
1911 ships|start|1911
1964 American television series debuts|start|1964
1938 comics debuts|start|1938
Comics characters introduced in 1962|start|1962
Computer-related introductions in 1981|start|1981
1983 software|start|1983
1960s automobiles|start|1960..1969
1930s fighter aircraft|start|1930..1939
1991 disestablishments in the Soviet Union|end|1991
Companies disestablished in 1931|end|1931
1970 American television series endings|end|1970
Publications disestablished in 1936|end|1936
Buildings and structures demolished in 1964|end|1964
Railway stations closed in 1964|end|1964
States and territories disestablished in 1918|end|1918
Ships sunk in 1941|end|1941
Conflicts in 1848|point|1848
Battles of 1813|point|1813
Treaties concluded in 1763|point|1763
Treaties entered into force in 1970|point|1970
Aviation accidents and incidents in 1977|point|1977
Maritime incidents in April 1912|point|1912-04
July 1969 events|point|1969-07
Murder in 1963|point|1963
1963 murders in the United States|point|1963
Terrorist incidents in 1972|point|1972
1964 in American law|point|1964
1969 in the United States|point|1969
1936 elections in the United States|point|1936
Elections in 1936|point|1936
1906 earthquakes|point|1906
1968–69 in English football|point|1968
1945 United Nations Security Council resolutions|point|1945
United Kingdom Acts of Parliament 1911|point|1911
19th-century novelists|work|1801..1900
20th-century American politicians|work|1901..2000
4th-century BC Greek people|work|-400..-301
1990s British children's television series|work|1990..1999
2nd-century BC rulers in Asia|work|-200..-101
Geboren 1809|birth|1809
Geboren im 1. Jahrhundert v. Chr.|birth|-100..-1
Gestorben 1865|death|1865
Filmtitel 1977|publication|1977
Computerspiel 1998|publication|1998
Gegründet 1976|start|1976
Erbaut in den 1930er Jahren|start|1930..1939
Aufgelöst 1991|end|1991
Naissance en 1809|birth|1809
Naissance en février 1809|birth|1809-02
Naissance au Ier siècle av. J.-C.|birth|-100..-1
Décès en avril 1865|death|1865-04
Film américain sorti en 1977|publication|1977
Roman paru en 1968|publication|1968
Entreprise fondée en 1976|start|1976
Fondation en 1821|start|1821
Organisme disparu en 1991|end|1991
Bataille de 1813|point|1813
Personnalité du XIXe siècle|work|1801..1900
Nacidos en 1809|birth|1809
Fallecidos en el siglo IV a. C.|death|-400..-301
Películas de 1977|publication|1977
Canciones de 1965|publication|1965
Empresas fundadas en 1976|start|1976
Organizaciones desaparecidas en 1991|end|1991
Tratados de 1763|point|1763
Políticos del siglo XIX|work|1801..1900
Nati nel 1809|birth|1809
Morti nel 44 a.C.|death|-44
Film del 1977|publication|1977
Romanzi del 1968|publication|1968
Serie televisive iniziate nel 1964|start|1964
Architetture realizzate nel 1931|start|1931
Guerra nel 1813|point|1813
"""
"""A category, its kind, and what it covers; a year before Christ is negative."""


def read_when(text: str) -> tuple[int, int]:
    """ "1960..1969" or "1912-04" as first and last day."""
    if match := re.fullmatch(r"(\d{4})-(\d\d)", text):
        month = Interval.of(int(match[1]), int(match[2]))
        return month.first, month.last
    ends = [int(year) if int(year) > 0 else 1 + int(year) for year in text.split("..")]
    return Interval.of(ends[0]).first, Interval.of(ends[-1]).last


@pytest.mark.parametrize("line", CATEGORIES.strip().splitlines())
def test_category_dates_its_articles(line: str) -> None:
    name, kind, when = line.split("|")
    row = category_evidence(name)
    assert row is not None
    assert (row.kind, row.first, row.last) == (kind, *read_when(when))


@pytest.mark.parametrize(
    "name",
    [
        "Films set in 1942",
        "Articles with dead links from July 2012",
        "Articles containing potentially dated statements from 1969",
        "Wikipedia articles incorporating text from the 1911 Encyclopædia Britannica",
        "Use dmy dates from May 2011",
        "All articles lacking sources",
        "EngvarB from May 2013",
        "American novelists",
        "Fiction set in the 1960s",
        "Novels set during World War II",
        "Route 66",
        "Boeing 747",
        "Year of birth missing",
        "0 births",
        "Novels about 1917",
        "Establishments by year",
        "1990s in fiction",
        "Films based on The Lord of the Rings",
        "Vitamin X",
        "Louis XIV of France",
        "Charles V, Holy Roman Emperor",
        "Malcolm X",
    ],
)
def test_category_that_says_nothing_is_left_out(name: str) -> None:
    assert category_evidence(name) is None


def test_births_make_nobody_known_and_the_living_are_noted() -> None:
    born, alive = category_evidence("1955 births"), category_evidence("Living people")
    assert born is not None
    assert not born.known
    assert alive is not None
    assert alive.kind == "alive"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("birth_date", "birth"),
        ("Released", "publication"),
        ("term_start2", "event"),
        ("date", "point"),
        ("founded", "start"),
    ],
)
def test_infobox_parameter_names_its_event(key: str, kind: str) -> None:
    (row,) = infobox_evidence([{"key": key, "value": "1955", "first": 19550101, "last": 19551231}])
    assert row.kind == kind


def test_unknown_infobox_parameter_says_nothing() -> None:
    assert infobox_evidence([{"key": "census", "value": "1955", "first": 19550101, "last": 19551231}]) == []
