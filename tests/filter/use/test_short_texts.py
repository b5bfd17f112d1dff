"""Texts judged together are judged as each by itself."""

import pytest

from deepred.filter import fit
from deepred.filter.decision import KEPT, REASONS
from deepred.filter.emergence import describe_article
from deepred.filter.judge import Judge
from deepred.filter.use.short_texts import judge_many

EARLY = "The steam mill by the canal was run with horses in {Y}. Canals were used."
LATER = "The web server on the network was run with software in {Y}. Networks were used."

TEXTS = [
    "Horses walked by the old canal.",
    "A web server runs software on the new network. It was much used.",
    "The mill was built in 1850.\n\nIt closed in 1987. It stands empty now.",
    "",
    "Steam mills were run with horses in 1820. The canal is old. Software ran on it.",
    "He was honoured.",
    "The network of canals was drawn in 1790; today it is a park.",
]


@pytest.fixture
def judge(make_road, monkeypatch):
    monkeypatch.setattr(fit, "LEAST", 50)
    pages = []
    for i in range(30):
        pages.append((f"Early {i}", EARLY.replace("{Y}", str(1800 + i))))
        pages.append((f"Later {i}", LATER.replace("{Y}", str(1970 + i % 40))))
    road = make_road(pages)
    road.filter()
    return Judge.load(road.root / "emergence", road.root / "passages", 19690720, "drop", 0.42)


def alone(judge, text):
    article = {"page_id": 0, "title": "", "text": text, "sections": [], "links": []}
    row, _, _ = describe_article(article, judge.titles)
    segments, decision = judge.judge(article, row | {"fold": 0}, "U")
    spans = zip(segments.starts, segments.ends, decision.reasons.tolist(), decision.probability.tolist())
    return [(text[a:b], REASONS[reason], round(chance, 4)) for a, b, reason, chance in spans if reason != KEPT]


def test_with_a_fitted_model_and_without_one(judge):
    assert judge.model is not None
    for each in (judge, Judge.by_dates_alone(19690720, "drop")):
        found = judge_many(each, TEXTS, "U" * len(TEXTS))
        for text, late in zip(TEXTS, found, strict=True):
            assert [(one.sentence, one.reason, round(one.probability, 4)) for one in late] == alone(each, text), text
        assert judge_many(each, TEXTS[::-1], "U" * len(TEXTS)) == found[::-1], "the order changes nothing"
    assert any(found), "something is late"


def test_what_is_spoken_may_say_now_and_today():
    judge = Judge.by_dates_alone(19690720, "drop")
    said = ["You ask what to do now? Open the valve.", "It closed in 1987."]
    assert [len(late) for late in judge_many(judge, said, "UU", spoken=True)] == [0, 1]
