"""Questions from files of others: TimeQA (JSON), OpenTriviaQA (text) and lists of dated events (CSV).

In: the files, and the days from which titles are known. Out: questions with a first-knowable day. The day is never
guessed: it is the latest of the years that the question itself names and of the day from which its answer has been
known; a question that names no year, or whose answer has no dated article, is dropped with its reason.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import MONTHS, Day, Interval, day, month_length, year_of
from deepred.base.errors import UserError
from deepred.base.given import read_json, read_text
from deepred.corpus.probes.families import Question
from deepred.run.stage import Counts

QUESTION_FILES = "probes.questions takes TimeQA .json, OpenTriviaQA .txt and .csv"
YEAR = re.compile(r"\b(1\d{3}|20\d{2})\b")
DATE = re.compile(rf"(?:(\d{{1,2}}) )?(?:({'|'.join(m[:3] for m in MONTHS)})[a-z]* )?(\d{{3,4}})$")
FRAMES = ("Question: {} Answer:", "{} The answer is")
NEUTRAL = ("Question: What is it? Answer:", "Something is asked. The answer is")


@dataclass(frozen=True)
class Raw:
    """A question as a file has it."""

    name: str
    relation: str
    text: str
    answer: str
    options: tuple[str, ...] = ()
    interval: Interval | None = None
    """When it happened, where the file says so; else the years that the text names."""


def file_questions(paths: list[Path], known: Mapping[str, Day | None], cutoff: Day, counts: Counts) -> list[Question]:
    """The questions of all files that can be dated; drops are counted by reason."""
    found: dict[str, Question] = {}
    for path in paths:
        for raw in read_questions(path):
            question = dated(raw, known, cutoff, counts)
            if question is not None:
                found.setdefault(question.family, question)
    return list(found.values())


def read_questions(path: Path) -> Iterator[Raw]:
    """The questions of a file by its form; UserError where it has none of the known forms."""
    readers = {".json": time_questions, ".txt": trivia_questions, ".csv": event_list}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path} is no question file", QUESTION_FILES)
    try:
        yield from reader(path)
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as questions: {type(error).__name__}: {error}") from None


def time_questions(path: Path) -> Iterator[Raw]:
    """TimeQA: questions about a subject in given years, some of which have no answer."""
    for entry in read_json(path, QUESTION_FILES):
        for number, (text, answers) in enumerate(entry["questions"]):
            answer = next((one["answer"] for one in answers if one["answer"].strip()), "")
            yield Raw(f"timeqa {entry['index']} {number}", f"TimeQA {entry['type']}", text, tidy(answer))


def trivia_questions(path: Path) -> Iterator[Raw]:
    """OpenTriviaQA: ``#Q`` the question, ``^`` the answer, ``A`` to ``D`` the options."""
    text = read_text(path, QUESTION_FILES, errors="replace")
    for number, block in enumerate(text.split("#Q ")[1:]):
        lines = [line.strip() for line in block.strip().splitlines() if line.strip()]
        answer = next((line[1:].strip() for line in lines if line.startswith("^")), "")
        question = " ".join(line for line in lines[: lines.index(f"^ {answer}")]) if f"^ {answer}" in lines else ""
        options = tuple(line[2:].strip() for line in lines if re.match(r"[A-D] ", line))
        yield Raw(f"{path.stem} {number}", "trivia", question, answer, options)


def event_list(path: Path) -> Iterator[Raw]:
    """A list of events with ``label`` and ``hdate``: asked for the year."""
    rows = csv.DictReader(io.StringIO(read_text(path, QUESTION_FILES), newline=""))
    if not {"label", "hdate"} <= set(rows.fieldnames or ()):
        return  # a table of something else, such as abbreviations
    for row in rows:
        label = (row.get("description") or row["label"] or "").strip()
        when = parse_date(row["hdate"] or "")
        year = str(year_of(when.first)) if when else ""
        yield Raw(
            f"{path.stem} {label} {row['hdate']}",
            "year of an event",
            f"In which year was this: {label}?",
            year,
            interval=when,
        )


def parse_date(text: str) -> Interval | None:
    """A day, month or year of the common era, or None for any other wording.

    >>> parse_date("3 June 2023"), parse_date("c. 485 BC")
    (Interval(first=20230603, last=20230603), None)
    """
    match = DATE.match(text.strip())
    if not match or (match[1] and not match[2]):
        return None
    month = next((n for n, name in enumerate(MONTHS, 1) if match[2] and name.startswith(match[2])), None)
    year, number = int(match[3]), int(match[1]) if match[1] else None
    if year < 1 or (match[2] and month is None) or (number and month and not 1 <= number <= month_length(year, month)):
        return None
    return Interval.of(year, month, number)


def tidy(text: str) -> str:
    """Tokenised text as prose: ``tidy("University of Arizona , Tucson") == "University of Arizona, Tucson"``."""
    return re.sub(r"\s+([,.;:!?])", r"\1", text).strip()


def dated(raw: Raw, known: Mapping[str, Day | None], cutoff: Day, counts: Counts) -> Question | None:
    """The question with its first-knowable day and era, or None where that would have to be guessed."""
    reason, interval = when_known(raw, known)
    if interval is None:
        counts.drop(reason)
        return None
    side = interval.side(cutoff)
    if side == "straddling":
        counts.drop("straddling")
        return None
    if raw.options and (len(set(raw.options)) != len(raw.options) or raw.answer not in raw.options):
        counts.drop("options_unclear")
        return None
    if any(not of_side(known.get(option), side, cutoff) for option in raw.options):
        counts.drop("options_of_another_era")
        return None
    return Question(
        family=raw.name,
        kind="question",
        era=side,
        known=interval.last,
        relation=raw.relation,
        subject=raw.text,
        answer=raw.answer,
        object_type="year" if raw.interval else raw.relation,
        prompts=tuple(frame.format(raw.text) for frame in FRAMES),
        neutral=NEUTRAL,
        options=raw.options,
    )


def of_side(day_known: Day | None, side: str, cutoff: Day) -> bool:
    """Whether an option has a day, on the question's own side of the cutoff: else the era alone tells the answer."""
    return day_known is not None and (day_known < cutoff) == (side == "before")


def when_known(raw: Raw, known: Mapping[str, Day | None]) -> tuple[str, Interval | None]:
    """From when a question can be answered; or why nobody can say."""
    if not raw.answer or not raw.text:
        return "unanswerable", None
    if raw.answer.lower() in raw.text.lower():
        return "answer_in_question", None
    if raw.interval is not None:
        return "", raw.interval
    years = [int(year) for year in YEAR.findall(raw.text)]
    if not years:
        return "undated_question", None
    since = known.get(raw.answer)
    if since is None:
        return "undated_answer", None
    return "", Interval(max(day(max(years)), since), max(day(max(years), 12, 31), since))


def known_titles(rows: Iterator[dict[str, Any]]) -> dict[str, Day | None]:
    """The day from which each title has been known."""
    return {row["title"]: row["first_known"] for row in rows}
