"""Questions from real dated facts: asked only when subject and answer have articles and the day is sure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.base.days import day
from deepred.base.tables import date_schema, fact_schema, write_rows
from deepred.corpus.probes.from_facts import Sample, displayed, era_of, load_templates
from deepred.corpus.probes.probes import build_probes
from deepred.run.config import Probes
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

CUTOFF = 19690720


def claim(subject: str, value: str, year: int, **values: object) -> dict:
    row = {
        "entity": f"Q {subject}", "title": subject, "property": "P169", "qualifier": "P580",
        "value": f"Q {value}", "value_title": value,
        "first": day(year, 3, 1), "last": day(year, 3, 1), "precision": 11, "rank": "normal",
        "calendar": "", "source": "wikidata",
    }  # fmt: skip
    return row | values


def dated(title: str, known: int | None, *evidence: tuple[str, int, int]) -> dict:
    rows = [
        {"kind": kind, "first": first, "last": last, "source": "lead", "confidence": 0.9, "note": ""}
        for kind, first, last in evidence
    ]
    return {"title": title, "first_known": known, "evidence": rows}


def build(
    folder: Path, claims: list[dict], dates: list[dict], titles: set[str] | None = None, **config: int
) -> tuple[list[dict], Counts]:
    import pyarrow as pa

    folder.mkdir(exist_ok=True)
    named = {row["title"] for row in dates} if titles is None else titles
    write_rows(folder / "facts-00000.parquet", claims, fact_schema())
    rows = [{"page_id": n, "first": None, "last": None, "ended": False, **row} for n, row in enumerate(dates)]
    write_rows(folder / "dates-00000.parquet", rows, date_schema())
    write_rows(
        folder / "articles-00000.parquet",
        [{"title": title} for title in sorted(named)],
        pa.schema([("title", pa.string())]),
    )
    counts = build_probes(
        world=None, articles=folder, dates=folder, facts=folder, topics=None, config=Probes(**config), cutoff=CUTOFF,
        seed=1, out=folder, work=Work(Settings()),
    )  # fmt: skip
    lines = (folder / "probes.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], counts


def companies(year: int, number: int = 6) -> tuple[list[dict], list[dict]]:
    claims = [claim(f"Company {year} {n}", f"Person {year} {n} (engineer)", year) for n in range(number)]
    names = [row[key] for row in claims for key in ("title", "value_title")]
    return claims, [dated(name, day(1900)) for name in names]


def test_a_dated_claim_becomes_two_prompts_and_options_of_its_era(tmp_path: Path):
    old, dates_of_old = companies(1950)
    new, dates_of_new = companies(1980)
    families, _ = build(tmp_path, old + new, dates_of_old + dates_of_new)
    assert len(families) == 12
    first = families[0]
    assert (first["era"], first["known"], first["relation"]) == ("before", 19500301, "chief executive")
    assert first["items"][0]["prompt"] == "In 1950, the chief executive of Company 1950 0 was"
    assert first["items"][0]["neutral"] == "In 1950, the chief executive of the company was"
    assert first["items"][0]["options"][first["items"][0]["answer"]] == first["answer_text"] == "Person 1950 0"
    for family in families:
        year = "1950" if family["era"] == "before" else "1980"
        assert all(f" {year} " in option for option in family["items"][0]["options"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"first": 19690101, "last": 19691231}, "straddling"),
        ({"rank": "deprecated"}, None),
        ({"precision": 8}, None),
        ({"qualifier": "P582"}, None),  # an end does not say when it became known
        ({"property": "P31"}, None),
        ({"value_title": ""}, None),
        ({"value_title": "Nobody's Article"}, "no_article"),
    ],
)
def test_an_unsure_or_unknown_claim_is_not_asked(tmp_path: Path, changed: dict, reason: str | None):
    claims, dates = companies(1950)
    families, counts = build(tmp_path, [*claims[1:], claims[0] | changed], dates)
    assert "Company 1950 0" not in {family["subject"] for family in families}
    assert dict(counts.drops) == ({reason: 1} if reason else {})


def test_a_claim_is_known_only_when_both_names_are(tmp_path: Path):
    claims, dates = companies(1950)
    dates = [row if row["title"] != "Person 1950 3 (engineer)" else row | {"first_known": 19850101} for row in dates]
    more, more_dates = companies(1980)
    families, _ = build(tmp_path, claims + more, dates + more_dates)
    family = next(family for family in families if family["subject"] == "Company 1950 3")
    assert (family["era"], family["known"]) == ("after", 19850101)


def test_another_true_answer_is_never_an_option(tmp_path: Path):
    claims, dates = companies(1950, 5)
    claims += [claim("Company 1950 0", f"Person 1950 {n} (engineer)", 1950 + n) for n in (1, 2)]
    families, counts = build(tmp_path, claims, dates)
    assert not [family for family in families if family["subject"] == "Company 1950 0"]  # only two wrong ones are left
    assert counts.drops["few_options"] == 3


def test_a_birth_is_known_from_the_persons_first_known_day_not_from_the_cradle(tmp_path: Path):
    people = [dated(f"P{n}", 19850101, ("birth", day(1950 + n, 5, 1), day(1950 + n, 5, 1))) for n in range(20)]
    families, _ = build(tmp_path, [], people)
    assert {family["era"] for family in families} == {"after"}
    assert all(
        int(option) < 1969
        for family in families
        for option in family["items"][0]["options"]
        if int(family["answer_text"]) < 1969
    )


def test_years_are_asked_only_where_they_are_exact_and_the_subject_is_dated(tmp_path: Path):
    articles = [
        dated("Decade", 19000101, ("publication", 18900101, 18991231)),
        dated("1890", 18900101, ("death", 18900101, 18901231)),
        dated("List of plays", 18900101, ("publication", 18900101, 18901231)),
        dated("Undated", None, ("birth", 18900101, 18900101)),
        dated("Straddling", 19690101, ("publication", 19690101, 19691231)),
        *(
            dated(f"Book {n} (novel)", day(1900 + n), ("publication", day(1900 + n), day(1900 + n, 12, 31)))
            for n in range(12)
        ),
    ]
    families, counts = build(tmp_path, [], articles)
    assert dict(counts.drops) == {"imprecise": 1, "undated": 1, "straddling": 1}
    assert families[0]["items"][0]["prompt"] == "Book 0 first appeared in the year"
    assert len(families) == 12


def test_sampling_keeps_the_same_claims_in_any_order():
    names = [f"claim {n}" for n in range(200)]
    kept: list[list[str]] = []
    for order in (names, names[::-1]):
        sample = Sample(10, seed=3)
        for name in order:
            sample.add("group", name, name)
        kept.append(list(sample.items()))
    assert kept[0] == kept[1]
    assert len(kept[0]) == 10


@pytest.mark.parametrize(
    ("first", "last", "named", "era"),
    [
        (19550101, 19551231, 19560101, "before"),
        (19550101, 19551231, 19800101, "after"),
        (19690719, 19690719, 19000101, "before"),
        (19690720, 19690720, 19000101, "after"),
        (19690101, 19691231, 19000101, None),
        (-429685, -429685, -429685, "before"),
    ],
)
def test_era_is_the_later_of_fact_and_names(first: int, last: int, named: int, era: str | None):
    assert era_of(first, last, named, CUTOFF) == era


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Mercury (planet)", "Mercury"),
        ("2001: A Space Odyssey (film)", "2001: A Space Odyssey"),
        ("(Untitled)", "(Untitled)"),
    ],
)
def test_disambiguations_are_not_asked(title: str, shown: str):
    assert displayed(title) == shown


def test_every_template_ends_before_its_answer_and_has_a_neutral_twin():
    for section in ("claim", "date"):
        for template in load_templates(section).values():
            assert len(template.prompts) == len(template.neutral) == 2
            assert all("{subject}" in prompt and not prompt.endswith(" ") for prompt in template.prompts)
            assert all("{subject}" not in neutral for neutral in template.neutral)
