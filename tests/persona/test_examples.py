import json
import re
from collections import Counter

import pytest

from deepred.base.errors import UserError
from deepred.persona.examples import make_examples
from deepred.persona.model_teacher.pieces import Library, read_pieces
from deepred.run.config import Examples
from deepred.run.inputs import PERSONAS
from deepred.run.settings import Settings
from deepred.run.stage import Work
from persona_sources import complete_sources
from tiny_llama import PEOPLE, claim

NEEDS = ("articles", "passages", "emergence", "dates", "facts", "books", "chess", "topics", "tokenizer")


def make(folder, out, cutoff=19690720, persona=PERSONAS / "deep-red.toml", answers=(), **config):
    out.mkdir(exist_ok=True)
    counts = make_examples(
        **{name: folder / name for name in NEEDS},
        config=Examples.model_validate({"count": 120, "max_tokens": 300} | config),
        sources={"persona": [persona], "answers": list(answers)},
        cutoff=cutoff,
        straddling="drop",
        seed=1,
        out=out,
        work=Work(Settings()),
    )
    rows = {
        name: [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
        for name in ("train", "validation")
    }
    return counts, rows


@pytest.fixture(scope="module")
def made(sources, tmp_path_factory):
    return make(sources, tmp_path_factory.mktemp("examples"))


def test_every_kind_is_made_in_chatml_roles_with_provenance(made):
    _, rows = made
    every = rows["train"] + rows["validation"]
    assert {row["kind"] for row in every} == {"fact", "passage", "book", "chess", "topic", "gold", "unknown"}
    for row in every:
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["system"] + ["user", "assistant"] * (len(roles) // 2)
        assert row["persona"] == "Deep Red"
        assert row["provenance"]["subject"] and row["provenance"]["teacher"] == "built-in"


def test_no_document_is_in_both_splits(made):
    _, rows = made
    for name in ("document", "page_id"):
        train, validation = (
            {row["provenance"][name] for row in rows[split] if name in row["provenance"]}
            for split in ("train", "validation")
        )
        assert train and not train & validation
    assert rows["validation"]


def test_every_row_says_where_it_comes_from(made):
    _, rows = made
    for row in rows["train"] + rows["validation"]:
        found = row["provenance"]
        assert {"source", "document", "teacher", "variant", "theme", "subject", "licence"} <= found.keys()
        if row["kind"] in ("fact", "passage"):
            assert found["document"] == f"wikipedia:{found['page_id']}"
            assert found["revision"] == 1000 + found["page_id"] and found["licence"] == "CC BY-SA 4.0"
        if row["kind"] in ("book", "chess", "topic"):
            assert found["licence"] == "free" and found["document"].endswith((":1", ":1851"))


def test_every_candidate_is_used_or_counted(made):
    counts, rows = made
    # reasons that end a fact or a passage before it becomes a candidate
    before = {
        "no wording",
        "deprecated",
        "no title",
        "subject after cutoff",
        "imprecise",
        "not in the kept text",
        "exists",
        "subject not named",
        "after cutoff",
    }
    dropped = sum(number for reason, number in counts.drops.items() if reason not in before)
    assert counts.numbers["candidates"] == sum(map(len, rows.values())) + dropped


def test_kinds_are_balanced_by_tokens_not_rows(sources, tmp_path):
    counts, _ = make(
        sources, tmp_path / "out", count=24, max_tokens=200, kinds={"fact": 3.0, "passage": 1.0, "unknown": 1.0}
    )
    tokens = counts.tallies["tokens by kind"]
    assert 2 <= tokens["fact"] / tokens["passage"] <= 4
    assert 0.6 <= tokens["unknown"] / tokens["passage"] <= 1.7


def test_a_small_context_gets_the_short_prompt_and_chat_the_same(sources, tmp_path):
    _, rows = make(sources, tmp_path / "out", max_tokens=200)
    stored = json.loads((tmp_path / "out" / "persona.json").read_text())
    assert {row["messages"][0]["content"] for row in rows["train"]} == {stored["system_prompt"]}
    assert len(stored["system_prompt"]) < 100
    _, rows = make(sources, tmp_path / "out", max_tokens=2000)
    stored = json.loads((tmp_path / "out" / "persona.json").read_text())
    assert len(stored["system_prompt"]) > 200
    assert len({row["messages"][0]["content"] for row in rows["train"]}) > 5


@pytest.mark.parametrize(
    ("fact", "known", "reason"),
    [
        (claim("Old lamp", "P61", "Ada Bel", first=19690101, last=19691231), 19000101, "after cutoff"),
        (claim("Old lamp", "P61", "Ada Bel", first=19690720, last=19690720), 19000101, "after cutoff"),
        (claim("Old lamp", "P61", "Ada Bel"), 19700101, "subject after cutoff"),
        (claim("Old lamp", "P61", "Nobody Else"), 19000101, "not in the kept text"),
        (claim("Old lamp", "P61", "Ada Bel", rank="deprecated"), 19000101, "deprecated"),
        (claim("Old lamp", "P9999", "Ada Bel"), 19000101, "no wording"),
        (claim("Old lamp", "P571", precision=6), 19000101, "imprecise"),
        (claim("Old lamp", "P571", first=19110101, last=19111231), 19000101, "not in the kept text"),
        (claim("Old lamp", "P61", "Ada Bel"), 19000101, ""),
    ],
)
def test_only_facts_known_before_the_cutoff_and_told_by_the_kept_text_are_asked(tmp_path, fact, known, reason):
    texts = [("Old lamp", "The Old lamp is a lamp by Ada Bel, made in 1880."), ("Ada Bel", "Ada Bel was a smith.")]
    folder = complete_sources(tmp_path / "in", texts, [fact], [("Old lamp", known), ("Ada Bel", 18700101)])
    counts, rows = make(folder, tmp_path / "out", kinds={"fact": 1.0, "unknown": 1.0})
    kinds = [row["kind"] for row in rows["train"] + rows["validation"]]
    assert (counts.drops[reason] == 1 and "fact" not in kinds) if reason else "fact" in kinds


def test_gold_that_could_not_yet_have_been_spoken_is_dropped(sources, tmp_path):
    _, rows = make(sources, tmp_path / "out", cutoff=19500101, count=1000, kinds={"gold": 1.0})
    text = json.dumps(rows)
    assert [name for name in ("Gagarin", "Sputnik", "Turing", "Capablanca") if name in text] == ["Capablanca"]


def test_another_persona_speaks_in_its_own_voice(sources, tmp_path):
    _, rows = make(sources, tmp_path / "out", persona=PERSONAS / "encyclopedist.toml")
    text = json.dumps(rows).casefold()
    assert "comrade" not in text and "encyclopedist" in text


def test_the_same_inputs_give_the_same_bytes(sources, tmp_path, made):
    first = tmp_path / "a"
    make(sources, first)
    make(sources, tmp_path / "b")
    for path in first.iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_an_unknown_kind_is_a_user_error(sources, tmp_path):
    with pytest.raises(UserError, match="poem does not exist"):
        make(sources, tmp_path / "out", kinds={"poem": 1.0})


def test_conversations_of_a_theme_are_repeated_as_often_as_told(sources, tmp_path):
    def times(out, **config):
        _, rows = make(sources, tmp_path / out, count=900, kinds={"gold": 1.0}, **config)
        origins = [row["provenance"] for row in rows["train"]]
        return {
            theme: max(Counter(one["conversation"] for one in origins if one["theme"] == theme).values(), default=0)
            for theme in ("identity", "chess", "space")
        }

    assert times("plain") == {"identity": 4, "chess": 4, "space": 4}
    assert times("more", repeats={"identity": 9, "space": 0}) == {"identity": 9, "chess": 4, "space": 0}
    with pytest.raises(UserError, match="no theme sports"):
        make(sources, tmp_path / "wrong", repeats={"sports": 2})


def test_facts_whose_answer_is_no_date_are_as_many_as_the_others_and_gold_is_validated_once(sources, tmp_path):
    _, rows = make(sources, tmp_path / "out", count=20, kinds={"fact": 1.0})
    dated = [row["provenance"]["dated"] for row in rows["train"] + rows["validation"]]
    assert dated.count(True) == dated.count(False) == 10
    _, rows = make(sources, tmp_path / "out", count=300, kinds={"gold": 1.0})
    assert rows["validation"] and not any(row["provenance"]["repeat"] for row in rows["validation"])


VICTORIAN = """
name = "Miss Ada"
description = "The librarian of a mechanics' institute at the close of the century."
short = "You are Miss Ada, librarian."
licence = "CC0-1.0"
themes = ["steam", "manners"]
[system]
primary = "You are Miss Ada, librarian of the mechanics' institute. You answer briefly, as a lady of 1899 would."
reading-room = "You are Miss Ada in the reading room. You lower your voice."
[voice]
rules = ["Address the visitor as sir or madam."]
answers = ["{answer}"]
ignorance = ["Our shelves hold nothing of {thing}, I fear."]
[[gold]]
theme = "steam"
known = 1814-07-26
turns = [{ user = "Who built a good locomotive?", assistant = "Mr. Stephenson, sir, who ran his Blucher in 1814." }]
[[gold]]
theme = "manners"
known = 1905-01-01
turns = [{ user = "Is it true?", assistant = "It was in the papers, madam, and it is true as far as it goes." }]
"""


def test_a_persona_and_a_cutoff_of_ones_own_need_no_change_of_code(sources, tmp_path):
    persona = tmp_path / "ada.toml"
    persona.write_text(VICTORIAN)
    counts, rows = make(sources, tmp_path / "out", cutoff=19000101, persona=persona, max_tokens=900)
    every = rows["train"] + rows["validation"]
    text = json.dumps(every)
    assert {row["persona"] for row in every} == {"Miss Ada"}
    assert "Stephenson" in text and "Our shelves hold nothing" in text
    assert not [word for word in ("comrade", "Deep Red", "Mars", "Encyclopedist", "true as far") if word in text]
    assert {row["provenance"]["variant"] for row in every} == {"primary", "reading-room"}
    assert not [year for year in re.findall(r"\b1[5-9]\d\d\b|\b20\d\d\b", text) if int(year) >= 1900]
    assert counts.drops["after cutoff"] >= 1
    known = [row for row in every if row["kind"] == "unknown"]
    assert {row["provenance"]["licence"] for row in known} == {"CC0-1.0"}


def taught(number, sources, turns, **more):
    """A row of answers about the passage with this page id, as ``deepred teach`` writes it."""
    piece = next(
        piece for piece in read_pieces(Library(sources / "passages"), "passage", 1500) if piece.title == PEOPLE[number]
    )
    row = {"request": "conversation", "task": f"{number}", "form": "conversation", "kind": "passage"}
    row |= {"document": piece.document, "start": piece.start, "end": piece.end, "digest": piece.digest}
    row |= {"title": piece.title, "persona": "Deep Red", "variant": "engineer", "theme": "engineering", "model": "m"}
    return row | {"outcome": "answered", "turns": [{"user": u, "assistant": a} for u, a in turns], "lines": []} | more


@pytest.fixture(scope="module")
def long_sources(tmp_path_factory):
    """Passages long enough to be asked about."""
    texts = [
        (name, f"{name} was an engineer of the northern works, born in {1860 + 5 * number}. The pumps that he drew "
        "ran in three harbours for forty years, and his pupils copied the drawings for the mines inland.")
        for number, name in enumerate(PEOPLE)
    ]  # fmt: skip
    return complete_sources(tmp_path_factory.mktemp("long"), texts, [], [(name, 19000101) for name in PEOPLE])


ASKED = f"What did {PEOPLE[0]} build?"
GOOD = "Pumps, comrade: three harbours were kept dry by them, and mines inland copied his drawings."


@pytest.mark.parametrize(
    ("answer", "more", "reason"),
    [
        (GOOD, {}, ""),
        ("Yes.", {}, "short"),
        ("**Pumps** for the northern harbours, comrade.", {}, "artefact"),
        ("As an AI, I think that he drew pumps for the harbours.", {}, "artefact"),
        ("The passage says that he drew pumps for the harbours.", {}, "artefact"),
        ("He drew the pumps of three harbours, and in the mines", {}, "cut off"),
        ("I'm sorry, but I cannot help with the pumps.", {}, "refusal"),
        ("The pumps that he drew ran in three harbours for forty years, and his pupils copied the drawings for the "
         "mines inland.", {}, "copied"),
        ("He composed symphonies, painted cathedrals and conquered several kingdoms of the southern desert.", {},
         "not grounded"),
        ("He drew 77 pumps for the harbours of the north.", {}, "not grounded"),
        ("The pumps of the harbours ran until 1987, and the drawings are copied.", {}, "late: date"),
        (GOOD, {"variant": "pirate"}, "another persona"),
        (GOOD, {"persona": "Encyclopedist"}, "another persona"),
        (GOOD, {"digest": "0" * 16}, "source changed"),
        (GOOD, {"document": "wikipedia:77"}, "source changed"),
        (GOOD, {"form": "summary"}, "another form"),
        (GOOD, {"outcome": "refused"}, "refused"),
    ],
)  # fmt: skip
def test_a_taught_conversation_is_used_or_dropped_by_name(long_sources, tmp_path, answer, more, reason):
    row = taught(0, long_sources, [(ASKED, answer)], **more)
    other = taught(1, long_sources, [(f"What of {PEOPLE[1]}?", GOOD)])
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (row, other)))
    counts, rows = make(long_sources, tmp_path / "out", answers=[path], max_tokens=900, kinds={"taught": 1.0})
    found = rows["train"] + rows["validation"]
    assert len(found) == (1 if reason else 2) and counts.drops == ({reason: 1} if reason else {})
    if reason in ("short", "artefact", "copied", "not grounded", "late: date"):
        dropped = json.loads((tmp_path / "out" / "dropped.jsonl").read_text())
        assert dropped["reason"] == reason and dropped["detail"] and dropped["turns"][0]["assistant"] == answer


