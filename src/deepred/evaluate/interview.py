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
from dataclasses import replace
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
from deepred.evaluate.interview_figures import (
    Told,
    cannot_conclude,
    leaked_rows,
    sentence,
    summarize,
)
from deepred.evaluate.model_replies import CheckpointTalker, Talker, open_gguf
from deepred.evaluate.reply_buckets import bucket_of
from deepred.evaluate.reply_judge import Case, judge_replies, read_labels
from deepred.evaluate.reply_matching import asserts
from deepred.evaluate.statistics import Resampling, mean_over_families
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
