"""The command that filters any text, from stdin to stdout, and the judge that it asks for."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deepred.base.days import format_day, from_date
from deepred.base.errors import UserError
from deepred.cli.options import MOON, Data, Set, built_folders, built_threshold, errors, open_pipeline

if TYPE_CHECKING:
    from deepred.filter.judge import Judge

Preset = Literal["strict", "balanced", "lenient"]
Threshold = Annotated[
    float | None, typer.Option(min=0.0, max=1.0, help="Probability from which a sentence is dropped; over the preset.")
]


def text(
    model: Annotated[
        Path | None,
        typer.Option(metavar="RUN.toml|DIR", help="A run, or a folder of `filter score`; without: dates alone."),
    ] = None,
    cutoff: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first late day (default: the model's).")
    ] = None,
    preset: Annotated[Preset | None, typer.Option(help="Operating point (default: the run's, or balanced).")] = None,
    threshold: Threshold = None,
    overrides: Set = None,
    data: Data = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON a sentence: text, kept, reason, probability.")
    ] = False,
) -> None:
    """Filter any text from stdin to stdout: a line is a paragraph; what is kept comes out as it went in."""
    import orjson

    from deepred.filter.use.plain_text import filter_stream

    day = from_date(cutoff.date()) if cutoff else None
    judge = _load_judge(model, day, preset, threshold, overrides, data)
    # bytes that are no UTF-8 pass through unchanged; JSON, which cannot hold them, shows them as U+FFFD
    wrong = "replace" if as_json else "surrogateescape"
    source = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors=wrong, newline="")
    target = sys.stdout.buffer
    try:
        for block in filter_stream(source.read, judge):
            if as_json:
                for verdict in block.verdicts:
                    target.write(orjson.dumps(verdict) + b"\n")
            else:
                target.write(block.text.encode("utf-8", "surrogateescape"))
            target.flush()
    except BrokenPipeError:  # the reader (head, less) has enough
        sys.stderr.close()
    finally:
        source.detach()


def _load_judge(
    model: Path | None,
    cutoff: int | None,
    preset: Preset | None,
    threshold: float | None,
    overrides: list[str] | None,
    data: Path | None,
) -> Judge:
    """The judge that is asked for; what it lacks is said on stderr."""
    from deepred.filter.judge import Judge, threshold_of
    from deepred.run.config import Passages

    tell = partial(errors.print, highlight=False, soft_wrap=True, markup=False)
    if model is None:
        tell("no model: later dates alone decide, and what leans on them (--model names a run)")
        return Judge.by_dates_alone(cutoff or from_date(MOON.date()), "drop")
    emergence, passages, fitted, straddling, own = _find_model(model, overrides, data)
    if preset is not None or threshold is not None or own is None:
        own = threshold_of(Passages(preset=preset or "balanced", threshold=threshold))
    judge = Judge.load(emergence, passages, cutoff or fitted, straddling, own)
    if judge.model is None:
        tell("this model is words, names and rules: its corpus held too few dated sentences to fit more")
    elif cutoff is not None and cutoff != fitted:
        tell(f"fitted for {format_day(fitted)}: at {format_day(cutoff)} its words, names and rules decide")
        judge = replace(judge, model=None)
    return judge


def _find_model(
    model: Path, overrides: list[str] | None, data: Path | None
) -> tuple[Path, Path, int, str, float | None]:
    """The folders of ``emergence`` and ``passages`` of a run or of ``filter score``, what they were fitted for, and the
    run's own threshold.
    """
    from deepred.filter.measure.learn_from_corpus import EMERGENCE, PASSAGES
    from deepred.run.runner import is_complete, read_manifest

    if model.suffix == ".toml":
        pipeline = open_pipeline(model, overrides, data)
        built = built_folders(pipeline, model, EMERGENCE, PASSAGES)
        own = built_threshold(pipeline, built[PASSAGES])
        return built[EMERGENCE], built[PASSAGES], from_date(pipeline.run.cutoff), pipeline.run.straddling, own
    manifest = read_manifest(model) if is_complete(model) else {}
    if manifest.get("stage") != "learned":
        mend = "name a run file, or the folder that `deepred filter score --json` calls learned"
        raise UserError(f"{model} holds nothing that a filter learned", mend)
    return model / EMERGENCE, model / PASSAGES, manifest["cutoff"], manifest["straddling"], None
