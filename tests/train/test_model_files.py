import json

import pytest
import torch
from safetensors.torch import save_file

from deepred.base.errors import UserError
from deepred.train.model_files import check_model_folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 2, "hidden_size": 4}')
    save_file({name: torch.zeros(4, 4) for name in ("a", "b", "c")}, tmp_path / "model.safetensors")
    return tmp_path


def test_a_folder_that_agrees_passes(folder):
    check_model_folder(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"num_hidden_layers": 10**12},
        {"num_hidden_layers": 1000},
        {"n_layer": -1},
        {"hidden_size": 10**12},
        {"hidden_size": "x"},
        {"vocab_size": 0},
        {"vocab_size": 1.5},
    ],
)
def test_sizes_that_no_model_has_are_refused(folder, values):
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"config\.json"):
        check_model_folder(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff"])
def test_a_config_that_is_none_is_refused(folder, content):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=r"config\.json"):
        check_model_folder(folder)


@pytest.mark.parametrize("name", ["../elsewhere.safetensors", "/etc/passwd", 3])
def test_an_index_names_files_beside_it_only(folder, name):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(UserError, match="no file beside it"):
        check_model_folder(folder)


@pytest.mark.parametrize("length", [5, 10 << 40])
def test_damaged_weights_are_named(folder, length):
    (folder / "model.safetensors").write_bytes(length.to_bytes(8, "little") + b"[[[[[")
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        check_model_folder(folder)
