"""Which type each tensor of a file gets, and the bytes of a tensor in that type.

The recipes and the fallbacks for rows that do not fill blocks are llama.cpp's own (``llama_tensor_get_type`` for the
Llama architecture, without importance matrix). F16, Q8_0 and the small fallbacks are packed by ``gguf``, the K-quants
by ggml's public function ``ggml_quantize_chunk`` in the library that ``xllamacpp`` brings.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError, UserError
from deepred.export.gguf.llama_library import native
from deepred.export.gguf.tensors import Shape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from gguf import GGMLQuantizationType, LlamaFileType

F16_LIMIT = 65504.0
"""The largest number of IEEE half precision."""

LAYERS_OF_70B = 80
"""llama.cpp knows Llama 70B by its depth; there eight query heads share a value head, which gets more bits."""


@dataclass(frozen=True)
class Recipe:
    """A quantization: llama.cpp's number for the file, the type of most matrices, and that of the important ones."""

    number: str
    most: str
    important: str = ""
    """For values and the feed-forward's output in the layers that matter most (``_matters``); empty: as most."""
    output: str = ""
    """For the head, or the embeddings where they are tied to it; empty: as most."""


RECIPES = {
    "F16": Recipe("MOSTLY_F16", "F16"),
    "Q8_0": Recipe("MOSTLY_Q8_0", "Q8_0"),
    "Q6_K": Recipe("MOSTLY_Q6_K", "Q6_K", output="Q6_K"),
    "Q5_K_M": Recipe("MOSTLY_Q5_K_M", "Q5_K", "Q6_K", "Q6_K"),
    "Q4_K_M": Recipe("MOSTLY_Q4_K_M", "Q4_K", "Q6_K", "Q6_K"),
}

FALLBACKS = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""What llama.cpp takes where rows are no multiple of 256; the next fallback, at no multiple of 32, is F16."""


def recipe_of(quantization: str) -> Recipe:
    """The recipe of a quantization; ``UserError`` for one that does not exist."""
    if quantization not in RECIPES:
        raise UserError(f"quantization {quantization} does not exist", f"choose of {', '.join(RECIPES)}")
    return RECIPES[quantization]


def file_type(quantization: str) -> LlamaFileType:
    """llama.cpp's number of a quantization, for ``general.file_type``."""
    from gguf import LlamaFileType

    return LlamaFileType[recipe_of(quantization).number]


def tensor_type(name: str, size: tuple[int, ...], quantization: str, shape: Shape) -> GGMLQuantizationType:
    """The type of one tensor in a file of a quantization, for a model of a shape."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    if len(size) < 2:
        return GGMLQuantizationType.F32
    kind = GGMLQuantizationType[_wanted(name, recipe_of(quantization), shape)]
    if size[-1] % GGML_QUANT_SIZES[kind][0] == 0:
        return kind
    head = name == "output.weight" or (shape.tied and name == "token_embd.weight")
    kind = GGMLQuantizationType["Q8_0" if head else FALLBACKS.get(kind.name, "F16")]
    return kind if size[-1] % GGML_QUANT_SIZES[kind][0] == 0 else GGMLQuantizationType.F16


def _wanted(name: str, recipe: Recipe, shape: Shape) -> str:
    """The type that a recipe gives a matrix, before any fallback."""
    if name == "output.weight" or (shape.tied and name == "token_embd.weight"):
        return recipe.output or recipe.most
    if not name.startswith("blk."):
        return recipe.most
    _, layer, part, _ = name.split(".")
    if recipe.important and part in {"attn_v", "ffn_down"} and _matters(int(layer), shape.layers):
        return recipe.important
    if part == "attn_v" and recipe.most == "Q4_K" and shape.layers == LAYERS_OF_70B and shape.heads > shape.kv_heads:
        return "Q5_K"
    return recipe.most


def _matters(layer: int, layers: int) -> bool:
    """Whether llama.cpp gives a layer more bits: the first and last eighth, and every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def pack(name: str, values: npt.NDArray[np.float32], kind: GGMLQuantizationType) -> npt.NDArray[Any]:
    """A tensor's values in a type, as the array that GGUFWriter takes; ``FaultError`` for numbers it cannot hold."""
    import numpy as np
    from gguf import GGMLQuantizationType, quants

    if not np.isfinite(values).all():
        raise FaultError(f"tensor {name} holds NaN or infinity", "the training diverged; lower its learning rate")
    if kind == GGMLQuantizationType.F32:
        return values
    if float(np.abs(values).max(initial=0.0)) > F16_LIMIT:
        raise FaultError(f"tensor {name} holds numbers that half precision cannot hold")
    if kind == GGMLQuantizationType.F16:
        return values.astype(np.float16)
    return _pack_chunk(values, kind) if kind.name.endswith("_K") else quants.quantize(values, kind)


def _pack_chunk(values: npt.NDArray[np.float32], kind: GGMLQuantizationType) -> npt.NDArray[np.uint8]:
    """The blocks of a matrix, packed by ggml; rows x bytes of a row."""
    import numpy as np
    from gguf import quant_shape_to_byte_shape

    values = np.ascontiguousarray(values, dtype=np.float32)
    rows, columns = values.shape
    packed = np.zeros(quant_shape_to_byte_shape(values.shape, kind), dtype=np.uint8)
    written = ggml().ggml_quantize_chunk(int(kind), values.ctypes.data, packed.ctypes.data, 0, rows, columns, None)
    if written != packed.nbytes:
        raise FaultError(
            f"ggml wrote {written:,} bytes of {kind.name}, not {packed.nbytes:,}", "pin xllamacpp's version"
        )
    return packed


@cache
def ggml() -> Any:
    """The shared library with ggml's functions; ``UserError`` where it or the function is not there."""
    library = native("ggml_quantize_chunk")
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, number, number, number, pointer]
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    return library
