"""What the API answers beside the index's own records, and what the letters and reasons in them mean."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import BaseModel, Field, model_validator

from deepred.serve.attribution import Attribution, attribute
from deepred.serve.index.index_records import Article, Paragraph, Section
from deepred.serve.iso_days import IsoDay, IsoDayOrNone

Class = Literal["O", "N", "S", "U"]
CLASSES: dict[str, str] = {
    "O": "over before the cutoff",
    "N": "begins on or after the cutoff",
    "S": "spans the cutoff",
    "U": "undated",
}
"""The classes of articles in words."""
REASONS: dict[str, str] = {
    "date": "it names a date on or after the cutoff",
    "link": "it links to something first known later",
    "entity": "it names someone or something first known later",
    "term": "it uses a word that came up later",
    "context": "by its wording it is probably later",
    "class": "its article begins after the cutoff",
    "incoherent": "it leans on a sentence that was cut",
    "carried": "it goes on at a date after the day, named before it",
    "apparatus": "it stands in a section of references, links or lists",
    "short": "too little of its article was left",
    "later": "it tells of the day asked for, or later",
}
"""Why sentences are cut, in words."""


class ArticleAnswer(BaseModel):
    """An article as of a day."""

    page_id: int = Field(description="Its id.")
    title: str = Field(description="Its title.")
    redirected_from: str = Field(description="The title asked for, where a redirect led here.")
    source: str = Field(description="wikipedia or books.")
    as_of: IsoDay = Field(description="The day that was applied: nothing of that day or later is told.")
    kind: str = Field(serialization_alias="class", description="Class at the run's cutoff; empty for books.")
    first_known: IsoDayOrNone = Field(description="The day from which its subject was known.")
    sections: tuple[Section, ...] = Field(description="Headings with something below them.")
    paragraphs: tuple[Paragraph, ...] = Field(description="The text.")
    attribution: Attribution = Field(description="Whose text it is, and what was changed.")

    @staticmethod
    def of(article: Article) -> ArticleAnswer:
        """From the index's record."""
        return ArticleAnswer(
            page_id=article.page_id,
            title=article.title,
            redirected_from=article.redirected_from,
            source=article.source,
            as_of=article.as_of,
            kind=article.dates.kind,
            first_known=article.dates.first_known,
            sections=article.sections,
            paragraphs=article.paragraphs,
            attribution=attribute(article),
        )


class HealthAnswer(BaseModel):
    """Whether the server can answer."""

    status: Literal["ok", "unavailable"] = Field(description="ok: the index answers.")
    parts: dict[str, str] = Field(description="store, search and chat, with `ok` or what is wrong.")
    run: str = Field(description="The run's name.")
    cutoff: str | None = Field(description="The run's cutoff.")
    counts: dict[str, int] = Field(description="What is in the index.")
    version: str = Field(description="The version of the index that answers.")


class Turn(BaseModel):
    """A turn of a conversation."""

    role: Literal["user", "assistant"] = Field(description="Who speaks.")
    content: str = Field(description="What is said.", min_length=1, max_length=8_000)


def _nullable(schema: dict[str, Any]) -> None:
    """Say in the schema of a request that what may be left out may be null too."""
    for name, member in schema["properties"].items():
        if name not in schema.get("required", ()) and "anyOf" not in member:
            outer = {key: member.pop(key) for key in ("default", "description", "title") if key in member}
            schema["properties"][name] = {"anyOf": [member, {"type": "null"}], **outer}


class ChatRequest(BaseModel, json_schema_extra=_nullable):
    """A conversation to be answered; a member that is null takes its default."""

    messages: list[Turn] = Field(description="The turns so far, the last one the user's.", min_length=1, max_length=64)
    as_of: str | None = Field(
        default=None, description="The model must know nothing later (default: the run's cutoff)."
    )
    temperature: float = Field(default=0.3, ge=0, le=2, strict=True, description="0: always the likeliest word.")
    max_tokens: int = Field(default=512, ge=1, le=2048, strict=True, description="Tokens of the answer at most.")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in cast("dict[str, Any]", values).items() if value is not None}
