"""What is said where llama.cpp's module is not there, or the system lacks what it needs."""

import sys

import pytest

from deepred.base.errors import UserError
from deepred.export.gguf import llama_library


def with_module(tmp_path, monkeypatch, text):
    (tmp_path / "xllamacpp.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)


def test_a_system_without_openmp_is_told_what_brings_it(tmp_path, monkeypatch):
    with_module(tmp_path, monkeypatch, "raise ImportError('libgomp.so.1: cannot open shared object file')")
    with pytest.raises(UserError, match=r"cannot be loaded: libgomp\.so\.1.*apt install libgomp1"):
        llama_library.import_xllamacpp()


def test_a_module_that_is_not_there_names_its_extra(tmp_path, monkeypatch):
    with_module(tmp_path, monkeypatch, "raise ModuleNotFoundError('xllamacpp')")
    with pytest.raises(UserError, match=r"xllamacpp is not installed.*deepred\[gguf\]"):
        llama_library.import_xllamacpp()


def test_pytorchs_openmp_is_taken_where_the_system_has_none(tmp_path, monkeypatch):
    (tmp_path / "torch" / "lib").mkdir(parents=True)
    (tmp_path / "torch" / "__init__.py").touch()
    brought = tmp_path / "torch" / "lib" / "libgomp.so.1"
    brought.touch()
    monkeypatch.syspath_prepend(tmp_path)
    asked = []

    def load(name, mode):
        asked.append(name)
        if name == "libgomp.so.1":
            raise OSError("no such library")

    monkeypatch.setattr(llama_library.ctypes, "CDLL", load)
    monkeypatch.setattr(llama_library.importlib.util, "find_spec", lambda name: PathSpec([str(tmp_path / "torch")]))
    llama_library.load_openmp()
    assert asked == ["libgomp.so.1", str(brought)]


class PathSpec:
    def __init__(self, places):
        self.submodule_search_locations = places
