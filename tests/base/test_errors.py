"""What people are told when a package is missing."""

import pytest

from deepred.base.errors import FaultError, UserError, explained, extra_of


@pytest.mark.parametrize(
    ("module", "extra"),
    [("torch", "train"), ("xllamacpp", "gguf"), ("fastapi", "serve"), ("adbc_driver_sqlite", "serve"), ("nothing", "")],
)
def test_a_module_is_brought_by_its_extra(module, extra):
    assert extra_of(module) == extra


def test_a_missing_package_names_what_brings_it_and_another_error_is_a_fault():
    error = explained(ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"), "pretrain@floor")
    assert isinstance(error, UserError)
    assert "pretrain@floor: the package torch.nn is not installed" in str(error)
    assert 'pip install "deepred[train]"' in str(error)
    assert isinstance(explained(ModuleNotFoundError("No module named 'other'", name="other")), FaultError)
    assert str(explained(KeyError("a"), "rank 1")) == "rank 1: KeyError: 'a'"
