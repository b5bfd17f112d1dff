"""Questions from dated events: "On this day" completions, in which the day is given and what happened is chosen.

In: the events of year and date articles (``topics``). Out: questions whose options are events of the same era and of
like length. Only short events serve: a statement's runs of words must all hold a word of the frame, or taking a probe's
wording out of the training text would take out the event itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from deepred.base.days import MONTHS, Day, Interval, month_of, year_of
from deepred.base.tables import read_rows
from deepred.corpus.probes.families import Question
from deepred.corpus.probes.from_facts import Sample
from deepred.run.stage import Counts

SHORTEST, LONGEST = 4, 11
"""Words of an event: fewer say little, more would be found in the training text word by word."""

LENGTHS = (6, 8, LONGEST)
"""Upper ends of the classes of length within which options are drawn: length must not tell the answer."""

YEAR = re.compile(r"\b\d{3,4}\b")


def event_questions(topics: Path, most: int, cutoff: Day, seed: int, counts: Counts) -> list[Question]:
    """At most ``most`` questions of each length and era; drops are counted by reason."""
    sample = Sample(most, seed)
    for row in read_rows(topics, "events-*.parquet", ["first", "last", "kind", "text"]):
        if row["kind"] != "event":
            continue
        text = " ".join(row["text"].split()).rstrip(".") + "."
        length = len(text.split())
        side = Interval(row["first"], row["last"]).side(cutoff)
        if row["first"] != row["last"] or year_of(row["first"]) < 1:
            counts.drop("event_without_day")
        elif side == "straddling":
            counts.drop("straddling")
        elif not SHORTEST <= length <= LONGEST:
            counts.drop("event_too_long" if length > LONGEST else "event_too_short")
        elif YEAR.search(text):
            counts.drop("event_names_a_year")
        else:
            size = next(number for number, end in enumerate(LENGTHS) if length <= end)
            day = shown(row["first"])
            question = Question(
                family=f"event {row['first']} {text[:40]}",
                kind="event",
                era=side,
                known=row["first"],
                relation=f"on this day, length {size + 1}",
                subject=day,
                answer=text,
                object_type="event",
                prompts=(f"On {day}:", f"This happened on {day}:"),
                neutral=("On that day:", "This happened on that day:"),
            )
            sample.add((side, size), question.family, question)
    return list(sample.items())


def shown(day: Day) -> str:
    """A day as events have it: ``shown(19690720) == "20 July 1969"``."""
    return f"{day % 100} {MONTHS[month_of(day) - 1]} {year_of(day)}"
