"""What the API answers, field by field: the index's records as JSON. The OpenAPI document is made of these models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from deepred.serve.attribution import Attribution, attribute
from deepred.serve.index import contract
from deepred.serve.iso_days import iso_day

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
    "short": "too little of its article was left",
    "later": "it tells of the day asked for, or later",
}
"""Why sentences are cut, in words."""

AS_OF = "The day that was applied: nothing of that day or later is told."


class Result(BaseModel):
    """A paragraph that was found."""

    page_id: int = Field(description="Its article.")
    paragraph: int = Field(description="Its number in the article, from 0.")
    title: str = Field(description="The article's title.")
    section: str = Field(description="The heading above it; empty in the lead.")
    snippet: str = Field(description="Plain text, sentences told as of the day only.")
    highlights: list[tuple[int, int]] = Field(description="Spans [start, end) of the snippet that answer the query.")
    first_known: str | None = Field(description="The day from which the article's subject was known.")
    kind: str = Field(
        serialization_alias="class", description="The article's class at the run's cutoff: O, S or U; books: empty."
    )
    source: str = Field(description="wikipedia or books.")
    score: float = Field(description="Comparable within one page of one mode only.")

    @staticmethod
    def of(result: contract.Result) -> Result:
        """From the index's record."""
        return Result(
            page_id=result.page_id,
            paragraph=result.paragraph,
            title=result.title,
            section=result.section,
            snippet=result.snippet,
            highlights=list(result.highlights),
            first_known=iso_day(result.first_known),
            kind=result.kind,
            source=result.source,
            score=result.score,
        )


class SearchAnswer(BaseModel):
    """A page of results."""

    query: str = Field(description="What was asked.")
    as_of: str = Field(description=AS_OF)
    mode: str = Field(description="hybrid, bm25 or semantic.")
    results: list[Result] = Field(description="The results of this page, best first.")
    total: int = Field(description="All that match (bm25), or the candidates that were ranked.")
    page: int = Field(description="This page's number, from 1.")
    size: int = Field(description="Results of a page.")
    next: int | None = Field(description="The next page's number (`page=`); null after the last.")

    @staticmethod
    def of(page: contract.Page, query: str, mode: str, as_of: contract.Day) -> SearchAnswer:
        """From the index's record."""
        return SearchAnswer(
            query=query,
            as_of=iso_day(as_of) or "",
            mode=mode,
            results=[Result.of(result) for result in page.results],
            total=page.total,
            page=page.page,
            size=page.size,
            next=page.next,
        )


class Link(BaseModel):
    """A link inside a sentence."""

    start: int = Field(description="Where it starts in the sentence's text.")
    end: int = Field(description="Where it ends.")
    target: str = Field(description="The title linked to.")


class Sentence(BaseModel):
    """A sentence of an article."""

    text: str = Field(description="The sentence.")
    kept: bool = Field(description="Whether it is told as of the day; false only with `cuts=true`.")
    reason: str = Field(description="Why it was cut; empty where it was kept.")
    probability: float | None = Field(description="That it is late, as the filter saw it; null where it was kept.")
    day: str | None = Field(description="The day from which it can have been written.")
    links: list[Link] = Field(description="Its links.")


class Paragraph(BaseModel):
    """A paragraph of an article."""

    number: int = Field(description="Its number in the article, from 0.")
    section: int = Field(description="The number of its section; 0 is the lead.")
    sentences: list[Sentence] = Field(description="Its sentences that are told.")


class Section(BaseModel):
    """A heading of an article."""

    number: int = Field(description="From 1, in order.")
    level: int = Field(description="Depth, from 2.")
    title: str = Field(description="The heading; empty where it is itself later.")


class Evidence(BaseModel):
    """A dated statement about the subject."""

    kind: str = Field(description="birth, death, start, end, publication, point …")
    first: str | None = Field(description="First day of its interval.")
    last: str | None = Field(description="Last day of its interval.")
    source: str = Field(description="wikidata, yago, category, infobox, lead or llm.")
    confidence: float = Field(description="From 0 to 1.")
    note: str = Field(description="What it was read from.")


