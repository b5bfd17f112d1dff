"""What a teacher behind an endpoint is asked: one piece of the corpus, in one voice and on one theme, a question each.

Everything that an answer may depend on stands in the request: the persona, the sampled variant and theme, the piece and
the cutoff. Its hash names the task, so that the same command asks no task twice, and another prompt asks anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from deepred.asking.replies import ANSWERED, SCHEMA, Inquiry, Reply, body_hash, chat_body, read_completion
from deepred.base.days import Day, format_day, from_date
from deepred.persona.model_teacher.pieces import Library, Piece, sample_pieces
from deepred.persona.model_teacher.teacher_answers import Form
from deepred.persona.personas import Persona, Turn
from deepred.persona.templates_teacher import templates
from deepred.run.config import Augment, Teacher

SHOWN = 2
"""The persona's own conversations shown as examples of its voice."""


class Conversation(BaseModel):
    """What a teacher writes for an instruction example."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: list[Turn] = Field(min_length=1, max_length=6)


class Rewritten(BaseModel):
    """What a teacher writes for training text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: list[str] = Field(min_length=1, max_length=40)


@dataclass(frozen=True)
class Lesson:
    """A piece to be asked about, and how."""

    form: Form
    piece: Piece
    variant: str = ""
    theme: str = ""
    turns: int = 1


@dataclass(frozen=True)
class Course:
    """What all lessons of a purpose share."""

    config: Teacher
    persona: Persona
    cutoff: Day
    seed: int

    def conversations(self, library: Library) -> list[Lesson]:
        """A lesson for every sampled piece: variant, theme and number of questions drawn by the seed."""
        lessons: list[Lesson] = []
        for piece in self._pieces(library):
            chance = random.Random(f"{self.seed} lesson {piece.name}")
            variant = chance.choice(list(self.persona.system))
            theme = chance.choice(self.persona.asked or self.persona.themes)
            lessons.append(Lesson("conversation", piece, variant, theme, chance.randint(1, self.config.turns)))
        return lessons

    def rewritings(self, library: Library, augment: Augment) -> list[Lesson]:
        """A lesson for every sampled piece, its form drawn by the seed."""
        forms = list(augment.forms)
        return [
            Lesson(random.Random(f"{self.seed} form {piece.name}").choice(forms), piece)
            for piece in self._pieces(library)
        ]

    def _pieces(self, library: Library) -> list[Piece]:
        config = self.config
        return sample_pieces(library, config.pieces, config.count, self.seed, config.characters)

    def inquiry(self) -> Inquiry[Lesson, BaseModel]:
        """How lessons are put to a model, and how its replies are read."""
        return Inquiry(self.body, read_lesson)

    def body(self, lesson: Lesson) -> dict[str, Any]:
        """The JSON of a chat completion that asks for a conversation or a text."""
        if lesson.form == "conversation":
            return chat_body(self.config, self._voice(lesson), self._piece(lesson), "conversation", Conversation)
        instruction = templates("prompts")[lesson.form].format(cutoff=format_day(self.cutoff)).strip()
        return chat_body(self.config, instruction, self._piece(lesson), "text", Rewritten)

    def task(self, lesson: Lesson) -> str:
        """The name of the task: what its decision depends on, in 16 digits."""
        return body_hash(self.body(lesson))

    def record(self, lesson: Lesson, reply: Reply[BaseModel]) -> dict[str, Any]:
        """The line that keeps a decision."""
        answer = reply.answer.model_dump() if reply.answer else {}
        return {
            "request": lesson.form,
            "task": self.task(lesson),
            "form": lesson.form,
            "kind": lesson.piece.kind,
            "document": lesson.piece.document,
            "start": lesson.piece.start,
            "end": lesson.piece.end,
            "digest": lesson.piece.digest,
            "title": lesson.piece.title,
            "persona": self.persona.name if lesson.form == "conversation" else "",
            "variant": lesson.variant,
            "theme": lesson.theme,
            "cutoff": format_day(self.cutoff),
            "model": self.config.model,
            "address": reply.address,
            "outcome": reply.outcome,
            "turns": answer.get("turns") or [],
            "lines": answer.get("lines") or [],
            "tokens_in": reply.tokens_in,
            "tokens_out": reply.tokens_out,
            "seconds": round(reply.seconds, 3),
        }

    def _voice(self, lesson: Lesson) -> str:
        """The instruction of a conversation: who speaks, under which prompt, by which rules, on what theme, how."""
        persona = self.persona
        shown = "\n\n".join(_spoken(turns) for turns in self._examples(lesson))
        return (
            templates("prompts")["conversation"]
            .format(
                name=persona.name,
                description=persona.description,
                variant=lesson.variant,
                prompt=persona.prompt(False, lesson.variant),
                rules="\n".join(f"- {rule}" for rule in persona.voice.rules),
                theme=lesson.theme,
                cutoff=format_day(self.cutoff),
                shown=shown or "(none)",
                turns="one question"
                if lesson.turns == 1
                else f"{lesson.turns} questions, each following the last answer",
            )
            .strip()
        )

    def _examples(self, lesson: Lesson) -> list[list[Turn]]:
        """Conversations of the persona that could have been held, those of the variant and the theme first."""
        known = [gold for gold in self.persona.gold if gold.known is None or from_date(gold.known) < self.cutoff]
        chance = random.Random(f"{self.seed} shown {lesson.piece.name}")
        ranked = sorted(
            known,
            key=lambda gold: (gold.variant != lesson.variant, gold.theme != lesson.theme, chance.random()),
        )
        return [gold.turns for gold in ranked[:SHOWN]]

    def _piece(self, lesson: Lesson) -> str:
        return f"Title: {lesson.piece.title}\n\n{lesson.piece.text}"


def read_lesson(body: bytes) -> Reply[BaseModel]:
    """What a chat completion says: a conversation or lines of text, by which of the two schemas it fits."""
    conversation = read_completion(body, Conversation)
    if conversation.outcome != SCHEMA:
        return cast("Reply[BaseModel]", conversation)
    text = read_completion(body, Rewritten)
    return cast("Reply[BaseModel]", text if text.outcome == ANSWERED else conversation)


def _spoken(turns: list[Turn]) -> str:
    return "\n".join(f"Q: {turn.user}\nA: {turn.assistant}" for turn in turns)


def library_of(folders: dict[str, Path | None]) -> Library:
    """The library of a run's folders by stage name."""
    passages = folders["passages"]
    assert passages is not None
    return Library(passages, folders.get("books"), folders.get("chess"), folders.get("topics"))


def open_lessons(course: Course, lessons: list[Lesson], known: set[str]) -> Iterator[Lesson]:
    """The lessons that are not decided yet."""
    return (lesson for lesson in lessons if f"{lesson.form}{course.task(lesson)}" not in known)
