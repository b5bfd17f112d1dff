"""Commands of a finished model: talk to it, serve it, show its card, put it into LM Studio or Ollama, push it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from deepred.base.errors import UserError
from deepred.cli.options import Data, Json, RunFile, Set, open_pipeline, print_json, tell
from deepred.run.settings import Settings

ModelFile = Annotated[Path, typer.Argument(metavar="RUN.toml|MODEL.gguf", help="A run file, or a GGUF file.")]
Quantized = Annotated[
    str | None, typer.Option("--quantization", metavar="NAME", help="Another file of the run: F16, Q4_K_M …")
]
Yes = Annotated[bool, typer.Option("--yes", help="Replace what is there without asking.")]


def chat(
    model: ModelFile,
    prompt: Annotated[str | None, typer.Option(help="Ask this once, print the answer, and end.")] = None,
    system: Annotated[str | None, typer.Option(help="Another system prompt than the persona's.")] = None,
    persona: Annotated[str | None, typer.Option(help="Another persona: a shipped one, or a TOML file.")] = None,
    temperature: Annotated[float, typer.Option(min=0.0, max=2.0, help="0: always the likeliest word.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 256,
    seed: Annotated[int | None, typer.Option(help="Seed of sampling, for the same answers again.")] = None,
    quantization: Quantized = None,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Talk to a model in its persona."""
    from deepred.serve import terminal_chat as chatting

    chatting.chat(
        model_file(model, quantization, overrides, data),
        prompt=prompt,
        system=system,
        persona=persona,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        threads=Settings.from_environment().threads,
    )


def serve_model(
    model: ModelFile,
    host: Annotated[str, typer.Option(help="Address to listen on; another than this machine's needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port (0: a free one).")] = 8080,
    api_key: Annotated[
        str, typer.Option("--api-key", envvar="DEEPRED_API_KEY", help="Key that clients must send.", show_default=False)
    ] = "",
    quantization: Quantized = None,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Serve a model to any OpenAI client, until Ctrl-C."""
    from deepred.serve import serve_model as serving

    path = model_file(model, quantization, overrides, data)

    def ready(address: str) -> None:
        tell(f"{path.name} at {address}{'' if not api_key else ' (with the API key)'}; Ctrl-C ends it")

    serving.serve_model(path, host, port, api_key, Settings.from_environment().threads, ready)


def card(
    run_file: RunFile,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to this file.")] = None,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Print a run's model card, with its data, what it knows and what was checked."""
    text = model_card(gguf_folder(run_file, overrides, data), run_file, overrides, data)
    if out is None:
        sys.stdout.write(text)
        return
    if out.exists():
        raise UserError(f"{out} is there already", "name a new file")
    out.write_text(text, encoding="utf-8")
    tell(str(out))


def install(
    program: Annotated[Literal["lmstudio", "ollama"], typer.Argument(help="lmstudio or ollama.")],
    model: ModelFile,
    quantization: Quantized = None,
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="LM Studio's models folder, if not found.")] = None,
    name: Annotated[str, typer.Option(help="The model's name in Ollama (default: the file's).")] = "",
    publisher: Annotated[str, typer.Option(help="The folder that LM Studio groups by.")] = "deepred",
    yes: Yes = False,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Put a model where LM Studio or Ollama finds it; asks before it replaces anything."""
    from deepred.export.publish import install as installing

    path = model_file(model, quantization, overrides, data)
    text = model_card(path.parent, model, overrides, data) if model.suffix == ".toml" else ""
    found = installing.Model(path, text)
    if program == "lmstudio":
        models = to or installing.lm_studio_folder(Path.home())
        for placed in installing.install_lm_studio(found, models, _confirm(yes), publisher):
            tell(str(placed))
        return
    installing.install_ollama(found, name or installing.ollama_name(found), _confirm(yes), tell)


def push(
    run_file: RunFile,
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the hub.")],
    quantizations: Annotated[
        list[str] | None, typer.Option("--quantization", metavar="NAME", help="Only these files; repeatable.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="A new repository is open (default: private).")] = False,
    plan_only: Annotated[bool, typer.Option("--plan", help="Only list what would go.")] = False,
    yes: Yes = False,
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Push a run's files, card and Modelfiles to a hub (extra `hub`); needs a token, and asks first."""
    from deepred.export.publish import hub

    hub.check_repository(repository)
    folder = gguf_folder(run_file, overrides, data)
    uploads = hub.plan_uploads(folder, model_card(folder, run_file, overrides, data), quantizations or ())
    total = sum(upload.size for upload in uploads)
    if as_json:
        print_json({"repository": repository, "files": {upload.name: upload.size for upload in uploads}})
    else:
        for upload in uploads:
            tell(f"{upload.size / 1e6:10,.1f} MB  {upload.name}")
        tell(f"{total / 1e6:10,.1f} MB  in {len(uploads)} files to {repository} ({'public' if public else 'private'})")
    if plan_only:
        return
    client = hub.hub_client()
    if not _confirm(yes)(f"push to {repository}?"):
        raise UserError("nothing was pushed", "--yes pushes without asking")
    tell(hub.push(client, repository, uploads, public))


def _confirm(yes: bool) -> Callable[[str], bool]:
    """Asks on the terminal; without one, or with --yes, the answer is known."""

    def ask(question: str) -> bool:
        if yes:
            return True
        return sys.stdin.isatty() and typer.confirm(question, default=False)

    return ask


def model_file(model: Path, quantization: str | None, overrides: list[str] | None, data: Path | None) -> Path:
    """The GGUF file of a run (the one that chats, or that of a quantization), or the file itself."""
    if model.suffix != ".toml":
        if quantization:
            raise UserError(f"{model} is one file; --quantization chooses among a run's", "name the other file")
        return model
    folder = gguf_folder(model, overrides, data)
    if quantization is None:
        return folder / json.loads((folder / "chat.json").read_text(encoding="utf-8"))["file"]
    files = {path.stem.rpartition("-")[2]: path for path in sorted(folder.glob("*.gguf"))}
    if quantization not in files:
        raise UserError(f"this run has no {quantization} file", f"it has {', '.join(files)} (gguf.quantizations)")
    return files[quantization]


def gguf_folder(run_file: Path, overrides: list[str] | None, data: Path | None) -> Path:
    """The finished ``gguf`` folder of a run; ``UserError`` where there is none."""
    from deepred.run.runner import is_complete

    pipeline = open_pipeline(run_file, overrides, data)
    folder = pipeline.folder(pipeline.node("gguf"))
    if not is_complete(folder):
        raise UserError(f"{run_file} has no model yet", f"build it first: deepred run {run_file}")
    return folder


def model_card(folder: Path, run_file: Path, overrides: list[str] | None, data: Path | None) -> str:
    """The card of a run's model with what its report has found; as the stage wrote it where there is no report yet."""
    from deepred.export.publish.card import Facts, Release, write_card
    from deepred.run.runner import is_complete

    pipeline = open_pipeline(run_file, overrides, data)
    values = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    report = pipeline.folder(pipeline.node("report")) / "report.json"
    found = json.loads(report.read_text(encoding="utf-8")) if is_complete(report.parent) else {}
    facts = Facts(**values["facts"] | {"base": pipeline.run.pretrain.model.base, "report": found})
    return write_card(Release.from_json(values["release"]), facts)