class WhyAnswer(BaseModel):
    """A subject's dates, their evidence, and how its sentences fared."""

    page_id: int = Field(description="The article.")
    title: str = Field(description="Its title.")
    redirected_from: str = Field(description="The redirect that led here, else empty.")
    as_of: str = Field(description=AS_OF)
    kind: str = Field(
        serialization_alias="class", description="Class at the run's cutoff: O over, N new, S spanning, U undated."
    )
    reason: str = Field(description="What decided the class.")
    first: str | None = Field(description="First day of the subject's own interval.")
    last: str | None = Field(description="Its last day; null while it survives.")
    first_known: str | None = Field(description="The day from which the subject was known.")
    ended: bool = Field(description="Whether an end is attested.")
    evidence: list[Evidence] = Field(description="Dated statements, the deciding ones first.")
    kept: int = Field(description="Sentences told.")
    dropped: dict[str, int] = Field(description="Sentences not told, by reason; only with `cuts=true`.")

    @staticmethod
    def of(why: contract.Why, as_of: contract.Day) -> WhyAnswer:
        """From the index's record."""
        return WhyAnswer(
            page_id=why.page_id,
            title=why.title,
            redirected_from=why.redirected_from,
            as_of=iso_day(as_of) or "",
            kind=why.kind,
            reason=why.reason,
            first=iso_day(why.first),
            last=iso_day(why.last),
            first_known=iso_day(why.first_known),
            ended=why.ended,
            evidence=[evidence_of(row) for row in why.evidence],
            kept=why.kept,
            dropped=why.dropped,
        )


def evidence_of(row: contract.Evidence) -> Evidence:
    """A statement as JSON."""
    return Evidence(
        kind=row.kind,
        first=iso_day(row.first),
        last=iso_day(row.last),
        source=row.source,
        confidence=round(row.confidence, 4),
        note=row.note,
    )


class ArticleAnswer(BaseModel):
    """An article as of a day."""

    page_id: int = Field(description="Its id.")
    title: str = Field(description="Its title.")
    redirected_from: str = Field(description="The title asked for, where a redirect led here.")
    source: str = Field(description="wikipedia or books.")
    as_of: str = Field(description=AS_OF)
    kind: str = Field(serialization_alias="class", description="Class at the run's cutoff; empty for books.")
    first_known: str | None = Field(description="The day from which its subject was known.")
    sections: list[Section] = Field(description="Headings with something below them.")
    paragraphs: list[Paragraph] = Field(description="The text.")
    attribution: Attribution = Field(description="Whose text it is, and what was changed.")

    @staticmethod
    def of(article: contract.Article) -> ArticleAnswer:
        """From the index's record."""
        return ArticleAnswer(
            page_id=article.page_id,
            title=article.title,
            redirected_from=article.redirected_from,
            source=article.source,
            as_of=iso_day(article.as_of) or "",
            kind=article.dates.kind,
            first_known=iso_day(article.dates.first_known),
            sections=[Section(number=part.number, level=part.level, title=part.title) for part in article.sections],
            paragraphs=[
                Paragraph(number=p.number, section=p.section, sentences=[sentence_of(s) for s in p.sentences])
                for p in article.paragraphs
            ],
            attribution=attribute(article),
        )


def sentence_of(sentence: contract.Sentence) -> Sentence:
    """A sentence as JSON."""
    return Sentence(
        text=sentence.text,
        kept=sentence.kept,
        reason=sentence.reason,
        probability=sentence.probability,
        day=iso_day(sentence.day),
        links=[Link(start=link.start, end=link.end, target=link.target) for link in sentence.links],
    )


class Event(BaseModel):
    """What happened."""

    first: str = Field(description="First day of when it happened.")
    last: str = Field(description="Last day.")
    kind: str = Field(description="event, birth or death.")
    text: str = Field(description="As the year's article has it.")
    page_id: int = Field(description="The article that says so.")


class YearAnswer(BaseModel):
    """A year's events before the day."""

    year: int = Field(description="Astronomical: 1 BCE is 0.")
    as_of: str = Field(description=AS_OF)
    events: list[Event] = Field(description="The events of this page, in order.")
    total: int = Field(description="Events there are.")
    page: int = Field(description="This page's number, from 1.")
    size: int = Field(description="Events of a page.")
    next: int | None = Field(description="The next page's number; null after the last.")

    @staticmethod
    def of(year: contract.Year, as_of: contract.Day, page: int, size: int) -> YearAnswer:
        """From the index's record."""
        return YearAnswer(
            year=year.year,
            as_of=iso_day(as_of) or "",
            events=[
                Event(
                    first=iso_day(event.first) or "",
                    last=iso_day(event.last) or "",
                    kind=event.kind,
                    text=event.text,
                    page_id=event.page_id,
                )
                for event in year.events
            ],
            total=year.total,
            page=page,
            size=size,
            next=page + 1 if page * size < year.total else None,
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


class ChatRequest(BaseModel):
    """A conversation to be answered."""

    messages: list[Turn] = Field(description="The turns so far, the last one the user's.", min_length=1, max_length=64)
    as_of: str | None = Field(
        default=None, description="The model must know nothing later (default: the run's cutoff)."
    )
    temperature: float = Field(default=0.3, ge=0, le=2, description="0: always the likeliest word.")
    max_tokens: int = Field(default=512, ge=1, le=2048, description="Tokens of the answer at most.")
