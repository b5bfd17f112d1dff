"""Clozes, dated events, question files and matched pairs: dated or dropped, never guessed."""

from __future__ import annotations

import json
import random

import pyarrow as pa
import pytest

from deepred.base.days import Interval
from deepred.base.errors import UserError
from deepred.base.tables import write_rows
from deepred.corpus.cleaned_documents import probe_statements
from deepred.corpus.probes.families import BLANK, Family, Item, filled
from deepred.corpus.probes.from_events import LONGEST, event_questions
from deepred.corpus.probes.from_facts import load_templates
from deepred.corpus.probes.from_files import Raw, dated, file_questions, parse_date, read_questions
from deepred.corpus.probes.match_eras import matched, measure
from deepred.corpus.probes.probes import build_probes, clozed
from deepred.run.config import Probes
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

CUTOFF = 19690720
WORDS = [
    "bridge",
    "market",
    "council",
    "opens",
    "near",
    "river",
    "with",
    "tower",
    "stone",
    "garden",
    "library",
    "of",
    "the",
    "town",
]


def write_events(folder, rows):
    schema = pa.schema([("first", pa.int32()), ("last", pa.int32()), ("kind", pa.string()), ("text", pa.string())])
    folder.mkdir(exist_ok=True)
    write_rows(folder / "events-0.parquet", rows, schema)
    return folder


def event(day, text, last=None, kind="event"):
    return {"first": day, "last": last or day, "kind": kind, "text": text}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (event(19500101, "A bridge opens near the town", last=19501231), "event_without_day"),
        (event(19690101, "A bridge opens near the town", last=19691231), "event_without_day"),
        (event(19500302, "A bridge"), "event_too_short"),
        (event(19500302, "A bridge opens near the town " * 3), "event_too_long"),
        (event(19500302, "The bridge of 1944 opens again"), "event_names_a_year"),
    ],
)
def test_an_event_that_cannot_be_asked_about_is_dropped_with_its_reason(tmp_path, row, reason):
    counts = Counts()
    assert event_questions(write_events(tmp_path / "topics", [row]), 10, CUTOFF, 1, counts) == []
    assert counts.drops == {reason: 1}


def build(tmp_path, topics, **config):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    world = tmp_path / "world"
    (world / "truth").mkdir(parents=True, exist_ok=True)
    counts = build_probes(
        world=world, articles=out, dates=out, facts=out, topics=topics, config=Probes(**config), cutoff=CUTOFF, seed=1,
        out=out, work=Work(Settings()),
    )  # fmt: skip
    return [json.loads(line) for line in (out / "probes.jsonl").read_text(encoding="utf-8").splitlines()], counts


def test_on_this_day_completions_have_options_of_their_era_and_length_and_leave_the_event_in_the_text(tmp_path):
    chance = random.Random(1)
    rows = [
        event(year * 10000 + 304, " ".join(chance.sample(WORDS, chance.randint(4, LONGEST))))
        for year in (*range(1900, 1940), *range(1970, 2010))
    ]
    families, counts = build(tmp_path, write_events(tmp_path / "topics", rows), kinds=["event"])
    assert counts.numbers["families_before"] > 30
    assert counts.numbers["families_after"] > 30
    texts = {row["text"] + ".": row["first"] for row in rows}
    for family in families:
        for item in family["items"]:
            assert item["prompt"].endswith(f"4 March {family['known'] // 10000}:")
            assert item["options"][item["answer"]] == family["answer_text"]
            for option in item["options"]:
                assert (texts[option] < CUTOFF) == (family["era"] == "before")
                assert abs(len(option.split()) - len(family["answer_text"].split())) <= 3
    unwanted = set(probe_statements(families))
    assert not any(" ".join(text.rstrip(".").split()) in unwanted for text in texts)


def test_a_cloze_asks_in_the_middle_and_its_whole_wording_is_kept_out_of_training():
    template = load_templates("claim")["P35"]
    question = template.question("f", "Norland", "Anna Vemm", 1958, 19580101, "before")
    cloze = clozed(question)
    assert cloze is not None
    assert cloze.prompts == (f"It was {BLANK} who was head of state of Norland from 1958.",)
    assert cloze.neutral == (f"It was {BLANK} who was head of state of the country from 1958.",)
    item = {"prompt": cloze.prompts[0], "options": ["Anna Vemm"], "answer": 0}
    assert probe_statements([{"items": [item]}]) == ["it was anna vemm who was head of state of norland from 1958"]


