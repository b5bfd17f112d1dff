"""What setup says to whom it cannot serve: each wrong thing in one line with what mends it."""

import importlib.util
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Version = namedtuple("Version", "major minor micro")


@pytest.fixture
def install():
    spec = importlib.util.spec_from_file_location("deepred_install", ROOT / "tools" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(install, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["install.py", *map(str, arguments)])
    return install.main(), capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("minor", "word"), [(9, "old"), (15, "new")])
def test_a_python_that_will_not_do_names_one_that_will(install, monkeypatch, capsys, tmp_path, minor, word):
    monkeypatch.setattr(sys, "version_info", Version(3, minor, 0))
    monkeypatch.setattr(install.shutil, "which", {"python3.12": "/usr/bin/python3.12"}.get)
    code, lines = run(install, monkeypatch, capsys, tmp_path / ".venv", "serve")
    assert code == 2
    assert f"is too {word}, 3.11 to 3.14 is needed" in lines[-1]
    assert "make PYTHON=python3.12" in lines[-1]


def test_the_pythons_are_those_of_the_package(install):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, newest = install.OLDEST, install.NEWEST
    assert f'requires-python = ">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"' in text


def test_a_disk_too_small_is_said_before_anything_is_fetched(install, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(install, "free", lambda folder: 0.3)
    monkeypatch.setattr(install, "pip_install", lambda *_: pytest.fail("fetched"))
    code, lines = run(install, monkeypatch, capsys, tmp_path / ".venv", "train,serve")
    assert code == 2
    assert "on the disk; 0 GB are free" in lines[0]
    assert lines[-1].startswith("error: 0.3 GB are free for ")


def test_less_is_asked_of_the_disk_where_pip_may_find_the_cpu_build(install, monkeypatch, capsys, tmp_path):
    for name in install.OWN_PLACES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(install.sys, "platform", "linux")
    monkeypatch.setattr(install, "free", lambda folder: 4.0)
    monkeypatch.setattr(install, "pip_install", lambda *_: None)
    assert run(install, monkeypatch, capsys, tmp_path / "a", "train")[0] == 2
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    assert run(install, monkeypatch, capsys, tmp_path / "b", "train")[0] == 0


def test_no_ensurepip_names_debians_package(install, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    code, lines = run(install, monkeypatch, capsys, tmp_path / ".venv", "serve")
    assert code == 2
    assert "apt install python3-venv" in lines[-1]


def test_half_an_environment_is_made_anew_and_a_whole_one_kept(install, monkeypatch, capsys, tmp_path):
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(tmp_path / "gone")
    monkeypatch.setattr(install, "pip_install", lambda *_: None)
    code, lines = run(install, monkeypatch, capsys, venv, "serve")
    assert code == 0
    assert any("made anew" in line for line in lines)
    whole = (venv / "pyvenv.cfg").stat().st_mtime_ns
    assert run(install, monkeypatch, capsys, venv, "serve")[0] == 0
    assert (venv / "pyvenv.cfg").stat().st_mtime_ns == whole
    assert install.version_of(venv) == "{}.{}".format(*sys.version_info[:2])
    monkeypatch.setattr(sys, "version_info", Version(3, 11 if sys.version_info[1] != 11 else 12, 0))
    code, lines = run(install, monkeypatch, capsys, venv, "serve", "--same")
    assert code == 2
    assert "make clean, or keep both" in lines[-1]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection "
            "broken by 'ProxyError('Cannot connect to proxy.', NewConnectionError('Connection refused'))'\n"
            "ERROR: No matching distribution found for torch",
            "the proxy did not answer",
        ),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(': Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution')': /simple/torch/\nERROR: ResolutionImpossible",
            "the package index cannot be reached",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate'))", "PIP_CERT="),
        ("ERROR: No matching distribution found for torch", "the package index holds no PyTorch"),
        ("ERROR: ResolutionImpossible: for help visit", "is not to be had for this system"),
        ("Segmentation fault", "pip failed; its own words are above"),
    ],
)
def test_what_pip_says_is_explained(install, tmp_path, said, meant):
    assert meant in install.explain(said, tmp_path / ".venv", [])
    if "PyTorch" in meant:
        named = install.explain(said, tmp_path / ".venv", ["torch", "--index-url", "file:///somewhere"])
        assert named.startswith("file:///somewhere holds no PyTorch")
