"""The files of a model's folder that others made, looked at before any library follows what they state.

``transformers`` builds whatever ``config.json`` names, a trillion layers too, and fills weights that the files lack
with random ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from deepred.base.errors import UserError
from deepred.base.given import check_file, read_object

MEND = "get the model again from where it was published"
INDEX = "model.safetensors.index.json"
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
SIZES = ("hidden_size", "intermediate_size", "vocab_size", "num_attention_heads", "num_key_value_heads", "head_dim",
         "n_embd", "n_inner", "n_head", "d_model", "ffn_dim", "max_position_embeddings")  # fmt: skip
MOST_LAYERS, MOST_SIZE = 10_000, 100_000_000
"""Far beyond any model; what a file holds is the narrower bound."""


def check_model_folder(folder: Path) -> None:
    """``UserError`` where a folder's configuration or weights cannot be true; what it lacks is left to the loader."""
    values = read_config(folder) if (folder / "config.json").exists() else {}
    if (folder / INDEX).exists():
        _check_index(folder / INDEX)
    tensors = {name: shape for path in sorted(folder.glob("*.safetensors")) for name, shape in _shapes(path)}
    layers = next((values[key] for key in LAYERS if values.get(key) is not None), 0)
    if tensors and layers > len(tensors):
        raise UserError(
            f"{folder / 'config.json'} names {layers:,} layers, the weights beside it are {len(tensors):,} tensors",
            MEND,
        )


def read_config(folder: Path) -> dict[str, Any]:
    """The values of ``config.json``, whose sizes are numbers that a model can have."""
    path = folder / "config.json"
    values = read_object(path, MEND)
    for keys, most in ((LAYERS, MOST_LAYERS), (SIZES, MOST_SIZE)):
        for key in keys:
            value = values.get(key)
            if value is not None and (not isinstance(value, int) or not 0 < value <= most):
                raise UserError(f"{path}: {key} = {str(value)[:40]} is no size of a model", f"1 to {most:,}; {MEND}")
    return values


def _check_index(path: Path) -> None:
    """An index names files beside it and nothing else."""
    table = read_object(path, MEND).get("weight_map")
    if not isinstance(table, dict):
        raise UserError(f"{path} has no weight_map", MEND)
    for name in table.values():
        if not isinstance(name, str) or Path(name).name != name:
            raise UserError(f"{path} names {str(name)[:80]!r}, which is no file beside it", MEND)


def _shapes(path: Path) -> list[tuple[str, list[int]]]:
    check_file(path, MEND)
    try:
        with safe_open(path, framework="numpy") as file:
            return [(name, file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118 - no dictionary
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged: {str(error).splitlines()[0]}", MEND) from None
