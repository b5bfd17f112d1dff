import json
import struct
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.cli.options import open_pipeline
from deepred.export.publish.card import Facts, Release, write_modelfile

DEMO = Path(__file__).parents[2] / "runs" / "demo.toml"
HEAD = b"GGUF" + struct.pack("<IQQ", 3, 0, 0)
RELEASE = Release("DeepRed", "0.7M", 19690720, "Deep Red", "You are Deep Red.", "cc-by-sa-4.0")


@pytest.fixture
def data(tmp_path):
    """The data folder of a demo whose ``gguf`` stage is done, its files in miniature."""
    pipeline = open_pipeline(DEMO, None, tmp_path)
    folder = pipeline.folder(pipeline.node("gguf"))
    folder.mkdir(parents=True)
    for kind in ("F16", "Q8_0"):
        (folder / RELEASE.file_name(kind)).write_bytes(HEAD + kind.encode())
        text = write_modelfile(f"./{RELEASE.file_name(kind)}", RELEASE.system_prompt, 128, RELEASE.licence)
        (folder / f"Modelfile-{kind}").write_text(text)
    (folder / "chat.json").write_text(json.dumps({"file": RELEASE.file_name("Q8_0"), "persona": "Deep Red"}))
    facts = Facts({"layers": 2}, {RELEASE.file_name("F16"): 7}, [])
    (folder / "release.json").write_text(json.dumps({"release": asdict(RELEASE), "facts": asdict(facts)}))
    (folder / "manifest.json").write_text("{}")
    return tmp_path


def deepred(*arguments, expects=None):
    """What a command prints; the error it ends in where one is expected."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if expects:
        assert isinstance(result.exception, UserError), result.output
        assert expects in str(result.exception) and "\n" not in str(result.exception)
    else:
        assert result.exception is None, result.exception
    return result.output


def test_the_card_is_printed_or_written_once(data, tmp_path):
    text = deepred("card", DEMO, "--data", data)
    assert text.startswith("---\n") and "# Deep Red, 0.7M parameters" in text and "Not measured yet" in text
    out = tmp_path / "card.md"
    deepred("card", DEMO, "--data", data, "--out", out)
    assert out.read_text() == text
    deepred("card", DEMO, "--data", data, "--out", out, expects="is there already")


def test_a_runs_file_and_card_are_put_into_lm_studios_folder(data, tmp_path):
    deepred("install", "lmstudio", DEMO, "--data", data, "--to", tmp_path / "models")
    folder = tmp_path / "models" / "deepred" / "DeepRed-0.7M-1969-07-20-GGUF"
    assert (folder / RELEASE.file_name("Q8_0")).read_bytes() == HEAD + b"Q8_0"
    assert "# Deep Red" in (folder / "README.md").read_text()
    deepred("install", "lmstudio", DEMO, "--data", data, "--to", tmp_path / "models", "--quantization", "F16")
    placed = folder / RELEASE.file_name("F16")
    placed.write_bytes(b"another")
    again = ("install", "lmstudio", DEMO, "--data", data, "--to", tmp_path / "models", "--quantization", "F16")
    deepred(*again, expects="left alone")
    assert placed.read_bytes() == b"another"
    deepred(*again, "--yes")
    assert placed.read_bytes() == HEAD + b"F16"


def test_without_ollama_the_command_to_type_is_said(data, monkeypatch):
    monkeypatch.setenv("PATH", "")
    text = deepred("install", "ollama", DEMO, "--data", data)
    assert "ollama create deepred-0.7m-1969-07-20:q8_0 -f" in text and "Modelfile-Q8_0" in text


def test_a_push_states_what_would_go_and_goes_nowhere_without_a_token(data, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    listed = json.loads(deepred("push", DEMO, "me/DeepRed", "--data", data, "--plan", "--json"))
    assert {"README.md", RELEASE.file_name("F16"), "Modelfile-F16"} <= set(listed["files"])
    assert "to me/DeepRed (private)" in deepred("push", DEMO, "me/DeepRed", "--data", data, "--plan")
    deepred("push", DEMO, "me/DeepRed", "--data", data, "--yes", expects="needs a token")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("chat", DEMO, "--quantization", "Q3_K_XL"), "no Q3_K_XL file (it has F16, Q8_0"),
        (("serve-model", DEMO, "--quantization", "Q2_K"), "no Q2_K file"),
        (("install", "lmstudio", DEMO, "--quantization", "q8"), "no q8 file"),
        (("push", DEMO, "me/x", "--quantization", "Q3_K"), "no Q3_K file"),
        (("push", DEMO, "nowhere"), "owner/name"),
        (("chat", "nowhere.toml"), "does not exist"),
        (("serve-model", "nowhere.gguf"), "does not exist"),
        (("install", "ollama", "nowhere.gguf"), "does not exist"),
        (("install", "lmstudio", "nowhere.gguf", "--to", "models"), "does not exist"),
        (("chat", "x.gguf", "--quantization", "F16"), "chooses among a run's"),
        (("serve-model", "x.gguf", "--host", "0.0.0.0"), "API key"),
    ],
)
def test_a_wrong_path_or_name_is_one_clear_line(data, arguments, problem):
    deepred(*arguments, "--data", data, expects=problem)


def test_a_run_that_is_not_built_says_how_to_build_it(tmp_path):
    for command in (("chat",), ("serve-model",), ("card",), ("install", "ollama")):
        deepred(*command, DEMO, "--data", tmp_path, expects="build it first: deepred run")
