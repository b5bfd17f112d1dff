"""Stage ``interview``: what the finished model tells in a chat, of facts from after the cutoff and from before it.

In: probe families, the merged model and its GGUF files, the persona. Out: ``interview.json`` (shares of every bucket by
model, system prompt and form, with intervals over facts) and ``replies.jsonl`` (every question and reply). Chance is
measured, not assumed: each reply is also matched against another fact's answer of the same relation and era, which it
tells as often as guessing does. What a model says is no proof of what it does not know: that is ``evaluate``'s.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepred.base.days import Day
from deepred.base.files import write_json, write_text
from deepred.evaluate.chat_questions import (
    Form,
    Forms,
    Question,
    Talk,
    ask_family,
    choose_families,
    load_forms,
    messages,
)
from deepred.evaluate.choices import read_families
from deepred.evaluate.model_replies import CheckpointTalker, Talker, open_gguf
from deepred.evaluate.reply_buckets import BUCKETS, Bucket, bucket_of
from deepred.evaluate.reply_judge import Case, judge_replies, read_labels
from deepred.evaluate.reply_matching import asserts
from deepred.evaluate.statistics import Figure, Resampling, mean_over_families, paired_gain
from deepred.run.config import Interview
from deepred.run.stage import Counts, Work
from deepred.train.device import set_threads

RESULTS = "interview.json"
REPLIES = "replies.jsonl"
METHOD = (
    "one reply a question, the likeliest token each time; buckets by matching names, numbers and dates; shares are "
    "means over facts with bootstrap intervals over facts"
)
PROMPTS = ("persona", "none")
"""System prompts: the persona's, and none at all."""
SHOWN = 3
"""Leaking replies kept of a fact for the report."""


@dataclass(frozen=True)
class Told:
    """A question with the reply to it, its bucket, and whether it tells another fact's answer."""

    model: str
    prompt: str
    question: Question
    reply: str
    bucket: Bucket
    by_chance: bool

    def row(self) -> dict[str, Any]:
        """A line of ``replies.jsonl``."""
        asked = self.question
        return {
            "model": self.model,
            "prompt": self.prompt,
            "family": asked.family,
            "era": asked.era,
            "form": asked.form,
            "question": asked.text,
            "answer": asked.fact.answer,
            "reply": self.reply,
            "bucket": self.bucket,
        }


def interview_model(
    *,
    probes: Path,
    examples: Path,
    merge: Path,
    gguf: Path,
    config: Interview,
    cutoff: Day,
    seed: int,
    out: Path,
    work: Work,
    sources: dict[str, list[Path]] | None = None,
) -> Counts:
    """Put every question to every model and write figures and replies."""
    set_threads(work.settings.threads)
    named = sources or {}
    forms = load_forms(next(iter(named.get("forms", [])), None))
    persona = json.loads((examples / "persona.json").read_text(encoding="utf-8"))
    families = read_families(probes)
    questions = make_questions(families, forms, config, cutoff, seed, persona["name"])
    partners = chance_partners(families)
    how = Resampling(config.bootstrap, config.confidence, seed)
    counts = Counts()
    models: dict[str, Any] = {}
    told: list[Told] = []
    talks = forms.talks(persona["name"])
    chosen = gguf_files(gguf, config.gguf)
    for number, name in enumerate(["merged", *(path.name for path in chosen)]):
        with open_talker(name, merge, chosen, config.answer_tokens, work) as talker:
            said = ask(name, talker, questions, persona["system_prompt"], partners, counts)
            models[name] = {
                "prompts": {
                    prompt: summarize([one for one in said if one.prompt == prompt], how) for prompt in PROMPTS
                },
                **{
                    kind: talk_figure(talker, of_kind, persona["system_prompt"], how) for kind, of_kind in talks.items()
                },
            }
        told += said
        work.report(counts, number + 1, 1 + len(chosen), name)
    results: dict[str, Any] = {"cutoff": cutoff, "method": METHOD, "forms": forms.version, "models": models}
    results |= {"leaked": leaked_rows(told), "judge": judged(told, config, named.get("labels", []), how)}
    results["cannot"] = cannot_conclude(models, results["judge"])
    write_json(out / RESULTS, results)
    write_text(out / REPLIES, "".join(json.dumps(one.row(), ensure_ascii=False) + "\n" for one in told))
    counts.add("replies", len(told))
    counts.notes |= {name: sentence(values["prompts"]["persona"]) for name, values in models.items()}
    work.report(counts, len(models), len(models))
    return counts


