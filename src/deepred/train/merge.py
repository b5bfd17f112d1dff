"""Stage ``merge``: the adapter folded into the base model, proven equal, with tokenizer and chat template.

In: ``pretrain/model``, ``sft/adapter`` and ``sft/tokenizer``. Out: ``model/``, a Hugging Face folder without PEFT.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from deepred.base.errors import FaultError
from deepred.base.files import write_json
from deepred.run.stage import Counts, Work
from deepred.train.adapter import load_adapter, load_base
from deepred.train.chat_tokenizer import fit_embeddings, load_chat_tokenizer
from deepred.train.device import set_threads
from deepred.train.model import weights_hash

LOGIT_LIMIT = 1e-5
"""Largest difference of logits between adapter and merged model, relative to the largest logit: float32's rounding."""
CHECKED_TOKENS = 64


def merge_adapter(*, pretrain: Path, sft: Path, out: Path, work: Work) -> Counts:
    """Merge, compare logits before and after, and save; an adapter of another base is a ``FaultError``."""
    folder = pretrain / "model"
    expected = json.loads((sft / "base.json").read_text(encoding="utf-8"))["weights"]
    if weights_hash(folder) != expected:
        raise FaultError(f"the adapter in {sft} belongs to another base than {folder}", "run the sft stage again")
    set_threads(work.settings.threads)
    base = load_base(folder)
    tokenizer = load_chat_tokenizer(sft / "tokenizer")
    fit_embeddings(base, tokenizer.size)
    adapted: Any = load_adapter(base, sft / "adapter")
    probe = probe_ids(int(base.config.vocab_size), int(base.config.max_position_embeddings))
    before = logits(adapted, probe)
    merged = adapted.merge_and_unload()
    difference = relative_difference(before, logits(merged, probe))
    if not difference <= LOGIT_LIMIT:
        raise FaultError(
            f"the merged model differs from its adapter by {difference:.2g} in logits (limit {LOGIT_LIMIT:g})"
        )
    counts = Counts()
    counts.add("tensors", save_model(merged, sft / "tokenizer", out / "model"))
    _stop_at_turns(out / "model", tokenizer.turns[-1])
    counts.notes["logit difference"] = f"{difference:.1e} (limit {LOGIT_LIMIT:g}, relative)"
    return counts


def probe_ids(vocabulary: int, context: int) -> torch.Tensor:
    """Token ids spread over the vocabulary, as one sequence."""
    length = min(CHECKED_TOKENS, context)
    return torch.arange(length).mul(vocabulary // length or 1).remainder(vocabulary).unsqueeze(0)


@torch.no_grad()
def logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """The model's logits of a sequence."""
    return model(input_ids=ids).logits


def relative_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference of two tensors, relative to the largest value of the first."""
    return float((one - other).abs().max() / one.abs().max().clamp_min(1.0))


def save_model(model: Any, tokenizer: Path, folder: Path) -> int:
    """Save the merged weights with the tokenizer and template of the conversations; returns the number of tensors."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=True)
    for path in sorted(tokenizer.iterdir()):
        shutil.copyfile(path, folder / path.name)
    return len(model.state_dict())


def _stop_at_turns(folder: Path, end_of_turn: int) -> None:
    """Let ``generate`` in Hugging Face end at the end of a turn, as at the end of a text."""
    path = folder / "generation_config.json"
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    ends = values.get("eos_token_id")
    known = ends if isinstance(ends, list) else [ends] if ends is not None else []
    write_json(path, values | {"eos_token_id": [*dict.fromkeys([end_of_turn, *known])]})
