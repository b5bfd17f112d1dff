"""The reference pages, made from the code that they describe: every config key, every command.

``python -m deepred.cli.reference docs`` writes ``docs/configuration.md`` and ``docs/commands.md``; a test tells when
they are behind the code.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from deepred.cli.main import app
from deepred.run.config import Run, section_model

HEADER = "<!-- made by `make docs` from the code; edit the descriptions there -->\n\n"

VARIABLES = {
    "DEEPRED_DATA": "folder of all outputs (default `data`)",
    "DEEPRED_SAMPLES": "folder of the sample data; no default",
    "DEEPRED_WORKERS": "worker processes (default: all cores)",
    "DEEPRED_THREADS": "threads of a training step (default: torch's choice)",
    "DEEPRED_TOGETHER": "1: all arms train at the same time, 0: one after the other (default: 1 on a CPU)",
    "DEEPRED_DEVICE": "torch device (default: the best there is)",
    "DEEPRED_RANKS": "devices that share one training (FSDP2), or processes on a CPU (default 1)",
    "DEEPRED_TENSORBOARD": "1: training curves for TensorBoard as well, in the stage's `logs/`",
    "DEEPRED_WANDB": "project of Weights & Biases that follows the training",
    "DEEPRED_STORE": "where `index` and `serve` keep articles: `sqlite`, or a `postgresql://` address",
    "DEEPRED_SEARCH": "what `index` and `serve` search with: `embedded`, or OpenSearch's address",
    "DEEPRED_EMBEDDINGS": "embeddings of `index`: `lsa`, `openai`, `minilm`, `none`",
    "DEEPRED_EMBEDDINGS_URL": "address of an OpenAI-compatible server of embeddings, for `openai`",
    "DEEPRED_EMBEDDINGS_MODEL": "its model, or the folder of `minilm`",
    "DEEPRED_EMBEDDINGS_KEY": "its key",
    "DEEPRED_EMBEDDINGS_DOCUMENT_PREFIX": "put before every text, for models that ask for it",
    "DEEPRED_EMBEDDINGS_QUERY_PREFIX": "put before every query",
    "DEEPRED_API_KEY": "key that `serve` and `serve-model` demand of their clients",
    "DEEPRED_LLM_KEY": "key of the model servers that commands ask",
    "REMOTE_HOST": "a second machine: its name stands for `REMOTE_HOST` in addresses of the run file",
    "DEEPRED_CONTACT": "mail address or page that downloads name to publishers",
    "DEEPRED_DEBUG": "show tracebacks",
}
"""Every variable that is read from the environment; a test compares it with the code."""


def configuration() -> str:
    """Markdown of every section and key of a run file, with type, default and meaning."""
    lines = [
        "# Configuration\n",
        "A run file is TOML. What stands in it changes the result, and is hashed into the keys of the stages that",
        "read it; where and how fast things run is a setting (`DEEPRED_*` variables, options). Any key can be",
        "overridden with `--set section.key=value`. Paths may be globs, and may start with `world:` (a file of the",
        "generated world), `samples:` (below `DEEPRED_SAMPLES`), `downloads:` (below the data folder's `downloads`)",
        "or `persona:` (a persona that ships with the package).\n",
        "| variable | meaning |\n|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()),
        "",
        "## Top level\n",
        *_table(Run, lambda name: section_model(Run, name) is None),
    ]
    for name in Run.model_fields:
        section = section_model(Run, name)
        if section is not None:
            lines += _section(name, section)
    return HEADER + "\n".join(lines) + "\n"


def _section(name: str, model: type[BaseModel]) -> list[str]:
    lines = [f"## [{name}]\n", (model.__doc__ or "").strip() + "\n"]
    lines += _table(model, lambda key: section_model(model, key) is None)
    for key in model.model_fields:
        inner = section_model(model, key)
        if inner is not None:
            lines += _section(f"{name}.{key}", inner)
    return lines


def _table(model: type[BaseModel], wanted: Any) -> list[str]:
    lines = ["| key | default | meaning |\n|---|---|---|"]
    for key, field in model.model_fields.items():
        if wanted(key):
            lines.append(f"| `{key}` | {_default(field)} | {field.description} |")
    return [*lines, ""]


def _default(field: Any) -> str:
    if field.default is PydanticUndefined:
        return "required" if field.default_factory is None else ""
    return f"`{field.default if not isinstance(field.default, BaseModel) else ''}`"


def commands() -> str:
    """Markdown of every command with its arguments and options."""
    group: Any = typer.main.get_command(app)
    lines = ["# Commands\n", "`deepred --help` lists them; `deepred COMMAND --help` explains each.\n"]
    lines += [
        "Exit codes: 0 done, 1 a fault (damaged data, a full disk, a failed gate), 2 something to mend in what was"
    ]
    lines += ["typed or configured, 130 stopped; every error is one line that says what is wrong and what mends it.\n"]
    for name, command in sorted(group.commands.items()):
        inner: dict[str, Any] = getattr(command, "commands", {})
        for spelled, part in [(name, command)] if not inner else sorted(inner.items()):
            lines += _command(spelled if not inner else f"{name} {spelled}", part)
    return HEADER + "\n".join(lines) + "\n"


def _command(name: str, command: Any) -> list[str]:
    arguments = [str(part.metavar or part.name.upper()) for part in command.params if _is_argument(part)]
    lines = [f"## deepred {' '.join([name, *arguments])}\n", (command.help or "").strip() + "\n"]
    rows = [f"| `{_spelling(part)}` | {part.help or ''} |" for part in command.params]
    return [*lines, "| | |\n|---|---|", *rows, ""] if rows else lines


def _is_argument(part: Any) -> bool:
    return part.param_type_name == "argument"


def _spelling(part: Any) -> str:
    if _is_argument(part):
        return str(part.metavar or part.name.upper()).replace("|", "\\|")  # a bare bar would end the table's cell
    value = "" if getattr(part, "is_flag", False) else f" {part.metavar or part.name or ''}".upper()
    return ", ".join(part.opts) + value


def write_pages(folder: Path) -> None:
    """Write both pages into a folder."""
    for name, text in [("configuration.md", configuration()), ("commands.md", commands())]:
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
