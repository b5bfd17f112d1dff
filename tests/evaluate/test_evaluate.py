"""Scoring with a real, tiny, untrained model: exact log-probabilities, chance accuracy, the same files again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from deepred.base.errors import FaultError
from deepred.evaluate.evaluate import evaluate_model
from deepred.evaluate.model_scores import ModelScorer, batches, shared_length
from deepred.run.config import Evaluate
from deepred.run.settings import Settings
from deepred.run.stage import Work


@pytest.fixture(scope="module")
def pretrain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("pretrain")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["The capital of Mars is Ares."] * 3, trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(folder / "model")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(fast), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder / "model")
    return folder


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probes")
    families = [
        {
            "family": f"f{n}", "era": "before" if n < 40 else "after", "known": (1900 + n * 2) * 10000 + 101,
            "relation": "capital", "subject": f"Planet {n}", "answer_text": f"City {n % 7}",
            "aliases": [], "floor_answer": "",
            "items": [{"prompt": f"The capital of planet {n} is", "neutral": "The capital of a planet is",
                       "options": [f"City {(n + k) % 7}" for k in range(4)], "answer": 0}],
        }
        for n in range(48)
    ]  # fmt: skip
    (folder / "probes.jsonl").write_text("".join(json.dumps(family) + "\n" for family in families), encoding="utf-8")
    (folder / "probes.sha256").write_text("abc  probes.jsonl\n", encoding="utf-8")
    return folder


def run(pretrain: Path, probes: Path, out: Path) -> dict:
    out.mkdir()
    evaluate_model(
        pretrain=pretrain, probes=probes, articles=probes, emergence=probes, config=Evaluate(bootstrap=200),
        cutoff=19690720, seed=1, out=out, work=Work(Settings(threads=1, device="cpu")),
    )  # fmt: skip
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def test_an_untrained_model_scores_chance_and_few_families_no_figure(tmp_path: Path, pretrain: Path, probes: Path):
    results = run(pretrain, probes, tmp_path / "a")
    assert results["before"]["low"] <= 0.25 <= results["before"]["high"]
    assert results["after"] == {
        "accuracy": None,
        "low": None,
        "high": None,
        "families": 8,
        "reason": "too few families: 8",
    }
    assert results["probes"] == "abc"


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, pretrain: Path, probes: Path):
    run(pretrain, probes, tmp_path / "a")
    run(pretrain, probes, tmp_path / "b")
    for name in ("results.json", "items.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_batched_and_padded_scores_equal_those_of_single_texts(pretrain: Path):
    scorer = ModelScorer.load(pretrain / "model", "cpu")
    pairs = [("The capital of Mars is", " Ares"), ("A", " b"), ("The", " capital of Mars is Ares."), ("", "Ares")]
    together = scorer(pairs)
    for (context, continuation), score in zip(pairs, together):
        ids = [scorer.prefix[0], *scorer.tokenizer.encode(context + continuation)]
        start = len(ids) - len(scorer.tokenizer.encode(continuation))
        with torch.inference_mode():
            logs = scorer.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(float(logs[place - 1, ids[place]]) for place in range(start, len(ids)))
        assert score == pytest.approx(expected, abs=1e-4)


def test_a_long_prompt_loses_its_beginning_not_its_answer(pretrain: Path):
    scorer = ModelScorer.load(pretrain / "model", "cpu")
    encoded = scorer.encode("x " * 200, "Ares")
    assert len(encoded.ids) == 64
    assert 0 < encoded.start < 64
    with pytest.raises(FaultError, match="longer than the model's window"):
        scorer.encode("x", " y" * 200)


def test_a_missing_checkpoint_is_a_clear_fault(tmp_path: Path):
    with pytest.raises(FaultError, match="not a readable checkpoint"):
        ModelScorer.load(tmp_path)


def test_a_tokenizer_larger_than_the_embedding_is_refused(tmp_path: Path, pretrain: Path):
    tokenizer = transformers.AutoTokenizer.from_pretrained(pretrain / "model")
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(tmp_path)
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((pretrain / "model" / name).read_bytes())
    with pytest.raises(FaultError, match="use the tokenizer that the model was trained with"):
        ModelScorer.load(tmp_path)


def test_batches_hold_every_place_once_within_the_limit(pretrain: Path):
    scorer = ModelScorer.load(pretrain / "model", "cpu")
    encoded = [scorer.encode("x" * (n % 30), " y") for n in range(50)]
    found = list(batches(encoded, most=100))
    assert sorted(place for batch in found for place in batch) == list(range(50))
    assert all(len(batch) * max(len(encoded[place].ids) for place in batch) <= 100 for batch in found)


def test_shared_length_counts_equal_beginnings():
    assert [shared_length(a, b) for a, b in [([], []), ([1], [1, 2]), ([1, 2, 3], [1, 9, 3])]] == [0, 1, 1]
