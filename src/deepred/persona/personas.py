"""Personas: who the model is, as a TOML file that names its prompts, its voice and its gold conversations.

Nothing of a persona is in code: another voice is another file.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deepred.base.errors import UserError
from deepred.base.given import read_toml
from deepred.persona.checks import content_words

SHORT_CONTEXT = 512
"""Tokens of a conversation below which the persona's one-line system prompt is used: a full one would fill a third."""
Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": ...}``."""


class Part(BaseModel):
    """A part of a persona file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Turn(Part):
    """One question and its answer."""

    user: str = Field(min_length=1)
    assistant: str = Field(min_length=1)


class Gold(Part):
    """A conversation written by hand; ``known`` is the first day on which it could have been held."""

    theme: str
    turns: list[Turn] = Field(min_length=1)
    variant: str = "primary"
    known: date | None = None


class Voice(Part):
    """How the persona speaks; each list is wordings to choose from, with ``{answer}`` or ``{thing}`` to fill in."""

    rules: list[str] = Field(min_length=1)
    answers: list[str] = Field(["{answer}"], min_length=1)
    ignorance: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _placeholders_stand(self) -> Self:
        if missing := [text for text in self.answers if "{answer}" not in text]:
            raise ValueError(f"answers must hold {{answer}}: {missing[0]!r}")
        return self


class Persona(Part):
    """A persona: its name, system prompts, voice, themes and gold conversations."""

    name: str = Field(min_length=1, pattern=r"^[\w][\w .'-]*$")
    description: str
    short: str = Field(min_length=1, max_length=200)
    system: dict[str, str]
    voice: Voice
    themes: list[str] = Field(min_length=1)
    asked: list[str] = []
    """Themes that a teacher is asked for when it is shown a text (empty: all)."""
    licence: str = ""
    """Licence of the persona's own words, for the provenance of what they are part of."""
    gold: list[Gold] = Field(default_factory=list[Gold])

    @model_validator(mode="after")
    def _variants_exist(self) -> Self:
        if "primary" not in self.system:
            raise ValueError("system has no variant `primary`")
        if unknown := [theme for theme in self.asked if theme not in self.themes]:
            raise ValueError(f"asked names the unknown theme {unknown[0]!r}")
        for number, conversation in enumerate(self.gold, 1):
            if conversation.variant not in self.system:
                raise ValueError(f"gold conversation {number} names the unknown variant {conversation.variant!r}")
            if conversation.theme not in self.themes:
                raise ValueError(f"gold conversation {number} names the unknown theme {conversation.theme!r}")
        return self

    def vocabulary(self) -> frozenset[str]:
        """The stems of the content words that the persona lends to every answer: its prompts, rules and frames."""
        said = [self.name, self.short, *self.system.values(), *self.voice.rules, *self.voice.answers]
        return frozenset(content_words("\n".join([*said, *self.voice.ignorance])))

    def prompt(self, short: bool, variant: str = "primary") -> str:
        """The system prompt of a variant, or the one line that suits a model with a small context."""
        return self.short if short else " ".join(self.system[variant].split())


def load_persona(path: Path) -> Persona:
    """The persona of a TOML file; a ``UserError`` names the file and the key."""
    if not path.exists():
        raise UserError(f"persona {path} does not exist", f"shipped personas: {', '.join(shipped_personas())}")
    values = read_toml(path, "name a persona, see persona/deep-red.toml for every key")
    try:
        return Persona.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"]) or "the persona"
        raise UserError(f"{path}: {key}: {problem['msg']}", "see persona/deep-red.toml for every key") from None


def shipped_personas() -> list[str]:
    """Names of the personas that come with the package."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))
