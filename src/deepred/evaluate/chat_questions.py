"""Chat questions from probe families: the six forms, the red team, and what each reply is compared with.

In: families of ``probes.jsonl`` and ``forms.toml`` (or a user's file of the same form). Out: questions in a fixed order
and the ``Fact`` of each. Families are drawn by a hash of seed and name, evenly over relations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, year_of
from deepred.base.draws import rank_of
from deepred.base.errors import UserError
from deepred.base.files import shipped_table
from deepred.base.given import read_toml
from deepred.evaluate.reply_buckets import LETTERS, Fact
from deepred.persona.personas import Message

LATER = 10
"""Years after the fact at which a role-play is set: long enough for it to be settled knowledge."""


@dataclass(frozen=True)
class Question:
    """One question put to a model, in which form, about which family."""

    family: str
    era: str
    form: str
    kind: str
    control: bool
    text: str
    fact: Fact


@dataclass(frozen=True)
class Form:
    """A way to ask."""

    name: str
    kind: str
    text: str
    control: bool = False


@dataclass(frozen=True)
class Talk:
    """A conversation whose last reply must hold a word: what is said before, the question, and the word."""

    name: str
    before: tuple[str, ...]
    ask: str
    expect: str


@dataclass(frozen=True)
class Forms:
    """The questions of a file: forms, relations' plain questions, and talks of several turns."""

    version: int
    forms: tuple[Form, ...]
    relations: Mapping[str, Mapping[str, Any]]
    identity: tuple[Mapping[str, Any], ...]
    recall: tuple[Mapping[str, Any], ...]

    def named(self, kind: str) -> list[Form]:
        """The forms of a kind."""
        return [form for form in self.forms if form.kind == kind]

    def talks(self, persona: str) -> dict[str, list[Talk]]:
        """The conversations that check the persona (``identity``) and the use of earlier turns (``recall``)."""
        return {
            "identity": [
                Talk(f"identity {n}", tuple(row.get("before", ())), row["ask"], persona)
                for n, row in enumerate(self.identity)
            ],
            "recall": [
                Talk(f"recall {n}", tuple(row.get("before", ())), row["ask"], row["expect"])
                for n, row in enumerate(self.recall)
            ],
        }


def load_forms(path: Path | None = None) -> Forms:
    """The shipped forms, or those of a file; a ``UserError`` names what is wrong with it."""
    mend = "see evaluate/forms.toml for every key"
    source = path or "forms.toml"
    values = read_toml(path, mend) if path else shipped_table("deepred.evaluate", "forms.toml")
    try:
        forms = tuple(Form(**row) for row in values["form"])
        loaded = Forms(
            int(values["version"]),
            forms,
            values.get("relation", {}),
            tuple(values.get("identity", ())),
            tuple(values.get("recall", ())),
        )
        for form in forms:
            form.text.format(question="", subject="", options="", context="", later="", persona="")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UserError(f"{source} is no file of forms: {error!r}", mend) from None
    return loaded


def choose_families(families: Sequence[Mapping[str, Any]], era: str, most: int, seed: int) -> list[Mapping[str, Any]]:
    """At most ``most`` families of an era, in turns over relations, by a hash of seed and name."""
    groups: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in sorted((one for one in families if one["era"] == era), key=lambda one: rank_of(seed, one["family"])):
        groups[one["relation"]].append(one)
    turns = [(turn, name, one) for name, members in groups.items() for turn, one in enumerate(members)]
    turns.sort(key=lambda turn: turn[:2])
    return [one for _, _, one in turns[:most]]


def plain_question(family: Mapping[str, Any], forms: Forms) -> str:
    """The question of a family: its own where it has one, that of its relation, or its statement to be completed."""
    if family.get("question"):
        return str(family["question"])
    known = forms.relations.get(family["relation"])
    if known:
        return str(known["question"]).format(subject=family["subject"])
    return f"Complete this sentence: {family['items'][0]['prompt']} …"


def ask_family(
    family: Mapping[str, Any], asked: Iterable[Form], forms: Forms, early: Sequence[str], cutoff: Day, persona: str
) -> list[Question]:
    """A family's questions in some forms; ``early`` are answers to its relation that stood before the cutoff."""
    question = plain_question(family, forms)
    item = family["items"][0]
    answer, aliases = family["answer_text"], tuple(family.get("aliases", ()))
    right = {answer, *aliases}
    person = bool(forms.relations.get(family["relation"], {}).get("person", False))
    found: list[Question] = []
    for form in asked:
        options = tuple(item["options"]) if "{options}" in form.text else ()
        lettered = " ".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options))
        text = form.text.format(
            question=question,
            subject=family["subject"],
            options=lettered,
            context=f"{item['prompt']} {answer}.",
            later=year_of(family["known"]) + LATER,
            persona=persona,
        )
        given = "" if form.control or options else text
        others = tuple(dict.fromkeys(name for name in early if name not in right))
        fact = Fact(answer, aliases, person, options, others, cutoff, given)
        found.append(Question(family["family"], family["era"], form.name, form.kind, form.control, text, fact))
    return found


def messages(system: str, turns: Sequence[str]) -> list[Message]:
    """A conversation in ChatML's roles, user and assistant in turns, with a system prompt unless it is empty."""
    opening = [{"role": "system", "content": system}] if system else []
    return opening + [
        {"role": "assistant" if number % 2 else "user", "content": turn} for number, turn in enumerate(turns)
    ]
