"""The model: a Llama of the run file's shape, or a base model to continue, with a head that the loss can take apart.

Any causal language model of ``transformers`` will do whose logits are one matrix product of its last hidden states.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from deepred.base.errors import FaultError, UserError
from deepred.run.config import Model, Pretrain
from deepred.train.attention import documents_apart
from deepred.train.device import is_out_of_memory
from deepred.train.model_files import check_model_folder

if TYPE_CHECKING:
    from transformers import LlamaConfig


def build_model(config: Pretrain, tokenizer: Path, seed: int, start: Path | None = None) -> Any:
    """A model in float32 with gradients on: that of a finished pre-training, the base model, or new weights by seed."""
    if start:
        return _load_base(str(start / "model"), tokenizer)
    if config.model.base:
        return _load_base(config.model.base, tokenizer)
    return _new_model(config.model, config.sequence, tokenizer, seed)


def _new_model(shape: Model, sequence: int, tokenizer: Path, seed: int) -> Any:
    from transformers import LlamaForCausalLM

    if shape.width % shape.heads or shape.heads % shape.kv_heads:
        raise UserError(
            f"pretrain.model: width {shape.width} / heads {shape.heads} / kv_heads {shape.kv_heads} do not divide",
            "width must be a multiple of heads, and heads of kv_heads",
        )
    vocabulary = _vocabulary(tokenizer)
    settings = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))
    ids = {name: vocabulary.get(_content(settings.get(f"{name}_token"))) for name in ("bos", "eos", "pad")}
    special = {f"{name}_token_id": number for name, number in ids.items()}
    llama = llama_config(shape, sequence, max(vocabulary.values()) + 1, **special)
    torch.manual_seed(seed)
    return LlamaForCausalLM(llama).float()


def llama_config(shape: Model, sequence: int, vocabulary: int, **special: Any) -> LlamaConfig:
    """The configuration of a Llama of a run file's shape; ``special`` are the ids of its special tokens."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=sequence,
        tie_word_embeddings=shape.tied,
        **special,
    )


def _load_base(name: str, tokenizer: Path) -> Any:
    from transformers import AutoModelForCausalLM

    if Path(name).is_dir():
        check_model_folder(Path(name))
    try:
        # safetensors only and no code from the hub: a base model is data
        with _no_progress_bars():
            load: Any = AutoModelForCausalLM.from_pretrained
            model, loaded = load(
                name, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
            )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        if is_out_of_memory(error):
            raise
        raise _explained(name, str(error)) from None
    _check_weights(model, name, sorted(loaded["missing_keys"]))
    rows = int(model.get_input_embeddings().weight.shape[0])
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


def _check_weights(model: Any, name: str, missing: list[str]) -> None:
    """``UserError`` where weights are missing, which would be random ones, or are no numbers."""
    mend = "get the model again from where it was published"
    if missing:
        raise UserError(f"the base model {name!r} lacks {len(missing):,} weights, such as {missing[0]}", mend)
    for weight, values in model.named_parameters():
        if not torch.isfinite(values).all():
            raise UserError(f"the base model {name!r}: {weight} holds values that are no numbers", mend)


def _explained(name: str, error: str) -> UserError:
    """Why a base model does not load, and what would mend it."""
    folder = Path(name)
    if "trust_remote_code" in error or "custom code" in error:
        return UserError(
            f"the base model {name!r} brings code of its own, which is never run",
            "use a base model whose architecture transformers itself knows",
        )
    if folder.is_dir() and not any(folder.glob("*.safetensors")) and any(folder.glob("*.bin")):
        return UserError(
            f"the base model {name!r} has pickled weights only (.bin), which can hold code and are never loaded",
            "get its safetensors, or convert it where you trust it",
        )
    if "Unrecognized configuration class" in error or "Unrecognized model" in error:
        return UserError(
            f"the base model {name!r} is no causal language model", "use a decoder such as Llama, Qwen or GPT-NeoX"
        )
    place = folder.name or name
    return UserError(
        f"the base model {name!r} does not load: {error.strip().splitlines()[0]}",
        f"where there is a network: `hf download {name if not folder.is_absolute() else 'ORGANISATION/MODEL'} "
        f"--local-dir {place}`; then set pretrain.model.base to that folder",
    )


def _vocabulary(folder: Path) -> dict[str, int]:
    from deepred.corpus.tokenizer import load_encoder

    return load_encoder(folder).get_vocab(with_added_tokens=True)


def _content(token: Any) -> str:
    return str(token.get("content")) if isinstance(token, dict) else str(token)


OWN_LOSS = 1e-4
"""Relative difference at most (float32) between a base model's own loss and the one that training begins with."""
HEAD_SCALE = 50.0
"""Root mean square of the logits with which a head is tried: large enough to show a cap that small ones pass."""


def parts_of(model: Any) -> tuple[nn.Module, nn.Parameter]:
    """The trunk that yields hidden states and the head's matrix; a model whose logits are more than that is refused."""
    trunk, head = model.base_model, model.get_output_embeddings()
    kind = type(model).__name__
    if trunk is model or head is None:
        raise UserError(f"{kind} has no separable head", "use a Llama-like base model")
    if getattr(head, "bias", None) is not None:
        raise UserError(f"the head of {kind} has a bias, which the loss does not know", "use a Llama-like base model")
    if not _is_plain(model, trunk, head.weight):
        raise UserError(
            f"{kind} scales or caps its logits, which the loss does not know", "use a Llama-like base model"
        )
    if not _is_causal(trunk, head.weight):
        raise UserError(f"{kind} sees the tokens that it should predict", "use a base model that is a decoder")
    return trunk, cast("nn.Parameter", head.weight)


