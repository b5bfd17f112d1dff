"""The command that exports a corpus: it needs a built mixture, and says so."""

import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app


def test_export_of_a_run_that_is_not_built_is_an_error_that_names_the_command(tmp_path):
    run = tmp_path / "run.toml"
    run.write_text('name = "r"\n[world]\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["corpus", str(run), "--out", str(tmp_path / "out"), "--data", str(tmp_path)])
    assert isinstance(result.exception, UserError)
    assert "--until mixture" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("option", "value"), [("--format", "csv"), ("--arm", "article")])
def test_an_unknown_format_or_arm_is_refused(tmp_path, option, value):
    run = tmp_path / "run.toml"
    run.write_text('name = "r"\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["corpus", str(run), "--out", str(tmp_path / "out"), option, value])
    assert result.exit_code == 2
