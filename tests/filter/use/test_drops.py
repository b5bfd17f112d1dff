from __future__ import annotations

from typing import Any

import pytest

from deepred.filter.use.drops import list_drops
from deepred.run.config import Passages

PAGES = [
    ("Mill", "The mill was built in 1890. It was sold in 1990. Tavzor Academy is a school. Salt is good and old."),
    ("Empty", ""),
    ("New thing", "It was made here. Bread is old."),
    ("Stub", "Salt. In 1999 it closed."),
]


@pytest.fixture
def road(make_road: Any) -> Any:
    made = make_road(PAGES, known={"Tavzor Academy": 19850101}, classes={"New thing": "N"}, files=2)
    made.filter(config=Passages(min_characters=20))
    return made


def listed(road: Any, **chosen: str) -> list[tuple[str, str, str]]:
    rows = list_drops(road.root / "articles", road.root / "emergence", road.root / "passages", **chosen)
    return sorted((row["title"], row["text"], row["reason"]) for row in rows)


def test_every_dropped_sentence_is_listed_with_its_reason(road: Any) -> None:
    assert listed(road) == [
        ("Mill", "It was sold in 1990.", "date"),
        ("Mill", "Tavzor Academy is a school.", "entity"),
        ("New thing", "Bread is old.", "class"),
        ("New thing", "It was made here.", "class"),
        ("Stub", "In 1999 it closed.", "date"),
        ("Stub", "Salt.", "short"),
    ]


def test_kept_and_dropped_sentences_are_all_sentences(road: Any) -> None:
    kept = sum(len(road_row) for road_row in road.kept().values())
    assert kept > 0
    texts = {text for _, text, _ in listed(road)}
    for title, text in PAGES:
        for sentence in (part.strip() + "." for part in text.split(".") if part.strip()):
            assert (sentence in texts) != (sentence in road.kept().get(title, "")), sentence


@pytest.mark.parametrize(
    ("chosen", "count"),
    [({"reason": "date"}, 2), ({"title": "mill"}, 2), ({"title": "Mill", "reason": "class"}, 0), ({"title": "No"}, 0)],
)
def test_drops_of_one_reason_or_article_are_listed_alone(road: Any, chosen: dict[str, str], count: int) -> None:
    assert len(listed(road, **chosen)) == count