def test_a_taught_conversation_keeps_its_teacher_variant_theme_and_source(long_sources, tmp_path):
    path = tmp_path / "answers.jsonl"
    made = [taught(number, long_sources, [(f"What did {PEOPLE[number]} draw?", GOOD)]) for number in range(8)]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    counts, rows = make(long_sources, tmp_path / "out", answers=[path], max_tokens=900)
    every = [row for name in rows for row in rows[name]]
    found = [row for row in every if row["kind"] == "taught"]
    assert len(found) == 8 and counts.tallies["examples by teacher"]["m"] == 8
    for row in found:
        origin = row["provenance"]
        assert (origin["teacher"], origin["variant"], origin["theme"]) == ("m", "engineer", "engineering")
        assert origin["page_id"] == int(origin["document"].partition(":")[2]) and origin["revision"] >= 1000
        assert "workshops" in row["messages"][0]["content"]
    train, validation = ({row["provenance"]["document"] for row in rows[name]} for name in ("train", "validation"))
    assert not train & validation


def test_answers_that_no_kind_would_use_are_a_user_error(long_sources, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps(taught(0, long_sources, [(ASKED, GOOD)])) + "\n")
    with pytest.raises(UserError, match="taught"):
        make(long_sources, tmp_path / "out", answers=[path], kinds={"gold": 1.0})


def test_of_two_conversations_with_nearly_the_same_question_one_is_kept(long_sources, tmp_path):
    path = tmp_path / "answers.jsonl"
    made = [taught(0, long_sources, [(ASKED, GOOD)])]
    made.append(taught(0, long_sources, [(f"And what did {PEOPLE[0]} build?", GOOD)], task="again"))
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    counts, rows = make(long_sources, tmp_path / "out", answers=[path], max_tokens=900, kinds={"taught": 1.0})
    assert len(rows["train"] + rows["validation"]) == 1 and counts.drops == {"duplicate question": 1}
