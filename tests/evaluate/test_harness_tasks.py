"""Probes as harness tasks; lm-evaluation-harness itself gives every item the same answer as our plain score."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_llama
from deepred.evaluate.choices import answer_families
from deepred.evaluate.harness_tasks import export_tasks


def families(number: int = 12) -> list[dict]:
    chance = random.Random(1)
    return [
        {
            "family": f"founder-{n}",
            "kind": "statement",
            "era": "before" if n % 2 else "after",
            "known": 19500101 + 100000 * (n % 2 == 0) * 4,
            "relation": "founder",
            "subject": f"Works {n}",
            "answer_text": tiny_llama.PEOPLE[n % 10],
            "items": [
                {
                    "prompt": f"{opening} {n}",
                    "neutral": "It was the work of",
                    "options": chance.sample(tiny_llama.PEOPLE, 4),
                    "answer": n % 4,
                }
                for opening in ("The lamp was the work of comrade", "Who invented the lamp? It was")
            ],
        }
        for n in range(number)
    ]


def test_every_item_is_a_line_with_its_options_and_the_tasks_name_their_files(tmp_path):
    counts = export_tasks(families(), tmp_path, "My run", "1969-07-20", "abc", prefix="<s>")
    rows = [json.loads(line) for line in (tmp_path / "after.jsonl").read_text(encoding="utf-8").splitlines()]
    assert counts.numbers == {"items_before": 12, "items_after": 12}
    assert rows[0]["query"] == "<s>The lamp was the work of comrade 0"
    assert rows[0]["choices"][rows[0]["gold"]] == families()[0]["items"][0]["options"][0]
    assert {path.name for path in tmp_path.iterdir()} == {
        "before.jsonl", "after.jsonl", "deepred_my_run_before.yaml", "deepred_my_run_after.yaml", "deepred_my_run.yaml",
    }  # fmt: skip


@pytest.mark.needs("harness")
def test_the_harness_answers_every_item_as_our_plain_score_does(tmp_path: Path):
    from deepred.evaluate.model_scores import ModelScorer

    model, tasks = tmp_path / "model", tmp_path / "tasks"
    tiny_llama.build_model(model)
    asked = families()
    export_tasks(asked, tasks, "tiny", "1969-07-20", "abc", prefix="<|endoftext|>")
    ours = {
        f"{answer.family}#{number}": right
        for answer in answer_families(asked, ModelScorer.load(model, "cpu"))
        for number, right in enumerate(answer.plain)
    }
    arguments = ["--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--tasks", "deepred_tiny"]
    arguments += ["--include_path", ".", "--device", "cpu", "--log_samples", "--output_path", "results"]
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", *arguments],
        cwd=tasks, env=environment, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    theirs = {
        sample["doc"]["id"]: sample["acc"]
        for path in (tasks / "results").rglob("samples_*.jsonl")
        for sample in (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert theirs == ours
    assert 0 < sum(ours.values()) < len(ours)
