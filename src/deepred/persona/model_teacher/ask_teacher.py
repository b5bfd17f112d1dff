"""A teacher behind an endpoint, asked for the conversations or texts of a run, and two teachers compared.

Decisions are appended to a file one by one, so that the same command goes on after a kill. Whether an answer is good is
judged when it is used (``persona/examples.py``), and here only to compare: the same lessons, the same checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deepred.asking.answer_file import open_answers
from deepred.asking.replies import ANSWERED, Tally
from deepred.asking.session import Listener, ask_and_keep
from deepred.filter.judge import Judge
from deepred.filter.use.short_texts import judge_many
from deepred.persona.checks import Limits, find_problem
from deepred.persona.model_teacher.requests import Course, Lesson, open_lessons
from deepred.persona.model_teacher.teacher_answers import Taught, read_taught
from deepred.persona.selection import BATCH, LATE

INSTRUCTION_CHARACTERS = 2500
"""Usual length of an instruction without its piece, for an estimate before any reply."""


def teach(
    course: Course,
    lessons: list[Lesson],
    out: Path,
    *,
    plan_only: bool,
    tell: Callable[[str], None],
    progress: Callable[[Tally, int], None],
) -> Tally:
    """Ask for every lesson that ``out`` does not hold yet, and append the decisions to it.

    The estimate is told after a few calls, and with ``plan_only`` nothing more is asked.
    """
    with open_answers(out, "task") as file:
        if file.torn:
            tell(f"{out}: {file.torn} line(s) torn by an interruption are ignored; what they held is asked again")
        known = set(file.known)
        left = sum(1 for _ in open_lessons(course, lessons, known))
        characters = INSTRUCTION_CHARACTERS + course.config.characters
        return ask_and_keep(
            course.config, course.inquiry(), open_lessons(course, lessons, known), left, file, course.record,
            Listener(tell, progress), noun="pieces", characters=characters, plan_only=plan_only,
        )  # fmt: skip


@dataclass
class Score:
    """How a teacher did on a sample: what came of its lessons, tokens and seconds."""

    model: str
    address: str
    asked: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    words: int = 0
    sample: dict[str, str] = field(default_factory=dict[str, str])
    """An accepted answer by lesson."""


def score_teacher(course: Course, lessons: list[Lesson], file: Path, judge: Judge, limits: Limits) -> Score:
    """What a teacher's answers to these lessons are worth: each by the checks that ``examples`` makes."""
    tasks = {course.task(lesson): lesson for lesson in lessons}
    rows = {row.task: row for row in read_taught([file]) if row.task in tasks}
    score = Score(course.config.model, course.config.url, len(lessons))
    score.tokens_in = sum(row.tokens_in for row in rows.values())
    score.tokens_out = sum(row.tokens_out for row in rows.values())
    score.seconds = sum(row.seconds for row in rows.values())
    voice = course.persona.vocabulary()
    good: list[Taught] = []
    for task, lesson in tasks.items():
        row = rows.get(task)
        if row is None:
            score.rejected["no answer"] += 1
        elif row.outcome != ANSWERED or not row.turns:
            score.rejected[row.outcome] += 1
        else:
            said = [(turn.user, turn.assistant) for turn in row.turns]
            reason, _ = find_problem(said, f"{lesson.piece.title}\n{lesson.piece.text}", voice, limits)
            if reason:
                score.rejected[reason] += 1
            else:
                good.append(row)
    for start in range(0, len(good), BATCH):
        part = good[start : start + BATCH]
        texts = ["\n".join(f"{turn.user}\n{turn.assistant}" for turn in row.turns) for row in part]
        kinds = [tasks[row.task].piece.article_class for row in part]
        for row, text, late in zip(part, texts, judge_many(judge, texts, kinds, spoken=True), strict=True):
            if late:
                score.rejected[f"{LATE}: {late[0].reason}"] += 1
                continue
            score.accepted += 1
            score.words += len(text.split())
            score.sample[tasks[row.task].piece.name] = f"{row.turns[0].user} – {row.turns[0].assistant}"
    return score


def compare_markdown(scores: list[Score], run: str) -> str:
    """Teachers side by side: acceptance, reasons of rejection, tokens, seconds, and the first answers both gave."""
    lines = [f"# Teachers compared on {scores[0].asked} lessons of {run}", ""]
    lines += [f"| | {' | '.join(_escaped(score.model) for score in scores)} |", f"|---|{'---|' * len(scores)}"]

    def row(name: str, values: list[str]) -> None:
        lines.append(f"| {name} | {' | '.join(values)} |")

    row("address", [score.address for score in scores])
    row(
        "accepted",
        [f"{score.accepted} of {score.asked} ({score.accepted / max(1, score.asked):.0%})" for score in scores],
    )
    for reason in sorted({reason for score in scores for reason in score.rejected}):
        row(f"rejected: {reason}", [str(score.rejected[reason]) for score in scores])
    row("tokens sent", [f"{score.tokens_in:,}" for score in scores])
    row("tokens received", [f"{score.tokens_out:,}" for score in scores])
    row("seconds of requests", [f"{score.seconds:,.1f}" for score in scores])
    row(
        "seconds an accepted one",
        [f"{score.seconds / score.accepted:,.1f}" if score.accepted else "–" for score in scores],
    )
    row(
        "words an accepted one", [f"{score.words / score.accepted:,.0f}" if score.accepted else "–" for score in scores]
    )
    both = [name for name in scores[0].sample if all(name in score.sample for score in scores)][:5]
    for name in both:
        lines += ["", f"## {name}", ""]
        lines += [f"- **{score.model}**: {_escaped(score.sample[name])}" for score in scores]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