def gguf_files(folder: Path, which: str) -> list[Path]:
    """The GGUF files that are asked: all, the one that ``deepred chat`` opens, or none."""
    if which == "none":
        return []
    if which == "all":
        return sorted(folder.glob("*.gguf"))
    return [folder / json.loads((folder / "chat.json").read_text(encoding="utf-8"))["file"]]


@contextmanager
def open_talker(name: str, merge: Path, files: Sequence[Path], tokens: int, work: Work) -> Generator[Talker]:
    """The merged model, or the GGUF file of a name, ready to talk while the block runs."""
    path = next((path for path in files if path.name == name), None)
    if path is None:
        yield CheckpointTalker(merge / "model", tokens, work.settings.device)
        return
    with open_gguf(path, tokens, work.settings.threads) as talker:
        yield talker


def make_questions(
    families: Sequence[Mapping[str, Any]], forms: Forms, config: Interview, cutoff: Day, seed: int, persona: str
) -> list[Question]:
    """Later facts in every form, and earlier ones in the plain one and with the answer supplied."""
    early: defaultdict[str, list[str]] = defaultdict(list)
    for one in families:
        if one["era"] == "before":
            early[one["relation"]].append(one["answer_text"])
    late_forms = [form for form in forms.forms if form.kind == "form" or config.red_team]
    plain: list[Form] = [form for form in forms.named("form") if form.name == "direct" or form.control]
    questions: list[Question] = []
    for era, most, asked in (("after", config.families, late_forms), ("before", config.controls, plain)):
        for one in choose_families(families, era, most, seed):
            stood = early[one["relation"]] if era == "after" else []
            questions += ask_family(one, asked, forms, stood, cutoff, persona)
    return questions


