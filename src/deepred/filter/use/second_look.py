"""Doubtful sentences of a run, shown to a model once more: which, how they are asked about, and what is kept.

In: the finished folders of ``articles``, ``emergence``, ``classes`` and ``passages`` (made without answers: they would
hide what they answer). Asked are sentences that no direct evidence decides and whose probability lies in the band of
``[second_look]``, in an order drawn by the seed. Out: one line of JSON a decision, in the form of a labelled sheet
(``hash``, ``label``), appended and synced; asked again, the command goes on. Wrong labels keep or drop wrong sentences:
how good a model is at this is not known here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from deepred.asking.answer_file import open_answers
from deepred.asking.replies import Inquiry, Reply, Tally, body_hash, chat_body, read_completion
from deepred.asking.session import Listener, ask_and_keep
from deepred.base.days import Day, format_day
from deepred.base.draws import Lowest, rank_of
from deepred.base.errors import UserError
from deepred.filter.decision import CONTEXT, KEPT, TERM
from deepred.filter.judge import Judge, Weighed
from deepred.filter.model_answers import LONGEST_SENTENCE, MARKS, sentence_hash
from deepred.filter.passages import Classes, read_pairs
from deepred.run.config import SecondLook

PROMPT_VERSION = 1
AROUND = 1000
"""Characters of the paragraph before and after the sentence that a model is given: some 400 tokens in all."""
LONGEST_WHY = 300
DOUBTFUL = (KEPT, TERM, CONTEXT)
"""Reasons that a probability can decide; all others stand by direct evidence, or by another sentence."""
INSTRUCTION = """You check whether a sentence of an encyclopedia could have been written before a day, the cutoff.
You are given the article's title and a paragraph in which the sentence stands between >>> and <<<.
Cutoff: @CUTOFF@.
Reply with one JSON object and nothing else:
label: P if the sentence states or implies anything that was first known, named or true on the cutoff or later;
C if a careful writer could have written it, with the same meaning, the day before; A if you cannot tell.
why: the fact, name, word or date that decides, in a few words.
Judge the marked sentence alone; the rest of the paragraph only tells what it refers to."""


class Verdict(BaseModel):
    """What a model says of a sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    label: Literal["P", "C", "A"] = Field(description="P: from the cutoff or later; C: possible before; A: unclear")
    why: str = Field(description="the fact, name, word or date that decides, in a few words")


@dataclass(frozen=True)
class Question:
    """A sentence that a model is asked about, in its paragraph."""

    hash: str
    title: str
    sentence: str
    paragraph: str
    probability: float


def inquiry(config: SecondLook, cutoff: Day) -> Inquiry[Question, Verdict]:
    """What all questions about sentences share."""
    return Inquiry(partial(request_body, config, cutoff), partial(read_completion, form=Verdict))


def request_body(config: SecondLook, cutoff: Day, question: Question) -> dict[str, Any]:
    """The JSON of a chat completion that asks for a ``Verdict``."""
    asked = f"Title: {question.title}\n\n{question.paragraph}"
    return chat_body(config, INSTRUCTION.replace("@CUTOFF@", format_day(cutoff)), asked, "verdict", Verdict)


def request_hash(config: SecondLook, cutoff: Day) -> str:
    """What all decisions of a model depend on beside the sentence: its name, instruction, cutoff, schema, options."""
    return body_hash(request_body(config, cutoff, Question("", "", "", "", 0.0)))


def record_of(config: SecondLook, cutoff: Day, question: Question, reply: Reply[Verdict]) -> dict[str, Any]:
    """The line that keeps a decision; its label is empty where the model gave none."""
    return {
        "hash": question.hash,
        "label": reply.answer.label if reply.answer else "",
        "why": reply.answer.why[:LONGEST_WHY] if reply.answer else "",
        "cutoff": format_day(cutoff),
        "model": config.model,
        "prompt": PROMPT_VERSION,
        "request": request_hash(config, cutoff),
        "title": question.title,
        "sentence": question.sentence,
        "probability": round(question.probability, 4),
        "outcome": reply.outcome,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "seconds": round(reply.seconds, 3),
    }


def paragraph_around(text: str, weighed: Weighed, i: int) -> str:
    """The paragraph of sentence ``i`` with the sentence marked, ``AROUND`` characters at most on either side."""
    segments = weighed.segments
    start, end = segments.starts[i], segments.ends[i]
    first = last = i
    while first and segments.paragraphs[first - 1] == segments.paragraphs[i]:
        first -= 1
    while last + 1 < len(segments) and segments.paragraphs[last + 1] == segments.paragraphs[i]:
        last += 1
    before = text[max(segments.starts[first], start - AROUND) : start]
    after = text[end : min(segments.ends[last], end + AROUND)]
    return f"{before}{MARKS[0]}{text[start:end][:LONGEST_SENTENCE]}{MARKS[1]}{after}"


