"""The LoRA adapter of a model: made, saved without the machine's paths, and tied to its base by checksum."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deepred.base.errors import UserError
from deepred.run.config import Sft

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""All linear layers of a block; adapting attention alone learns less at the same rank (LoRA Without Regret, QLoRA)."""


def trained_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a model that are trained, without the frozen rest: what a checkpoint holds."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def load_base(folder: Path) -> Any:
    """The causal language model of a folder in float32, loaded without a progress bar of its own."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no model", "run the pretrain stage first")
    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False)


def adapt(base: Any, config: Sft, tokens: list[int]) -> Any:
    """The model with a fresh adapter on every projection, and the embeddings of some tokens made trainable.

    In a head of its own these tokens' rows are trained as well: nothing in the corpus has taught it to write them.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    tied = base.get_input_embeddings().weight is base.get_output_embeddings().weight
    settings = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=PROJECTIONS,
        trainable_token_indices=tokens if tied else {"embed_tokens": tokens, "lm_head": tokens},
    )
    with warnings.catch_warnings():
        # peft asks transformers for an attribute that is being renamed
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(base, settings)


def save_adapter(model: Any, folder: Path) -> None:
    """Save the adapter without its base's path, which would tie the files to this machine, and with lists in order."""
    model.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    # peft keeps the names in a set, whose order is another in every process
    values |= {"base_model_name_or_path": None, "target_modules": sorted(values["target_modules"])}
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_adapter(base: Any, folder: Path) -> Any:
    """The model with the adapter of a folder."""
    from peft import PeftModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # see adapt
        return PeftModel.from_pretrained(base, str(folder)).eval()
