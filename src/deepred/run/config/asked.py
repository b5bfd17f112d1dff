"""Models behind an endpoint that commands ask, and the one that a stage asks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from deepred.run.config.base import Section


class Asked(Section):
    """A model behind an OpenAI-compatible endpoint, asked by a command, never by a stage: answers enter as a file."""

    section: ClassVar[str]
    url: str = Field(
        default="http://127.0.0.1:1234/v1", description="Base address of any OpenAI-compatible endpoint, with `/v1`."
    )
    further: list[str] = Field(
        default=[],
        description="Further addresses that serve the same model, asked at the same time; `REMOTE_HOST` adds one.",
    )
    model: str = Field(description="Name of the model, as the endpoint knows it.")
    key_variable: str = Field(
        default="DEEPRED_LLM_KEY", description="Environment variable that holds the key (unset: none is sent)."
    )
    options: dict[str, JsonValue] = Field(
        default={"temperature": 0, "max_tokens": 400},
        description="Further fields of requests, also nested: `chat_template_kwargs = { enable_thinking = false }`.",
    )
    concurrency: int = Field(default=4, ge=1, description="Requests under way at the same time, at each address.")
    timeout: float = Field(default=60.0, gt=0, description="Seconds after which a request counts as failed.")
    retries: int = Field(default=5, ge=0, description="Further attempts after HTTP 429 or 5xx or a timeout.")
    price_in: float = Field(default=0.0, ge=0, description="Price of a million tokens sent, for the estimate.")
    price_out: float = Field(default=0.0, ge=0, description="Price of a million tokens received.")


class Llm(Asked):
    """A model that `deepred date-llm` asks for missing dates; hashed into no stage: its answers enter as a file."""

    section: ClassVar[str] = "llm"
    limit: int = Field(default=0, ge=0, description="Undated articles asked about at most (0: all).")
    holdout: int = Field(
        default=200, ge=0, description="Articles of known date asked about too, drawn at random, to measure agreement."
    )


class SecondLook(Asked):
    """A model that `deepred filter look` asks about doubtful sentences; hashed into no stage, like `[llm]`."""

    section: ClassVar[str] = "second_look"
    low: float = Field(default=0.2, ge=0, le=1, description="Probability from which a sentence is doubtful.")
    high: float = Field(default=0.6, ge=0, le=1, description="Probability up to which it is; more counts as late.")
    limit: int = Field(default=0, ge=0, description="Sentences asked about at most, drawn at random (0: all).")

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low:g} is not below high = {self.high:g}")
        return self


class Teacher(Asked):
    """A model that `deepred teach` asks for conversations or training text; hashed into no stage, like `[llm]`."""

    section: ClassVar[str] = "teacher"
    options: dict[str, JsonValue] = Field(
        default={"temperature": 0.7, "max_tokens": 900},
        description="Further fields of requests, also nested: `chat_template_kwargs = { enable_thinking = false }`.",
    )
    timeout: float = Field(default=180.0, gt=0, description="Seconds after which a request counts as failed.")
    count: int = Field(default=2000, ge=1, description="Pieces of the corpus to ask about at most, drawn at random.")
    pieces: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"passage": 0.7, "book": 0.1, "chess": 0.1, "topic": 0.1},
        description="Shares of the kinds of pieces; a kind that runs out leaves its share to the others.",
    )
    characters: int = Field(default=1500, ge=200, description="Characters of a piece at most.")
    turns: int = Field(default=3, ge=1, le=6, description="Questions of a conversation at most.")


class Judge(Asked):
    """A model that sorts replies beside matching; the one that a stage asks: its word is reported, never relied on."""

    section: ClassVar[str] = "interview.judge"