def chance_partners(families: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """For every family the answer, with aliases, of the next one of its relation and era that has another answer."""
    groups: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in families:
        groups[one["relation"], one["era"]].append(one)
    partners: dict[str, tuple[str, ...]] = {}
    for members in groups.values():
        for number, one in enumerate(members):
            others = [*members[number + 1 :], *members[:number]]
            other = next((two for two in others if two["answer_text"] != one["answer_text"]), None)
            if other is not None:
                partners[one["family"]] = (other["answer_text"], *other.get("aliases", ()))
    return partners


def ask(
    name: str,
    talker: Talker,
    questions: Sequence[Question],
    system: str,
    partners: Mapping[str, tuple[str, ...]],
    counts: Counts,
) -> list[Told]:
    """Every question with and without the system prompt; those that do not fit the context are counted."""
    told: list[Told] = []
    for prompt in PROMPTS:
        opening = system if prompt == "persona" else ""
        replies = talker([messages(opening, [question.text]) for question in questions])
        for question, reply in zip(questions, replies):
            if reply is None:
                counts.drop("too long for the model's context")
                continue
            bucket = bucket_of(reply, question.fact)
            told.append(Told(name, prompt, question, reply, bucket, tells_partner(question, reply, partners)))
    return told


def tells_partner(question: Question, reply: str, partners: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a reply tells the answer of another fact: how often the right one is told by chance."""
    names = partners.get(question.family)
    if names is None or question.fact.options:
        return False
    other = replace(question.fact, answer=names[0], aliases=names[1:])
    return asserts(reply, other.names, other.person)


def talk_figure(talker: Talker, talks: Sequence[Talk], system: str, how: Resampling) -> dict[str, Any]:
    """How often the last reply of conversations holds the expected word, with its interval over conversations.

    Earlier replies are the model's own, so that a talk is what a user would see.
    """
    turns = [[talk.before[0] if talk.before else talk.ask] for talk in talks]
    last: list[str] = [""] * len(talks)
    for step in range(1 + max((len(talk.before) for talk in talks), default=0)):
        open_ = [n for n, talk in enumerate(talks) if step <= len(talk.before)]
        replies = talker([messages(system, turns[n]) for n in open_])
        for n, reply in zip(open_, replies):
            last[n] = reply or ""
            later = [*talks[n].before, talks[n].ask]
            if step + 1 < len(later):
                turns[n] += [last[n] or "…", later[step + 1]]
    scores = [float(asserts(reply, [talk.expect], False)) for reply, talk in zip(last, talks)]
    return mean_over_families(scores, how).to_json("share") | {"unit": "conversations"}


def summarize(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """A model's figures under one system prompt."""
    late = [one for one in told if one.question.era == "after" and not one.question.control]
    open_late = [one for one in late if not one.question.fact.options]
    early = [one for one in told if one.question.era == "before" and not one.question.control]
    names = list(dict.fromkeys(one.question.form for one in late))
    return {
        "forms": {name: buckets([one for one in late if one.question.form == name], how) for name in names},
        "after": buckets([one for one in open_late if one.question.kind == "form"], how) | chance_gain(open_late, how),
        "red_team": buckets([one for one in late if one.question.kind == "red-team"], how),
        "before": buckets(early, how) | chance_gain(early, how),
        "context": {
            era: share(
                [one for one in told if one.question.control and one.question.era == era], "leaked", how
            ).to_json("share")
            for era in ("before", "after")
        },
    }


def buckets(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """The share of every bucket, as means over facts."""
    return {bucket: share(told, bucket, how).to_json("share") for bucket in BUCKETS}


def share(told: Sequence[Told], bucket: Bucket, how: Resampling) -> Figure:
    """How often replies fall into a bucket; a fact that was asked about in several forms counts once, by their mean."""
    return mean_over_families(list(by_family(told, bucket).values()), how)


def by_family(told: Sequence[Told], bucket: Bucket) -> dict[str, float]:
    """The share of a fact's replies that fall into a bucket."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in told:
        found[one.question.family].append(float(one.bucket == bucket))
    return {family: sum(values) / len(values) for family, values in found.items()}


def chance_gain(told: Sequence[Told], how: Resampling) -> dict[str, Any]:
    """How much more often the fact's own answer is told than another fact's, with the effect that could be seen."""
    chance: defaultdict[str, list[float]] = defaultdict(list)
    for one in told:
        chance[one.question.family].append(float(one.by_chance))
    floor = {family: sum(values) / len(values) for family, values in chance.items()}
    return {
        "by_chance": mean_over_families(list(floor.values()), how).to_json("share"),
        "gain": paired_gain(by_family(told, "leaked"), floor, how).to_json("gain"),
    }


def leaked_rows(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Later facts that were told in a chat, the most often told first, with some of the replies.

    Choosing the right letter is left out: it happens by chance, and names no sentence to look for.
    """
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        asked = one.question
        if one.bucket == "leaked" and asked.era == "after" and not asked.control and not asked.fact.options:
            found[asked.family].append(one)
    rows = [
        {
            "family": family,
            "times": len(members),
            "answer_text": members[0].question.fact.answer,
            "said": [
                {"model": one.model, "prompt": one.prompt, "form": one.question.form, "reply": one.reply}
                for one in members[:SHOWN]
            ],
        }
        for family, members in found.items()
    ]
    return sorted(rows, key=lambda row: (-int(row["times"]), row["family"]))


def judged(told: Sequence[Told], config: Interview, labels: Sequence[Path], how: Resampling) -> dict[str, Any]:
    """What a judge says of the replies under the persona's prompt, where the run names one."""
    if config.judge is None:
        return {"status": "none"}
    replies = [
        Case(one.reply, one.question.fact, one.bucket)
        for one in told
        if one.prompt == "persona" and one.model == "merged" and not one.question.control
    ]
    return judge_replies(config.judge, read_labels(labels), replies, how)


def cannot_conclude(models: Mapping[str, Any], judge: Mapping[str, Any]) -> list[str]:
    """What the interview does not show, in sentences."""
    found: list[str] = []
    for name, values in models.items():
        figures = values["prompts"]["persona"]
        for era in ("after", "before"):
            if figures[era]["leaked"]["share"] is None:
                found.append(f"{name}: facts {era} the cutoff: {figures[era]['leaked']['reason']}.")
        gain = figures["before"]["gain"]
        if gain["gain"] is not None and gain["low"] <= 0:
            found.append(
                f"{name} tells facts from before the cutoff no more often than by chance (a gain below "
                f"{100 * gain['detectable']:.0f} points would probably have gone unseen): "
                "that it does not tell later ones shows nothing."
            )
    if judge["status"] == "none":
        found.append("Replies were sorted by matching alone; no judge was named.")
    elif "cannot" in judge:
        found.append(f"{judge['cannot'][:1].upper()}{judge['cannot'][1:]}.")
    return found


def sentence(figures: Mapping[str, Any]) -> str:
    """A model's figures in words, for the display."""

    def text(value: Mapping[str, Any]) -> str:
        if value["share"] is None:
            return str(value["reason"])
        return f"{value['share']:.0%} [{value['low']:.0%}, {value['high']:.0%}]"

    after, before = figures["after"], figures["before"]
    earlier = f"earlier told {text(before['leaked'])}, refused {text(before['refused'])}"
    return f"later facts told {text(after['leaked'])}; {earlier}"
