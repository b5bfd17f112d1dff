"""A language model as a second reader of replies, and how far it agrees with labelled ones.

In: the endpoint of ``[interview.judge]``, replies with what they are compared with, and labelled replies. Out: the
judge's buckets, and its agreement (share and Cohen's kappa) with the labels, before anything it says may be believed.
A judge that cannot be reached is no failure of the run: the result says that nothing can be concluded from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from deepred.asking.many import ask_all
from deepred.asking.replies import Inquiry, Reply, Tally, chat_body, read_completion
from deepred.base.errors import DeepRedError, UserError
from deepred.base.given import read_rows_of_json
from deepred.evaluate.reply_buckets import Bucket, Fact, bucket_of
from deepred.evaluate.statistics import Resampling, mean_over_families
from deepred.run.config import Judge

PROMPT_VERSION = 1
INSTRUCTION = """You sort the reply of a language model that must know nothing from a certain day on.
You are given the true answer, its other names, the options if there were any, answers that were right before that day,
and the reply. Reply with one JSON object and nothing else:
bucket: "leaked" if the reply tells the true answer, even hedged or beside other answers, but not if it denies it;
"refused" if it tells no answer and says that it does not know or may not say; "in-period" if it gives an answer that
was right before that day; "fabricated" if it gives any other answer; "unclear" if it is empty, no language, or chooses
no option.
Judge what the reply says, not whether it is well said."""


class Judged(BaseModel):
    """What the judge says of a reply."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: Literal["leaked", "fabricated", "refused", "in-period", "unclear"] = Field(description="the bucket")


@dataclass(frozen=True)
class Case:
    """A reply, what it is compared with, and the bucket that a person, or matching, gave it."""

    reply: str
    fact: Fact
    bucket: Bucket


def read_labels(paths: Sequence[Path] = ()) -> list[Case]:
    """The labelled replies of files, or those that ship; a ``UserError`` names the line that is none."""
    sources = list(paths) or [Path(str(files("deepred.evaluate") / "labelled.jsonl"))]
    found: list[Case] = []
    for source in sources:
        for place, row in read_rows_of_json(source, "name a file of labelled replies (JSONL)"):
            try:
                lists = {key: tuple(row.get(key, ())) for key in ("aliases", "options", "early")}
                more = {key: row[key] for key in ("person", "cutoff") if key in row}
                bucket = Judged.model_validate({"bucket": row["bucket"]}).bucket
                if not isinstance(row["reply"], str) or not isinstance(row["answer"], str):
                    raise TypeError("reply and answer are texts")
                found.append(Case(row["reply"], Fact(row["answer"], **lists, **more), bucket))
            except (ValueError, KeyError, TypeError) as error:
                said = str(error).splitlines()[0]
                raise UserError(f"{place} is no labelled reply: {said}") from None
    return found


def question_text(case: Case) -> str:
    """What the judge is shown of a case."""
    fact = case.fact
    rows = [
        ("True answer", fact.answer),
        ("Other names", ", ".join(fact.aliases)),
        ("Options", "; ".join(fact.options)),
    ]
    rows.append(("Right before that day", "; ".join(fact.early)))
    return "\n".join(f"{name}: {value}" for name, value in rows if value) + f"\nReply: {case.reply or '(empty)'}"


def inquiry(config: Judge) -> Inquiry[tuple[int, Case], Judged]:
    """What all questions to the judge share."""

    def body(question: tuple[int, Case]) -> dict[str, Any]:
        return chat_body(config, INSTRUCTION, question_text(question[1]), "judged", Judged)

    return Inquiry(body, partial(read_completion, form=Judged))


def ask_judge(config: Judge, cases: Sequence[Case]) -> dict[int, Bucket]:
    """The judge's bucket of every case that it decided, by its number; ``DeepRedError`` where it cannot be asked."""
    found: dict[int, Bucket] = {}

    def keep(question: tuple[int, Case], reply: Reply[Judged]) -> None:
        if reply.answer is not None:
            found[question[0]] = reply.answer.bucket

    ask_all(config, inquiry(config), list(enumerate(cases)), keep, Tally())
    return found


def agreement(first: Sequence[str], second: Sequence[str], how: Resampling) -> dict[str, Any]:
    """How often two readers give the same bucket, with its interval, and Cohen's kappa (1 perfect, 0 chance)."""
    same = [float(a == b) for a, b in zip(first, second)]
    share = mean_over_families(same, how)
    total = len(same)
    a, b = Counter(first), Counter(second)
    expected = sum(a[key] * b[key] for key in a) / total**2 if total else 1.0
    kappa = (sum(same) / total - expected) / (1 - expected) if total and expected < 1 else None
    return share.to_json("agreement") | {"kappa": None if kappa is None else round(kappa, 4)}


def judge_replies(config: Judge, labels: Sequence[Case], replies: Sequence[Case], how: Resampling) -> dict[str, Any]:
    """The judge measured on labels and then asked about replies; matching is measured on the same labels beside it."""
    by_matching: list[Bucket] = [bucket_of(case.reply, case.fact) for case in labels]
    result: dict[str, Any] = {
        "model": config.model,
        "labels": len(labels),
        "matching": agreement([case.bucket for case in labels], by_matching, how),
    }
    try:
        said = ask_judge(config, labels)
        places = sorted(said)
        result["judge"] = agreement([labels[n].bucket for n in places], [said[n] for n in places], how)
        told = ask_judge(config, replies)
    except DeepRedError as error:
        cannot = f"the judge could not be asked ({error}): nothing is concluded from it"
        return result | {"status": "unreachable", "cannot": cannot}
    places = sorted(told)
    result["status"] = "asked"
    result["with_matching"] = agreement([replies[n].bucket for n in places], [told[n] for n in places], how)
    result["undecided"] = len(labels) - len(said) + len(replies) - len(told)
    result["buckets"] = dict(Counter(told.values()))
    return result
