"""The commands that look behind answers: to the documents that taught them, and to what a model was made to forget."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepred.base.days import day, format_day, from_date
from deepred.base.errors import UserError
from deepred.cli.options import (
    Data,
    Json,
    RunFile,
    Set,
    Workers,
    built_folders,
    built_threshold,
    console,
    errors,
    open_pipeline,
    print_json,
    tell,
)
from deepred.run.arm_names import TextArm, Trained
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.evaluate.trace.trace import Match, Statement
    from deepred.evaluate.trace.why_document import Explainer
    from deepred.evaluate.trace.word_index import TextIndex
    from deepred.run.runner import Pipeline

ArmOption = Annotated[TextArm, typer.Option(help="The arm whose training text is searched.")]


def trace(
    run_file: RunFile,
    text: Annotated[str | None, typer.Argument(help="A text: an answer of the model, a sentence, a name.")] = None,
    probe: Annotated[str | None, typer.Option(metavar="ID", help="Trace this probe family instead of a text.")] = None,
    report: Annotated[
        Path | None, typer.Option("--leaks", metavar="REPORT", help="Trace the leaks of this report.json instead.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Documents shown at most.")] = 10,
    least: Annotated[int, typer.Option(min=1, help="Words that a text and a document must share in a row.")] = 4,
    arm: ArmOption = "filtered",
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Find the training documents that hold a text or state a probe's fact, and why the filter kept them.

    The training text is indexed once (below `trace` of the data folder); after that an answer takes seconds.
    """
    if sum(value is not None for value in (text, probe, report)) != 1:
        raise UserError("name one of a text, --probe ID and --leaks REPORT", 'deepred trace RUN.toml "a sentence"')
    pipeline = open_pipeline(run_file, overrides, data, workers)
    index, explainer = _open(pipeline, run_file, arm)
    if text is not None:
        from deepred.evaluate.trace.trace import trace_text

        matches = [match_row(match, explainer) for match in trace_text(index, text, most, least)]
        found: dict[str, Any] = {"text": text, "corpus": index.size, "matches": matches}
        print_json(found) if as_json else _print_matches(found)
        return
    facts = _leaked_of(report) if report else [_family(pipeline, run_file, str(probe))]
    rows = _traced(index, explainer, facts, most)
    print_json({"corpus": index.size, "facts": rows}) if as_json else _print_facts(rows)


