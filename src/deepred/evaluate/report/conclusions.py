"""From figures to words: a headline that claims no more than was measured, and what cannot be concluded.

Every sentence is a function of the figures alone, so that a test can hold the words to the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from deepred.base.days import MONTHS, Day, format_day, month_of, year_of
from deepred.evaluate.report.figures import gain, percent, share
from deepred.evaluate.statistics import KNOWS, NEGLIGIBLE

Verdict = Literal["clean", "leak", "unclear", "ignorant", "nothing"]

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
ERAS = ("before", "after")

GENERATED = (
    "The facts are those of a generated encyclopedia: the figures show that the method works there, not how much of "
    "real text slips through."
)
ONE_SEED = "Each arm was trained once: the intervals are over facts, not over trainings."
ONLY_FACTS = (
    "Only facts are asked for, by the likelihood of a short answer: style, opinions and vocabulary from after the "
    "cutoff are not, nor what the fine-tuned model says in a chat."
)


@dataclass(frozen=True)
class Conclusion:
    """What a run shows: a verdict for its colour, a headline, one line on the leak, and what stays open."""

    verdict: Verdict
    headline: str
    finding: str
    open: tuple[str, ...]


def day_text(value: Day) -> str:
    """A day as a sentence has it: ``day_text(19690720) == "20 July 1969"``; ISO-like before the common era."""
    if year_of(value) < 1:
        return format_day(value)
    return f"{value % 100} {MONTHS[month_of(value) - 1]} {year_of(value)}"


def conclude(
    arms: dict[str, dict[str, Any]], exposures: dict[str, dict[str, Any]], cutoff: Day, generated: bool
) -> Conclusion:
    """The conclusion about the ``filtered`` arm.

    ``exposures`` says how often training text states the facts, ``generated`` that they are those of a generated world.
    """
    if "filtered" not in arms:
        return Conclusion("nothing", "No model was evaluated.", "", ())
    arm = arms["filtered"]
    before, after = arm["before"], arm["after"]
    doubts = tuple(open_questions(arms, generated))
    if before["accuracy"] is None or after["accuracy"] is None:
        lacking = "; ".join(f"{era} the cutoff {arm[era]['reason']}" for era in ERAS if arm[era]["accuracy"] is None)
        return Conclusion("nothing", f"Nothing can be concluded about the cutoff: {lacking}.", "", doubts)
    options = round(1 / arm["chance"])
    headline = (
        f"The filtered model picks the right answer of {NUMBERS[options]} for {share(before)} of {before['families']} "
        f"facts first knowable before {day_text(cutoff)}, and for {share(after)} of {after['families']} later ones. "
        f"Chance is {percent(arm['chance'])}."
    )
    verdict, finding = judge(arm)
    return Conclusion(verdict, headline, f"{finding} {stated_late(exposures)}".strip(), doubts)


def stated_late(exposures: dict[str, dict[str, Any]]) -> str:
    """How many later facts the filtered training text still states; empty where that was not counted."""
    after = exposures.get("filtered", {}).get("after")
    if not after or not after["families"]:
        return ""
    if not after["stated"]:
        return "None of these later facts is stated in its training text."
    return f"Its training text still states {after['stated']} of the {after['families']} later facts."


def judge(arm: dict[str, Any]) -> tuple[Verdict, str]:
    """The verdict on an arm by its gains over the floor, and the sentence that says it."""
    before, after = arm["gain"]["before"], arm["gain"]["after"]
    if before["gain"] is None or after["gain"] is None:
        reason = before.get("reason") or after.get("reason")
        return "unclear", f"Whether it knows more than can be guessed is not shown: {reason}."
    both = f"Over a floor that never saw the facts it gains {gain(before)} before the cutoff and {gain(after)} after it"
    missed = f"a gain below {100 * after['detectable']:.0f} points would probably have gone unseen"
    if before["low"] <= KNOWS:
        return "ignorant", f"{both}: it knows too little for its ignorance of later facts to show anything."
    if after["low"] > 0:
        return "leak", f"{both}: it knows some of the later facts."
    if after["high"] < NEGLIGIBLE:
        return "clean", f"{both}: no leak was found; {missed}."
    return "unclear", f"{both}: neither a leak nor its absence is shown; {missed}."


def open_questions(arms: dict[str, dict[str, Any]], generated: bool) -> list[str]:
    """What the figures do not show, most important first."""
    found: list[str] = []
    arm = arms["filtered"]
    if generated:
        found.append(GENERATED)
    if "unfiltered" not in arms:
        found.append("There is no unfiltered arm: that the model could have learned the later facts is not shown.")
    elif not knows(arms["unfiltered"], "after"):
        found.append("The unfiltered arm does not surely know the later facts either: it may have trained too little.")
    if "floor" not in arms:
        found.append("There is no floor arm: guessing from names and forms is not told from knowledge.")
    found += [
        f"Facts first knowable {era} the cutoff: {arm[era]['reason']}." for era in ERAS if arm[era]["accuracy"] is None
    ]
    return [*found, ONE_SEED, ONLY_FACTS]


def knows(arm: dict[str, Any], era: str) -> bool:
    """Whether an arm surely knows facts of an era: by its gain over the floor, or else its accuracy over chance."""
    over_floor = arm.get("gain", {}).get(era, {})
    if over_floor.get("low") is not None:
        return over_floor["low"] > KNOWS
    return arm[era]["low"] is not None and arm[era]["low"] > arm["chance"] + KNOWS
