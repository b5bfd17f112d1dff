import os
import stat
import struct

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.export.publish.install import Model, install_lm_studio, install_ollama, lm_studio_folder, ollama_name


def refuse(question):
    return False


def agree(question):
    return True


@pytest.fixture
def gguf(tmp_path):
    path = tmp_path / "run" / "DeepRed-0.7M-1969-07-20-Q8_0.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + b" and the rest")
    (path.parent / "Modelfile").write_text("FROM ./DeepRed-0.7M-1969-07-20-Q8_0.gguf\n")
    return path


def test_lm_studio_gets_the_file_and_its_card_where_it_looks_for_them(tmp_path, gguf):
    placed = install_lm_studio(Model(gguf, "# A card\n"), tmp_path / "models", refuse)
    folder = tmp_path / "models" / "deepred" / "DeepRed-0.7M-1969-07-20-GGUF"
    assert placed == [folder / gguf.name, folder / "README.md"]
    assert placed[0].read_bytes() == gguf.read_bytes() and placed[1].read_text() == "# A card\n"
    assert sorted(path.name for path in folder.iterdir()) == [gguf.name, "README.md"]


def test_another_file_of_the_name_is_replaced_only_with_consent(tmp_path, gguf):
    target = install_lm_studio(Model(gguf), tmp_path / "models", refuse)[0]
    install_lm_studio(Model(gguf), tmp_path / "models", refuse)  # the same bytes: nothing to ask
    target.write_bytes(b"mine")
    with pytest.raises(UserError, match="left alone"):
        install_lm_studio(Model(gguf), tmp_path / "models", refuse)
    assert target.read_bytes() == b"mine"
    install_lm_studio(Model(gguf), tmp_path / "models", agree)
    assert target.read_bytes() == gguf.read_bytes()


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (".lmstudio/models", ".lmstudio/models"),
        (".cache/lm-studio/models", ".cache/lm-studio/models"),
        (".lmstudio", ".lmstudio/models"),
    ],
)
def test_lm_studios_folder_is_found_old_or_new(tmp_path, made, expected):
    (tmp_path / made).mkdir(parents=True)
    assert lm_studio_folder(tmp_path) == tmp_path / expected


def test_a_moved_folder_of_lm_studio_is_followed(tmp_path):
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'elsewhere'}\n")
    assert lm_studio_folder(tmp_path) == tmp_path / "elsewhere" / "models"


def test_without_lm_studio_nothing_is_made_up(tmp_path):
    with pytest.raises(UserError, match="start LM Studio once, or name its models folder with --to"):
        lm_studio_folder(tmp_path)


def fake_ollama(folder, known=(), fails=""):
    """A program that notes how it is called, knows some models and may fail to create."""
    path = folder / "ollama"
    names = " ".join(known) or "-"
    path.write_text(
        f'#!/bin/sh\necho "$@" >> {folder}/calls\n'
        f'if [ "$1" = show ]; then for n in {names}; do [ "$n" = "$2" ] && exit 0; done; exit 1; fi\n'
        + (f'echo "{fails}" >&2; exit 1\n' if fails else "")
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_ollama_is_told_to_create_the_model_from_its_modelfile(tmp_path, gguf):
    said = []
    assert ollama_name(Model(gguf)) == "deepred-0.7m-1969-07-20:q8_0"
    install_ollama(Model(gguf), "red:q8_0", refuse, said.append, fake_ollama(tmp_path))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["show red:q8_0", f"create red:q8_0 -f {gguf.parent / 'Modelfile'}"]
    assert said == ["ollama run red:q8_0"]


def test_a_model_that_ollama_has_is_replaced_only_with_consent(tmp_path, gguf):
    program = fake_ollama(tmp_path, known=["red"])
    with pytest.raises(UserError, match="left alone"):
        install_ollama(Model(gguf), "red", refuse, print, program)
    assert "create" not in (tmp_path / "calls").read_text()
    install_ollama(Model(gguf), "red", agree, print, program)
    assert "create red" in (tmp_path / "calls").read_text()


def test_ollamas_own_words_are_passed_on(tmp_path, gguf):
    with pytest.raises(FaultError, match="no server answers"):
        install_ollama(Model(gguf), "red", agree, print, fake_ollama(tmp_path, fails="no server answers"))


def test_without_ollama_the_command_is_said(tmp_path, gguf, monkeypatch):
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    said = []
    install_ollama(Model(gguf), "red", refuse, said.append)
    assert f"ollama create red -f {gguf.parent / 'Modelfile'}" in said[0]


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "text.gguf"
    path.write_text("text")
    with pytest.raises(UserError, match="is not a GGUF file"):
        install_lm_studio(Model(path), tmp_path / "models", agree)
    with pytest.raises(UserError, match="does not exist"):
        install_ollama(Model(tmp_path / "none.gguf"), "red", agree, print, "ollama")