def test_every_template_has_a_cloze_with_one_blank():
    for section in ("claim", "date"):
        for template in load_templates(section).values():
            assert [text.count(BLANK) for text in template.cloze] == [1, 1]
            assert "{subject}" in template.cloze[0]
            assert "{subject}" not in template.cloze[1]
    assert filled("It was ___ who won.", "Anna") == "It was Anna who won."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 June 2023", Interval(20230603, 20230603)),
        ("30 Apr 1789", Interval(17890430, 17890430)),
        ("1066", Interval(10660101, 10661231)),
        ("May 1940", Interval(19400501, 19400531)),
        ("c. 485 BC", None),
        ("Between 47 and 50", None),
        ("Before 400BC", None),
        ("31 Feb 1900", None),
        ("", None),
    ],
)
def test_only_a_plain_date_dates_an_event(text, expected):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (Raw("a", "r", "Who led Norland in 1958?", ""), "unanswerable"),
        (Raw("a", "r", "Who led Norland?", "Anna Vemm"), "undated_question"),
        (Raw("a", "r", "Who led Norland in 1958?", "Nobody Known"), "undated_answer"),
        (Raw("a", "r", "In 1958 Anna Vemm led Norland?", "Anna Vemm"), "answer_in_question"),
        (Raw("a", "r", "Who led Norland in 1969?", "Anna Vemm"), "straddling"),
        (Raw("a", "r", "Who led Norland in 1958?", "Anna Vemm", ("x", "y")), "options_unclear"),
        (Raw("a", "r", "Who led Norland in 1958?", "Anna Vemm", ("Anna Vemm", "Late Man")), "options_of_another_era"),
    ],
)
def test_a_question_whose_day_would_be_a_guess_is_dropped_with_its_reason(raw, reason):
    counts = Counts()
    assert dated(raw, {"Anna Vemm": 19500101, "Late Man": 19900101}, CUTOFF, counts) is None
    assert counts.drops == {reason: 1}


def test_a_question_is_first_known_when_its_years_and_its_answer_are():
    known = {"Anna Vemm": 19500101, "Bo Lind": 19900101}
    early = dated(Raw("a", "r", "Who led Norland in 1958?", "Anna Vemm"), known, CUTOFF, Counts())
    late = dated(Raw("b", "r", "Who was born in 1958 and led Norland?", "Bo Lind"), known, CUTOFF, Counts())
    assert (early.era, early.known) == ("before", 19581231)
    assert (late.era, late.known) == ("after", 19900101)


def test_question_files_of_all_three_forms_are_read(tmp_path):
    (tmp_path / "t.json").write_text(
        json.dumps(
            [{"index": "/wiki/N#P35", "type": "P35", "questions": [["Who led N in 1958?", [{"answer": "A , B"}]]]}]
        ),
        encoding="utf-8",
    )
    (tmp_path / "q.txt").write_text("#Q Who led N\nin 1958?\n^ Anna\nA Anna\nB Bo\n\n#Q odd\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text("label,hdate\nFoo founded,3 May 1901\nBar,c. 1900\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("name,code\nx,y\n", encoding="utf-8")
    raw = {path.name: list(read_questions(path)) for path in sorted(tmp_path.iterdir())}
    assert [(one.text, one.answer) for one in raw["t.json"]] == [("Who led N in 1958?", "A, B")]
    assert (raw["q.txt"][0].text, raw["q.txt"][0].answer, raw["q.txt"][0].options) == (
        "Who led N in 1958?", "Anna", ("Anna", "Bo"),
    )  # fmt: skip
    assert raw["q.txt"][1].text == ""
    assert [one.answer for one in raw["e.csv"]] == ["1901", ""]
    assert raw["other.csv"] == []


@pytest.mark.parametrize(("name", "text"), [("a.xml", ""), ("a.json", "{"), ("a.json", '{"a": 1}')])
def test_a_file_that_holds_no_questions_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=name):
        file_questions([tmp_path / name], {}, CUTOFF, Counts())


def test_the_sample_files_are_read_and_what_cannot_be_dated_is_counted(samples):
    counts = Counts()
    paths = sorted(path for path in (samples / "questions").iterdir() if path.suffix in {".json", ".txt", ".csv"})
    questions = file_questions(paths, {}, CUTOFF, counts)
    assert len(questions) > 200
    assert {question.era for question in questions} == {"before", "after"}
    assert all(question.answer not in question.subject for question in questions)
    assert counts.drops["undated_question"] > 1000


def family(name, era, length, relation="founder"):
    items = (Item("x" * length, "", ("a", "b"), 0),)
    return Family(name, "statement", era, 1, relation, f"S {name}", f"A {name}", (), "", items)


def test_pairs_are_matched_on_relation_length_and_frequency():
    families = [
        family("b1", "before", 40), family("b2", "before", 200), family("a1", "after", 44), family("a2", "after", 45),
        family("a3", "after", 40, "other"),
    ]  # fmt: skip
    kept = matched(families, dict.fromkeys([f"{kind} {one.family}" for one in families for kind in "SA"], 5))
    assert [one.family for one in kept] == ["b1", "a1"]
    rare = {"S b1": 100, "A b1": 100, "S a1": 1, "A a1": 1}
    assert matched(families[:1] + families[2:3], rare) == []


def test_a_family_is_as_frequent_as_its_rarer_name():
    assert measure(family("b1", "before", 40), {"S b1": 100}) == (44.0, 0.0)