@torch.no_grad()
def _is_plain(model: Any, trunk: nn.Module, head: Tensor) -> bool:
    """Whether logits are hidden states times the head, for large ones too."""
    ids = torch.arange(8, device=head.device)[None] % head.shape[0]
    states: list[Tensor] = []

    def enlarge(module: nn.Module, given: Any, output: Any) -> Any:
        hidden = output.last_hidden_state
        size = (hidden @ head.T).float().square().mean().sqrt().clamp(min=1e-6)
        output.last_hidden_state = hidden * (HEAD_SCALE / size).to(hidden.dtype)
        states.append(output.last_hidden_state)
        return output

    hook = trunk.register_forward_hook(enlarge)
    try:
        own = model(input_ids=ids, use_cache=False).logits.float()
    finally:
        hook.remove()
    return torch.allclose(own, (states[0] @ head.T).float(), rtol=1e-3, atol=1e-2)


@torch.no_grad()
def _is_causal(trunk: nn.Module, head: Tensor) -> bool:
    """Whether no state depends on a later token."""
    ids = (torch.arange(8, device=head.device)[None] % head.shape[0]).repeat(2, 1)
    ids[1, -1] = 0
    was_training = trunk.training
    trunk.eval()
    states = trunk(input_ids=ids, use_cache=False).last_hidden_state
    trunk.train(was_training)
    return torch.allclose(states[0, :-1], states[1, :-1], rtol=1e-3, atol=1e-4)


@torch.no_grad()
def own_loss(model: Any, ids: Tensor) -> float:
    """The loss of ids by the model's own code, with all logits."""
    model.eval()
    return float(model(input_ids=ids, labels=ids, use_cache=False).loss)


def compare_losses(own: float, ours: float, name: str) -> dict[str, float]:
    """Both losses, for the curves; that training does not begin with the base model's own is a fault."""
    if not abs(own - ours) <= OWN_LOSS * max(abs(own), 1.0):
        raise FaultError(
            f"{name}: its own loss is {own:.6f}, training would begin with {ours:.6f}: something was lost in import",
            "use another base model, and report this one",
        )
    return {"own_loss": own, "loss_here": ours}


def layers_of(trunk: nn.Module) -> list[nn.Module]:
    """The layers of a trunk: its longest list of modules."""
    lists = [list(module) for module in trunk.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=[])


def hidden_states(trunk: nn.Module, ids: Tensor, separator: int | None = None, blocks: bool = False) -> Tensor:
    """The last hidden states of sequences of ids; shape (sequences x length, width).

    With a separator (the token that ends a document) no token sees another document, and positions begin anew in each.
    """
    more = {} if separator is None else documents_apart(ids, separator, blocks)
    states = trunk(input_ids=ids, use_cache=False, **more).last_hidden_state
    return states.reshape(-1, states.shape[-1])


def recompute_activations(model: Any) -> None:
    """Keep only each layer's input for the backward pass and compute the rest again: less memory, a third more work."""
    # recent releases of transformers warn of the older name
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


@dataclass(frozen=True)
class Size:
    """How large a model is, and what training costs."""

    parameters: int
    multiplied: int
    """Parameters of matrix products: all matrices but an input embedding that is no head as well."""
    layers: int
    width: int

    def flops_per_token(self, sequence: int) -> float:
        """Floating-point operations of training on one token: 6 a weight of a matrix product, 12 L d T for attention.

        Kaplan et al. 2020 and PaLM, appendix B; the input embedding multiplies nothing, the head does.
        """
        return 6.0 * self.multiplied + 12.0 * self.layers * self.width * sequence


def measure_size(model: Any) -> Size:
    """The size of a model, counted on its parameters."""
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    parameters = list(model.parameters())
    multiplied = sum(p.numel() for p in parameters if p.ndim >= 2) - (0 if embedding is head else embedding.numel())
    shape = model.config
    return Size(sum(p.numel() for p in parameters), multiplied, shape.num_hidden_layers, shape.hidden_size)


def decay_groups(model: nn.Module, weights: Mapping[str, Tensor], weight_decay: float) -> list[dict[str, Any]]:
    """A model's weights (its own, or copies, by name) for AdamW: matrices decay; norms, biases and embeddings do not.

    Decaying a norm's gain or an embedding row that a batch does not touch pulls it to zero without evidence.
    """
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    decayed: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim >= 2 and id(parameter) not in embeddings
            (decayed if decays else others).append(weights[name])
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


def save_model(model: Any, tokenizer: Path, folder: Path, weights: Mapping[str, Tensor] | None = None) -> None:
    """The model as a folder that ``AutoModelForCausalLM`` loads, its tokenizer beside it; there whole or not at all.

    ``weights`` (float32 masters by name) stand in for its own.
    """
    partial = folder.with_name(folder.name + ".tmp")
    for old in (partial, folder):
        shutil.rmtree(old, ignore_errors=True)
    with _no_progress_bars():
        try:
            model.save_pretrained(partial, state_dict=dict(weights) if weights else None)
        except SafetensorError as error:  # what the system says, in an error of its own
            raise OSError(str(error)) from error
    for path in sorted(tokenizer.iterdir()):
        if path.is_file() and path.name != "manifest.json" and not (partial / path.name).exists():
            shutil.copyfile(path, partial / path.name)
    partial.rename(folder)
