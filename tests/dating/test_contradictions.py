"""Deaths that sources cannot both mean: noticed, counted, and read so that nobody ends too early."""

from __future__ import annotations

from deepred.dating.contradictions import contradictions
from deepred.dating.dates import Dating, gather, resolve
from deepred.dating.evidence import Evidence

USE = ("wikidata", "yago", "category", "infobox", "lead")


def date(text: str, **infobox: int) -> Dating:
    dates = [
        {"key": key, "value": str(year), "first": year * 10000 + 101, "last": year * 10000 + 1231}
        for key, year in infobox.items()
    ]
    article = {"title": "Ada Zor", "text": text, "categories": [], "infobox_dates": dates}
    return resolve(list(gather(article, [], USE)), USE)


def test_death_that_is_not_after_the_birth_ends_nobody() -> None:
    dating = date("Ada Zor is a singer.", birth_date=1930, death_date=1930)
    assert not dating.ended
    assert contradictions(dating.evidence) == ["death not after the birth of"]
    assert not date("Ada Zor is a singer.", birth_date=1930, death_date=1925).ended


def test_lead_with_a_later_death_is_believed_before_the_infobox() -> None:
    dating = date("Ada Zor (1930 – 2015) was a singer.", birth_date=1930, death_date=1930)
    assert (dating.ended, dating.last) == (True, 20151231)
    dating = date("Ada Zor (1930 – 2015) was a singer.", birth_date=1930, death_date=1960)
    assert dating.last == 20151231
    assert contradictions(dating.evidence) == ["death another source has"]


def test_infobox_with_a_later_death_is_believed_before_the_lead() -> None:
    assert date("Ada Zor (1930 – 1960) was a singer.", birth_date=1930, death_date=2015).last == 20151231


def test_sources_that_agree_contradict_nothing() -> None:
    dating = date("Ada Zor (1930 – 1960) was a singer.", birth_date=1930, death_date=1960)
    assert (dating.ended, dating.last) == (True, 19601231)
    assert contradictions(dating.evidence) == []


def test_death_within_a_vague_birth_stands() -> None:
    born = Evidence("birth", 17010101, 18001231, "category", 0.9, known=False)
    died = Evidence("death", 17500101, 17501231, "category", 0.9)
    assert resolve([born, died], USE).last == 17501231


def test_source_of_facts_decides_and_the_conflict_is_noted() -> None:
    attested = Evidence("death", 19500101, 19501231, "wikidata", 0.9)
    other = Evidence("death", 19700101, 19701231, "lead", 0.9)
    dating = resolve([other, attested], USE)
    assert dating.last == 19501231
    assert contradictions(dating.evidence) == []
    assert "conflict: lead has 1970" in dating.evidence[0].note


def test_disbelieved_row_is_shown_first_among_the_others() -> None:
    rows = [Evidence("event", year * 10000 + 101, year * 10000 + 1231, "lead", 0.5) for year in range(1940, 1968)]
    born = Evidence("birth", 19300101, 19301231, "infobox", 0.9, known=False)
    died = Evidence("death", 19300101, 19301231, "infobox", 0.9)
    assert contradictions(resolve([*rows, born, died], USE).evidence) == ["death not after the birth of"]
