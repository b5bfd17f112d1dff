"""The model: a Llama of the run file's shape, or a base model to continue, with a head that the loss can take apart.

Any causal language model of ``transformers`` will do whose logits are one matrix product of its last hidden states.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from deepred.config import Model, Pretrain
from deepred.errors import UserError


def build_model(config: Pretrain, tokenizer: Path, seed: int, start: Path | None = None) -> Any:
    """A model in float32 with gradients on: that of a finished pre-training, the base model, or new weights by seed."""
    if start:
        return _load_base(str(start / "model"), tokenizer)
    if config.model.base:
        return _load_base(config.model.base, tokenizer)
    return _new_model(config.model, config.sequence, tokenizer, seed)


def _new_model(shape: Model, sequence: int, tokenizer: Path, seed: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    if shape.width % shape.heads or shape.heads % shape.kv_heads:
        raise UserError(
            f"pretrain.model: width {shape.width} / heads {shape.heads} / kv_heads {shape.kv_heads} do not divide",
            "width must be a multiple of heads, and heads of kv_heads",
        )
    vocabulary = _vocabulary(tokenizer)
    settings = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))
    ids = {name: vocabulary.get(_content(settings.get(f"{name}_token"))) for name in ("bos", "eos", "pad")}
    llama = LlamaConfig(
        vocab_size=max(vocabulary.values()) + 1,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=sequence,
        tie_word_embeddings=shape.tied,
        bos_token_id=ids["bos"],
        eos_token_id=ids["eos"],
        pad_token_id=ids["pad"],
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(llama).float()


def _load_base(name: str, tokenizer: Path) -> Any:
    from transformers import AutoModelForCausalLM

    try:
        # safetensors only and no code from the hub: a base model is data
        with _no_progress_bars():
            model = AutoModelForCausalLM.from_pretrained(
                name, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"the base model {name!r} does not load: {str(error).splitlines()[0]}",
            "download its safetensors with `hf download` and set pretrain.model.base to the folder",
        ) from None
    rows = int(cast("Any", model.get_input_embeddings()).weight.shape[0])
    vocabulary = _vocabulary(tokenizer)
    if max(vocabulary.values()) >= rows:
        raise UserError(
            f"the tokenizer has {len(vocabulary):,} tokens, the base model {name!r} embeds {rows:,}",
            f"set tokenizer.adopt to {name!r}",
        )
    if Path(name).is_dir() and (Path(name) / "tokenizer.json").exists() and _vocabulary(Path(name)) != vocabulary:
        raise UserError(
            f"the tokenizer is not the one that the base model {name!r} learned: its ids mean other tokens",
            f"set tokenizer.adopt to {name!r}",
        )
    return model


def _vocabulary(folder: Path) -> dict[str, int]:
    from deepred.corpus.tokenizer import load_encoder

    return load_encoder(folder).get_vocab(with_added_tokens=True)


def _content(token: Any) -> str:
    return str(token.get("content")) if isinstance(token, dict) else str(token)


def parts_of(model: Any) -> tuple[nn.Module, nn.Parameter]:
    """The trunk that yields hidden states and the head's matrix; a model whose logits are more than that is refused."""
    trunk, head = model.base_model, model.get_output_embeddings()
    if trunk is model or head is None or getattr(head, "bias", None) is not None:
        raise UserError(f"{type(model).__name__} has no separable head", "use a Llama-like base model")
    ids = torch.arange(8, device=head.weight.device)[None] % head.weight.shape[0]
    with torch.no_grad():
        own = model(input_ids=ids, use_cache=False).logits.float()
        ours = (trunk(input_ids=ids, use_cache=False).last_hidden_state @ head.weight.T).float()
    if not torch.allclose(own, ours, rtol=1e-3, atol=1e-3):
        raise UserError(
            f"{type(model).__name__} scales or caps its logits, which the loss does not know",
            "use a Llama-like base model",
        )
    return trunk, cast("nn.Parameter", head.weight)


def hidden_states(trunk: nn.Module, ids: Tensor, separator: int | None = None) -> Tensor:
    """The last hidden states of sequences of ids; shape (sequences x length, width).

    With a separator (the token that ends a document) no token sees another document, and positions begin anew in each.
    """
    more = {} if separator is None else documents_apart(ids, separator)
    states = trunk(input_ids=ids, use_cache=False, **more).last_hidden_state
    return states.reshape(-1, states.shape[-1])


def documents_apart(ids: Tensor, separator: int) -> dict[str, Tensor]:
    """The mask (sequences, 1, length, length; True where attended) and the positions that keep documents apart."""
    length = ids.shape[1]
    ends = (ids == separator).long()
    document = ends.cumsum(1) - ends  # the separator itself still belongs to the document that it ends
    place = torch.arange(length, device=ids.device)
    begins = torch.nn.functional.pad(ends[:, :-1], (1, 0)) * place
    same = document[:, :, None] == document[:, None, :]
    mask = same & (place[:, None] >= place[None, :])
    return {"attention_mask": mask[:, None], "position_ids": place - begins.cummax(1).values}


def recompute_activations(model: Any) -> None:
    """Keep only each layer's input for the backward pass and compute the rest again: less memory, a third more work."""
    # recent releases of transformers warn of the older name
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def flops_per_token(model: Any, head: nn.Parameter, sequence: int) -> float:
    """Floating-point operations of training on one token: 6 a weight of a matrix product, 12 L d T for attention.

    Kaplan et al. 2020 and PaLM, appendix B; the input embedding multiplies nothing, the head does.
    """
    embedding = model.get_input_embeddings().weight
    weights = sum(p.numel() for p in model.parameters() if p.ndim >= 2)
    weights -= 0 if embedding is head else embedding.numel()
    shape = model.config
    return 6 * weights + 12 * shape.num_hidden_layers * shape.hidden_size * sequence


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters for AdamW: matrices decay; norms, biases and embeddings do not.

    Decaying a norm's gain or an embedding row that a batch does not touch pulls it to zero without evidence.
    """
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2 and id(p) not in embeddings]
    others = [p for p in model.parameters() if p.requires_grad and (p.ndim < 2 or id(p) in embeddings)]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


@contextmanager
def _no_progress_bars() -> Generator[None]:
    """The runner has a display of its own, and tests read what is printed."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()


def weights_hash(folder: Path) -> str:
    """SHA-256 over the weight files of a model's folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def save_model(model: Any, tokenizer: Path, folder: Path) -> None:
    """The model as a folder that ``AutoModelForCausalLM`` loads, its tokenizer beside it; there whole or not at all."""
    partial = folder.with_name(folder.name + ".tmp")
    for old in (partial, folder):
        shutil.rmtree(old, ignore_errors=True)
    with _no_progress_bars():
        model.save_pretrained(partial)
    for path in sorted(tokenizer.iterdir()):
        if path.is_file() and path.name != "manifest.json" and not (partial / path.name).exists():
            shutil.copyfile(path, partial / path.name)
    partial.rename(folder)
