"""What people are told when a package is missing."""

import errno
from pathlib import Path

import pytest

from deepred.base.errors import FaultError, UserError, explained, extra_of, system_fault


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.txt"), "x: the disk is full at a.txt (free space;"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "x: the disk is full at out (free space;"),
        (OSError("147584 requested and 93152 written"), "x: the disk is full at out (free space;"),
        (ValueError("An IO error occurred: 'No space left on device'"), "x: the disk is full at out (free space;"),
        (RuntimeError("INTERNAL: database or disk is full"), "x: the disk is full at out (free space;"),
        (PermissionError(errno.EACCES, "Permission denied", "b"), "x: Permission denied: b (let this user write there"),
        (OSError(errno.EROFS, "Read-only file system", "b"), "x: Read-only file system: b (let this user write there"),
        (OSError(errno.EIO, "Input/output error", "c"), "x: Input/output error: c (the same command goes on"),
    ],
)
def test_what_the_system_refuses_names_the_file_and_the_mend(error, said):
    assert str(system_fault(error, "x", Path("out"))).startswith(said)
    assert isinstance(explained(error, "x"), FaultError) and explained(error, "x").mend


def test_any_other_error_is_no_fault_of_the_system():
    assert system_fault(ValueError("a wrong value"), "x") is None