def leaks(
    target: Annotated[Path, typer.Argument(metavar="REPORT|RUN.toml", help="A report.json, or a run file.")],
    run_file: Annotated[
        Path | None, typer.Option("--run", metavar="RUN.toml", help="The run file of a report.json, to say why.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Facts shown at most.")] = 20,
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """List leaked facts, the best known first, with the training sentences that teach them: what to fix next."""
    is_run = target.suffix == ".toml"
    if is_run:
        pipeline = open_pipeline(target, overrides, data, workers)
        report = built_folders(pipeline, target, "report")["report"] / "report.json"
        index, explainer = _open(pipeline, target, "filtered")
    elif run_file is not None:
        report = target
        pipeline = open_pipeline(run_file, overrides, data, workers)
        index, explainer = _open(pipeline, run_file, "filtered")
    elif target.is_file():
        report = target
        index, explainer = _open_beside(report, workers)
    else:
        raise UserError(f"{target} does not exist", "name a report.json or a run file")
    facts = _leaked_of(report)
    rows = sorted(_traced(index, explainer, facts, most), key=lambda row: -(row.get("score") or 0.0))
    print_json({"report": str(report), "leaks": rows}) if as_json else _print_facts(rows)


def relearn(
    run_file: RunFile,
    arm: Annotated[Trained, typer.Option(help="The arm to show.")] = "filtered",
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fine-tune every arm on later facts and compare how soon it recalls them with the floor: suppressed or absent?

    Costs `relearn.steps` training steps and half as many checks an arm; builds what it needs of the run.
    """
    from deepred.evaluate.relearn import comparisons
    from deepred.run.build import execute_side_by_side
    from deepred.run.progress import Display

    pipeline = open_pipeline(run_file, overrides, data)
    if pipeline.run.relearn is None:
        pipeline = open_pipeline(run_file, [*(overrides or []), "relearn.check=2"], data)
    if "floor" not in pipeline.run.arms:
        raise UserError("relearning is compared with the floor arm, and this run has none", 'add "floor" to arms')
    if arm not in ("filtered", *pipeline.run.arms):
        raise UserError(f"this run has no arm {arm}", f"its arms: {', '.join(pipeline.run.arms)}")
    execute_side_by_side({"": pipeline}, Display(errors if as_json else console), ("relearn",))
    found = comparisons(pipeline.outputs())
    if as_json:
        print_json({"arm": arm, **found[arm], "arms": found})
        return
    for name, one in found.items():
        if name == arm or arm == "filtered":
            tell(f"{name:<11} {one['verdict']}: {one['said']}")


def _open(pipeline: Pipeline, run_file: Path, arm: str) -> tuple[TextIndex, Explainer]:
    """The index of an arm's training text, and what explains its documents."""
    from deepred.evaluate.trace.why_document import Explainer, Sources

    run = pipeline.run
    if arm not in ("filtered", *run.arms):
        raise UserError(f"this run has no arm {arm}", f"its arms: {', '.join(run.arms)}")
    mixture = built_folders(pipeline, run_file, "mixture", arm=arm)["mixture"]
    built = built_folders(pipeline, run_file, "articles", "dates", "classes", "emergence", "passages")
    cutoff = from_date(run.cutoff)
    threshold = built_threshold(pipeline, built["passages"])
    sources = Sources(**built, cutoff=cutoff, straddling=run.straddling, threshold=threshold, arm=arm)
    return _indexed(mixture, pipeline.settings.data, pipeline.settings.workers), Explainer(sources, cutoff)


def _open_beside(report: Path, workers: int | None) -> tuple[TextIndex, Explainer]:
    """The index of the training text that a report.json in its own data folder belongs to."""
    from deepred.evaluate.trace.why_document import Explainer
    from deepred.run.runner import is_complete, read_manifest

    folder = report.resolve().parent
    needs: dict[str, str] = read_manifest(folder)["needs"] if is_complete(folder) else {}
    key = needs.get("mixture@filtered") or needs.get("mixture")
    mixture = folder.parent.parent / "mixture" / str(key)
    if key is None or not is_complete(mixture):
        raise UserError(f"{report} does not lie in its run's data folder", "name its run file: --run RUN.toml")
    year, month, number = json.loads(report.read_text(encoding="utf-8"))["cutoff"].rsplit("-", 2)
    settings = Settings.from_environment(folder.parent.parent, workers)
    return _indexed(mixture, settings.data, settings.workers), Explainer(None, day(int(year), int(month), int(number)))


def _indexed(mixture: Path, data: Path, workers: int) -> TextIndex:
    from deepred.evaluate.trace.word_index import index_folder, open_index
    from deepred.run.progress import Display
    from deepred.run.runner import is_complete
    from deepred.run.stage import Silent, Work

    base, settings = data / "trace", Settings(data=data, workers=workers)
    if is_complete(index_folder(mixture, base)):
        return open_index(mixture, base, Work(settings, Silent()))
    display = Display(errors)
    with display.shown("trace"):
        return open_index(mixture, base, Work(settings, display))


def _family(pipeline: Pipeline, run_file: Path, name: str) -> dict[str, Any]:
    from deepred.evaluate.choices import read_families

    families = {one["family"]: one for one in read_families(built_folders(pipeline, run_file, "probes")["probes"])}
    if name not in families:
        near = difflib.get_close_matches(name, families, n=3, cutoff=0.3)
        raise UserError(f"this run has no probe {name}", f"near it: {', '.join(near)}" if near else "see probes.jsonl")
    return families[name]


def _leaked_of(report: Path) -> list[dict[str, Any]]:
    """The leaked facts of a report: stated in its training text, or told in its chats."""
    from deepred.evaluate.trace.trace import leaked_facts

    try:
        return leaked_facts(report.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{report} does not exist", "name the report.json of a finished run") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{report} is no report of this program: {error}") from None


def match_row(match: Match | Statement, explainer: Explainer) -> dict[str, Any]:
    """A match as JSON, with why its document and sentence are in the corpus."""
    row = asdict(match)
    row["passage"] = row.pop("sentence", None) or row["passage"]
    return row | {"why": explainer.explain(row | {"id": match.document}, row["passage"])}


def _traced(index: TextIndex, explainer: Explainer, facts: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    from deepred.evaluate.trace.trace import trace_facts

    shown = facts[:most]
    traces = trace_facts(index, shown)
    keys = ("family", "known", "relation", "subject", "answer_text", "score", "statements", "said")
    return [
        {key: one[key] for key in keys if key in one}
        | {"traces": [match_row(statement, explainer) for statement in traces.get(one["family"], [])]}
        for one in shown
    ]


def _print_matches(found: dict[str, Any]) -> None:
    size = found["corpus"]
    tell(f"{size['words']:,} words of {size['documents']:,} training documents")
    if not found["matches"]:
        tell("no document shares so many words in a row with the text; --least N asks for fewer")
    for match in found["matches"]:
        exact = ", the whole text letter by letter" if match["exact"] else ""
        tell(f"\n{match['words']} words{exact}, {match['occurrences']:,} times in the corpus: “{match['run']}”")
        _print_document(match)


def _print_document(row: dict[str, Any]) -> None:
    dated = f", {format_day(row['first'])} to {format_day(row['last'])}" if row.get("first") is not None else ""
    author = f", {row['author']}" if row.get("author") else ""
    tell(f"  {row['title'] or '(no title)'}{author}{dated}   {row['document']}   {row['licence']} {row['origin']}")
    tell(f"    “{row['passage']}”")
    why = row["why"]
    if "class" in why:
        known = "unknown" if why["first_known"] is None else format_day(why["first_known"])
        tell(f"    article   class {why['class']}: {why['reason']}; known from {known}")
        if why["sentence"]:
            tell(f"    sentence  {why['sentence']['reason']}")
    else:
        tell(f"    {why['reason']}")


def _print_facts(rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print("no leaked fact")
    for row in rows:
        score = "" if row.get("score") is None else f", answered right {row['score']:.0%}"
        stated = f", stated {row['statements']:,} times" if "statements" in row else ""
        tell(f"\n{row['family']}: {row['subject']} – {row['answer_text']} ({row['relation']}{score}{stated})")
        for said in row.get("said", [])[:1]:
            tell(f"  said in chat ({said['form']}): “{said['reply']}”")
        if not row["traces"]:
            tell("  no training sentence names both")
        for document in row["traces"]:
            _print_document(document)
