"""The documented table of dating properties is the one that is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deepred.dating.facts.properties import PROPERTIES, QUALIFIERS, meaning

DOCS = Path(__file__).parents[3] / "docs" / "dating.md"


def test_documented_properties_are_those_of_the_reader() -> None:
    documented: dict[str, tuple[str, bool, str]] = {}
    for kind, known, names in re.findall(r"^\| (\w+) \| (yes|no) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.M):
        for name, label in re.findall(r"`(P\d+)` ([^`]+?)(?:, (?=`)|$)", names):
            documented[name] = (kind, known == "yes", label)
    assert documented == {name: tuple(says) for name, says in PROPERTIES.items()}


@pytest.mark.parametrize(
    ("name", "qualifier", "kind", "known"),
    [
        ("P569", "", "birth", False),
        ("P570", "", "death", True),
        ("P571", "", "start", True),
        ("P576", "", "end", True),
        ("P577", "", "publication", True),
        ("P585", "", "point", True),
        ("P575", "", "discovery", True),
        ("P39", "P580", "event", True),
        ("P793", "P585", "event", True),
        ("P26", "P580", "event", False),
    ],
)
def test_a_date_says_what_made_the_subject_known(name: str, qualifier: str, kind: str, known: bool) -> None:
    assert (meaning(name, qualifier).kind, meaning(name, qualifier).known) == (kind, known)


def test_dates_of_lookups_fiction_and_rights_are_left_out() -> None:
    assert not {"P813", "P2913", "P2960", "P3893", "P5017", "P7103", "P7104"} & {*PROPERTIES, *QUALIFIERS}
