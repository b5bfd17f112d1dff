"""A model put where LM Studio or Ollama looks for it: into the user's own folders, never over something else unasked.

LM Studio finds ``models/<publisher>/<model>/<file>.gguf`` below its folder. Ollama copies what a Modelfile names into a
store of its own (``ollama create``).
"""

from __future__ import annotations

import filecmp
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepred.base.errors import FaultError, UserError
from deepred.base.files import replaced
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.llama_server import bounded_context
from deepred.export.publish.card import write_modelfile

PUBLISHER = "deepred"
QUANTIZATION = re.compile(r"[-.](?:F16|F32|BF16|I?Q\d\w*)$", re.IGNORECASE)
"""The end of a file's name that names its quantization."""
LM_STUDIO = (".lmstudio/models", ".cache/lm-studio/models")
"""Where LM Studio keeps models below the home folder: since version 0.3.5, and before."""

Confirm = Callable[[str], bool]
"""Asks the user a question and returns whether the answer is yes."""


@dataclass(frozen=True)
class Model:
    """A GGUF file to install, with the card and the Modelfile beside it where there are some."""

    path: Path
    card: str = ""

    @property
    def name(self) -> str:
        """The model's name: the file's without its quantization."""
        return QUANTIZATION.sub("", self.path.stem)


def lm_studio_folder(home: Path) -> Path:
    """Where LM Studio keeps its models; ``UserError`` where it has none."""
    pointer = home / ".lmstudio-home-pointer"  # written where a user has moved the folder
    if pointer.is_file():
        return Path(pointer.read_text(encoding="utf-8").strip()) / "models"
    for name in LM_STUDIO:
        if (home / name).parent.is_dir():
            return home / name
    raise UserError(
        f"LM Studio has no folder here (looked for {home / '.lmstudio'} and {home / '.cache/lm-studio'})",
        "start LM Studio once, or name its models folder with --to",
    )


def install_lm_studio(model: Model, models: Path, confirm: Confirm, publisher: str = PUBLISHER) -> list[Path]:
    """Copy the file, and its card, to ``models/publisher/name/``; returns what is there now."""
    read_metadata(model.path)
    folder = models / publisher / f"{model.name}-GGUF"
    target = folder / model.path.name
    if target.exists() and not filecmp.cmp(model.path, target, shallow=False) and not confirm(f"replace {target}?"):
        raise UserError(f"{target} is there already and was left alone", "--yes replaces it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (target.exists() and filecmp.cmp(model.path, target, shallow=False)):
            with replaced(target) as partial:
                shutil.copyfile(model.path, partial)
        if model.card:
            (folder / "README.md").write_text(model.card, encoding="utf-8")
    except OSError as error:
        raise FaultError(f"{folder} cannot be written: {error.strerror}", "free space, or name another --to") from None
    return [target, *([folder / "README.md"] if model.card else [])]


def ollama_name(model: Model) -> str:
    """What the model is called in Ollama: ``deepred-0.7m-1969-07-20:q8_0``."""
    tag = model.path.stem[len(model.name) :].strip("-.").lower()
    return f"{model.name.lower()}:{tag or 'latest'}"


def install_ollama(
    model: Model, name: str, confirm: Confirm, say: Callable[[str], None], program: str | None = None
) -> None:
    """Have Ollama take the file in; where Ollama is not installed, say what to type once it is."""
    read_metadata(model.path)
    found = program or shutil.which("ollama")
    modelfile = _modelfile(model, confirm)
    command = [found or "ollama", "create", name, "-f", str(modelfile)]
    if found is None:
        say(f"ollama is not on the PATH. Once it is installed (https://ollama.com): {' '.join(command)}")
        return
    if _run([found, "show", name]).returncode == 0 and not confirm(f"replace the model {name} in Ollama?"):
        raise UserError(f"Ollama has a model {name} already; it was left alone", "--yes replaces it, or --name another")
    result = _run(command)
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip().splitlines() or ["no reason given"]
        raise FaultError(f"ollama create failed: {reason[-1]}", "is the Ollama server running? (ollama serve)")
    say(f"ollama run {name}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _modelfile(model: Model, confirm: Confirm) -> Path:
    """The Modelfile beside a file that names it, or a new one made from the file's own metadata."""
    folder = model.path.parent
    for path in sorted(folder.glob("Modelfile*")):
        if path.read_text(encoding="utf-8").startswith(f"FROM ./{model.path.name}\n"):
            return path
    metadata = read_metadata(model.path)
    system = str(metadata.get("deepred.system_prompt", ""))
    context = bounded_context(metadata)
    text = write_modelfile(f"./{model.path.name}", system, context, str(metadata.get("general.license", "unknown")))
    path = folder / f"Modelfile-{model.path.stem}"
    if path.exists() and not confirm(f"replace {path}?"):
        raise UserError(f"{path} is there already and was left alone", "--yes replaces it")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", "copy the file to a folder of yours") from None
    return path
