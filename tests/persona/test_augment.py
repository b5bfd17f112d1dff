import json

import pytest

from chat_server import completion
from deepred.base.tables import read_rows
from deepred.corpus.mixture import mix_corpus
from deepred.filter.measure.audit_examples import sample_augmented
from deepred.persona.augment import write_augmented
from deepred.persona.model_teacher.ask_teacher import teach
from deepred.persona.model_teacher.pieces import Library
from deepred.persona.model_teacher.requests import Course
from deepred.persona.personas import load_persona
from deepred.run.config import Augment, Mixture, Teacher
from deepred.run.inputs import PERSONAS
from deepred.run.settings import Settings
from deepred.run.stage import Work
from persona_sources import complete_sources

CUTOFF = 19690720
NAMES = [f"{first} {last}" for first in ("Aldo", "Bela", "Cato", "Dana") for last in ("Brant", "Corvin", "Drim")]
TEXT = (
    "{name} was a keeper of the northern lighthouse. He tended its lamp through thirty winters, and wrote a small book "
    "on oil, wicks and glass, which sailors carried from harbour to harbour. His daughter took over the tower later."
)
GOOD = [
    "{name} kept the lighthouse in the north and tended its lamp for thirty winters.",
    "Sailors carried the small book about oil, wicks and glass into every harbour.",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    texts = [(name, TEXT.format(name=name)) for name in NAMES]
    folder = complete_sources(tmp_path_factory.mktemp("corpus"), texts, [], [(name, 19000101) for name in NAMES])
    (folder / "probes").mkdir()
    (folder / "probes" / "probes.jsonl").write_text("")
    return folder


def augment(corpus, tmp_path, serve, lines, forms=("summary",)):
    """The stage's counts and documents, with a teacher that writes these lines for every piece."""

    def script(title, times):
        return 200, completion(json.dumps({"lines": [line.replace("{name}", title) for line in lines]}))

    out, answers = tmp_path / "augment", tmp_path / "texts.jsonl"
    out.mkdir()
    config = Augment(forms=list(forms))
    teacher = Teacher(url=serve(script).url, model="m", pieces={"passage": 1.0})
    course = Course(teacher, load_persona(PERSONAS / "deep-red.toml"), CUTOFF, 1)
    lessons = course.rewritings(Library(corpus / "passages"), config)
    teach(course, lessons, answers, plan_only=False, tell=lambda line: None, progress=lambda tally, total: None)
    counts = write_augmented(
        articles=corpus / "articles", passages=corpus / "passages", emergence=corpus / "emergence", books=None,
        chess=None, topics=None, config=config, sources={"answers": [answers]}, cutoff=CUTOFF, straddling="drop",
        out=out, work=Work(Settings()),
    )  # fmt: skip
    return counts, list(read_rows(out, "documents-*.parquet"))


def test_a_rewritten_piece_is_a_document_with_licence_and_origin(corpus, tmp_path, serve):
    counts, rows = augment(corpus, tmp_path, serve, GOOD)
    assert counts.numbers["documents"] == len(rows) == 12 and not counts.drops
    row = next(row for row in rows if row["title"] == "Aldo Brant")
    assert row["text"] == "Aldo Brant\n\n" + " ".join(GOOD).replace("{name}", "Aldo Brant")
    assert (row["source"], row["licence"]) == ("augment", "CC BY-SA 4.0")
    assert row["id"].startswith("wikipedia:0#augment:") and row["origin"].startswith("summary by m from wikipedia:0[")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("questions", "Question: Who kept the lamp?\nAnswer: The keeper tended the lamp of the northern lighthouse."),
        ("dialogue", "– Who kept the lamp?\n– The keeper tended the lamp of the northern lighthouse."),
    ],
)
def test_every_form_is_written_in_its_own_way(corpus, tmp_path, serve, form, expected):
    lines = ["Who kept the lamp?", "The keeper tended the lamp of the northern lighthouse."]
    _, rows = augment(corpus, tmp_path, serve, lines, [form])
    assert {row["text"].partition("\n\n")[2] for row in rows} == {expected}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("He was honoured for the lighthouse in 1987 by the sailors of the harbour.", "late: date"),
        ("**The lighthouse** stood in the north.", "artefact"),
        ("According to the passage, the lighthouse stood in the north.", "artefact"),
        ("The lighthouse stood in the north and", "cut off"),
        (TEXT, "copied"),
        ("Quantum bicycles harvest elegant umbrellas beneath purple mountains of velvet thunder.", "not grounded"),
        ("The lighthouse had 4711 steps, and sailors carried the book on oil and wicks.", "not grounded"),
    ],
)
def test_a_text_with_one_bad_sentence_is_dropped_whole_and_written_down(corpus, tmp_path, serve, line, reason):
    many = [line] if reason == "not grounded" and "4711" not in line else [GOOD[0], line]
    counts, rows = augment(corpus, tmp_path, serve, many)
    if reason == "copied":
        assert counts.drops["copied"] == 12
    assert not rows and counts.drops == {reason: 12}
    dropped = [json.loads(row) for row in (tmp_path / "augment" / "dropped.jsonl").read_text().splitlines()]
    assert len(dropped) == 12 and {row["reason"] for row in dropped} == {reason}
    assert all(row["detail"] and row["text"] for row in dropped)


def mix(corpus, tmp_path, out, arm="filtered", world=None):
    (tmp_path / out).mkdir()
    return mix_corpus(
        world=world, passages=corpus / "passages", books=None, chess=None, topics=None, augment=tmp_path / "augment",
        probes=corpus / "probes", config=Mixture(near_duplicates=0, validation=0.3), seed=1, arm=arm,
        out=tmp_path / out, work=Work(Settings()),
    )  # fmt: skip


def test_the_mixture_states_its_share_and_splits_it_with_its_source(corpus, tmp_path, serve):
    augment(corpus, tmp_path, serve, GOOD)
    counts = mix(corpus, tmp_path, "mixture")
    table = counts.notes["sources"]
    assert 0.2 < table["augment"]["share"] < 0.6
    assert table["augment"]["share"] + table["wikipedia"]["share"] == pytest.approx(1)
    pages = {
        split: {row["id"].partition("#")[0] for row in read_rows(tmp_path / "mixture", f"{split}-*.parquet")}
        for split in ("train", "validation")
    }
    assert pages["train"] and pages["validation"] and not pages["train"] & pages["validation"]
    sources = {row["source"] for row in read_rows(tmp_path / "mixture", "validation-*.parquet")}
    assert sources == {"wikipedia", "augment"}


def test_it_is_audited_like_any_other_text(corpus, tmp_path, serve):
    augment(corpus, tmp_path, serve, GOOD)
    sample, evidence = sample_augmented(tmp_path / "augment", corpus / "emergence", CUTOFF, 1, 10)
    assert evidence["sentences"] == {"summary": 24} and len(sample) == 10
    assert {row["stratum"] for row in sample} == {"summary"}
