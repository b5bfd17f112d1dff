"""A tiny random model chats as a checkpoint and as GGUF, and the stage writes its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.evaluate.interview import interview_model
from deepred.evaluate.model_replies import CheckpointTalker, open_gguf
from deepred.run.config import Interview
from deepred.run.settings import Settings
from deepred.run.stage import Work
from tiny_llama import build_model, write_examples, write_tiny_gguf

ASKED = [[{"role": "user", "content": text}] for text in ("Who invented the lamp?", "Hello", "Who " * 400)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("merge")
    build_model(folder / "model")
    return folder


def test_answers_do_not_depend_on_their_batch_and_long_questions_get_none(model: Path):
    talker = CheckpointTalker(model / "model", 16, "cpu")
    together = talker(ASKED)
    assert together[2] is None
    assert together[:2] == [talker([one])[0] for one in ASKED[:2]]
    assert "<|im_end|>" not in "".join(answer or "" for answer in together)


@pytest.mark.needs("gguf")
def test_a_gguf_file_answers_and_refuses_what_does_not_fit(tmp_path: Path):
    with open_gguf(write_tiny_gguf(tmp_path), 12, threads=1) as talker:
        answers = talker(ASKED)
    assert isinstance(answers[0], str)
    assert answers[2] is None


def test_the_stage_writes_figures_and_every_reply(tmp_path: Path, model: Path):
    probes, examples, gguf = tmp_path / "probes", write_examples(tmp_path / "examples"), tmp_path / "gguf"
    for folder in (probes, gguf, tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
    families = [
        {"family": f"{era}{n}", "era": era, "known": year * 10000 + 101, "relation": "inventor", "subject": f"lamp {n}",
         "answer_text": f"Ada Vok{n}", "aliases": [],
         "items": [{"prompt": f"Lamp {n} was made by", "neutral": "It was by",
                    "options": ["Ada", "Bo"], "answer": 0}]}
        for era, year in (("before", 1900), ("after", 1990)) for n in range(10)
    ]  # fmt: skip
    (probes / "probes.jsonl").write_text("".join(json.dumps(one) + "\n" for one in families))
    config = Interview(families=10, controls=10, red_team=False, answer_tokens=12, gguf="none", bootstrap=100)
    for name in ("a", "b"):
        counts = interview_model(
            probes=probes, examples=examples, merge=model, gguf=gguf, config=config, cutoff=19690720, seed=1,
            out=tmp_path / name, work=Work(Settings(threads=1, device="cpu")),
        )  # fmt: skip
    results = json.loads((tmp_path / "a" / "interview.json").read_text())
    figures = results["models"]["merged"]["prompts"]
    assert set(figures) == {"persona", "none"}
    assert figures["none"]["before"]["leaked"]["share"] == 0
    assert results["models"]["merged"]["identity"]["families"] == 12
    replies = [json.loads(line) for line in (tmp_path / "a" / "replies.jsonl").read_text().splitlines()]
    assert counts.numbers["replies"] == len(replies)
    assert (tmp_path / "a" / "replies.jsonl").read_bytes() == (tmp_path / "b" / "replies.jsonl").read_bytes()