def doubtful_sentences(article: dict[str, Any], weighed: Weighed, config: SecondLook, threshold: float) -> list[int]:
    """The sentences of an article that only a probability decides, and that lie in the band."""
    if weighed.probability is None:
        return []
    reasons = weighed.decide(threshold).reasons
    chances = weighed.probability
    return [i for i in range(len(reasons)) if reasons[i] in DOUBTFUL and config.low <= chances[i] < config.high]


@dataclass(frozen=True)
class Built:
    """A run's finished folders, and what they were made for."""

    articles: Path
    emergence: Path
    classes: Path
    passages: Path
    cutoff: Day
    straddling: str
    threshold: float
    seed: int


class Pool:
    """Questions on the disk, to be read in the order that the seed drew: 16 bytes of memory each.

    With a limit only those of the lowest ranks are wanted; what can be none of them is not written.
    """

    def __init__(self, file: BinaryIO, seed: int, limit: int) -> None:
        self.file = file
        self.seed = seed
        self.places = Lowest[int](limit or sys.maxsize)
        self.found = 0

    def offer(self, question: Question) -> None:
        """Take a question in, unless its rank is too high."""
        self.found += 1
        rank = rank_of(self.seed, "look", question.hash)
        if self.places.takes(rank):
            self.places.offer(rank, self.file.tell())
            self.file.write(orjson.dumps(question.__dict__) + b"\n")

    def chosen(self) -> Iterator[Question]:
        """The questions in their order, a sentence that stands twice in an article once."""
        last = None
        for rank, place in self.places.ranked():
            if rank != last:
                self.file.seek(place)
                yield Question(**orjson.loads(self.file.readline()))
            last = rank


def fill_pool(built: Built, config: SecondLook, pool: Pool) -> None:
    """Weigh every article of a run and take its doubtful sentences in; UserError where no model gives probabilities."""
    judge = Judge.load(built.emergence, built.passages, built.cutoff, built.straddling, built.threshold)
    if judge.model is None:
        raise UserError(
            "this run has no fitted model, so that no sentence has a probability",
            "a second look needs a corpus with enough dated sentences",
        )
    kinds = Classes.load(built.classes)
    for path in sorted(built.articles.glob("articles-*.parquet")):
        for article, row in read_pairs(path, built.emergence):
            weighed = judge.weigh(article, row, kinds.of(row["page_id"]))
            for i in doubtful_sentences(article, weighed, config, built.threshold):
                sentence = article["text"][weighed.segments.starts[i] : weighed.segments.ends[i]]
                key = sentence_hash(article["title"], sentence)
                chance = 0.0 if weighed.probability is None else float(weighed.probability[i])
                around = paragraph_around(article["text"], weighed, i)
                pool.offer(Question(key, article["title"], sentence[:LONGEST_SENTENCE], around, chance))


def look_again(
    built: Built,
    out: Path,
    *,
    config: SecondLook,
    plan_only: bool,
    tell: Callable[[str], None],
    progress: Callable[[Tally, int], None],
) -> Tally:
    """Ask a model about a run's doubtful sentences, in an order drawn by the seed, and append its decisions to ``out``.

    The estimate is told after a few calls, and with ``plan_only`` nothing more is asked.
    """
    with open_answers(out, "hash") as file, tempfile.TemporaryFile(dir=out.parent) as spool:
        if file.torn:
            tell(f"{out}: {file.torn} line(s) torn by an interruption are ignored; their sentences are asked again")
        pool = Pool(spool, built.seed, config.limit)
        fill_pool(built, config, pool)
        tell(f"{pool.found:,} sentences have a probability from {config.low:g} to {config.high:g}")
        request = request_hash(config, built.cutoff)

        def is_open(question: Question) -> bool:
            return f"{request}{question.hash}" not in file.known

        left = sum(map(is_open, pool.chosen()))
        return ask_and_keep(
            config, inquiry(config, built.cutoff), filter(is_open, pool.chosen()), left, file,
            partial(record_of, config, built.cutoff), Listener(tell, progress),
            noun="sentences", characters=len(INSTRUCTION) + AROUND, plan_only=plan_only,
        )  # fmt: skip
