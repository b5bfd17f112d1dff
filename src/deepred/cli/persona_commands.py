"""The commands about instruction data: a teacher behind an endpoint asked, and two teachers compared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deepred.base.days import from_date
from deepred.base.errors import UserError
from deepred.cli.options import Answers, Data, RunFile, Set, ask_model, built_folders, console, open_pipeline, tell

if TYPE_CHECKING:
    from deepred.persona.model_teacher.requests import Course, Lesson
    from deepred.run.config import Teacher
    from deepred.run.runner import Pipeline

PLACES = ("passages", "books", "chess", "topics")
"""Stages whose text a teacher may be shown; those that a run leaves out are none."""


def teach(
    run_file: RunFile,
    out: Answers,
    purpose: Annotated[
        Literal["examples", "augment"], typer.Option("--for", help="Conversations to fine-tune on, or training text.")
    ] = "examples",
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Only state pieces, tokens, cost and time, after a few calls.")
    ] = False,
    compare: Annotated[
        int, typer.Option(metavar="SAMPLE", min=0, help="Ask two teachers the same SAMPLE lessons, and compare.")
    ] = 0,
    against: Annotated[str, typer.Option(metavar="URL", help="The other teacher's address (default: the same).")] = "",
    against_model: Annotated[str, typer.Option(metavar="MODEL", help="Its model (default: the same).")] = "",
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Ask the model of the section teacher for conversations in the persona's voice, or for training text.

    `examples.answers` (`augment.answers`) then names its answers; the stage checks every one of them. REMOTE_HOST
    names a second machine that is asked at the same time.
    """
    from deepred.persona.model_teacher.ask_teacher import teach as ask_teacher

    pipeline = _open(run_file, overrides, data, purpose)
    config = pipeline.run.teacher
    if config is None:
        raise UserError(f"{run_file} names no teacher", "add a section [teacher] with url and model")
    course, lessons = _lessons(pipeline, run_file, config, purpose)
    if not lessons:
        raise UserError("this run has no text to ask about", "see the drops of passages with `deepred show`")
    if compare:
        if purpose != "examples" or not (against or against_model):
            raise UserError(
                "--compare needs another teacher of conversations", "name it with --against URL or --against-model"
            )
        _compare(pipeline, run_file, course, lessons[:compare], out, against, against_model)
        return
    ask_model("teach", partial(ask_teacher, course, lessons), out, purpose, run_file, plan_only)


def _open(run_file: Path, overrides: list[str] | None, data: Path | None, purpose: str) -> Pipeline:
    """The run without what is to be asked: a file that grows must not change a key, nor need to be there."""
    pipeline = open_pipeline(run_file, [*(overrides or []), "examples.answers=[]"], data)
    if purpose == "augment" and pipeline.run.augment is None:
        raise UserError(f"{run_file} has no section [augment]", "add one; an empty one is enough")
    return pipeline


def _lessons(pipeline: Pipeline, run_file: Path, config: Teacher, purpose: str) -> tuple[Course, list[Lesson]]:
    from deepred.persona.model_teacher.requests import Course, library_of
    from deepred.persona.personas import load_persona

    names = {node.stage.name for node in pipeline.nodes}
    built = built_folders(pipeline, run_file, *(name for name in PLACES if name in names))
    persona = load_persona(pipeline.sources(pipeline.node("examples"))["persona"][0])
    course = Course(config, persona, from_date(pipeline.run.cutoff), pipeline.run.seed)
    library = library_of({name: built.get(name) for name in PLACES})
    if purpose == "augment" and pipeline.run.augment is not None:
        return course, course.rewritings(library, pipeline.run.augment)
    return course, course.conversations(library)


def _compare(
    pipeline: Pipeline, run_file: Path, course: Course, lessons: list[Lesson], out: Path, url: str, model: str
) -> None:
    """Both teachers' answers go to files of their own beside ``out``, which a later run goes on with."""
    from deepred.base.files import write_text
    from deepred.persona.checks import Limits
    from deepred.persona.model_teacher.ask_teacher import compare_markdown, score_teacher
    from deepred.persona.model_teacher.ask_teacher import teach as ask_teacher
    from deepred.persona.selection import load_judge

    changes: dict[str, Any] = {"further": []} | ({"url": url} if url else {}) | ({"model": model} if model else {})
    built = built_folders(pipeline, run_file, "emergence", "passages")
    run = pipeline.run
    judge = load_judge(built["emergence"], built["passages"], course.cutoff, run.straddling)
    limits = Limits(run.examples.max_copied, run.examples.min_grounded)
    scores = []
    for number, config in enumerate((course.config, course.config.model_copy(update=changes)), 1):
        each = replace(course, config=config)
        file = out if number == 1 else out.with_name(f"{out.stem}.against{out.suffix}")
        ask_teacher(each, lessons, file, plan_only=False, tell=tell, progress=lambda tally, total: None)
        scores.append(score_teacher(each, lessons, file, judge, limits))
    text = compare_markdown(scores, run.name)
    page = out.with_suffix(".md")
    write_text(page, text)
    console.print(text, highlight=False, markup=False, soft_wrap=True)
    tell(f"comparison  {page}")
