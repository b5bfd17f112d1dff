"""A Hugging Face Llama checkpoint as the tensors that llama.cpp expects: names, the order of rows and factors for RoPE.

Plain RoPE (rotary position embeddings) and a linear stretch are metadata. Llama 3's stretch ("NTK by parts") is a
tensor of factors, by which llama.cpp divides the frequencies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError, UserError
from deepred.train.model_files import check_model_folder, read_config

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from gguf import GGUFWriter

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Tensors of a layer: the name in the checkpoint and in llama.cpp (``LLM_ARCH_LLAMA``)."""

TOP_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}

NEEDED = ("num_attention_heads", "vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers",
          "intermediate_size", "rms_norm_eps")  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """The shape of a Llama model, as its metadata in a GGUF file names it."""

    vocabulary: int
    context: int
    width: int
    layers: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_width: int
    epsilon: float
    rope: Rope
    tied: bool


def read_shape(folder: Path) -> Shape:
    """The shape from ``config.json``; ``UserError`` for a model outside the Llama family."""
    path = folder / "config.json"
    if not path.exists():
        raise UserError(f"{path} does not exist", "name a Hugging Face model folder")
    check_model_folder(folder)
    values = read_config(folder)
    if values.get("model_type") != "llama":
        raise UserError(f"{path}: a model of type {values.get('model_type')} is outside the Llama family")
    if values.get("attention_bias") or values.get("mlp_bias"):
        raise UserError(f"{path}: a Llama model with biases cannot be exported")
    if missing := [key for key in NEEDED if key not in values]:
        raise UserError(f"{path} lacks {', '.join(missing)}", "get the model again from where it was published")
    heads = int(values["num_attention_heads"])
    return Shape(
        vocabulary=int(values["vocab_size"]),
        context=int(values["max_position_embeddings"]),
        width=int(values["hidden_size"]),
        layers=int(values["num_hidden_layers"]),
        feed_forward=int(values["intermediate_size"]),
        heads=heads,
        kv_heads=int(values.get("num_key_value_heads") or heads),
        head_width=int(values.get("head_dim") or int(values["hidden_size"]) // heads),
        epsilon=float(values["rms_norm_eps"]),
        rope=read_rope(values, path),
        tied=bool(values.get("tie_word_embeddings", False)),
    )


def write_shape(writer: GGUFWriter, shape: Shape) -> None:
    """Write the architecture's metadata."""
    from gguf import RopeScalingType

    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope.base)
    if shape.rope.linear != 1.0:
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(shape.rope.linear)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def read_tensors(folder: Path, shape: Shape) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Every tensor under llama.cpp's name as float32, one in memory at a time, in a fixed order.

    The checkpoint may be one ``model.safetensors`` or several with their index. A tied head is left out: llama.cpp
    then uses the embeddings. A name that Llama does not have is a ``FaultError``.
    """
    import torch
    from safetensors import safe_open

    names: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            names.update(dict.fromkeys(file.keys(), path))
    if not names:
        raise UserError(f"{folder} holds no *.safetensors", "name a Hugging Face model folder")
    expected = list(_names(shape))
    unknown = sorted(set(names) - {name for name, _, _ in expected} - {"lm_head.weight"})
    missing = sorted({name for name, _, _ in expected} - set(names))
    if unknown or missing:
        raise FaultError(
            f"{folder}: tensors {(unknown or missing)[:3]} {'are not Llama' if unknown else 'are missing'}"
        )
    for source, target, heads in expected:
        with safe_open(names[source], framework="pt") as file:
            values: npt.NDArray[np.float32] = file.get_tensor(source).to(torch.float32).numpy()
        yield target, (permute(values, heads) if heads else values)
    if (factors := frequency_factors(shape.rope, shape.head_width)) is not None:
        yield "rope_freqs.weight", factors


def _names(shape: Shape) -> Iterator[tuple[str, str, int]]:
    """Name in the checkpoint, name in llama.cpp, and the heads by which rows are permuted (0: not at all)."""
    for source, target in TOP_NAMES.items():
        if not (shape.tied and source == "lm_head.weight"):
            yield source, target, 0
    for layer in range(shape.layers):
        for source, target in LAYER_NAMES.items():
            heads = {"attn_q": shape.heads, "attn_k": shape.kv_heads}.get(target, 0)
            yield f"model.layers.{layer}.{source}.weight", f"blk.{layer}.{target}.weight", heads


def permute(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Rows of a query or key projection in llama.cpp's order, which rotates neighbours where Llama rotates halves."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns).copy()


def unpermute(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """The inverse of ``permute``."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns).copy()


def read_checkpoint(path: Path, shape: Shape) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """The tensors of a GGUF file, dequantized, under the checkpoint's names and in its order of rows."""
    from gguf import GGUFReader, dequantize

    tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    for source, target, heads in _names(shape):
        tensor = tensors[target]
        values: npt.NDArray[np.float32] = dequantize(tensor.data, tensor.tensor_type)
        values = values.reshape([int(size) for size in reversed(tensor.shape)])
        yield source, (unpermute(values, heads) if heads else values.copy())


@dataclass(frozen=True)
class Stretch:
    """Llama 3's stretch of the context: low frequencies are divided by the factor, high ones are kept."""

    factor: float
    low: float
    high: float
    context: float
    """Tokens of context that the model had before."""


@dataclass(frozen=True)
class Rope:
    """The base of the frequencies, and how they are stretched."""

    base: float = 10000.0
    linear: float = 1.0
    """Divisor of all frequencies."""
    stretch: Stretch | None = None


def read_rope(config: dict[str, Any], path: Path) -> Rope:
    """The rotary embedding of a ``config.json``, old form or new; ``UserError`` for a kind that cannot be exported."""
    values: dict[str, Any] = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = float(values.get("rope_theta", config.get("rope_theta", 10000.0)))
    kind = str(values.get("rope_type", values.get("type", "default")))
    if float(values.get("partial_rotary_factor", config.get("partial_rotary_factor", 1.0))) != 1.0:
        raise UserError(f"{path}: RoPE over a part of each head cannot be exported")
    if kind == "default":
        return Rope(base)
    if kind == "linear":
        return Rope(base, linear=float(values["factor"]))
    if kind == "llama3":
        names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
        missing = [name for name in names if name not in values]
        if missing:
            raise UserError(f"{path}: RoPE of type llama3 lacks {missing[0]}")
        return Rope(base, stretch=Stretch(*(float(values[name]) for name in names)))
    raise UserError(f"{path}: RoPE of type {kind} cannot be exported", "default, linear and llama3 can")


def frequency_factors(rope: Rope, width: int) -> npt.NDArray[np.float32] | None:
    """The factor of every pair of a head's dimensions, None where no frequency changes (Llama 3.1's own rule)."""
    import numpy as np

    stretch = rope.stretch
    if stretch is None:
        return None
    factors: list[float] = []
    for pair in range(width // 2):
        wavelength = 2 * math.pi * rope.base ** (2 * pair / width)
        # 1 up to the shortest wavelength that is stretched, 0 from the longest that is stretched wholly
        share = (stretch.context / wavelength - stretch.low) / (stretch.high - stretch.low)
        share = min(1.0, max(0.0, share))
        factors.append(1 / ((1 - share) / stretch.factor + share))
    return np.array(factors, dtype=np.float32)
