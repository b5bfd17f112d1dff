from datetime import date
from pathlib import Path

import pytest

from deepred.base.errors import UserError
from deepred.run.config import load_run
from deepred.run.settings import Settings

RUNS = sorted((Path(__file__).parents[3] / "runs").glob("*.toml"))


def write(tmp_path, text):
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_shipped_run_files_are_valid(path):
    assert load_run(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\ncutof = 1969-07-20', r"unknown key cutof; did you mean cutoff\?"),
        ('name = "x"\n[pretrain.model]\nlayer = 2', r"unknown key pretrain\.model\.layer; did you mean layers\?"),
        ('name = "x"\n[world]\nzzzz = 2', r"unknown key world\.zzzz; valid keys: seed, "),
        ('name = "x"\n[pretrain]\ntokens = 0', r"pretrain\.tokens = 0: Input should be greater than"),
        ("cutoff = 1969-07-20", "name is missing"),
        ('name = "a/b"', "name = 'a/b'"),
        ("name = ", "is not valid TOML"),
    ],
)
def test_wrong_keys_and_values_are_named(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as caught:
        load_run(write(tmp_path, text))
    assert "run.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_run_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.toml does not exist"):
        load_run(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("world.seed=7", ("world", "seed"), 7),
        ("cutoff=1990-01-01", ("cutoff",), date(1990, 1, 1)),
        ("passages.preset=strict", ("passages", "preset"), "strict"),
        ("pretrain.model.layers=3", ("pretrain", "model", "layers"), 3),
        ('arms=["filtered"]', ("arms",), ["filtered"]),
    ],
)
def test_overrides_reach_any_key(tmp_path, override, path, value):
    found = load_run(write(tmp_path, 'name = "x"'), [override])
    for name in path:
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize("override", ["cutoff", "=3", "name.x=1", "pretrain.tokns=3"])
def test_overrides_that_lead_nowhere_are_refused(tmp_path, override):
    with pytest.raises(UserError):
        load_run(write(tmp_path, 'name = "x"'), [override])


def test_torchrun_is_told_how_ranks_are_started(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(UserError, match="DEEPRED_RANKS=2"):
        Settings.from_environment()
