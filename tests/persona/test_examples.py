import json

import pytest

from deepred.config import Examples
from deepred.errors import UserError
from deepred.inputs import PERSONAS
from deepred.persona.examples import make_examples
from deepred.settings import Settings
from deepred.stage import Work
from persona_sources import complete_sources
from tiny_llama import claim

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


def test_facts_whose_answer_is_no_date_are_as_many_as_the_others_and_gold_is_validated_once(sources, tmp_path):
    _, rows = make(sources, tmp_path / "out", count=20, kinds={"fact": 1.0})
    dated = [row["provenance"]["dated"] for row in rows["train"] + rows["validation"]]
    assert dated.count(True) == dated.count(False) == 10
    _, rows = make(sources, tmp_path / "out", count=300, kinds={"gold": 1.0})
    assert rows["validation"] and not any(row["provenance"]["repeat"] for row in rows["validation"])
