"""What the MCP tools reply: the index's records bounded for a model's context, each with what leads to the next."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from deepred.serve.attribution import Attribution
from deepred.serve.index.index_records import Event, Evidence
from deepred.serve.iso_days import IsoDay, IsoDayOrNone


def at_most(characters: int) -> AfterValidator:
    """A text is cut to so many characters."""

    def cut(text: str) -> str:
        return text[:characters]

    return AfterValidator(cut)


class Found(BaseModel, from_attributes=True):
    """A paragraph that was found."""

    page_id: int
    title: str
    section: str
    snippet: Annotated[str, at_most(600)]
    first_known: IsoDayOrNone
    source: str


class SearchReply(BaseModel):
    """Results of a search."""

    as_of: IsoDay
    results: list[Found]
    total: int
    next_page: int | None = Field(description="Pass it as `page` for more.")
    sources: list[Attribution] = Field(description="The articles of these results: whose text, and what was changed.")


class SectionReply(BaseModel, from_attributes=True):
    """A heading of an article."""

    number: int
    level: int
    title: Annotated[str, at_most(200)]


class ArticleReply(BaseModel):
    """A portion of an article."""

    page_id: int
    title: str
    as_of: IsoDay
    text: str
    tokens: int = Field(description="Tokens of `text`, estimated from above.")
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next portion; null at the end.")
    sections: list[SectionReply] = Field(description="The contents.")
    attribution: Attribution


class DatesReply(BaseModel):
    """What dates an article's subject, as known on the day."""

    page_id: int
    title: str
    as_of: IsoDay
    first: IsoDayOrNone
    last: IsoDayOrNone = Field(description="Null while the subject survives, as of the day.")
    first_known: IsoDayOrNone
    class_at_cutoff: str
    evidence: list[Evidence]
    evidence_total: int
    attribution: Attribution


class YearReply(BaseModel):
    """What happened in a year."""

    year: int
    as_of: IsoDay
    events: list[Event]
    total: int
    next_page: int | None = Field(description="Pass it as `page` for more.")
    sources: list[Attribution] = Field(description="The articles that say so.")


class Reply(BaseModel):
    """The answer of the model whose knowledge ends."""

    answer: str
    persona: str
    knowledge_ends: IsoDayOrNone = Field(description="The first day that the model does not know.")
